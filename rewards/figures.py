"""How fast the site pays, for everybody: the pay clock, and the counter on the landing page.

All of it is drawn from payouts to members, never from what firms have reserved. Days are business days of the payer.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import TruncDate

from rewards import business_days
from rewards.models import Method, Payout
from rewards.services import taxes

DAYS = 90  # that the pay clock looks back
KEPT_SECONDS = 600
MOST_LATE = 50  # that are listed


@dataclass(frozen=True)
class Late:
    """A payout past its promised day, without whose it is or how much."""

    method: str
    asked_on: date
    promised_on: date
    paid_on: date | None
    days: int  # past the promised one, so far if it is not paid


@dataclass(frozen=True)
class Clock:
    """The payouts that arrived in the last 90 days, and those that should have."""

    promised: int
    paid: int
    median: int | None  # business days from asking to arriving; half of those paid took so many or fewer
    ninth: int | None  # nine of ten took so many or fewer
    overdue: int  # not paid, and past the promised day
    on_time: int
    late: tuple[Late, ...]  # the latest promised first
    late_count: int

    @property
    def due(self) -> int:
        return self.paid + self.overdue

    @property
    def percent(self) -> int | None:
        """Rounded down, so that 100 means every one."""
        return 100 * self.on_time // self.due if self.due else None


@dataclass(frozen=True)
class Paid:
    """What was paid to members in a calendar month of the payer's."""

    month: date
    cents: int
    payees: int
    median: int | None


def clock() -> Clock:
    return cache.get_or_set("rewards:clock", _clock, KEPT_SECONDS)


def last_month() -> Paid:
    return cache.get_or_set(f"rewards:paid:{_month():%Y-%m}", _last_month, KEPT_SECONDS)


def at_share(days: Counter, percent: int) -> int | None:
    """The number of days that so many percent did not exceed, from how often each number occurred."""
    rank = -(-days.total() * percent // 100)
    for number in sorted(days):
        rank -= days[number]
        if rank <= 0:
            return number
    return None


def _clock() -> Clock:
    today = business_days.today()
    paid = _paid_since(today - timedelta(days=DAYS))
    days = _days(paid)
    overdue = Payout.objects.under_way().filter(subject__isnull=False, promised_on__lt=today)
    too_late = paid.filter(paid_on__gt=F("promised_on"))
    overdue_count, too_late_count = overdue.count(), too_late.count()
    latest = [
        *overdue.order_by("-promised_on", "-pk")[:MOST_LATE],
        *too_late.order_by("-promised_on", "-pk")[:MOST_LATE],
    ]
    rows = sorted((_late(payout, today) for payout in latest), key=lambda row: row.promised_on, reverse=True)
    return Clock(
        promised=settings.PAYOUT_BUSINESS_DAYS,
        paid=days.total(),
        median=at_share(days, 50),
        ninth=at_share(days, 90),
        overdue=overdue_count,
        on_time=days.total() - too_late_count,
        late=tuple(rows[:MOST_LATE]),
        late_count=overdue_count + too_late_count,
    )


def _last_month() -> Paid:
    month = _month()
    end = (month + timedelta(days=32)).replace(day=1)
    paid = _paid_since(month).filter(paid_on__lt=end)
    sums = paid.aggregate(cents=Sum("cents", default=0), payees=Count("subject", distinct=True))
    return Paid(month=month, median=at_share(_days(paid), 50), **sums)


def _month() -> date:
    """The first day of the month before this one."""
    return (business_days.today().replace(day=1) - timedelta(days=1)).replace(day=1)


def _paid_since(day: date) -> QuerySet[Payout]:
    """By the day each was paid on; no payout ends here before that, and of the end there is an index."""
    zone = taxes.zone()
    begins_at = datetime(day.year, day.month, day.day, tzinfo=zone)
    return Payout.objects.filter(
        state=Payout.State.PAID, subject__isnull=False, ended_at__gte=begins_at, paid_on__gte=day
    ).annotate(asked_on=TruncDate("requested_at", tzinfo=zone))


def _days(paid: QuerySet[Payout]) -> Counter:
    """How many payouts took each number of business days."""
    days: Counter = Counter()
    for asked_on, paid_on, count in paid.order_by().values_list("asked_on", "paid_on").annotate(Count("pk")):
        days[business_days.between(asked_on, paid_on)] += count
    return days


def _late(payout: Payout, today: date) -> Late:
    return Late(
        method=Method(payout.method).label,
        asked_on=business_days.day_of(payout.requested_at),
        promised_on=payout.promised_on,
        paid_on=payout.paid_on,
        days=business_days.between(payout.promised_on, payout.paid_on or today),
    )
