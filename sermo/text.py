"""Members' text: Markdown to safe HTML, and plain text for searching and excerpts."""

import re
import unicodedata

import nh3
from anyascii import anyascii
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

TAGS = {
    *("p", "br", "hr", "strong", "em", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("h3", "h4", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "th": {"class"}, "td": {"class"}}
MAX_NESTING = 12

_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": MAX_NESTING}).enable(
    "table"
)
_markdown.disable("image")
_without_tables = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": MAX_NESTING})
_without_tables.disable("image")
MOST_CELLS = (
    6_000  # each row of a table gets all columns of its head, so 20,000 characters could fill megabytes
)


def _heading_levels(tokens) -> None:
    """A post's headings start below the page's own: # and ## become h3, all deeper ones h4."""
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h3" if token.tag in ("h1", "h2") else "h4"


def _column_classes(tokens) -> None:
    """Alignment as a class, since the content security policy forbids style attributes."""
    for token in tokens:
        if token.type in ("th_open", "td_open"):
            style = token.attrs.pop("style", "")
            if "right" in str(style):
                token.attrs["class"] = "n"


def render_markdown(source: str) -> SafeString:
    """The one way from what a member typed to HTML, and the only text ever marked safe.

    Raw HTML and images are off, nesting is capped, links are http, https or mailto and carry
    rel="nofollow ugc noopener noreferrer".
    """
    env: dict = {}
    parser = _markdown if _cells_at_most(source) <= MOST_CELLS else _without_tables
    tokens = parser.parse(source, env)
    _heading_levels(tokens)
    _column_classes(tokens)
    html = nh3.clean(
        parser.renderer.render(tokens, parser.options, env),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow ugc noopener noreferrer",
    )
    return SafeString(html)


def _cells_at_most(source: str) -> int:
    lines = source.splitlines() or [""]
    return len(lines) * max(line.count("|") for line in lines)


def plain(html: str) -> str:
    """The words of sanitized HTML on one line, for excerpts."""
    spaced = re.sub(r"</(p|li|tr|td|th|h3|h4|blockquote|pre)>|<br>", " ", html)
    bare = nh3.clean(spaced, tags=set())
    for entity, sign in (
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", '"'),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ):
        bare = bare.replace(entity, sign)
    return " ".join(bare.split())


def clip(text: str, length: int) -> str:
    """At most `length` characters, cut between words."""
    if len(text) <= length:
        return text
    return text[: length - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def searchable(*parts: str) -> str:
    """Text as search compares it: compatibility forms folded, accents removed, lower case, one space between words."""
    folded = anyascii(unicodedata.normalize("NFKC", " ".join(parts)))
    return " ".join(folded.lower().split())
