"""That a discussion is solved or closed, and whom it credits, reaches firms as late as posts do."""

from datetime import timedelta
from itertools import product

import pytest
from django.urls import reverse
from django.utils import timezone

from observers import keys, listing, search, states
from observers.tests.factories import let_pass
from questions.models import Credit, Question
from questions.models.openness import released_until
from questions.services import closing
from questions.tests.factories import make_answer, make_question

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]

LIST = reverse("observers:list")
JUST_NOW, LONG_AGO = timedelta(minutes=50), timedelta(minutes=76)  # an hour and a step have passed, or not


@pytest.fixture
def question(physician, colleague):
    question = make_question(physician, "Apixaban in dialysis: which dose?")
    make_answer(question, colleague)
    return let_pass(question)


@pytest.fixture
def address(firm, question):
    return reverse("observers:question", args=[keys.question_key(firm, question.pk)])


def solve(question, ago):
    """By the service, so that what it writes is what firms are told by."""
    answer = question.posts.get(kind="answer")
    closing.solve_question(question=question, by=question.asker, answers=[answer])
    moment = timezone.now() - ago
    Question.objects.filter(pk=question.pk).update(solved_at=moment)
    Credit.objects.filter(question=question).update(credited_at=moment)


def close(question, ago):
    closing.close_question(question=question, by=question.asker)
    Question.objects.filter(pk=question.pk).update(closed_at=timezone.now() - ago)


@pytest.mark.parametrize(("ago", "is_known"), [(timedelta(0), False), (JUST_NOW, False), (LONG_AGO, True)])
class TestMoments:
    def test_a_row_is_solved_or_closed_late(self, seat_client, question, ago, is_known):
        solve(question, ago)
        close(question, ago)

        for query in ({}, {"q": "apixaban"}):
            page = seat_client.get(LIST, query)
            [row] = page.context["rows"]
            assert (row.is_solved, row.is_open) == (is_known, not is_known)
            assert (">Solved</span>" in page.content.decode()) is is_known
            assert (">Closed</span>" in page.content.decode()) is is_known

    def test_so_is_its_page(self, seat_client, question, address, ago, is_known):
        solve(question, ago)
        close(question, ago)

        page = seat_client.get(address)

        found = page.context["found"]
        assert (found.is_solved, found.is_open) == (is_known, not is_known)
        assert found.answers[0].is_credited is is_known
        assert ("Credited with the solution" in page.content.decode()) is is_known

    def test_a_filter_finds_it_late(self, seat_client, question, monkeypatch, ago, is_known):
        solve(question, ago)

        for few, query in product([0, 1_000], [{}, {"q": "apixaban"}, {"kind": "question"}]):
            for module in (listing, search):
                monkeypatch.setattr(module, "FEW", few)
            found = {
                solved: len(seat_client.get(LIST, {**query, "solved": solved}).context["rows"])
                for solved in ("yes", "no")
            }
            assert found == ({"yes": 1, "no": 0} if is_known else {"yes": 0, "no": 1}), (few, query)


def test_they_are_known_in_the_steps_of_posts(monkeypatch):
    until = released_until()
    monkeypatch.setattr(states, "released_until", lambda: until)

    assert states.has_reached(until)
    assert not states.has_reached(until + timedelta(seconds=1))
    assert not states.has_reached(None)


def test_a_credit_given_later_is_known_later(seat_client, question, address):
    solve(question, LONG_AGO)
    second = make_answer(question)
    let_pass(question)
    Credit.objects.create(question=question, post=second, place=2)

    credited = {shown.pk: shown.is_credited for shown in seat_client.get(address).context["found"].answers}

    assert credited.pop(second.pk) is False
    assert set(credited.values()) == {True}
