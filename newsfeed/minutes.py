"""How long an article takes to read, as far as it is shown here."""

from math import ceil

from newsfeed.models import Article
from sermo.text import plain

WORDS_A_MINUTE = 220


def minutes_of(article: Article) -> int | None:
    """For the abstract or the post, with the lines of editors above it; those alone are no time worth telling."""
    text = plain(_html(article)).split()
    words = [*text, *" ".join(article.lines).split()] if text else []
    return ceil(len(words) / WORDS_A_MINUTE) or None


def _html(article: Article) -> str:
    if article.is_ours:
        return article.body_html
    return article.abstract if article.source and article.source.shows_abstracts else ""
