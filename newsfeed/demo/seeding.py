"""Turns the written news into articles, posts of the editors and discussions."""

import random
import tomllib
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from accounts.demo_logins import DEMO_LOGINS
from accounts.models import Specialty
from newsfeed.models import Article, ArticleSpecialty, ArticleTopic, Feed, Source
from newsfeed.parsing.entries import Entry
from newsfeed.services import discussing, editing, publishing_posts
from newsfeed.services.ingesting import ingest
from questions.demo import seeding
from questions.models import Post, Question
from questions.services.counting import recount_questions
from questions.services.references import store

WRITTEN = Path(__file__).parent / "news.toml"
SEED = 20261118
PREFIX = "10.5555/demo."  # of DOIs for examples
SLUGS = "demo-"
THREAD_AFTER = timedelta(minutes=40)
SEEN_AFTER = timedelta(minutes=25)


def seed(stdout) -> None:
    """Write sources, articles and what is said of them once; a second run changes nothing."""
    if Source.objects.filter(slug__startswith=SLUGS).exists():
        stdout.write("news: here already")
        return
    written, now = tomllib.loads(WRITTEN.read_text(encoding="utf-8")), timezone.now()
    with transaction.atomic():
        feeds = {entry["slug"]: _make_feed(entry) for entry in written["source"]}
        articles = _make_articles(feeds, written["article"], now)
        for entry in written["post"]:
            _make_post(entry, now)
        cast = Cast(random.Random(SEED))  # noqa: S311 - the same every time is the purpose
        discussed = [Commenter(cast, entry, articles[entry["doi"]], now) for entry in written["discussion"]]
        for commenter in discussed:
            commenter.write()
        recount_questions([commenter.question.pk for commenter in discussed])
    stdout.write(
        f"news: {len(articles)} articles and {len(written['post'])} posts, {len(discussed)} of them discussed"
    )


# Sources and articles


def _make_feed(entry: dict) -> Feed:
    """A source with a feed that is off: nothing of it is ever fetched."""
    facts = {key: value for key, value in entry.items() if key != "specialties"}
    source = Source.objects.create(home=f"https://{_host(entry['slug'])}/", **facts)
    names = entry.get("specialties", ())
    source.specialties.set(Specialty.objects.filter(is_choice=True, name__in=names))
    return Feed.objects.create(source=source, address=f"https://{_host(entry['slug'])}/feed.xml", is_on=False)


def _host(slug: str) -> str:
    return f"{slug.removeprefix(SLUGS)}.example.org"


def _make_articles(feeds: dict[str, Feed], written: list[dict], now: datetime) -> dict[str, Article]:
    """By their written DOI. As the feeds would have brought them, the oldest first."""
    by_feed = defaultdict(list)
    for entry in sorted(written, key=lambda entry: -entry["days"]):
        by_feed[entry["source"]].append(entry)
    found = {}
    for slug, entries in by_feed.items():
        items = [_entry(slug, entry, now) for entry in entries]
        ingest(feed=feeds[slug], entries=items)
        for entry, item in zip(entries, items, strict=True):
            article = Article.objects.get(sightings__feed=feeds[slug], sightings__guid=item.guid)
            _see_in_time(article)
            if entry.get("lines"):
                editing.write_lines(article=article, lines=entry["lines"])
            found[entry["doi"] or item.guid] = article
    return found


def _entry(slug: str, entry: dict, now: datetime) -> Entry:
    name = entry["doi"] or slugify(entry["title"])[:60]
    return Entry(
        guid=f"{slug}:{name}",
        url=f"https://{_host(slug)}/{name}",
        title=entry["title"],
        doi=f"{PREFIX}{entry['doi']}" if entry["doi"] else None,
        authors=tuple(entry.get("authors", ())),
        categories=tuple(entry.get("categories", ())),
        published_at=now - timedelta(days=entry["days"]),
        language="en",
        kind=entry.get("kind", Article.Kind.ARTICLE),
        relations=tuple((kind, f"{PREFIX}{doi}") for kind, doi in entry.get("relations", ())),
    )


def _see_in_time(article: Article) -> None:
    """First seen soon after it came out, as if somebody had looked."""
    article.first_seen_at = min(article.published_at + SEEN_AFTER, timezone.now())
    article.save(update_fields=["first_seen_at"])


def _make_post(entry: dict, now: datetime) -> None:
    at = now - timedelta(days=entry["days"])
    draft = Article.objects.create(
        kind=Article.Kind.SERMO,
        state=Article.State.DRAFT,
        title=entry["title"],
        body=entry["body"].strip(),
        lines=entry["lines"],
        first_seen_at=at,
        shown_at=at,
    )
    post = publishing_posts.publish(article=draft)
    Article.objects.filter(pk=post.pk).update(first_seen_at=at, shown_at=at, published_at=at)
    for model in (ArticleSpecialty, ArticleTopic):
        model.objects.filter(article=post).update(shown_at=at)
    _open_at(post.discussion.question, at)


def _open_at(question: Question, at: datetime) -> None:
    Question.objects.filter(pk=question.pk).update(opened_at=at, activity_at=at)
    question.posts.filter(kind=Post.Kind.OPENING).update(posted_at=at)
    question.opened_at = at


# Discussions


class Cast(seeding.Cast):
    """Whoever tries a log-in finds comments to vote on."""

    def crowd(self, number, *, near, besides):
        logins = {member.pk for member in self.members if member.user.email in DEMO_LOGINS}
        return super().crowd(number, near=near, besides=besides | logins)


class Commenter(seeding.Scribe):
    """Has the demonstration's physicians comment on an article."""

    def __init__(self, cast, entry: dict, article: Article, now: datetime):
        self.question = discussing.thread_of(article).question
        topics = [one.name for one in self.question.specialties.all()]
        opened_at = min(article.shown_at + THREAD_AFTER, now)
        age = (now - opened_at) / timedelta(days=1)
        super().__init__(cast, {**entry, "specialties": topics, "asker": topics[0], "age_days": age}, now)
        _open_at(self.question, opened_at)

    def write(self) -> None:
        for entry in self.entry["comment"]:
            comment = self._comment(entry, Post.Kind.ANSWER)
            for reply in entry.get("reply", ()):
                self._comment(reply, Post.Kind.COMMENT, parent=comment)
        latest = max(self.question.posts.values_list("posted_at", flat=True))
        Question.objects.filter(pk=self.question.pk).update(activity_at=latest)

    def _comment(self, entry: dict, kind: str, parent: Post | None = None) -> Post:
        author = self._speaker(entry["by"], "anonymous")
        post = self._post(kind, author, entry["body"], self._at(entry["after_hours"]), parent=parent)
        store(post)
        self._votes(post, entry)
        return post
