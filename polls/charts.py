"""Drawings of results: whole units, for the attributes of an SVG."""

from typing import NamedTuple

WIDTH, HEIGHT = 40, 60  # of a column with its gap, and of 100 percent
GAP = 10


class Column(NamedTuple):
    """One wave in the drawing of an option; `height` is None where the wave did not have it."""

    x: int
    middle: int
    y: int
    height: int | None
    percent: int | None


class Columns(NamedTuple):
    width: int
    columns: list[Column]


def columns_of(shares: list[tuple[int, int] | None]) -> Columns:
    """A column for the percent of each wave; a vote among thousands still shows."""
    columns = []
    for place, share in enumerate(shares):
        percent, count = share if share else (None, 0)
        height = None if percent is None else max(percent * HEIGHT // 100, 1 if count else 0)
        x = place * WIDTH
        columns.append(Column(x, x + (WIDTH - GAP) // 2, HEIGHT - (height or 0), height, percent))
    return Columns(max(len(shares), 1) * WIDTH - GAP, columns)
