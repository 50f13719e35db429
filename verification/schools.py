"""Finding a medical school by what registries call it, former names included.

Careful rather than clever: a wrong match would ask a physician about somebody else's school. In this order, and only
where a single school is meant: the words of its present name in their order, those of a former name, the words of
one of these in any order, and at least two particular words that all stand in one name. Order counts, since
Washington University is not the University of Washington.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

_DEGREES = {"MD": "MD", "MBBS": "MD", "DO": "DO"}
_SPELLINGS = {
    "UNIV": "UNIVERSITY",
    "COLL": "COLLEGE",
    "SCH": "SCHOOL",
    "MED": "MEDICINE",
    "ST": "SAINT",
    "SUNY": "SUNY",
}
_SILENT = frozenset({"THE", "OF", "AT", "AND", "IN", "FOR", "A", "ITS"})
_GENERAL = frozenset(
    {
        "UNIVERSITY",
        "COLLEGE",
        "SCHOOL",
        "MEDICINE",
        "MEDICAL",
        "OSTEOPATHIC",
        "HEALTH",
        "SCIENCES",
        "SCIENCE",
        "CENTER",
    }
    | {
        "STATE",
        "NEW",
        "NORTH",
        "SOUTH",
        "WEST",
        "EASTERN",
        "WESTERN",
        "NORTHERN",
        "SOUTHERN",
        "SAINT",
        "CAMPUS",
    }
)


def words(name: str) -> tuple[str, ...]:
    """The words of a school's name that tell it from others, whatever the punctuation and small words."""
    text = re.sub(r"[^A-Z0-9]+", " ", re.sub(r"['.]", "", name.upper()))
    return tuple(_SPELLINGS.get(word, word) for word in text.split() if word not in _SILENT)


class SchoolIndex:
    """All schools, ready to be looked up many times. Holds ids, not rows."""

    def __init__(self, schools: Iterable):
        self._present: dict[tuple[str, ...], set[int]] = defaultdict(set)
        self._former: dict[tuple[str, ...], set[int]] = defaultdict(set)
        self._any_order: dict[frozenset[str], set[int]] = defaultdict(set)
        self._degree: dict[int, str] = {}
        self._found: dict[tuple[str, str], int | None] = {}
        for school in schools:
            self._degree[school.pk] = school.degree
            self._present[words(school.name)].add(school.pk)
            for name in school.former_names:
                self._former[words(name)].add(school.pk)
            for name in (school.name, *school.former_names):
                self._any_order[frozenset(words(name))].add(school.pk)

    def find(self, text: str, credential: str = "") -> int | None:
        """The id of the one school meant, or None. The credential (MD, DO) decides between namesakes."""
        degree = _DEGREES.get(re.sub(r"[^A-Z]", "", credential.upper()), "")
        key = text, degree
        if key not in self._found:
            self._found[key] = self._look_up(words(text), degree)
        return self._found[key]

    def _look_up(self, wanted: tuple[str, ...], degree: str) -> int | None:
        unordered = frozenset(wanted)
        for schools in (
            self._present.get(wanted),
            self._former.get(wanted),
            self._any_order.get(unordered),
            self._holding(unordered),
        ):
            if schools:
                return self._only(schools, degree)
        return None

    def _holding(self, wanted: frozenset[str]) -> set[int]:
        if len(wanted - _GENERAL) < 2:
            return set()
        return {pk for name, schools in self._any_order.items() if wanted <= name for pk in schools}

    def _only(self, schools: set[int], degree: str) -> int | None:
        if len(schools) > 1 and degree:
            schools = {pk for pk in schools if self._degree[pk] == degree}
        return next(iter(schools)) if len(schools) == 1 else None
