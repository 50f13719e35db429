import json
from datetime import UTC, date, datetime

import pytest

from newsfeed import clients
from newsfeed.models import Feed
from newsfeed.parsing.entries import Unreadable
from newsfeed.services.ingesting import Tally, ingest
from newsfeed.tests.factories import make_feed
from newsfeed.tests.literature_server import efetch, fetch, literature_server, record, work, works

SEARCH, RECORDS = "/eutils/esearch.fcgi", "/eutils/efetch.fcgi"
WORKS = "/journals/0000-0027/works"


@pytest.fixture(scope="module")
def running():
    with literature_server() as server:
        yield server


@pytest.fixture
def server(running, settings):
    running.answers.clear()
    running.asked.clear()
    settings.NEWS_PUBMED_URL = f"{running.url}eutils/"
    settings.NEWS_CROSSREF_URL = running.url
    settings.NEWS_CONTACT = "news@sermo.test"
    return running


def found(*pmids):
    result = {"count": str(len(pmids)), "retmax": "100", "retstart": "0", "idlist": list(map(str, pmids))}
    return 200, json.dumps(
        {"header": {"type": "esearch", "version": "0.3"}, "esearchresult": result}
    ).encode()


class TestPubMed:
    def test_it_searches_a_journal_and_reads_what_it_found(self, server):
        server.answers[SEARCH] = found(99900001, 99900002)
        server.answers[RECORDS] = 200, efetch(record(99900001), record(99900002, doi=None))

        entries = clients.pubmed("0147763", fetch=fetch)

        assert [entry.pmid for entry in entries] == [99900001, 99900002]
        (_, search), (_, records) = server.asked
        assert search == {
            "db": "pubmed",
            "term": "0147763[jid]",
            "datetype": "edat",
            "reldate": "30",
            "retmax": "100",
            "retmode": "json",
            "tool": "sermo",
            "email": "news@sermo.test",
        }
        assert (records["id"], records["retmode"]) == ("99900001,99900002", "xml")

    def test_a_quiet_journal_costs_one_request(self, server, settings):
        settings.NEWS_CONTACT = ""
        server.answers[SEARCH] = found()

        assert clients.pubmed("0147763", fetch=fetch) == []
        assert [path for path, _ in server.asked] == [SEARCH]
        assert "email" not in server.asked[0][1]

    @pytest.mark.parametrize(
        ("status", "body", "words"),
        [
            (200, b'{"error": "API rate limit exceeded"}', "refused"),
            (200, b'{"esearchresult": {"ERROR": "Invalid db name"}}', "refused"),
            (200, b'{"esearchresult": {}}', "JSON"),
            (200, b"[1]", "JSON"),
            (200, b"<html>", "JSON"),
            (200, b'{"esearchresult": {"idlist": [1]}}', "JSON"),
            (502, b"", "502"),
        ],
    )
    def test_a_broken_search_is_said_in_clear_words(self, server, status, body, words):
        server.answers[SEARCH] = status, body

        with pytest.raises(Unreadable, match=words):
            clients.pubmed("0147763", fetch=fetch)

    @pytest.mark.django_db
    def test_what_it_reads_is_the_work_a_feed_showed_before(self, server):
        server.answers[SEARCH], server.answers[RECORDS] = found(99900001), (200, efetch(record()))
        server.answers[WORKS] = 200, works(work(DOI="10.5555/hl.1"))
        by_crossref, by_pubmed = make_feed(kind=Feed.Kind.CROSSREF), make_feed(kind=Feed.Kind.PUBMED)

        first = ingest(feed=by_crossref, entries=clients.crossref("0000-0027", fetch=fetch))
        second = ingest(feed=by_pubmed, entries=clients.pubmed("0147763", fetch=fetch))

        assert (first, second) == (Tally(new=1), Tally(changed=1))
        article = by_crossref.sightings.get().article
        assert (article.doi, article.pmid) == ("10.5555/hl.1", 99900001)
        assert article.terms["mesh"] == ["Atrial Fibrillation", "Humans"]


class TestCrossref:
    def test_it_asks_for_the_newest_works_that_changed_since(self, server):
        server.answers[WORKS] = 200, works(work(1), work(2))

        entries = clients.crossref("0000-0027", fetch=fetch, since=datetime(2026, 11, 1, 23, tzinfo=UTC))

        assert [entry.doi for entry in entries] == ["10.5555/cr.1", "10.5555/cr.2"]
        ((_, asked),) = server.asked
        index, published = asked.pop("filter").split(",")
        assert index == "from-index-date:2026-11-01"
        assert date.fromisoformat(published.removeprefix("from-pub-date:")) < date.today()
        fields = set(asked.pop("select").split(","))
        assert {"DOI", "title", "abstract", "relation"} <= fields
        assert not {"reference", "language", "subtype"} & fields, "heavy, or refused with all of the question"
        assert asked == {"sort": "published", "order": "desc", "rows": "50", "mailto": "news@sermo.test"}

    def test_it_names_nobody_and_looks_back_a_month_without_a_last_time(self, server, settings):
        settings.NEWS_CONTACT = ""
        server.answers[WORKS] = 200, works()

        assert clients.crossref("0000-0027", fetch=fetch) == []
        assert "mailto" not in server.asked[0][1]
        assert server.asked[0][1]["filter"].startswith("from-index-date:20")

    def test_a_journal_it_does_not_know_is_said(self, server):
        with pytest.raises(Unreadable, match="404"):
            clients.crossref("0000-0000", fetch=fetch)
