"""PubMed and Crossref, for journals whose own feed does not answer us."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from urllib.parse import quote, urlencode

from django.conf import settings
from django.utils import timezone

from newsfeed.parsing import crossref as crossref_parsing
from newsfeed.parsing import pubmed as pubmed_parsing
from newsfeed.parsing.entries import Entry, Unreadable
from sermo.fetching import Fetched

Fetch = Callable[[str], Fetched]

PUBMED_DAYS = 30
PUBMED_MOST = 100
CROSSREF_DAYS = 30  # where nothing was read before
CROSSREF_MOST = 50
CROSSREF_FIELDS = (  # those that are read, of which it lets one choose: not the references, which are most of it
    *("DOI", "type", "title", "subtitle", "container-title", "author", "subject", "abstract"),
    *("published-online", "published", "issued", "published-print", "created", "update-to", "relation"),
)
RECENT = timedelta(days=365)  # Crossref indexes old works anew whenever somebody cites them
TOOL = "sermo"


def pubmed(nlm_id: str, *, fetch: Fetch) -> list[Entry]:
    """What came into PubMed lately from a journal: a search for its numbers, then the records of all of them."""
    about = {"db": "pubmed", "tool": TOOL}
    if settings.NEWS_CONTACT:
        about["email"] = settings.NEWS_CONTACT
    search = {
        **about,
        "term": f"{nlm_id}[jid]",
        "datetype": "edat",
        "reldate": PUBMED_DAYS,
        "retmax": PUBMED_MOST,
        "retmode": "json",
    }
    numbers = _numbers(fetch(_address(settings.NEWS_PUBMED_URL, "esearch.fcgi", search)))
    if not numbers:
        return []
    records = {**about, "id": ",".join(numbers), "retmode": "xml"}
    answer = fetch(_address(settings.NEWS_PUBMED_URL, "efetch.fcgi", records))
    return pubmed_parsing.read_articles(_body(answer, "PubMed"))


def _numbers(answer: Fetched) -> list[str]:
    try:
        result = json.loads(_body(answer, "PubMed"))
        if "error" in result or "ERROR" in result.get("esearchresult", {}):
            raise Unreadable("PubMed refused the search.")
        numbers = result["esearchresult"]["idlist"]
        return [number for number in numbers if number.isascii() and number.isdecimal()][:PUBMED_MOST]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable("PubMed's answer is not the JSON it should be.") from error


def crossref(issn: str, *, fetch: Fetch, since: date | None = None) -> list[Entry]:
    """The newest works of a journal, by its electronic ISSN, of those that Crossref took in or changed since."""
    today = timezone.now().date()
    from_day = f"{since:%Y-%m-%d}" if since else f"{today - timedelta(days=CROSSREF_DAYS):%Y-%m-%d}"
    asked = {
        "filter": f"from-index-date:{from_day},from-pub-date:{today - RECENT:%Y-%m-%d}",
        "sort": "published",
        "order": "desc",
        "rows": CROSSREF_MOST,
        "select": ",".join(CROSSREF_FIELDS),
    }
    if settings.NEWS_CONTACT:
        asked["mailto"] = settings.NEWS_CONTACT
    address = _address(settings.NEWS_CROSSREF_URL, f"journals/{quote(issn, safe='')}/works", asked)
    return crossref_parsing.read_works(_body(fetch(address), "Crossref"))


def _address(base: str, path: str, parameters: dict) -> str:
    return f"{base.rstrip('/')}/{path}?{urlencode(parameters)}"


def _body(answer: Fetched, who: str) -> bytes:
    if answer.status != 200:
        raise Unreadable(f"{who} answered with {answer.status}.")
    return answer.body
