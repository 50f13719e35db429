"""Closing a poll, and telling of it: before, to those who have not taken it, and afterwards, to those who did."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import FanOut, Kind, Member, User
from accounts.roles import is_moderator
from polls import unshown
from polls.models import Poll, Tally
from polls.services import telling, voting
from polls.signals import poll_closed
from questions.services.closing import check_right
from sermo.errors import RuleBroken
from verification.services import events

log = structlog.get_logger(__name__)
Reason = Poll.CloseReason
LEAST_OPEN = timedelta(days=2)  # a shorter poll reminds nobody


class NotYours(RuleBroken):
    message = "Only its author and moderators close a poll before its time."


# Closing


@transaction.atomic
def close_poll(*, poll: Poll, by: Member | None = None, user: User | None = None) -> Poll:
    """Close a poll before its time: its author may, and a moderator (`user`) who takes no part in the discussion.

    Closing twice closes once. A moderator leaves an event, and the author is told. Raises NotYours, ReadOnly,
    rights.TakesPart. Announces poll_closed in the transaction.
    """
    if user is not None and is_moderator(user):
        events.lock_chain()
    poll, tally = _lock(poll.pk)
    is_author = check_right(poll.question, by, user, otherwise=NotYours)
    if poll.closed_at is None:
        _close(poll, tally, Reason.CREATOR if is_author else Reason.MODERATOR)
        if poll.close_reason == Reason.MODERATOR:
            events.record(kind="moderation_poll_close", by=user, object=f"poll:{poll.pk}")
            telling.of_closing_by_moderator(poll)
    return poll


@transaction.atomic
def close_if_due(*, poll_id: int) -> bool:
    """Close one poll whose time is up, as of that time; return whether it was closed now."""
    poll, tally = _lock(poll_id)
    if poll.closed_at or timezone.now() < poll.closes_at:
        return False
    _close(poll, tally, Reason.TIME)
    return True


@transaction.atomic
def close_with_discussion(*, poll_id: int) -> None:
    """Close a poll whose discussion closes."""
    poll, tally = _lock(poll_id)
    if poll.closed_at is None:
        _close(poll, tally, Reason.DISCUSSION)


def _lock(poll_id: int) -> tuple[Poll, Tally]:
    """Lock what counts a poll, as each vote does: a vote is counted before, or refused afterwards."""
    tally = Tally.objects.select_for_update().get(poll=poll_id)
    return Poll.objects.select_related("question__asker").get(pk=poll_id), tally


def _close(poll: Poll, tally: Tally, reason: str) -> None:
    """Close a locked poll: for a reason, unless its time was up before, which was the reason then."""
    now = timezone.now()
    poll.closed_at, poll.close_reason = (
        (now, reason) if now < poll.closes_at else (poll.closes_at, Reason.TIME)
    )
    poll.save(update_fields=["closed_at", "close_reason"])
    voting.show_portions(tally)
    tally.save(update_fields=["cells", "cells_voters"])
    voting.settle(poll)
    transaction.on_commit(lambda: unshown.forget(poll.pk))
    poll_closed.send(sender=Poll, poll=poll)
    telling.of_results(poll)


# What a clock does


def close_due(say: Callable[[str], object] = lambda line: None) -> int:
    """Close all polls whose time is up, each in a transaction of its own; return how many. `say` hears of progress."""
    due = list(
        Poll.objects.filter(closed_at=None, closes_at__lte=timezone.now())
        .order_by("closes_at", "pk")
        .values_list("pk", flat=True)
    )
    closed = sum(_close_alone(poll_id) for poll_id in due)
    say(f"{closed} of {len(due)} due polls closed")
    return closed


def _close_alone(poll_id: int) -> bool:
    """A fault at one poll keeps no other from its end."""
    try:
        return close_if_due(poll_id=poll_id)
    except Exception as error:
        log.error("poll_not_closed", poll=poll_id, error=type(error).__name__)
        return False


def remind_due() -> int:
    """Tell of polls that close within a day and were open for two at least; return of how many.

    Once for each poll and member, however often this is called.
    """
    due = list(_closing_soon())
    for poll in due:
        telling.of_end(poll)
    return len(due)


def _closing_soon() -> QuerySet[Poll]:
    now = timezone.now()
    told = FanOut.objects.filter(kind=Kind.POLL, target=-OuterRef("pk"))
    return (
        Poll.objects.filter(
            closed_at=None,
            closes_at__gt=now,
            closes_at__lte=now + timedelta(hours=settings.POLL_REMIND_HOURS),
            closes_at__gte=F("opened_at") + LEAST_OPEN,
            question__status="open",
        )
        .filter(~Exists(told))
        .select_related("question__asker")
        .order_by("closes_at", "pk")
    )


def forget_unshown() -> int:
    """Delete once more what was never shown of closed polls. Returns of how many.

    A vote that was counted right before the end adds its numbers a moment after it, perhaps to what had just been
    deleted.
    """
    polls = still_unshown(timezone.now())
    for poll_id in polls:
        unshown.forget(poll_id)
    return len(polls)


def still_unshown(at: datetime) -> list[int]:
    """Polls that were closed at a moment, and of which something stands that was never shown."""
    lately = at - timedelta(days=unshown.KEPT_DAYS + 1)
    closed = Poll.objects.filter(closed_at__gt=lately, closed_at__lte=at)
    return [poll_id for poll_id in closed.values_list("pk", flat=True) if unshown.has(poll_id)]
