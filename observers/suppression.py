"""Which numbers of a chart a firm may be shown, given all it was shown before.

A cell is a set of physicians, its number how many they are. The cells of one label (a week, the total) that a firm was
ever shown cut their physicians into pieces: those in this cell and not in that, those in both, and so on. Whatever a
firm adds up and subtracts, it learns of nothing but pieces put together. So a cell is shown only while each piece has
`least` physicians or none; numbers are rounded down besides. What cannot be told so is not shown at all.

Who knows ten physicians of a cell for certain learns of one more by whether it is shown, and likewise at each step of
rounding. So a cell needs a few more than `least`, and steps lie a few higher: see `keyed`. How many more nobody knows
without the key, and the same question asked again does not change it. It makes such guesses unsure, not impossible.

A cell that differs from one shown before by a few, on either side, gets the number of that one again: a second look
after a day, or words that find a few more, then say neither that somebody came or went nor that nobody did.

Weeks say nothing of one another, since nobody knows who of one writes in another. Cells that hold several weeks do: see
`may_be_beside`. What is not shown and is remembered nowhere narrows nothing: it may be a cell of none, of few, or one
that another stands in the way of.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from sermo.crypto import keyed_digest

PURPOSE = "observers.margins"
MARGIN = 6  # ways a threshold may lie: 0 to 5 higher

People = frozenset[int]


def keyed(*parts: object) -> int:
    """How much higher a threshold of these is: always the same for them, and not to be told without the key."""
    return keyed_digest(":".join(map(str, parts)), PURPOSE)[0] % MARGIN  # all but even


def told_of(
    people: People, shown: Sequence[People], least: int, margin: int = 0
) -> tuple[People | None, bool]:
    """Whose number a cell is given, None for not shown; and whether these are new, to be remembered.

    `shown` are the remembered cells of the same label, the oldest first. A cell needs `margin` physicians more.
    """
    if len(people) < least + margin:
        return None, False
    for before in shown:
        if len(people - before) < least and len(before - people) < least:
            return before, False
    return (people, True) if _cuts_well(people, shown, least) else (None, False)


def _cuts_well(people: People, shown: Sequence[People], least: int) -> bool:
    """Whether one cell more leaves no piece of a few."""
    place: Counter[int] = Counter()
    for number, before in enumerate(shown):
        for person in before:
            place[person] += 1 << number
    for person in people:
        place[person] += 1 << len(shown)
    return all(size >= least for size in Counter(place.values()).values())


def may_be_beside(people: People, shown: Iterable[People], least: int) -> bool:
    """Whether a cell over all weeks may stand beside cells of one week, or the other way around.

    Where one holds the other, so must the rest have enough, or nobody.
    """
    for other in shown:
        if other <= people or people <= other:
            rest = len(people ^ other)
            if 0 < rest < least:
                return False
    return True


def may_be_over_all(number: int, weeks: int, least: int) -> bool:
    """Whether so many physicians over weeks that all have under `least` leave it open that any of them has none."""
    return number <= (least - 1) * (weeks - 1)


def rounded(number: int, to: int) -> int:
    return number - number % to


def blurred(number: int, margin: int, least: int, to: int) -> int:
    """A number that is shown: rounded down, with its steps so much higher, and never under what `least` is."""
    return rounded(max(number - margin, least), to)
