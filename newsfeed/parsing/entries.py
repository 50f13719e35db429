"""What one publisher sends about one work, cleaned: the same for feeds, PubMed and Crossref."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from newsfeed import keys
from newsfeed.models import Article, Relation
from newsfeed.parsing import words
from sermo.errors import RuleBroken
from sermo.text import clip

MOST_ENTRIES = 200  # of one answer
MOST_AUTHORS = 300
MOST_TERMS = 60  # of one kind
MOST_RELATIONS = 5
LONGEST_GUID = 700
LONGEST_SECTION = 200  # of a name that may say what an entry is
AHEAD = timedelta(days=1)  # that a publisher's clock or time zone may be


class Unreadable(RuleBroken):
    """What came is not what was asked for; the message says what it looks like."""

    message = "The answer could not be read."


@dataclass(frozen=True)
class Entry:
    """One item: `kind` an `Article.Kind`, relations pairs of a `Relation.Kind` and a DOI, `abstract` safe HTML."""

    guid: str
    url: str
    title: str
    doi: str | None = None
    pmid: int | None = None
    authors: tuple[str, ...] = ()
    journal: str = ""
    section: str = ""
    categories: tuple[str, ...] = ()
    mesh: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    abstract: str = ""
    published_at: datetime | None = None
    language: str = ""
    kind: str = Article.Kind.ARTICLE
    version: int = 1
    relations: tuple[tuple[str, str], ...] = ()
    shares_page: bool = False  # with entries of other guids, so that its address says nothing


def clean_entry(*, guid, url, title, now, authors=(), relations=(), published_at=None, **facts) -> Entry:
    """An entry that fits the tables, of whatever a publisher sent."""
    facts = {name: words.printable(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
    if published_at and published_at > now + AHEAD:
        published_at = None
    entry = Entry(
        guid=short_guid(words.one_line(guid)),
        url=keys.web_address(url),
        title=clip(words.plain_title(title), 500),
        authors=_each_once(authors, most=MOST_AUTHORS, length=200),
        published_at=published_at,
        relations=tuple(dict.fromkeys(relations))[:MOST_RELATIONS],
        **facts,
    )
    return replace(
        entry,
        journal=clip(words.plain_title(entry.journal), 200),
        section=clip(words.plain_title(entry.section), 120),
        categories=_each_once(entry.categories),
        mesh=_each_once(entry.mesh),
        keywords=_each_once(entry.keywords),
        language=_language(entry.language),
        version=min(entry.version, 99),
        relations=tuple((kind, doi) for kind, doi in entry.relations if doi != entry.doi),
    )


def short_guid(guid: str) -> str:
    if len(guid) <= LONGEST_GUID:
        return guid
    return f"sha256:{hashlib.sha256(guid.encode()).hexdigest()}"


def _each_once(texts, *, most=MOST_TERMS, length=120) -> tuple[str, ...]:
    cleaned = (clip(words.plain_title(text), length) for text in islice(texts, 2 * most))
    return tuple(dict.fromkeys(text for text in cleaned if text))[:most]


LANGUAGES = {"eng": "en", "fre": "fr", "fra": "fr", "ger": "de", "deu": "de", "spa": "es", "ita": "it"}


def _language(code: str) -> str:
    code = re.split(r"[-_]", code.strip().lower())[0]
    return LANGUAGES.get(code, code) if re.fullmatch(r"[a-z]{2,3}", code) else ""


RETRACTION = r"(?:(?:notice of )?retraction(?: (?:notice|note))?|retracted|withdrawal|withdrawn)(?: article)?"
CORRECTION = (
    r"(?:(?:author|publisher|published) )?(?:corrections?|errat(?:um|a)|corrigend(?:um|a))(?: notice)?"
)
GUIDELINE = r"guidelines?|(?:consensus|scientific|position|recommendation) statement"
BY_SECTION = (
    (Article.Kind.RETRACTION, re.compile(rf"{RETRACTION}s?", re.I)),
    (Article.Kind.CORRECTION, re.compile(CORRECTION, re.I)),
    (Article.Kind.GUIDELINE, re.compile(rf".*\b(?:{GUIDELINE})s?\b.*", re.I)),
    (Article.Kind.PREPRINT, re.compile(r"preprints?", re.I)),
)
BY_TITLE = (
    (Article.Kind.RETRACTION, re.compile(rf"\W*{RETRACTION}(?: (?:of|to|for))?\s*[:\]–—]", re.I)),
    (Article.Kind.CORRECTION, re.compile(rf"\W*{CORRECTION}(?: (?:of|to|for|in))?\s*[:\]–—]", re.I)),
    (Article.Kind.CORRECTION, re.compile(r"(?:correction|erratum|corrigendum) to\b", re.I)),
    (
        Article.Kind.GUIDELINE,
        re.compile(rf"(?:\d{{4}}\s.{{0,80}}\b)?(?:{GUIDELINE})s?\b\s*(?:on|for|:)", re.I),
    ),
    (Article.Kind.GUIDELINE, re.compile(r".*\bclinical practice guideline\b", re.I)),
)


def kind_of(*, title: str, sections, by_default: str) -> str:
    """What an entry is, by what its publisher calls it, else by how its title begins."""
    if by_default in (Article.Kind.ALERT, Article.Kind.NEWS):
        return by_default
    sections = [name.strip() for name in sections if len(name) <= LONGEST_SECTION]
    found = [kind for kind, called in BY_SECTION if any(map(called.fullmatch, sections))]
    found += [kind for kind, begins in BY_TITLE if begins.match(title)]
    if by_default == Article.Kind.PREPRINT:
        found = [kind for kind in found if kind == Article.Kind.RETRACTION]
    return found[0] if found else by_default


SPEAKS_OF = {
    Article.Kind.CORRECTION: Relation.Kind.CORRECTS,
    Article.Kind.RETRACTION: Relation.Kind.RETRACTS,
    Article.Kind.NEWS: Relation.Kind.ABOUT,
    Article.Kind.ALERT: Relation.Kind.ABOUT,
}
