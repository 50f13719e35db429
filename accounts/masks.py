"""Which names of members must not stand in what others read of their words, and what stands there instead."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef

from accounts import handles
from accounts.models import Handle, Member
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
    """Of one discussion: the alias of each who wrote there, by member, and what hides names in its texts.

    A mention of somebody who is read becomes their alias; `mentions` has it by the key of the handle. Any other
    mention, and whatever `hidden` finds, becomes "a colleague": an alias would tie itself to the words around a name.
    The site and firms, the `voices`, are shown as they wrote: a firm that lists names would learn who of them answered.
    """

    aliases: dict[int, str] = field(default_factory=dict)
    mentions: dict[str, str] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    voices: frozenset[int] = frozenset()
    asker: int | None = None

    @cached_property
    def pattern(self) -> re.Pattern | None:
        """Finds the hidden names in folded text, the longest first."""
        longest_first = sorted(self.hidden, key=lambda name: (-len(name), name))
        return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(longest_first)})(?![a-z0-9])") if self.hidden else None

    def of(self, member: int | None) -> "Masks":
        """Those for the words of one who wrote there."""
        return Masks() if member in self.voices else self

    def instead_of_mention(self, handle: str) -> str:
        """What stands for a mention, whoever has the handle, or nobody."""
        return self.mentions.get(handles.key(handle), COLLEAGUE)


def masks_of_members(member_pks: Iterable[int], texts: Iterable[str] = ()) -> dict[int, Masks]:
    """By member, the masks of what they wrote outside of any discussion. Two queries with texts."""
    others = _handles_in(texts)
    return {pk: Masks(hidden=others | names) for pk, names in _names_of_members(member_pks)}


def masks_of_all(member_pks: Iterable[int], texts: Iterable[str] = ()) -> Masks:
    """One for the words of members who meet by aliases: in what any of them wrote the names of all are hidden.

    Two queries with texts.
    """
    return Masks(hidden=_handles_in(texts).union(*(names for _, names in _names_of_members(member_pks))))


def _handles_in(texts: Iterable[str]) -> frozenset[str]:
    """Patterns of the handles, of whomever, that stand in texts and are no plain words."""
    like = like_handles(texts)
    known = Handle.objects.filter(pk__in=set(map(handles.key, like))).values_list("text", flat=True)
    return patterns_of(known, like)


def _names_of_members(member_pks: Iterable[int]) -> Iterator[tuple[int, frozenset[str]]]:
    rows = Member.objects.filter(pk__in=set(member_pks))
    ever = ArraySubquery(Handle.objects.filter(member=OuterRef("pk")).values("text"))
    for pk, handle, name, before in rows.values_list("pk", "handle", "display_name", ever):
        yield pk, names_of([handle, *before], name)


def names_of(all_handles: Iterable[str], display_name: str) -> frozenset[str]:
    """Patterns of all the names of somebody. A word of a name that is a plain word stays where it stands alone."""
    parts = [part for part in WORD.findall(folded(display_name)) if part not in NO_NAMES]
    names = {_handle(handle) for handle in all_handles}
    if len(parts) > 1:
        names.add(BETWEEN["name"].join(parts))
        names.add(BETWEEN["name"].join([parts[-1], *parts[:-1]]))
    names.update(part for part in parts if len(part) >= SHORTEST_WORD and not _is_plain(part))
    return frozenset(names)


def patterns_of(known: Iterable[str], like: set[str]) -> frozenset[str]:
    """Of handles that stand in a text as somebody has them."""
    return frozenset(_handle(text) for text in known if text.lower() in like)


def _handle(handle: str) -> str:
    return BETWEEN["handle"].join(map(re.escape, re.split("[_.-]", handle.lower())))


def like_handles(texts: Iterable[str]) -> set[str]:
    """What stands in these texts, is no plain word, and could be a handle of now or before."""
    words = {word for text in texts for word in LIKE_A_HANDLE.findall(folded(text))}
    return {part for word in words for part in _parts(word) if not _is_plain(part)}


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
