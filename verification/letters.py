"""Two spellings side by side, letter by letter."""

from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

FEWEST_ALIKE = 0.5  # share of letters in common below which two spellings are simply different words


@dataclass(frozen=True)
class Part:
    """A stretch of a spelling; marked where the other one lacks it."""

    text: str
    is_marked: bool


@dataclass(frozen=True)
class Letters:
    """`one` and `other` in parts, and the difference in words."""

    one: tuple[Part, ...]
    other: tuple[Part, ...]
    words: str


def compare(one: str, other: str, *, names: tuple[str, str] = ("the claim", "the registry")) -> Letters:
    """Mark what stands in one of two spellings alone. Capitals and small letters count as alike.

    Spellings with little in common are marked whole: single letters that happen to agree would only confuse.
    """
    if (swapped := _swapped(one, other)) is not None:
        return _around(one, other, swapped, names)
    alike = _alike(one, other)
    marked_one, marked_other = _parts(one, alike[0]), _parts(other, alike[1])
    said = [
        f"only in {name}: {_quoted(parts)}"
        for name, parts in zip(names, (marked_one, marked_other), strict=True)
        if any(part.is_marked for part in parts)
    ]
    return Letters(marked_one, marked_other, "; ".join(said) or "the same letters")


def _swapped(one: str, other: str) -> int | None:
    """Where two neighbors changed places, if that is all that differs."""
    left, right = one.lower(), other.lower()
    if len(left) != len(right):
        return None
    places = [place for place, pair in enumerate(zip(left, right, strict=True)) if pair[0] != pair[1]]
    if len(places) != 2 or places[1] != places[0] + 1:
        return None
    first, second = places
    return first if (left[first], left[second]) == (right[second], right[first]) else None


def _around(one: str, other: str, place: int, names: tuple[str, str]) -> Letters:
    """Both spellings with two swapped letters marked."""
    parts = [
        tuple(
            Part(text, is_marked)
            for text, is_marked in (
                (each[:place], False),
                (each[place : place + 2], True),
                (each[place + 2 :], False),
            )
            if text
        )
        for each in (one, other)
    ]
    words = f"two swapped: {_quoted(parts[0])} in {names[0]}, {_quoted(parts[1])} in {names[1]}"
    return Letters(parts[0], parts[1], words)


def _alike(one: str, other: str) -> tuple[list[bool], list[bool]]:
    """For each letter of both, whether it stands in the other too."""
    matcher = SequenceMatcher(None, [*map(str.lower, one)], [*map(str.lower, other)], autojunk=False)
    alike = [False] * len(one), [False] * len(other)
    if matcher.ratio() < FEWEST_ALIKE:
        return alike
    for begin_one, begin_other, length in matcher.get_matching_blocks():
        for step in range(length):
            alike[0][begin_one + step] = alike[1][begin_other + step] = True
    return alike


def _parts(text: str, alike: list[bool]) -> tuple[Part, ...]:
    runs = groupby(zip(text, alike, strict=True), key=lambda pair: pair[1])
    return tuple(Part("".join(letter for letter, _ in run), not is_alike) for is_alike, run in runs)


def _quoted(parts: tuple[Part, ...]) -> str:
    return ", ".join(f"“{_shown(part.text)}”" for part in parts if part.is_marked)


def _shown(text: str) -> str:
    """Spaces have no ink."""
    return text if text.strip() else "space"
