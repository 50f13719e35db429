from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from django.utils.safestring import SafeString

from sermo import fragments
from sermo.fragments import age_of, draw, fill, late
from sermo.recent import Recent
from sermo.templatetags.sermo import moment

BADGE = "components/_badge.html"


@pytest.fixture(autouse=True)
def nothing_kept():
    fragments.forget()
    yield
    fragments.forget()


@pytest.fixture
def drawn_so_far(monkeypatch):
    """How many pieces were drawn in earnest."""
    draw_in_earnest, drawn = fragments._drawn, []
    monkeypatch.setattr(fragments, "_drawn", lambda key: drawn.append(key) or draw_in_earnest(key))
    return lambda: len(drawn)


def test_equal_values_are_drawn_once(drawn_so_far):
    first, again = draw(BADGE, kind="solved", text=""), draw(BADGE, text="", kind="solved")

    assert first == again
    assert drawn_so_far() == 1


def test_other_values_are_drawn_anew(drawn_so_far):
    assert draw(BADGE, kind="solved", text="") != draw(BADGE, kind="closed", text="")
    assert drawn_so_far() == 2


def test_what_one_process_drew_another_takes_from_the_cache(drawn_so_far):
    first = draw(BADGE, kind="solved", text="")
    fragments.forget()

    assert draw(BADGE, kind="solved", text="") == first
    assert drawn_so_far() == 1


def test_another_release_draws_anew(drawn_so_far, monkeypatch):
    draw(BADGE, kind="solved", text="")
    fragments.forget()
    monkeypatch.setattr(fragments, "_release", lambda: "another")
    draw(BADGE, kind="solved", text="")

    assert drawn_so_far() == 2


def test_many_pieces_ask_the_cache_once(drawn_so_far, monkeypatch):
    asked, get_many = [], fragments.cache.get_many
    monkeypatch.setattr(fragments.cache, "get_many", lambda keys: asked.append(keys) or get_many(keys))
    pieces = [{"kind": kind, "text": ""} for kind in ("solved", "closed", "solved")]

    drawn = fragments.draw_many(BADGE, "", pieces)

    assert drawn[0] == drawn[2] != drawn[1]
    assert (len(asked), drawn_so_far()) == (1, 2)


def test_without_the_cache_pieces_are_drawn_all_the_same(monkeypatch):
    monkeypatch.setattr(fragments.cache, "get_many", lambda keys: {})
    monkeypatch.setattr(fragments.cache, "set_many", lambda *args: None)

    assert "Solved" in draw(BADGE, kind="solved", text="")


def test_text_is_escaped():
    assert "<script>" not in draw(BADGE, kind="other", text="<script>")


def test_each_reader_gets_a_token_of_their_own_in_one_piece(drawn_so_far):
    pages = [draw("questions/_remove.html", token, post=Post(), what="answer") for token in ("one", "two")]

    assert [f'value="{token}"' in page for page, token in zip(pages, ("one", "two"), strict=True)] == [
        True,
        True,
    ]
    assert pages[0].replace("one", "two") == pages[1]
    assert drawn_so_far() == 1


class Post(NamedTuple):
    pk: int = 7
    is_own: bool = True


def test_a_value_that_can_change_is_no_value_of_a_piece():
    with pytest.raises(TypeError):
        draw(BADGE, kind=["solved"], text="")


def test_late_values_are_escaped():
    html = fill(SafeString(f"<a href='{late('where')}'>"), where="/a'b/")

    assert html == "<a href='/a&#x27;b/'>"
    assert isinstance(html, SafeString)


@pytest.mark.parametrize(
    ("ago", "also"),
    [
        (timedelta(seconds=5), timedelta(seconds=59)),
        (timedelta(minutes=5), timedelta(minutes=5, seconds=59)),
        (timedelta(hours=3), timedelta(hours=3, minutes=59)),
        (timedelta(days=2), timedelta(days=40)),
    ],
)
def test_moments_of_one_age_read_alike(ago, also, time_machine):
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    when = datetime(2026, 11, 22, 12, tzinfo=UTC) - ago
    time_machine.move_to(now, tick=False)
    words = moment(when)

    time_machine.move_to(when + also, tick=False)

    assert age_of(when, now) == age_of(when, when + also)
    assert moment(when) == words


@pytest.mark.parametrize("steps", [(0, 60), (59 * 60, 61 * 60), (23 * 3600 + 3599, 86_400)])
def test_moments_that_read_otherwise_have_another_age(steps, time_machine):
    when = datetime(2026, 11, 20, 12, tzinfo=UTC)
    ages, words = set(), set()
    for seconds in steps:
        now = when + timedelta(seconds=seconds)
        time_machine.move_to(now, tick=False)
        ages.add(age_of(when, now))
        words.add(moment(when))

    assert len(ages) == len(words) == 2


def test_the_turn_of_the_year_changes_how_old_moments_read(time_machine):
    when = datetime(2026, 11, 20, 12, tzinfo=UTC)
    ages, words = set(), set()
    for now in (datetime(2026, 12, 20, tzinfo=UTC), datetime(2027, 1, 20, tzinfo=UTC)):
        time_machine.move_to(now, tick=False)
        ages.add(age_of(when, now))
        words.add(moment(when))

    assert len(ages) == len(words) == 2


def test_the_least_recent_goes_first():
    recent = Recent(2)
    for key in "ab":
        recent.put(key, key)
    recent.get("a")
    recent.put("c", "c")

    assert [recent.get(key) for key in "abc"] == ["a", None, "c"]


def test_what_is_kept_may_be_bounded_by_what_it_weighs():
    recent = Recent(10, weigh=len)
    recent.put("a", "x" * 4)
    recent.put("b", "x" * 4)
    recent.put("b", "x" * 6)
    assert recent.get("a")

    recent.put("c", "x")

    assert [bool(recent.get(key)) for key in "abc"] == [True, False, True]


def test_a_piece_keeps_no_indentation_but_where_it_shows():
    html = "<p>\n    one\n\n    two\n</p>\n  <pre>\n  a\n\n    b</pre>\n    <textarea>x\n   y</textarea>\n\n"

    assert fragments._tight(html) == (
        "<p>\none\ntwo\n</p>\n<pre>\n  a\n\n    b</pre>\n<textarea>x\n   y</textarea>\n"
    )
