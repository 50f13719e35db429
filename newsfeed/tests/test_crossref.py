import json
from datetime import UTC, datetime

import pytest

from newsfeed.models import Article
from newsfeed.parsing.crossref import read_works
from newsfeed.parsing.entries import Unreadable
from newsfeed.tests.literature_server import work, works

Kind = Article.Kind


def read_one(**facts):
    (entry,) = read_works(works(work(**facts)))
    return entry


def test_a_work_is_read_whole():
    entry = read_one()

    assert (entry.guid, entry.doi, entry.url) == (
        "10.5555/cr.1",
        "10.5555/cr.1",
        "https://doi.org/10.5555/cr.1",
    )
    assert entry.title == "A Review of Candida, Part 1"
    assert entry.authors == ("Moreau JP", "Invented Group")
    assert (entry.journal, entry.language, entry.categories) == ("Invented Reviews", "en", ("Mycology",))
    assert entry.abstract == "<p><strong>Aims</strong></p><p>To <i>see</i>.</p>"
    assert entry.published_at == datetime(2026, 11, 4, tzinfo=UTC)


@pytest.mark.parametrize("parts", [[[2026]], [[2026, 11]], [[2026, 2, 30]], [[None]], [], None])
def test_where_no_full_date_is_known_it_is_when_the_doi_was_made(parts):
    assert read_one(issued={"date-parts": parts}).published_at == datetime(2026, 11, 1, 10, tzinfo=UTC)


def test_the_day_it_appeared_online_counts_first():
    entry = read_one(**{"published-online": {"date-parts": [[2026, 10, 30]]}})

    assert entry.published_at == datetime(2026, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "kind", "relation"),
    [
        ("correction", Kind.CORRECTION, "corrects"),
        ("erratum", Kind.CORRECTION, "corrects"),
        ("retraction", Kind.RETRACTION, "retracts"),
        ("new_version", Kind.ARTICLE, None),
    ],
)
def test_an_update_names_its_original(said, kind, relation):
    entry = read_one(**{"update-to": [{"DOI": "10.5555/CR.0", "type": said, "label": said.title()}]})

    assert entry.kind == kind
    assert entry.relations == (((relation, "10.5555/cr.0"),) if relation else ())


def test_a_preprint_has_its_version_and_names_what_became_of_it():
    entry = read_one(
        DOI="10.5555/2026.01.26300001v2",
        type="posted-content",
        subtype="preprint",
        relation={"is-preprint-of": [{"id-type": "doi", "id": "10.5555/CR.9", "asserted-by": "subject"}]},
    )

    assert (entry.kind, entry.version, entry.doi) == (Kind.PREPRINT, 2, "10.5555/2026.01.26300001")
    assert entry.relations == (("preprint", "10.5555/cr.9"),)


def test_a_subtitle_belongs_to_the_title_unless_it_is_there_already():
    assert read_one(title=["Aspirin"], subtitle=["A Trial"]).title == "Aspirin: A Trial"
    assert read_one(title=["Aspirin: A Trial"], subtitle=["A trial"]).title == "Aspirin: A Trial"


@pytest.mark.parametrize(
    "facts", [{"title": []}, {"DOI": "x"}, {"type": "journal-issue"}, {"title": ["<i></i>"]}]
)
def test_what_is_no_work_is_left_out(facts):
    assert read_works(works(work(**facts), work(2)))[0].doi == "10.5555/cr.2"


def test_odd_shapes_and_signs_do_no_harm():
    odd = {"author": ["x", {"given": None, "family": "Ng\x00"}, {}], "subject": "x", "update-to": {"a": 1}}
    odd |= {
        "title": "A\x00 Title",
        "relation": [],
        "created": None,
        "issued": "2026",
        "abstract": "<p>a\x00</p>",
    }

    entry = read_one(**odd)

    assert (entry.title, entry.authors, entry.published_at) == ("A Title", ("Ng",), None)
    assert entry.abstract == "<p>a</p>"


def test_halves_of_characters_are_dropped_everywhere():
    entry = read_one(
        DOI="10.5555/cr.1",
        title=["A\ud800 Title"],
        language="e\udfffn",
        author=[{"family": "Ng\ud800"}],
        abstract="<jats:p>a\ud800</jats:p>",
        **{"container-title": ["J\ud800"]},
    )

    assert (entry.title, entry.authors, entry.abstract) == ("A Title", ("Ng",), "<p>a</p>")
    assert (entry.journal, entry.language) == ("J", "en")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"message": []}', b'{"message": {"items": 1}}', json.dumps(None).encode()],
)
def test_an_answer_of_another_shape_is_refused(body):
    with pytest.raises(Unreadable, match="Crossref"):
        read_works(body)
