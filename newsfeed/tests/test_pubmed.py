from datetime import UTC, datetime

import pytest

from newsfeed.models import Article
from newsfeed.parsing.entries import Unreadable
from newsfeed.parsing.pubmed import read_articles
from newsfeed.tests.literature_server import efetch, record

Kind = Article.Kind


def read_one(**facts):
    (entry,) = read_articles(efetch(record(**facts)))
    return entry


def note(kind, doi):
    return (
        f'<CommentsCorrectionsList><CommentsCorrections RefType="{kind}"><RefSource>Heartline. 2025 Mar;'
        f"9(2):44-51. doi: {doi}.</RefSource><PMID>99900500</PMID></CommentsCorrections></CommentsCorrectionsList>"
    )


def test_a_citation_is_read_whole():
    entry = read_one()

    assert (entry.guid, entry.pmid, entry.doi) == ("pubmed:99900001", 99900001, "10.5555/hl.1")
    assert entry.url == "https://doi.org/10.5555/hl.1"
    assert entry.title == "A Patch for Atrial Fibrillation"
    assert entry.authors == ("O’Shea KJ", "HALCYON Investigators")
    assert (entry.journal, entry.language, entry.kind) == ("Heartline", "en", Kind.ARTICLE)
    assert entry.mesh == ("Atrial Fibrillation", "Humans")
    assert entry.keywords == ("patch screening",)
    assert entry.published_at == datetime(2026, 11, 3, tzinfo=UTC)
    assert entry.abstract == (
        "<p><strong>Background.</strong> Levels of CO<sub>2</sub> &lt; 40.</p>"
        "<p><strong>Results.</strong> It did not differ (<i>P</i> = 0.4).</p>"
    )


def test_without_a_doi_its_page_is_that_of_pubmed_and_works_it_cites_lend_none():
    entry = read_one(doi=None)

    assert (entry.doi, entry.url) == (None, "https://pubmed.ncbi.nlm.nih.gov/99900001/")


def test_a_date_that_is_not_full_or_impossible_gives_way_to_the_next():
    impossible = "<ArticleDate><Year>2026</Year><Month>02</Month><Day>30</Day></ArticleDate>"

    assert read_one(online=impossible).published_at == datetime(2026, 11, 5, tzinfo=UTC)


def test_markup_in_a_title_is_taken_out():
    assert (
        read_one(title="Role of <i>TP53</i> in H<sub>2</sub>O &amp; co.").title == "Role of TP53 in H2O & co"
    )


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (["Randomized Controlled Trial"], Kind.ARTICLE),
        (["Practice Guideline"], Kind.GUIDELINE),
        (["Published Erratum"], Kind.CORRECTION),
        (["Retraction of Publication"], Kind.RETRACTION),
        (["Preprint"], Kind.PREPRINT),
    ],
)
def test_its_types_say_what_it_is(types, kind):
    entry = read_one(types=types)

    assert entry.kind == kind
    assert entry.categories == tuple(types)


@pytest.mark.parametrize(
    ("said", "relation"),
    [
        ("ErratumFor", ("corrects", "10.5555/hl.0")),
        ("RetractionOf", ("retracts", "10.5555/hl.0")),
        ("CommentOn", ("about", "10.5555/hl.0")),
        ("UpdateIn", None),
        ("Cites", None),
    ],
)
def test_it_says_of_which_other_work_it_speaks(said, relation):
    assert read_one(notes=note(said, "10.5555/HL.0")).relations == ((relation,) if relation else ())


def test_a_preprint_names_the_article_it_became():
    entry = read_one(types=["Preprint"], notes=note("UpdateIn", "10.5555/HL.0"))

    assert entry.relations == (("preprint", "10.5555/hl.0"),)


def test_a_record_without_a_number_or_title_is_left_out():
    assert read_articles(efetch(record(pmid="x"), record(title=""))) == []


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"<html><body>Service unavailable</body></html>",
        b"<PubmedArticleSet><PubmedArticle>",
        efetch(record()).replace(b'dtd">', b'dtd" [<!ENTITY a "b">]>'),
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><PubmedArticleSet>&a;</PubmedArticleSet>',
    ],
)
def test_what_is_no_list_of_articles_or_declares_entities_is_refused(xml):
    with pytest.raises(Unreadable, match="PubMed"):
        read_articles(xml)
