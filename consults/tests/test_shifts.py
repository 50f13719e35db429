"""Single shifts by the clock on the wall, where clocks change and where the calendar ends."""

import uuid
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from accounts.models import NoticeSettings
from conftest import client_of
from consults.models import Shift
from consults.services import shifts
from consults.services.shifts import EndsBeforeItStarts, TooFarAhead, TooLong

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 10, 20, 15, tzinfo=UTC)
OVER = "This time is over. Choose a later day."
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def add(third, third_client, monkeypatch):
    """Send the form of a single shift by the clock of New York."""
    NoticeSettings.objects.create(member=third, time_zone=NEW_YORK.key)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)

    def send(day, start, end):
        fields = {"day": day, "from_time": start, "to_time": end, "submission": str(uuid.uuid4())}
        fields = {f"once-{name}": value for name, value in fields.items()}
        return third_client.post(reverse("on_call:add_once"), fields)

    return send


@pytest.fixture
def third_client(third):
    return client_of(third)


@pytest.mark.parametrize(
    ("day", "start", "end", "field", "said"),
    [
        ("2026-10-31", "07:00", "07:00", "to_time", TooLong.message),
        ("2027-03-14", "02:30", "03:15", "to_time", EndsBeforeItStarts.message),
        ("9999-12-31", "19:00", "07:00", "day", TooFarAhead.message),
        ("2027-10-22", "08:00", "09:00", "day", TooFarAhead.message),
        ("0001-01-01", "19:00", "07:00", "day", OVER),
        ("2026-10-19", "19:00", "07:00", "day", OVER),
        ("2026-10-20", "08:00", "10:00", "to_time", "This time is over. Choose a later time or another day."),
    ],
)
def test_a_shift_that_cannot_be_is_refused_beside_its_field(add, day, start, end, field, said):
    refused = add(day, start, end)

    assert refused.status_code == 422
    assert refused.context["once"].errors == {field: [said]}
    page = refused.content.decode()
    assert f'value="{day}"' in page
    assert f'value="{start}"' in page
    assert not Shift.objects.exists()


@pytest.mark.parametrize(
    ("day", "start", "end", "hours"),
    [
        ("2026-10-31", "08:00", "07:00", 24),
        ("2027-03-13", "07:00", "07:00", 23),
        ("2026-10-21", "07:00", "07:00", 24),
        ("2026-10-19", "19:00", "12:00", 17),
        ("2027-10-20", "07:00", "09:00", 2),
    ],
)
def test_a_shift_lasts_as_long_as_it_does(add, day, start, end, hours):
    assert add(day, start, end).status_code == 302

    shift = Shift.objects.get()
    assert shift.ends_at - shift.starts_at == timedelta(hours=hours)


def test_one_shift_is_one_and_can_be_taken_again_once_it_was_ended(physician, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    weekly = {"member": physician, "weekday": 1, "from_time": time(8), "to_time": time(16)}
    once = {"member": physician, "starts_at": NOW, "ends_at": NOW + timedelta(hours=8)}
    for add, fields in [(shifts.add_weekly, weekly), (shifts.add_once, once)]:
        shift = add(**fields)
        with pytest.raises(shifts.HaveItAlready):
            add(**fields)
        shifts.end_shift(shift=shift, member=physician)
        add(**fields)


def test_no_more_pages_a_shift_than_a_week(physician):
    with pytest.raises(shifts.MoreAShiftThanAWeek):
        shifts.save_wishes(
            member=physician, pages_a_shift=5, pages_a_week=4, takes_overflow=False, shows_handle=False
        )


@pytest.mark.parametrize(
    ("start", "end", "refusal"),
    [
        ((2026, 10, 31, 7), (2026, 11, 1, 7), TooLong),
        ((2027, 3, 14, 2, 30), (2027, 3, 14, 3, 15), EndsBeforeItStarts),
        ((9999, 12, 31, 19), (9999, 12, 31, 23), TooFarAhead),
    ],
)
def test_the_service_reckons_in_real_hours(physician, monkeypatch, start, end, refusal):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    starts_at, ends_at = (datetime(*moment, tzinfo=NEW_YORK) for moment in (start, end))

    with pytest.raises(refusal):
        shifts.add_once(member=physician, starts_at=starts_at, ends_at=ends_at)
