"""Figures as firms may know them."""

from datetime import date, timedelta
from typing import NamedTuple

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from observers import figures
from observers.demo import figures as demo
from observers.models import FigureDay, ImportanceFigure, PeersOnlyShare, VoteFigure
from questions.models import Post, Question
from questions.ranking.lines import midnight
from questions.tests.factories import copy_of, make_answer, make_question


class Votes(NamedTuple):
    corroborations: int = 0
    disputes: int = 0


class Ratings(NamedTuple):
    total: int = 0
    raters: int = 0


def shown_votes(post):
    row = VoteFigure.objects.filter(pk=post.pk).values_list("corroborations", "disputes").first()
    return Votes(*row or ())


def shown_ratings(question):
    row = ImportanceFigure.objects.filter(pk=question.pk).values_list("total", "raters").first()
    return Ratings(*row or ())


FIRST = date(2026, 11, 16)


def night(number):
    return FIRST + timedelta(days=number)


@given(st.integers(0, 100_000))
def test_a_number_is_words_or_rounded_down(number):
    shown = figures.shown_number(number)

    if number < 11:
        assert shown == "under 11"
    elif number < 15:
        assert shown == "over 10"
    else:
        assert int(shown) % 5 == 0
        assert 0 <= number - int(shown) < 5


def test_a_mean_is_shown_of_eleven_ratings():
    assert figures.shown_mean(44, 11) == "4.0"
    assert figures.shown_mean(40, 10) == ""
    assert figures.shown_mean(0, 0) == ""


@pytest.mark.django_db
class TestVotes:
    @pytest.fixture
    def answer(self, physician, colleague):
        return make_answer(make_question(physician), colleague)

    def vote(self, answer, corroborations, disputes=0):
        Post.objects.filter(pk=answer.pk).update(corroborate_count=corroborations, dispute_count=disputes)

    def shown(self, answer):
        return shown_votes(answer)

    def test_they_are_shown_a_night_after_they_were_taken(self, answer):
        self.vote(answer, 12, 3)
        figures.take(night(0))
        assert self.shown(answer) == Votes(0, 0)

        self.vote(answer, 20, 4)
        figures.take(night(1))
        assert self.shown(answer) == Votes(12, 3)

        figures.take(night(2))
        assert self.shown(answer) == Votes(20, 4)

    def test_a_second_time_in_a_night_changes_nothing(self, answer):
        self.vote(answer, 12)

        assert figures.take(night(0))
        assert not figures.take(night(0))
        assert not figures.take(night(0))

        assert self.shown(answer) == Votes()
        assert FigureDay.objects.count() == 1

    def test_a_night_that_was_missed_is_not_made_up_for(self, answer):
        figures.take(night(1))

        assert not figures.take(night(0))

    def test_votes_taken_back_go_likewise(self, answer):
        self.vote(answer, 12)
        figures.take(night(0))
        self.vote(answer, 0)
        figures.take(night(1))
        figures.take(night(2))

        assert self.shown(answer) == Votes()

    def test_one_who_comes_and_goes_is_not_seen_to(self, answer):
        for number, (votes, shown) in enumerate([(11, 11), (10, 11), (9, 11), (6, 11), (5, 5), (10, 10)]):
            self.vote(answer, votes, votes)
            figures.take(night(2 * number))
            figures.take(night(2 * number + 1))

            assert self.shown(answer) == Votes(shown, shown)

    def test_after_a_late_night_the_next_one_waits(self, answer, monkeypatch):
        now = []
        monkeypatch.setattr(timezone, "now", lambda: now[-1])
        ten_past = midnight(FIRST) + timedelta(minutes=10)
        taken = []
        for hours, votes in ((0, 12), (24 + 23, 20), (48, 30), (72, 40)):
            now.append(ten_past + timedelta(hours=hours))
            self.vote(answer, votes)
            taken.append((figures.take(), self.shown(answer).corroborations))

        assert taken == [(True, 0), (True, 12), (False, 12), (True, 20)]

    def test_a_task_that_starts_some_minutes_earlier_than_the_day_before_is_no_reason(
        self, answer, monkeypatch
    ):
        for hours in (0.2, 24):
            monkeypatch.setattr(timezone, "now", lambda hours=hours: midnight(FIRST) + timedelta(hours=hours))
            assert figures.take()

    def test_a_post_without_votes_has_no_row(self, answer):
        figures.take(night(0))

        assert not VoteFigure.objects.exists()
        assert self.shown(answer) == Votes()

    def test_lists_are_ordered_by_what_may_be_known(self, answer):
        for corroborations, known in ((0, 0), (10, 0), (11, 10), (14, 10), (15, 15), (23, 20)):
            VoteFigure.objects.update_or_create(post=answer, defaults={"corroborations": corroborations})

            found = VoteFigure.objects.annotate(known=figures.rounded("corroborations")).get()

            assert found.known == known


@pytest.mark.django_db
class TestImportance:
    @pytest.fixture
    def question(self, physician):
        return make_question(physician)

    def rate(self, question, raters, total):
        Question.objects.filter(pk=question.pk).update(importance_count=raters, importance_sum=total)

    def shown(self, question):
        return shown_ratings(question)

    def test_it_is_shown_a_night_after_it_was_taken(self, question):
        self.rate(question, 12, 48)
        figures.take(night(0))
        assert self.shown(question) == Ratings(0, 0)

        figures.take(night(1))
        assert self.shown(question) == Ratings(total=48, raters=12)

    def test_a_mean_stays_until_eleven_more_rated(self, question):
        self.rate(question, 12, 48)
        figures.take(night(0))
        self.rate(question, 22, 70)
        figures.take(night(1))
        figures.take(night(2))
        assert self.shown(question) == Ratings(total=48, raters=12)

        self.rate(question, 23, 75)
        figures.take(night(3))
        figures.take(night(4))
        assert self.shown(question) == Ratings(total=75, raters=23)

    def test_the_eleventh_rater_makes_it_known_and_eleven_less_unknown(self, question):
        steps = [(10, 30, ""), (11, 33, "3.0"), (10, 30, "3.0"), (11, 35, "3.0"), (0, 0, ""), (11, 44, "4.0")]
        for number, (raters, total, mean) in enumerate(steps):
            self.rate(question, raters, total)
            figures.take(night(2 * number))
            figures.take(night(2 * number + 1))

            assert figures.shown_mean(*self.shown(question)) == mean


@pytest.mark.django_db
class TestShare:
    MONTH = date(2026, 10, 1)

    def opened(self, physician, count, **changes):
        question = make_question(physician)
        ids = [question.pk, *(copy_of(question).pk for _ in range(count - 1))]
        moment = timezone.make_aware(timezone.datetime(2026, 10, 5, 12))
        Question.objects.filter(pk__in=ids).update(opened_at=moment, **changes)
        return ids

    def test_it_counts_what_no_firm_reads(self, physician):
        self.opened(physician, 9)
        self.opened(physician, 1, peers_only=True)
        self.opened(physician, 1, audience="specialty")
        self.opened(physician, 1, kind="case")
        (hidden,) = self.opened(physician, 1)
        Post.objects.filter(question=hidden).update(peers_only=True)
        self.opened(physician, 1, status="removed", peers_only=True)
        self.opened(physician, 1, kind="article")
        self.opened(physician, 1, industry="A firm")

        figures.take(night(0))

        share = PeersOnlyShare.objects.get(month=self.MONTH)
        assert (share.discussions, share.withheld) == (13, 4)

    @pytest.mark.parametrize(
        ("discussions", "withheld", "shown"),
        [(21, 1, ""), (40, 10, ""), (40, 11, "30%"), (40, 30, ""), (40, 29, "70%"), (40, 0, "")],
    )
    def test_neither_those_withheld_nor_the_rest_are_few(self, discussions, withheld, shown):
        PeersOnlyShare.objects.create(month=self.MONTH, discussions=discussions, withheld=withheld)

        assert figures.shown_share(self.MONTH + timedelta(days=7)) == shown

    def test_of_few_discussions_nothing_is_said(self, physician):
        self.opened(physician, 10, peers_only=True)

        figures.take(night(0))

        assert figures.shown_share(self.MONTH) == ""

    def test_discussions_of_the_last_day_do_not_count_yet(self, physician):
        self.opened(physician, 3)

        figures.take(date(2026, 10, 6))
        assert PeersOnlyShare.objects.get(month=self.MONTH).discussions == 0

        figures.take(date(2026, 10, 7))
        assert PeersOnlyShare.objects.get(month=self.MONTH).discussions == 3


@pytest.mark.django_db
def test_taking_costs_the_same_however_many_posts_there_are(physician, django_assert_max_num_queries):
    question = make_question(physician)
    for _ in range(5):
        copy_of(question, importance_count=3, importance_sum=9)

    with django_assert_max_num_queries(17):
        figures.take(night(0))

    assert ImportanceFigure.objects.count() == 5


@pytest.mark.django_db
def test_the_demonstration_has_figures_at_once_and_takes_them_once(physician):
    question = make_question(physician)
    Question.objects.filter(pk=question.pk).update(importance_count=12, importance_sum=48)

    demo.seed()
    Question.objects.filter(pk=question.pk).update(importance_count=30, importance_sum=90)
    demo.seed()

    assert shown_ratings(question) == Ratings(total=48, raters=12)
    assert FigureDay.objects.count() == 2
