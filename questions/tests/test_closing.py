from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from questions.models import Credit, Question
from questions.services import closing, writing
from questions.signals import question_closed, question_reopened
from questions.tests.factories import make_answer, make_question
from sermo.errors import RuleBroken


@pytest.fixture
def question(physician):
    return make_question(physician)


@pytest.fixture
def closings():
    heard = []

    def listener(question, **kwargs):
        heard.append((question.pk, transaction.get_connection().in_atomic_block))

    question_closed.connect(listener)
    yield heard
    question_closed.disconnect(listener)


def test_the_author_closes_once_and_it_is_announced_once_in_the_transaction(question, physician, closings):
    closing.close_question(question=question, by=physician)
    closed = closing.close_question(question=question, by=physician)

    assert (closed.status, closed.close_reason) == ("closed", "author")
    assert closings == [(question.pk, True)]


def test_a_moderator_closes_and_another_member_does_not(question, colleague, moderator):
    with pytest.raises(writing.NotYours):
        closing.close_question(question=question, by=colleague, user=colleague.user)

    assert (
        closing.close_question(question=question, by=moderator, user=moderator.user).close_reason
        == "moderator"
    )


def test_a_lapsed_author_neither_closes_nor_reopens(question, physician, moderator):
    physician.standing = "read_only"
    physician.save()
    with pytest.raises(writing.ReadOnly):
        closing.close_question(question=question, by=physician)

    closing.close_question(question=question, by=None, user=moderator.user)
    with pytest.raises(writing.ReadOnly):
        closing.reopen_question(question=question, by=physician)


def test_thirty_silent_days_close(question, physician, closings):
    active = make_question(physician, title="Still being discussed today?")
    Question.objects.filter(pk=question.pk).update(
        opened_at=timezone.now() - timedelta(days=31),
        activity_at=timezone.now() - timedelta(days=30, minutes=1),
    )

    call_command("close_due_questions")
    call_command("close_due_questions")

    question.refresh_from_db()
    active.refresh_from_db()
    assert (question.status, question.close_reason, active.status) == ("closed", "silence", "open")
    assert closings == [(question.pk, True)]


def test_an_answer_during_the_sweep_keeps_it_open(question):
    Question.objects.filter(pk=question.pk).update(activity_at=timezone.now() - timedelta(days=29))

    assert closing.close_if_silent(question_id=question.pk) is False


def test_it_can_be_reopened_within_fourteen_days(question, physician):
    closing.close_question(question=question, by=physician)
    assert closing.reopen_question(question=question, by=physician).is_open

    closing.close_question(question=question, by=physician)
    Question.objects.update(
        opened_at=timezone.now() - timedelta(days=20),
        closed_at=timezone.now() - timedelta(days=14, minutes=1),
    )
    with pytest.raises(closing.TooLateToReopen):
        closing.reopen_question(question=question, by=physician)


def test_a_higher_app_may_refuse_the_reopening(question, physician):
    closing.close_question(question=question, by=physician)

    def refuse(question, **kwargs):
        raise RuleBroken("Rewards were revealed.")

    question_reopened.connect(refuse)
    try:
        with pytest.raises(RuleBroken, match="revealed"):
            closing.reopen_question(question=question, by=physician)
    finally:
        question_reopened.disconnect(refuse)
    question.refresh_from_db()
    assert not question.is_open


def test_only_author_and_moderators_reopen(question, physician, colleague, moderator):
    closing.close_question(question=question, by=physician)

    with pytest.raises(writing.NotYours):
        closing.reopen_question(question=question, by=colleague, user=colleague.user)
    assert closing.reopen_question(question=question, by=None, user=moderator.user).is_open


def test_solving_credits_answers_and_their_authors_and_leaves_it_open(question, physician, colleague):
    answer = make_answer(question, colleague)

    solved = closing.solve_question(
        question=question, by=physician, answers=[answer], outcome="Occluded; no bleed since."
    )

    assert solved.is_solved
    assert solved.is_open
    colleague.rank.refresh_from_db()
    assert colleague.rank.points == 10


def test_solving_again_replaces_and_keeps_the_first_moment(question, physician, colleague, third):
    one, two = make_answer(question, colleague), make_answer(question, third)
    first = closing.solve_question(question=question, by=physician, answers=[one])
    moment = Credit.objects.get().credited_at

    second = closing.solve_question(question=question, by=physician, answers=[one, two])

    assert second.solved_at == first.solved_at
    assert Credit.objects.get(post=one).credited_at == moment
    closing.solve_question(question=question, by=physician, answers=[two])
    colleague.rank.refresh_from_db()
    assert colleague.rank.points == 0


def test_solved_elsewhere_needs_words(question, physician):
    with pytest.raises(closing.NothingCredited):
        closing.solve_question(question=question, by=physician, outcome="  ")

    assert closing.solve_question(
        question=question, by=physician, outcome="The biopsy answered it."
    ).is_solved


def test_at_most_three_answers_are_credited(question, physician):
    answers = [make_answer(question) for _ in range(4)]

    with pytest.raises(closing.TooManyCredits):
        closing.solve_question(question=question, by=physician, answers=answers)


def test_answers_of_another_question_are_never_credited(question, physician):
    stranger = make_answer(make_question(physician, title="Quite another question here?"))

    with pytest.raises(closing.NothingCredited):
        closing.solve_question(question=question, by=physician, answers=[stranger])


def test_only_the_asker_solves_and_only_questions(question, physician, colleague):
    observation = make_question(physician, title="I have seen this three times now", kind="observation")

    with pytest.raises(writing.NotYours):
        closing.solve_question(question=question, by=colleague, outcome="I say so.")
    with pytest.raises(closing.NotSolvable):
        closing.solve_question(question=observation, by=physician, outcome="It was seen.")


def test_a_solution_can_be_taken_back(question, physician, colleague):
    answer = make_answer(question, colleague)
    closing.solve_question(question=question, by=physician, answers=[answer], outcome="It worked.")

    closing.unsolve_question(question=question, by=physician)

    question.refresh_from_db()
    colleague.rank.refresh_from_db()
    assert (question.solved_at, question.outcome, colleague.rank.points) == (None, "", 0)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"status": "closed"}, "question_closed_with_moment_and_reason"),
        ({"close_reason": "author"}, "question_closed_with_moment_and_reason"),
        ({"importance_sum": 3}, "question_importance_sum_is_possible"),
    ],
)
def test_the_database_refuses_half_a_close_and_impossible_sums(question, fields, name):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Question.objects.filter(pk=question.pk).update(**fields)
