"""Holidays against the calendar the Office of Personnel Management publishes."""

from datetime import UTC, date, datetime

import pytest

from rewards import business_days

OPM = {
    2022: "2021-12-31 01-17 02-21 05-30 06-20 07-04 09-05 10-10 11-11 11-24 12-26",
    2025: "01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25",
    2026: "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25",
    2027: "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24",
}


@pytest.mark.parametrize("year", OPM)
def test_the_eleven_holidays_of_a_year(year):
    kept = {date.fromisoformat(day if len(day) > 5 else f"{year}-{day}") for day in OPM[year].split()}

    assert business_days.holidays(year) == kept


def test_juneteenth_is_kept_since_2021():
    assert len(business_days.holidays(2020)) == 10
    assert date(2021, 6, 18) in business_days.holidays(2021)


def test_a_new_year_on_a_saturday_is_kept_in_the_old_year():
    assert not business_days.is_business_day(date(2027, 12, 31))
    assert business_days.is_business_day(date(2026, 12, 31))


@pytest.mark.parametrize(
    ("day", "count", "arrives"),
    [
        (date(2026, 11, 23), 10, date(2026, 12, 8)),  # over Thanksgiving
        (date(2026, 11, 21), 1, date(2026, 11, 23)),  # asked on a Saturday
        (date(2026, 7, 2), 1, date(2026, 7, 6)),
        (date(2021, 12, 30), 1, date(2022, 1, 3)),
        (date(2026, 3, 2), 0, date(2026, 3, 2)),
    ],
)
def test_days_are_added_and_counted_alike(day, count, arrives):
    assert business_days.add(day, count) == arrives
    assert business_days.between(day, arrives) == count


def test_a_day_is_that_of_the_payer():
    assert business_days.day_of(datetime(2027, 1, 1, 4, 59, tzinfo=UTC)) == date(2026, 12, 31)
