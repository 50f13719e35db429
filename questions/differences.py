"""What changed between two versions of a text, word by word, paragraph by paragraph. Pure.

Comparing costs more than the product of both lengths where words repeat. So equal beginnings and ends are set aside
first, and where what remains is still large, it is shown as gone and come as a whole.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

KEPT, ADDED, REMOVED = "kept", "added", "removed"
PARAGRAPHS = re.compile(r"\n\s*\n")
WORDS = re.compile(r"(?:\w+(?:[.,]\d+)*|[^\w\s])\s*|\s+")
ALIKE = 0.35  # paragraphs that share less are another one, not a changed one
MOST_PAIRS = 20_000  # of words, or of paragraphs, that are compared
MOST_CANDIDATES = 900  # pairs of paragraphs that are tried for likeness


@dataclass(frozen=True)
class Span:
    """Some words that were kept, added or removed."""

    what: str
    text: str


def between(old: str, new: str) -> list[list[Span]]:
    """The paragraphs of both versions in order, each as spans; a text without changes is all kept."""
    found: list[list[Span]] = []
    for is_same, before, after in _runs(_paragraphs(old), _paragraphs(new)):
        found += [[Span(KEPT, text)] for text in before] if is_same else _changed(before, after)
    return found


def of_line(old: str, new: str) -> list[Span]:
    """The words of two versions of one line or paragraph."""
    spans: list[Span] = []
    for is_same, before, after in _runs(WORDS.findall(old), WORDS.findall(new)):
        if is_same:
            spans.append(Span(KEPT, "".join(before)))
        else:
            spans += [
                Span(what, "".join(words)) for what, words in ((REMOVED, before), (ADDED, after)) if words
            ]
    return spans


def _paragraphs(text: str) -> list[str]:
    lines = "\n".join(text.strip().splitlines())
    return [part.strip() for part in PARAGRAPHS.split(lines) if part.strip()]


def _runs(before: Sequence[str], after: Sequence[str]) -> list[tuple[bool, Sequence[str], Sequence[str]]]:
    """Both sequences cut into runs that are the same and runs that are not: (is the same, before, after)."""
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    runs = [(True, before[:start], after[:start])]
    if len(old) * len(new) > MOST_PAIRS:
        runs.append((False, old, new))
    else:
        codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        runs += [(tag == "equal", old[i1:i2], new[j1:j2]) for tag, i1, i2, j1, j2 in codes]
    runs.append((True, before[len(before) - end :], after[len(after) - end :]))
    return [run for run in runs if run[1] or run[2]]


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many both begin with."""
    return next(
        (place for place, (this, that) in enumerate(zip(one, other, strict=False)) if this != that),
        min(len(one), len(other)),
    )


def _changed(before: Sequence[str], after: Sequence[str]) -> list[list[Span]]:
    """A run of paragraphs that are not the same: pairs that are alike word by word, the others whole."""
    if len(before) * len(after) > MOST_CANDIDATES:
        return [[Span(REMOVED, text)] for text in before] + [[Span(ADDED, text)] for text in after]
    found: list[list[Span]] = []
    rest = list(after)
    for old in before:
        place = next((number for number, new in enumerate(rest) if _are_alike(old, new)), None)
        if place is None:
            found.append([Span(REMOVED, old)])
            continue
        found += [[Span(ADDED, new)] for new in rest[:place]]
        found.append(of_line(old, rest[place]))
        rest = rest[place + 1 :]
    return found + [[Span(ADDED, new)] for new in rest]


def _are_alike(old: str, new: str) -> bool:
    """Whether enough words stand in both, in whatever order."""
    one, other = Counter(WORDS.findall(old)), Counter(WORDS.findall(new))
    return 2 * (one & other).total() >= ALIKE * (one.total() + other.total())
