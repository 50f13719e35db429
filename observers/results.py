"""Results of polls as firms read them: never before members, and in the same moment where the poll closed on its day.
One that was closed before is open to firms as long as posts take to reach them (`observers.states`), save to the firm
that pays it.

Numbers under OBSERVER_LEAST are not shown, nor is what they could be worked out from; others are rounded down to a
multiple of OBSERVER_ROUND. Breakdowns are what members are shown, in coarser portions (see `polls.cells`).
"""

from dataclasses import dataclass, replace

from django.conf import settings

from accounts.masks import Masks
from observers import states, texts
from observers.figures import shown_number
from polls import cells
from polls.models import Poll, Tally
from rewards.models import Firm, Sponsorship


@dataclass(frozen=True)
class Breakdown:
    """One dimension: for each value what was chosen, "" where it is not shown."""

    label: str
    rows: list[tuple[str, list[str]]]


@dataclass(frozen=True)
class Result:
    options: list[tuple[str, str]]  # text, how many chose it, in words
    voters: str
    breakdowns: list[Breakdown]

    @property
    def is_shown(self) -> bool:
        return bool(self.options)


def result_of(firm: Firm, poll: Poll, masks: Masks) -> Result | None:
    """What a firm may read of a poll; None until it knows it to be closed.

    `masks` are those of its discussion: members wrote the options, or a firm did and members added some.
    """
    if not _knows_over(firm, poll):
        return None
    tally = Tally.objects.filter(poll=poll).first()
    if tally is None or tally.voters < settings.OBSERVER_LEAST:
        return Result([], shown_number(0), [])
    askers, readers = masks.of(masks.asker), replace(masks, asker=None)
    options = [
        texts.plain(option.text, readers if option.is_added else askers)
        for option in poll.options.order_by("place")
    ]
    hidden = hidden_among(tally.counts)
    rows = [
        (text, shown_number(0) if place in hidden else shown_number(count))
        for place, (text, count) in enumerate(zip(options, tally.counts, strict=False))
    ]
    return Result(rows, shown_number(tally.voters), _breakdowns(tally, len(options)))


def _knows_over(firm: Firm, poll: Poll) -> bool:
    if states.is_over(poll):
        return True
    return poll.closed_at is not None and Sponsorship.objects.filter(pk=poll.pk, firm=firm).exists()


def hidden_among(counts: list[int]) -> set[int]:
    """The places of counts that are not shown: the small ones, and where that is one alone, the next larger as well,
    since it could be taken from the number of voters."""
    order = sorted(range(len(counts)), key=lambda place: (counts[place], place))
    small = [place for place in order if counts[place] < settings.OBSERVER_LEAST]
    return set(order[:2] if len(small) == 1 else small)


def _breakdowns(tally: Tally, options: int) -> list[Breakdown]:
    drawn = tally.cells.get(cells.DRAWN, {}).get("")
    found = []
    for dimension, label in cells.DIMENSIONS.items():
        shown = cells.coarser(drawn or tally.counts, tally.cells.get(dimension, {}))
        rows = [(value, _in_words(numbers, options)) for value, numbers in sorted(shown.items())]
        if rows:
            found.append(Breakdown(label, rows))
    return found


def _in_words(numbers: list[int], options: int) -> list[str]:
    padded = [*numbers, *[0] * options][:options]
    return [shown_number(number) if number else "" for number in padded]
