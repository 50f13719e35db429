"""What operators do to feeds beside checking them."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from newsfeed.models import Feed
from newsfeed.services import turns


@dataclass(frozen=True)
class Due:
    """How many of some feeds the next rounds of checks read, and why not the others."""

    checked: int = 0
    under_way: int = 0
    parked: int = 0  # their host asked to be left alone
    reserve: int = 0
    disabled: int = 0
    off: int = 0


@transaction.atomic
def enable_again(*, feed: Feed) -> Feed:
    """Start a feed afresh: its failures are forgotten, and it is due."""
    feed = Feed.objects.select_for_update(of=("self",)).get(pk=feed.pk)
    feed.status, feed.status_code, feed.error, feed.failures = Feed.Status.NEW, None, "", 0
    feed.disabled_at, feed.moved_to, feed.next_at = None, "", timezone.now()
    feed.save(
        update_fields=["status", "status_code", "error", "failures", "disabled_at", "moved_to", "next_at"]
    )
    return feed


def make_due(feeds) -> Due:
    """Let the next round of checks, within a minute, read these feeds, as far as they are read at all."""
    now = timezone.now()
    on = feeds.filter(is_on=True, source__is_on=True)
    enabled = on.exclude(status=Feed.Status.DISABLED)
    in_turn = enabled.filter(pk__in=turns.in_turn(now).values("pk"))
    claimed = turns.claimed(now)
    free = in_turn.exclude(pk__in=claimed)
    parked = free.filter(pk__in=turns.parked(now)).count()
    counts = {
        "under_way": in_turn.filter(pk__in=claimed).count(),
        "parked": parked,
        "reserve": enabled.count() - in_turn.count(),
        "disabled": on.count() - enabled.count(),
        "off": feeds.count() - on.count(),
    }
    free = Feed.objects.filter(pk__in=list(free.values_list("pk", flat=True)))
    return Due(checked=free.update(next_at=now) - parked, **counts)
