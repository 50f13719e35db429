"""The small-cell guard, without a database: what a handle may show so that at least so many members fit it.

What somebody shows is a combination of attributes. Its size is the number of members of whom all of them are true,
also of those who show none of it, since any of them could be the one behind the handle. A combination that too few
fit is made coarser, attribute by attribute; the least precious goes first.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from accounts.places import REGION_OF

# How years in practice get coarser: the band, then one of two halves, then nothing.
HALVES = {"0-5": "0-10", "6-10": "0-10", "11-20": "11+", "21-30": "11+", "31+": "11+"}

Value = tuple[str, str]  # a kind ("specialty", "years", "state", ...) and what of it


@dataclass(frozen=True)
class Attributes:
    """What is true of a member, or the part of it that is to be shown. Empty is unknown, or not to be shown."""

    group: str = ""
    specialty: str = ""
    subspecialty: str = ""
    state: str = ""
    years: str = ""
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Combination:
    """What a handle shows. `specialty` is the group's name where the finer one is withheld."""

    specialty: str = ""
    subspecialty: str = ""
    state: str = ""
    region: str = ""
    years: str = ""
    languages: tuple[str, ...] = ()

    def as_face(self) -> dict:
        """As it is kept in `Member.face`."""
        return {**asdict(self), "languages": list(self.languages)}

    @classmethod
    def from_face(cls, face: dict, group: str) -> "Combination":
        return cls(**{"specialty": group, **face, "languages": tuple(face.get("languages", ()))})

    def detail(self, group: str) -> tuple[int, ...]:
        """How much it says of a member of this group, in the order in which attributes are kept."""
        return (
            int(self.specialty != group),
            bool(self.years) + (self.years in HALVES),
            bool(self.region) + bool(self.state),
            int(bool(self.subspecialty)),
            len(self.languages),
        )


class Crowd:
    """The verified members of one specialty group, ready to be counted by what is true of them.

    For each value the members it is true of are the ones in a long integer, so that counting a combination takes a
    handful of ANDs. Built from pairs: attributes, and how many members have exactly these.
    """

    def __init__(self, rows: Iterable[tuple[Attributes, int]]):
        spans: dict[Value, list[range]] = defaultdict(list)
        self.total = 0
        for attributes, number in rows:
            span = range(self.total, self.total + number)
            self.total += number
            for value in _true_values(attributes):
                spans[value].append(span)
        self._members_with = {value: self._bits(found) for value, found in spans.items()}
        self._sizes: dict[frozenset[Value], int] = {}

    def _bits(self, spans: list[range]) -> int:
        bits = bytearray(self.total // 8 + 1)
        for span in spans:
            for place in span:
                bits[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(bits, "little")

    def size(self, values: Iterable[Value]) -> int:
        """How many members have all these values; everybody, if there are none."""
        values = frozenset(values)
        if values not in self._sizes:
            fitting = (1 << self.total) - 1
            for value in values:
                fitting &= self._members_with.get(value, 0)
            self._sizes[values] = fitting.bit_count()
        return self._sizes[values]


def coarsen(wanted: Attributes, crowd: Crowd, least: int) -> Combination:
    """The most telling part of what is wanted that at least so many of the crowd fit.

    The specialty is kept longest, then the years, the place, the subspecialty, and each language. Each takes the
    finest value that leaves enough members beside what was kept before it; as a coarser combination never has fewer
    members, this finds the best one in that order. The group alone is always shown.
    """
    kept: list[Value] = []
    for ladder in _ladders(wanted):
        kept += [value for value in ladder if crowd.size([*kept, value]) >= least][:1]
    return _combination(kept, wanted.group)


def as_wanted(wanted: Attributes) -> Combination:
    """What would be shown if every crowd were large enough."""
    return _combination([ladder[0] for ladder in _ladders(wanted) if ladder], wanted.group)


def _true_values(attributes: Attributes) -> list[Value]:
    """All that is true of a member, each attribute at every step of its ladder."""
    return [value for ladder in _ladders(attributes) for value in ladder]


def _ladders(attributes: Attributes) -> list[list[Value]]:
    """For each attribute, the most precious first, its values from fine to coarse."""
    finer = attributes.specialty if attributes.specialty != attributes.group else ""
    ladders = [
        [("specialty", finer)],
        [("years", attributes.years), ("years", HALVES.get(attributes.years))],
        [("state", attributes.state), ("region", REGION_OF.get(attributes.state))],
        [("subspecialty", attributes.subspecialty)],
        *([("language", code)] for code in sorted(attributes.languages)),
    ]
    return [[value for value in ladder if value[1]] for ladder in ladders]


def _combination(kept: list[Value], group: str) -> Combination:
    found = dict(kept)
    state = found.get("state", "")
    return Combination(
        specialty=found.get("specialty", group),
        subspecialty=found.get("subspecialty", ""),
        state=state,
        region=REGION_OF.get(state) or found.get("region", ""),
        years=found.get("years", ""),
        languages=tuple(value for kind, value in kept if kind == "language"),
    )
