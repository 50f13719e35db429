"""The pages of news: who may come, what each address finds, what a card says."""

import itertools
import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_member, make_specialty
from conftest import client_of
from newsfeed.lists import search
from newsfeed.models import Article, ArticleSpecialty, Discussion, ReadMark, SavedArticle, SourceFollow
from newsfeed.services import keeping
from newsfeed.tests.factories import make_article, make_feed, make_source
from questions.models import Question
from questions.tests.factories import copy_of, make_question

HTMX = {"HTTP_HX_REQUEST": "true"}
PAGES = ["/news/", "/news/sources/", "/news/sources/cornea/"]


def titles(client, query="", path="/news/"):
    return [row.title for row in client.get(f"{path}{query}").context["page"]]


def text(client, address="/news/"):
    return client.get(address).content.decode()


def long(words, length):
    return (words + " in all adults but the oldest" * 10)[:length].strip()


@pytest.fixture
def cornea(db):
    return make_source("Cornea Letters", slug="cornea", short_name="Cornea")


# Doors


def test_doors(cornea, applicant, moderator, client):
    read_only = make_member(standing="read_only")
    make_article(cornea, "An invented finding", is_general=True)

    for page in PAGES:
        assert client.get(page).status_code == 302
        assert client_of(applicant).get(page).status_code == 302
        assert client_of(read_only).get(page).status_code == 200
        assert client_of(moderator).get(page).status_code == 200


def test_a_moderator_without_a_membership_reads_everything_and_keeps_nothing(moderator, staff, cornea):
    staff.groups.add(moderator.user.groups.get())
    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})
    article = make_article(cornea, "An invented finding")
    client = client_of(staff)

    assert titles(client) == titles(client, "?show=saved&followed=1") == ["An invented finding"]
    assert "Less of this" not in text(client)
    assert client.post(reverse("newsfeed:save", args=[article.pk])).status_code == 403


# Filters


def test_every_filter(physician, physician_client, cornea):
    heart, skin = physician.specialty, make_specialty("Dermatology")
    meeting = make_source("Meeting news", kind="meetings")
    SourceFollow.objects.create(member=physician, source=cornea)
    make_article(cornea, "heart", specialties=[heart])
    off = make_article(title="not skin")
    ArticleSpecialty.objects.create(
        article=off, specialty=skin, how="person", is_off=True, shown_at=off.shown_at
    )
    make_article(title="skin", specialties=[skin, heart], search_text="psoriasis and biologics")
    make_article(meeting, "meeting", kind="news")
    make_article(title="alert", kind="alert", region="us")
    make_article(title="retraction", kind="retraction", region="uk")
    make_article(title="ours", kind="sermo")
    for query, found in {
        "?show=all": ["ours", "retraction", "alert", "meeting", "skin", "not skin", "heart"],
        "?specialty=dermatology": ["skin"],
        f"?specialty={heart.slug}": ["skin", "heart"],
        "?source=cornea": ["heart"],
        "?followed=1": ["heart"],
        "?region=uk": ["retraction"],
        "?kind=meetings": ["meeting"],
        "?kind=alert": ["alert"],
        "?kind=sermo": ["ours"],
        "?kind=alert&region=us": ["alert"],
        "?kind=alert&region=uk": [],
        "?q=biologic": ["skin"],
        "?q=psoriasis -biologics": [],
        "?specialty=no-such": [],
        "?show=all&kind=nonsense&region=xx": [
            *("ours", "retraction", "alert", "meeting", "skin", "not skin", "heart")
        ],
    }.items():
        assert titles(physician_client, query) == found, query


def test_filters_stand_in_the_address_and_can_be_taken_away(physician_client, physician, cornea):
    make_article(cornea, "heart", kind="guideline", specialties=[physician.specialty])

    page = physician_client.get("/news/?source=cornea&kind=guideline")

    assert page.context["chips"] == [
        ("Cornea", "/news/?kind=guideline"),
        ("Guidelines", "/news/?source=cornea"),
    ]
    assert '<a href="/news/?source=cornea" aria-current="true">Guidelines</a>' in page.content.decode()


def test_lists_page_by_key_with_a_full_page_at_each_address(physician, physician_client, settings):
    settings.NEWS_PER_PAGE = 2
    for number in range(5):
        article = make_article(title=f"{number}", specialties=[physician.specialty], search_text="same words")
        keeping.save(member=physician, article=article)
    new = itertools.count()
    for query in ("", "?show=all", "?show=saved", f"?specialty={physician.specialty.slug}", "?q=words"):
        found, address = [], f"/news/{query}"
        while address:
            more = physician_client.get(address, **HTMX)
            assert b"<html" not in more.content
            found += [row.title for row in more.context["page"]]
            assert physician_client.get(address).context["page"].rows == more.context["page"].rows
            address = more.context["more_url"]
            make_article(title=f"new {next(new)}", search_text="same words")
        assert found[-5:] == ["4", "3", "2", "1", "0"], query
        assert len(found) == len(set(found)), query


def test_saved_is_newest_saved_first_and_only_ones_own(physician, colleague, physician_client):
    for title in ("first", "second"):
        keeping.save(member=physician, article=make_article(title=title))
    keeping.save(member=colleague, article=make_article(title="of somebody else"))

    assert titles(physician_client, "?show=saved") == ["second", "first"]


def test_one_source_has_its_own_list(physician_client, cornea):
    make_article(cornea, "here")
    make_article(title="elsewhere")

    assert titles(physician_client, path="/news/sources/cornea/") == ["here"]
    assert physician_client.get("/news/sources/no-such/").status_code == 404


def test_sources_stand_by_kind_with_what_they_bring(physician, physician_client, cornea):
    make_feed(cornea, entries_per_week=7.4)
    make_article(cornea)
    make_source("Switched off", is_on=False)
    keeping.see_less(member=physician, of=make_specialty("Dermatology"))

    page = text(physician_client, "/news/sources/")

    assert "Cornea Letters" in page
    assert "About 7 a week" in page
    assert "Switched off" not in page
    assert "Dermatology" in page.partition("Left out of your feed")[2].partition("</section>")[0]


def test_followed_sources_come_first_and_those_without_news_last(physician, physician_client, cornea):
    silent, removed = make_source("Silent"), make_source("Only what was removed")
    make_article(removed, state="removed")
    make_article(cornea)
    make_article(make_source("Regulator", kind="regulator"))
    SourceFollow.objects.create(member=physician, source=make_source("Wanted, though silent"))

    page = physician_client.get("/news/sources/")

    assert [(label, [row.name for row in rows]) for label, rows in page.context["groups"]] == [
        ("You follow", ["Wanted, though silent"]),
        ("Journals", ["Cornea Letters"]),
        ("Regulators", ["Regulator"]),
    ]
    assert page.context["silent"] == [removed, silent]
    assert "No news from these yet (2)" in page.content.decode()


# Cards


@pytest.mark.parametrize(
    ("kind", "title", "shows"),
    [
        ("correction", "Correction: an invented dose", False),
        ("correction", "An invented dose was wrong", True),
        ("guideline", "Guideline-directed therapy at home", True),
        ("preprint", "Preprint servers in ten years", True),
    ],
)
def test_a_badge_does_not_repeat_the_beginning_of_the_title(physician_client, kind, title, shows):
    make_article(title=title, kind=kind)

    assert ('class="badge' in text(physician_client, "/news/?show=all")) == shows


def test_a_card_says_the_day_and_of_alerts_and_of_today_the_time(physician_client):
    old = timezone.now() - timedelta(days=3)
    for kind in ("article", "alert"):
        make_article(title=f"Old {kind}", kind=kind, shown_at=old)
    make_article(title="New", shown_at=timezone.now() - timedelta(hours=3, minutes=5))

    page = text(physician_client, "/news/?show=all")
    said = re.findall(r"<time [^>]+>([^<]+)</time>", page.partition('id="list"')[2])

    assert ["am" in each or "pm" in each for each in said] == [False, True, False]
    assert "3" in said[0]
    assert said[1].startswith(f"{said[2]}, ")


def test_buttons_of_a_card_name_its_article(physician, physician_client):
    article = make_article(specialties=[physician.specialty])
    keeping.save(member=physician, article=article)

    page = text(physician_client)

    assert page.count(f'aria-describedby="t{article.pk}"') == 2
    assert f'<a id="t{article.pk}"' in page


def test_a_card_says_what_a_reader_must_know(physician, physician_client, cornea):
    moment = timezone.now() - timedelta(days=3)
    article = make_article(
        cornea,
        "A <b>trial</b> & its end",
        kind="preprint",
        specialties=[physician.specialty],
        lines=["It lowers what it should.", "Second line."],
        minutes=2,
        shown_at=moment,
    )

    page = text(physician_client)

    assert "In your specialty" in page
    assert '<use href="#i-file-clock"/></svg>Preprint, not peer reviewed' in page
    assert page.count('id="i-file-clock"') == 1
    assert "A &lt;b&gt;trial&lt;/b&gt; &amp; its end" in page
    assert "It lowers what it should." in page
    assert "Second line." not in page
    assert "2 min" in page
    assert f'<time datetime="{moment:%Y-%m-%dT%H:%MZ}">' in page
    assert f'href="/news/{article.pk}/"' in page
    assert "comment" not in page.partition('id="list"')[2]


def test_a_long_title_is_clipped_on_its_card_and_whole_in_the_article(physician, physician_client):
    title = long("An invented trial of everything", 230)
    article = make_article(
        title=title, specialties=[physician.specialty, *(make_specialty(f"Field {n}") for n in range(2))]
    )

    card = text(physician_client, "/news/?show=all")

    assert title not in card
    assert f"{title[:100]}" in card
    assert ("Field 0" in card, "Field 1" in card) == (True, False)
    assert title in text(physician_client, f"/news/{article.pk}/")


def test_following_a_source_one_wants_less_of_loads_the_page_again(physician, physician_client, cornea):
    for is_less in (False, True):
        if is_less:
            keeping.see_less(member=physician, of=cornea)
        page = text(physician_client, "/news/sources/cornea/")
        assert ("left out of your feed" in page) == is_less
        assert ('hx-post="/news/sources/cornea/follow/"' in page) != is_less


def test_what_was_read_has_no_dot(physician, physician_client):
    article = make_article(specialties=[physician.specialty])
    assert 'class="card unread"' in text(physician_client)

    ReadMark.objects.create(member=physician, article=article)
    assert 'class="card"' in text(physician_client)


def test_comments_are_counted_unless_their_thread_was_removed(physician, physician_client):
    article = make_article(specialties=[physician.specialty])
    thread = copy_of(make_question(physician), kind="article", answer_count=2)
    Discussion.objects.create(question=thread, article=article)
    assert "2 comments" in text(physician_client)

    Question.objects.filter(pk=thread.pk).update(status="removed")
    assert "2 comments" not in text(physician_client)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "Nothing in your fields yet"),
        ("?show=all", "No news yet"),
        ("?show=saved", "Nothing saved yet"),
        ("?followed=1", "You follow no source yet"),
        ("?q=zebra", "No article has these words"),
        ("?kind=alert", "No article matches"),
    ],
)
def test_an_empty_list_says_why(physician_client, query, words):
    assert words in text(physician_client, f"/news/{query}")


def test_a_member_without_a_field_is_told(physician):
    physician.specialty = None
    physician.save(update_fields=["specialty"])

    assert "Your feed knows no field of yours" in text(client_of(physician))


# Search, for other pages


def test_search_finds_what_one_may_read_newest_first(physician, applicant):
    for number in range(3):
        make_article(title=f"Apixaban {number}")
    make_article(title="Apixaban removed", state="removed")

    assert [row.title for row in search(physician.user, "apixaban", 2)] == ["Apixaban 2", "Apixaban 1"]
    assert search(physician.user, " ", 2) == []
    assert search(applicant.user, "apixaban", 2) == []


# Cost


def test_a_page_costs_little_however_long(physician, django_assert_max_num_queries):
    sources = [make_source(f"Annals of Invented Medicine {number}") for number in range(25)]
    for source in sources:
        SourceFollow.objects.create(member=physician, source=source)
    topics = [physician.specialty, make_specialty("Nephrology"), make_specialty("Dermatology")]
    made = Article.objects.bulk_create(
        Article(
            source=sources[number % 25],
            doi=f"10.5555/long.{number}",
            title=long(f"A randomized trial {number} of one invented treatment against another", 230),
            lines=[long("It lowered what it was meant to lower, by about a fifth", 160)],
            kind="guideline" if number % 4 else "preprint",
            minutes=2,
            region="us",
            search_text="word",
            shown_at=timezone.now() - timedelta(minutes=number),
        )
        for number in range(60)
    )
    ArticleSpecialty.objects.bulk_create(
        ArticleSpecialty(article=article, specialty=topic, how="feed", shown_at=article.shown_at)
        for article in made
        for topic in topics
    )
    SavedArticle.objects.bulk_create(SavedArticle(member=physician, article=article) for article in made)
    client = client_of(physician)
    for query in ("", "?show=all", "?show=saved", "?q=word&region=us"):
        client.get(f"/news/{query}")

        with django_assert_max_num_queries(8):
            page = client.get(f"/news/{query}")

        assert len(page.context["page"]) == 20
        assert len(page.content) < 40_960, (query, len(page.content))
