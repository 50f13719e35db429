"""How much may be written a day, and holds."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from questions.models import Hold, MemberRank, ModerationAction, WriteCount
from questions.services import closing, follow_ups, limits, voting, writing
from questions.tests.factories import corroborate, make_answer, make_comment, make_question

What = WriteCount.What


@pytest.fixture(autouse=True)
def few(settings):
    settings.DAILY_WRITES = {"post": 2, "comment": 3, "vote": 2, "flag": 1}


@pytest.fixture
def question(physician):
    return make_question(physician)


def counted(member, what):
    return WriteCount.objects.filter(member=member, what=what).values_list("count", flat=True).first() or 0


def hold(member, post, days=3):
    action = ModerationAction.objects.create(
        kind="hold", post=post, member=member, reason="harassment", statement="No.", days=days
    )
    return Hold.objects.create(member=member, action=action, until=timezone.now() + timedelta(days=days))


def test_a_third_discussion_of_a_new_member_waits_for_tomorrow(physician):
    with time_machine.travel(datetime(2026, 5, 4, 23, 50, tzinfo=UTC)) as clock:
        make_question(physician)
        make_question(physician)
        with pytest.raises(limits.TooManyToday, match="New members have 2 discussions a day"):
            make_question(physician)
        assert counted(physician, What.POST) == 2

        clock.shift(timedelta(minutes=11))
        make_question(physician)


def test_answers_and_comments_share_a_limit(question, colleague):
    answer = make_answer(question, colleague)
    make_comment(answer, colleague)
    make_answer(question, colleague)

    with pytest.raises(limits.TooManyToday, match="3 answers and comments a day"):
        make_comment(answer, colleague)


@pytest.mark.parametrize(
    ("tier", "most"), [("new", 3), ("contributor", 6), ("trusted", 12), ("expert", 24), ("top", 48)]
)
def test_each_tier_doubles_the_limit(colleague, tier, most):
    MemberRank.objects.update_or_create(member=colleague, defaults={"tier": tier})
    for _ in range(most):
        limits.count_write(colleague, What.COMMENT)

    with pytest.raises(limits.TooManyToday), transaction.atomic():
        limits.count_write(colleague, What.COMMENT)

    assert counted(colleague, What.COMMENT) == most


def test_the_same_form_sent_twice_counts_once(question, colleague, physician):
    once, asked = uuid4(), uuid4()
    for _ in range(2):
        make_answer(question, colleague, submission=once)
        make_question(physician, title="Which dose on the day before?", submission=asked)

    assert counted(colleague, What.COMMENT) == 1
    assert counted(physician, What.POST) == 2


def test_a_changed_or_withdrawn_vote_counts_no_further(question, colleague, third):
    answer = make_answer(question, third)
    corroborate(answer, colleague)
    voting.cast_vote(
        post=answer, voter=colleague, value=-1, reason="evidence", explanation="It points the other way."
    )
    voting.withdraw_vote(post=answer, voter=colleague)
    voting.rate_importance(question=question, rater=colleague, value=2)
    voting.rate_importance(question=question, rater=colleague, value=4)

    assert counted(colleague, What.VOTE) == 2
    with pytest.raises(limits.TooManyToday, match="2 votes and ratings a day"):
        corroborate(answer, colleague)


def test_a_refused_answer_is_not_counted(question, colleague):
    question.status, question.closed_at, question.close_reason = "closed", timezone.now(), "author"
    question.save()
    with pytest.raises(writing.NotOpen):
        make_answer(question, colleague)

    assert counted(colleague, What.COMMENT) == 0


def test_who_is_held_writes_nothing_and_reads_why(question, colleague, physician):
    answer = make_answer(question, colleague)
    held = hold(colleague, answer)
    for write in (
        lambda: make_question(colleague),
        lambda: make_answer(question, colleague),
        lambda: make_comment(answer, colleague),
        lambda: corroborate(question.posts.get(kind="opening"), colleague),
        lambda: voting.rate_importance(question=question, rater=colleague, value=3),
    ):
        with pytest.raises((limits.Held, voting.NotForVerdicts)) as refusal:
            write()
        if refusal.type is limits.Held:
            assert "harassment" in str(refusal.value)
            assert f"/appeals/{held.action_id}/" in str(refusal.value)


def test_nor_changes_what_was_written_before(question, colleague, physician):
    answer = make_answer(question, colleague)
    own = make_question(colleague)
    other = make_answer(question, physician)
    corroborate(other, colleague)
    voting.rate_importance(question=question, rater=colleague, value=2)
    closing.solve_question(question=own, by=colleague, outcome="It went away by itself.")
    follow_up = own.follow_ups.order_by("days").first()
    hold(colleague, answer)
    explained = {"reason": "evidence", "explanation": "It points the other way."}
    for change in (
        lambda: voting.cast_vote(post=other, voter=colleague, value=-1, **explained),
        lambda: voting.rate_importance(question=question, rater=colleague, value=4),
        lambda: writing.edit_post(post=answer, by=colleague, source="Something else."),
        lambda: closing.solve_question(question=own, by=colleague, outcome="It came back."),
        lambda: follow_ups.answer(follow_up=follow_up, by=colleague, finding="confirmed"),
    ):
        with pytest.raises(limits.Held):
            change()

    voting.withdraw_vote(post=other, voter=colleague)


def test_a_hold_lifted_while_one_writes_refuses_nothing(colleague, monkeypatch, question):
    hold(colleague, make_answer(question, colleague))
    monkeypatch.setattr(limits, "hold_on", lambda member: None)

    assert limits.count_write(colleague, What.VOTE) == 1


def test_a_held_member_may_still_report(question, colleague):
    hold(colleague, make_answer(question, colleague))

    assert limits.count_write(colleague, What.FLAG) == 1


@pytest.mark.parametrize("end", ["over", "lifted"])
def test_a_hold_ends(question, colleague, end):
    held = hold(colleague, make_answer(question, colleague))
    if end == "over":
        held.until = timezone.now() - timedelta(seconds=1)
    else:
        held.lifted_at = timezone.now()
    held.save()

    assert make_answer(question, colleague).pk


def test_of_two_holds_the_longer_one_is_named(question, colleague):
    answer = make_answer(question, colleague)
    hold(colleague, answer, days=2)
    longer = hold(colleague, answer, days=9)

    assert limits.hold_on(colleague) == longer


def test_counts_of_days_gone_by_are_deleted(colleague):
    today = timezone.now().date()
    for days in (0, 1, 2, 30):
        WriteCount.objects.create(member=colleague, day=today - timedelta(days=days), what=What.VOTE)

    assert limits.forget_days() == 2
    assert WriteCount.objects.count() == 2
