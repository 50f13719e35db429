"""Words of a product, marked in what a firm reads of a post."""

import pytest

from observers.highlights import marked

WORDS = ["velorin", "corvid loop"]


@pytest.mark.parametrize(
    ("html", "seen"),
    [
        ("<p>Velorin, twice a day.</p>", "<p><mark>Velorin</mark>, twice a day.</p>"),
        ("<p>V\u00e9lorin</p>", "<p><mark>V\u00e9lorin</mark></p>"),
        ("<p>Velorins and prevelorin</p>", "<p>Velorins and prevelorin</p>"),
        ("<p>Velo</p><p>rin</p>", "<p>Velo</p><p>rin</p>"),
        ("<strong>Velo</strong>rin", "<strong><mark>Velo</mark></strong><mark>rin</mark>"),
        ("A Corvid\n loop", "A <mark>Corvid\n loop</mark>"),
        ("&lt;velorin&gt; &amp; more", "&lt;<mark>velorin</mark>&gt; &amp; more"),
        ('<a href="https://a.example/velorin?a=1&amp;b=2">x</a><br>y', None),
        ("", ""),
    ],
)
def test_whole_words_are_marked_and_all_else_stays(html, seen):
    assert marked(html, WORDS) == (html if seen is None else seen)


def test_no_word_becomes_a_tag():
    assert "<script" not in marked("&lt;script&gt;velorin&lt;/script&gt;", WORDS)
