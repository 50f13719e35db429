"""Asking a maker about its product: a physician asks, the firm answers within a day, and all physicians read it."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Aggregate, Count, DurationField, Exists, F, OuterRef, Q, Value
from django.db.models.functions import Greatest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Kind, Member, User
from accounts.services import mail, notices
from observers.models import CompanyQuestion, Contract, Product, Purpose, Seat
from questions.services import limits
from rewards.models import Firm
from sermo.errors import RuleBroken
from sermo.text import render_markdown

MOST_WAITING = 3  # questions of one physician that no firm has answered
COUNTED = timedelta(days=365)  # back, of which replies a firm's usual time is said
MAIL = """A physician asked your medical information desk about {product}.

Answer within {hours} hours: {link}

Your answer is public to all physicians, and so is the time it took.
"""


class NoDesk(RuleBroken):
    message = "No firm answers for this product here."


class CannotWrite(RuleBroken):
    message = "Your license needs a new check before you can write. Reading stays open."


class TooManyWaiting(RuleBroken):
    message = f"{MOST_WAITING} questions of yours wait for an answer. Ask the next when one of them has it."


class NotYours(RuleBroken):
    message = "This question was put to another firm."


class AnsweredBefore(RuleBroken):
    message = "This question has been answered before."


class NotAnswered(RuleBroken):
    message = "This question has no answer yet."


class ChangedMeanwhile(RuleBroken):
    message = "The answer changed while you were editing. Compare before saving."


class Gone(RuleBroken):
    message = "This question was taken back."


class FormUsed(RuleBroken):
    message = "This form was used before. Open it anew."


class Usual(NamedTuple):
    """How long a firm takes: the median of its replies in hours (none without replies), of how many, and how many
    questions are past their time unanswered."""

    hours: float | None
    replies: int
    late: int


def desk_of(product: Product) -> Firm | None:
    """The firm that answers for a product: its maker, while under contract and with somebody in a seat."""
    return product.maker if Product.objects.filter(has_desk(), pk=product.pk).exists() else None


def has_desk() -> Q:
    """The condition of products that a firm answers for."""
    contracts = Contract.objects.current().filter(firm=OuterRef("maker"))
    return Q(Exists(contracts), Exists(Seat.objects.active().filter(firm=OuterRef("maker"))))


def ask(*, product: Product, asker: Member, text: str, submission: UUID) -> CompanyQuestion:
    """Put a question to the maker. The same submission twice asks once.

    Raises NoDesk, CannotWrite, limits.Held, TooManyWaiting, FormUsed where the submission is a colleague's.
    """
    if earlier := _asked_with(submission, asker):
        return earlier
    try:
        return _ask(product, asker, text, submission)
    except IntegrityError:
        earlier = _asked_with(submission, asker)
        if earlier is None:
            raise
        return earlier


def _asked_with(submission: UUID, asker: Member) -> CompanyQuestion | None:
    earlier = CompanyQuestion.objects.filter(submission=submission).first()
    if earlier and earlier.asker_id != asker.pk:
        raise FormUsed
    return earlier


@transaction.atomic
def _ask(product: Product, asker: Member, text: str, submission: UUID) -> CompanyQuestion:
    asker = Member.objects.select_for_update(no_key=True).get(pk=asker.pk)
    if not asker.may_write:
        raise CannotWrite
    limits.check_not_held(asker)
    firm = desk_of(product)
    if firm is None:
        raise NoDesk
    if waiting().filter(asker=asker).count() >= MOST_WAITING:
        raise TooManyWaiting
    now = timezone.now()
    begins_at = next_step(now)
    question = CompanyQuestion.objects.create(
        product=product,
        firm=firm,
        asker=asker,
        text=text,
        asked_at=now,
        due_at=begins_at + timedelta(hours=settings.COMPANY_ANSWER_HOURS),
        submission=submission,
    )
    _tell_firm(question, begins_at)
    return question


def next_step(moment: datetime) -> datetime:
    """When a question reaches its firm: at the next whole step, so that nobody there learns when it was asked."""
    step = settings.OBSERVER_STEP_MINUTES * 60
    return moment + timedelta(seconds=-moment.timestamp() % step)


def waiting():
    return CompanyQuestion.objects.filter(answered_at=None, removed_at=None)


def reached(firm: Firm):
    """The questions that a firm may read: those put to it, once their clock runs."""
    begun = timezone.now() + timedelta(hours=settings.COMPANY_ANSWER_HOURS)
    rows = CompanyQuestion.objects.filter(firm=firm, removed_at=None, due_at__lte=begun)
    return rows.select_related("product")


def _tell_firm(question: CompanyQuestion, due_at: datetime) -> None:
    """A mail to those who answer: the seats for medical information, or else those who give seats."""
    seats = list(Seat.objects.active().filter(firm=question.firm_id).select_related("user"))
    told = [seat for seat in seats if seat.purpose == Purpose.MEDICAL]
    told = told or [seat for seat in seats if seat.is_admin] or seats
    text = MAIL.format(
        product=question.product.name,
        hours=settings.COMPANY_ANSWER_HOURS,
        link=settings.SITE_URL + reverse("observers:company_question", args=[question.key]),
    )
    for seat in told:
        mail.queue(seat.user, "A question to your medical information desk", text, due_at=due_at)


@transaction.atomic
def answer(*, question: CompanyQuestion, seat: Seat, text: str) -> CompanyQuestion:
    """Answer for the firm, once. The physician who asked is told. Raises NotYours, Gone, AnsweredBefore."""
    question = CompanyQuestion.objects.select_for_update().get(pk=question.pk)
    if question.firm_id != seat.firm_id:
        raise NotYours
    if question.removed_at:
        raise Gone
    if question.answered_at:
        raise AnsweredBefore
    question.answer, question.html = text, render_markdown(text)
    question.answered_at, question.answered_by = timezone.now(), seat
    question.save(update_fields=["answer", "html", "answered_at", "answered_by"])
    notices.tell(
        members=[question.asker_id],
        kind=Kind.REPLY,
        target=question.pk,
        about=f"product:{question.product_id}",
        key=f"company:{question.pk}",
    )
    return question


@transaction.atomic
def correct(*, question: CompanyQuestion, seat: Seat, text: str, was: str | None = None) -> CompanyQuestion:
    """Change the firm's answer as a member changes a post: silently in the first 15 minutes, later with what it said
    before kept as a revision. `was` is the text the editor started from.

    Raises NotYours, Gone, NotAnswered, ChangedMeanwhile.
    """
    question = CompanyQuestion.objects.select_for_update().get(pk=question.pk)
    if question.firm_id != seat.firm_id:
        raise NotYours
    if question.removed_at:
        raise Gone
    if question.answered_at is None:
        raise NotAnswered
    if _lines(text) == _lines(question.answer):
        return question
    if was is not None and _lines(was) != _lines(question.answer):
        raise ChangedMeanwhile
    now = timezone.now()
    if now > question.silent_until:
        question.revisions.create(
            number=question.revisions.count() + 1, answer=question.answer, replaced_at=now, replaced_by=seat
        )
        question.edited_at = now
    question.answer, question.html = text, render_markdown(text)
    question.save(update_fields=["answer", "html", "edited_at"])
    return question


def _lines(text: str) -> list[str]:
    """Browsers send line ends as CR LF."""
    return text.strip().splitlines()


@transaction.atomic
def take_back(*, question: CompanyQuestion, by: Member) -> CompanyQuestion:
    """Take back one's own question while it waits. Raises NotYours, AnsweredBefore."""
    question = CompanyQuestion.objects.select_for_update().get(pk=question.pk)
    if question.asker_id != by.pk:
        raise NotYours("This question is a colleague's.")
    if question.answered_at:
        raise AnsweredBefore
    return _remove(question)


@transaction.atomic
def remove(*, question: CompanyQuestion, by: User) -> CompanyQuestion:
    """Take a question and its answer out of sight, as staff. Twice is as good as once."""
    return _remove(CompanyQuestion.objects.select_for_update().get(pk=question.pk))


def _remove(question: CompanyQuestion) -> CompanyQuestion:
    if question.removed_at is None:
        question.removed_at = timezone.now()
        question.save(update_fields=["removed_at"])
    return question


class Median(Aggregate):
    template = "percentile_cont(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


def usual_time(firm: Firm) -> Usual:
    """How long a firm took in the last year, and what it left waiting. One query."""
    now = timezone.now()
    allowed = Value(timedelta(hours=settings.COMPANY_ANSWER_HOURS), DurationField())
    took = Greatest(F("answered_at") - F("due_at") + allowed, Value(timedelta(), DurationField()))
    is_answered = Q(answered_at__isnull=False)
    rows = CompanyQuestion.objects.filter(firm=firm, removed_at=None, asked_at__gte=now - COUNTED)
    usual = rows.aggregate(
        took=Median(took, filter=is_answered),
        replies=Count("pk", filter=is_answered),
        late=Count("pk", filter=Q(answered_at=None, due_at__lt=now)),
    )
    hours = None if usual["took"] is None else round(usual["took"] / timedelta(hours=1), 1)
    return Usual(hours, usual["replies"], usual["late"])
