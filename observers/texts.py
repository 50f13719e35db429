"""What members wrote, as firms read it: by aliases, without ways back to its author, to the site or to a patient.

What must not be read is found in `accounts.masking`; here it is left out of the HTML of a post, link by link.
"""

from urllib.parse import urlsplit

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString

from accounts.masking import (
    FAINTER,
    HIDDEN,
    NO_LINK,
    Piece,
    Reader,
    excerpt,
    plain,
    put,
    seen,
    spans,
    tells,
    words,
)
from accounts.masks import Masks, masks_of_members
from observers.masks import masks_of
from sermo.text import ATTRIBUTES, TAGS

__all__ = [
    "FAINTER",
    "HIDDEN",
    "NO_LINK",
    "Masks",
    "excerpt",
    "for_firm",
    "masks_of",
    "masks_of_members",
    "plain",
    "words",
]

KEPT = {**ATTRIBUTES, "a": {"href"}, "*": set()}  # no titles, which may have names in them


def for_firm(html: str, masks: Masks) -> SafeString:
    """The HTML of a post for firms, by the masks of its author (`Masks.of`).

    It is cleaned once more at the end, so that only known tags come out.
    """
    pieces, text = _read(html, masks)
    found = spans(text, masks)
    rebuilt = "".join(
        piece.words if piece.place < 0 else escape(put(piece.words, found, piece.place)) for piece in pieces
    )
    return SafeString(
        nh3.clean(
            rebuilt,
            tags=TAGS,
            attributes=KEPT,
            url_schemes={"http", "https"},
            link_rel="nofollow ugc noopener noreferrer",
        )
    )


def _read(html: str, masks: Masks) -> tuple[list[Piece], str]:
    reader = _FirmReader(masks)
    reader.feed(html)
    reader.close()
    return reader.pieces, "".join(reader.words)


class _FirmReader(Reader):
    """Leaves out links that a firm must not follow, and signs that nobody sees."""

    def __init__(self, masks: Masks):
        super().__init__()
        self.masks = masks
        self.kept_links: list[bool] = []

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.kept_links.append(self._may_follow(dict(attrs).get("href") or ""))
            if not self.kept_links[-1]:
                return
        written = "".join(f' {name}="{escape(value or "")}"' for name, value in attrs)
        self._tag(tag, f"<{tag}{written}>")

    def handle_endtag(self, tag):
        if tag != "a" or (self.kept_links and self.kept_links.pop()):
            super().handle_endtag(tag)

    def handle_data(self, data):
        super().handle_data(seen(data))

    def _may_follow(self, href: str) -> bool:
        try:
            parts = urlsplit(href)
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not tells(href, self.masks)
