import json
import time
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime

import pytest

from newsfeed.models import Article, Source
from newsfeed.parsing import feeds, words
from newsfeed.parsing.entries import MOST_ENTRIES, Unreadable, clean_entry
from newsfeed.parsing.feeds import read_feed, split_authors
from newsfeed.tests.sample_feeds import EXPECTED, FOLDER, NAMES, entries_of

Kind = Article.Kind
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HEAD = (
    '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:prism="urn:prism" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
    "<title>Invented</title><link>https://journal.example.org/</link>"
)


def rss(*items):
    return f'<?xml version="1.0"?>{HEAD}{"".join(f"<item>{item}</item>" for item in items)}</channel></rss>'


def read(body, item_kind=Source.Item.ARTICLE, headers=()):
    body = body if isinstance(body, bytes) else body.encode()
    return read_feed(body, dict(headers), item_kind=item_kind, now=NOW)


def read_one(item, item_kind=Source.Item.ARTICLE):
    (entry,) = read(rss(item), item_kind)
    return entry


class TestSamples:
    @pytest.mark.parametrize("name", NAMES)
    def test_each_file_has_what_is_expected(self, name):
        entries, expected = entries_of(name), EXPECTED["files"][name]

        assert len(entries) == expected["entries"]
        assert sorted({entry.doi for entry in entries if entry.doi}) == expected["dois"]
        assert sorted({entry.pmid for entry in entries if entry.pmid}) == expected["pmids"]

    def test_a_publishers_item_is_read_whole(self):
        entry = entries_of(NAMES[0])[0]

        assert entry.title.startswith("Velorabant versus Warfarin")
        assert entry.authors == ("Okafor AN", "Lindqvist M", "Bhattarai S")
        assert (entry.journal, entry.section, entry.language) == ("Heartline", "Original Research", "en")
        assert entry.url == "https://heartline.example.org/doi/abs/10.5555/hl.2026.0101"
        assert entry.published_at == datetime(2026, 3, 2, 5, tzinfo=UTC)
        assert entry.abstract.startswith("Among 1,204 adults"), "where it appeared is no part of it"

    def test_corrections_retractions_and_guidelines_are_known(self):
        kinds = {entry.doi: entry.kind for name in NAMES[:2] for entry in entries_of(name)}

        assert kinds["10.5555/hl.2026.0105"] == Kind.GUIDELINE
        assert kinds["10.5555/hl.2026.0106"] == Kind.CORRECTION
        assert kinds["10.5555/hl.2026.0108"] == Kind.RETRACTION
        assert kinds["10.5555/hl.2026.0101"] == Kind.ARTICLE

    def test_an_atom_id_that_is_a_doi_stays_one_and_links_are_made_whole(self):
        entry = entries_of(NAMES[2])[0]

        assert entry.guid == "10.5555/om.1004001"
        assert entry.url == "https://openmed.example.org/article?id=10.5555/om.1004001"
        assert entry.abstract.startswith("<p><strong>Background</strong></p><p>Ninety-day")

    def test_pubmed_items_have_both_numbers_and_no_frame_round_their_abstract(self):
        entry, only_pmid = entries_of(NAMES[3])[0], entries_of(NAMES[3])[-1]

        assert (entry.doi, entry.pmid) == ("10.5555/hl.2026.0101", 99900001)
        assert entry.abstract.startswith("<p>Among 1,204")
        assert entry.abstract.endswith("0.97–2.05).</p>")
        assert (only_pmid.doi, only_pmid.pmid, only_pmid.abstract) == (None, 99900900, "")

    def test_preprints_have_versions_and_single_authors(self):
        first, second = entries_of(NAMES[4])[:2]

        assert {entry.kind for entry in entries_of(NAMES[4])} == {Kind.PREPRINT}
        assert (first.version, second.version) == (1, 2)
        assert first.doi == second.doi
        assert first.guid != second.guid
        assert first.authors == ("Quist B", "Alvarez N")

    def test_a_guid_on_two_pages_is_two_and_an_update_is_one(self):
        guids = [entry.guid for entry in entries_of(NAMES[5])]

        assert guids.count("A-2026-032") == 2
        assert [guid.split()[0] for guid in guids].count("A-2026-034") == 2
        assert len(set(guids)) == 5

    def test_hostile_news_becomes_harmless(self):
        entries = entries_of(NAMES[6])
        html = " ".join(entry.abstract for entry in entries)

        for evil in ("script", "alert(", "javascript", "<img", "<iframe", "style", "onerror"):
            assert evil not in html
        assert entries[0].url == "https://society.example.org/news/2026/halcyon-2"
        assert entries[0].relations == (("about", "10.5555/hl.2026.0101"),)
        assert entries[2].title == "Program Committee “Call for Abstracts” Opens"
        assert [entry.published_at is None for entry in entries] == [False, False, True, False, True]

    def test_an_ill_formed_digest_is_read_in_its_real_encoding_without_impossible_dates(self):
        entries = entries_of(NAMES[7])
        dated = [entry.doi for entry in entries if entry.published_at]

        assert (
            entries[7].title
            == "Fixed-Duration Oral Therapy in Relapsed Waldenström Macroglobulinemia: Final Results"
        )
        assert dated == ["10.5555/nr.5.89"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b"", "empty"),
            (b" \n", "empty"),
            (b"<!DOCTYPE html><html><head><title>Just a moment</title></head></html>", "web page"),
            (b"\n<!-- x --><HTML><body>502</body></HTML>", "web page"),
            ("<html><body>x</body></html>".encode("utf-16"), "web page"),
            (b'{"items": []}', "not XML"),
            (b"\x00\x01\xff", "not XML"),
            (b"<?xml version='1.0'?><note>hello</note>", "neither RSS nor Atom"),
            (b"<!DOCTYPE rss SYSTEM 'x.dtd'><rss version='2.0'/>", "DOCTYPE"),
            (b"<!-- <rss> --><!doctype rss [<!ENTITY a 'b'>]><rss version='2.0'/>", "DOCTYPE"),
            (b"<rss version='2.0'><!ENTITY a 'b'></rss>", "DOCTYPE"),
            ("<!DOCTYPE rss [<!ENTITY a 'b'>]><rss version='2.0'/>".encode("utf-16"), "DOCTYPE"),
            (
                b"<?xml version='1.0' encoding='utf-7'?>+ADwAIQ-DOCTYPE rss+AD4-<rss version='2.0'/>",
                "encoding",
            ),
            (
                b"<?xml version='1.0' encoding='unicode_escape'?>\\x3c!DOCTYPE rss\\x3e<rss version='2.0'/>",
                "encoding",
            ),
            (b"<![CDATA[<!ENTITY a 'b'>]]><rss version='2.0'/>", "DOCTYPE"),
            (b"<!<!-- x -->DOCTYPE rss [<!ENTITY a 'b'>]><rss version='2.0'/>", "DOCTYPE"),
        ],
    )
    def test_what_is_no_feed_is_said_in_clear_words(self, body, words):
        with pytest.raises(Unreadable, match=words):
            read(body)

    @pytest.mark.parametrize("charset", ["unicode_escape", "utf-7", "hex", "iso-2022-jp", "cp037"])
    def test_a_charset_of_the_answer_is_as_little_trusted(self, charset):
        with pytest.raises(Unreadable, match="encoding"):
            read(rss("<title>A</title>"), headers={"Content-Type": f"text/xml; charset={charset}"})

    @pytest.mark.parametrize("charset", ["windows-1252", "iso-8859-1", "no-such-thing", "", "us-ascii"])
    def test_what_is_utf_8_is_read_as_such_whatever_the_answer_declares(self, charset):
        headers = {"Content-Type": f"text/xml; charset={charset}"}

        assert read(rss("<title>Waldenström</title>"), headers=headers)[0].title == "Waldenström"

    @pytest.mark.parametrize(
        ("name", "title"),
        [("koi8-r", "Сердце"), ("big5", "心臟"), ("shift_jis", "心臓"), ("cp1252", "Wald–ö")],
    )
    def test_other_encodings_are_read_if_they_are_declared_either_way(self, name, title):
        body = rss(f"<title>{title}</title>")
        declared = body.replace('"1.0"?', f'"1.0" encoding="{name}"?').encode(name)

        assert read(declared)[0].title == title
        assert (
            read(body.encode(name), headers={"Content-Type": f"text/xml; charset={name}"})[0].title == title
        )

    def test_a_feed_that_is_cut_off_is_read_and_known_not_to_be_whole(self):
        body = rss("<title>A</title><guid>a</guid>", "<title>Bö</title><guid>b</guid><link>ö</link>").encode()
        cut = body[: body.rindex("ö".encode()) + 1]

        assert read(body).is_whole
        assert [entry.title for entry in read(cut)] == ["A", "Bö"]
        assert not read(cut).is_whole

    def test_reading_ends_after_a_time(self, monkeypatch):
        monkeypatch.setattr(feeds, "SECONDS", -1)

        with pytest.raises(Unreadable, match="too long"):
            read(rss("<title>A</title>"))

    @pytest.mark.parametrize(
        "item",
        [
            "<title>A</title><link>http://[</link>",
            "<title>A</title><guid>g&#xD800;&#0;</guid><link>https://journal.example.org/&#xDFFF;1</link>",
            "<title>A&#xD800;</title><description>a &#55296;&amp;#xD800;</description>",
            "<title>A</title><dc:identifier>10.5555/a&#xD800;</dc:identifier>&",
            "<title>A\x01</title>",
        ],
    )
    def test_what_no_table_holds_is_left_out_of_every_field(self, item):
        first, second = read(rss(item, "<title>B</title>"))

        json.dumps(asdict(first), default=str, ensure_ascii=False).encode()
        assert (first.title, second.title) == ("A", "B")

    def test_a_page_quoted_in_an_item_is_no_declaration(self):
        quoted = "<title>A</title><description><![CDATA[<!DOCTYPE html><p>b</p>]]></description>"

        assert read_one(quoted).title == "A"

    def test_a_feed_without_items_is_empty_and_fine(self):
        assert read(rss()) == []

    def test_of_twenty_thousand_items_the_first_are_read_and_soon(self):
        many = rss(*(f"<title>T{n}</title><guid>g{n}</guid>" for n in range(20_000)))
        start = time.perf_counter()

        entries = read(many)

        assert [entry.guid for entry in entries] == [f"g{n}" for n in range(MOST_ENTRIES)]
        assert time.perf_counter() - start < 5

    @pytest.mark.parametrize(
        "piece", [b"<item>", b"<item ", b"<![CDATA[", b"<!--", b"<guid>", b"<!", b"&lt;p", b"<dc:identifier>"]
    )
    def test_a_hostile_megabyte_takes_no_longer_than_its_length(self, piece):
        start = time.perf_counter()
        body = HEAD.encode() + b"<item><title>A</title></item>" + piece * (1_000_000 // len(piece))

        with suppress(Unreadable):
            assert len(read(body)) <= MOST_ENTRIES

        assert time.perf_counter() - start < 5

    @pytest.mark.parametrize(
        ("start", "pieces", "end"),
        [
            ("<dc:creator>", "A ,", "</dc:creator>"),
            ("<author>", "a.", "</author>"),
            ("<author><![CDATA[", "a.", "]]></author>"),
            ("", "<author>a.</author>" * 9 + "<author><![CDATA[", ""),
            ("", "<category>{}</category>", ""),
            ("<itunes:keywords xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'>", "{},", ""),
            ("<description><![CDATA[", "<p><b x={}>a", "]]></description>"),
            ("<description><![CDATA[", "<p><a href='/{}'><ul><li>", "]]></description>"),
            ("<description><![CDATA[", "<b x='", "]]></description>"),
            ("<description><![CDATA[", "<sub><!--", "]]></description>"),
            ("<title><![CDATA[", "<script ", "]]></title>"),
            ("", "<category><![CDATA[" + "<script " * 600 + "]]></category>", ""),
            ("", "<category><![CDATA[" + "<!--" * 1200 + "]]></category>", ""),
            ("<prism:section>", "guideline \n", "</prism:section>"),
        ],
    )
    def test_nor_does_one_inside_its_fields(self, start, pieces, end):
        inside = []
        for number in range(300_000 // len(pieces)):
            inside.append(pieces.replace("{}", str(number)))
        start_time = time.perf_counter()

        with suppress(Unreadable):
            read(rss(f"<title>A</title>{start}{''.join(inside)}{end}"))

        assert time.perf_counter() - start_time < 3

    def test_a_feed_of_nothing_but_tags_is_refused(self):
        with pytest.raises(Unreadable, match="too many tags"):
            read(rss("<title>A</title>" + "<b/>" * 160_000))

    def test_blanks_before_an_atom_text_cost_no_more_than_their_length(self):
        blanks = "\n" * 100_000 + "&#10;" * 50_000
        text = f'<content type="xhtml">{blanks}<div xmlns="http://www.w3.org/1999/xhtml">B</div></content>'
        atom = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>A</title>{text}</entry></feed>'
        start = time.perf_counter()

        assert read(atom)[0].abstract == "B"

        assert time.perf_counter() - start < 2

    def test_many_authors_and_categories_are_cut_and_the_rest_of_the_item_is_read(self):
        many = "".join(f"<category>c{n}</category><dc:creator>Ng {n}</dc:creator>" for n in range(1000))

        (entry,) = found = read(rss(f"<title>A</title>{many}<guid>g</guid><prism:section>S</prism:section>"))

        assert found.is_whole
        assert (len(entry.authors), len(entry.categories), entry.section) == (300, 60, "S")

    def test_utf_16_is_read(self):
        body = (
            rss("<title>Waldenström</title>").replace('"1.0"?', '"1.0" encoding="utf-16"?').encode("utf-16")
        )

        assert [entry.title for entry in read(body)] == ["Waldenström"]


class TestIdentifiers:
    def test_all_identifiers_count_in_any_order(self):
        entry = read_one(
            "<title>A</title><dc:identifier>doi:10.5555/a.1</dc:identifier>"
            "<dc:identifier><![CDATA[ pmid:99900001 ]]></dc:identifier>"
        )

        assert (entry.doi, entry.pmid) == ("10.5555/a.1", 99900001)

    @pytest.mark.parametrize(
        "item",
        [
            "<prism:doi>10.5555/A.1</prism:doi>",
            '<prism:doi xmlns:prism="prism">10.5555/a.1</prism:doi>',
            "<guid>https://journal.example.org/doi/10.5555/A.1</guid>",
            '<guid isPermaLink="false">10.5555/a.1</guid>',
            "<link>https://journal.example.org/doi/full/10.5555/a.1?af=R</link>",
            "<description>Invented J. 2026. doi: 10.5555/a.1.</description>",
        ],
    )
    def test_a_doi_is_found_wherever_publishers_put_it(self, item):
        assert read_one(f"<title>A</title>{item}").doi == "10.5555/a.1"

    def test_two_dois_in_the_words_are_neither_its_own(self):
        assert (
            read_one("<title>A</title><description>doi:10.5555/a.1, doi:10.5555/b.2</description>").doi
            is None
        )

    @pytest.mark.parametrize("kind", [Source.Item.NEWS, Source.Item.ALERT])
    def test_news_that_links_a_work_is_about_it_and_not_it(self, kind):
        entry = read_one("<title>A</title><link>https://journal.example.org/doi/10.5555/a.1</link>", kind)

        assert entry.doi is None
        assert entry.relations == (("about", "10.5555/a.1"),)

    @pytest.mark.parametrize(
        "item",
        ["<guid>10.5555/a.1</guid>", "<guid>pmid:99900001</guid>", "<prism:doi>10.5555/a.1</prism:doi>"],
    )
    def test_news_is_never_known_by_a_number_of_a_work(self, item):
        entry = read_one(f"<title>A</title>{item}", Source.Item.NEWS)

        assert (entry.doi, entry.pmid) == (None, None)
        assert entry.relations == ((("about", "10.5555/a.1"),) if "10.5555" in item else ())

    def test_an_alert_has_only_the_doi_that_a_field_says_it_has(self):
        assert read_one("<title>A</title><guid>10.5555/a.1</guid>", Source.Item.ALERT).doi is None
        field = "<dc:identifier>doi:10.5555/a.1</dc:identifier>"
        assert read_one(f"<title>A</title>{field}", Source.Item.ALERT).doi == "10.5555/a.1"

    def test_guids_that_repeat_without_an_address_are_told_apart_by_place(self):
        guids = [
            entry.guid for entry in read(rss(*["<title>A</title><guid isPermaLink='false'>g</guid>"] * 2))
        ]

        assert guids == ["g#1", "g#2"]

    def test_without_a_guid_the_address_or_the_words_are_it(self):
        link, bare, again = read(
            rss(
                "<title>A</title><link>https://journal.example.org/1</link>",
                "<title>B</title>",
                "<title>C</title>",
            )
        )

        assert link.guid == "https://journal.example.org/1"
        assert bare.guid.startswith("sha256:")
        assert bare.guid != again.guid

    def test_an_endless_guid_is_shortened_alike_each_time(self):
        item = f"<title>A</title><guid isPermaLink='false'>{'g' * 900}</guid>"

        assert read_one(item).guid == read_one(item).guid
        assert len(read_one(item).guid) <= 700


class TestKinds:
    @pytest.mark.parametrize(
        ("title", "kind"),
        [
            ("Correction to: Lipoprotein(a)", Kind.CORRECTION),
            ("Correction to Lipoprotein(a)", Kind.CORRECTION),
            ("Erratum: Statins", Kind.CORRECTION),
            ("Author Correction: Statins", Kind.CORRECTION),
            ("Corrigendum to “Statins”", Kind.CORRECTION),
            ("Retraction: Temorexin", Kind.RETRACTION),
            ("[Retracted] Temorexin", Kind.RETRACTION),
            ("Notice of Retraction: Temorexin", Kind.RETRACTION),
            ("2026 Invented Society Guideline for Syncope", Kind.GUIDELINE),
            ("Syncope: A Clinical Practice Guideline", Kind.GUIDELINE),
            ("Retraction of the Vocal Fold during Thyroidectomy", Kind.ARTICLE),
            ("Correction of Hyponatremia in Cirrhosis", Kind.ARTICLE),
            ("Withdrawal of Statins in Frail Adults", Kind.ARTICLE),
            ("Adherence to Guidelines in Sepsis", Kind.ARTICLE),
        ],
    )
    def test_a_title_says_what_an_item_is(self, title, kind):
        assert read_one(f"<title>{title}</title>").kind == kind

    @pytest.mark.parametrize(
        ("element", "kind"),
        [
            ("<prism:section>Correction</prism:section>", Kind.CORRECTION),
            ("<dc:type>Retraction Note</dc:type>", Kind.RETRACTION),
            ("<prism:section>AHA Scientific Statement</prism:section>", Kind.GUIDELINE),
            ("<dc:type>preprint</dc:type>", Kind.PREPRINT),
            ("<prism:section>Original Research</prism:section>", Kind.ARTICLE),
        ],
    )
    def test_a_section_or_type_says_it_too(self, element, kind):
        assert read_one(f"<title>A</title>{element}").kind == kind

    @pytest.mark.parametrize(
        ("item_kind", "kind"),
        [
            (Source.Item.ALERT, Kind.ALERT),
            (Source.Item.NEWS, Kind.NEWS),
            (Source.Item.PREPRINT, Kind.PREPRINT),
        ],
    )
    def test_a_source_says_it_of_all_its_items(self, item_kind, kind):
        assert read_one("<title>Guideline: A</title>", item_kind).kind == kind

    def test_a_correction_names_its_original(self):
        entry = read_one(
            "<title>Correction: A</title><prism:doi>10.5555/a.2</prism:doi>"
            "<description>Of &lt;a href='https://doi.org/10.5555/a.1'&gt;this&lt;/a&gt;, doi:10.5555/a.2</description>"
        )

        assert (entry.doi, entry.relations) == ("10.5555/a.2", (("corrects", "10.5555/a.1"),))

    def test_a_retraction_without_a_doi_does_not_take_that_of_its_original(self):
        entry = read_one("<title>Retraction: A</title><description>doi:10.5555/a.1</description>")

        assert (entry.doi, entry.relations) == (None, (("retracts", "10.5555/a.1"),))


class TestWords:
    @pytest.mark.parametrize(
        ("sent", "title"),
        [
            ("<![CDATA[A <i>TP53</i> variant]]>", "A TP53 variant"),
            ("A &lt;i&gt;TP53&lt;/i&gt; variant", "A TP53 variant"),
            ("A &amp;lt;sub&amp;gt;2&amp;lt;/sub&amp;gt; &amp;amp; B", "A 2 & B"),
            ("p &lt; 0.05 &amp; q > 1", "p < 0.05 & q > 1"),
            ("\n Over \t two\nlines ", "Over two lines"),
            ("<![CDATA[<script>alert(1)</script>A]]>", "A"),
            ("A\u202e\u200bB", "AB"),
        ],
    )
    def test_a_title_is_plain_words(self, sent, title):
        assert read_one(f"<title>{sent}</title>").title == title

    def test_a_title_is_clipped_to_its_column(self):
        assert len(read_one(f"<title>{'word ' * 300}</title>").title) <= 500

    def test_what_has_no_title_is_called_by_its_first_words_and_what_has_nothing_is_left_out(self):
        entries = read(rss("<description>&lt;p&gt;Day one.&lt;/p&gt;</description>", "<guid>x</guid>"))

        assert [entry.title for entry in entries] == ["Day one."]

    @pytest.mark.parametrize(
        ("sent", "html"),
        [
            ("<p>A<sub>2</sub> &amp; <em>b</em></p>", "<p>A<sub>2</sub> &amp; <em>b</em></p>"),
            ("&lt;p&gt;A&lt;/p&gt;", "<p>A</p>"),
            ("p &lt; 0.05", "p &lt; 0.05"),
            ("<h4 class='x'>Aims</h4><div>To.</div>", "<p><strong>Aims</strong></p><p>To.</p>"),
            ("<p>A</p><p> </p><img src='https://track.example.net/p.gif'>", "<p>A</p>"),
            ("<a href='javascript:x'>A</a>", "A"),
            (
                "<a href='/a?utm_source=x' onclick='x' target='_blank'>A</a>",
                '<a href="https://journal.example.org/a" rel="nofollow noopener">A</a>',
            ),
            ("<style>p{}</style><p></p>", ""),
            ("<P CLASS=x>A<BR/>b <IMG ALT='p<0.05 & q>1'>c</P>", "<p>A<br>b c</p>"),
            (
                "<a title=it's href=/a>A</a> <b x=<>B",
                '<a href="https://journal.example.org/a" rel="nofollow noopener">A</a> &lt;b x=&lt;&gt;B',
            ),
            (
                "<a href='/?a=1&amp;b=2'>A",
                '<a href="https://journal.example.org/?a=1&amp;b=2" rel="nofollow noopener">A</a>',
            ),
            ("<<script>b>A</b>", "&lt;b&gt;A"),
            (None, ""),
        ],
    )
    def test_a_description_is_safe_html(self, sent, html):
        assert words.safe_html(sent, base="https://journal.example.org/") == html

    def test_an_endless_description_is_clipped_as_words(self):
        assert len(words.safe_html("<p>" + "word " * 10_000)) < words.LONGEST_ABSTRACT

    @pytest.mark.parametrize(
        ("names", "split"),
        [
            ("Quist B, Alvarez N", ["Quist B", "Alvarez N"]),
            ("Quist, B., Alvarez, N. M., van der Berg, J.-P.", ["Quist B", "Alvarez NM", "van der Berg JP"]),
            ("Quist B; Alvarez N", ["Quist B", "Alvarez N"]),
            ("Quist, B; Alvarez, N;", ["Quist B", "Alvarez N"]),
            ("Department of Health, Invented State", ["Department of Health, Invented State"]),
            ("", []),
        ],
    )
    def test_authors_of_one_element_are_told_apart(self, names, split):
        assert split_authors(names) == split


class TestDates:
    @pytest.mark.parametrize(
        ("sent", "moment"),
        [
            ("2026-03-02T05:00:00Z", datetime(2026, 3, 2, 5, tzinfo=UTC)),
            ("2026-03-02", datetime(2026, 3, 2, tzinfo=UTC)),
            ("Tue, 03 Mar 2026 16:32:00 EST", datetime(2026, 3, 3, 21, 32, tzinfo=UTC)),
            ("Wed, 11 Mar 2026 09:00:00 EDT", datetime(2026, 3, 11, 13, tzinfo=UTC)),
            ("Mon, 02 Mar 2026 06:00:00 -0400", datetime(2026, 3, 2, 10, tzinfo=UTC)),
            ("2026-02-30", None),
            ("Mon, 30 Feb 2026 10:00:00 GMT", None),
            ("Tue, 17 Mar 2026 25:61:00 GMT", None),
            ("19/03/2026", None),
            ("March 2026", None),
            ("0001-01-01", None),
            ("9999-12-31T23:59:59-12:00", None),
            ("yesterday", None),
            ("", None),
        ],
    )
    def test_only_dates_that_exist_are_read(self, sent, moment):
        assert words.moment(sent) == moment

    def test_a_date_more_than_a_day_ahead_is_none(self):
        soon, later = read(
            rss(
                "<title>A</title><pubDate>Mon, 23 Nov 2026 11:00:00 GMT</pubDate>",
                "<title>B</title><pubDate>Mon, 23 Nov 2026 13:00:00 GMT</pubDate>",
            )
        )

        assert soon.published_at == datetime(2026, 11, 23, 11, tzinfo=UTC)
        assert later.published_at is None


def test_an_entry_fits_the_tables_whatever_was_sent():
    entry = clean_entry(
        guid="g\x00" * 600,
        url="ftp://journal.example.org/x",
        title="<b>T\ud800</b>\x00",
        now=NOW,
        authors=["N" * 400, "", "N\ud800" * 400, *(f"A{n}" for n in range(500))],
        relations=[("about", "10.5555/a"), ("about", "10.5555/a"), ("about", "10.5555/b")],
        doi="10.5555/b",
        abstract="<p>a\ud800\x00</p>",
        journal="J\ud800" * 500,
        section="S" * 500,
        categories=("c" * 300, "c" * 300),
        language="English (US)",
        version=10_000,
    )

    assert entry.url == ""
    assert entry.title == "T"
    assert len(entry.guid) <= 700
    assert "\x00" not in entry.guid
    assert entry.abstract == "<p>a</p>"
    json.dumps(asdict(entry), default=str, ensure_ascii=False).encode()
    assert len(entry.authors) == 300
    assert max(map(len, entry.authors)) <= 200
    assert entry.relations == (("about", "10.5555/a"),)
    assert (len(entry.journal), len(entry.section), len(entry.categories[0])) == (200, 120, 120)
    assert len(entry.categories) == 1
    assert entry.language == ""
    assert entry.version == 99


def test_the_samples_are_those_that_are_described():
    assert {path.name for path in FOLDER.iterdir()} == {*NAMES, "EXPECTED.json"}
