"""The checker of `leaks` finds what is planted in a page or a file."""

import pytest

from observers.tests import leaks


class TestTheCheckerFindsLeaks:
    """Of each kind one, planted in a page that has none; for those of the product see `test_blindness`."""

    PAGE = '<table><tr><td data-label="Disputed">under 11</td><td>{}</td></tr></table><dl><dt>By</dt><dd>20</dd></dl>'

    @pytest.mark.parametrize(
        "planted",
        [
            "left_atriumq said so",
            "LEFT_ATRIUMQ",
            "leftatriumq",
            "left%5Fatriumq",
            "left&#95;atriumq",
            "Dr. quillfeather",
            '<a href="/members/somebody/">a colleague</a>',
            '<a href="https://sermo.example/physicians/abc/">a colleague</a>',
            '<a href="/questions/12/why/">there</a>',
            '<article id="post-12">',
            '<article data-post="7310123">',
            '<img src="/pictures/abc" alt="">',
            '<span class="avatar small">AB</span>',
            '<a href="?after=eyJrIjogWzczMTAxMjNdfQ==">More</a>',
            "opened at 14:07",
            '<time datetime="2026-11-18T14:07:22Z">Nov 18</time>',
            "1795010000",
            "<b>7</b> corroborate",
            '<span class="n">0</span>',
            '<span class="count">3</span>',
            '</td><td class="n" data-label="Corroborated">23</td><td>',
            "</td></tr></table><dl><dt>Raters</dt><dd>8</dd></dl><table><tr><td>",
            '</td><td class="n" data-label="Of the group">4</td><td>',
            "4 physicians wrote",
            "7 voted",
            "qxhidden",
        ],
    )
    def test_it_finds_what_is_planted_in_a_page(self, planted):
        names = ["left_atriumq", "Quillfeather"]
        clean, page = self.PAGE.format("a colleague"), self.PAGE.format(planted)

        assert leaks.found_in(clean.encode(), "text/html", names=names, marks=["qxhidden"]) == []
        assert leaks.found_in(page.encode(), "text/html", names=names, marks=["qxhidden"]) != []

    @pytest.mark.parametrize("planted", ["7", "23", "left_atriumq", "14:07", "2026-11-18 14", "7310123"])
    def test_it_finds_what_is_planted_in_a_file(self, planted):
        file = f'\ufeff"Made for a firm"\r\n"Day","Corroborated"\r\n"2026-11-18","{planted}"\r\n'

        assert leaks.found_in(file.encode(), "text/csv", names=["left_atriumq"]) != []
        assert leaks.found_in(file.replace(planted, "20").encode(), "text/csv", names=["left_atriumq"]) == []

    def test_of_a_focus_group_five_are_enough(self):
        cell = '</td><td class="n" data-label="Of the group">7</td><td>'

        assert leaks.found_in(self.PAGE.format(cell).encode(), "text/html") == []

    def test_what_waits_for_the_firm_itself_may_be_few(self):
        waiting = 'Safety <span class="count">3</span><span class="sr"> waiting</span>'

        assert leaks.found_in(self.PAGE.format(waiting).encode(), "text/html") == []
