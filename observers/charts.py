"""What a chart of a saved search looks like: whole numbers for its drawing, and words for who does not see it."""

from dataclasses import dataclass
from datetime import date

from django.conf import settings

from observers import figures
from observers.models import Chart

WIDTH, HEIGHT = 360, 120
LEFT, RIGHT, TOP, BASE = 28, 350, 14, 98
LABEL_BASE = 114
LABELS = 4  # weeks named under a chart
STEPS = (10, 20, 30, 40, 50, 100, 150, 200, 300, 400, 500, 1_000, 2_000, 5_000, 10_000)
DOT = 3  # half of the width of a lone point


@dataclass(frozen=True)
class Bar:
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Drawn:
    """One series: bars, or lines with gaps where a week is not shown."""

    name: str
    unit: str
    finding: str
    grid: list[tuple[int, int, str]]  # where a line lies, where its label stands, and what it says
    labels: list[tuple[int, str]]
    bars: list[Bar]
    lines: list[str]
    hidden: list[int]  # where a week is that is not shown

    height = HEIGHT
    label_base = LABEL_BASE


@dataclass(frozen=True)
class Line:
    """A week in the table; empty words for what is not shown of it."""

    first: date
    mentions: str
    share: str
    importance: str


def drawn(chart: Chart) -> list[Drawn]:
    """The series of a counted chart that have something to draw."""
    weeks = chart.weeks
    series = [
        ("Mentions", "physicians a week", [week["mentions"] for week in weeks], None),
        ("Corroborated", "% of judged answers", [week["share"] for week in weeks], 100),
        ("Importance", "mean of 5", [week["importance"] for week in weeks], 5),
    ]
    days = [date.fromisoformat(week["week"]) for week in weeks]
    return [
        _drawn(name, unit, values, days, top)
        for name, unit, values, top in series
        if any(value is not None for value in values)
    ]


def _drawn(name: str, unit: str, values: list, days: list[date], top: int | None) -> Drawn:
    most = top or next(
        (step for step in STEPS if step >= max(filter(None, values))), max(filter(None, values))
    )
    step = (RIGHT - LEFT) / len(values)
    centers = [round(LEFT + step * (number + 0.5)) for number in range(len(values))]
    tops = [None if value is None else round(BASE - (BASE - TOP) * value / most) for value in values]
    is_bars = top is None
    return Drawn(
        name=name,
        unit=unit,
        finding=_finding(name, unit, values),
        grid=[_grid_line(part, most) for part in (0, 0.5, 1)],
        labels=[(centers[place], f"{days[place]:%b} {days[place].day}") for place in _labeled(len(days))],
        bars=_bars(centers, tops, max(2, round(step * 0.7))) if is_bars else [],
        lines=[] if is_bars else _lines(centers, tops),
        hidden=[x for x, y in zip(centers, tops, strict=True) if y is None],
    )


def _bars(centers: list[int], tops: list, width: int) -> list[Bar]:
    return [
        Bar(x - width // 2, y, width, BASE - y) for x, y in zip(centers, tops, strict=True) if y is not None
    ]


def _grid_line(part: float, most: int) -> tuple[int, int, str]:
    y = round(BASE - (BASE - TOP) * part)
    return y, y + 4, f"{most * part:g}"


def _labeled(number: int) -> list[int]:
    """Places of the weeks that are named, evenly apart."""
    every = max(1, -(-number // LABELS))
    return list(range(0, number, every))


def _lines(centers: list[int], tops: list) -> list[str]:
    """A path for each stretch of weeks that are shown; a lone one is a short dash."""
    lines, stretch = [], []
    for x, y in [*zip(centers, tops, strict=True), (0, None)]:
        if y is not None:
            stretch.append((x, y))
        elif stretch:
            lines.append(_path(stretch))
            stretch = []
    return lines


def _path(points: list[tuple[int, int]]) -> str:
    if len(points) == 1:
        [(x, y)] = points
        points = [(x - DOT, y), (x + DOT, y)]
    return "M" + "L".join(f"{x} {y}" for x, y in points)


def _finding(name: str, unit: str, values: list) -> str:
    shown = [value for value in values if value is not None]
    low, high = (f"{value:g}" for value in (min(shown), max(shown)))
    spread = f"{low}" if low == high else f"from {low} to {high}"
    weeks = f"{len(shown)} of {len(values)} weeks"
    return f"{name}, {unit}: {spread} in the {weeks} that are shown. The table below has them."


def table(chart: Chart) -> list[Line]:
    """The weeks of a chart that are shown, the last one first."""
    shown = [week for week in reversed(chart.weeks) if week["mentions"] is not None]
    return [Line(date.fromisoformat(week["week"]), *words_of(week)) for week in shown]


def words_of(cell: dict) -> tuple[str, str, str]:
    """Mentions, share and importance of a cell as they are written; empty for what is not shown."""
    mentions, share, importance = cell.get("mentions"), cell.get("share"), cell.get("importance")
    return (
        "" if mentions is None else shown_mentions(mentions),
        "" if share is None else f"{share}%",
        "" if importance is None else f"{importance:.1f}",
    )


def shown_mentions(rounded: int) -> str:
    """Ten is what eleven to nineteen are rounded to, see `suppression.blurred`."""
    return figures.shown_number(max(rounded, settings.OBSERVER_LEAST))
