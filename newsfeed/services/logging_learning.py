"""The learning log: a member's own account of what they read and answered. Nobody else sees it, and it is no credit."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import Member
from newsfeed.models import Article, LogEntry
from questions.models import Post, Question
from sermo.errors import RuleBroken

USUAL_MINUTES = 10
FEWEST_MINUTES, MOST_MINUTES = 1, 600
LONGEST = 1000  # characters of a reflection
WRITTEN = (Post.Kind.ANSWER, Post.Kind.COMMENT)


class NotAnswered(RuleBroken):
    message = "A discussion goes into your log once you have answered or commented in it."


class WrongMinutes(RuleBroken):
    message = f"Enter {FEWEST_MINUTES} to {MOST_MINUTES} minutes."


class NotYet(RuleBroken):
    message = "This day has not come yet."


class TooLong(RuleBroken):
    message = f"At most {LONGEST:,} characters."


@transaction.atomic
def add(
    *,
    member: Member,
    article: Article | None = None,
    question: Question | None = None,
    minutes: int,
    done_on: date,
    reflection: str = "",
) -> LogEntry:
    """Log an article, or a discussion; what is logged already stays as it is.

    Raises NotAnswered, WrongMinutes, NotYet, TooLong.
    """
    if question and not has_written_in(member, question):
        raise NotAnswered
    _check(minutes, done_on, reflection)
    said = {"minutes": minutes, "done_on": done_on, "reflection": reflection}
    entry, _ = LogEntry.objects.get_or_create(
        member=member, article=article, question=question, defaults=said
    )
    return entry


@transaction.atomic
def change(*, entry: LogEntry, minutes: int, done_on: date, reflection: str) -> LogEntry:
    """Raises WrongMinutes, NotYet, TooLong."""
    _check(minutes, done_on, reflection)
    entry.minutes, entry.done_on, entry.reflection = minutes, done_on, reflection
    entry.save(update_fields=["minutes", "done_on", "reflection"])
    return entry


def says(entry: LogEntry, *, minutes: int, done_on: date, reflection: str) -> bool:
    return (entry.minutes, entry.done_on, entry.reflection) == (minutes, done_on, reflection)


def remove(*, entry: LogEntry) -> None:
    entry.delete()


def has_written_in(member: Member, question: Question) -> bool:
    return Post.objects.standing().filter(question=question, author=member, kind__in=WRITTEN).exists()


def is_to_come(day: date) -> bool:
    return day > timezone.localdate() + timedelta(days=1)  # which is today further east


def _check(minutes: int, done_on: date, reflection: str) -> None:
    if not FEWEST_MINUTES <= minutes <= MOST_MINUTES:
        raise WrongMinutes
    if is_to_come(done_on):
        raise NotYet
    if len(reflection) > LONGEST:
        raise TooLong
