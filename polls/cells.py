"""Which numbers of a breakdown may be shown, and when, so that no small one can be worked out.

A cell is how many members of one value of one dimension (the specialty group Dermatology, the region Pacific) chose one
option. What is known besides: the number for each option over all, at any moment; everything shown before; and the
rules below. So a cell is shown only in portions, each of at least `least` votes, and each time something is shown,
at least `least` votes of the option stay with no value. How much of a cell is held back is drawn by lot, and anything
may be drawn, from nothing to all of it. A portion therefore says "at least so many", never "so many and no more", and
any `least` votes of an option, wherever they came in the order of votes, may for all anybody can work out have come
from any value there is. Without the lot, whoever knows the rule could work out in a dimension of two or three values
what was held back and why. Nothing is ever shown for two dimensions at once, so that no filter can be subtracted from
another.

Where a vote may name several options, whoever watches the numbers sees which ones were named together, and what is left
of one option is no hiding place for a vote that shows in another. There a breakdown counts each vote under one of its
options alone, drawn by lot, and the numbers for each option over all of these draws take the place of the counts.

The rule of five, and that the rest must not give away what is hidden, follow the cell size suppression policy of the
US Centers for Medicare & Medicaid Services (there: 11).
"""

from collections.abc import Callable, Mapping
from secrets import SystemRandom

LEAST = 5  # for physicians
LEAST_FOR_FIRMS = 11
EVERY = 20  # votes after which portions are added, besides at the end

DRAWN = "drawn"  # beside the dimensions where votes name several options: {"": how many were drawn for each}
DIMENSIONS = {"specialty": "Specialty group", "region": "Region", "years": "Years since graduation"}

Cells = dict[str, list[int]]  # value: number for each option
_Offer = dict[tuple[str, int], int]  # what may be added, by value and option
_lot = SystemRandom()


def held_back() -> int:
    """By lot, how many votes of a cell wait: none in two of three cases, and one more in a third of the others each."""
    number = 0
    while _lot.randrange(3) == 0:
        number += 1
    return number


def portions(
    counts: list[int],
    shown: Cells,
    unshown: Cells,
    *,
    least: int = LEAST,
    held: Callable[[], int] = held_back,
) -> Cells:
    """What to add to the shown cells of one dimension now; values without anything to add are left out.

    `counts` is the number for each option over all, `shown` what is shown already, `unshown` what is known beyond it.
    Each vote counts for one option.
    """
    offer: _Offer = {}
    for value, numbers in unshown.items():
        for option in range(len(counts)):
            number = _at(numbers, option)
            if number >= least and number - (back := held()) >= least:
                offer[value, option] = number - back
    _leave_rest(offer, counts, shown, least)
    added: Cells = {}
    for (value, option), number in offer.items():
        added.setdefault(value, [0] * len(counts))[option] = number
    return added


def _leave_rest(offer: _Offer, counts: list[int], shown: Cells, least: int) -> None:
    """Take from the largest portions what each option must keep for its rest, or else leave out the smallest."""
    for option, total in enumerate(counts):
        ready = sorted((number, value) for (value, place), number in offer.items() if place == option)
        rest = total - sum(_at(numbers, option) for numbers in shown.values())
        while ready and rest - least < len(ready) * least:
            _, value = ready.pop(0)
            del offer[value, option]
        too_many = sum(number for number, _ in ready) - (rest - least) if ready else 0
        for _ in range(too_many):
            number, value = max((offer[value, option], value) for _, value in ready)
            offer[value, option] = number - 1


def coarser(counts: list[int], shown: Cells, *, least: int = LEAST_FOR_FIRMS) -> Cells:
    """The shown cells for readers who may see larger ones only. For a poll that has closed: it knows no portions.

    Nothing is drawn, so that looking twice shows the same; what was drawn for the shown cells covers these too.
    """
    return portions(counts, {}, shown, least=least, held=lambda: 0)


def joined(shown: Mapping[str, list[int]], added: Mapping[str, list[int]], options: int) -> Cells:
    """Shown cells with portions added, each as long as there are options."""
    return {
        value: [
            _at(shown.get(value, []), option) + _at(added.get(value, []), option) for option in range(options)
        ]
        for value in [*shown, *(value for value in added if value not in shown)]
    }


def _at(numbers: list[int], option: int) -> int:
    """Options added later are missing at the end of older lists."""
    return numbers[option] if option < len(numbers) else 0
