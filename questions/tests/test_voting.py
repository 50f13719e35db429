import threading

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.tests.factories import make_member
from questions.models import Importance, Post, Question, Vote
from questions.services import closing, voting, writing
from questions.tests.factories import corroborate, dispute, make_answer, make_comment, make_question


@pytest.fixture
def answer(physician, colleague):
    return make_answer(make_question(physician), colleague)


def counts(post):
    post.refresh_from_db()
    return post.corroborate_count, post.dispute_count, post.balance


def test_a_second_vote_replaces_the_first(answer, third):
    corroborate(answer, third)
    dispute(answer, third)

    assert answer.votes.get().value == Vote.Value.DISPUTE
    assert counts(answer) == (0, 1, -1)
    answer.question.refresh_from_db()
    assert answer.question.vote_count == 1


def test_a_vote_keeps_its_first_moment_when_it_changes(answer, third):
    first = corroborate(answer, third)
    second = dispute(answer, third)

    assert second.cast_at == first.cast_at
    assert second.changed_at


def test_a_vote_can_be_withdrawn_and_withdrawn_again(answer, third):
    corroborate(answer, third)

    voting.withdraw_vote(post=answer, voter=third)
    voting.withdraw_vote(post=answer, voter=third)

    assert counts(answer) == (0, 0, 0)
    answer.question.refresh_from_db()
    assert answer.question.vote_count == 0


def test_a_vote_on_a_removed_post_stays_as_it_is(answer, colleague, third):
    corroborate(answer, third)
    writing.remove_post(post=answer, by=colleague)

    with pytest.raises(writing.PostIsGone):
        voting.withdraw_vote(post=answer, voter=third)
    answer.question.refresh_from_db()
    assert answer.question.vote_count == 0


def test_nobody_votes_on_their_own(answer, colleague, physician):
    with pytest.raises(voting.OwnPost):
        corroborate(answer, colleague)
    with pytest.raises(voting.OwnPost):
        voting.rate_importance(question=answer.question, rater=physician, value=5)


@pytest.mark.parametrize(
    ("reason", "explanation"), [("", "x" * 30), ("evidence", "Nineteen letters it"), ("spite", "x" * 30)]
)
def test_a_dispute_needs_a_reason_of_twenty_characters(answer, third, reason, explanation):
    with pytest.raises(voting.ReasonMissing):
        voting.cast_vote(post=answer, voter=third, value=-1, reason=reason, explanation=explanation)


def test_corroborating_forgets_the_reason_of_an_earlier_dispute(answer, third):
    dispute(answer, third)

    vote = corroborate(answer, third)

    assert (vote.reason, vote.explanation) == ("", "")


def test_openings_of_questions_take_no_verdict_but_observations_do(physician, third):
    question = make_question(physician)
    observation = make_question(physician, title="I have seen this three times now", kind="observation")

    with pytest.raises(voting.NotForVerdicts):
        corroborate(question.posts.get(), third)
    assert corroborate(observation.posts.get(), third).value == 1


def test_a_comment_is_helpful_or_nothing(answer, physician, third):
    comment = make_comment(answer, physician)

    corroborate(comment, third)

    assert counts(comment) == (1, 0, 1)
    with pytest.raises(voting.NotForVerdicts):
        dispute(comment, third)


def test_no_vote_after_the_close(answer, physician, third):
    corroborate(answer, third)
    closing.close_question(question=answer.question, by=physician)

    with pytest.raises(writing.NotOpen):
        dispute(answer, third)
    with pytest.raises(writing.NotOpen):
        voting.withdraw_vote(post=answer, voter=third)
    with pytest.raises(writing.NotOpen):
        voting.rate_importance(question=answer.question, rater=third, value=5)


def test_importance_is_a_bayesian_mean_and_rating_again_replaces(physician, colleague, third):
    question = make_question(physician)

    voting.rate_importance(question=question, rater=colleague, value=2)
    voting.rate_importance(question=question, rater=colleague, value=5)
    voting.rate_importance(question=question, rater=third, value=4)

    question.refresh_from_db()
    assert (question.importance_sum, question.importance_count) == (9, 2)
    assert float(question.importance) == pytest.approx((3 * 5 + 9) / 7, abs=1e-4)


@pytest.mark.parametrize("value", [0, 6, -1])
def test_importance_is_one_to_five(physician, colleague, value):
    with pytest.raises(ValueError, match="1 to 5"):
        voting.rate_importance(question=make_question(physician), rater=colleague, value=value)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"value": 2}, "vote_corroborates_or_disputes"),
        ({"value": 0}, "vote_corroborates_or_disputes"),
        ({"value": -1, "reason": "evidence", "explanation": "too short"}, "vote_dispute_gives_reason"),
        ({"value": 1, "reason": "evidence"}, "vote_dispute_gives_reason"),
        ({"value": -1, "reason": "spite", "explanation": "x" * 30}, "vote_reason_is_known"),
    ],
)
def test_the_database_refuses_votes_that_no_rule_allows(answer, third, fields, name):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Vote.objects.create(post=answer, voter=third, author=answer.author, **fields)


def test_the_database_refuses_a_vote_for_oneself_and_a_second_one(answer, third):
    with pytest.raises(IntegrityError, match="vote_never_on_own_post"), transaction.atomic():
        Vote.objects.create(post=answer, voter=answer.author, author=answer.author, value=1)
    corroborate(answer, third)
    with pytest.raises(IntegrityError, match="vote_once_per_physician"), transaction.atomic():
        Vote.objects.create(post=answer, voter=third, author=answer.author, value=1)


def test_the_database_refuses_a_rating_of_one_s_own_a_second_and_a_sixth_pip(physician, colleague):
    question = make_question(physician)
    row = {"question": question, "asker": physician}
    with pytest.raises(IntegrityError, match="importance_never_on_own_question"), transaction.atomic():
        Importance.objects.create(**row, rater=physician, value=5)
    with pytest.raises(IntegrityError, match="importance_from_one_to_five"), transaction.atomic():
        Importance.objects.create(**row, rater=colleague, value=6)
    Importance.objects.create(**row, rater=colleague, value=5)
    with pytest.raises(IntegrityError, match="importance_once_per_physician"), transaction.atomic():
        Importance.objects.create(**row, rater=colleague, value=4)


def together(number, action):
    """Run an action in so many threads at once, each with a connection of its own; return what was raised."""
    start, raised = threading.Barrier(number), []

    def run():
        try:
            start.wait(timeout=10)
            action()
        except Exception as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return raised


@pytest.mark.django_db(transaction=True)
def test_twenty_votes_of_one_member_at_once_make_one_vote(answer, third):
    raised = together(20, lambda: voting.cast_vote(post=answer, voter=third, value=1))

    assert raised == []
    assert Vote.objects.count() == 1
    assert counts(answer) == (1, 0, 1)
    assert Question.objects.get(pk=answer.question_id).vote_count == 1
    answer.author.rank.refresh_from_db()
    assert answer.author.rank.points == 5


@pytest.mark.django_db(transaction=True)
def test_votes_and_ratings_of_many_at_once_are_all_counted(answer):
    voters = iter([make_member() for _ in range(12)])
    lock = threading.Lock()

    def act():
        with lock:
            voter = next(voters)
        voting.cast_vote(post=answer, voter=voter, value=1)
        voting.rate_importance(question=answer.question, rater=voter, value=4)

    raised = together(12, act)

    assert raised == []
    question = Question.objects.get(pk=answer.question_id)
    assert Post.objects.get(pk=answer.pk).corroborate_count == question.vote_count == 12
    assert (question.importance_count, question.importance_sum) == (12, 48)
    answer.author.rank.refresh_from_db()
    assert answer.author.rank.points == 60
