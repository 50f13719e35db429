"""Closing, reopening and solving. Solving never closes; closing is its own act."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from accounts.models import Member
from accounts.roles import is_moderator
from questions import ranking
from questions.models import Credit, Post, Question
from questions.services import follow_ups, limits, telling
from questions.services.moderation import rights
from questions.services.writing import NotOpen, NotYours, ReadOnly
from questions.signals import question_closed, question_reopened, solution_asked
from sermo.errors import RuleBroken
from verification.services import events

MOST_CREDITS = 3


class TooLateToReopen(RuleBroken):
    message = "A discussion can be reopened within 14 days of its closing."


class ClosedByModerator(RuleBroken):
    message = "A moderator closed this. You can appeal."


class NotSolvable(RuleBroken):
    message = "Only a question can be solved."


class TooManyCredits(RuleBroken):
    message = "Credit at most three answers."


class NothingCredited(RuleBroken):
    message = "Credit an answer, or say in a sentence how it was solved elsewhere."


@transaction.atomic
def close_question(*, question: Question, by: Member | None, user=None) -> Question:
    """Close a discussion for good reading: its author may, and a moderator (`user`). Closing twice closes once.

    Raises NotYours, ReadOnly. Announces question_closed in the transaction.
    """
    question = Question.objects.select_for_update().get(pk=question.pk)
    is_author = check_right(question, by, user)
    reason = Question.CloseReason.AUTHOR if is_author else Question.CloseReason.MODERATOR
    if question.is_open:
        _close(question, reason)
        if not is_author:
            telling.of_closing_by_moderator(question)
    return question


def check_right(
    question: Question, by: Member | None, user, *, otherwise: type[RuleBroken] = NotYours
) -> bool:
    """Let the author (True) and moderators who take no part (False) pass. Raises ReadOnly, TakesPart, `otherwise`."""
    moderating = user is not None and is_moderator(user)
    if by is None or question.asker_id != by.pk:
        if not moderating:
            raise otherwise
        rights.check_no_part(user, question.pk)
        return False
    if not by.may_write and not moderating:
        raise ReadOnly
    return True


def _close(question: Question, reason: str) -> None:
    question.status = Question.Status.CLOSED
    question.closed_at = timezone.now()
    question.close_reason = reason
    question.save(update_fields=["status", "closed_at", "close_reason"])
    question_closed.send(sender=Question, question=question)


@transaction.atomic
def close_if_silent(*, question_id: int) -> bool:
    """Close one discussion if it has been silent for 30 days; return whether it was closed now."""
    question = Question.objects.select_for_update().get(pk=question_id)
    if not question.is_open or question.kind in Question.NEVER_SILENT or timezone.now() < question.closes_at:
        return False
    _close(question, Question.CloseReason.SILENCE)
    return True


def silent_questions():
    """Ids of the open discussions that silence will close now, oldest first."""
    limit = timezone.now() - timedelta(days=settings.CLOSE_AFTER_SILENT_DAYS)
    return Question.objects.silent_since(limit).order_by("activity_at").values_list("pk", flat=True)


def close_due(say: Callable[[str], object]) -> int:
    """Close all that has been silent for 30 days; return how many. `say` hears of progress."""
    due = list(silent_questions())
    closed = 0
    for number, question_id in enumerate(due, start=1):
        closed += close_if_silent(question_id=question_id)
        if number % 100 == 0:
            say(f"  {number} of {len(due)}")
    say(f"{closed} of {len(due)} silent discussions closed")
    return closed


@transaction.atomic
def reopen_question(*, question: Question, by: Member | None, user=None) -> Question:
    """Open a closed discussion again within 14 days: its author may what no moderator closed, a moderator (`user`) all.

    A moderator leaves an event. Receivers of question_reopened may refuse by raising RuleBroken.
    Raises NotYours, ReadOnly, ClosedByModerator, TooLateToReopen.
    """
    if user is not None and is_moderator(user):
        events.lock_chain()
    question = Question.objects.select_for_update().get(pk=question.pk)
    is_author = check_right(question, by, user)
    if question.is_open:
        return question
    if is_author and question.close_reason == Question.CloseReason.MODERATOR:
        raise ClosedByModerator
    open_again(question)
    if not is_author:
        opening = question.posts.get(kind=Post.Kind.OPENING)
        events.record(kind="moderation_reopen", by=user, object=f"post:{opening.pk}")
    return question


def open_again(question: Question) -> Question:
    """Open a locked closed discussion. Raises TooLateToReopen, and what receivers of question_reopened refuse."""
    now = timezone.now()
    if question.is_removed or now > question.closed_at + timedelta(days=settings.REOPEN_WITHIN_DAYS):
        raise TooLateToReopen
    question.status, question.closed_at, question.close_reason = Question.Status.OPEN, None, ""
    question.activity_at = now
    question.save(update_fields=["status", "closed_at", "close_reason", "activity_at"])
    question_reopened.send(sender=Question, question=question)
    return question


@transaction.atomic
def solve_question(
    *,
    question: Question,
    by: Member,
    answers: Iterable[Post] = (),
    outcome: str = "",
    sender: type[Model] = Question,
) -> Question:
    """Mark a question solved: by up to three answers, or elsewhere with a short outcome. Doing it again replaces.

    Solved elsewhere means no credited answer. `sender` names the app that asks for it, which is who announces
    solution_asked. Raises NotYours, NotOpen, NotSolvable, TooManyCredits, NothingCredited, limits.Held, and what
    receivers of solution_asked refuse.
    """
    question = Question.objects.select_for_update().get(pk=question.pk)
    if question.asker_id != by.pk:
        raise NotYours
    limits.check_not_held(by)
    if not question.is_open:
        raise NotOpen
    if not question.can_be_solved:
        raise NotSolvable
    solution_asked.send(sender=sender, question=question)
    answers, outcome = list(dict.fromkeys(answers)), outcome.strip()
    credited = list(
        question.posts.answers().standing().filter(pk__in=[post.pk for post in answers]).order_by("pk")
    )
    if len(credited) > MOST_CREDITS:
        raise TooManyCredits
    if not credited and not outcome:
        raise NothingCredited
    touched = _replace_credits(question, credited)
    is_new = not question.is_solved
    question.solved_at = question.solved_at or timezone.now()
    question.outcome = outcome
    question.save(update_fields=["solved_at", "outcome"])
    if is_new:
        follow_ups.plan(question)
    ranking.recompute_points(*touched)
    telling.of_solution(question, credited)
    return question


@transaction.atomic
def unsolve_question(*, question: Question, by: Member, sender: type[Model] = Question) -> Question:
    """Take the solution back. Raises NotYours, NotOpen, and what receivers of solution_asked refuse."""
    question = Question.objects.select_for_update().get(pk=question.pk)
    if question.asker_id != by.pk:
        raise NotYours
    if not question.is_open:
        raise NotOpen
    solution_asked.send(sender=sender, question=question)
    touched = _replace_credits(question, [])
    question.solved_at, question.outcome = None, ""
    question.save(update_fields=["solved_at", "outcome"])
    follow_ups.forget(question)
    ranking.recompute_points(*touched)
    return question


def _replace_credits(question: Question, answers: list[Post]) -> set[int]:
    """Credit exactly these answers, keeping the moment of those credited before; return the authors concerned."""
    earlier = {credit.post_id: credit for credit in question.credits.select_related("post")}
    question.credits.all().delete()
    Credit.objects.bulk_create(
        Credit(
            question=question,
            post=post,
            place=place,
            credited_at=earlier[post.pk].credited_at if post.pk in earlier else timezone.now(),
        )
        for place, post in enumerate(answers, start=1)
    )
    return {credit.post.author_id for credit in earlier.values()} | {post.author_id for post in answers}
