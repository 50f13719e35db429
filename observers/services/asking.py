"""Questions that firms ask in the open, under their name."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Specialty
from observers.models import IndustryPost, Seat
from observers.services.contracting import hold_contract
from observers.services.voices import voice_of
from questions.models import Post, Question
from questions.services import house
from rewards.models import Firm
from rewards.services.deposits import FormUsed
from sermo.errors import RuleBroken
from sermo.identifiers import STOP, check


class NoQuestionLeft(RuleBroken):
    message = "Your plan's questions of this month are asked. There are new ones on the first."


class Identifies(RuleBroken):
    message = "Something in this text identifies a person. Leave it out."


@transaction.atomic
def ask(*, seat: Seat, title: str, source: str, specialties: Iterable[Specialty], key: UUID) -> Question:
    """Open a discussion in the name of the seat's firm. The same `key` is the one it opened before.

    Raises NotContracted, NoQuestionLeft, Identifies, FormUsed where the key stands for other words.
    """
    contract = hold_contract(seat.firm)
    if known := opened_with(key, seat.firm, kind=Question.Kind.DISCUSSION, title=title, source=source):
        return known
    check_texts(title, source)
    if opened_in_month(seat.firm).exclude(question__kind=Question.Kind.POLL).count() >= (
        contract.plan.questions_a_month
    ):
        raise NoQuestionLeft
    return open_under_name(
        seat=seat,
        kind=Question.Kind.DISCUSSION,
        title=title,
        source=source,
        specialties=specialties,
        key=key,
    )


@transaction.atomic
def close(*, seat: Seat, question: Question) -> None:
    """Close a discussion that the seat's firm opened. Raises IndustryPost.DoesNotExist for others."""
    IndustryPost.objects.get(question=question, firm=seat.firm)
    house.close_for_house(question=question)


# For all that firms open


def opened_with(key: UUID, firm: Firm, *, kind: str, title: str, source: str) -> Question | None:
    """What a form opened before. Raises FormUsed where that was of another kind or has other words."""
    known = IndustryPost.objects.select_related("question").filter(key=key).first()
    if known is None:
        return None
    question = known.question
    opening = question.posts.get(kind=Post.Kind.OPENING)
    if (known.firm_id, question.kind, question.title, opening.source) != (firm.pk, kind, title, source):
        raise FormUsed
    return question


def check_texts(*texts: str) -> None:
    """Firms have no reason to name a person. Raises Identifies."""
    if any(finding.level == STOP for text in texts for finding in check(text)):
        raise Identifies


def opened_in_month(firm: Firm, now: datetime | None = None):
    """What a firm opened in this month (UTC)."""
    now = now or timezone.now()
    return IndustryPost.objects.filter(
        firm=firm, made_at__gte=now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    )


def open_under_name(*, seat: Seat, kind: str, title: str, source: str, specialties, key: UUID) -> Question:
    question = house.open_for_firm(
        voice=voice_of(seat.firm),
        firm=seat.firm.name,
        kind=kind,
        title=title,
        source=source,
        specialties=specialties,
    )
    IndustryPost.objects.create(question=question, firm=seat.firm, seat=seat, key=key)
    return question
