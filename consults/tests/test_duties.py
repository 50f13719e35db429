"""Shifts, and what they come to in UTC."""

import contextlib
import uuid
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Member, NoticeSettings
from accounts.services import leaving, members
from accounts.tests.factories import make_member, make_specialty
from consults.models import Call, Duty, Shift
from consults.services import duties, shifts
from consults.tests.on_call import at_once, make_paging, on_duty

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def weekly(weekday, from_time, to_time, zone="America/New_York"):
    return Shift(sort="weekly", weekday=weekday, from_time=from_time, to_time=to_time, time_zone=zone)


def hours_of(shift, since, days=7):
    return [
        (f"{start:%m-%d %H:%M}", f"{end:%m-%d %H:%M}")
        for start, end in duties.stretches(shift, since, since + timedelta(days=days))
    ]


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        # 2026-03-08 2:00 becomes 3:00, 2026-11-01 2:00 becomes 1:00 again; both are Sundays
        (weekly(5, time(20), time(8)), ("03-08 01:00", "03-08 12:00")),  # 11 hours instead of 12
        (weekly(6, time(2, 30), time(8)), ("03-08 07:30", "03-08 12:00")),  # 2:30 is 3:30
        (weekly(6, time(1), time(2, 30)), ("03-08 06:00", "03-08 07:30")),
        (weekly(6, time(8), time(16)), ("03-08 12:00", "03-08 20:00")),
        (weekly(6, time(8), time(16), "Asia/Kolkata"), ("03-08 02:30", "03-08 10:30")),
    ],
)
def test_a_weekly_shift_goes_by_the_clock_where_clocks_skip_an_hour(shift, expected):
    assert hours_of(shift, datetime(2026, 3, 7, 12, tzinfo=UTC), 2) == [expected]


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        (weekly(5, time(20), time(8)), ("11-01 00:00", "11-01 13:00")),  # 13 hours
        (weekly(6, time(1, 30), time(8)), ("11-01 05:30", "11-01 13:00")),  # the first half past one
        (weekly(6, time(0), time(1, 30)), ("11-01 04:00", "11-01 05:30")),
    ],
)
def test_a_weekly_shift_goes_by_the_clock_where_clocks_show_an_hour_twice(shift, expected):
    assert hours_of(shift, datetime(2026, 10, 31, 12, tzinfo=UTC), 2) == [expected]


def test_a_shift_the_clock_skips_is_none():
    skipped = weekly(6, time(2, 30), time(3, 15))

    assert hours_of(skipped, datetime(2026, 3, 7, 12, tzinfo=UTC), 2) == []
    assert len(hours_of(skipped, datetime(2026, 3, 9, 12, tzinfo=UTC), 7)) == 1


def test_a_weekly_shift_has_duties_two_weeks_ahead_and_every_night_more(physician):
    shift = shifts.add_weekly(
        member=physician,
        weekday=timezone.now().weekday(),
        from_time=time(9),
        to_time=time(9),
        time_zone="UTC",
    )
    first = list(shift.duties.order_by("starts_at").values_list("starts_at", flat=True))

    duties.plan_all()
    assert shift.duties.count() == len(first) in (2, 3)
    duties.plan_all(timezone.now() + timedelta(days=7))
    later = list(shift.duties.order_by("starts_at").values_list("starts_at", flat=True))
    assert later == [*first, first[-1] + timedelta(days=7)]


def test_a_running_weekly_shift_counts_from_the_day_it_began(physician):
    now = timezone.now()
    shift = shifts.add_weekly(
        member=physician,
        weekday=(now - timedelta(hours=20)).weekday(),
        from_time=(now - timedelta(hours=20)).time(),
        to_time=(now + HOUR).time(),
        time_zone="UTC",
    )

    assert shift.duties.at(now).exists()


def test_the_usual_time_zone_is_that_of_ones_notices(physician):
    assert shifts.time_zone_of(physician) == "America/New_York"
    NoticeSettings.objects.create(member=physician, time_zone="America/Denver")

    shift = shifts.add_weekly(member=physician, weekday=0, from_time=time(8), to_time=time(16))

    assert shift.time_zone == "America/Denver"


def test_one_shift_sent_twice_is_one(physician):
    now, submission = timezone.now(), uuid.uuid4()
    times = {"starts_at": now + HOUR, "ends_at": now + 5 * HOUR, "submission": submission}

    assert shifts.add_once(member=physician, **times) == shifts.add_once(member=physician, **times)
    assert Duty.objects.count() == 1


def test_a_shift_far_ahead_has_its_duty_once_it_comes_near(physician):
    start = timezone.now() + timedelta(days=20)
    shift = shifts.add_once(member=physician, starts_at=start, ends_at=start + HOUR)
    assert not shift.duties.exists()

    duties.plan_all(timezone.now() + timedelta(days=7))

    assert shift.duties.get().starts_at == start


@pytest.mark.parametrize(
    ("start", "end", "refusal"),
    [
        (2, 1, shifts.EndsBeforeItStarts),
        (1, 1, shifts.EndsBeforeItStarts),
        (1, 26, shifts.TooLong),
        (-3, -1, shifts.InThePast),
        (24 * 400, 24 * 400 + 2, shifts.TooFarAhead),
    ],
)
def test_impossible_shifts_are_refused(physician, start, end, refusal):
    now = timezone.now()

    with pytest.raises(refusal):
        shifts.add_once(member=physician, starts_at=now + start * HOUR, ends_at=now + end * HOUR)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [({"weekday": 7}, shifts.UnknownDay), ({"time_zone": "Mars/Olympus"}, shifts.UnknownTimeZone)],
)
def test_impossible_weeks_are_refused(physician, change, refusal):
    with pytest.raises(refusal):
        shifts.add_weekly(
            **{"member": physician, "weekday": 1, "from_time": time(8), "to_time": time(9), **change}
        )


def test_the_number_of_shifts_has_an_end(physician, settings):
    settings.ON_CALL_MOST_SHIFTS = 1
    shifts.make_available(member=physician)

    with pytest.raises(shifts.TooManyShifts):
        shifts.add_weekly(member=physician, weekday=1, from_time=time(8), to_time=time(9))


@pytest.mark.parametrize("standing", ["applicant", "read_only", "suspended"])
def test_only_physicians_are_on_call(standing):
    with pytest.raises(shifts.NotAPhysician):
        shifts.make_available(member=make_member(standing=standing))


def test_who_has_no_specialty_is_not_on_call():
    with pytest.raises(shifts.NoSpecialty):
        shifts.make_available(member=make_member(specialty=None))


def test_available_now_lasts_four_hours_once(physician):
    first = shifts.make_available(member=physician)

    assert shifts.make_available(member=physician) == first
    assert first.ends_at - first.starts_at == 4 * HOUR
    duty = Duty.objects.get(member=physician)
    assert (duty.starts_at, duty.ends_at, duty.specialty) == (
        first.starts_at,
        first.ends_at,
        physician.specialty,
    )


def test_available_again_after_it_ran_out(physician):
    first = shifts.make_available(member=physician)
    Shift.objects.update(starts_at=first.starts_at - 5 * HOUR, ends_at=first.ends_at - 5 * HOUR)

    second = shifts.make_available(member=physician)

    first.refresh_from_db()
    assert second != first
    assert first.ended_at == first.ends_at


def test_ending_cuts_the_duty_that_runs_and_drops_those_to_come(physician):
    now = timezone.now()
    shift = shifts.add_weekly(
        member=physician,
        weekday=now.weekday(),
        from_time=(now - HOUR).time(),
        to_time=(now - HOUR).time(),
        time_zone="UTC",
    )

    shifts.end_shift(shift=shift, member=physician)
    shifts.end_shift(shift=shift, member=physician)

    shift.refresh_from_db()
    assert shift.ended_at >= now
    assert [duty.ends_at for duty in shift.duties.filter(ends_at__gt=now)] in ([shift.ended_at], [])
    duties.plan_all()
    assert not shift.duties.filter(ends_at__gt=timezone.now()).exists()


def test_available_can_be_ended_and_twice(physician):
    shifts.make_available(member=physician)

    shifts.end_available(member=physician)
    shifts.end_available(member=physician)

    assert not Duty.objects.at(timezone.now()).exists()


def test_nobody_ends_the_shift_of_another(physician, colleague):
    shift = shifts.make_available(member=physician)

    with pytest.raises(shifts.NotYours):
        shifts.end_shift(shift=shift, member=colleague)


def test_wishes_are_kept_in_their_bounds(physician):
    wishes = {"pages_a_week": 10, "takes_overflow": True, "shows_handle": True}
    assert shifts.save_wishes(member=physician, pages_a_shift=5, **wishes).pages_a_shift == 5
    shifts.save_wishes(member=physician, pages_a_shift=6, **wishes)

    for pages in (0, 21):
        with pytest.raises(shifts.PagesOutOfBounds):
            shifts.save_wishes(member=physician, pages_a_shift=pages, **wishes)


def test_who_loses_their_standing_is_off_call_at_once(physician):
    shifts.make_available(member=physician)

    members.set_standing(member=physician, standing=Member.Standing.SUSPENDED)

    assert not Duty.objects.at(timezone.now()).exists()
    assert not Shift.objects.filter(ended_at=None).exists()


def test_duties_to_come_follow_the_specialty(physician):
    shifts.make_available(member=physician)
    other = make_specialty("Nephrology")
    Member.objects.filter(pk=physician.pk).update(specialty=other)

    duties.plan_all()

    assert Duty.objects.get().specialty == other


def test_the_night_ends_what_is_over_and_who_is_gone(physician, colleague):
    shifts.make_available(member=physician)
    shifts.make_available(member=colleague)
    Member.objects.filter(pk=colleague.pk).update(standing="read_only")

    duties.plan_all(timezone.now() + 5 * HOUR)

    assert not Shift.objects.filter(ended_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_leaving_and_ending_a_shift_at_one_moment_do_not_wait_for_each_other(physician):
    for _ in range(3):
        member = on_duty()
        shift = member.shifts.get()
        broken = at_once(
            lambda member=member: leaving.leave(member.user),
            lambda member=member, shift=shift: end_unless_gone(shift, member),
        )
        assert broken == []
    assert not Shift.objects.exists()


def end_unless_gone(shift, member):
    with contextlib.suppress(Member.DoesNotExist):
        shifts.end_shift(shift=shift, member=member)


def test_leaving_takes_shifts_and_pages_along_and_frees_what_was_accepted():
    member = on_duty()
    paging = make_paging(state="accepted", step=0, next_at=None, first_heard_at=timezone.now())
    Call.objects.create(paging=paging, member=member, step=0, state="accepted", decided_at=timezone.now())

    leaving.leave(member.user)

    paging.refresh_from_db()
    assert not Shift.objects.exists()
    assert not Duty.objects.exists()
    assert not Call.objects.exists()
    assert (paging.state, paging.next_at > timezone.now()) == ("open", True)


def test_who_leaves_pages_nobody_any_more():
    paging = make_paging()
    call = Call.objects.create(paging=paging, member=on_duty(), step=0)

    leaving.leave(paging.case.question.asker.user)

    paging.refresh_from_db()
    call.refresh_from_db()
    assert (paging.state, paging.next_at, call.state) == ("stopped", None, "expired")


def test_the_database_keeps_a_duty_from_ending_before_it_starts(physician):
    shift = shifts.make_available(member=physician)

    with pytest.raises(IntegrityError), transaction.atomic():
        Duty.objects.filter(shift=shift).update(ends_at=shift.starts_at)
