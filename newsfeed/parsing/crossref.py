"""What Crossref answers about the works of a journal: JSON, as publishers deposited it."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from django.utils import timezone

from newsfeed import keys
from newsfeed.models import Article, Relation
from newsfeed.parsing import words
from newsfeed.parsing.entries import MOST_ENTRIES, Entry, Unreadable, clean_entry, kind_of
from sermo.citations import DOI

NOT_WORKS = {"journal", "journal-issue", "journal-volume", "component", "grant", "peer-review"}
UPDATES = {
    "retraction": Article.Kind.RETRACTION,
    "withdrawal": Article.Kind.RETRACTION,
    "removal": Article.Kind.RETRACTION,
    "correction": Article.Kind.CORRECTION,
    "corrigendum": Article.Kind.CORRECTION,
    "erratum": Article.Kind.CORRECTION,
    "clarification": Article.Kind.CORRECTION,
}
SAYS = {
    Article.Kind.RETRACTION: Relation.Kind.RETRACTS,
    Article.Kind.CORRECTION: Relation.Kind.CORRECTS,
}
DATES = ("published-online", "published", "issued", "published-print")
JATS = (
    (r"<jats:title[^>]*>\s*(?:Abstract|Summary)\s*</jats:title>", ""),
    (r"<(/?)jats:title\b[^>]*>", r"<\1h3>"),
    (r"<(/?)jats:sec\b[^>]*>", r"<\1div>"),
    (r"<(/?)jats:italic\b[^>]*>", r"<\1i>"),
    (r"<(/?)jats:bold\b[^>]*>", r"<\1b>"),
    (r"<(/?)jats:list-item\b[^>]*>", r"<\1li>"),
    (r"<(/?)jats:list\b[^>]*>", r"<\1ul>"),
    (r"<jats:ext-link\b[^>]*?xlink:href=\"([^\"]*)\"[^>]*>", r'<a href="\1">'),
    (r"</jats:ext-link>", "</a>"),
    (r"<(/?)jats:(p|sub|sup)\b[^>]*>", r"<\1\2>"),
    (r"</?jats:[^>]*>", ""),
)


def read_works(body: bytes) -> list[Entry]:
    try:
        answer = json.loads(body)
        items = answer["message"]["items"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unreadable("Crossref's answer is not the JSON it should be.") from error
    if not isinstance(items, list):
        raise Unreadable("Crossref's answer is not a list of works.")
    found = (_entry(item) for item in items[:MOST_ENTRIES] if isinstance(item, dict))
    return [entry for entry in found if entry]


def _entry(item: dict) -> Entry | None:
    doi, title = keys.doi_of(_text(item.get("DOI"))), _title(item)
    if not doi or not words.plain_title(title) or item.get("type") in NOT_WORKS:
        return None
    updates = list(_updates(item))
    default = Article.Kind.PREPRINT if item.get("type") == "posted-content" else Article.Kind.ARTICLE
    kind = kind_of(title=title, sections=[_text(item.get("subtype"))], by_default=default)
    if updates:
        kind = updates[0][0]
    relations = [(SAYS[said], other) for said, other in updates]
    relations += [(Relation.Kind.PREPRINT_OF, other) for other in _published_as(item)]
    return clean_entry(
        guid=doi,
        url=DOI.format(doi),
        title=title,
        doi=doi,
        authors=list(_authors(item)),
        journal=_first(item.get("container-title")),
        categories=tuple(map(_text, _list(item.get("subject")))),
        abstract=_abstract(_text(item.get("abstract"))),
        published_at=_published(item),
        language=_text(item.get("language")),
        kind=kind,
        version=keys.version_in(_text(item.get("DOI"))) if kind == Article.Kind.PREPRINT else 1,
        relations=relations,
        now=timezone.now(),
    )


def _title(item: dict) -> str:
    title, subtitle = _first(item.get("title")), _first(item.get("subtitle"))
    return f"{title}: {subtitle}" if title and subtitle and subtitle.lower() not in title.lower() else title


def _updates(item: dict) -> Iterator[tuple[str, str]]:
    for update in _list(item.get("update-to")):
        kind = UPDATES.get(_text(_dict(update).get("type")).lower())
        doi = keys.doi_of(_text(_dict(update).get("DOI")))
        if kind and doi:
            yield kind, doi


def _published_as(item: dict) -> Iterator[str]:
    for other in _list(_dict(item.get("relation")).get("is-preprint-of")):
        if doi := keys.doi_of(_text(_dict(other).get("id"))):
            yield doi


def _authors(item: dict) -> Iterator[str]:
    for author in map(_dict, _list(item.get("author"))):
        family, given = _text(author.get("family")), _text(author.get("given"))
        initials = "".join(part[0] for part in re.split(r"[\s.-]+", given) if part)
        initials = initials if initials.isupper() else given
        yield f"{family} {initials}".strip() or _text(author.get("name"))


def _abstract(jats: str) -> str:
    jats = jats[: words.LONGEST_SENT]
    for pattern, plain in JATS:
        jats = re.sub(pattern, plain, jats)
    return words.safe_html(jats)


def _published(item: dict) -> datetime | None:
    """The first full date, else when the DOI was made: many deposit a mere year or month."""
    for name in DATES:
        parts = _list(next(iter(_list(_dict(item.get(name)).get("date-parts"))), None))
        if len(parts) == 3 and all(isinstance(part, int) for part in parts):
            try:
                return words.moment(datetime(*parts, tzinfo=UTC).isoformat())
            except (ValueError, OverflowError):
                continue
    return words.moment(_text(_dict(item.get("created")).get("date-time")))


def _first(value) -> str:
    return _text(value) if isinstance(value, str) else next((_text(each) for each in _list(value)), "")


def _text(value) -> str:
    return words.printable(value) if isinstance(value, str) else ""


def _list(value) -> list:
    return value if isinstance(value, list) else []


def _dict(value) -> dict:
    return value if isinstance(value, dict) else {}
