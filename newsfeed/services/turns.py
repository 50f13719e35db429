"""Which feeds are to be read, and who reads them now.

A check claims its feed by counting as a failure until it has an outcome. So two workers do not both do it, and a feed
that kills its worker is asked ever less often and disabled in the end, like others that fail.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from newsfeed import hosts
from newsfeed.models import Feed
from sermo import fetching

Status = Feed.Status
CLAIMED = timedelta(minutes=5)  # after which whoever claimed a feed is thought dead
UNENDED = "The last check did not come to an end."
LONG_PARKED = timedelta(hours=1)  # from which on the next feed of a source steps in
BASE = timedelta(minutes=60)
LONGEST = timedelta(hours=24)
MOST_FAILURES = 1000


def in_turn(now: datetime) -> QuerySet[Feed]:
    """The feeds that are read sooner or later: those beside others, and of the others the first that works.

    One waits while another before it works or has not failed often enough. While a check is under way, whether it fails
    is not known yet.
    """
    fails = settings.NEWS_FALL_BACK_AFTER
    before = (
        Feed.objects.filter(
            source=OuterRef("source"), place__lt=OuterRef("place"), is_on=True, is_beside=False
        )
        .exclude(status=Status.DISABLED)
        .exclude(pk__in=parked(now + LONG_PARKED))
        .filter(Q(failures__lt=fails) | Q(failures=fails, error=UNENDED))
    )
    feeds = Feed.objects.on().exclude(status=Status.DISABLED).select_related("source")
    return feeds.filter(Q(is_beside=True) | ~Exists(before))


def parked(until: datetime) -> list[int]:
    """The feeds whose host wants peace for longer than that."""
    names = set(hosts.parked(until))
    if not names:
        return []
    return [feed.pk for feed in Feed.objects.only("kind", "address") if host_or_none(feed) in names]


def claimed(now: datetime) -> list[int]:
    """The feeds that somebody checks at this moment."""
    ended_never = Feed.objects.filter(error=UNENDED, next_at__gt=now)
    rows = ended_never.values_list("pk", "failures", "next_at")
    return [pk for pk, failures, next_at in rows if next_at - back_off(failures) > now - CLAIMED]


def due(now: datetime) -> QuerySet[Feed]:
    return in_turn(now).filter(next_at__lte=now)


@dataclass(frozen=True)
class Claim:
    """A feed that nobody else checks meanwhile, as it was before."""

    feed: Feed
    until: datetime

    def give_back(self) -> None:
        """The check did not take place: all is as before, but what somebody else changed."""
        before = {name: getattr(self.feed, name) for name in ("next_at", "failures", "error", "status")}
        Feed.objects.filter(pk=self.feed.pk, next_at=self.until, error=UNENDED).update(**before)


def back_off(failures: int) -> timedelta:
    return min(BASE * 2 ** min(failures - 1, 10), LONGEST)


def host_of(feed: Feed) -> str:
    addresses = {
        Feed.Kind.PUBMED: settings.NEWS_PUBMED_URL,
        Feed.Kind.CROSSREF: settings.NEWS_CROSSREF_URL,
    }
    return fetching.host_of(addresses.get(feed.kind, feed.address))


def host_or_none(feed: Feed) -> str | None:
    try:
        return host_of(feed)
    except fetching.FetchRefused:
        return None
