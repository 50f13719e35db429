"""A copy that turned up leads back to the seat and the day."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from observers import marks
from observers.models import Export
from observers.tests.factories import make_seat
from rewards.tests.factories import make_firm

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 18)


@pytest.fixture
def held(seat):
    """A seat that has been held since before the day."""
    seat.taken_at = datetime(2026, 10, 1, tzinfo=UTC)
    seat.save()
    return seat


def export_of(seat, phrase):
    return Export.objects.create(
        firm=seat.firm,
        seat=seat,
        what="Search",
        reason="r",
        purpose="market",
        rows=3,
        phrase=phrase,
        key=uuid4(),
    )


def test_a_mark_names_the_firm_by_three_letters_and_the_seat_by_its_number():
    seat = make_seat(make_firm(name="5 Corvane Pharma"))

    letters, number, digits = marks.copy_mark(seat, DAY).split("-")

    assert (letters, number) == ("COR", "1")
    assert len(digits) == 4


def test_marks_differ_by_day_and_by_firm(held):
    other = make_seat(make_firm(name=held.firm.name + " II"))
    days = [DAY + timedelta(days=ahead) for ahead in range(30)]

    own, others = ([marks.copy_mark(seat, day) for day in days] for seat in (held, other))

    assert own == [marks.copy_mark(held, day) for day in days]
    assert len({*own}) > 25  # four digits: some may meet by chance, all but never five
    assert len({*own} & {*others}) < 5


def test_a_mark_leads_to_its_seat_and_day(held):
    make_seat(held.firm)
    text = f"Every read here is shown to its author. Copy {marks.copy_mark(held, DAY).lower()}."

    assert (held, DAY) in [(each.seat, each.day) for each in marks.trace(text)]


def test_a_firm_that_was_renamed_is_still_found(held):
    mark = marks.copy_mark(held, DAY)
    held.firm.name = "Zz Another"
    held.firm.save()

    assert (held, DAY) in [(each.seat, each.day) for each in marks.trace(mark)]


def test_days_before_and_after_the_seat_was_held_are_none_of_its(held):
    mark = marks.copy_mark(held, DAY)
    held.ended_at = datetime(2026, 11, 1, tzinfo=UTC)
    held.save()

    assert (held, DAY) not in [(each.seat, each.day) for each in marks.trace(mark)]


def test_the_words_of_an_export_lead_to_it_however_they_are_spaced(seat):
    export = export_of(seat, "amber lattice heron quay")
    export_of(seat, "other words stand here")

    (found,) = marks.trace('a table\n"Amber,  lattice\nheron - QUAY" \x00 and more')

    assert found.export == export
    assert found.seat == seat
    assert found.day == export.made_at.astimezone(UTC).date()


@pytest.mark.parametrize("text", ["", "COR-3", "COR-99999-FFFF", "nothing of ours", "\x00"])
def test_what_holds_no_mark_leads_nowhere(seat, text):
    export_of(seat, "amber lattice heron quay")

    assert marks.trace(text) == []


def test_a_page_says_the_mark_of_the_day(seat, seat_client):
    page = seat_client.get("/observe/purpose/").content.decode()

    assert marks.copy_mark(seat, timezone.now().astimezone(UTC).date()) in page
    assert "Every read here is shown to its author." in page
