"""What firms that observe may read, as far as discussions and posts can say it themselves.

Firms are not known here. Who shut one out, and what closes discussions of some kind besides, is said by the apps that
know: they add to `SHUT_OUT` and `CLOSED` when they are loaded. Before anybody did, nothing is open to any firm.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone


class Reading(Protocol):
    """A firm, as far as it matters here."""

    pk: int
    kind: str


# What makes of a firm the ids of members it reads nothing of.
SHUT_OUT: list[Callable[[Reading], QuerySet]] = []
# Kind: what makes the condition under which a discussion of it is closed.
CLOSED: dict[str, Callable[[], Q]] = {}


def released_until() -> datetime:
    """The moment up to which posts have reached firms: an hour ago, and from there back to a whole step.

    In steps, so that nobody who asks again and again learns a moment more exactly.
    """
    until = timezone.now() - timedelta(minutes=settings.OBSERVER_DELAY_MINUTES)
    return until - timedelta(seconds=until.timestamp() % (settings.OBSERVER_STEP_MINUTES * 60))


def of_questions(firm: Reading) -> Q:
    """The condition of a discussion that is open to a firm: put to all, and with its opening open as well."""
    from questions.models.posts import Post
    from questions.models.questions import Question

    if not SHUT_OUT:
        return Q(pk__in=[])
    opening = Post.objects.filter(_released(), question=OuterRef("pk"), kind=Post.Kind.OPENING)
    condition = Q(Exists(opening), audience=Question.Audience.PHYSICIANS, peers_only=False)
    condition &= ~Q(status=Question.Status.REMOVED) & ~_shut_out(firm, "asker")
    for kind, closed in CLOSED.items():
        condition &= ~(Q(kind=kind) & closed())
    return condition


def of_posts(firm: Reading) -> Q:
    """The condition of a post that is open to a firm: with its discussion, and with the answer it stands under."""
    from questions.models.posts import Post
    from questions.models.questions import Question

    question = Question.objects.filter(of_questions(firm), pk=OuterRef("question"))
    itself = _released() & ~_shut_out(firm, "author")
    parent = Post.objects.filter(itself, pk=OuterRef("parent"))
    return itself & Exists(question) & (Q(parent=None) | Exists(parent))


def _released() -> Q:
    """A post that stands, unfolded, not for peers only, and last changed long enough ago.

    While moderators have not decided whether a patient can be identified by it, no firm reads it.
    """
    from questions.models.moderation import Report, Severity

    until = released_until()
    unchanged = Q(edited_at=None) | Q(edited_at__lte=until)
    doubted = Report.objects.open().filter(severity=Severity.IDENTITY, post=OuterRef("pk"))
    standing = Q(removed_at=None, folded_at=None, peers_only=False, posted_at__lte=until)
    return unchanged & standing & ~Q(Exists(doubted))


def _shut_out(firm: Reading, author: str) -> Q:
    condition = Q()
    for shut_out in SHUT_OUT:
        condition |= Q(**{f"{author}__in": shut_out(firm)})
    return condition
