"""The products of the demonstration and what desks said of them: once, by the services, and nobody gets mail of it."""

import pytest

from accounts.models import Mail
from accounts.tests.factories import make_member, make_user
from observers.demo import products as demo
from observers.demo import safety
from observers.models import AdverseEvent, CompanyQuestion, FirmBlock, Product, Read
from observers.services import reading
from observers.tests.factories import let_pass, make_seat
from questions.models import Post
from questions.tests.factories import make_answer, make_question
from rewards.demo import FIRMS
from rewards.tests.factories import make_firm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]


@pytest.fixture
def makers():
    firms = [make_firm(**facts) for facts in FIRMS]
    for firm in firms:
        make_seat(firm)
    return firms


@pytest.fixture
def asker():
    return make_member("left_ventricle", user=make_user(email="cardio@demo.sermo.test"))


def test_it_is_written_once(makers, asker):
    let_pass(make_question(asker, title="When to stop apixaban before a colonoscopy?"))

    demo.seed()
    demo.seed()

    assert Product.objects.count() == len(demo.PRODUCTS)
    assert CompanyQuestion.objects.count() == len(demo.ASKED)
    assert CompanyQuestion.objects.get(answered_at=None).due_at
    assert not Mail.objects.exists()


def test_without_seats_and_askers_products_stand_alone(db):
    for facts in FIRMS:
        make_firm(**facts)

    demo.seed()

    assert Product.objects.count() == len(demo.PRODUCTS)
    assert not CompanyQuestion.objects.exists()


def test_desks_said_something_of_what_is_open_to_their_firms_and_logged(makers, asker):
    question = make_question(asker, title="When to stop apixaban before a colonoscopy?")
    for _ in range(4):
        make_answer(question, source="Apixaban: two days before.")
    shut = make_answer(question, source="Apixaban: three days before.")
    let_pass(question)
    demo.seed()
    FirmBlock.objects.create(member=shut.author, firm=makers[0])

    safety.seed()
    safety.seed()

    events = AdverseEvent.objects.filter(firm=makers[0])
    assert events.count() == 5
    assert events.filter(outcome="").count() == safety.WAITING
    open_ones = set(Post.objects.open_to(makers[0]).values_list("pk", flat=True))
    assert {event.post_id for event in events} <= open_ones
    assert {read.post_id for read in Read.objects.all()} == {event.post_id for event in events}
    assert all(event.said_at is None or event.said_at >= event.read_at for event in events)
    assert list(reading.faults()) == []
