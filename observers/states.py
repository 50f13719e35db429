"""What has become of a discussion, as firms may know it: that it is solved or closed, and whom it credits, reaches them
as late as posts do, and in the same steps. Otherwise whoever asks again and again would learn the moment.

So does that a poll was closed before its time; the day on which it closes by itself stood there from the beginning.
Whether a post may still be earmarked is the matter of services, which ask for the truth.
"""

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from polls.models import Poll
from questions.models import Credit, Question
from questions.models.openness import released_until


def has_reached(moment: datetime | None) -> bool:
    """Whether firms know what happened at that moment."""
    return moment is not None and moment <= released_until()


def is_solved(question: Question) -> bool:
    return has_reached(question.solved_at)


def is_open(question: Question) -> bool:
    return question.is_open or not has_reached(question.closed_at)


def is_over(poll: Poll) -> bool:
    """Whether firms know a poll to be closed."""
    return poll.closed_at is not None and (poll.closes_at <= timezone.now() or has_reached(poll.closed_at))


def solved() -> Q:
    """The condition of a discussion that firms know to be solved."""
    return Q(solved_at__lte=released_until())


def unsolved() -> Q:
    """The condition of all others, those solved only just now among them."""
    return Q(solved_at=None) | Q(solved_at__gt=released_until())


def credits_known() -> QuerySet[Credit]:
    return Credit.objects.filter(credited_at__lte=released_until())
