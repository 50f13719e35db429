"""Pairs of names to measure the comparison with: one person written twice, and two people drawn at random.

The true pairs of six families are written by hand (`data/true_name_pairs.txt`); those with a slip are made here from
rare names. The false ones draw last names, first names and middle names by how common they are.
"""

import random
import string
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from verification.names import PersonName

DATA = Path(__file__).parent / "data"
HAND_WRITTEN = ("married", "transliterated", "nickname", "particles", "suffix", "order")
FAMILIES = (*HAND_WRITTEN, "typo")


class Pair(NamedTuple):
    """What was typed, and the names that a registry has: the legal one, then another if there is one."""

    claimed: PersonName
    known: tuple[PersonName, ...]


def true_pairs(file_name: str = "true_name_pairs.txt", seed: int = 12) -> dict[str, list[Pair]]:
    """Pairs that are one person each, by the rule that they are hard for."""
    pairs = {family: [] for family in FAMILIES}
    family = ""
    for line in _lines(file_name):
        if line.startswith("["):
            family = line.strip("[]")
        else:
            claimed, *known = (_name(part) for part in line.split("="))
            pairs[family].append(Pair(claimed, tuple(known)))
    pairs["typo"] = list(misspelled(seed))
    return pairs


def misspelled(seed: int) -> Iterator[Pair]:
    """Each rare name with one letter left out, doubled, replaced, or changed in place with the next.

    In turn in the last name and the first, anywhere in it.
    """
    chance = random.Random(seed)
    for number, line in enumerate(_lines("names_to_misspell.txt")):
        name = _name(line)
        field = "last" if number % 2 else "first"
        typed = name._replace(**{field: slip(getattr(name, field), chance)})
        yield Pair(typed, (name._replace(last=name.last.upper(), first=name.first.upper()),))


def slip(word: str, chance: random.Random) -> str:
    """A word with one slip of the finger; never the word itself."""
    place = chance.randrange(len(word))
    before, sign, after = word[:place], word[place], word[place + 1 :]
    kind = chance.choice(("left out", "doubled", "replaced", "changed places"))
    if kind == "left out":
        return before + after
    if kind == "doubled":
        return before + sign + sign + after
    if kind == "changed places" and after and after[0] != sign:
        return before + after[0] + sign + after[1:]
    return before + chance.choice(string.ascii_lowercase.replace(sign.lower(), "")) + after


def false_pairs(count: int, seed: int = 12) -> Iterator[Pair]:
    """Two different people each, drawn independently. Now and then two have one name, as people do.

    Four of five have a middle name or initial in the registry and one of five types it; one of seven has another last
    name, and one of ten a double one.
    """
    chance = random.Random(seed)
    lasts, firsts = common_names("surnames.txt"), common_names("first_names.txt")

    def draw(names):
        return chance.choices(names[0], names[1])[0]

    def last():
        one = draw(lasts)
        return f"{one}-{draw(lasts)}" if chance.random() < 0.1 else one

    def middle(share):
        name = draw(firsts) if chance.random() < share else ""
        return name[:1] if chance.random() < 0.5 else name

    for _ in range(count):
        claimed = PersonName(last(), draw(firsts), middle(0.2))
        legal = PersonName(last().upper(), draw(firsts).upper(), middle(0.8).upper())
        other = (PersonName(last().upper(), ""),) if chance.random() < 1 / 7 else ()
        yield Pair(claimed, (legal, *other))


def common_names(file_name: str) -> tuple[list[str], list[float]]:
    """Names, and how many of 10,000 people have each."""
    rows = [line.rsplit(" ", 1) for line in _lines(file_name)]
    return [name for name, _ in rows], [float(share) for _, share in rows]


def _name(text: str) -> PersonName:
    return PersonName(*(part.strip() for part in text.split(";")))


def _lines(file_name: str) -> list[str]:
    lines = (DATA / file_name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]
