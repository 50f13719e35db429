"""The words by which a text speaks of a product, marked where they stand, whatever tags stand between their letters."""

import re
from collections.abc import Iterable

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from accounts.masking import Reader
from accounts.masks import folded


def marked(html: str, words: Iterable[str]) -> SafeString:
    """Sanitized HTML with these words in marks: whole ones, as `observers.products` finds them."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    spans = [match.span() for match in _pattern(words).finditer(folded("".join(reader.words)))]
    pieces = [
        piece.words if piece.place < 0 else _with_marks(piece.words, piece.place, spans)
        for piece in reader.pieces
    ]
    return mark_safe("".join(pieces))  # noqa: S308 - its tags as they were, its words escaped


def _pattern(words: Iterable[str]) -> re.Pattern:
    longest_first = sorted(words, key=len, reverse=True)
    any_of = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in longest_first)
    return re.compile(rf"(?<![a-z0-9])(?:{any_of})(?![a-z0-9])")


def _with_marks(piece: str, place: int, spans: list[tuple[int, int]]) -> str:
    """Words that begin at a place of the whole text, those within a span marked."""
    written, done = [], 0
    for start, end in spans:
        start, end = max(start - place, 0), min(end - place, len(piece))
        if start < end:
            written += [escape(piece[done:start]), f"<mark>{escape(piece[start:end])}</mark>"]
            done = end
    return "".join(written) + escape(piece[done:])
