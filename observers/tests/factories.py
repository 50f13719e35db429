"""Makers of what observers' tests need. Firms have money, seats a second factor, posts are old enough to be read."""

from datetime import date, timedelta

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.roles import OBSERVERS
from accounts.tests.factories import make_user
from observers.models import Contract, Plan, Purpose, Seat
from questions.models import Post, Question
from rewards.models import Firm
from rewards.tests.factories import make_firm

LONG_AGO = timedelta(days=3)


def make_plan(slug="full", **limits) -> Plan:
    same = {
        "name": "Full",
        "seats": 5,
        "searches": 20,
        "charts_a_day": 20,
        "exports_a_day": 10,
        "export_rows": 500,
        "earmarks_a_day": 50,
        "polls_a_month": 5,
        "questions_a_month": 5,
    }
    return Plan.objects.update_or_create(slug=slug, defaults={**same, **limits})[0]


def make_contract(firm: Firm | None = None, *, plan: Plan | None = None, **fields) -> Contract:
    same = {"purposes": list(Purpose.values), "starts_on": date(2026, 3, 1)}
    return Contract.objects.create(firm=firm or make_firm(), plan=plan or make_plan(), **{**same, **fields})


def make_seat(firm: Firm | None = None, *, name="M. Ruiz", is_admin=False, purpose=Purpose.MEDICAL) -> Seat:
    """A seat of a firm under contract, with its person logged in by a second factor."""
    firm = firm or make_firm()
    if not firm.contracts.exists():
        make_contract(firm)
    user = make_user()
    user.groups.add(Group.objects.get_or_create(name=OBSERVERS)[0])
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    number = (firm.seats.order_by("-number").values_list("number", flat=True).first() or 0) + 1
    return Seat.objects.create(
        firm=firm, number=number, user=user, name=name, is_admin=is_admin, purpose=purpose
    )


def let_pass(question: Question, by: timedelta = LONG_AGO) -> Question:
    """Make a discussion and its posts so much older that they have reached firms."""
    Post.objects.filter(question=question).update(posted_at=timezone.now() - by)
    Question.objects.filter(pk=question.pk).update(
        opened_at=timezone.now() - by, activity_at=timezone.now() - by
    )
    question.refresh_from_db()
    return question
