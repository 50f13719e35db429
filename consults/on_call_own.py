"""When one is on call oneself, by one's own clock."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, FilteredRelation, Q
from django.utils import timezone

from accounts.models import Kind, Member, NoticeChoice, NoticeSettings, Way
from accounts.notice_forms import US_ZONES
from consults.models import OnCallWishes, Shift
from consults.models.on_call import LONGEST_SHIFT
from consults.services.shifts import time_zone_of
from consults.words import span

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY = 24 * 60 * 60  # seconds


class Stretch(NamedTuple):
    starts_at: datetime
    ends_at: datetime
    shift: int
    is_now_and_then: bool  # "available now", no shift


@dataclass(frozen=True)
class Own:
    """When a member is on call, by their own clock."""

    zone: ZoneInfo
    now: datetime
    stretches: tuple[Stretch, ...] = ()
    shows_handle: bool = False
    quiet_until: datetime | None = None
    is_off: bool = False  # the notices of pages

    @property
    def available(self) -> Stretch | None:
        return next((one for one in self._running if one.is_now_and_then), None)

    @property
    def on_shift(self) -> Stretch | None:
        return next((one for one in self._running if not one.is_now_and_then), None)

    @property
    def next(self) -> Stretch | None:
        return next((one for one in self.stretches if one.starts_at > self.now), None)

    @property
    def seconds_left(self) -> int:
        """Of being available."""
        return max(0, int((self.available.ends_at - self.now).total_seconds())) if self.available else 0

    @property
    def left(self) -> str:
        return clock_words(self.seconds_left)

    @property
    def zone_words(self) -> str:
        return zone_words(self.zone.key)

    @property
    def _running(self) -> list[Stretch]:
        return [one for one in self.stretches if one.starts_at <= self.now]


def own_state(member: Member) -> Own:
    """One query."""
    now = timezone.now()
    coming = FilteredRelation("duties", condition=Q(duties__ends_at__gt=now))
    off = NoticeChoice.objects.filter(member=member.pk, kind=Kind.ON_CALL, way=Way.OFF)
    rows = list(
        Member.objects.filter(pk=member.pk)
        .alias(coming=coming)
        .order_by("coming__starts_at")
        .values_list(
            "notice_settings__time_zone",
            "notice_settings__quiet_from",
            "notice_settings__quiet_to",
            "on_call_wishes__shows_handle",
            Exists(off),
            "coming__starts_at",
            "coming__ends_at",
            "coming__shift",
            "coming__shift__sort",
        )[:40]
    )
    name, quiet_from, quiet_to, shows_handle, is_off = rows[0][:5]
    wishes = NoticeSettings(quiet_from=quiet_from, quiet_to=quiet_to)
    wishes.time_zone = name or wishes.time_zone
    quiet = wishes.after_quiet_hours(now)
    return Own(
        zone=ZoneInfo(wishes.time_zone),
        now=now,
        stretches=tuple(
            Stretch(starts_at, ends_at, shift, sort == Shift.Sort.NOW)
            for *_, starts_at, ends_at, shift, sort in rows
            if starts_at
        ),
        shows_handle=bool(shows_handle),
        quiet_until=quiet if quiet > now else None,
        is_off=is_off,
    )


def zone_of(member: Member) -> ZoneInfo:
    """The clock a member lives by."""
    return ZoneInfo(time_zone_of(member))


class ShiftRow(NamedTuple):
    """A shift in words."""

    pk: int
    words: str
    hours: str
    zone: str  # of a weekly one that goes by another clock than one's own
    starts_at: datetime | None
    ends_at: datetime | None


def shifts_of(member: Member, zone: ZoneInfo) -> list[ShiftRow]:
    """Those that still come to something, "available now" aside, the weekly ones first."""
    rows = Shift.objects.filter(member=member, ended_at=None).exclude(sort=Shift.Sort.NOW)
    rows = rows.exclude(ends_at__lte=timezone.now())
    return [
        _row(shift, zone) for shift in rows.order_by(F("weekday").asc(nulls_last=True), "starts_at", "pk")
    ]


def _row(shift: Shift, zone: ZoneInfo) -> ShiftRow:
    if shift.sort == Shift.Sort.ONCE:
        start, end = shift.starts_at.astimezone(zone), shift.ends_at.astimezone(zone)
        hours = _hours(start.time(), end.time(), shift.ends_at - shift.starts_at, start.date() < end.date())
        return ShiftRow(shift.pk, "", hours, "", shift.starts_at, shift.ends_at)
    hours = _hours(shift.from_time, shift.to_time, LONGEST_SHIFT, shift.to_time <= shift.from_time)
    other = zone_words(shift.time_zone) if shift.time_zone != zone.key else ""
    return ShiftRow(shift.pk, f"Every {WEEKDAYS[shift.weekday]}", hours, other, None, None)


def _hours(start: time, end: time, length: timedelta, is_over_night: bool) -> str:
    """From when to when; how long, too, where the clock shows the same at both."""
    said = f"{time_words(start)} to {time_words(end)}{' the next day' if is_over_night else ''}"
    return f"{said}, {length // timedelta(hours=1)} hours" if start == end else said


def time_words(when: time | datetime) -> str:
    return f"{when.hour % 12 or 12}:{when:%M} {'am' if when.hour < 12 else 'pm'}"


def since_words(when: datetime, zone: ZoneInfo) -> str:
    """A moment of the last days: "1:42 pm", or "Wed, Nov 25, 1:42 pm" on another day."""
    local = when.astimezone(zone)
    if local.date() == timezone.localdate(timezone=zone):
        return time_words(local)
    return f"{local:%a, %b} {local.day}, {time_words(local)}"


def zone_words(name: str) -> str:
    """A time zone as its members call it: "Eastern time"."""
    return f"{US_ZONES[name]} time" if name in US_ZONES else name.replace("_", " ")


def clock_words(seconds: int) -> str:
    """What is left: "2 days 23 h"; within a day as the page's script counts it down, "3 h 42 min", "12:05"."""
    if seconds >= DAY:
        return span(seconds)
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes}:{rest:02}"


def wishes_of(member: Member) -> OnCallWishes:
    return OnCallWishes.objects.filter(member=member).first() or OnCallWishes(member=member)
