import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsfeed import keys


@pytest.mark.parametrize(
    ("written", "doi"),
    [
        ("10.5555/HL.2026.0101", "10.5555/hl.2026.0101"),
        ("doi:10.5555/hl.1", "10.5555/hl.1"),
        ("DOI: 10.5555/hl.1", "10.5555/hl.1"),
        ("https://doi.org/10.5555/hl.1", "10.5555/hl.1"),
        ("http://dx.doi.org/10.5555/hl.1", "10.5555/hl.1"),
        ("info:doi/10.5555/hl.1", "10.5555/hl.1"),
        (" 10.5555%2Fhl.1 ", "10.5555/hl.1"),
        ("10.5555/s0140-6736(26)01.", "10.5555/s0140-6736(26)01"),
        ("10.5555/2026.01.05.26300001v2", "10.5555/2026.01.05.26300001"),
        ("10.5555/rs.3.rs-12345/v1", "10.5555/rs.3.rs-12345"),
        ("10.5555/journal.2010v15", "10.5555/journal.2010v15"),
        ("pmid:99900001", None),
        ("10.5/hl", None),
        ("https://heartline.example.org/news", None),
        ("10.5555/" + "x" * 300, None),
        (None, None),
    ],
)
def test_a_doi_is_read_however_it_is_written(written, doi):
    assert keys.doi_of(written) == doi


@pytest.mark.parametrize(
    ("address", "doi"),
    [
        ("https://heartline.example.org/doi/abs/10.5555/hl.1?af=R", "10.5555/hl.1"),
        ("https://heartline.example.org/doi/full/10.5555/HL.1", "10.5555/hl.1"),
        ("https://heartline.example.org/doi/pdf/10.5555/hl.1#page=2", "10.5555/hl.1"),
        ("https://heartline.example.org/doi/10.5555/hl.1?utm_source=rss", "10.5555/hl.1"),
        ("https://heartline.example.org/articles/10.5555/hl.1/full", "10.5555/hl.1"),
        ("https://prints.example.org/content/10.5555/26300001v2.full.pdf", "10.5555/26300001"),
        ("https://openmed.example.org/article?id=10.5555/om.1", "10.5555/om.1"),
        ("http://digest.example.org/out?u=https://doi.org/10.5555/dj.1&src=rss", "10.5555/dj.1"),
        ("https://heartline.example.org/cid/article/doi/10.1093/cid/ciae123/7654321", "10.1093/cid/ciae123"),
        ("https://heartline.example.org/doi/10.1088/0031-9155/61/12345", "10.1088/0031-9155/61/12345"),
        ("https://heartline.example.org/content/pdf/10.1007/s00125-026-1.pdf", "10.1007/s00125-026-1"),
        ("https://heartline.example.org/article/10.1007/s00125-026-1/fulltext.html", "10.1007/s00125-026-1"),
        ("https://heartline.example.org/doi/suppl/10.5555/hl.1", None),
        ("https://heartline.example.org/doi/10.5555/hl.1/suppl_file/protocol.pdf", None),
        ("https://heartline.example.org/doi/10.5555/hl\ud800", "10.5555/hl"),
        ("https://heartline.example.org/news/2026", None),
        ("javascript:10.5555/hl.1", None),
        ("http://[broken/10.5555/hl.1", None),
    ],
)
def test_a_doi_is_found_in_an_address(address, doi):
    assert keys.doi_in_address(address) == doi


def test_words_name_dois_only_where_they_say_so():
    text = "Corrects doi: 10.5555/a.1. See https://doi.org/10.5555/B.2), (doi:10.5555/A.1) and 10.5555/c.3."

    assert list(keys.dois_written(text)) == ["10.5555/a.1", "10.5555/b.2"]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("https://prints.example.org/content/short/2026.01.05.26300001v2?rss=1", 2),
        ("10.5555/2026.01.05.26300001v12", 12),
        ("https://prints.example.org/content/10.5555/26300001v3.full.pdf", 3),
        ("10.5555/hl.2026.0101", 1),
        ("10.5555/rs-1/v0", 1),
        (None, 1),
    ],
)
def test_the_version_of_a_preprint_is_what_its_address_ends_in(text, version):
    assert keys.version_in(text) == version


@pytest.mark.parametrize(
    ("text", "pmid"),
    [
        ("pmid:99900001", 99900001),
        ("pubmed:99900001", 99900001),
        ("https://pubmed.ncbi.nlm.nih.gov/99900001/?utm_source=x", 99900001),
        ("https://www.ncbi.nlm.nih.gov/pubmed/99900001", 99900001),
        ("https://www.ncbi.nlm.nih.gov/99900001", None),
        ("https://heartline.example.org/99900001", None),
        ("99900001", None),
        (None, None),
    ],
)
def test_a_pmid_is_read_from_identifiers_and_addresses_of_pubmed(text, pmid):
    assert keys.pmid_of(text) == pmid


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/a?b=2&c=1",
        "http://www.example.org/a/?c=1&b=2#top",
        "HTTPS://EXAMPLE.ORG:443/a?b=2&utm_source=rss&utm_medium=feed&c=1",
        "https://example.org/a?af=R&b=2&c=1&rss=yes&src=rss",
    ],
)
def test_one_page_has_one_key_however_it_is_linked(address):
    assert keys.url_key(address) == "https://example.org/a?b=2&c=1"


@pytest.mark.parametrize(
    "address", ["", None, "https://example.org/", "ftp://example.org/a", "https://example.org:x/a", "/a"]
)
def test_a_home_page_or_no_address_is_no_key(address):
    assert keys.url_key(address) is None


def test_pages_told_apart_by_a_parameter_have_two_keys():
    assert keys.url_key("https://example.org/?p=1") != keys.url_key("https://example.org/?p=2")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("../report.pdf", "https://example.org/news/report.pdf"),
        ("//example.org/a?utm_source=x", "https://example.org/a"),
        (" https://example.org/\n a ", "https://example.org/a"),
        ("https://reader:word@example.org/a", "https://example.org/a"),
        ("java\tscript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("https://example.org/" + "a" * 1000, ""),
        ("http://[x", ""),
    ],
)
def test_a_link_is_of_the_web_or_none(url, address):
    assert keys.web_address(url, "https://example.org/news/2026/") == address


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_whatever_is_sent_is_read_without_a_fault_and_keys_are_stable(text):
    for found in (keys.doi_of(text), keys.doi_in_address("https://example.org/doi/10.5555/" + text)):
        assert found is None or (keys.doi_of(found) == found == found.lower() and len(found) <= 200)
    key = keys.url_key("https://example.org/" + text)
    assert key is None or keys.url_key(key) == key
    address = keys.web_address(text, "https://example.org/")
    assert not address or address.startswith(("https://", "http://"))
    assert keys.pmid_of(text) is None or keys.pmid_of(text) > 0
