"""Other moments than now, for what the demonstration lets happen in the past."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from unittest import mock
from zoneinfo import ZoneInfo

from django.db.models import Model
from django.utils import timezone

MORNING = time(9)


@contextmanager
def at(moment: datetime) -> Iterator[datetime]:
    """Let it be another moment for what services do inside."""
    with mock.patch.object(timezone, "now", return_value=moment):
        yield moment


def stamp(row: Model, field: str, moment: datetime) -> None:
    """Put right what took its moment from the clock on the wall: the defaults of fields do."""
    type(row).objects.filter(pk=row.pk).update(**{field: moment})


def morning(now: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Nine o'clock, so many days after today, where a room is."""
    day = now.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, MORNING, tzinfo=zone)
