"""A pass over the bytes of a feed before it is parsed: what is refused, where its items are, all their identifiers.

It runs in one sweep, whatever is unclosed or nested, so that a hostile feed costs no more than its length.
"""

import html
import re
from dataclasses import dataclass, field

HIDDEN = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL)
DECLARED = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
WEB_PAGE = re.compile(rb"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
XML_DECLARATION = re.compile(rb"\A\s*<\?xml[^>]{0,200}\?>")
ENCODING = re.compile(rb"\A\s*<\?xml[^>]{0,150}encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']", re.IGNORECASE)
PIECE = re.compile(
    rb"<!\[CDATA\[|<!--|<(?P<close>/?)(?:[A-Za-z][\w.-]{0,30}:)?"
    rb"(?P<name>item|entry|identifier|guid|id)(?=[\s/>])(?P<rest>[^<>]{0,1000})>"
)
MOST_UNCLOSED = 5000


@dataclass
class Item:
    """Where an item begins and ends, and the texts of its own identifiers by their local name."""

    start: int
    end: int = 0
    texts: dict[str, list[str]] = field(default_factory=dict)


def as_utf8(body: bytes) -> bytes | None:
    """The same in UTF-8 without a declaration, if it is UTF-8 whatever it declares, or UTF-16; else None."""
    codec = "utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        encoded = body.decode(codec).strip().encode()
    except UnicodeDecodeError:
        return None
    return XML_DECLARATION.sub(b'<?xml version="1.0" encoding="utf-8"?>', encoded)


def visible(body: bytes) -> bytes:
    """Without comments and character data, in which anything may stand."""
    return HIDDEN.sub(b"", body)


def is_web_page(body: bytes) -> bool:
    return bool(WEB_PAGE.search(visible(body[:4000])))


def declares_entities(body: bytes) -> bool:
    return bool(DECLARED.search(visible(body)))


def hides_markup(body: bytes) -> bool:
    """Whether it declares the one encoding in which tags could stand unseen by this pass."""
    declared = ENCODING.match(body)
    return bool(declared) and declared[1].lower().replace(b"-", b"") == b"utf7"


def is_broken(body: bytes) -> bool:
    """So many tags without an end that reading them would take minutes."""
    seen = visible(body)
    begun = seen.count(b"<") - seen.count(b"</")
    return begun - seen.count(b"</") - seen.count(b"/>") > MOST_UNCLOSED


def items(body: bytes) -> list[Item]:
    """All items, in their order. What is nested in an item belongs to it."""
    found, at, open_item = [], 0, None
    while match := PIECE.search(body, at):
        at = match.end()
        if not match["name"]:
            closing = b"]]>" if match[0].startswith(b"<![") else b"-->"
            end = body.find(closing, at)
            at = len(body) if end < 0 else end + 3
            continue
        name, closes = match["name"], bool(match["close"])
        if name in (b"item", b"entry"):
            if closes and open_item:
                open_item.end, open_item = match.end(), None
            elif not closes:
                open_item = Item(start=match.start(), end=len(body))
                found.append(open_item)
        elif open_item and not closes and not match["rest"].endswith(b"/"):
            open_item.texts.setdefault(name.decode(), []).append(_text(body, at))
    return found


def _text(body: bytes, start: int) -> str:
    """The text of an element that begins here: short, with or without CDATA."""
    piece = body[start : start + 1500]
    if piece.lstrip().startswith(b"<![CDATA["):
        piece = piece.lstrip()[9:].split(b"]]>")[0]
        return piece.decode("utf-8", "replace").strip()
    return html.unescape(piece.split(b"<")[0].decode("utf-8", "replace")).strip()


def first_of(body: bytes, found: list[Item], most: int) -> bytes:
    """The feed with its first items only."""
    if len(found) <= most:
        return body
    return body[: found[most].start] + body[max(item.end for item in found) :]
