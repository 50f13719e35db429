"""The products of the demonstration: once, by the services, and nobody gets mail of it."""

import pytest

from accounts.models import Mail
from accounts.tests.factories import make_member, make_user
from observers.demo import products as demo
from observers.models import AdverseEvent, CompanyQuestion, Product
from observers.tests.factories import let_pass, make_seat
from questions.tests.factories import make_question
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
    assert AdverseEvent.objects.exclude(outcome="").count() == 1
    assert not Mail.objects.exists()


def test_without_seats_and_askers_products_stand_alone(db):
    for facts in FIRMS:
        make_firm(**facts)

    demo.seed()

    assert Product.objects.count() == len(demo.PRODUCTS)
    assert not CompanyQuestion.objects.exists()
