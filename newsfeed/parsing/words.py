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
MOST_LAYERS = 3  # of escaping, one round another
ELEMENT = re.compile(r"<!--.*?-->|<!\[CDATA\[|\]\]>|</?[a-zA-Z][\w:-]*(?:\s[^<>]*)?/?>", re.DOTALL)
DROPPED = re.compile(r"<(script|style)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
ESCAPED = re.compile(
    r"&lt;/?(?:p|br|div|span|b|i|em|strong|sub|sup|ul|ol|li|h[1-6])\b[^<>]{0,200}?&gt;", re.I
)


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
        bare = html.unescape(ELEMENT.sub("", DROPPED.sub("", text)))
        if bare == text:
            break
        text = bare
    return one_line(ELEMENT.sub("", DROPPED.sub("", text)))


def safe_html(text: str | None, *, base: str = "") -> str:
    """A description that may stand in a page: a few tags, links of the web only, no pictures, no styles."""
    text = (text or "")[:LONGEST_SENT].replace("\x00", "")
    for _ in range(MOST_LAYERS):
        if not ESCAPED.search(text):
            break
        text = html.unescape(text)

    def filtered(_tag, attribute, value):
        return value if attribute != "href" else keys.web_address(value, base) or None

    text = re.sub(r"<h[1-6](?:\s[^<>]*)?>", "<p><strong>", text, flags=re.I)
    text = re.sub(r"</h[1-6]\s*>", "</strong></p>", text, flags=re.I)
    text = re.sub(r"<(/?)(?:div|section|tr)(?:\s[^<>]*)?>", r"<\1p>", text, flags=re.I)
    clean = nh3.clean(
        text,
        tags=TAGS,
        attributes={"a": {"href"}},
        attribute_filter=filtered,
        url_schemes={"http", "https"},
        link_rel="nofollow noopener",
    )
    clean = re.sub(r'<a rel="[^"]*">(.*?)</a>', r"\1", clean, flags=re.DOTALL)
    clean = re.sub(r"<(p|li|b|i|em|strong|sub|sup)>\s*</\1>", "", clean).strip()
    if len(clean) > LONGEST_ABSTRACT:
        clean = f"<p>{html.escape(clip(plain(clean), LONGEST_ABSTRACT // 2))}</p>"
    return clean if plain(clean) else ""


def moment(text: str | None) -> datetime | None:
    """A moment or day that exists, as RFC 822 or ISO 8601 write it; a month alone, or 19/03/2026, is none."""
    text = (text or "").strip()
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
