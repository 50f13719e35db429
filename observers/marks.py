"""Marks by which a copy of a page or a file leads back to the seat it was made from.

Every page of the console says its seat's mark of the day, such as COR-3-7F21; every export holds four words of its own.
Who saw nothing but a mark learns a firm and a seat's number at most: the rest is a keyed hash.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import F, Value
from django.utils import timezone

from observers.models import Export, Seat
from sermo import marks
from sermo.marks import Mark

PURPOSE = "observers.copy"


@dataclass(frozen=True)
class Trace:
    """Where a copy was made: from which seat, on which day (UTC), and in which export if it is one."""

    seat: Seat
    day: date
    mark: str
    export: Export | None = None


def copy_mark(seat: Seat, day: date | None = None) -> str:
    """What the pages of a seat say on a day (UTC), today unless another is given."""
    day = day or timezone.now().astimezone(UTC).date()
    return str(Mark(marks.letters_of(seat.firm.name), seat.number, _digits(seat.pk, day)))


def trace(text: str) -> list[Trace]:
    """All that a copy mark, the words of an export, or a whole text that holds some lead to, exports first."""
    text = text.replace("\x00", "")
    exports = [
        Trace(each.seat, each.made_at.astimezone(UTC).date(), each.phrase, each) for each in _exports_in(text)
    ]
    return [*exports, *(found for mark in marks.written_in(text) for found in _seats_of(mark))]


def _exports_in(text: str):
    """However the words are spaced and written."""
    held = Export.objects.alias(text=Value(marks.spaced(text))).filter(text__icontains=F("phrase"))
    return held.select_related("seat__firm", "seat__user").order_by("-made_at", "-pk")


def _seats_of(mark: Mark) -> list[Trace]:
    """Seats of the number that had the mark on a day: of firms that are called so, else of any, renamed since.

    Four digits are not unique, so there may be several.
    """
    seats = list(Seat.objects.filter(number=mark.number).select_related("firm", "user").order_by("pk"))
    named = [seat for seat in seats if marks.letters_of(seat.firm.name) == mark.letters]
    renamed = [seat for seat in seats if seat not in named]
    return list(_held_by(named, mark)) or list(_held_by(renamed, mark))


def _held_by(seats: list[Seat], mark: Mark) -> Iterator[Trace]:
    for seat in seats:
        days = (day for day in _days(seat) if _digits(seat.pk, day) == mark.digits)
        yield from (Trace(seat, day, str(mark)) for day in days)


def _days(seat: Seat) -> Iterator[date]:
    """The days on which a seat was held, the last first."""
    first = seat.taken_at.astimezone(UTC).date()
    last: datetime = seat.ended_at or timezone.now()
    day = last.astimezone(UTC).date()
    while day >= first:
        yield day
        day -= timedelta(days=1)


def _digits(seat: int, day: date) -> str:
    return marks.digits_of(f"{seat}:{day}", PURPOSE)
