"""Times at which participants and moderators write to one another at once (F11)."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from focusgroups.models import LiveHour, Room
from focusgroups.services import telling
from focusgroups.services.holding import Unfit, hold, note, text
from sermo.errors import RuleBroken

LONGEST = timedelta(hours=4)
MOST = 20  # of a room


class Begun(RuleBroken):
    message = "This hour has begun. It stays as it is."


class TooManyHours(RuleBroken):
    message = f"A focus group has at most {MOST} live hours."


@transaction.atomic
def save(
    *, room: Room, by: User, hour: LiveHour | None = None, title: str, starts_at: datetime, ends_at: datetime
) -> LiveHour:
    """Announce an hour, or move one that has not begun. One that is announced just so is not announced again.

    Raises NotYours, Over, Begun, Unfit, TooManyHours.
    """
    room = hold(room, by)
    if hour is None:
        if earlier := room.live_hours.filter(title=title, starts_at=starts_at, ends_at=ends_at).first():
            return earlier
        if room.live_hours.count() >= MOST:
            raise TooManyHours
        hour = LiveHour(room=room)
    else:
        hour = _to_come(room, hour)
    before = hour.starts_at, hour.ends_at
    hour.title = text("title", title, 120, "Give the hour a title.")
    hour.starts_at, hour.ends_at = starts_at, ends_at
    _check_times(room, hour)
    hour.save()
    note("hour", room, by)
    if room.published_at and (starts_at, ends_at) != before:
        telling.of_dates(room)
    return hour


@transaction.atomic
def delete(*, hour: LiveHour, by: User) -> None:
    """Raises NotYours, Over, Begun."""
    room = hold(hour.room, by)
    _to_come(room, hour).delete()
    note("hour_delete", room, by)
    if room.published_at:
        telling.of_dates(room)


def _to_come(room: Room, hour: LiveHour) -> LiveHour:
    hour = room.live_hours.select_for_update().get(pk=hour.pk)
    if room.published_at and hour.starts_at <= timezone.now():
        raise Begun
    return hour


def _check_times(room: Room, hour: LiveHour) -> None:
    if hour.starts_at <= timezone.now():
        raise Unfit("starts_at", "Choose a time to come.")
    if hour.ends_at <= hour.starts_at:
        raise Unfit("ends_at", "It ends after it begins.")
    if hour.ends_at - hour.starts_at > LONGEST:
        raise Unfit("ends_at", f"At most {LONGEST.total_seconds() // 3600:.0f} hours.")
    if room.starts_at and hour.starts_at < room.starts_at:
        raise Unfit("starts_at", "It begins before the focus group does.")
    if room.ends_at and hour.ends_at > room.ends_at:
        raise Unfit("ends_at", "It ends after the focus group does.")
    others = room.live_hours.exclude(pk=hour.pk)
    if others.filter(starts_at__lt=hour.ends_at, ends_at__gt=hour.starts_at).exists():
        raise Unfit("starts_at", "Another live hour is at that time.")
