"""What results come to, as pages show them: shares, rankings, who voted, the course of a trend."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from accounts.models import Member
from polls import cells, counting
from polls.models import Poll, Tally

if TYPE_CHECKING:
    from polls.reading import Loaded


def percent(count: int, voters: int) -> int:
    """A share in whole percent, rounded half up."""
    return (200 * count + voters) // (2 * voters) if voters else 0


# Rankings


class RankRow(NamedTuple):
    """An option through the rounds of an instant run-off, and its Borda points."""

    text: str
    votes: list[int | None]  # None: it had left
    points: str
    wins: bool


class Ranking(NamedTuple):
    rounds: list[int]
    rows: list[RankRow]
    exhausted: list[int]
    winners: list[str]
    most_points: list[str]
    first_points: int  # what a first place counts


def rank(texts: list[str], ballots: list[Sequence[int]]) -> Ranking:
    """Both ways to count a ranking, the last in the run-off first."""
    runoff, points = counting.run_off(ballots, len(texts)), counting.borda(ballots, len(texts))
    votes = {place: [one.votes.get(place) for one in runoff.rounds] for place in range(len(texts))}
    last_votes = {place: [number for number in row if number is not None] for place, row in votes.items()}
    order = sorted(votes, key=lambda place: (-len(last_votes[place]), -(last_votes[place] or [0])[-1], place))
    most = max(points, default=0)
    return Ranking(
        rounds=list(range(1, len(runoff.rounds) + 1)),
        rows=[
            RankRow(texts[place], votes[place], _points(points[place]), place in runoff.winners)
            for place in order
        ],
        exhausted=[one.exhausted for one in runoff.rounds],
        winners=[texts[place] for place in runoff.winners],
        most_points=[text for text, number in zip(texts, points, strict=True) if number == most],
        first_points=len(texts) - 1,
    )


def _points(number: float) -> str:
    """Halves are the smallest there are."""
    return f"{number:.1f}".removesuffix(".0")


# The breakdown


@dataclass(frozen=True)
class Group:
    """The votes of one value of a dimension, for each option; None is not shown."""

    label: str
    numbers: list[int | None]


@dataclass(frozen=True)
class Dimension:
    key: str
    label: str
    groups: list[Group]
    rest: list[int]
    all: list[int]
    all_label: str


YEARS = dict(Member.YearsBand.choices)


def breakdown(tally: Tally) -> list[Dimension]:
    """The parts of a result that may be shown by who voted, and what of each option is in none of them.

    Where a vote names several options, these are parts of the votes drawn for each option.
    """
    counts, all_label = tally.counts, "All"
    if cells.DRAWN in tally.cells:
        drawn = cells.joined(tally.cells[cells.DRAWN], {}, len(counts))
        counts, all_label = drawn.get("", [0] * len(counts)), "Drawn for this option"
    found = []
    for key, label in cells.DIMENSIONS.items():
        shown = cells.joined(tally.cells.get(key, {}), {}, len(counts))
        shown = {value: numbers for value, numbers in shown.items() if any(numbers)}
        rest = [
            total - sum(numbers[place] for numbers in shown.values()) for place, total in enumerate(counts)
        ]
        found.append(
            Dimension(
                key,
                label,
                [
                    Group(_value_label(key, value), [number or None for number in shown[value]])
                    for value in sorted(shown, key=lambda value: _value_place(key, value))
                ],
                rest,
                counts,
                all_label,
            )
        )
    return found


def _value_label(key: str, value: str) -> str:
    if not value:
        return "Not known"
    return YEARS.get(value, value) if key == "years" else value


def _value_place(key: str, value: str) -> tuple:
    """Years in their order, all else by the alphabet, what is not known last."""
    return not value, list(YEARS).index(value) if key == "years" and value in YEARS else 0, value


# Waves of a trend


@dataclass(frozen=True)
class Wave:
    number: int
    opened_at: datetime
    url: str
    voters: int
    median: str
    is_over: bool


@dataclass(frozen=True)
class Course:
    """One option through the waves: percent and votes, None where a wave did not have it. `text` is its newest."""

    text: str
    shares: list[tuple[int, int] | None]


def over_time(waves: list["Loaded"]) -> tuple[list[Wave], list[Course]]:
    """Results of waves side by side, in their order; the caller leaves out those that this reader may not see.

    An option is known by its place, since each wave repeats the last one, and may have been put into other words.
    """
    shown, courses = [], {}
    for place, loaded in enumerate(waves):
        tally, poll = loaded.tally, loaded.poll
        found = counting.spread(tally.counts) if poll.kind == Poll.Kind.SCALE else None
        shown.append(
            Wave(
                poll.wave,
                poll.opened_at,
                poll.get_absolute_url(),
                tally.voters,
                f"{found.median:g}" if found else "",
                loaded.is_over,
            )
        )
        for option, count in zip(loaded.options, tally.counts, strict=False):
            before = courses.get(option.place)
            shares = before.shares if before else [None] * len(waves)
            shares[place] = (percent(count, tally.voters), count)
            courses[option.place] = Course(option.text, shares)
    return shown, [course for _, course in sorted(courses.items())]
