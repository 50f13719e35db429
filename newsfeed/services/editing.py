"""What editors do to an article: take it away, put it back, sum it up in three lines, set its title and kind right."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from newsfeed.minutes import minutes_of
from newsfeed.models import Article
from newsfeed.models.articles import MOST_LINES
from newsfeed.services import discussing, mapping, publishing_posts
from sermo.errors import RuleBroken
from sermo.text import searchable

LONGEST_LINE = 160
LONGEST_TITLE = 500
LONGEST_BODY = 20_000


class TooManyLines(RuleBroken):
    message = f"At most {MOST_LINES} lines."


class LineTooLong(RuleBroken):
    message = f"A line has at most {LONGEST_LINE} characters."


class NoTitle(RuleBroken):
    message = f"Write a title of at most {LONGEST_TITLE} characters."


class WrongKind(RuleBroken):
    message = "An article from a source cannot become a post from Sermo, nor the other way round."


class NotADraft(RuleBroken):
    message = "A draft has nothing to remove it from. Publish it first, or leave it."


class NotOurs(RuleBroken):
    message = "Only posts from Sermo have a text of their own."


class NoBody(RuleBroken):
    message = "What is published keeps a text. To take it away, remove it."


class BodyTooLong(RuleBroken):
    message = f"A post has at most {LONGEST_BODY:,} characters."


@transaction.atomic
def remove(*, article: Article) -> Article:
    """Take an article off all lists. It stays as a row, so that no feed brings it back."""
    article = _held(article)
    if article.state == Article.State.DRAFT:
        raise NotADraft
    discussing.withdraw(article)
    return _set_state(article, Article.State.REMOVED)


@transaction.atomic
def put_back(*, article: Article) -> Article:
    article = _held(article)
    if article.state == Article.State.DRAFT:
        raise NotADraft
    discussing.bring_back(article)
    return _set_state(article, Article.State.LISTED)


def _set_state(article: Article, state: str) -> Article:
    if article.state != state:
        article.state = state
        article.save(update_fields=["state"])
    return article


@transaction.atomic
def write_lines(*, article: Article, lines: Iterable[str]) -> Article:
    """Up to three lines, the key point first. Empty ones are left out."""
    lines = [" ".join(line.split()) for line in lines]
    lines = [line for line in lines if line]
    if len(lines) > MOST_LINES:
        raise TooManyLines
    if any(len(line) > LONGEST_LINE for line in lines):
        raise LineTooLong
    article = _held(article)
    if article.lines == lines:
        return article
    article.lines = lines
    if article.is_ours:
        article.save(update_fields=["lines"])
        return publishing_posts.rewrite(article=article)
    article.minutes = minutes_of(article)
    article.save(update_fields=["lines", "minutes"])
    return article


@transaction.atomic
def set_right(*, article: Article, title: str, kind: str) -> Article:
    """Correct title and kind, and map it anew; its discussion follows. From then on feeds change them no more."""
    title = _title(title)
    article = _held(article)
    if (kind == Article.Kind.SERMO) != article.is_ours or kind not in Article.Kind.values:
        raise WrongKind
    if (title, kind) != (article.title, article.kind):
        article.search_text = article.search_text.replace(searchable(article.title), searchable(title), 1)
        article.title, article.kind, article.edited_by_hand = title, kind, True
        article.save(update_fields=["title", "kind", "edited_by_hand", "search_text"])
        mapping.map_article(article)
        discussing.carry_over(article)
    return article


@transaction.atomic
def write_post(*, title: str, body: str, article: Article | None = None) -> Article:
    """A post of the editors: a new draft, or another text of one there is, published or not."""
    title, body = _title(title), body.replace("\r\n", "\n").strip()
    if len(body) > LONGEST_BODY:
        raise BodyTooLong
    now = timezone.now()
    article = (
        _held(article)
        if article
        else Article(kind=Article.Kind.SERMO, state=Article.State.DRAFT, first_seen_at=now, shown_at=now)
    )
    if not article.is_ours:
        raise NotOurs
    if article.state == Article.State.LISTED and not body:
        raise NoBody
    article.title, article.body = title, body
    article.save()
    return publishing_posts.rewrite(article=article)


def _held(article: Article) -> Article:
    return Article.objects.select_for_update(no_key=True, of=("self",)).get(pk=article.pk)


def _title(title: str) -> str:
    title = " ".join(title.split())
    if not title or len(title) > LONGEST_TITLE:
        raise NoTitle
    return title
