"""What became of it: the asker is asked a week, a month and three months after the solution."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Kind, Member
from accounts.services import notices
from questions.models import FollowUp, Question
from questions.services import limits, telling
from sermo.errors import RuleBroken
from sermo.prepared import columns_of, instance_of, prepared


class NotTheAsker(RuleBroken):
    message = "Only who asked can say what became of it."


class NotSolved(RuleBroken):
    message = "This question is not marked as solved, so there is nothing to follow up yet."


class WithoutFinding(RuleBroken):
    message = "Say how it turned out."


def plan(question: Question) -> None:
    """Write down when to ask what became of a question just solved. What was said before stays."""
    forget(question)
    FollowUp.objects.bulk_create(
        [
            FollowUp(question=question, days=days, due_at=question.solved_at + timedelta(days=days))
            for days in FollowUp.Days.values
        ],
        ignore_conflicts=True,
    )


def forget(question: Question) -> None:
    """Ask no more, since the solution was taken back. What was said already stays."""
    question.follow_ups.filter(answered_at=None).delete()


def due(now: datetime | None = None) -> list[int]:
    """The questions of which it is time to ask what became, those waiting longest first."""
    rows = FollowUp.objects.filter(_asks(), due_at__lte=now or timezone.now())
    return list(dict.fromkeys(rows.order_by("due_at", "pk").values_list("question", flat=True)))


def _asks() -> Q:
    return Q(
        asked_at=None,
        answered_at=None,
        question__solved_at__isnull=False,
        question__status__in=[Question.Status.OPEN, Question.Status.CLOSED],
    )


@transaction.atomic
def ask(*, question_id: int) -> FollowUp | None:
    """Ask once for the latest of what is due of a question; what was due before it is asked with it.

    Returns what was asked for, or None where nothing is due any more.
    """
    question = Question.objects.select_for_update().get(pk=question_id)
    now = timezone.now()
    rows = list(question.follow_ups.filter(_asks(), due_at__lte=now).order_by("days"))
    if not rows:
        return None
    question.follow_ups.filter(pk__in=[row.pk for row in rows]).update(asked_at=now)
    latest = rows[-1]
    notices.tell(
        members=[question.asker_id],
        kind=Kind.FOLLOW_UP,
        target=latest.pk,
        about=f"question:{question.pk}",
        key=f"follow_up:{latest.pk}",
    )
    return latest


def next_of(question: Question, now: datetime | None = None) -> FollowUp | None:
    """What the asker would answer now: the latest that is due, else the first to come; None when all are answered."""
    now = now or timezone.now()
    waiting = sorted(question.follow_ups.filter(answered_at=None), key=lambda row: row.days)
    ripe = [row for row in waiting if row.due_at <= now]
    return ripe[-1] if ripe else next(iter(waiting), None)


@transaction.atomic
def answer(*, follow_up: FollowUp, by: Member, finding: str, text: str = "") -> FollowUp:
    """Say what became of it, also after the discussion was closed; saying it again replaces.

    Raises NotTheAsker, NotSolved, WithoutFinding, limits.Held.
    """
    question = Question.objects.select_for_update().get(pk=follow_up.question_id)
    if question.asker_id != by.pk:
        raise NotTheAsker
    limits.check_not_held(by)
    if not question.is_solved or question.is_removed:
        raise NotSolved
    if finding not in FollowUp.Finding.values:
        raise WithoutFinding
    follow_up = FollowUp.objects.select_for_update().get(pk=follow_up.pk)
    follow_up.finding, follow_up.text = finding, text.strip()
    follow_up.answered_at = follow_up.answered_at or timezone.now()
    follow_up.save(update_fields=["finding", "text", "answered_at"])
    telling.of_follow_up(question, follow_up)
    return follow_up


def said_of(question: Question) -> list[FollowUp]:
    """What the asker said became of it, in order. One query."""
    return [instance_of(FollowUp, row) for row in _said(None, question=question.pk)]


@prepared
def _said(shape: None, *, question: int):
    rows = FollowUp.objects.filter(question=question, answered_at__isnull=False)
    return rows.order_by("days").values_list(*columns_of(FollowUp))
