"""Which names must not stand in what a firm reads of a discussion, and what stands there instead."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property

from accounts import handles
from accounts.models import Handle
from observers.aliases import Person, people_in
from rewards.models import Firm
from sermo.identifiers.lexicon import lexicon

COLLEAGUE = "a colleague"
SHORTEST_WORD = 3  # of a display name, to be hidden by itself
WORD = re.compile(r"[a-z]+")
PIECE = re.compile("[a-z0-9]+|[_.-]")
LIKE_A_HANDLE = re.compile(rf"(?<![a-z0-9]){handles.SHAPE.pattern}")
NO_NAMES = {"dr", "md", "do", "mbbs", "mph", "phd", "facp", "facs", "prof", "jr", "sr"}
BETWEEN = {"handle": "[_.-]?", "name": r"[\s\d_.,'’%+-]*"}  # what may stand between the parts of one


@dataclass(frozen=True)
class Masks:
    """Of one discussion: the alias of each who wrote there, by member, and what hides each name, by a pattern."""

    aliases: dict[int, str] = field(default_factory=dict)
    hidden: dict[str, str] = field(default_factory=dict)

    @cached_property
    def pattern(self) -> re.Pattern | None:
        """Finds the names in folded text, the longest first."""
        longest_first = sorted(self.hidden, key=len, reverse=True)
        return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(longest_first)})(?![a-z0-9])") if self.hidden else None

    @cached_property
    def _whole(self) -> list[tuple[re.Pattern, str]]:
        return [(re.compile(name), alias) for name, alias in self.hidden.items()]

    def instead_of(self, name: str) -> str:
        """What stands for a name that the pattern found, or for any handle."""
        return next((alias for whole, alias in self._whole if whole.fullmatch(name)), COLLEAGUE)


def masks_of(firm: Firm, question_pks: Iterable[int], texts: Iterable[str] = ()) -> dict[int, Masks]:
    """The masks of discussions, each of which has some. One query.

    With the texts that will be shown, one query more, and the handles of colleagues who did not write there are
    hidden in them as well, wherever they are no plain words.
    """
    question_pks = list(question_pks)
    others = {_handle(text): COLLEAGUE for text in _handles_in(texts)}
    by_question: dict[int, list[Person]] = defaultdict(list)
    for person in people_in(firm, question_pks):
        by_question[person.question].append(person)
    return {question: _masks(by_question[question], others) for question in question_pks}


def _masks(people: list[Person], others: dict[str, str]) -> Masks:
    hidden = dict(others)
    for person in people:
        hidden |= _hidden(person)
    return Masks({person.member: person.alias for person in people}, hidden)


def _hidden(person: Person) -> dict[str, str]:
    """Patterns of all the names of somebody. A name that is a plain word leads to no alias, or it could be guessed."""
    alias = person.alias if person.is_read else COLLEAGUE
    hidden = {}
    for handle in person.handles:
        hidden[_handle(handle)] = COLLEAGUE if _is_plain(handle.lower()) else alias
    parts = [part for part in WORD.findall(folded(person.display_name)) if part not in NO_NAMES]
    if len(parts) > 1:
        hidden[BETWEEN["name"].join(parts)] = alias
        hidden[BETWEEN["name"].join([parts[-1], *parts[:-1]])] = alias
    for part in parts:
        if len(part) >= SHORTEST_WORD and not _is_plain(part):
            hidden[part] = alias
    return hidden


def _handle(handle: str) -> str:
    return BETWEEN["handle"].join(map(re.escape, re.split("[_.-]", handle.lower())))


def _handles_in(texts: Iterable[str]) -> set[str]:
    """The handles, of now and before, that stand in these texts and are no plain words."""
    words = {word for text in texts for word in LIKE_A_HANDLE.findall(folded(text))}
    like = {part for word in words for part in _parts(word) if not _is_plain(part)}
    keys = {handles.key(part) for part in like}
    if not keys:
        return set()
    found = Handle.objects.filter(pk__in=keys).values_list("text", flat=True)
    return {text.lower() for text in found if text.lower() in like}


def _parts(word: str) -> Iterator[str]:
    """All in a word that could be a handle: `dr_owl.then` has `dr_owl` in it."""
    pieces = PIECE.findall(word)
    for start in range(0, len(pieces), 2):
        part = ""
        for piece in pieces[start:]:
            part += piece
            if len(part) > handles.LONGEST:
                break
            if piece.isalnum() and len(part) >= handles.SHORTEST:
                yield part


def _is_plain(word: str) -> bool:
    words = lexicon()
    return words.is_word(word) or words.is_term(word)


def folded(text: str) -> str:
    """Text of the same length, each letter small and without its accent or its width."""
    return text.lower() if text.isascii() else "".join(map(_folded, text))


@cache
def _folded(letter: str) -> str:
    plain = unicodedata.normalize("NFKD", letter).lower()
    return plain[0] if plain and not unicodedata.combining(plain[0]) else letter
