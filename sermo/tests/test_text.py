import pytest

from sermo.text import MAX_NESTING, clip, plain, render_markdown, searchable

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/track.png)",
    "[x](javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "<a href='javascript:alert(1)'>x</a>",
    "[x]: javascript:alert(1)\n\n[x]",
    "<svg/onload=alert(1)>",
    "`<script>`",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "<style>*{display:none}</style>",
    '[x](https://a.example/"onmouseover="alert(1))',
    "<iframe src=//evil.example></iframe>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<https://a.example/?<script>>",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_runs_or_loads_survives(attack):
    html = render_markdown(attack)

    for tag in ("<script", "<img", "<svg", "<style", "<iframe"):
        assert tag not in html
    for scheme in ('href="javascript', 'href="data', 'href="vbscript'):
        assert scheme not in html
    assert ' onmouseover="' not in html


def test_links_are_unendorsed_and_say_nothing_of_their_origin():
    assert 'rel="nofollow ugc noopener noreferrer"' in render_markdown("[CDC](https://www.cdc.gov)")


def test_headings_stand_below_those_of_the_page():
    assert render_markdown("# One\n\n### Three") == "<h3>One</h3>\n<h4>Three</h4>\n"


def test_tables_keep_their_alignment_without_style_attributes():
    html = render_markdown("| Drug | mg |\n|---|--:|\n| A | 5 |")

    assert '<td class="n">5</td>' in html
    assert "style" not in html


def test_a_table_that_would_fill_megabytes_is_no_table():
    wide = "|".join("a" * 700) + "\n" + "|".join("-" * 700) + "\n" + "a\n" * 700

    html = render_markdown(wide)

    assert "<table>" not in html
    assert len(html) < 10 * len(wide)


def test_deep_nesting_ends():
    html = render_markdown("> " * 200 + "deep")

    assert html.count("<blockquote>") <= MAX_NESTING


def test_plain_text_for_excerpts():
    assert plain(render_markdown("A **b** < c\n\n- d\n- e")) == "A b < c d e"


def test_clipping_stays_between_words():
    assert clip("one two three", 9) == "one two…"
    assert clip("one", 9) == "one"


def test_searchable_text_has_no_accents_or_odd_forms():
    assert searchable("Sjögren’s", "ﬁbrosis  CO₂") == "sjogren's fibrosis co2"
