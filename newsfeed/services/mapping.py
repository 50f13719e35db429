"""What an article is about: written down with its reason, done anew when rules change, corrected by editors."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from secrets import token_hex

import structlog
from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, Q

from accounts.models import Specialty, User
from newsfeed import mapping
from newsfeed.mapping import Found, Phrases, Rules
from newsfeed.models import (
    Article,
    ArticleSource,
    ArticleSpecialty,
    ArticleTopic,
    Feed,
    MappingRule,
    Region,
    Source,
)
from newsfeed.services import discussing
from questions.models import Tag
from sermo.errors import RuleBroken
from sermo.text import clip

BY_EDITOR = "by an editor"  # of a region: rules change it no more
BATCH = 200
STAMP, STAMP_KEPT = "newsfeed:mapping", 60  # seconds
MOST_BY_HAND = 6
NAMES = {
    "journal": "journal",
    "preprints": "preprint server",
    "regulator": "regulator",
    "meetings": "news of",
}

How = ArticleSpecialty.How
log = structlog.get_logger(__name__)


class TooManySpecialties(RuleBroken):
    message = f"At most {MOST_BY_HAND} specialties."


class UnknownRegion(RuleBroken):
    message = "Choose one of the regions."


@dataclass
class Known:
    """What mapping needs of the database, read once for many articles."""

    stamp: str
    rules: Rules
    tags: Phrases
    sources: dict[int, tuple[Source, list[Found]]]
    feeds: dict[int, list[Found]]


_held: Known | None = None


def known() -> Known:
    """Kept by each process as long as the stamp in the cache stays: a minute, or until an operator changes a rule."""
    global _held
    stamp = cache.get(STAMP)
    if stamp is None:
        stamp = token_hex(8)
        cache.set(STAMP, stamp, STAMP_KEPT)
    if _held is None or _held.stamp != stamp:
        _held = _read(stamp)
    return _held


def forget() -> None:
    """To be called after a change of rules, sources, feeds or tags.

    What is held is read anew: at once in this process, and in all others once the change is committed. Articles that
    are mapped already stay as they are until they are mapped again.
    """
    cache.delete(STAMP)
    transaction.on_commit(lambda: cache.delete(STAMP))


def _read(stamp: str) -> Known:
    rules = MappingRule.objects.filter(is_on=True).order_by("pk")
    rules = rules.values_list("where", "pattern", "specialty", "region")
    tags = Tag.objects.filter(merged_into=None).values_list("name", "pk")
    sources = Source.objects.prefetch_related("specialties")
    feeds = Feed.objects.only("source__short_name").select_related("source").prefetch_related("specialties")
    return Known(
        stamp,
        Rules.of(mapping.Rule(*rule) for rule in rules),
        Phrases.of(tags.iterator()),
        {source.pk: (source, _defaults(source)) for source in sources},
        {feed.pk: _defaults_of_feed(feed) for feed in feeds},
    )


def _defaults(source: Source) -> list[Found]:
    if source.is_general:
        return []
    why = _name(source)
    return [Found(each.pk, How.FEED, why) for each in source.specialties.all()]


def _defaults_of_feed(feed: Feed) -> list[Found]:
    specialties = feed.specialties.all()
    names = ", ".join(each.name for each in specialties)
    why = clip(f"feed “{feed.source.short_name}: {names}”", mapping.LONGEST_REASON)
    return [Found(each.pk, How.FEED, why) for each in specialties]


def _name(source: Source) -> str:
    return clip(f"{NAMES[source.kind]} “{source.name}”", mapping.LONGEST_REASON)


def map_article(article: Article) -> None:
    """Give an article its specialties, region and topics. What a person said stays; twice is once."""
    for fresh in _map([article.pk]):
        for name in ("is_general", "region", "region_why"):
            setattr(article, name, getattr(fresh, name))


def remap(articles: Iterable[Article]) -> int:
    """Map articles anew, some at a time, each lot by itself and all in one order. How many there were."""
    ids = iter(sorted(article.pk for article in articles))
    done = 0
    while some := list(islice(ids, BATCH)):
        done += len(_map(some))
    return done


def catch_up(*, feed: Feed, guids: Iterable[str]) -> int:
    """Map what a feed of certain specialties shows and what has them not yet: it may have been here before, by another
    feed of the same source. How many there were.
    """
    codes = [specialty.pk for specialty in feed.specialties.all()]
    if not codes:
        return 0
    has = Count("tags__specialty", filter=Q(tags__specialty__in=codes), distinct=True)
    seen = Article.objects.filter(sightings__feed=feed, sightings__guid__in=list(guids))
    return remap(seen.annotate(has=has).filter(has__lt=len(codes)).only("pk"))


@transaction.atomic
def _map(ids: Iterable[int]) -> list[Article]:
    knowledge = known()
    locked = Article.objects.select_for_update(no_key=True, of=("self",))
    articles = list(locked.filter(pk__in=list(ids)).order_by("pk"))
    sources, feeds = _seen_in(articles)
    if _are_younger(sources, knowledge.sources) or _are_younger(feeds, knowledge.feeds):
        forget()
        knowledge = known()
    tags, topics = _current(articles)
    write = _Writes()
    for article in articles:
        seen = sources[article.pk], feeds[article.pk]
        _judge(article, seen, knowledge, tags[article.pk], topics[article.pk], write)
    write.all()
    return articles


def _are_younger(seen: dict[int, list[int]], held: dict) -> bool:
    """Whether something was made after what is held was read."""
    return any(pk not in held for pks in seen.values() for pk in pks)


def _judge(article: Article, seen: tuple, knowledge: Known, tags, topics, write: "_Writes") -> None:
    about = {"title": article.title, "terms": article.terms, "rules": knowledge.rules}
    sources, feeds = seen
    known_sources = [knowledge.sources[pk] for pk in sources]
    defaults = [found for _, founds in known_sources for found in founds]
    defaults += [found for pk in feeds for found in knowledge.feeds[pk]]
    by_hand = {tag.specialty_id: tag for tag in tags if tag.how == How.PERSON}
    found = [] if article.is_ours else mapping.specialties_of(defaults=defaults, **about)
    found = {each.code: each for each in found if each.code not in by_hand}
    write.specialties(article, [tag for tag in tags if tag.how != How.PERSON], found)

    wanted = mapping.topics_of(
        title=article.title, keywords=article.terms.get("keywords", ()), tags=knowledge.tags
    )
    write.topics(article, topics, wanted)

    facts = {"is_general": not found and all(tag.is_off for tag in by_hand.values())}
    if article.region_why != BY_EDITOR:
        own = next((source for source, _ in known_sources if source.region), None)
        default = (own.region, _name(own)) if own else ("", "")
        facts["region"], facts["region_why"] = mapping.region_of(default=default, **about)
    write.facts(article, facts)


def _seen_in(articles: list[Article]) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """The sources of each, its own first, and the feeds that it was seen in."""
    sources = {article.pk: [article.source_id] if article.source_id else [] for article in articles}
    feeds = {article.pk: [] for article in articles}
    sightings = ArticleSource.objects.filter(article__in=sources).order_by("pk")
    for article, source, feed in sightings.values_list("article", "feed__source", "feed"):
        if source not in sources[article]:
            sources[article].append(source)
        if feed not in feeds[article]:
            feeds[article].append(feed)
    return sources, feeds


def _current(articles: list[Article]) -> tuple[dict, dict]:
    tags, topics = defaultdict(list), defaultdict(list)
    for tag in ArticleSpecialty.objects.filter(article__in=articles):
        tags[tag.article_id].append(tag)
    for topic in ArticleTopic.objects.filter(article__in=articles):
        topics[topic.article_id].append(topic)
    return tags, topics


class _Writes:
    """What a lot of articles changes, written at once."""

    def __init__(self):
        self.made, self.changed, self.gone = [], [], []
        self.topics_made, self.topics_gone = [], []
        self.articles = []

    def specialties(self, article: Article, tags: list[ArticleSpecialty], found: dict[str, Found]) -> None:
        kept = {tag.specialty_id: tag for tag in tags}
        self.gone += [tag.pk for code, tag in kept.items() if code not in found]
        for each in found.values():
            tag = kept.get(each.code)
            if tag is None:
                self.made.append(
                    ArticleSpecialty(
                        article=article,
                        specialty_id=each.code,
                        how=each.how,
                        why=each.why,
                        shown_at=article.shown_at,
                    )
                )
            elif (tag.how, tag.why) != (each.how, each.why):
                tag.how, tag.why = each.how, each.why
                self.changed.append(tag)

    def topics(self, article: Article, topics: list[ArticleTopic], wanted: set[int]) -> None:
        kept = {topic.tag_id: topic.pk for topic in topics}
        self.topics_gone += [pk for tag, pk in kept.items() if tag not in wanted]
        self.topics_made += [
            ArticleTopic(article=article, tag_id=tag, shown_at=article.shown_at)
            for tag in sorted(wanted - kept.keys())
        ]

    def facts(self, article: Article, facts: dict) -> None:
        if any(getattr(article, name) != value for name, value in facts.items()):
            for name, value in facts.items():
                setattr(article, name, value)
            self.articles.append(article)

    def all(self) -> None:
        if self.gone:
            ArticleSpecialty.objects.filter(pk__in=self.gone).delete()
        if self.changed:
            ArticleSpecialty.objects.bulk_update(self.changed, ["how", "why"])
        if self.made:
            ArticleSpecialty.objects.bulk_create(self.made)
        if self.topics_gone:
            ArticleTopic.objects.filter(pk__in=self.topics_gone).delete()
        if self.topics_made:
            ArticleTopic.objects.bulk_create(self.topics_made)
        if self.articles:
            Article.objects.bulk_update(self.articles, ["is_general", "region", "region_why"])


@transaction.atomic
def correct(*, article: Article, specialties: Iterable[Specialty], region: str, by: User) -> Article:
    """Say by hand which specialties and region an article has. Only what differs becomes the editor's word."""
    wanted = {specialty.pk for specialty in specialties}
    if len(wanted) > MOST_BY_HAND:
        raise TooManySpecialties
    if region not in ("", *Region.values):
        raise UnknownRegion
    article = Article.objects.select_for_update(no_key=True).get(pk=article.pk)
    tags = {tag.specialty_id: tag for tag in article.tags.all()}
    for code, tag in tags.items():
        if tag.is_off == (code in wanted):
            tag.how, tag.why, tag.is_off = How.PERSON, "", code not in wanted
            tag.save(update_fields=["how", "why", "is_off"])
    ArticleSpecialty.objects.bulk_create(
        ArticleSpecialty(article=article, specialty_id=code, how=How.PERSON, shown_at=article.shown_at)
        for code in sorted(wanted - tags.keys())
    )
    article.is_general = not wanted
    if region != article.region:
        article.region, article.region_why = region, BY_EDITOR
    article.save(update_fields=["is_general", "region", "region_why"])
    discussing.carry_over(article)
    log.info("article_corrected", article=article.pk, by=by.pk)
    return article
