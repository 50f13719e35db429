"""Discussions for one's connections alone."""

import pytest

from accounts.models import Connection, Face
from accounts.services import ties
from accounts.tests.factories import make_member
from conftest import client_of
from questions.models import Byline, Post, Question
from questions.services import bylines, writing
from questions.tests.factories import make_answer, make_question


def connect(one, other):
    return ties.accept(connection=ties.request_connection(requester=one, addressee=other), by=other)


@pytest.fixture
def named(db):
    return make_member("open_book", byline_mode="public", display_name="Anna Vale, MD")


@pytest.fixture
def question(physician, colleague):
    connect(colleague, physician)
    return make_question(physician, audience="connections")


PLACES = ("/questions/", "/", "/search/?q=dialysis", "/members/left_atrium/")


def test_connections_asker_and_moderators_read_it_and_nobody_else(question, physician, colleague, moderator):
    for reader in (physician, colleague, moderator):
        assert client_of(reader).get(question.get_absolute_url()).status_code == 200
        assert question.title in client_of(reader).get("/questions/").content.decode()
    peer = client_of(make_member(specialty=physician.specialty))
    assert peer.get(question.get_absolute_url()).status_code == 404
    assert peer.post(f"/posts/{question.posts.get().pk}/vote/", {"value": 1}).status_code == 404
    for address in PLACES:
        assert question.title not in peer.get(address).content.decode()


def test_posts_go_through_the_same_gate(question, colleague, third):
    post = make_answer(question, colleague)

    assert post in Post.objects.visible_to(colleague.user)
    assert post not in Post.objects.visible_to(third.user)


@pytest.mark.parametrize("state", ["requested", "refused", "withdrawn", "ended"])
def test_only_an_accepted_connection_opens_it(question, third, physician, state):
    Connection.objects.create(requester=third, addressee=physician, state=state)

    assert not Question.objects.visible_to(third.user).exists()


def test_ending_the_connection_closes_it_at_once(question, colleague, colleague_client):
    assert colleague_client.get(question.get_absolute_url()).status_code == 200

    ties.end(connection=Connection.objects.get(), by=colleague)

    assert colleague_client.get(question.get_absolute_url()).status_code == 404


def test_a_block_closes_it_at_once(question, physician, colleague, colleague_client):
    ties.block(blocker=physician, blocked=colleague, blocked_face=Face.HANDLE)

    assert colleague_client.get(question.get_absolute_url()).status_code == 404


def test_connections_of_connections_do_not_read_it(question, colleague, third):
    connect(colleague, third)

    assert not Question.objects.visible_to(third.user).exists()


def test_without_a_connection_nobody_asks_connections(physician):
    with pytest.raises(writing.NoConnections):
        make_question(physician, audience="connections")


def test_a_name_is_not_shown_to_those_who_know_the_handle(named, colleague):
    connect(named, colleague)

    with pytest.raises(writing.NamedAmongConnections):
        make_question(named, audience="connections")
    made = make_question(named, audience="connections", byline="anonymous")

    assert made.bylines.get().mode == Byline.Mode.ANONYMOUS


def test_the_refusal_stands_beside_the_audience(named, colleague):
    connect(named, colleague)
    typed = {
        "kind": "question",
        "title": "How long do you hold it before the procedure?",
        "source": "In the 70s, on dialysis.",
        "specialties": [named.specialty_id],
        "urgency": "days",
        "audience": "connections",
        "byline": "public",
        "submission": "8b0a2b53-7e5c-4a53-8a0e-1d5a4a1b0c01",
    }

    page = client_of(named).post("/questions/ask/", typed)

    assert page.status_code == 422
    assert page.context["form"].errors["audience"] == [writing.NamedAmongConnections.message]


def test_nobody_answers_connections_under_a_name(question, physician, named):
    """Few read there, all known to the asker by handle: a name among them would soon be joined to one."""
    connect(named, physician)
    with pytest.raises(bylines.NameAmongConnections):
        make_answer(question, named)

    page = client_of(named).get(question.get_absolute_url()).content.decode()
    assert "Anna Vale" not in page

    answer = make_answer(question, named, byline="anonymous")
    assert answer.byline.mode == Byline.Mode.ANONYMOUS


def test_the_page_says_who_reads(question, colleague_client):
    assert "Connections of the asker" in colleague_client.get(question.get_absolute_url()).content.decode()


def test_the_list_costs_no_more_queries_with_connections(
    question, physician, colleague_client, django_assert_max_num_queries
):
    for number in range(5):
        make_question(physician, title=f"Question number {number} of many?", audience="connections")
    colleague_client.get("/questions/")

    with django_assert_max_num_queries(4):
        assert colleague_client.get("/questions/").status_code == 200


def test_a_specialty_that_the_handle_does_not_show_is_no_audience(physician, named):
    for asker in (physician, named):
        asker.specialty.group = "Internal Medicine"  # so few share the finer one that only the group is shown
        asker.specialty.save()

    with pytest.raises(writing.RareSpecialty):
        make_question(physician, audience="specialty")
    assert make_question(named, audience="specialty", byline="public").audience == "specialty"
