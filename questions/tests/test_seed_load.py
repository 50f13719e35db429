"""Loads that are made twice, stopped, refused and taken away again."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count

from accounts.models import Member, User
from accounts.tests.factories import make_member
from questions.load import filling, people
from questions.load.scale import Scale, shares, spread
from questions.models import Byline, Post, Question, QuestionSpecialty, Tag, Vote
from questions.tests.factories import corroborate, make_answer, make_question

pytestmark = pytest.mark.django_db

TINY = {"questions": 40, "posts": 400, "votes": 1500, "members": 40}


@pytest.fixture
def loaded():
    return run()


def run(*words, **numbers):
    said = StringIO()
    call_command("seed_load", *words, stdout=said, **(numbers or ({} if words else TINY)))
    return said.getvalue()


def test_a_second_run_does_nothing(loaded):
    before = list(Post.objects.order_by("pk").values_list("pk", "source"))

    assert "0 rows written" in run()

    assert list(Post.objects.order_by("pk").values_list("pk", "source")) == before


def test_a_run_that_was_stopped_is_taken_up_where_it_stopped(monkeypatch):
    monkeypatch.setattr(filling, "BATCH", 10)
    whole = shares(Scale(**TINY), "shares of the load")
    copy_batch, batches = filling._copy_batch, []

    def stop_after_two(*args):
        if len(batches) == 2:
            raise KeyboardInterrupt
        batches.append(args)
        return copy_batch(*args)

    monkeypatch.setattr(filling, "_copy_batch", stop_after_two)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert Question.objects.count() == 20

    monkeypatch.setattr(filling, "_copy_batch", copy_batch)
    run()

    rows = Question.objects.order_by("pk").annotate(written=Count("posts"))
    assert [row.written for row in rows] == [1 + share.answers + share.comments for share in whole]
    assert list(rows.values_list("opened_at", flat=True)) == sorted(rows.values_list("opened_at", flat=True))


def test_another_scale_on_top_of_it_is_refused(loaded):
    with pytest.raises(CommandError, match="--reset"):
        run(**{**TINY, "members": 50})


def test_it_stays_away_from_members_of_other_sites():
    make_member()

    with pytest.raises(CommandError, match="members of its own"):
        run()


def test_reset_takes_away_the_load_and_nothing_else():
    call_command("seed_reference", stdout=StringIO())
    mine, other = make_member(email="a@demo.sermo.test"), make_member(email="b@demo.sermo.test")
    question = make_question(mine, tags=["dialysis"])
    corroborate(make_answer(question, other), mine)
    run()
    loaded_question = Question.objects.filter(asker__in=people.of_the_load(), status="open").first()
    make_answer(loaded_question, mine)

    said = run("--reset")

    assert "load removed" in said
    assert [row.pk for row in Question.objects.all()] == [question.pk]
    assert Post.objects.count() == 2
    assert Vote.objects.count() == 1
    assert Byline.objects.count() == 2
    assert QuestionSpecialty.objects.count() == 1
    assert Member.objects.count() == User.objects.count() == 2
    assert [tag.slug for tag in Tag.objects.all()] == ["dialysis"]
    assert "0 rows" in run("--reset")


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        spread(11, [1, 2], [5, 5])


def test_shares_go_by_weight_up_to_the_cap_and_add_up():
    assert spread(10, [1, 3], [10, 5]) == [5, 5]
    assert sum(spread(1000, [0.3, 0.7, 0.1], [900, 900, 900])) == 1000
