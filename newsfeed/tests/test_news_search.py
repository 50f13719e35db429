"""News on pages of others: what a search finds, and what is new on one's home page."""

import pytest
from django.urls import reverse

from accounts.tests.factories import make_specialty
from newsfeed import home
from newsfeed.models import Article
from newsfeed.own_feed import newest_for
from newsfeed.services import keeping
from newsfeed.tests.factories import make_article, make_source
from questions.models import TopicFollow, TopicMute
from questions.tests.factories import make_question

pytestmark = pytest.mark.django_db


def found(client, text, **more):
    return client.get(reverse("search"), {"q": text, **more}).content.decode()


# Search


def test_a_search_shows_the_newest_news_and_leads_to_all_of_it(physician_client):
    for number in range(6):
        make_article(title=f"Velorenone in heart failure, part {number}")

    page = found(physician_client, "velorenone failure")

    assert "Nothing found" in page  # among discussions
    assert [f"part {number}" in page for number in range(6)] == [False, True, True, True, True, True]
    assert "/news/?q=velorenone+failure" in page


def test_news_stand_beside_discussions_on_the_first_page_alone(colleague, physician_client):
    make_question(colleague, title="Who has tried velorenone at home?")
    article = make_article(title="Velorenone in heart failure")

    first = found(physician_client, "velorenone")
    assert "tried" in first
    assert article.title in first
    assert article.title not in found(physician_client, "velorenone", after="W10")


@pytest.mark.parametrize("text", ["velorenone kind:question", "velorenone tag:dialysis", "-velorenone", ""])
def test_a_search_for_discussions_alone_shows_no_news(physician_client, text):
    make_article(title="Velorenone in heart failure")

    assert "All news with these words" not in found(physician_client, text)


def test_removed_news_are_not_found(physician_client):
    make_article(title="Velorenone in heart failure", state="removed")

    assert "All news with these words" not in found(physician_client, "velorenone")


# Home


def test_home_shows_the_three_newest_of_one_s_own_news(physician, physician_client):
    elsewhere = make_article(title="Of another field", specialties=[make_specialty("Dermatology")])
    own = [
        make_article(title=f"In cardiology, {number}", specialties=[physician.specialty])
        for number in range(4)
    ]

    page = physician_client.get("/").content.decode()

    assert [article.title in page for article in own] == [False, True, True, True]
    assert elsewhere.title not in page
    assert "In your specialty" in page


def test_without_news_there_is_no_block(physician_client):
    assert "News for you" not in physician_client.get("/").content.decode()


def test_what_is_removed_or_wanted_less_goes_at_once(physician, physician_client):
    source, followed = make_source("Too much of it"), make_source("Followed all the same")
    less = make_specialty("Dermatology")
    removed = make_article(title="Removed since", specialties=[physician.specialty])
    kept = make_article(title="Stays where it is", specialties=[physician.specialty])
    make_article(source, "Of a source one is tired of", specialties=[physician.specialty])
    make_article(title="On skin as well", specialties=[physician.specialty, less])
    make_article(followed, "Skin, but followed", specialties=[less])
    keeping.follow_source(member=physician, source=followed)
    assert len(home.newest(physician.user)) == 3

    Article.objects.filter(pk=removed.pk).update(state="removed")
    keeping.see_less(member=physician, of=source)
    keeping.see_less(member=physician, of=less)

    assert [row.title for row in home.newest(physician.user)] == ["Skin, but followed", kept.title]
    page = physician_client.get("/").content.decode()
    assert "Because you follow Followed all the same" in page


@pytest.mark.parametrize("wish", ["follow", "unfollow", "mute", "follow source"])
def test_home_is_chosen_anew_after_a_wish(physician, wish):
    skin, source = make_specialty("Dermatology"), make_source("Cornea")
    if wish == "unfollow":
        TopicFollow.objects.create(member=physician, specialty=skin)
    make_article(source, "On skin", specialties=[skin, make_specialty("Nephrology")])
    make_article(title="On the heart", specialties=[physician.specialty])
    before = {row.title: row.why for row in home.newest(physician.user)}

    match wish:
        case "follow":
            TopicFollow.objects.create(member=physician, specialty=skin)
        case "unfollow":
            TopicFollow.objects.all().delete()
        case "mute":
            TopicMute.objects.create(member=physician, specialty=physician.specialty)
        case "follow source":
            keeping.follow_source(member=physician, source=source)
    after = {row.title: row.why for row in home.newest(physician.user)}

    assert before != after
    assert after == {row.title: row.why for row in newest_for(physician.user)}


def test_home_without_news_sees_a_wish_at_once(physician):
    skin = make_specialty("Dermatology")
    make_article(title="Removed by now", specialties=[physician.specialty], state="removed")
    make_article(title="On skin", specialties=[skin])
    assert home.newest(physician.user) == []

    TopicFollow.objects.create(member=physician, specialty=skin)
    assert [row.title for row in home.newest(physician.user)] == ["On skin"]


def test_home_costs_one_query_more_with_news(physician, physician_client, django_assert_max_num_queries):
    make_article(specialties=[physician.specialty])
    physician_client.get("/")

    with django_assert_max_num_queries(7):
        assert "News for you" in physician_client.get("/").content.decode()


# The bars


def test_the_bars_lead_to_the_news_and_the_log(physician_client, client):
    page = physician_client.get("/").content.decode()

    assert page.count(f'href="{reverse("newsfeed:list")}"') >= 2  # the bar, and the foot of the phone
    assert reverse("newsfeed:log") in page
    assert reverse("newsfeed:list") not in client.get("/").content.decode()
