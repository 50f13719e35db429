"""What PubMed's efetch answers: an XML document of citations, with a DOCTYPE but no entities of its own."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.utils import timezone

from newsfeed import keys
from newsfeed.models import Article, Relation
from newsfeed.parsing import words
from newsfeed.parsing.entries import MOST_ENTRIES, Entry, Unreadable, clean_entry
from sermo.citations import DOI, PUBMED

KINDS = (  # the first that is said of it
    ({"retraction of publication", "retraction notice", "retracted publication"}, Article.Kind.RETRACTION),
    ({"published erratum"}, Article.Kind.CORRECTION),
    ({"preprint"}, Article.Kind.PREPRINT),
    (
        {"guideline", "practice guideline", "consensus development conference", "consensus statement"},
        Article.Kind.GUIDELINE,
    ),
)
RELATIONS = {
    "ErratumFor": Relation.Kind.CORRECTS,
    "RetractionOf": Relation.Kind.RETRACTS,
    "CommentOn": Relation.Kind.ABOUT,
    "UpdateIn": Relation.Kind.PREPRINT_OF,
}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def read_articles(xml: bytes) -> list[Entry]:
    try:
        root = fromstring(xml, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Unreadable("PubMed's answer is not the XML it should be.") from error
    if root.tag != "PubmedArticleSet":
        raise Unreadable("PubMed's answer is not a list of articles.")
    found = (_entry(record) for record in root.findall("PubmedArticle")[:MOST_ENTRIES])
    return [entry for entry in found if entry]


def _entry(record: Element) -> Entry | None:
    citation, article = record.find("MedlineCitation"), record.find("MedlineCitation/Article")
    pmid = keys.pmid_of(f"pmid:{record.findtext('MedlineCitation/PMID', '').strip()}")
    if article is None or pmid is None or not (title := _inner(article.find("ArticleTitle"))):
        return None
    doi = _doi(record, article)
    types = {(each.text or "").strip() for each in article.iterfind("PublicationTypeList/PublicationType")}
    kind = _kind({each.lower() for each in types})
    version = citation.find("PMID").get("Version", "1")
    return clean_entry(
        guid=f"pubmed:{pmid}",
        url=DOI.format(doi) if doi else PUBMED.format(pmid),
        title=re.sub(r"(?<!\.)\.$", "", title.strip()),
        doi=doi,
        pmid=pmid,
        authors=list(_authors(article)),
        journal=article.findtext("Journal/Title", ""),
        categories=tuple(sorted(types - {"Journal Article"})),
        mesh=tuple(
            each.text or "" for each in citation.iterfind("MeshHeadingList/MeshHeading/DescriptorName")
        ),
        keywords=tuple("".join(each.itertext()) for each in citation.iterfind("KeywordList/Keyword")),
        abstract=_abstract(article),
        published_at=_published(record, article),
        language=article.findtext("Language", ""),
        kind=kind,
        version=int(version) if version.isdecimal() and version != "0" else 1,
        relations=list(_relations(citation, kind)),
        now=timezone.now(),
    )


def _doi(record: Element, article: Element) -> str | None:
    named = [each.text for each in article.iterfind("ELocationID") if each.get("EIdType") == "doi"]
    listed = record.iterfind("PubmedData/ArticleIdList/ArticleId")
    named += [each.text for each in listed if each.get("IdType") == "doi"]
    return next(filter(None, map(keys.doi_of, named)), None)


def _authors(article: Element) -> Iterator[str]:
    for author in article.iterfind("AuthorList/Author"):
        family, initials = author.findtext("LastName", ""), author.findtext("Initials", "")
        yield f"{family} {initials}".strip() or _inner(author.find("CollectiveName"))


def _abstract(article: Element) -> str:
    paragraphs = []
    for part in article.iterfind("Abstract/AbstractText"):
        label = words.plain_title(part.get("Label"))
        heading = f"<strong>{label.capitalize()}.</strong> " if label and label != "UNLABELLED" else ""
        paragraphs.append(f"<p>{heading}{_inner(part)}</p>")
    return words.safe_html("".join(paragraphs))


def _inner(element: Element | None) -> str:
    """What stands in an element, its own markup as it is."""
    if element is None:
        return ""
    return escape(element.text or "") + "".join(tostring(child, encoding="unicode") for child in element)


def _published(record: Element, article: Element) -> datetime | None:
    """The first full date of: appeared online, in its issue, came into PubMed."""
    history = {each.get("PubStatus"): each for each in record.iterfind("PubmedData/History/PubMedPubDate")}
    places = [
        article.find("ArticleDate"),
        article.find("Journal/JournalIssue/PubDate"),
        history.get("pubmed"),
        history.get("entrez"),
    ]
    return next(filter(None, map(_day, places)), None)


def _day(element: Element | None) -> datetime | None:
    if element is None:
        return None
    year, month, day = (element.findtext(name, "").strip() for name in ("Year", "Month", "Day"))
    try:
        month = MONTHS.index(month[:3].lower()) + 1 if month[:3].lower() in MONTHS else month
        found = datetime(int(year), int(month), int(day), tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return words.moment(found.isoformat())


def _kind(types: set[str]) -> str:
    return next((kind for called, kind in KINDS if types & called), Article.Kind.ARTICLE)


def _relations(citation: Element, kind: str) -> Iterator[tuple[str, str]]:
    """A review is updated in the next as a preprint is in its article: only the latter is one work."""
    for each in citation.iterfind("CommentsCorrectionsList/CommentsCorrections"):
        said = RELATIONS.get(each.get("RefType", ""))
        if said and (said != Relation.Kind.PREPRINT_OF or kind == Article.Kind.PREPRINT):
            yield from ((said, other) for other in keys.dois_written(each.findtext("RefSource", "")))
