from datetime import UTC, date, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone
from lucide import IconDoesNotExist

from sermo.templatetags import sermo as look


def draw(source: str, **context) -> str:
    return Template(source).render(Context(context)).strip()


# Icons


def test_an_icon_is_inline_and_hidden_from_readers():
    drawn = draw('{% icon "search" %}')

    assert drawn.startswith('<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><')
    assert "<circle" in drawn
    assert "stroke=" not in drawn


def test_an_icon_may_have_a_class_of_its_own():
    assert 'class="icon wide"' in draw('{% icon "search" class="wide" %}')


def test_an_unknown_icon_is_an_error():
    with pytest.raises(IconDoesNotExist):
        draw('{% icon "no-such-icon" %}')


def test_an_icon_of_the_sheet_is_drawn_once_and_referred_to():
    sheet = draw("{% icon_sheet %}")

    for name in look.SHEET:
        assert draw("{% icon name %}", name=name) == (
            f'<svg class="icon" aria-hidden="true"><use href="#i-{name}"/></svg>'
        )
        assert f'<symbol id="i-{name}" viewBox="0 0 24 24"><' in sheet


# Moments


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=1), "1 h ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
    ],
)
def test_a_moment_within_a_day_is_said_as_its_age(age, words):
    assert f">{words}</time>" in look.moment(timezone.now() - age)


@pytest.fixture
def november(monkeypatch):
    """It is Nov 22, 2026, noon in Greenwich; clocks show Greenwich time."""
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 22, 12, tzinfo=UTC))
    with timezone.override(UTC):
        yield


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (datetime(2026, 11, 18, 7, 42, tzinfo=UTC), "Nov 18, 7:42 am"),
        (datetime(2026, 11, 18, 0, 5, tzinfo=UTC), "Nov 18, 12:05 am"),
        (datetime(2026, 11, 18, 12, 0, tzinfo=UTC), "Nov 18, 12:00 pm"),
        (datetime(2025, 1, 2, 21, 30, tzinfo=UTC), "Jan 2, 2025, 9:30 pm"),
        (datetime(2026, 12, 19, 9, 0, tzinfo=UTC), "Dec 19, 9:00 am"),
    ],
)
def test_an_older_or_coming_moment_is_said_with_its_date(november, when, words):
    assert look.moment(when) == f'<time datetime="{when:%Y-%m-%dT%H:%MZ}">{words}</time>'


def test_a_moment_can_be_said_exactly_as_a_day_or_as_a_time(november):
    when = datetime(2026, 11, 22, 8, 14, 30, tzinfo=UTC)

    assert ">Nov 22, 8:14 am<" in look.moment_exact(when)
    assert ">Nov 22<" in look.day(when)
    assert ">8:14 am<" in look.clock(when)
    assert look.day(date(2024, 2, 29)) == '<time datetime="2024-02-29">Feb 29, 2024</time>'


@pytest.mark.parametrize("say", [look.moment, look.moment_exact, look.day, look.clock])
def test_no_moment_says_nothing(say):
    assert say(None) == ""


# Figures


@pytest.mark.parametrize(
    ("corroborate", "dispute", "bars"),
    [
        (31, 2, (187, 189, 11)),
        (3, 7, (59, 61, 139)),
        (44, 1, (195, 197, 3)),
        (18, 0, (200, 200, 0)),
        (0, 4, (0, 0, 200)),
        (10_000, 1, (195, 197, 3)),
        (1, 10_000, (3, 5, 195)),
    ],
)
def test_the_balance_is_whole_units_that_fill_the_bar(corroborate, dispute, bars):
    geometry = look.balance_geometry(corroborate, dispute)

    assert (geometry["for_width"], geometry["against_x"], geometry["against_width"]) == bars


def test_no_votes_draw_no_balance():
    assert look.balance_geometry(0, 0) is None
    assert draw("{% balance 0 0 %}") == ""


def test_a_one_sided_balance_draws_one_bar():
    assert draw("{% balance 18 0 %}").count("<rect") == 1


@pytest.mark.parametrize(
    ("mean", "lit", "figure"),
    [(4.2, 4, "4.2"), (4.5, 5, "4.5"), ("3.44", 3, "3.4"), (1, 1, "1.0"), (5, 5, "5.0")],
)
def test_importance_lights_its_pips_and_says_the_mean(mean, lit, figure):
    drawn = draw("{% importance mean %}", mean=mean)

    assert f'<use href="#pips-{lit}"/>' in drawn
    assert f"<b>{figure}</b>" in drawn


def test_importance_without_ratings_says_so():
    drawn = draw("{% importance mean %}", mean=None)

    assert '<use href="#pips-0"/>' in drawn
    assert "not rated" in drawn


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("nephron_loop", "NL"),
        ("quietmurmur", "QU"),
        ("tidewater_md", "TM"),
        ("Élodie Öz", "ÉÖ"),
        ("dr_7", "DR"),
        ("42", "42"),
        ("", ""),
    ],
)
def test_a_tile_has_two_letters(name, letters):
    assert look.initials(name) == letters


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36", "Chrome on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/150.0 Safari/537.36 Edg/150.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.0", "Another browser"),
        ("", "Another browser"),
    ],
)
def test_a_device_is_said_in_words(user_agent, words):
    assert look.device(user_agent) == words


def test_a_drawing_loses_its_xml_declaration():
    assert look.inline_svg("<?xml version='1.0'?>\n<svg><path/></svg>") == "<svg><path/></svg>"


# Fragments


def byline(**changes):
    facts = {
        "name": "nephron_loop",
        "url": "/members/nephron_loop/",
        "specialty": "Nephrology",
        "tier": "Trusted",
    }
    return draw(
        '{% include "components/_byline.html" with margin=margin moment=moment lead=lead %}',
        byline={**facts, "details": ["asker"], **changes.pop("byline", {})},
        **changes,
    )


def test_a_byline_says_who_speaks_and_that_the_license_is_verified():
    drawn = byline(moment=timezone.now() - timedelta(hours=2), lead="asked", margin=True)

    assert '<span class="tile" aria-hidden="true">NL</span>' in drawn
    assert '<a href="/members/nephron_loop/">nephron_loop</a>' in drawn
    assert "license verified" in drawn
    assert "<span>Nephrology</span><span>Trusted</span><span>asker</span><span>asked <time" in drawn


def test_a_name_is_escaped_and_may_lead_nowhere():
    drawn = byline(byline={"name": "<b>x", "url": ""})

    assert "<b>&lt;b&gt;x</b>" in drawn
    assert "tile" not in drawn


def test_a_firm_gets_a_badge_and_no_mark():
    drawn = byline(byline={"firm": True})

    assert "badge industry" in drawn
    assert "license verified" not in drawn


def test_more_counts_from_what_it_is_given():
    drawn = draw(
        '{% include "components/_more.html" with url="/q/?after=7" shown=20 total="1,204" noun="open questions" %}'
    )

    assert 'href="/q/?after=7"' in drawn
    assert "20 of 1,204 open questions" in drawn
