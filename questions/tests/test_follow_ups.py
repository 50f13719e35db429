from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Kind, Notice
from conftest import client_of
from questions import tasks
from questions.models import FollowUp
from questions.services import closing, follow_ups, writing
from questions.tests.factories import make_answer, make_question


@pytest.fixture
def solved(physician, colleague):
    question = make_question(physician)
    answer = make_answer(question, colleague)
    return closing.solve_question(question=question, by=physician, answers=[answer])


def later(days):
    return time_machine.travel(timezone.now() + timedelta(days=days, hours=1), tick=True)


def notices_of(member):
    return Notice.objects.filter(member=member, kind=Kind.FOLLOW_UP)


def test_a_solution_is_followed_up_three_times(solved):
    assert list(solved.follow_ups.order_by("days").values_list("days", flat=True)) == [7, 30, 90]
    assert solved.follow_ups.get(days=30).due_at == solved.solved_at + timedelta(days=30)


def test_one_that_fails_keeps_no_other_from_being_asked(solved, physician, monkeypatch):
    other = make_question(physician, title="A second one with an answer?")
    closing.solve_question(question=other, by=physician, outcome="The surgeon found it.")
    ask = follow_ups.ask

    def fails(*, question_id):
        if question_id == solved.pk:
            raise ValueError
        return ask(question_id=question_id)

    monkeypatch.setattr(follow_ups, "ask", fails)
    with later(7):
        tasks.ask_what_became()

    assert [notice.thread.about for notice in notices_of(physician)] == [f"question:{other.pk}"]


def test_solved_elsewhere_is_followed_up_too(physician):
    question = make_question(physician)
    closing.solve_question(question=question, by=physician, outcome="The surgeon found it.")

    assert question.follow_ups.count() == 3


def test_changing_the_solution_plans_nothing_anew(solved, physician):
    before = set(solved.follow_ups.values_list("pk", flat=True))

    closing.solve_question(question=solved, by=physician, outcome="Elsewhere after all.")

    assert set(solved.follow_ups.values_list("pk", flat=True)) == before


def test_taking_the_solution_back_ends_it_but_keeps_what_was_said(solved, physician):
    week = solved.follow_ups.get(days=7)
    follow_ups.answer(follow_up=week, by=physician, finding="confirmed")

    closing.unsolve_question(question=solved, by=physician)
    assert list(solved.follow_ups.all()) == [week]

    closing.solve_question(question=solved, by=physician, outcome="Solved again.")
    assert solved.follow_ups.count() == 3


def test_removing_the_credited_answer_ends_it_too(solved, colleague):
    writing.remove_post(post=solved.posts.answers().get(), by=colleague)

    assert not solved.follow_ups.exists()


def test_each_is_asked_once_when_it_is_due(solved, physician):
    tasks.ask_what_became()
    assert not notices_of(physician).exists()

    with later(7):
        tasks.ask_what_became()
        tasks.ask_what_became()
    assert notices_of(physician).count() == 1

    with later(30):
        tasks.ask_what_became()
    assert notices_of(physician).count() == 2


def test_what_fell_due_together_is_asked_as_one(solved, physician):
    with later(100):
        tasks.ask_what_became()

    assert notices_of(physician).get().target == solved.follow_ups.get(days=90).pk
    assert not solved.follow_ups.filter(asked_at=None).exists()


def test_what_was_said_before_it_was_due_is_not_asked(solved, physician):
    follow_ups.answer(follow_up=solved.follow_ups.get(days=7), by=physician, finding="partly")

    with later(7):
        tasks.ask_what_became()

    assert not notices_of(physician).exists()


def test_of_a_removed_question_nothing_is_asked(solved, physician):
    type(solved).objects.filter(pk=solved.pk).update(status="removed")

    with later(100):
        tasks.ask_what_became()

    assert not notices_of(physician).exists()


def test_the_notice_leads_to_the_form(solved, physician):
    with later(7):
        tasks.ask_what_became()
        page = client_of(physician).get(reverse("accounts:notices")).content.decode()

    assert "A week after its solution: what became of it?" in page


def test_only_the_asker_says_what_became_of_it(solved, colleague):
    with pytest.raises(follow_ups.NotTheAsker):
        follow_ups.answer(follow_up=solved.follow_ups.get(days=7), by=colleague, finding="confirmed")


def test_without_a_solution_there_is_nothing_to_say(solved, physician):
    week = solved.follow_ups.get(days=7)
    type(solved).objects.filter(pk=solved.pk).update(solved_at=None)

    with pytest.raises(follow_ups.NotSolved):
        follow_ups.answer(follow_up=week, by=physician, finding="confirmed")


def test_a_finding_must_be_one_of_those_there_are(solved, physician):
    with pytest.raises(follow_ups.WithoutFinding):
        follow_ups.answer(follow_up=solved.follow_ups.get(days=7), by=physician, finding="fine")


def test_the_database_wants_a_finding_with_an_answer(solved):
    with pytest.raises(IntegrityError), transaction.atomic():
        solved.follow_ups.update(answered_at=timezone.now())


def test_who_was_credited_hears_what_became_of_it_once(solved, physician, colleague):
    for words in ("Well at home.", "Well at home, no bleed."):
        follow_ups.answer(
            follow_up=solved.follow_ups.get(days=7), by=physician, finding="confirmed", text=words
        )

    told = Notice.objects.filter(member=colleague, key__startswith="outcome:")
    page = client_of(colleague).get(reverse("accounts:notices")).content.decode()
    assert told.count() == 1
    assert "What became of a question you helped to solve" in page
    assert solved.follow_ups.get(days=7).text == "Well at home, no bleed."


def test_the_one_to_answer_is_the_latest_due_else_the_first_to_come(solved):
    assert follow_ups.next_of(solved).days == 7
    assert follow_ups.next_of(solved, timezone.now() + timedelta(days=40)).days == 30
    FollowUp.objects.update(answered_at=timezone.now(), finding="confirmed")
    assert follow_ups.next_of(solved) is None


def test_what_was_said_reads_in_order(solved, physician, django_assert_num_queries):
    for days in (30, 7):
        follow_ups.answer(follow_up=solved.follow_ups.get(days=days), by=physician, finding="confirmed")

    with django_assert_num_queries(1):
        assert [row.days for row in follow_ups.said_of(solved)] == [7, 30]


# The page


def test_the_asker_says_it_on_the_page_also_after_closing(solved, physician, physician_client):
    closing.close_question(question=solved, by=physician)
    address = reverse("questions:follow_up", args=[solved.pk])
    assert "A week after its solution" in physician_client.get(address).content.decode()

    answer = physician_client.post(address, {"days": "7", "finding": "partly", "text": "Better, not well."})

    assert answer.url.endswith("#what-happened")
    week = solved.follow_ups.get(days=7)
    assert (week.finding, week.text) == ("partly", "Better, not well.")


def test_a_refused_form_keeps_what_was_typed(solved, physician_client):
    address = reverse("questions:follow_up", args=[solved.pk])

    answer = physician_client.post(address, {"days": "7", "text": "Better, not well."})

    assert answer.status_code == 422
    assert "Better, not well." in answer.content.decode()


@pytest.mark.parametrize("days", ["8", "x", "30x"])
def test_there_is_no_other_day(solved, physician_client, days):
    address = reverse("questions:follow_up", args=[solved.pk])

    assert physician_client.get(address, {"days": days}).status_code == 404


def test_the_form_is_the_asker_s_alone(solved, client, colleague_client, applicant_client, moderator):
    address = reverse("questions:follow_up", args=[solved.pk])

    assert client.get(address).status_code == 302
    assert applicant_client.get(address).status_code == 302
    assert colleague_client.get(address).status_code == 404
    assert client_of(moderator).get(address).status_code == 404


def test_an_unsolved_question_has_no_such_page(physician, physician_client):
    question = make_question(physician)

    assert physician_client.get(reverse("questions:follow_up", args=[question.pk])).status_code == 404
