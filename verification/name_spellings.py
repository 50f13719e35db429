"""The ways one name is written: by ear, by script, by short form. For comparing names; no key rests on it."""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path

from verification.name_words import as_one_word, words_of

_SERVANT = frozenset({"abdel", "abdul", "abdal", "abdol", "abdoul", "abd", "abdu"})  # of, and a name of God
# What an ear does not tell apart, in this order. Upper case stands for one sound.
FEMININE = re.compile(r"(?<=[eo]v)a$|(?<=[a-z]{4}in)a$")
_EAR = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"[sc]k(?:iy|ii|ij|yi|yj|yy|aya|aia|aja|y|i|a)$", "ski"),
        (r"(?:off|of|ow)$", "ov"),
        (r"(?:eff|ef|ew)$", "ev"),
        (r"^(?:i|j|y)(?=[aou])", "y"),
        (r"^(?:ye|je)", "e"),
        (r"tsch|tch|cz|ch", "C"),
        (r"ksh", "ks"),
        (r"sch|sh", "S"),
        (r"dzh|zh", "j"),
        (r"x", "ks"),
        (r"ph", "f"),
        (r"([kgtdbl])h", r"\1"),
        (r"ck|q|c(?![eiy])", "k"),
        (r"c", "s"),
        (r"z", "s"),
        (r"w", "v"),
        (r"iya|ija|iia|ya$", "ia"),
        (r"i?ou|oo|uu", "u"),
        (r"(?<=.)y|ee|ie(?!$)", "i"),
        (r"[ae]i", "e"),
        (r"(?<=[aeiou])h(?![aeiou])", ""),
        (r"(.)\1+", r"\1"),
    )
]
_WADE_AND_GILES = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"hs|sh", "x"),
        (r"zh|ch|[jq]|r(?=[aeiou])", "C"),
        (r"t[sz]|[zc]", "T"),
        (r"[pb]", "P"),
        (r"[td]", "D"),
        (r"[kg]", "K"),
        (r"ien", "ian"),
        (r"ieh", "ie"),
        (r"ueh", "ue"),
        (r"(?<=[aeiou])h", ""),
        (r"e?ui|ee", "i"),
        (r"e[ou]|oo|ou|u", "o"),
    )
]

_DIMINUTIVE = re.compile(r"(?<=[a-z]{2})(?:c?it[oa]|inh[oa]|ie|ey|y|i)$")

_DATA = Path(__file__).parent / "data"


@lru_cache(maxsize=16_384)
def by_ear(word: str, feminine: re.Pattern | None = None) -> str:
    if feminine:
        word = feminine.sub("", word)
    for pattern, sound in _EAR:
        word = pattern.sub(sound, word)
    return word


@lru_cache(maxsize=16_384)
def romanized(word: str) -> str:
    """A Chinese or Korean name, however it was put into our letters."""
    for pattern, sound in _WADE_AND_GILES:
        word = pattern.sub(sound, word)
    return word


def stem(name: str) -> str:
    """Dickie without its ending is a Dick, Lenny a Len."""
    stem = _DIMINUTIVE.sub("", name)
    return stem[:-1] if len(stem) > 2 and stem[-2:-1] == stem[-1] else stem


def served(name: str) -> str:
    """Abdelhamid is often called Hamid."""
    return next(
        (name[len(each) :] for each in _SERVANT if name.startswith(each) and len(name) > len(each) + 2), name
    )


def on_one_line(one: str, other: str, lines: dict[str, frozenset[int]]) -> bool:
    return not lines.get(one, frozenset()).isdisjoint(lines.get(other, frozenset()))


@cache
def nickname_lines() -> dict[str, frozenset[int]]:
    return _lines_of("nicknames.txt", lambda line: not line.startswith("~"))


@cache
def perhaps_lines() -> dict[str, frozenset[int]]:
    return _lines_of("nicknames.txt", lambda line: line.startswith("~"))


@cache
def surname_lines() -> dict[str, frozenset[int]]:
    return _lines_of("surname_spellings.txt", lambda line: True)


def _lines_of(file_name: str, is_wanted: Callable[[str], bool]) -> dict[str, frozenset[int]]:
    """The lines of a list on which each name stands."""
    lines: dict[str, set[int]] = {}
    for number, line in enumerate((_DATA / file_name).read_text(encoding="utf-8").splitlines()):
        if not line.startswith("#") and is_wanted(line):
            for name in line.lstrip("~").split():
                lines.setdefault(as_one_word(words_of(name)), set()).add(number)
    return {name: frozenset(numbers) for name, numbers in lines.items()}
