"""Rectangles on a picture, in thousandths of its sides, so that one box fits every size of the picture."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor

WHOLE = 1_000  # thousandths, a side
SORTS = ("text", "face", "own")  # found by the machine, or drawn by a person


@dataclass(frozen=True, order=True)
class Box:
    left: int
    top: int
    width: int
    height: int
    sort: str = "own"

    @classmethod
    def make(cls, left, top, width, height, sort="own") -> "Box":
        """A box from what was sent. Raises ValueError where it is none, or lies outside the picture."""
        try:
            numbers = left, top, width, height
            left, top, width, height = (int(number) for number in numbers)
        except (TypeError, OverflowError) as error:
            raise ValueError("a box is four whole numbers") from error
        if any(isinstance(number, float) and not number.is_integer() for number in numbers):
            raise ValueError("a box is four whole numbers")  # what is cut off would not be masked
        if sort not in SORTS:
            raise ValueError("no such sort of box")
        if left < 0 or top < 0 or width < 1 or height < 1 or left + width > WHOLE or top + height > WHOLE:
            raise ValueError("a box lies within the picture")
        return cls(left, top, width, height, sort)

    @classmethod
    def around(cls, left, top, right, bottom, *, size: tuple[int, int], sort: str) -> "Box":
        """The smallest box around pixels of a picture of `size`, width and height; rounded outward."""
        columns, rows = size
        first, last = _thousandths(left, right, columns)
        upper, lower = _thousandths(top, bottom, rows)
        return cls.make(first, upper, last - first, lower - upper, sort)

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def area(self) -> int:
        return self.width * self.height

    def contains(self, other: "Box") -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )

    def pixels(self, size: tuple[int, int], *, grid: int = 1) -> tuple[int, int, int, int]:
        """Left, top, right and bottom in a picture of `size`, drawn outward to the next lines of a grid."""
        columns, rows = size
        return (
            self.left * columns // WHOLE // grid * grid,
            self.top * rows // WHOLE // grid * grid,
            min(columns, _up(self.right * columns, WHOLE * grid) * grid),
            min(rows, _up(self.bottom * rows, WHOLE * grid) * grid),
        )


def covered_share(box: Box, others: Iterable[Box]) -> float:
    """How much of a box lies under the union of others: exactly, from 0 to 1."""
    parts = [part for other in others if (part := _shared(box, other))]
    across = sorted({edge for part in parts for edge in (part[0], part[2])})
    covered = 0
    for left, right in pairwise(across):
        spans = sorted((top, bottom) for first, top, last, bottom in parts if first <= left and last >= right)
        covered += (right - left) * _length(spans)
    return covered / box.area


def merge(boxes: Iterable[Box], most: int) -> list[Box]:
    """At most `most` boxes that cover all that these cover, the largest first.

    A box within another of its sort goes. Then, while there are too many, the two whose union covers least besides.
    """
    kept: list[Box] = []
    for box in sorted(set(boxes), key=lambda box: -box.area):
        if not any(other.sort == box.sort and other.contains(box) for other in kept):
            kept.append(box)
    if len(kept) > most > 0:
        kept = _joined(kept, most)
    return sorted(kept, key=lambda box: (-box.area, box))


def _joined(boxes: list[Box], most: int) -> list[Box]:
    """At most `most`; each box's cheapest partner is looked for anew only when it is gone: there may be a thousand."""
    partner = {box: _partner(box, boxes) for box in boxes}
    while len(partner) > most:
        one = min(partner, key=lambda box: _waste(box, partner[box]))
        joined = _union(one, partner[one])
        gone = {
            box
            for box in partner
            if box in (one, partner[one]) or (box.sort == joined.sort and joined.contains(box))
        }
        left = [box for box in partner if box not in gone]
        now = [*left, joined]
        partner = {
            box: _partner(box, now)
            if box == joined or partner[box] in gone
            else min(partner[box], joined, key=lambda other, box=box: _waste(box, other))
            for box in now
        }
    return list(partner)


def _partner(box: Box, boxes: Iterable[Box]) -> Box:
    return min((other for other in boxes if other != box), key=lambda other: _waste(box, other), default=box)


def _thousandths(first, last, pixels) -> tuple[int, int]:
    low = min(max(0, floor(first * WHOLE / pixels)), WHOLE - 1)
    return low, max(low + 1, min(WHOLE, ceil(last * WHOLE / pixels)))


def _up(number: int, unit: int) -> int:
    return -(-number // unit)


def _shared(one: Box, other: Box) -> tuple[int, int, int, int] | None:
    left, top = max(one.left, other.left), max(one.top, other.top)
    right, bottom = min(one.right, other.right), min(one.bottom, other.bottom)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _length(spans: Sequence[tuple[int, int]]) -> int:
    """The length of the union of spans sorted by their start."""
    length, reached = 0, -1
    for start, end in spans:
        length += max(0, end - max(start, reached))
        reached = max(reached, end)
    return length


def _union(one: Box, other: Box) -> Box:
    left, top = min(one.left, other.left), min(one.top, other.top)
    width, height = max(one.right, other.right) - left, max(one.bottom, other.bottom) - top
    return Box(left, top, width, height, min(one.sort, other.sort))  # a face stays one


def _waste(one: Box, other: Box) -> tuple[bool, int]:
    """What a union would cover besides; boxes of one sort go together first."""
    return one.sort != other.sort, _union(one, other).area - one.area - other.area
