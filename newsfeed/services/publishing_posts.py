"""Posts of the editors: written as drafts, published together with their discussion."""

from django.db import transaction
from django.utils import timezone

from newsfeed.minutes import minutes_of
from newsfeed.models import Article
from newsfeed.services import discussing
from sermo.errors import RuleBroken
from sermo.text import plain, render_markdown, searchable


class NotAPost(RuleBroken):
    message = "Only a post of the editors can be published here."


class NothingToPublish(RuleBroken):
    message = "A post has a title and a text. Write both, then publish it."


class WasRemoved(RuleBroken):
    message = "This post was removed. Put it back first."


@transaction.atomic
def publish(*, article: Article) -> Article:
    """List a draft, as of now, with its discussion. Twice is once. Raises NotAPost, NothingToPublish, WasRemoved."""
    article = _lock(article)
    if article.state == Article.State.REMOVED:
        raise WasRemoved
    if article.state == Article.State.LISTED:
        return article
    if not article.title.strip() or not article.body.strip():
        raise NothingToPublish
    now = timezone.now()
    article.state, article.first_seen_at, article.shown_at, article.published_at = "listed", now, now, now
    _compose(article)
    article.save()
    article.tags.update(shown_at=now)
    article.topics.update(shown_at=now)
    discussing.thread_of(article)
    return article


@transaction.atomic
def rewrite(*, article: Article) -> Article:
    """Carry what editors changed in a post's row into its page, its search and its open discussion. Raises NotAPost."""
    article = _lock(article)
    _compose(article)
    article.save(update_fields=["body_html", "minutes", "search_text"])
    discussing.carry_over(article)
    return article


def _lock(article: Article) -> Article:
    locked = Article.objects.select_for_update(no_key=True, of=("self",)).get(pk=article.pk)
    if not locked.is_ours:
        raise NotAPost
    return locked


def _compose(article: Article) -> None:
    html = render_markdown(article.body)
    text = plain(html)
    article.body_html = html
    article.minutes = minutes_of(article)
    article.search_text = searchable(article.title, *article.lines, text)
