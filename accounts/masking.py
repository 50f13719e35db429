"""Words of members without the names, the ways back to the site and the identifiers that stand in them.

The words of a text are put together first, whatever stands between them, so that a name in two colors or half in a
link is found like any other. What was found is then replaced in each piece it reaches into.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from html.parser import HTMLParser
from itertools import islice
from operator import attrgetter
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from django.conf import settings

from accounts import handles
from accounts.masks import COLLEAGUE, Masks, folded
from sermo import identifiers
from sermo.citations import UNSEEN
from sermo.text import clip

HIDDEN = "[hidden]"
NO_LINK = "[link removed]"
FAINTER = (COLLEAGUE, NO_LINK, HIDDEN)  # where pieces overlap, an alias speaks before these
BLOCKS = {*("p", "li", "tr", "td", "th", "h3", "h4", "blockquote", "pre", "br", "hr", "ul", "ol", "table")}
VOID = ("br", "hr")
MENTION = re.compile(rf"(?<![\w/.])@({handles.SHAPE.pattern.replace('A-Z', '')})")
ADDRESS = re.compile(r"(?:https?:|www\.)[^\s<>\"'`|\\^{}]+")
UNSEEN_SIGNS = re.compile(rf"(?![\t\n\r])[{UNSEEN}\u00ad\u180e]")
OWN_PATHS = (
    "accounts appeals bookmarks connections consults directory drafts events groups leaderboards members messages"
    " moderation news notifications observe on-call physicians polls posts products questions rewards round settings"
    " specialties tags verify watchers"
).replace(" ", "|")
OWN_PATH = re.compile(rf"(?<![\w/.])/(?:{OWN_PATHS})/[^\s<>\"')\]]+")


class Span(NamedTuple):
    """A piece of a text, and what is read there instead."""

    start: int
    end: int
    instead: str


SPAN_END = attrgetter("end")


@dataclass(frozen=True)
class Piece:
    """A tag as it is written, or words with their place among all words of the text."""

    words: str
    place: int = -1


def words(html: str, masks: Masks) -> str:
    """The words of a text on one line, without tags, for files."""
    text = text_of(html)
    return " ".join(put(text, spans(text, masks)).split())


def excerpt(html: str, masks: Masks, length: int = 240) -> str:
    """The beginning of a post. It is cut after names were replaced: half a name would be no name any more."""
    return clip(words(html, masks), length)


def plain(text: str, masks: Masks) -> str:
    """Plain text of who opened the discussion: its title, the option of a poll, the caption of a picture.

    For what others added, `masks` must name no asker.
    """
    text, masks = seen(text), masks.of(masks.asker)
    return put(text, spans(text, masks))


# What is found


def spans(text: str, masks: Masks) -> list[Span]:
    """What must not be read, in order; pieces that overlap are one, and an alias goes before other words."""
    found = sorted([*_addresses(text, masks), *_named(text, masks), *_identifiers(text)])
    apart: list[Span] = []
    for span in found:
        if apart and span.start < apart[-1].end:
            before = apart.pop()
            instead = min(before.instead, span.instead, key=_faintness)
            span = Span(before.start, max(before.end, span.end), instead)
        apart.append(span)
    return apart


def _faintness(instead: str) -> int:
    return FAINTER.index(instead) + 1 if instead in FAINTER else 0


def _addresses(text: str, masks: Masks) -> Iterator[Span]:
    """Addresses of this site, and those that have a name in them."""
    small = folded(text)
    for match in ADDRESS.finditer(small):
        if tells(match[0], masks):
            yield Span(*match.span(), NO_LINK)
    for pattern in (_own_host(), OWN_PATH):
        for match in pattern.finditer(small):
            yield Span(*match.span(), NO_LINK)


def _named(text: str, masks: Masks) -> Iterator[Span]:
    small = folded(text)
    for match in MENTION.finditer(small):
        yield Span(*match.span(), masks.instead_of_mention(match[1]))
    if masks.pattern:
        for match in masks.pattern.finditer(small):
            at = match.start() - small.endswith("@", 0, match.start())
            yield Span(at, match.end(), COLLEAGUE)


@lru_cache(4_000)
def _identifiers(text: str) -> tuple[Span, ...]:
    """What the check of identifiers says must go. It reads slowly, and the same text for every reader."""
    found = identifiers.check(text)
    return tuple(Span(one.start, one.end, HIDDEN) for one in found if one.level == identifiers.STOP)


def tells(address: str, masks: Masks) -> bool:
    """Whether an address leads to this site, or has a name or an identifier in it, however it is written."""
    bare = folded(unquote(unquote(address)))
    if _own_host().search(bare) or (masks.pattern and masks.pattern.search(bare)):
        return True
    return bool(_identifiers(bare))


@cache
def _own_host() -> re.Pattern:
    """Finds a whole word in which a host of this site stands."""
    known = {urlsplit(settings.SITE_URL).hostname, *settings.ALLOWED_HOSTS}
    hosts = sorted({host.lstrip(".").lower() for host in known} - {"*", ""}, key=len, reverse=True)
    one_of = "|".join(map(re.escape, hosts))
    return re.compile(rf"(?<![^\s<>\"'(])[^\s<>\"'(]*(?:{one_of})(?![a-z0-9-])[^\s<>\"')]*")


# How it is replaced


def put(text: str, spans: list[Span], place: int = 0) -> str:
    """Words that begin at a place of the whole text, with what stands instead. A span speaks where it begins."""
    written, done = [], place
    for span in islice(spans, bisect_right(spans, place, key=SPAN_END), None):
        if span.start >= place + len(text):
            break
        written.append(text[done - place : max(span.start, done) - place])
        if span.start >= place:
            written.append(span.instead)
        done = min(span.end, place + len(text))
    return "".join(written) + text[done - place :]


def text_of(html: str) -> str:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return "".join(map(seen, reader.words))


def seen(text: str) -> str:
    """Without signs nobody sees, which could stand in the middle of a name."""
    return UNSEEN_SIGNS.sub("", unicodedata.normalize("NFC", text))


class Reader(HTMLParser):
    """Takes sanitized HTML apart: tags as they are written, and words with their place among all words."""

    def __init__(self):
        super().__init__()
        self.pieces: list[Piece] = []
        self.words: list[str] = []
        self.length = 0

    def handle_starttag(self, tag, attrs):
        self._tag(tag, self.get_starttag_text())

    def handle_endtag(self, tag):
        self._tag(tag, "" if tag in VOID else f"</{tag}>")

    def handle_data(self, data):
        self.pieces.append(Piece(data, self.length))
        self._say(data)

    def _tag(self, tag: str, written: str) -> None:
        if tag in BLOCKS:
            self._say("\n")
        if written:
            self.pieces.append(Piece(written))

    def _say(self, words: str) -> None:
        self.words.append(words)
        self.length += len(words)
