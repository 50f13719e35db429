"""Duties: the stretches of time that shifts come to, two weeks ahead, and for which specialty.

Whoever changes duties holds the row of their member. Whoever pages by them holds `lock`, and then the rows of those
whom they page: nobody is paged a moment after a shift ended. Who needs both takes the member first; only who pages
takes members later, and waits for none.
"""

import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Member
from consults.models import Duty, Shift

PAGING = 7_300_008  # first number of the advisory locks under which members of one specialty are paged
Stretch = tuple[datetime, datetime]


def lock(specialty: str | None) -> None:
    """Page in one specialty one after the other, until the transaction ends."""
    with connection.cursor() as cursor:
        number = zlib.crc32((specialty or "").encode()) - 2**31
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [PAGING, number])


# Making


def stretches(shift: Shift, since: datetime, until: datetime) -> Iterator[Stretch]:
    """When a shift is on, as far as that ends after one moment and starts before another, in UTC.

    A weekly one goes by the clock on the wall: in the nights when clocks change it is an hour shorter or longer. An
    hour that the clock skips is taken as the one after it, of one that it shows twice the first counts.
    """
    if shift.sort != Shift.Sort.WEEKLY:
        if shift.ends_at > since and shift.starts_at < until:
            yield shift.starts_at, shift.ends_at
        return
    zone = ZoneInfo(shift.time_zone)
    day = since.astimezone(zone).date() - timedelta(days=1)
    day += timedelta(days=(shift.weekday - day.weekday()) % 7)
    while (starts_at := _moment(day, shift.from_time, zone)) < until:
        is_over_night = shift.to_time <= shift.from_time
        ends_at = _moment(day + timedelta(days=is_over_night), shift.to_time, zone)
        if ends_at > since and ends_at > starts_at:
            yield starts_at, ends_at
        day += timedelta(days=7)


def _moment(day, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


def plan(shifts: Iterable[Shift], now: datetime | None = None) -> None:
    """Make the duties of the next two weeks that are not there yet. The shifts come with their members."""
    now = now or timezone.now()
    until = now + timedelta(days=settings.ON_CALL_DAYS_AHEAD)
    Duty.objects.bulk_create(
        [
            Duty(
                shift=shift,
                member_id=shift.member_id,
                specialty_id=shift.member.specialty_id,
                starts_at=starts_at,
                ends_at=ends_at,
            )
            for shift in shifts
            for starts_at, ends_at in stretches(shift, now, until)
        ],
        ignore_conflicts=True,
    )


def plan_all(now: datetime | None = None) -> int:
    """Every night: make the duties of all shifts that go on, and end shifts that are over. Returns how many go on."""
    now = now or timezone.now()
    follow_members(now)
    over = Shift.objects.filter(ended_at=None, ends_at__lte=now)
    over.update(ended_at=F("ends_at"))
    members = Shift.objects.filter(ended_at=None).order_by("member").values_list("member", flat=True)
    number = 0
    for member in list(members.distinct()):
        number += _plan_member(member, now)
    return number


@transaction.atomic
def _plan_member(member_id: int, now: datetime) -> int:
    """Locks the member first: a shift that ends at this moment gets no duty any more."""
    member = Member.objects.select_for_update(no_key=True).get(pk=member_id)
    shifts = list(Shift.objects.filter(member=member, ended_at=None).select_related("member"))
    if member.may_write and member.specialty_id:
        plan(shifts, now)
    return len(shifts)


# Ending


def cut(shifts, now: datetime) -> None:
    """End locked shifts, with what they have of duties from now on. The caller holds the locks."""
    ended = Duty.objects.filter(shift__in=[shift.pk for shift in shifts])
    ended.filter(starts_at__gte=now).delete()
    ended.filter(ends_at__gt=now).update(ends_at=now)
    Shift.objects.filter(pk__in=[shift.pk for shift in shifts], ended_at=None).update(ended_at=now)


def end_all(member: Member) -> None:
    """Take a member off call for good, in the caller's transaction, which holds the member."""
    cut(list(Shift.objects.select_for_update().filter(member=member, ended_at=None)), timezone.now())


def follow_members(now: datetime | None = None) -> None:
    """Take off call who is no physician in good standing, and let duties to come follow their members' specialties."""
    now = now or timezone.now()
    gone = ~Q(member__standing=Member.Standing.PHYSICIAN) | Q(member__user=None) | Q(member__specialty=None)
    members = Shift.objects.filter(gone, ended_at=None).values_list("member", flat=True).distinct()
    for member_id in list(members):
        with transaction.atomic():
            member = Member.objects.select_for_update(no_key=True).get(pk=member_id)
            if not member.may_write or member.user_id is None or member.specialty_id is None:
                end_all(member)
    coming = Duty.objects.filter(ends_at__gt=now, member__specialty__isnull=False)
    moved = coming.exclude(specialty=F("member__specialty"))
    for member_id in list(moved.order_by("member").values_list("member", flat=True).distinct()):
        with transaction.atomic():
            member = Member.objects.select_for_update(no_key=True).get(pk=member_id)
            if member.specialty_id:
                coming.filter(member=member).update(specialty=member.specialty_id)
