"""Marks by which a copy that turned up leads back to where it was made.

A short one such as COR-3-7F21 names a place by three letters and a number, and is proven by a keyed hash; a file has
four words of its own besides. Who saw nothing but a mark learns no more than those letters and that number.
"""

import re
import secrets
from collections.abc import Callable
from typing import NamedTuple

from sermo import aliases
from sermo.crypto import keyed_hash

WRITTEN = re.compile(r"\b([A-Z]{3})\s*-\s*(\d{1,5})\s*-\s*([0-9A-F]{4})\b", re.IGNORECASE)
MOST = 20  # looked up of one text


class Mark(NamedTuple):
    letters: str
    number: int
    digits: str

    def __str__(self):
        return f"{self.letters}-{self.number}-{self.digits}"


def letters_of(name: str) -> str:
    return "".join(re.findall(r"[A-Za-z]", name))[:3].upper().ljust(3, "X")


def digits_of(value: str, purpose: str) -> str:
    return keyed_hash(value, purpose)[:4].upper()


def written_in(text: str) -> list[Mark]:
    """The marks that a text holds, each once, in their order."""
    marks = dict.fromkeys(Mark(a.upper(), int(b), c.upper()) for a, b, c in WRITTEN.findall(text))
    return list(marks)[:MOST]


def new_phrase(is_taken: Callable[[str], bool]) -> str:
    """Four words that no other file has."""
    first, second = aliases.words("first"), aliases.words("second")
    while True:
        phrase = " ".join(secrets.choice(words) for words in (first, second, first, second))
        if not is_taken(phrase):
            return phrase


def spaced(text: str) -> str:
    """A text in which words of a phrase are found however they were spaced and written."""
    return re.sub(r"[\W_]+", " ", text).strip()
