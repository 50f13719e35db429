"""Plain makers of news for tests."""

import itertools

from django.utils import timezone

from newsfeed.models import Article, ArticleSpecialty, Feed, Source

_number = itertools.count(1)


def make_source(name=None, *, specialties=(), **fields):
    number = next(_number)
    name = name or f"Invented Journal {number}"
    source = Source.objects.create(
        **{"name": name, "slug": f"invented-{number}", "short_name": name[:60], **fields}
    )
    source.specialties.set(specialties)
    return source


def make_feed(source=None, **fields):
    source = source or make_source()
    fields = {
        "address": f"https://feeds.example.org/{next(_number)}.xml",
        "place": source.feeds.count() + 1,
        **fields,
    }
    return Feed.objects.create(source=source, **fields)


def make_article(source=None, title=None, *, specialties=(), **fields):
    """A listed article, a day's news; of kind sermo it has no source."""
    number, now = next(_number), timezone.now()
    if fields.get("kind") != Article.Kind.SERMO:
        source = source or make_source()
        fields = {"doi": f"10.5555/made.{number}", "link": f"https://journal.example.org/{number}", **fields}
    shown_at = fields.pop("shown_at", now)
    title = title or f"An invented trial, number {number}"
    article = Article.objects.create(
        source=source,
        title=title,
        search_text=fields.pop("search_text", title.lower()),
        shown_at=shown_at,
        **{"first_seen_at": max(now, shown_at), **fields},
    )
    for specialty in specialties:
        ArticleSpecialty.objects.create(
            article=article, specialty=specialty, how="feed", shown_at=article.shown_at
        )
    return article
