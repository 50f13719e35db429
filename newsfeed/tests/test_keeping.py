"""Saving articles, following sources, seeing less: each as often as one likes, with and without scripts."""

import pytest
from django.urls import reverse

from accounts.tests.factories import make_member, make_specialty
from conftest import client_of
from newsfeed.models import LessOf, SavedArticle, SourceFollow
from newsfeed.services import keeping
from newsfeed.tests.factories import make_article, make_source
from questions.models import TopicFollow, TopicMute

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def cornea(db):
    return make_source("Cornea Letters", slug="cornea")


@pytest.fixture
def article(physician, cornea):
    return make_article(cornea, "An invented finding", specialties=[physician.specialty])


def save(client, article, value="1", **more):
    address = reverse("newsfeed:save", args=[article.pk])
    return client.post(address, {"save": value, "next": "/news/?show=all"}, **more)


def test_saving_and_letting_go_twice_is_once(article, physician, physician_client):
    for _ in range(2):
        assert save(physician_client, article)["Location"] == "/news/?show=all"
    assert SavedArticle.objects.get().member == physician

    for _ in range(2):
        save(physician_client, article, "0")
    assert not SavedArticle.objects.exists()


def test_a_script_gets_the_button_as_it_is_now(article, physician_client):
    saved = save(physician_client, article, **HTMX).content.decode()
    assert 'aria-pressed="true"' in saved
    assert 'value="0"' in saved

    assert 'aria-pressed="false"' in save(physician_client, article, "0", **HTMX).content.decode()


def test_there_is_a_most(article, physician, physician_client, monkeypatch):
    monkeypatch.setattr(keeping, "MOST_SAVED", 1)
    keeping.save(member=physician, article=make_article())

    with pytest.raises(keeping.TooManySaved):
        keeping.save(member=physician, article=article)
    assert "the most there can be" in save(physician_client, article, **HTMX).content.decode()
    assert (
        "the most there can be"
        in physician_client.get(save(physician_client, article)["Location"]).content.decode()
    )


def test_who_may_keep(article, applicant, client, moderator):
    read_only = make_member(standing="read_only")

    assert save(client, article).status_code == 302
    assert save(client_of(applicant), article)["Location"] == reverse("verification:start")
    assert save(client_of(read_only), article).status_code == 302
    assert [row.member for row in SavedArticle.objects.all()] == [read_only]


def test_what_is_not_listed_is_not_there(physician_client, cornea):
    removed = make_article(cornea, state="removed")

    assert save(physician_client, removed).status_code == 404
    assert physician_client.get(reverse("newsfeed:less_choices", args=[removed.pk])).status_code == 404


def test_a_get_changes_nothing(article, physician_client, cornea):
    for address in (
        reverse("newsfeed:save", args=[article.pk]),
        reverse("newsfeed:follow_source", args=["cornea"]),
        reverse("newsfeed:less"),
        reverse("newsfeed:undo_less", args=[1]),
    ):
        assert physician_client.get(address).status_code == 302
    assert not SavedArticle.objects.exists()
    assert not SourceFollow.objects.exists()


def test_following_a_source_twice_is_once_and_takes_less_of_it_back(physician, physician_client, cornea):
    keeping.see_less(member=physician, of=cornea)
    address = reverse("newsfeed:follow_source", args=["cornea"])
    for _ in range(2):
        answer = physician_client.post(address, {"follow": "1"}, **HTMX)

    assert "Following" in answer.content.decode()
    assert SourceFollow.objects.get().member == physician
    assert not LessOf.objects.exists()

    for _ in range(2):
        answer = physician_client.post(address, {"follow": "0", "next": "/news/sources/"})
    assert answer["Location"] == "/news/sources/"
    assert not SourceFollow.objects.exists()


def test_less_of_a_source_is_followed_no_more(physician, physician_client, cornea):
    keeping.follow_source(member=physician, source=cornea)
    for _ in range(2):
        physician_client.post(reverse("newsfeed:less"), {"source": "cornea"})

    assert LessOf.objects.get().source == cornea
    assert not SourceFollow.objects.exists()


def test_less_and_undo_within_the_list(physician, physician_client, article):
    choices = physician_client.get(reverse("newsfeed:less_choices", args=[article.pk]), **HTMX)
    assert f"Less of {physician.specialty.name}" in choices.content.decode()

    slug = physician.specialty.slug
    done = physician_client.post(reverse("newsfeed:less"), {"specialty": slug}, **HTMX).content.decode()
    less = LessOf.objects.get()
    undo = reverse("newsfeed:undo_less", args=[less.pk])
    assert undo in done
    assert physician_client.get("/news/").context["page"].rows == []

    for _ in range(2):
        back = physician_client.post(undo, {"article": article.pk}, **HTMX).content.decode()
        assert article.title in back
        assert "In your specialty" in back
    assert not LessOf.objects.exists()


def test_the_choices_close_again(physician_client, article):
    choices = reverse("newsfeed:less_choices", args=[article.pk])
    assert f"{choices}?cancel=1" in physician_client.get(choices, **HTMX).content.decode()

    closed = physician_client.get(choices, {"cancel": "1"}, **HTMX).content.decode()
    assert ">Less of this</a>" in closed
    assert "Less of Cornea" not in closed


def test_undo_follows_again_what_was_followed(physician, physician_client, cornea):
    keeping.follow_source(member=physician, source=cornea)
    for _ in range(2):
        less = keeping.see_less(member=physician, of=cornea)
    undo = reverse("newsfeed:undo_less", args=[less.pk])

    assert "You follow it again." in physician_client.post(undo, follow=True).content.decode()
    assert SourceFollow.objects.get().source == cornea
    assert keeping.undo_less(member=physician, less_id=less.pk) is None

    keeping.unfollow_source(member=physician, source=cornea)
    keeping.undo_less(member=physician, less_id=keeping.see_less(member=physician, of=cornea).pk)
    assert not SourceFollow.objects.exists()


def test_less_says_what_stays(physician, physician_client, cornea, article):
    def said(**of):
        return physician_client.post(reverse("newsfeed:less"), of, **HTMX).content.decode()

    heart = physician.specialty
    alone = said(specialty=heart.slug)
    keeping.follow_source(member=physician, source=cornea)
    TopicFollow.objects.create(member=physician, specialty=heart)
    beside = said(specialty=heart.slug)

    assert "safety alerts stay" in alone
    assert "follow" not in alone
    assert "What the sources you follow bring of it stays too." in beside
    assert "You still follow its discussions." in beside
    assert "you still follow its discussions" in physician_client.get("/news/sources/").content.decode()
    make_source("Regulator", slug="regulator", kind="regulator")
    assert "Its safety alerts leave it too." in said(source="regulator")


def test_undo_promises_nothing_that_a_muted_topic_hides(physician, physician_client, article):
    heart = physician.specialty
    less = keeping.see_less(member=physician, of=heart)
    TopicMute.objects.create(member=physician, specialty=heart)

    undo = reverse("newsfeed:undo_less", args=[less.pk])
    back = physician_client.post(undo, {"article": article.pk}, **HTMX).content.decode()

    assert "is muted, though" in back
    assert article.title not in back


@pytest.mark.parametrize("named", ["", "nonsense", "0", "9" * 18, "9" * 40])
def test_undo_without_a_card_says_how_to_see_it(physician, physician_client, cornea, named):
    undo = reverse("newsfeed:undo_less", args=[keeping.see_less(member=physician, of=cornea).pk])

    assert "Load the page again" in physician_client.post(undo, {"article": named}, **HTMX).content.decode()


def test_less_without_scripts_has_a_page_and_an_undo(physician_client, article):
    page = physician_client.get(reverse("newsfeed:less_choices", args=[article.pk]))
    assert "Less of what?" in page.content.decode()
    assert "hx-" not in page.content.decode().partition("Less of what?")[2].partition("</main>")[0]

    answer = physician_client.post(
        reverse("newsfeed:less"), {"source": "cornea", "next": "/news/"}, follow=True
    )
    assert "Cornea Letters leaves your feed" in answer.content.decode()

    undo = reverse("newsfeed:undo_less", args=[LessOf.objects.get().pk])
    assert undo in physician_client.get("/news/sources/").content.decode()
    assert physician_client.post(undo)["Location"] == "/news/sources/"
    assert not LessOf.objects.exists()


def test_nobody_takes_back_what_is_somebody_else_s(physician, colleague_client):
    less = keeping.see_less(member=physician, of=make_specialty("Dermatology"))

    colleague_client.post(reverse("newsfeed:undo_less", args=[less.pk]))

    assert LessOf.objects.filter(pk=less.pk).exists()


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 400),
        ({"source": "no-such"}, 404),
        ({"specialty": "no-such"}, 404),
        ({"source": "\x00"}, 404),
        ({"specialty": "a\x00b"}, 404),
        ({"source": "ü" * 500}, 404),
    ],
)
def test_less_of_what_is_not_there(physician_client, said, status):
    assert physician_client.post(reverse("newsfeed:less"), said).status_code == status


def test_a_number_beyond_all_numbers_is_of_no_article(physician_client):
    for name in ("less_choices", "save"):
        address = reverse(f"newsfeed:{name}", args=[10**30])
        assert physician_client.get(address, follow=True).status_code == 404
        assert physician_client.post(address).status_code in (404, 405)
