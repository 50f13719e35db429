"""Members' own papers: under the real name, where the family name stands among the authors, and never the handle."""

import pytest
from django.db import IntegrityError, transaction
from django.template import Context, Template
from django.urls import reverse

from accounts.models import Block, Face, Member
from accounts.tests.factories import make_member
from conftest import client_of
from newsfeed.models import OwnPaper
from newsfeed.services import own_papers as services
from newsfeed.tests.factories import make_article
from verification.models import Event

pytestmark = pytest.mark.django_db

NAME = "Anna de la Törre, MD"


@pytest.fixture
def author(db):
    return make_member("quiet_harbor", byline_mode="public", display_name=NAME)


@pytest.fixture
def article(db):
    return make_article(authors=["Bo Stonewright", "De la Torre A"])


def drawn(member, article) -> str:
    request = type("Request", (), {"user": member.user})()
    page = Template("{% load news %}{% own_paper article %}")
    return page.render(Context({"request": request, "article": article})).strip()


def be_under_the_handle(member):
    Member.objects.filter(pk=member.pk).update(byline_mode="anonymous", display_name="")


# Names


@pytest.mark.parametrize(
    "author",
    [
        "Anna de la Torre",
        "A. Torre",
        "Torre AB",
        "de la Torre, Anna",
        "Anna Torre, MD, PhD",
        "TORRE A",
        "Torre",
    ],
)
def test_a_family_name_is_found_in_every_order_and_without_accents(author):
    assert services.is_among(NAME, ["Bo Stonewright", author])


@pytest.mark.parametrize("author", ["Torre Smith", "Bo Torrente", "Smith T", "Latorre, Anna", ""])
def test_a_given_name_or_a_part_of_a_word_is_no_family_name(author):
    assert not services.is_among(NAME, [author])


@pytest.mark.parametrize("author", ["Torre B", "Bo Torre", "B. Torre", "B. A. Torre", "de la Torre, Bo A."])
def test_somebody_of_the_same_family_name_is_somebody_else(author):
    assert not services.is_among(NAME, [author])
    assert services.is_among(NAME, [author, "Törre Á"])


def test_a_suffix_is_no_family_name():
    assert services.is_among("Bo Stonewright Jr, DO", ["Stonewright B Jr", "Someone Else"])
    assert not services.is_among("Bo Stonewright Jr, DO", ["Other C Jr"])


# Services


def test_a_paper_is_marked_once_and_taken_back(author, article):
    assert services.mark(article=article, by=author) == services.mark(article=article, by=author)
    services.unmark(article=article, by=author)
    services.unmark(article=article, by=author)

    assert not OwnPaper.objects.exists()


def test_a_handle_marks_nothing_also_where_the_name_was_shown_until_now(author, article):
    be_under_the_handle(author)

    with pytest.raises(services.NotUnderYourName):
        services.mark(article=article, by=author)


def test_only_an_author_marks_a_paper(author):
    with pytest.raises(services.NotAnAuthor):
        services.mark(article=make_article(authors=["Bo Stonewright"]), by=author)


def test_the_database_holds_one_mark(author, article):
    services.mark(article=article, by=author)

    with pytest.raises(IntegrityError), transaction.atomic():
        OwnPaper.objects.create(member=author, article=article)


# On the article


def test_colleagues_read_the_name_and_no_handle(author, colleague, article):
    services.mark(article=article, by=author)

    mark = drawn(colleague, article)
    assert f'By <a href="{author.physician_url}">{NAME}</a>, a member here' in mark
    assert author.handle not in mark
    assert "<form" not in mark


def test_an_author_gets_a_button_and_nobody_else(author, colleague, article):
    button = drawn(author, article)
    services.mark(article=article, by=author)

    assert "This paper is mine" in button
    assert "never your handle" in button
    assert "Take this back" in drawn(author, article)
    assert drawn(colleague, make_article(authors=["Bo Stonewright"])) == ""


def test_the_mark_goes_with_the_name(author, colleague, article):
    services.mark(article=article, by=author)
    be_under_the_handle(author)

    assert drawn(colleague, article) == ""
    author.refresh_from_db()
    back = drawn(author, article)
    assert "Take this back" in back
    assert "nobody sees it" in back
    assert NAME not in back
    client_of(author).post(reverse("newsfeed:own_paper", args=[article.pk]), {"mine": "0"})
    assert drawn(author, article) == ""


def test_another_name_is_not_said_of_the_paper(author, colleague, article):
    services.mark(article=article, by=author)
    Member.objects.filter(pk=author.pk).update(display_name="Anna Stillwater, MD")

    assert drawn(colleague, article) == ""


def test_a_block_of_the_name_hides_the_mark_and_one_of_the_handle_does_not(author, colleague, third, article):
    services.mark(article=article, by=author)
    for blocker, face in ((colleague, Face.NAME), (third, Face.HANDLE)):
        Block.objects.create(blocker=blocker, blocked=author, blocked_face=face, blocker_face=Face.HANDLE)

    assert drawn(colleague, article) == ""
    assert NAME in drawn(third, article)


# The physician's page


def test_papers_stand_on_the_page_of_the_name(author, colleague, article):
    gone = make_article(title="Removed from the news", authors=article.authors)
    for each in (article, gone):
        services.mark(article=each, by=author)
    gone.state = "removed"
    gone.save()

    page = client_of(colleague).get(author.physician_url).content.decode()
    assert "Papers here" in page
    assert article.title in page
    assert gone.title not in page
    assert "Papers here" not in client_of(colleague).get(author.get_absolute_url()).content.decode()


# The door


def test_the_button_marks_and_takes_back(author, article):
    address = reverse("newsfeed:own_paper", args=[article.pk])
    browser = client_of(author)

    for _ in range(2):
        assert browser.post(address, {"mine": "1"}).url == article.get_absolute_url()
    assert OwnPaper.objects.get().member == author
    for _ in range(2):
        browser.post(address, {"mine": "0"})
    assert not OwnPaper.objects.exists()


def test_a_refusal_is_said_and_a_get_changes_nothing(physician, author, article):
    address = reverse("newsfeed:own_paper", args=[article.pk])
    browser = client_of(physician)

    browser.post(address, {"mine": "1"})
    said = [str(each) for each in browser.get("/", follow=True).context["messages"]]
    assert said == [services.NotUnderYourName.message]
    client_of(author).get(address)
    assert not OwnPaper.objects.exists()


def test_moderators_take_a_mark_off_and_nobody_else_does(author, colleague, moderator, article):
    services.mark(article=article, by=author)
    address, said = (
        reverse("newsfeed:own_paper", args=[article.pk]),
        {"mine": "0", "member": author.physician_key},
    )

    assert author.physician_key not in drawn(colleague, article).replace(author.physician_url, "")
    client_of(colleague).post(address, said)
    assert OwnPaper.objects.exists()
    assert f'name="member" value="{author.physician_key}"' in drawn(moderator, article)
    for _ in range(2):
        assert client_of(moderator).post(address, said).url == article.get_absolute_url()
    assert not OwnPaper.objects.exists()
    event = Event.objects.get(kind="own_paper_taken_off")
    assert event.object == f"article:{article.pk}"


def test_only_physicians_who_may_write_come_in(client, applicant, article):
    address = reverse("newsfeed:own_paper", args=[article.pk])
    reader = make_member(standing="read_only", byline_mode="public", display_name=NAME)

    assert "/accounts/login/" in client.post(address).url
    assert client_of(applicant).post(address).status_code == 302
    assert client_of(reader).post(address, {"mine": "1"}).status_code == 403
    gone = make_article(authors=article.authors, state="removed")
    author = make_member(byline_mode="public", display_name=NAME)
    assert client_of(author).post(reverse("newsfeed:own_paper", args=[gone.pk])).status_code == 404
    assert not OwnPaper.objects.exists()
