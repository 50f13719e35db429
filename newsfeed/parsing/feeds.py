"""RSS and Atom, as publishers send them: often odd, sometimes ill-formed, never trusted."""

import hashlib
import re
import time
from dataclasses import replace
from datetime import datetime
from urllib.parse import urljoin

import feedparser

from newsfeed import keys
from newsfeed.models import Article
from newsfeed.parsing import raw, words
from newsfeed.parsing.entries import (
    MOST_ENTRIES,
    SPEAKS_OF,
    Entry,
    Unreadable,
    clean_entry,
    kind_of,
    short_guid,
)

SECONDS = 10.0  # for all of one feed
LONGEST_AUTHORS = 5_000  # characters of the names that one element has
TELLS_NEWS = (Article.Kind.NEWS, Article.Kind.ALERT)
NOTICES = (Article.Kind.CORRECTION, Article.Kind.RETRACTION)
DATES = ("published", "updated", "prism_publicationdate", "created")  # a dc:date is read as "updated"
BOILERPLATE = re.compile(
    r"""
      <p[^>]{0,300}>\s*by\s[^<]*</p>                                  # authors once more
    | <p[^>]{0,300}>\s*(?:<b>\s*)?(?:NO\s)?ABSTRACT(?:\s*</b>)?\s*</p>
    | <p[^>]{0,300}>[^<]{0,200}\b(?:19|20)\d\d\b[^<]{0,60}\bdoi:[^<]{0,300}</p>  # where it appeared
    | <p[^>]{0,300}>\s*PMID:.{0,2000}?</p>
    | \A[^<]{0,160},\s(?:Volume|Vol\.)\s[^<]{0,160}\b(?:19|20)\d\d\.?\s*(?:<br\s*/?>|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)


class Entries(list[Entry]):
    """The items of a feed. `is_whole`: it was proper XML to its end, so that none can be missing."""

    is_whole: bool = True


def read_feed(body: bytes, headers, *, item_kind: str, now: datetime) -> Entries:
    """The items of a feed, at most so many as one answer may have. `item_kind`: what they are unless they say it."""
    until = time.monotonic() + SECONDS
    headers = {str(name).lower(): value for name, value in dict(headers).items()}
    body = _readable(body, headers.get("content-type") or "")
    marks = raw.items(body)
    short = raw.first_of(body, marks, MOST_ENTRIES)
    if raw.is_endless(short):
        raise Unreadable("The feed has too many tags to be read in time.")
    parsed = _parse(short, headers)
    if not parsed.get("version"):
        raise Unreadable("The answer is neither RSS nor Atom.")
    base = _base(headers.get("content-location") or "", parsed.feed.get("link") or "")
    identifiers = [mark.texts for mark in marks[:MOST_ENTRIES]]
    if len(identifiers) != len(parsed.entries):
        identifiers = [{}] * len(parsed.entries)
    language = parsed.feed.get("language") or ""
    entries = []
    for item, texts in zip(parsed.entries[:MOST_ENTRIES], identifiers, strict=False):
        if time.monotonic() > until:
            raise Unreadable("It took too long to read.")
        entry = _entry(item, texts, base=base, language=language, item_kind=item_kind, now=now)
        if entry.title:
            entries.append(entry)
    found = Entries(each_guid_once(entries))
    found.is_whole = not parsed.bozo
    return found


def _parse(body: bytes, headers: dict):
    told = {name: headers[name] for name in ("content-location", "content-language") if headers.get(name)}
    told["content-type"] = "application/xml; charset=utf-8"
    try:
        return feedparser.parse(body, response_headers=told, sanitize_html=False, resolve_relative_uris=False)
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise Unreadable("The feed is broken.") from error


def _base(address: str, link: str) -> str:
    try:
        return urljoin(address, link)
    except ValueError:
        return address


def _readable(body: bytes, content_type: str) -> bytes:
    """What may be parsed, in UTF-8."""
    if not body.strip():
        raise Unreadable("The answer is empty.")
    text = raw.text_of(body, content_type)
    if text is None:
        raise Unreadable("The feed is in an encoding that is not read.")
    body = b'<?xml version="1.0" encoding="utf-8"?>' + raw.tamed(text).lstrip().encode()
    content = body.partition(b"?>")[2]
    if raw.is_web_page(content):
        raise Unreadable("The answer is a web page, not a feed.")
    if not content.startswith(b"<") or b"\x00" in body:
        raise Unreadable("The answer is not XML.")
    if raw.is_broken(body):
        raise Unreadable("The feed is broken: its tags do not end.")
    if raw.declares_entities(body):
        raise Unreadable("The feed has a DOCTYPE or entities of its own, which are refused.")
    return body


def each_guid_once(entries: list[Entry]) -> list[Entry]:
    """A guid that several pages share has the address of the page behind it, or the place where there is none.

    One that is there again with the same address stays as it is: that is an update.
    """
    pages: dict[str, list[str]] = {}
    for entry in entries:
        pages.setdefault(entry.guid, []).append(entry.url)
    places: dict[str, int] = {}
    kept = []
    for entry in entries:
        shared = pages[entry.guid]
        guid = entry.guid
        if len(shared) > 1 and not entry.url:
            places[guid] = places.get(guid, 0) + 1
            guid = f"{guid}#{places[guid]}"
        elif len(set(shared)) > 1:
            guid = f"{guid} {entry.url}"
        kept.append(replace(entry, guid=short_guid(guid)))
    return kept


def _entry(item, texts, *, base, language, item_kind, now) -> Entry:
    link = keys.web_address(item.get("link"), base)
    title = words.plain_title(item.get("title") or item.get("dc_title"))
    description = _description(item)
    title = title or words.plain_title(description)[:200]
    names = [item.get(name) for name in ("prism_section", "dc_type", "prism_genre", "prism_aggregationtype")]
    kind = kind_of(
        title=title,
        sections=[name for name in names if name],
        by_default=item_kind,
    )
    guid = _guid(item, texts, link, title, description)
    explicit = [item.get("prism_doi"), *texts.get("identifier", ()), item.get("dc_identifier")]
    identifiers = [*explicit, guid]
    doi = _doi(explicit if kind == Article.Kind.ALERT else identifiers, item, link, description, kind=kind)
    written = [found for found in _dois_in(description) if found != doi]
    meant = SPEAKS_OF.get(kind)
    if kind in TELLS_NEWS:
        named = [*map(keys.doi_of, identifiers), keys.doi_in_address(link)]
        written = [found for found in named if found and found != doi] + written
    numbers = {Article.Kind.NEWS: [], Article.Kind.ALERT: explicit}.get(kind, [*identifiers, link])
    return clean_entry(
        guid=guid,
        url=link,
        title=title,
        doi=doi,
        pmid=next(filter(None, map(keys.pmid_of, numbers)), None),
        authors=_authors(item),
        journal=item.get("prism_publicationname") or item.get("dc_source") or "",
        section=item.get("prism_section") or "",
        categories=tuple(tag.get("term") or "" for tag in item.get("tags") or ()),
        keywords=tuple(re.split(r"[;,]", item.get("prism_keyword") or "")),
        abstract=words.safe_html(BOILERPLATE.sub("", description), base=link or base),
        published_at=next(filter(None, (words.moment(dict.get(item, name)) for name in DATES)), None),
        language=item.get("dc_language") or item.get("language") or language,
        kind=kind,
        version=max(map(keys.version_in, [link, *filter(None, identifiers)]))
        if kind == Article.Kind.PREPRINT
        else 1,
        relations=[(meant, found) for found in written] if meant else (),
        now=now,
    )


def _description(item) -> str:
    contents = [content.get("value") or "" for content in item.get("content") or ()]
    return (max(contents, key=len, default="") or item.get("summary") or "")[: words.LONGEST_SENT]


def _guid(item, texts, link, title, description) -> str:
    """As it stands in the feed: a parser may have made an address of it."""
    written = texts.get("guid") or texts.get("id") or [item.get("id") or ""]
    if written[0].strip():
        return written[0]
    return link or f"sha256:{hashlib.sha256(words.printable(f'{title} {description}').encode()).hexdigest()}"


def _doi(identifiers, item, link, description, *, kind) -> str | None:
    """The DOI of the item itself. What news links, or a notice names in its text, is another work's."""
    if kind == Article.Kind.NEWS:
        return None
    for text in identifiers:
        if doi := keys.doi_of(text):
            return doi
    if kind == Article.Kind.ALERT:
        return None
    for address in (link, *identifiers, item.get("id"), item.get("prism_url")):
        if doi := keys.doi_in_address(address):
            return doi
    written = [] if kind in NOTICES else list(_dois_in(description))
    return written[0] if len(written) == 1 else None


def _dois_in(description: str):
    return keys.dois_written(re.sub(r"(?i)<(?!a\b)[^<>]*>", " ", description))


def _authors(item) -> list[str]:
    names = [author.get("name") or "" for author in item.get("authors") or ()]
    return [name for text in names for name in split_authors(text)]


GIVEN = re.compile(r"(?:[A-Z]\.?[ -]?){1,4}")
INITIALS = re.compile(r"[^\W\d_][\w'’. -]*\s[A-Z]{1,4}")


def split_authors(text: str) -> list[str]:
    """One name each, where one element has them all: "Quist B, Alvarez N", "Quist, B., Alvarez, N.", or with ;."""
    text = words.one_line(text[:LONGEST_AUTHORS])
    pieces = [piece.strip() for piece in re.split("[,;]", text) if piece.strip(" .")]
    families, given = pieces[::2], pieces[1::2]
    if given and len(families) == len(given) and all(map(GIVEN.fullmatch, given)):
        return [f"{family} {re.sub(r'[. -]', '', one)}" for family, one in zip(families, given, strict=True)]
    if ";" in text:
        return [name.strip() for name in text.split(";") if name.strip()]
    if len(pieces) > 1 and all(INITIALS.fullmatch(piece) for piece in pieces):
        return pieces
    return [text] if text else []
