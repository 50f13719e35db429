"""When members are on call: shifts of one time and of every week, and "available now".

Shifts become duties two weeks ahead, see `duties`. Locks are taken in the order member, specialty, shift, duties.
"""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import available_timezones

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Member, NoticeSettings
from consults.models import OnCallWishes, Shift
from consults.models.on_call import AVAILABLE_FOR, LONGEST_SHIFT, MOST_PAGES
from consults.services import duties
from sermo.errors import RuleBroken

MOST_PAGES_A_WEEK = 100
FARTHEST = timedelta(days=366)  # ahead


class NotAPhysician(RuleBroken):
    message = "Only verified physicians can be on call."


class NoSpecialty(RuleBroken):
    message = "Choose your specialty in your profile first: you are on call for it."


class EndsBeforeItStarts(RuleBroken):
    message = "A shift ends after it starts. In the night when clocks go forward, one hour is skipped."


class TooLong(RuleBroken):
    message = "A shift lasts 24 hours at most: 23 by the clock in the night when clocks go back."


class InThePast(RuleBroken):
    message = "This shift is over already."


class TooFarAhead(RuleBroken):
    message = "A shift can start within the next year."


class UnknownTimeZone(RuleBroken):
    message = "Choose a time zone from the list."


class UnknownDay(RuleBroken):
    message = "Choose a day of the week."


class TooManyShifts(RuleBroken):
    message = "You have as many shifts as one can plan. End one first."


class HaveItAlready(RuleBroken):
    message = "You have this shift already."


class NotYours(RuleBroken):
    message = "This is not a shift of yours."


class PagesOutOfBounds(RuleBroken):
    message = f"Choose 1 to {MOST_PAGES} pages a shift and 1 to {MOST_PAGES_A_WEEK} a week."


class MoreAShiftThanAWeek(RuleBroken):
    message = "A shift cannot have more pages than a week."


@transaction.atomic
def add_once(
    *, member: Member, starts_at: datetime, ends_at: datetime, submission: UUID | None = None
) -> Shift:
    """Plan one shift. The same submission twice makes one.

    Raises NotAPhysician, NoSpecialty, EndsBeforeItStarts, TooLong, InThePast, TooFarAhead, HaveItAlready,
    TooManyShifts.
    """
    member = _lock(member)
    if found := _earlier(member, submission):
        return found
    starts_at, ends_at = check_once(starts_at, ends_at)
    return _add(member, sort=Shift.Sort.ONCE, starts_at=starts_at, ends_at=ends_at, submission=submission)


@transaction.atomic
def add_weekly(
    *,
    member: Member,
    weekday: int,
    from_time: time,
    to_time: time,
    time_zone: str = "",
    submission: UUID | None = None,
) -> Shift:
    """Plan a shift of every week, by the clock of a time zone (empty: the member's own). The same submission twice
    makes one. Where it does not end later on the clock, it ends on the next day.

    Raises NotAPhysician, NoSpecialty, UnknownDay, UnknownTimeZone, HaveItAlready, TooManyShifts.
    """
    member = _lock(member)
    if found := _earlier(member, submission):
        return found
    if weekday not in range(7):
        raise UnknownDay
    time_zone = time_zone or time_zone_of(member)
    if time_zone not in available_timezones():
        raise UnknownTimeZone
    return _add(
        member,
        sort=Shift.Sort.WEEKLY,
        weekday=weekday,
        from_time=from_time,
        to_time=to_time,
        time_zone=time_zone,
        submission=submission,
    )


@transaction.atomic
def make_available(*, member: Member) -> Shift:
    """Be on call from now for four hours. Pressed again while it lasts, it changes nothing.

    Raises NotAPhysician, NoSpecialty.
    """
    member, now = _lock(member), timezone.now()
    if lasting := _available(member).filter(ends_at__gt=now).first():
        return lasting
    _available(member).update(ended_at=F("ends_at"))
    return _add(member, sort=Shift.Sort.NOW, starts_at=now, ends_at=now + AVAILABLE_FOR)


@transaction.atomic
def end_available(*, member: Member) -> None:
    """End "available now" at once, if it lasts."""
    member = _hold(member)
    _end(member, _available(member))


@transaction.atomic
def end_shift(*, shift: Shift, member: Member) -> None:
    """End a shift, a weekly one with all its weeks: from now on nobody is paged for it. Twice is once.

    Raises NotYours.
    """
    member = _hold(member)
    own = Shift.objects.filter(pk=shift.pk, member=member)
    if not own.exists():
        raise NotYours
    _end(member, own.filter(ended_at=None))


def save_wishes(
    *, member: Member, pages_a_shift: int, pages_a_week: int, takes_overflow: bool, shows_handle: bool
) -> OnCallWishes:
    """Save how much a member lets themselves be paged. Raises PagesOutOfBounds, MoreAShiftThanAWeek."""
    if pages_a_shift not in range(1, MOST_PAGES + 1) or pages_a_week not in range(1, MOST_PAGES_A_WEEK + 1):
        raise PagesOutOfBounds
    if pages_a_shift > pages_a_week:
        raise MoreAShiftThanAWeek
    wishes, _ = OnCallWishes.objects.update_or_create(
        member=member,
        defaults={
            "pages_a_shift": pages_a_shift,
            "pages_a_week": pages_a_week,
            "takes_overflow": takes_overflow,
            "shows_handle": shows_handle,
        },
    )
    return wishes


def time_zone_of(member: Member) -> str:
    """The time zone of a member's notices, which is the one their shifts go by unless they say another."""
    chosen = NoticeSettings.objects.filter(member=member).values_list("time_zone", flat=True).first()
    return chosen or NoticeSettings().time_zone


def check_once(starts_at: datetime, ends_at: datetime) -> tuple[datetime, datetime]:
    """The two moments of a single shift in UTC: by the clock on the wall, hours are skipped and shown twice.

    Raises InThePast, TooFarAhead, EndsBeforeItStarts, TooLong.
    """
    now = timezone.now()
    if starts_at > now + FARTHEST:
        raise TooFarAhead
    if ends_at <= now:
        raise EndsBeforeItStarts if starts_at > now else InThePast
    starts_at, ends_at = starts_at.astimezone(UTC), ends_at.astimezone(UTC)
    if ends_at <= starts_at:
        raise EndsBeforeItStarts
    if ends_at - starts_at > LONGEST_SHIFT:
        raise TooLong
    return starts_at, ends_at


def _hold(member: Member) -> Member:
    """Lock a member before the shifts and duties they have."""
    return Member.objects.select_for_update(no_key=True).get(pk=member.pk)


def _lock(member: Member) -> Member:
    """The same for one who would be on call. Raises NotAPhysician, NoSpecialty."""
    member = _hold(member)
    if not member.may_write or member.user_id is None:
        raise NotAPhysician
    if member.specialty_id is None:
        raise NoSpecialty
    return member


def _earlier(member: Member, submission: UUID | None) -> Shift | None:
    if submission is None:
        return None
    return Shift.objects.filter(member=member, submission=submission).first()


def _available(member: Member):
    return Shift.objects.filter(member=member, sort=Shift.Sort.NOW, ended_at=None)


def _add(member: Member, *, submission: UUID | None = None, **fields) -> Shift:
    lasting = Shift.objects.filter(member=member, ended_at=None).exclude(ends_at__lte=timezone.now())
    if lasting.filter(**fields).exists():
        raise HaveItAlready
    if lasting.count() >= settings.ON_CALL_MOST_SHIFTS:
        raise TooManyShifts
    shift = Shift.objects.create(member=member, submission=submission, **fields)
    duties.plan([shift])
    return shift


def _end(member: Member, shifts) -> None:
    duties.lock(member.specialty_id)
    duties.cut(list(shifts.select_for_update().order_by("pk")), timezone.now())
