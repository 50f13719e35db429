"""People's names: a normal form to find them by, and how well a claimed name fits the registry's.

Normal form: compatibility forms folded, written in ASCII, lower case; apostrophes and dots dropped, hyphens
made spaces; generational suffixes and credentials dropped from the end unless nothing else is left ("Do" and
"Ma" are surnames); then the spellings that registries and people mix: ae, oe and ue for umlauts, St and Ste
for Saint, Mac for Mc, and the many ways to write Muhammad.

Score of a last name: 1 when equal as one word, 0.95 when one set of words holds the other (married and
double surnames), else Jaro-Winkler similarity. A first name either fits (equal, an initial, a nickname, or
similarity of at least 0.90) or it does not. Accepted from 0.92, looked at by people from 0.85; set on
fifteen hard pairs.
"""

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from anyascii import anyascii
from rapidfuzz.distance import JaroWinkler

ACCEPT = 0.92
REVIEW = 0.85
FIRST_NAME_FITS = 0.90
PART_OF_NAME = 0.95  # Smith-Jones and Jones; also the most that an initial or a nickname is worth
MIDDLE_NAME_USED = 0.90  # someone who goes by the middle name: plausible, and people decide

Verdict = Literal["accepted", "review", "refused"]

_ENDINGS = frozenset(
    (
        *("jr", "sr", "ii", "iii", "iv", "v", "esq"),
        *("md", "do", "mbbs", "mbchb", "bmbs", "dds", "dmd", "phd", "mph", "ms", "msc", "mba"),
        *("facp", "facs", "faap", "facc"),
    )
)
_DROPPED = re.compile(r"['`.]+")
_BETWEEN = re.compile(r"[^a-z0-9]+")
_UMLAUT = re.compile(r"([aou])e")
_MAC = re.compile(r"mac(?=[a-z]{4})")
_SAINT = frozenset({"st", "ste", "sainte"})
_MUHAMMAD = frozenset(
    (
        *("mohamed", "mohammed", "mohammad", "mohamad", "mohamud", "mohammod", "mohd"),
        *("muhammed", "muhamad", "muhamed", "mahomed"),
    )
)

_NICKNAMES = Path(__file__).parent / "data" / "nicknames.txt"


class PersonName(NamedTuple):
    """A name as somebody wrote it."""

    last: str
    first: str
    middle: str = ""


class NameScore(NamedTuple):
    """How well two names fit: 0 to 1, and what that means for a claim."""

    score: float
    verdict: Verdict


def name_key(last: str, first: str) -> str:
    """Last name as one word, then the first word of the first name: De la Cruz, Mary Ann: "delacruz mary"."""
    return f"{last_key(last)} {first_key(first)}".strip()


def last_key(last: str) -> str:
    """A last name as one word in normal form; empty only when there is no letter or digit in it."""
    return _joined(_words(last))


def first_key(first: str) -> str:
    """The first word of a first name in normal form."""
    words = _words(first)
    return words[0] if words else ""


def name_score(claimed: PersonName, registry: PersonName, *others: PersonName) -> NameScore:
    """The best fit of a claimed name among the registry's name and its other (former, professional) names.

    An other name without a first name borrows the registry's. Former last names count in full: a license may
    stand under either.
    """
    names = [
        registry,
        *(other if other.first else other._replace(first=registry.first) for other in others if other.last),
    ]
    best = max(_score(claimed, name) for name in names)
    return NameScore(best, judge(best))


def judge(score: float) -> Verdict:
    """What a score means for a claim."""
    if score >= ACCEPT:
        return "accepted"
    return "review" if score >= REVIEW else "refused"


def _score(claimed: PersonName, registry: PersonName) -> float:
    last = _last_score(_words(claimed.last), _words(registry.last))
    if last < REVIEW:
        return last
    return min(last, _first_score(claimed, registry))


def _last_score(claimed: tuple[str, ...], registry: tuple[str, ...]) -> float:
    if not claimed or not registry:
        return 0.0
    one, other = _joined(claimed), _joined(registry)
    if one == other:
        return 1.0
    if set(claimed) <= set(registry) or set(registry) <= set(claimed):
        return PART_OF_NAME
    return JaroWinkler.similarity(one, other)


def _first_score(claimed: PersonName, registry: PersonName) -> float:
    """1 or 0.95 for a first name that fits, 0.90 for someone who goes by the middle name, else 0."""
    typed, known = _words(claimed.first), _words(registry.first)
    if not typed or not known:
        return 0.0
    if "".join(typed) == "".join(known) or typed[0] == known[0]:
        return 1.0
    if _fits(typed[0], known[0]) or _fits("".join(typed), "".join(known)):
        return PART_OF_NAME
    middles = _words(registry.middle)
    if middles and len(middles[0]) > 1 and typed[0] == middles[0]:
        return MIDDLE_NAME_USED
    return 0.0


def _fits(typed: str, known: str) -> bool:
    if len(typed) == 1 or len(known) == 1:
        return typed[0] == known[0]
    if _nickname_groups().get(typed, frozenset()) & _nickname_groups().get(known, frozenset()):
        return True
    return JaroWinkler.similarity(typed, known) >= FIRST_NAME_FITS


@cache
def _nickname_groups() -> dict[str, frozenset[int]]:
    """The lines of the nickname list on which each name stands."""
    groups: dict[str, set[int]] = {}
    for number, line in enumerate(_NICKNAMES.read_text(encoding="utf-8").splitlines()):
        for name in line.split() if not line.startswith("#") else ():
            groups.setdefault(_joined(_words(name)), set()).add(number)
    return {name: frozenset(numbers) for name, numbers in groups.items()}


@lru_cache(maxsize=16_384)
def _words(text: str) -> tuple[str, ...]:
    """A name's words in normal form. Cached: a registry file repeats its names many times over."""
    if not text.isascii():
        text = anyascii(unicodedata.normalize("NFKC", text))
    words = _BETWEEN.sub(" ", _DROPPED.sub("", text.lower())).split()
    while len(words) > 1 and words[-1] in _ENDINGS:
        words.pop()
    return tuple(_fold(word) for word in words)


def _fold(word: str) -> str:
    if word in _SAINT:
        return "saint"
    if word in _MUHAMMAD:
        return "muhammad"
    return _MAC.sub("mc", _UMLAUT.sub(r"\1", word), count=1) if len(word) > 2 else word


def _joined(words: tuple[str, ...]) -> str:
    joined = "".join(words)
    return "mc" + joined[3:] if joined.startswith("mac") and len(joined) > 6 and words[0] == "mac" else joined
