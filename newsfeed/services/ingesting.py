"""One article for each work, however often and wherever it is seen."""

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from psycopg.errors import DeadlockDetected

from newsfeed.keys import url_key
from newsfeed.minutes import minutes_of
from newsfeed.models import Article, ArticleSource, Feed, Relation, Source
from newsfeed.parsing.entries import MOST_TERMS, Entry
from newsfeed.services import discussing, joining, mapping
from sermo.text import plain, searchable

TELLS_NEWS = (Article.Kind.NEWS, Article.Kind.ALERT)
NEW, CHANGED, SAME, FAILED = "new", "changed", "same", "failed"

log = structlog.get_logger(__name__)


@dataclass
class Tally:
    """What became of the entries of one answer."""

    new: int = 0
    changed: int = 0
    same: int = 0
    failed: int = 0


def ingest(*, feed: Feed, entries: list[Entry]) -> Tally:
    """Make or update the article of each entry, each in a transaction of its own.

    What a feed said before costs one query for all of it. Whoever comes to the same work at the same time waits, by
    locks on its keys; the unique indexes stand behind that. An entry that cannot be taken in costs no other; raises
    what went wrong with the last where that was so of all.
    """
    tally, trouble = Tally(), None
    entries = _apart(_one_a_guid(entries))
    known = dict(
        feed.sightings.filter(guid__in=[entry.guid for entry in entries]).values_list("guid", "content_hash")
    )
    for entry in entries:
        try:
            outcome = SAME
            if known.get(entry.guid) != entry_hash(entry):
                outcome = _take_or_again(feed, entry)
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:
            log.exception("entry_not_taken", feed=feed.pk, guid=entry.guid)
            outcome, trouble = FAILED, error
        setattr(tally, outcome, getattr(tally, outcome) + 1)
    if trouble and tally.failed == len(entries):
        raise trouble
    return tally


def entry_hash(entry: Entry) -> str:
    return _hash(
        *(entry.title, list(entry.authors), entry.abstract, entry.version),
        *(entry.doi, entry.pmid, str(entry.kind), entry.url, str(entry.published_at)),
    )


def search_text(article: Article) -> str:
    names = [article.source.name, article.source.short_name] if article.source else []
    keywords = article.terms.get("keywords", []) if article.terms else []
    return searchable(
        article.title, *article.authors, *names, article.journal, *keywords, plain(article.abstract)
    )


def _hash(*parts) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def _one_a_guid(entries: list[Entry]) -> list[Entry]:
    """The newest of those under one guid, which are one item and its updates."""
    newest: dict[str, Entry] = {}
    for entry in entries:
        other = newest.get(entry.guid)
        if other is None or _is_newer(entry, other):
            newest[entry.guid] = entry
    return list(newest.values())


def _apart(entries: list[Entry]) -> list[Entry]:
    """Items that share a page, such as the talks of a program, are not known by its address."""
    guids = defaultdict(set)
    for entry in entries:
        guids[url_key(entry.url)].add(entry.guid)
    return [replace(entry, shares_page=len(guids[url_key(entry.url)]) > 1) for entry in entries]


def _key(entry: Entry) -> str | None:
    return None if entry.shares_page else url_key(entry.url)


def _is_newer(entry: Entry, other: Entry) -> bool:
    long_ago = datetime.min.replace(tzinfo=UTC)
    return (entry.version, entry.published_at or long_ago) > (other.version, other.published_at or long_ago)


def _take_or_again(feed: Feed, entry: Entry) -> str:
    try:
        return _take(feed, entry)
    except IntegrityError:  # somebody who holds no lock of ours came first, such as the admin
        return _take(feed, entry)
    except OperationalError as error:
        if not isinstance(error.__cause__, DeadlockDetected):
            raise
        return _take(feed, entry)


@transaction.atomic
def _take(feed: Feed, entry: Entry) -> str:
    _lock(feed, entry)
    seen = (
        ArticleSource.objects.filter(feed=feed, guid=entry.guid).values_list("article_id", flat=True).first()
    )
    found, others = _found(feed, entry, seen)
    if not found:
        article, outcome, is_new_to_source = _create(feed, entry, _Free.of(entry, others)), NEW, True
    else:
        article, before = found[0], _state(found[0])
        is_again = any(one.pk == seen for one in found)
        for other in found[1:]:
            if joined := joining.join(article, other):
                article, before = joined, None
            else:
                others.append(other)
        is_new_to_source = not _is_of(article, feed.source_id)
        outcome = _update(feed, entry, article, before, _Free.of(entry, others), is_again=is_again)
    _see(feed, entry, article)
    if outcome != SAME or is_new_to_source:
        mapping.map_article(article)
    if outcome == CHANGED:
        discussing.carry_over(article)
    return outcome


@dataclass(frozen=True)
class _Free:
    """Keys of an entry that no other work has, so that this one may have them."""

    pmid: int | None
    url_key: str | None

    @classmethod
    def of(cls, entry: Entry, others: list[Article]) -> "_Free":
        key = _key(entry)
        return cls(
            pmid=None if any(other.pmid == entry.pmid for other in others) else entry.pmid,
            url_key=None if any(other.url_key == key for other in others) else key,
        )


def _is_of(article: Article, source_id: int) -> bool:
    """Whether it was seen in that source before: what an article is about follows from where it was seen."""
    return (
        article.source_id == source_id
        or ArticleSource.objects.filter(article=article, feed__source=source_id).exists()
    )


def _lock(feed: Feed, entry: Entry) -> None:
    """Hold all keys of an entry to the end of the transaction, and those of works it speaks of: in one order."""
    keys = [f"guid:{feed.pk}:{entry.guid}"]
    keys += [f"doi:{doi}" for doi in (entry.doi, *(doi for _, doi in entry.relations)) if doi]
    keys += [f"pmid:{entry.pmid}"] if entry.pmid else []
    keys += [f"url:{key}"] if (key := _key(entry)) else []
    numbers = sorted(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], signed=True) for key in keys)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(number) FROM unnest(%s::bigint[]) AS number", [numbers])


def _found(feed: Feed, entry: Entry, seen: int | None) -> tuple[list[Article], list[Article]]:
    """The articles that the keys of an entry lead to, the strongest key first; several are one work, now known as such.

    A key that leads to what is surely another work counts for nothing: one with another DOI or PMID, or the article
    that news of another source links, or another place of one page. Those come second.
    """
    key = _key(entry)
    any_key = Q(pk=seen)
    any_key |= Q(doi=entry.doi) if entry.doi else Q()
    any_key |= Q(pmid=entry.pmid) if entry.pmid else Q()
    any_key |= Q(url_key=key) if key else Q()
    rows = list(Article.objects.filter(any_key).order_by("pk").select_for_update(no_key=True))

    def strength(article):
        return (
            bool(entry.doi) and article.doi == entry.doi,
            bool(entry.pmid) and article.pmid == entry.pmid,
            bool(key) and article.url_key == key,
        )

    rows.sort(key=strength, reverse=True)
    found, doi, pmid = [], entry.doi, entry.pmid
    for article in rows:
        other_doi = doi and article.doi and article.doi != doi
        other_pmid = pmid and article.pmid and article.pmid != pmid
        by_address = not any(strength(article)[:2])
        told_elsewhere = article.source_id != feed.source_id and (
            (article.kind in TELLS_NEWS) != (entry.kind in TELLS_NEWS)
        )
        if other_doi or (other_pmid and (by_address or found)) or (by_address and told_elsewhere):
            continue
        if by_address and found and article.source_id != feed.source_id:
            continue
        if by_address and article.pk != seen and _are_two_places(article.link, entry.url):
            continue
        found.append(article)
        doi, pmid = article.doi or doi, article.pmid or pmid
    return found, [article for article in rows if article not in found]


def _are_two_places(one: str, other: str) -> bool:
    """Of a page, by their fragments."""
    places = {urlsplit(address).fragment for address in (one, other)}
    return len(places) == 2 and "" not in places


def _create(feed: Feed, entry: Entry, free: _Free) -> Article:
    now = timezone.now()
    source = feed.source
    published_at = entry.published_at
    article = Article(
        kind=entry.kind,
        source=source,
        doi=entry.doi,
        pmid=free.pmid,
        url_key=free.url_key,
        link=entry.url,
        title=entry.title,
        authors=list(entry.authors),
        journal=_journal(feed, entry, source),
        section=entry.section,
        version=entry.version,
        abstract=entry.abstract if source.shows_abstracts else "",
        language=entry.language or source.language,
        terms=_terms({}, entry),
        published_at=published_at,
        first_seen_at=now,
        shown_at=min(published_at or now, now),
    )
    _derive(article)
    article.save(force_insert=True)
    _relate(article, entry)
    _answer(article)
    return article


def _update(
    feed: Feed, entry: Entry, article: Article, before: tuple | None, free: _Free, *, is_again: bool
) -> str:
    """Bring an article up to date, in place, from the state `before`; none, if two were just joined.

    Its own source says what its title, authors and abstract are; others fill in what it lacks. An older version of a
    preprint changes nothing, and a removed article only learns its numbers, so that it is known again. `is_again`: it
    was seen under this guid before, so another link is where it now stands.
    """
    article.doi = article.doi or entry.doi
    article.pmid = article.pmid or free.pmid
    if article.state == Article.State.LISTED and entry.version >= article.version:
        _rewrite(feed, entry, article)
        if is_again and entry.url != article.link and _leads(feed, entry, article):
            article.link, article.url_key = entry.url or article.link, free.url_key or article.url_key
        article.url_key = article.url_key or free.url_key
        article.terms = _terms(article.terms, entry)
        _relate(article, entry)
    if _state(article) == before:
        return SAME
    if before is None or _words(article) != before[0]:
        article.changed_at = timezone.now()
    _derive(article)
    article.save()
    _answer(article)
    return CHANGED


def _state(article: Article) -> tuple:
    facts = article.doi, article.pmid, article.url_key, article.kind, article.section, article.journal
    facts += article.link, article.published_at, article.version
    return _words(article), *facts, json.dumps(article.terms, sort_keys=True)


def _words(article: Article) -> tuple:
    return article.title, tuple(article.authors), article.abstract, article.version


def _leads(feed: Feed, entry: Entry, article: Article) -> bool:
    """Whether it says where an article stands: its own source, but no index of works, nor what came before."""
    is_own = feed.source_id == article.source_id and not _is_of_index(feed)
    return is_own and entry.version >= article.version


def _rewrite(feed: Feed, entry: Entry, article: Article) -> None:
    leads = feed.source_id == article.source_id or entry.version > article.version
    if leads and not article.edited_by_hand:
        article.title = entry.title
    if article.kind == Article.Kind.ARTICLE and entry.kind not in TELLS_NEWS and not article.edited_by_hand:
        article.kind = entry.kind
    if entry.authors and (leads or not article.authors):
        article.authors = list(entry.authors)
    if feed.source.shows_abstracts and entry.abstract and (leads or not article.abstract):
        article.abstract = entry.abstract
    article.section = article.section or entry.section
    article.journal = article.journal or _journal(feed, entry, article.source)
    article.link = article.link or entry.url
    article.published_at = article.published_at or entry.published_at
    if entry.version > article.version:
        article.version = entry.version
        article.link = entry.url or article.link


def _derive(article: Article) -> None:
    article.search_text = search_text(article)
    article.minutes = minutes_of(article)


def _journal(feed: Feed, entry: Entry, source: Source | None) -> str:
    """Where it appeared, unless that is the source it is filed under.

    Indexes abbreviate or spell a journal in their own way, so of their feeds of one journal it is known anyhow.
    """
    names = {_bare(source.name), _bare(source.short_name)} if source else set()
    is_source = _bare(entry.journal) in names or (_is_of_index(feed) and source == feed.source)
    return "" if is_source else entry.journal


def _is_of_index(feed: Feed) -> bool:
    return feed.kind != Feed.Kind.FEED or "/rss/journals/" in feed.address


def _bare(name: str) -> str:
    return "".join(sign for sign in searchable(name).removeprefix("the ") if sign.isalnum())


def _terms(terms: dict, entry: Entry) -> dict:
    """What feeds said so far, and what this one adds."""
    said = {
        "sections": [entry.section] if entry.section else [],
        "categories": entry.categories,
        "mesh": entry.mesh,
        "keywords": entry.keywords,
    }
    return {
        name: list(dict.fromkeys([*terms.get(name, []), *new]))[:MOST_TERMS] for name, new in said.items()
    }


def _see(feed: Feed, entry: Entry, article: Article) -> None:
    seen = ArticleSource(
        feed=feed, guid=entry.guid, article=article, url=entry.url, content_hash=entry_hash(entry)
    )
    ArticleSource.objects.bulk_create(
        [seen],
        update_conflicts=True,
        unique_fields=["feed", "guid"],
        update_fields=["article", "url", "content_hash"],
    )


def _relate(article: Article, entry: Entry) -> None:
    """Note what an entry says of other works, whether or not they are here."""
    spoken_of = [(kind, doi) for kind, doi in entry.relations if doi != article.doi]
    if not spoken_of:
        return
    here = dict(Article.objects.filter(doi__in=[doi for _, doi in spoken_of]).values_list("doi", "pk"))
    Relation.objects.bulk_create(
        [Relation(article=article, kind=kind, doi=doi, related_id=here.get(doi)) for kind, doi in spoken_of],
        ignore_conflicts=True,
    )


def _answer(article: Article) -> None:
    """Find those who spoke of this work before it was here."""
    if article.doi:
        waiting = Relation.objects.filter(doi=article.doi, related=None)
        waiting.exclude(article=article).update(related=article)
