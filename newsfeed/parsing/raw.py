"""A pass over a feed before it is parsed: its text, what is refused, where its items are, all their identifiers.

It runs in one sweep, whatever is unclosed or nested, so that a hostile feed costs no more than its length. What it
looked at is what is parsed: UTF-8, whatever the feed was sent in.
"""

import codecs
import html
import re
from collections import Counter
from dataclasses import dataclass, field

HIDDEN = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL)
ROOT = re.compile(rb"<\w")
DECLARED = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
WEB_PAGE = re.compile(rb"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]{0,2000}\?>", re.IGNORECASE)
ENCODING = re.compile(rb"\A\s*<\?xml[^>]{0,150}encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']", re.IGNORECASE)
CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
CODECS = {  # those in which a tag looks like a tag
    *("ascii", "utf-8", "utf-8-sig", "koi8-r", "koi8-u", "mac-roman"),
    *("gb2312", "gbk", "gb18030", "big5", "big5hkscs", "cp950", "cp936", "shift_jis", "cp932"),
    *("euc_jp", "euc_kr", "cp949", "cp874", "tis-620"),
    *(f"cp{number}" for number in range(1250, 1259)),
    *(f"iso8859-{number}" for number in range(1, 17)),
}
WIDER = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
}
ASIDE = re.compile(r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<\?[^<>]*\?>", re.DOTALL)
NO_CHARACTER = re.compile(
    "[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|"
    r"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01]|5529[6-9]|55[3-9]\d\d|5[67]\d{3})"
    r"|[xX]0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F]|[dD][89a-fA-F][0-9a-fA-F]{2}));"
)
BLANK = (
    r"(?:\s|&#0{0,9}(?:9|1[03]|32|133|160|819[2-9]|820[0-2]|823[2-39]|12288);"
    r"|&#[xX]0{0,9}(?:9|[aAdD]|20|85|[aA]0|200[0-9aA]|202[89fF]|3000);)"
)
BLANKS = re.compile(rf"{BLANK}{{50,}}")
LISTED = re.compile(
    r"<(?P<tag>(?:[A-Za-z][\w.-]{0,30}:)?(?P<name>item|entry|category|subject|keywords?|tags|creator|author|"
    r"contributor|managingeditor|webmaster|publisher|owner|credit|name|email))(?=[\s/>])(?P<rest>[^<>]{0,2000})>",
    re.IGNORECASE,
)
OWN_TEXT = re.compile(r"(?:<!\[CDATA\[.*?(?:\]\]>|\Z)|[^<]++)*+", re.DOTALL)
ONE_WORD = re.compile(r"[\w.+-]{300}")  # which a parser searches for an address at each of its letters
MOST_LISTED, LONGEST_LISTED = 300, 20_000  # elements of one name in one item, characters of one
MOST_SPLIT, LONGEST_SPLIT = 3, 1_000  # of those that a parser splits, to compare each word with each
PIECE = re.compile(
    rb"<!\[CDATA\[|<!--|<(?P<close>/?)(?:[A-Za-z][\w.-]{0,30}:)?"
    rb"(?P<name>item|entry|identifier|guid|id)(?=[\s/>])(?P<rest>[^<>]{0,1000})>"
)
MOST_UNCLOSED, MOST_TAGS = 5000, 150_000


@dataclass
class Item:
    """Where an item begins and ends, and the texts of its own identifiers by their local name."""

    start: int
    end: int = 0
    texts: dict[str, list[str]] = field(default_factory=dict)


def text_of(body: bytes, content_type: str) -> str | None:
    """What it says, without a declaration of how it was sent: UTF-8 if it is that, whatever it declares.

    None where it declares an encoding in which tags could stand unseen by whoever reads it as another.
    """
    declared = [each[1] for each in (CHARSET.search(content_type), ENCODING.match(body)) if each]
    names = [_codec(each if isinstance(each, str) else each.decode("ascii", "ignore")) for each in declared]
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        names = ["utf-16"]
    elif any(name not in CODECS for name in names if name and not name.startswith(("utf-8", "utf-16"))):
        return None
    for name in ("utf-8-sig", *(WIDER.get(name, name) for name in names if name), "cp1252"):
        try:
            text = body.decode(name)
            break
        except UnicodeDecodeError as error:
            if name == "utf-8-sig" and error.reason == "unexpected end of data":  # cut off within a character
                text = body[: error.start].decode(name)
                break
    else:
        text = body.decode("latin-1")
    return XML_DECLARATION.sub("", text.strip())


def _codec(name: str) -> str:
    """As Python calls it; empty where there is none of that name."""
    try:
        return codecs.lookup(name).name
    except LookupError:
        return ""


def tamed(text: str) -> str:
    """Without what a parser takes the square of its length for, or breaks on: endless blanks and lists.

    Comments, and references to what is no character, go as well.
    """
    text = ASIDE.sub(lambda found: found[0] if found[0].startswith("<![") else "", text)
    text = BLANKS.sub("\n", NO_CHARACTER.sub("", text))
    kept, at, counted = [], 0, Counter()
    for found in LISTED.finditer(text):
        name = found["name"].lower()
        if found.start() < at:
            continue
        if name in ("item", "entry"):
            counted.clear()
            continue
        counted[name] += 1
        begin, end = _excess(text, found, name, counted[name])
        kept.append(text[at:begin])
        at = end
    return "".join(kept) + text[at:]


def _excess(text: str, found: re.Match, name: str, number: int) -> tuple[int, int]:
    """From where to where an element of a list is too much: all of it, its own text, or nothing behind that."""
    is_split = name in ("keywords", "tags")
    most, longest = (MOST_SPLIT, LONGEST_SPLIT) if is_split else (MOST_LISTED, LONGEST_LISTED)
    start, inside = found.span()
    if number > most and found["rest"].endswith("/"):
        return start, inside
    if number > most:
        closing = f"</{found['tag']}>"
        end = text.find(closing, inside, inside + LONGEST_SPLIT)
        return start, end + len(closing) if end >= 0 else inside
    own = OWN_TEXT.match(text, inside)
    is_too_long = own.end() - inside > longest or ONE_WORD.search(text, inside, own.end())
    return inside if is_too_long else own.end(), own.end()


def visible(body: bytes) -> bytes:
    """Without comments and character data, in which anything may stand."""
    return HIDDEN.sub(b"", body)


def is_web_page(body: bytes) -> bool:
    return bool(WEB_PAGE.search(visible(body[:4000])))


def declares_entities(body: bytes) -> bool:
    """Before the first element also where XML says that it is none: the parser looks there by itself."""
    root = ROOT.search(body)
    return bool(DECLARED.search(visible(body)) or DECLARED.search(body, 0, root.start() if root else 0))


def is_broken(body: bytes) -> bool:
    """So many tags without an end that reading them would take minutes."""
    seen = visible(body)
    begun = seen.count(b"<") - seen.count(b"</")
    return begun - seen.count(b"</") - seen.count(b"/>") > MOST_UNCLOSED


def is_endless(body: bytes) -> bool:
    """So many tags that the parser, which takes a while for each, would not come to an end in time."""
    return visible(body).count(b"<") > MOST_TAGS


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
