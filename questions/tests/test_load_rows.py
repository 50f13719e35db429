"""The rows of a load small enough for the suite are as right as those the services write."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction

from accounts.models import Member
from conftest import client_of
from questions.load import people
from questions.models import Byline, Post, Question, Vote
from questions.services.counting import recount_questions
from questions.services.writing import EXCERPT
from sermo.text import clip, plain, render_markdown, searchable

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker):
    """One load for all tests of this module, each of which only changes it within a transaction of its own."""
    said = StringIO()
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("seed_load", questions=40, posts=400, votes=1500, members=40, stdout=said)
        with django_db_blocker.block():
            yield said.getvalue()
        transaction.set_rollback(True)


def test_it_makes_exactly_as_many_rows_as_asked_for(loaded):
    assert "40 discussions, 400 posts, 1,500 votes" in loaded
    assert Question.objects.count() == 40
    assert Post.objects.count() == 400
    assert Vote.objects.count() == 1500
    assert Member.objects.count() == 40


def test_its_counters_and_ranks_are_those_that_recount_finds(loaded):
    assert recount_questions(list(Question.objects.values_list("pk", flat=True))) == 0
    said = StringIO()
    call_command("recount", stdout=said)
    assert "0 counters mended, 0 points and 0 tiers changed" in said.getvalue()


def test_its_texts_are_what_the_services_would_have_made_of_them(loaded):
    for post in Post.objects.select_related("question"):
        assert post.html == render_markdown(post.source)
        title = post.question.title if post.kind == Post.Kind.OPENING else ""
        assert post.search_text == searchable(title, plain(post.html))
        if post.kind == Post.Kind.OPENING:
            assert post.question.excerpt == clip(plain(post.html), EXCERPT)


def test_moments_follow_each_other(loaded):
    for question in Question.objects.prefetch_related("posts__votes"):
        for post in question.posts.all():
            assert question.opened_at <= post.posted_at <= question.activity_at
            assert all(post.posted_at <= vote.cast_at <= question.activity_at for vote in post.votes.all())
        assert question.closed_at is None or question.closed_at >= question.activity_at
        assert question.opened_at >= question.asker.joined_at


def test_there_are_long_discussions_and_every_state(loaded):
    assert Question.objects.filter(answer_count__gte=20).exists()
    assert Question.objects.filter(status="open").exists()
    assert Question.objects.filter(status="closed").exists()
    assert Question.objects.filter(solved_at__isnull=False).exists()
    assert Vote.objects.filter(value=-1).exists()


def test_nobody_signs_with_a_name_they_do_not_show_or_among_connections(loaded):
    named = Byline.objects.filter(mode="public")

    assert not named.exclude(member__byline_mode="public").exists()
    assert not named.filter(question__audience="connections").exists()


def test_its_members_read_its_pages(loaded):
    member = people.of_the_load().last()
    client = client_of(member)
    question = Question.objects.visible_to(member.user).filter(answer_count__gte=20).first()

    assert client.get(question.get_absolute_url()).status_code == 200
    assert client.get("/questions/").status_code == 200
    assert client.get(member.get_absolute_url()).status_code == 200
