"""Filters of the list of discussions: in the address, in the query, with counts, and kept under a name."""

import re
from datetime import timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from accounts.models import Block, Member
from questions.filters import Filters, parse
from questions.models import Question, Reference, SavedSearch
from questions.services import bookmarks, closing, following, muting
from questions.tests.factories import make_answer, make_question


@pytest.fixture(autouse=True)
def counts_of_now(settings):
    settings.FILTERS_KEPT_SECONDS = 0


def titles(client, address):
    return [row.title for row in client.get(address).context["page"]]


def number_beside(html, label):
    return re.search(rf'>{re.escape(label)} <span class="num">([^<]*)', html)[1]


# Addresses


def test_an_address_says_only_what_is_not_usual():
    assert Filters().query == ""
    assert Filters(kind="observation", saved=True).query == "kind=observation&saved=1"
    assert Filters().but(sort="unanswered").query == "sort=unanswered"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "sort=new",
        "sort=unanswered",
        "status=unanswered",
        "status=solved&kind=question&time=week&reference=1",
    ],
)
def test_what_an_address_says_is_read_back(query):
    assert parse(QueryDict(query)).query == query


def test_an_address_that_makes_no_sense_is_the_usual_list():
    typed = QueryDict("sort=best&status=lost&kind=poem&place=mars&time=1h&specialty=..%2F&saved=yes&tag=%00")

    assert parse(typed) == Filters()


def test_another_order_leaves_the_unanswered_ones():
    waiting = parse(QueryDict("sort=unanswered"))

    assert waiting.status == "unanswered"
    assert waiting.but(sort="new").query == "sort=new"
    assert waiting.but(status="solved").query == "status=solved"


# What they find


def test_each_filter_finds_its_own(physician, colleague, colleague_client):
    observation = make_question(physician, title="An observation of mine?", kind="observation")
    old = make_question(physician, title="Asked long ago and open?")
    Question.objects.filter(pk=old.pk).update(opened_at=timezone.now() - timedelta(days=20))
    referring = make_question(physician, title="With a paper beside it?", tags=["dialysis"])
    opening = referring.posts.get()
    Reference.objects.get_or_create(post=opening, kind="pmid", value="31535829", defaults={"place": 1})
    peers = make_question(colleague, title="Among peers alone, this?", peers_only=True)
    bookmarks.save(member=colleague, question=old)
    following.subscribe(member=colleague, question=referring, level="digest")

    found = {
        "kind=observation": [observation],
        "time=week": [peers, referring, observation],
        "time=month": [peers, referring, observation, old],
        "reference=1": [referring],
        "peers=1": [peers],
        "saved=1": [old],
        "following=1": [referring],
        "asked=1": [peers],
        "tag=dialysis": [referring],
        f"specialty={colleague.specialty.slug}": [peers],
        "specialty=mine": [peers],
    }
    for query, expected in found.items():
        assert titles(colleague_client, f"/questions/?sort=new&{query}") == [
            each.title for each in expected
        ], query


def test_filters_compose(physician, colleague_client):
    both = make_question(physician, title="An observation with a tag?", kind="observation", tags=["dialysis"])
    make_question(physician, title="An observation without one?", kind="observation")
    make_question(physician, title="A question with a tag, too?", tags=["dialysis"])

    assert titles(colleague_client, "/tags/dialysis/?kind=observation") == [both.title]


def test_unanswered_is_a_status_under_any_order(physician, colleague_client):
    waiting = make_question(physician, title="Who has an idea about this?")
    make_answer(make_question(physician))

    assert titles(colleague_client, "/questions/?status=unanswered&sort=active") == [waiting.title]


# Places: what the handle shows, and nothing else


@pytest.fixture
def at_home(physician):
    Member.objects.filter(pk=physician.pk).update(
        state="MN",
        face={"specialty": physician.specialty.name, "state": "MN", "region": "West North Central"},
    )
    physician.refresh_from_db()
    return physician


@pytest.mark.parametrize("place", ["minnesota", "Minnesota", "west-north-central"])
def test_a_place_finds_whose_handle_shows_it(at_home, colleague_client, place):
    question = make_question(at_home)

    assert titles(colleague_client, f"/questions/?place={place}") == [question.title]
    assert titles(colleague_client, "/questions/?place=california") == []


def test_a_place_the_handle_withholds_finds_nothing(at_home, colleague_client):
    make_question(at_home)
    Member.objects.filter(pk=at_home.pk).update(face={"specialty": "", "region": "West North Central"})

    assert titles(colleague_client, "/questions/?place=minnesota") == []


@pytest.mark.parametrize("mode", ["public", "masked"])
def test_what_stands_under_a_name_or_neither_face_is_asked_from_nowhere(at_home, colleague_client, mode):
    question = make_question(at_home)
    question.bylines.update(mode=mode)

    assert titles(colleague_client, "/questions/?place=minnesota") == []


def test_a_place_says_nothing_across_a_block(at_home, colleague, colleague_client):
    make_question(at_home)
    Block.objects.create(blocker=at_home, blocker_face="handle", blocked=colleague, blocked_face="handle")

    assert titles(colleague_client, "/questions/?place=minnesota") == []


# Counts


def test_each_filter_says_how_much_it_would_leave(physician, colleague, colleague_client):
    make_question(physician, title="An observation of mine?", kind="observation")
    make_question(physician)
    closing.close_question(question=make_question(physician, title="Closed by now, this one?"), by=physician)
    make_question(physician, title="For nobody else to read here?", audience="specialty")

    html = colleague_client.get("/questions/?counts=1").content.decode()

    assert number_beside(html, "Open") == "2"
    assert number_beside(html, "Closed") == "1"
    assert number_beside(html, "All") == "3"
    assert number_beside(html, "Observations") == "1"
    assert number_beside(html, "What I saved") == "0"


def test_counts_stop_at_the_cap(settings, physician, colleague_client):
    settings.COUNT_CAP = 3
    for number in range(5):
        make_question(physician, title=f"Question number {number} of five?")

    assert (
        number_beside(colleague_client.get("/questions/?status=all&counts=1").content.decode(), "Open")
        == "3+"
    )


def test_all_counts_are_one_query_and_are_kept_for_a_moment(
    settings, physician_client, django_assert_max_num_queries
):
    settings.FILTERS_KEPT_SECONDS = 30
    physician_client.get("/questions/")
    with django_assert_max_num_queries(7):
        fresh = physician_client.get("/questions/?kind=observation&counts=1")

    with django_assert_max_num_queries(6):
        kept = physician_client.get("/questions/?kind=observation")

    assert kept.context["rail"] == fresh.context["rail"]


def test_what_was_kept_is_for_its_reader_alone(
    settings, physician, colleague, physician_client, colleague_client
):
    settings.FILTERS_KEPT_SECONDS = 30
    make_question(physician, audience="specialty")

    assert number_beside(physician_client.get("/questions/?counts=1").content.decode(), "Open") == "1"
    assert number_beside(colleague_client.get("/questions/?counts=1").content.decode(), "Open") == "0"


def test_where_nothing_matches_it_says_what_to_drop(physician, colleague_client):
    make_question(physician, kind="observation")

    html = colleague_client.get("/questions/?kind=observation&time=week&status=solved").content.decode()

    assert "No discussion matches all 3 filters" in html
    assert re.search(
        r'Without “Solved” there is <a href="/questions/\?kind=observation&amp;time=week">1</a>', html
    )
    assert "Without “Past week”" not in html


# Muted topics


def test_a_muted_topic_leaves_the_lists_but_not_its_own_page(physician, colleague, colleague_client):
    muted = make_question(physician, title="What of dialysis tonight?", tags=["dialysis"])
    own = make_question(colleague, title="My own words on dialysis?", tags=["dialysis"])
    tag = muted.tags.get()
    muting.mute_topic(member=colleague, topic=tag)

    assert titles(colleague_client, "/questions/") == [own.title]
    assert titles(colleague_client, "/tags/dialysis/?sort=new") == [own.title, muted.title]
    bookmarks.save(member=colleague, question=muted)
    assert titles(colleague_client, "/questions/?saved=1") == [muted.title]


# Saved filters


def test_filters_are_saved_under_a_name_and_stand_as_chips(colleague, colleague_client):
    colleague_client.post(
        "/questions/filters/save/", {"query": "kind=observation&sort=new", "name": "Seen lately"}
    )

    kept = SavedSearch.objects.get()
    assert (kept.member, kept.place, kept.name) == (colleague, "list", "Seen lately")
    html = colleague_client.get("/questions/?sort=new&kind=observation").content.decode()
    assert 'href="/questions/?sort=new&amp;kind=observation" aria-current="true"' in html
    colleague_client.post(f"/questions/filters/{kept.pk}/forget/")
    assert not SavedSearch.objects.exists()


def test_a_topic_s_page_is_saved_as_a_filter_of_the_list(physician, colleague_client):
    make_question(physician, tags=["dialysis"])

    html = colleague_client.get("/tags/dialysis/?kind=question").content.decode()

    assert 'name="query" value="kind=question&amp;tag=dialysis"' in html


def test_somebody_else_s_saved_filters_are_out_of_reach(colleague, colleague_client, physician_client):
    colleague_client.post("/questions/filters/save/", {"query": "kind=observation", "name": "Mine"})

    assert (
        physician_client.post(f"/questions/filters/{SavedSearch.objects.get().pk}/forget/").status_code == 404
    )
    assert "Mine</a>" not in physician_client.get("/questions/").content.decode()


def test_a_page_of_the_list_stays_small_with_all_filters(physician, physician_client):
    for number in range(25):
        make_question(
            physician, title=f"Question number {number} of many, and a long one it is?", source="word " * 80
        )

    assert len(physician_client.get("/questions/").content) <= 40_000
