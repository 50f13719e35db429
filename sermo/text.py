"""Members' text: Markdown to safe HTML, and plain text for searching and excerpts."""

import re
import unicodedata
from collections.abc import Iterator

import nh3
from anyascii import anyascii
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.token import Token

from sermo.citations import citations

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


def _linked(tokens) -> None:
    """Make links of works and addresses that stand in plain words, not of those in code or in a link."""
    for token in tokens:
        if token.type == "inline":
            token.children = list(_with_links(token.children))


def _with_links(children) -> Iterator[Token]:
    within = 0
    for token in children:
        within += token.type == "link_open"
        within -= token.type == "link_close"
        if token.type == "text" and not within:
            yield from _text_with_links(token.content)
        else:
            yield token


def _text_with_links(text: str) -> Iterator[Token]:
    end = 0
    for citation in citations(text):
        yield _words(text[end : citation.start])
        yield Token("link_open", "a", 1, attrs={"href": citation.address})
        yield _words(text[citation.start : citation.end])
        yield Token("link_close", "a", -1)
        end = citation.end
    yield _words(text[end:])


def _words(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _parse(source: str):
    """The parser that read a text, and its tokens with works and addresses linked."""
    parser = _markdown if _cells_at_most(source) <= MOST_CELLS else _without_tables
    tokens = parser.parse(source, {})
    _linked(tokens)
    return parser, tokens


def addresses(source: str) -> list[str]:
    """Where the links of a text lead, in its order, those that only became links by `render_markdown` included."""
    children = [child for token in _parse(source)[1] for child in token.children or ()]
    return [str(child.attrs["href"]) for child in children if child.type == "link_open"]


def render_markdown(source: str) -> SafeString:
    """The one way from what a member typed to HTML, and the only text ever marked safe.

    Raw HTML and images are off, nesting is capped, links are http, https or mailto and carry
    rel="nofollow ugc noopener noreferrer". Works named by their number (PMID, DOI, NCT) and bare addresses are links.
    """
    parser, tokens = _parse(source)
    _heading_levels(tokens)
    _column_classes(tokens)
    html = nh3.clean(
        parser.renderer.render(tokens, parser.options, {}),
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
