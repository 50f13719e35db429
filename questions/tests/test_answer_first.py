"""Answer first: who is committed, what is refused before, and what the page says."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from conftest import client_of
from questions.models import Commitment, Post, Question, Vote
from questions.services import committing, voting, writing
from questions.tests.factories import make_answer, make_comment, make_question

pytestmark = pytest.mark.django_db


@pytest.fixture
def question(physician):
    return make_question(physician, answer_first=True)


def page_of(question, member) -> str:
    response = client_of(member).get(question.get_absolute_url())
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def open_answers(question, member):
    return client_of(member).post(reverse("questions:open_answers", args=[question.pk]))


# Committing


def test_an_answer_opens_the_others_and_only_the_first_is_independent(question, colleague, third):
    make_answer(question, third, source="Left atrial occlusion.")

    first, second = make_answer(question, colleague), make_answer(question, colleague)

    assert (first.saw_others, second.saw_others) == (False, True)
    assert Commitment.objects.get(member=colleague).how == Commitment.How.ANSWERED
    assert "Left atrial occlusion." in page_of(question, colleague)


def test_who_only_reads_stays_marked_as_that_when_they_answer_later(question, colleague):
    for _ in range(2):
        committing.open_for_reading(question=question, member=colleague)

    answer = make_answer(question, colleague)

    assert answer.saw_others
    assert Commitment.objects.get().how == Commitment.How.READING


def test_an_answer_taken_back_closes_nothing_again(question, colleague, third):
    make_answer(question, third, source="Left atrial occlusion.")
    writing.remove_post(post=make_answer(question, colleague), by=colleague)

    assert "Left atrial occlusion." in page_of(question, colleague)
    assert make_answer(question, colleague).saw_others


def test_the_asker_needs_no_commitment_and_what_they_answer_counts_as_after(question, physician):
    assert committing.open_for_reading(question=question, member=physician) is None

    assert make_answer(question, physician).saw_others
    assert not Commitment.objects.exists()


def test_a_moderator_s_answer_counts_as_after_and_stays_open_when_they_moderate_no_more(
    question, moderator, third
):
    make_answer(question, third, source="Left atrial occlusion.")

    assert make_answer(question, moderator).saw_others
    moderator.user.groups.clear()

    assert "Left atrial occlusion." in page_of(question, Member.objects.get(pk=moderator.pk))


def test_in_other_discussions_nobody_commits(physician, colleague):
    question = make_question(physician)

    assert not make_answer(question, colleague).saw_others
    assert committing.open_for_reading(question=question, member=colleague) is None
    assert not Commitment.objects.exists()


def test_one_commitment_a_member(question, colleague):
    committing.open_for_reading(question=question, member=colleague)

    with pytest.raises(IntegrityError), transaction.atomic():
        Commitment.objects.create(question=question, member=colleague, how="answered")


# What is refused while answers are closed


def test_closed_answers_take_no_verdict_and_no_comment(question, colleague, third):
    answer = make_answer(question, third)
    comment = make_comment(answer, question.asker)

    for refused in (
        lambda: voting.cast_vote(post=answer, voter=colleague, value=1),
        lambda: voting.cast_vote(post=comment, voter=colleague, value=1),
        lambda: voting.withdraw_vote(post=answer, voter=colleague),
        lambda: make_comment(answer, colleague),
    ):
        with pytest.raises(committing.AnswerFirst):
            refused()
    committing.open_for_reading(question=question, member=colleague)

    assert voting.cast_vote(post=answer, voter=colleague, value=1)
    assert make_comment(answer, colleague)


def test_who_asked_and_who_moderates_judge_without_answering(question, moderator, third):
    answer = make_answer(question, third)

    for voter in (question.asker, moderator):
        voting.cast_vote(post=answer, voter=voter, value=1)

    assert Vote.objects.count() == 2


@pytest.mark.parametrize("name", ["vote", "comment", "history", "flag", "remove"])
def test_a_closed_answer_is_not_there(question, colleague, third, name):
    answer = make_answer(question, third)
    address = reverse(f"questions:{name}", args=[answer.pk])

    assert client_of(colleague).get(address).status_code == 404
    assert client_of(colleague).post(address, {"value": "1"}).status_code == 404


# The gate of posts


def test_the_gate_lets_openings_own_posts_and_open_answers_through(
    question, physician, colleague, third, moderator
):
    theirs, own = make_answer(question, third), make_answer(question, colleague)
    Commitment.objects.filter(member=colleague).delete()
    opening = question.posts.get(kind="opening")

    def seen_by(member):
        return set(Post.objects.visible_to(member.user))

    assert seen_by(colleague) == {opening, own}
    assert seen_by(physician) == seen_by(moderator) == seen_by(third) == {opening, own, theirs}


# The page


def test_one_card_stands_in_place_of_the_answers(question, colleague, third):
    for _ in range(2):
        make_answer(question, third, source="Left atrial occlusion.")
    make_answer(question, source="Nothing at all.")

    page = page_of(question, colleague)

    assert "2 colleagues answered." in page
    assert (
        "or now if you only want to read; what you answer after that is marked as written after reading"
        in page
    )
    assert page.count("<article data-post") == 0
    assert "Answered by" in page
    assert 'id="your-answer"' in page
    assert "By corroboration" not in page


def test_pressing_just_reading_opens_them_once_and_for_good(question, colleague, third):
    make_answer(question, third, source="Left atrial occlusion.")

    for _ in range(2):
        assert open_answers(question, colleague)["Location"] == f"{question.get_absolute_url()}#answers"

    assert Commitment.objects.get(member=colleague).how == Commitment.How.READING
    page = page_of(question, colleague)
    assert "Left atrial occlusion." in page
    assert "Just reading" not in page


def test_the_door_of_just_reading(question, client, applicant_client, colleague, third):
    address = reverse("questions:open_answers", args=[question.pk])
    assert "/accounts/login/" in client.post(address)["Location"]
    assert applicant_client.post(address)["Location"] == reverse("verification:start")
    assert client_of(colleague).get(address).status_code == 302
    Question.objects.filter(pk=question.pk).update(audience="connections")
    assert client_of(third).post(address).status_code == 404
    assert not Commitment.objects.exists()


def test_who_cannot_answer_any_more_is_told_so_and_may_read(question, colleague, third):
    make_answer(question, third, source="Left atrial occlusion.")
    Member.objects.filter(pk=colleague.pk).update(standing="read_only")
    reader = Member.objects.get(pk=colleague.pk)

    assert "The answer opens now if you want to read. You cannot answer here at present." in page_of(
        question, reader
    )
    Question.objects.filter(pk=question.pk).update(
        status="closed", closed_at=timezone.now(), close_reason="author"
    )
    assert "Nobody can answer any more: this discussion is closed." in page_of(question, reader)
    open_answers(question, reader)

    assert "Left atrial occlusion." in page_of(question, reader)


def test_before_the_first_answer_nothing_is_there_to_open(question, colleague):
    page = page_of(question, colleague)

    assert "What colleagues answer opens once you have answered." in page
    assert "Just reading" not in page


def test_answers_say_whether_they_were_written_after_reading(question, physician, colleague, third):
    make_answer(question, third)
    committing.open_for_reading(question=question, member=colleague)
    make_answer(question, colleague)
    make_answer(question, physician)

    page = page_of(question, colleague)

    assert (page.count("after reading</span>"), page.count("independent</span>")) == (1, 1)
    other = make_question(physician)
    make_answer(other, colleague)
    assert "independent</span>" not in page_of(other, colleague)


@pytest.mark.parametrize("is_open", [False, True])
def test_the_page_costs_at_most_ten_queries(question, colleague, third, is_open):
    for _ in range(3):
        make_comment(make_answer(question), question.asker)
    if is_open:
        committing.open_for_reading(question=question, member=colleague)
    client = client_of(colleague)
    client.get(question.get_absolute_url())

    with CaptureQueriesContext(connection) as asked:
        client.get(question.get_absolute_url())

    assert len(asked) <= 10
