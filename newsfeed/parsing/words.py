"""Titles as plain text, abstracts as safe HTML, dates only if they exist."""

import html
import re
import unicodedata
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import nh3

from newsfeed import keys
from sermo.text import clip, plain

TAGS = {"p", "a", "b", "i", "em", "strong", "sub", "sup", "ul", "ol", "li", "br"}
LONGEST_ABSTRACT = 20_000
LONGEST_TITLE, LONGEST_SENT = 5_000, 100_000  # characters that are looked at at all
LONGEST_DATE = 100
MOST_LAYERS = 3  # of escaping, one round another
MOST_FORMATTED, MOST_BLOCKS = 300, 2_000  # tags of an abstract, beyond which only its words stay
ELEMENT = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[|\]\]>|</?[a-zA-Z][\w:-]*(?:\s[^<>]*)?/?>", re.DOTALL)
CODE = re.compile(r"<(script|style)\b", re.IGNORECASE)
CODE_ENDS = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("script", "style")}
PIECE = re.compile(
    r"""<(?:!--.*?(?:-->|\Z)|[!?][^<>]*+>?|(?P<close>/?)(?P<name>[a-zA-Z][a-zA-Z0-9:-]*+)"""
    r"""(?P<rest>(?:[^<>"']++|"[^"]{0,2000}+"|'[^']{0,2000}+')*+>|[^<>]*+>))?""",
    re.DOTALL,
)
HREF = re.compile(r"""(?<![\w-])href\s*=\s*("[^"]*"|'[^']*'|[^\s"'<>]+)""", re.IGNORECASE)
HEADINGS = {f"h{level}" for level in range(1, 7)}
PARAGRAPHS = {"p", "div", "section", "tr"}
BLOCKS = {"p", "ul", "ol", "li", "br"}
UNPRINTABLE = re.compile("[\x00\ud800-\udfff]")
ESCAPED = re.compile(
    r"&lt;/?(?:p|br|div|span|b|i|em|strong|sub|sup|ul|ol|li|h[1-6])\b[^<>]{0,200}?&gt;", re.I
)


def printable(text: str | None) -> str:
    """Without halves of a character and zero bytes, which no table holds."""
    return UNPRINTABLE.sub("", text or "")


def one_line(text: str | None) -> str:
    """Without control characters and what nobody sees; one space between words."""
    shown = "".join(
        " " if sign.isspace() or unicodedata.category(sign) == "Cc" else sign
        for sign in text or ""
        if unicodedata.category(sign) not in ("Cf", "Cs")
    )
    return " ".join(shown.split())


def plain_title(text: str | None) -> str:
    """The words of a title: entities decoded and tags taken out, also where both were escaped again."""
    text = (text or "")[:LONGEST_TITLE]
    for _ in range(MOST_LAYERS):
        bare = html.unescape(ELEMENT.sub("", without_code(text)))
        if bare == text:
            break
        text = bare
    return one_line(ELEMENT.sub("", without_code(text)))


def without_code(text: str) -> str:
    """Without scripts and styles, in one sweep; one that does not end is left for whoever takes out tags."""
    kept, at, endless = [], 0, set()
    while opened := CODE.search(text, at):
        name = opened[1].lower()
        end = None if name in endless else CODE_ENDS[name].search(text, opened.end())
        if end:
            kept.append(text[at : opened.start()])
            at = end.end()
        else:
            endless.add(name)
            kept.append(text[at : opened.end()])
            at = opened.end()
    return "".join(kept) + text[at:]


def safe_html(text: str | None, *, base: str = "") -> str:
    """A description that may stand in a page: a few tags, links of the web only, no pictures, no styles."""
    text = printable((text or "")[:LONGEST_SENT])
    for _ in range(MOST_LAYERS):
        if not ESCAPED.search(text):
            break
        text = html.unescape(text)

    clean = nh3.clean(
        _few_tags(without_code(text), base),
        tags=TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https"},
        link_rel="nofollow noopener",
    )
    clean = re.sub(r"<(p|li|b|i|em|strong|sub|sup)>\s*</\1>", "", clean).strip()
    if len(clean) > LONGEST_ABSTRACT:
        clean = f"<p>{html.escape(clip(plain(clean), LONGEST_ABSTRACT // 2))}</p>"
    return clean if plain(clean) else ""


def _few_tags(text: str, base: str) -> str:
    """Only tags that may stay, bare but for where a link leads, and of each kind so many as an abstract may need.

    For what a browser does with tags that are not closed, nh3 does too: time and space grow with their square.
    """
    formatted = blocks = 0

    def piece(found: re.Match) -> str:
        nonlocal formatted, blocks
        name = (found["name"] or "").lower()
        if not name:
            return "" if len(found[0]) > 1 else "&lt;"
        closes = bool(found["close"])
        if name in HEADINGS:
            tag, name = "</strong></p>" if closes else "<p><strong>", "strong"
        else:
            name = "p" if name in PARAGRAPHS else name
            tag = f"</{name}>" if closes else _opening(name, found["rest"], base)
        if name not in TAGS:
            return ""
        if name in BLOCKS:
            blocks += 1
            return tag if blocks <= MOST_BLOCKS else " "
        formatted += not closes
        return tag if formatted <= MOST_FORMATTED else ""

    return PIECE.sub(piece, text)


def _opening(name: str, attributes: str, base: str) -> str:
    if name != "a":
        return f"<{name}>"
    led = HREF.search(attributes)
    address = keys.web_address(html.unescape(led[1].strip("\"'")), base) if led else ""
    return f'<a href="{html.escape(address)}">' if address else ""


def moment(text: str | None) -> datetime | None:
    """A moment or day that exists, as RFC 822 or ISO 8601 write it; a month alone, or 19/03/2026, is none."""
    text = (text or "")[:LONGEST_DATE].strip()
    if not re.search(r"\d{4}-?\d\d-?\d\d|\d \w{3}", text):
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
            found = found if found.tzinfo else found.replace(tzinfo=UTC)
            found = found.astimezone(UTC)
        except (ValueError, OverflowError, TypeError, IndexError):
            continue
        return found if 1900 <= found.year <= 2200 else None
    return None
