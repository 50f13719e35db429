"""Keys of the daily draws: made ahead, published as a hash, used on their day, shown when it is over. Days are UTC."""

import secrets
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.utils import timezone

from rewards import drawing
from rewards.models import DrawDay


def today() -> date:
    return timezone.now().astimezone(UTC).date()


def begins_at(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def keep_ahead() -> int:
    """Make the keys of the next DRAW_DAYS_AHEAD days that have none yet; return how many. Never one of today's."""
    days = [today() + timedelta(days=ahead) for ahead in range(1, settings.DRAW_DAYS_AHEAD + 1)]
    known = set(DrawDay.objects.filter(day__in=days).values_list("day", flat=True))
    missing = [day for day in days if day not in known]
    DrawDay.objects.bulk_create([_new(day) for day in missing], ignore_conflicts=True)
    return len(missing)


def _new(day: date) -> DrawDay:
    key = secrets.token_hex(32)
    return DrawDay(day=day, key=key, commitment=drawing.commitment(key))


def of_today() -> DrawDay | None:
    """What is drawn with now: today's key, if its hash stood before the day began. No key is used that is public."""
    found = DrawDay.objects.filter(day=today()).first()
    return found if found and found.committed_at < begins_at(found.day) else None


def published_key(draw_day: DrawDay) -> str:
    """The key once its day is over; before, nothing."""
    return draw_day.key if draw_day.day < today() else ""
