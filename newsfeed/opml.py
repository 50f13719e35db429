"""Lists of feeds as feed readers exchange them."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.db import transaction
from django.utils.text import slugify
from django.utils.xmlutils import SimplerXMLGenerator

from accounts.models import Specialty
from newsfeed.mapping import folded
from newsfeed.models import Feed, Source
from newsfeed.services import mapping
from sermo.errors import RuleBroken
from sermo.text import clip

MOST_BYTES = 1024 * 1024
MOST_FEEDS = 500
LONGEST_ADDRESS, LONGEST_HOME = 600, 300
LONGEST_NAME, LONGEST_SHORT_NAME, LONGEST_SLUG = 160, 60, 60
DEEPEST = 10
PUBMED = re.compile(r"https://pubmed\.ncbi\.nlm\.nih\.gov/rss/journals/([0-9A-Za-z]{5,12})/?(\?|$)")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


class NotOpml(RuleBroken):
    message = "This is not an OPML file."


class TooLarge(RuleBroken):
    message = "The file is larger than 1 MB."


class TooMany(RuleBroken):
    message = f"The file has more than {MOST_FEEDS} feeds."


@dataclass
class Report:
    added: list[str] = field(default_factory=list)
    feeds: list[Feed] = field(default_factory=list)  # those added, each with its source
    known: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)  # an address, and why


@dataclass(frozen=True)
class Outline:
    name: str
    address: str
    home: str
    fields: tuple[str, ...]  # names of its categories and of the groups it stands in


@transaction.atomic
def take_in(data: bytes) -> Report:
    """Add a source with a feed for each address that is not known yet; a second address under one name is another
    feed of it, read beside the first. Raises NotOpml, TooLarge, TooMany.
    """
    report, outlines, made = Report(), list(read(data)), {}
    known = {(kind, address) for kind, address in Feed.objects.values_list("kind", "address")}
    names = {name.lower() for name in Source.objects.values_list("name", flat=True)}
    slugs = set(Source.objects.values_list("slug", flat=True))
    specialties = {folded(each.name): each for each in Specialty.objects.filter(is_choice=True)}
    for outline in outlines:
        kind, address = _feed_of(outline.address)
        if (kind, address) in known:
            report.known.append(outline.address)
        elif why := _refusal(outline):
            report.refused.append((clip(outline.address, 100), why))
        else:
            known.add((kind, address))
            same = outline.name.lower(), outline.home
            if same not in made:
                name = _free_name(outline, names)
                made[same] = _source(outline, name, _free_slug(name, slugs), specialties)
            source = made[same]
            place = source.feeds.count() + 1
            feed = Feed.objects.create(
                source=source, place=place, kind=kind, address=address, is_beside=place > 1
            )
            report.feeds.append(feed)
            report.added.append(source.name)
    if report.added:
        mapping.forget()
    return report


def read(data: bytes) -> Iterator[Outline]:
    """The outlines with an address. Raises NotOpml, TooLarge, TooMany."""
    if len(data) > MOST_BYTES:
        raise TooLarge
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise NotOpml from None
    body = root.find("body") if root.tag == "opml" else None
    if body is None:
        raise NotOpml
    found = list(_outlines(body, ()))
    if len(found) > MOST_FEEDS:
        raise TooMany
    return iter(found)


def _outlines(element, groups: tuple[str, ...]) -> Iterator[Outline]:
    if len(groups) > DEEPEST:
        raise NotOpml
    for each in element.findall("outline"):
        title = _one_line(each.get("title") or each.get("text") or "")
        if address := each.get("xmlUrl", "").strip():
            fields = (*_categories(each.get("category", "")), *groups)
            yield Outline(title, address, each.get("htmlUrl", "").strip(), tuple(map(_one_line, fields)))
        yield from _outlines(each, (*groups, title))


def _categories(text: str) -> Iterator[str]:
    """Separated by commas, which our own names of specialties may have in them."""
    for part in (*re.split(r",\s*(?=/)", text), *text.split(",")):
        yield part.rsplit("/", 1)[-1]


def _one_line(text: str) -> str:
    return " ".join(_CONTROLS.sub(" ", text).split())


def _feed_of(address: str) -> tuple[str, str]:
    """PubMed's page of a journal is read by its NLM id, like the journals the site ships with."""
    if found := PUBMED.match(address):
        return Feed.Kind.PUBMED, found[1]
    return Feed.Kind.FEED, address


def _refusal(outline: Outline) -> str:
    if len(outline.address) > LONGEST_ADDRESS:
        return f"Its address is longer than {LONGEST_ADDRESS} characters."
    return address_trouble(outline.address)


def address_trouble(address: str) -> str:
    """Why an address cannot be that of a feed; empty where it can."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "Its address is not a web address."
    if parts.scheme not in ("http", "https") or not host or _CONTROLS.search(address) or " " in address:
        return "Its address is not a web address."
    if parts.username is not None or parts.password is not None:
        return "Its address has a name or password in it."
    return ""


def _free_name(outline: Outline, names: set[str]) -> str:
    wanted = outline.name or urlsplit(outline.address).hostname
    name, number = clip(wanted, LONGEST_NAME), 2
    while name.lower() in names:
        name, number = f"{clip(wanted, LONGEST_NAME - 6)} ({number})", number + 1
    names.add(name.lower())
    return name


def _free_slug(name: str, slugs: set[str]) -> str:
    wanted = slugify(name)[: LONGEST_SLUG - 4].strip("-") or "source"
    slug, number = wanted, 2
    while slug in slugs:
        slug, number = f"{wanted}-{number}", number + 1
    slugs.add(slug)
    return slug


def _source(outline: Outline, name: str, slug: str, specialties: dict[str, Specialty]) -> Source:
    home = outline.home if len(outline.home) <= LONGEST_HOME and not address_trouble(outline.home) else ""
    short_name = clip(name, LONGEST_SHORT_NAME)
    source = Source.objects.create(name=name, slug=slug, short_name=short_name, home=home)
    source.specialties.set(
        {specialties[folded(each)] for each in outline.fields if folded(each) in specialties}
    )
    return source


def write() -> bytes:
    """All feeds that have a web address, in their order; those asked for by a number are not part of OPML."""
    out = io.BytesIO()
    xml = SimplerXMLGenerator(out, "utf-8", short_empty_elements=True)
    xml.startDocument()
    xml.startElement("opml", {"version": "2.0"})
    xml.startElement("head", {})
    xml.addQuickElement("title", "News sources")
    xml.endElement("head")
    xml.startElement("body", {})
    feeds = Feed.objects.filter(kind=Feed.Kind.FEED).select_related("source")
    for feed in feeds.prefetch_related("source__specialties").order_by("source__name", "place"):
        xml.addQuickElement("outline", None, _attributes(feed))
    xml.endElement("body")
    xml.endElement("opml")
    xml.endDocument()
    return out.getvalue()


def _attributes(feed: Feed) -> dict[str, str]:
    fields = ",".join(f"/{each.name}" for each in feed.source.specialties.all())
    attributes = {
        "type": "rss",
        "text": feed.source.short_name,
        "title": feed.source.name,
        "xmlUrl": feed.address,
        "htmlUrl": feed.source.home,
        "category": fields,
    }
    return {name: value for name, value in attributes.items() if value}
