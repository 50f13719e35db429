"""What rankings and scales come to. Pure: numbers in, numbers out; options are their places, counted from 0."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True)
class Round:
    """One round of an instant run-off: votes by option still in it, ballots without any of them, and who then left."""

    votes: dict[int, int]
    exhausted: int
    out: tuple[int, ...]


@dataclass(frozen=True)
class RunOff:
    """`winners` has more than one option where the last ones left are level."""

    rounds: tuple[Round, ...]
    winners: tuple[int, ...]


def run_off(ballots: Iterable[Sequence[int]], options: int) -> RunOff:
    """Instant run-off: whoever has more than half of the ballots still counting wins, else the last one leaves.

    Options level at the bottom leave together, unless all that are left are level: then they all win. Ballots may
    rank only some options; one whose options have all left counts no more. After Robert's Rules of Order Newly
    Revised (12th ed.), 45:62-69, with ties at the bottom settled together.
    """
    ballots, left, rounds = [list(ballot) for ballot in ballots], set(range(options)), []
    while True:
        votes = dict.fromkeys(sorted(left), 0)
        for ballot in ballots:
            first = next((option for option in ballot if option in left), None)
            if first is not None:
                votes[first] += 1
        counting = sum(votes.values())
        most, least = max(votes.values(), default=0), min(votes.values(), default=0)
        if not counting:
            return RunOff((*rounds, Round(votes, len(ballots), ())), ())
        if most * 2 > counting or most == least:
            winners = tuple(option for option, number in votes.items() if number == most)
            return RunOff((*rounds, Round(votes, len(ballots) - counting, ())), winners)
        out = tuple(option for option, number in votes.items() if number == least)
        rounds.append(Round(votes, len(ballots) - counting, out))
        left -= set(out)


def borda(ballots: Iterable[Sequence[int]], options: int) -> list[float]:
    """Borda points by option: with n options the first of a ballot gets n - 1, the next n - 2, and so on.

    Options a ballot leaves out share equally what is left of its points, so that every ballot gives as many
    (J.-C. de Borda 1781; averaged for the unranked, as in D. Black 1958).
    """
    points = [0.0] * options
    for ballot in ballots:
        for place, option in enumerate(ballot):
            points[option] += options - 1 - place
        missing = set(range(options)) - set(ballot)
        share = (options - 1 - len(ballot)) / 2  # the mean of what is left: 0 to options - 1 - len(ballot)
        for option in missing:
            points[option] += share
    return points


@dataclass(frozen=True)
class Spread:
    """Of answers on a scale from 1: the median and the quartiles around it, by the inverse of the distribution."""

    lower: int
    median: float
    upper: int


def spread(counts: Sequence[int]) -> Spread | None:
    """The middle of a scale's answers and how far they lie apart; `counts[0]` is how many chose 1. None without any.

    The median is the mean of the two middle answers where their number is even; quartiles are the smallest answer
    that a quarter, or three quarters, do not exceed.
    """
    total = sum(counts)
    if not total:
        return None
    low, high = _nth(counts, (total + 1) // 2), _nth(counts, total // 2 + 1)
    return Spread(_nth(counts, -(-total // 4)), (low + high) / 2, _nth(counts, -(-3 * total // 4)))


def _nth(counts: Sequence[int], number: int) -> int:
    """The answer at a place, counted from 1, when all stand in order."""
    return next(place for place, below in enumerate(accumulate(counts), start=1) if below >= number)


def middle_step(steps: Sequence[int]) -> int | None:
    """The index of the step in which the median lies; None without any."""
    total = sum(steps)
    return _nth(steps, (total + 1) // 2) - 1 if total else None
