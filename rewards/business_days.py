"""Business days of the payer: Monday to Friday without the federal holidays of the United States (5 U.S.C. 6103).

A holiday on a Saturday is kept on the Friday before, one on a Sunday on the Monday after.
"""

from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

MONDAY, THURSDAY, SATURDAY, SUNDAY = 0, 3, 5, 6
JUNETEENTH_SINCE = 2021
DAY = timedelta(days=1)


@cache
def holidays(year: int) -> frozenset[date]:
    """The days on which the holidays of a year are kept; that of January 1 may lie in the year before."""
    fixed = [date(year, 1, 1), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25)]
    if year >= JUNETEENTH_SINCE:
        fixed.append(date(year, 6, 19))
    moving = [
        _nth(3, MONDAY, year, 1),  # Martin Luther King, Jr.
        _nth(3, MONDAY, year, 2),  # Washington
        _nth(1, MONDAY, year, 6) - 7 * DAY,  # Memorial Day, the last of May
        _nth(1, MONDAY, year, 9),  # Labor Day
        _nth(2, MONDAY, year, 10),  # Columbus
        _nth(4, THURSDAY, year, 11),  # Thanksgiving
    ]
    return frozenset([*map(_kept_on, fixed), *moving])


def is_business_day(day: date) -> bool:
    return day.weekday() < SATURDAY and day not in holidays(day.year) | holidays(day.year + 1)


def add(day: date, count: int) -> date:
    """The day that comes so many business days after `day`, which itself does not count."""
    while count > 0:
        day += DAY
        count -= is_business_day(day)
    return day


def between(first: date, last: date) -> int:
    """How many business days lie after the first day, up to and including the last."""
    return sum(is_business_day(first + n * DAY) for n in range(1, (last - first).days + 1))


def day_of(moment: datetime) -> date:
    """The day a moment falls on where the payer is."""
    return moment.astimezone(ZoneInfo(settings.TAX_TIME_ZONE)).date()


def today() -> date:
    return day_of(timezone.now())


def _nth(number: int, weekday: int, year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + ((weekday - first.weekday()) % 7 + 7 * (number - 1)) * DAY


def _kept_on(day: date) -> date:
    return day + {SATURDAY: -DAY, SUNDAY: DAY}.get(day.weekday(), 0 * DAY)
