"""What a plan includes, asked for from several seats at the same moment: no more of it is used than there is."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, transaction

from accounts.tests.factories import make_specialty
from observers.models import IndustryPost, SeatEarmark
from observers.services import asking, contracting, marking, sponsoring
from observers.tests.factories import let_pass, make_contract, make_plan, make_seat
from polls.services.opening import Plan
from questions.models import Post
from questions.tests.factories import make_answer, make_question
from rewards.models import Allowance, Earmark, Firm
from rewards.services import draws
from sermo.errors import RuleBroken

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("nobody_told")]
SEATS = 4


@pytest.fixture
def seats():
    """Of a firm whose plan has one of each."""
    plan = make_plan("one", earmarks_a_day=1, questions_a_month=1, polls_a_month=1)
    firm = make_contract(plan=plan).firm
    return [make_seat(firm) for _ in range(SEATS)]


def at_once(act, seats):
    """Do it from all seats at one moment; what was refused, by kind, and how many were not."""
    together = Barrier(len(seats))

    def one(numbered):
        try:
            together.wait(10)
            act(*numbered)
        except RuleBroken as refusal:
            return type(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(seats)) as pool:
        ended = list(pool.map(one, enumerate(seats)))
    return {refusal for refusal in ended if refusal}, ended.count(None)


def test_earmarks_of_a_day(seats, physician, colleague):
    posts = [make_answer(make_question(physician), colleague) for _ in range(SEATS)]
    for post in posts:
        let_pass(post.question)
    Allowance.objects.create(firm=seats[0].firm, day=draws.today(), slots=SEATS)

    refused, done = at_once(
        lambda number, seat: marking.place(
            seat=seat, post=Post.objects.get(pk=posts[number].pk), author_cents=500, key=uuid4()
        ),
        seats,
    )

    assert (refused, done) == ({marking.PlanUsedUp}, 1)
    assert Earmark.objects.count() == SeatEarmark.objects.count() == 1


def test_questions_of_a_month(seats):
    specialties = [make_specialty()]

    refused, done = at_once(
        lambda number, seat: asking.ask(
            seat=seat,
            title=f"What keeps you from switching, number {number}?",
            source="We plan a study.",
            specialties=specialties,
            key=uuid4(),
        ),
        seats,
    )

    assert (refused, done) == ({asking.NoQuestionLeft}, 1)
    assert IndustryPost.objects.count() == 1


def test_polls_of_a_month(seats):
    specialties = [make_specialty()]

    refused, done = at_once(
        lambda number, seat: sponsoring.open_poll(
            seat=seat,
            title=f"What keeps you from switching, number {number}?",
            source="",
            specialties=specialties,
            plan=Plan(kind="single", options=("Price", "Habit"), days=7),
            honorarium=500,
            quota=20,
            key=uuid4(),
        ),
        seats,
    )

    assert (refused, done) == ({sponsoring.NoPollLeft}, 1)
    assert IndustryPost.objects.count() == 1


def test_who_uses_a_plan_holds_the_firm_and_keeps_nobody_from_naming_it(seats):
    """Rows that point at a firm are written meanwhile, such as reads of its seats."""
    firm = seats[0].firm

    def lock(strength):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SELECT 1 FROM rewards_firm WHERE id = %s FOR {strength} NOWAIT", [firm.pk])
            return True
        except OperationalError:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        contract = contracting.hold_contract(Firm.objects.get(pk=firm.pk))
        held = pool.submit(lock, "NO KEY UPDATE").result(10)
        named = pool.submit(lock, "KEY SHARE").result(10)

    assert contract.plan.slug == "one"
    assert (held, named) == (False, True)
