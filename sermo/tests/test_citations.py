import time

import pytest

from sermo.citations import Work, citations, work_at
from sermo.text import addresses, render_markdown


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("See PMID 1234567.", "https://pubmed.ncbi.nlm.nih.gov/1234567/"),
        ("pmid:42, again", "https://pubmed.ncbi.nlm.nih.gov/42/"),
        ("(doi:10.1056/NEJMoa_1)", "https://doi.org/10.1056/NEJMoa_1"),
        ("10.1002/(SICI)1097-0258", "https://doi.org/10.1002/(SICI)1097-0258"),
        ("as in nct01234567", "https://clinicaltrials.gov/study/NCT01234567"),
        ("at https://example.org/a_(b).", "https://example.org/a_(b)"),
        ("(https://example.org/a)", "https://example.org/a"),
    ],
)
def test_a_work_in_plain_words_is_recognized_without_what_ends_the_sentence(text, address):
    assert [found.address for found in citations(text)] == [address]


@pytest.mark.parametrize(
    "text",
    [
        "PMID 0123",
        "PMID 123456789",
        "NCT1234567",
        "NCT012345678",
        "10.5 mg/kg",
        "https://localhost",
        "https://[x",
        "creatinine 10.1/2",
        "ftp://example.org",
    ],
)
def test_what_only_looks_like_one_is_left_alone(text):
    assert list(citations(text)) == []


def test_a_work_becomes_a_safe_link_with_its_words_kept():
    html = render_markdown("As in PMID 1234567, *and* more.")

    assert (
        '<a href="https://pubmed.ncbi.nlm.nih.gov/1234567/" rel="nofollow ugc noopener noreferrer">' in html
    )
    assert ">PMID 1234567</a>, <em>and</em>" in html


def test_code_and_links_stay_as_they_were_written():
    html = render_markdown("`PMID 1` and [PMID 2](https://example.org) and\n\n    PMID 3\n")

    assert html.count("<a ") == 1
    assert "<code>PMID 1</code>" in html


def test_an_address_cannot_carry_markup_or_another_scheme():
    html = render_markdown('javascript:alert(1) https://a.example/"onclick="x https://a.example/<b>')

    assert "onclick=" not in html.replace("&quot;", '"').split("</a>")[0]
    assert 'href="javascript' not in html
    assert "<b>" not in html


def test_the_addresses_of_a_text_are_those_of_its_page():
    text = "[a](https://doi.org/10.1000/A), <https://example.org/b>, NCT01234567 and `NCT00000001`"

    assert addresses(text) == [
        "https://doi.org/10.1000/A",
        "https://example.org/b",
        "https://clinicaltrials.gov/study/NCT01234567",
    ]


@pytest.mark.parametrize(
    ("address", "work"),
    [
        ("https://pubmed.ncbi.nlm.nih.gov/12/", Work("pmid", "12")),
        ("https://www.ncbi.nlm.nih.gov/pubmed/12", Work("pmid", "12")),
        ("http://dx.doi.org/10.1000/AbC", Work("doi", "10.1000/abc")),
        ("https://clinicaltrials.gov/ct2/show/nct01234567", Work("nct", "NCT01234567")),
        ("https://example.org/x", Work("url", "https://example.org/x")),
        ("mailto:a@example.org", None),
        ("https://example.org/" + "x" * 400, None),
        ("https://doi.org/10.1000/a%00b", Work("url", "https://doi.org/10.1000/a%00b")),
        ("https://doi.org/10.1000/a%E2%80%AEb", Work("url", "https://doi.org/10.1000/a%E2%80%AEb")),
        ("https://example.org/a\u202eb", None),
        ("https://[x", None),
    ],
)
def test_an_address_tells_which_work_it_leads_to(address, work):
    assert work_at(address) == work


def test_no_text_takes_long():
    hostile = "https://a.b/" + "(" * 9_000 + ")" * 9_000 + " 10.1000/" * 2_000

    began = time.perf_counter()
    list(citations(hostile))

    assert time.perf_counter() - began < 0.5
