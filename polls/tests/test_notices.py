"""Who hears that a poll ends and that it has, and how that reads: nothing to whom its discussion is closed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import notice_kinds, tasks
from accounts.models import Block, FanOut, Notice, NoticeChoice, NoticeSettings, Way
from polls.models import Concern, Poll, Receipt
from polls.services import closing, concerns, voting
from polls.tests.factories import make_poll, make_voter, vote
from questions.models import Question, Subscription
from questions.services import closing as discussions
from questions.services import writing
from questions.tests.factories import make_question

pytestmark = pytest.mark.django_db


@pytest.fixture
def poll(physician):
    return make_poll(asker=physician, opened_at=timezone.now() - timedelta(days=6, hours=12))


def tell():
    """Have the clock do its work, and the worker."""
    closing.close_due()
    closing.remind_due()
    tasks.work_off_fan_outs()


def lines(member):
    notices = list(member.notices.order_by("pk"))
    read = notice_kinds.lines(notices, member.user)
    return [read[notice.pk].text for notice in notices if notice.pk in read]


def see(poll, *members):
    for member in members:
        voting.note_seen(poll=poll, member=member)


def end(poll):
    now = timezone.now()
    Poll.objects.filter(pk=poll.pk).update(opened_at=now - timedelta(days=3), closes_at=now)
    tell()


class TestReminders:
    def test_whoever_saw_it_or_follows_the_discussion_is_reminded_once(self, poll, colleague, third):
        see(poll, colleague)
        Subscription.objects.create(member=third, question=poll.question)
        stranger = make_voter()
        tell()
        tell()

        assert [text.split(" closes ")[0] for text in lines(colleague) + lines(third)] == ["A poll"] * 2
        assert lines(stranger) == []
        assert Notice.objects.filter(member=colleague).count() == 1

    def test_whoever_opened_it_is_told(self, poll, physician):
        tell()

        assert [text.split(" closes ")[0] for text in lines(physician)] == ["Your poll"]

    @pytest.mark.parametrize("receipt", ["voted", "forfeited"])
    def test_not_who_took_it_or_looked(self, poll, colleague, receipt):
        see(poll, colleague)
        Receipt.objects.create(poll=poll, member=colleague, kind=receipt)
        tell()

        assert lines(colleague) == []

    def test_not_whom_it_is_not_open_to(self, poll, colleague, third):
        Poll.objects.filter(pk=poll.pk).update(specialties=[third.specialty_id])
        see(poll, colleague, third)
        tell()

        assert (lines(colleague), len(lines(third))) == ([], 1)

    def test_not_who_may_only_read(self, poll, colleague):
        see(poll, colleague)
        colleague.standing = "read_only"
        colleague.save()
        tell()

        assert lines(colleague) == []

    def test_not_whom_the_discussion_is_closed_to(self, poll, colleague):
        see(poll, colleague)
        Question.objects.filter(pk=poll.pk).update(audience="connections")
        tell()

        assert lines(colleague) == []

    def test_not_who_muted_it_nor_across_a_block(self, poll, physician, colleague, third):
        see(poll, colleague, third)
        Subscription.objects.create(member=colleague, question=poll.question, level="muted")
        Block.objects.create(blocker=third, blocked=physician, blocker_face="handle", blocked_face="handle")
        tell()

        assert lines(colleague) + lines(third) == []

    @pytest.mark.parametrize(
        ("opened_before", "closes_after"),
        [
            (timedelta(days=6), timedelta(hours=25)),  # not yet
            (timedelta(days=1), timedelta(hours=20)),  # a short one
        ],
    )
    def test_not_too_early_and_not_of_short_polls(self, physician, colleague, opened_before, closes_after):
        now = timezone.now()
        poll = make_poll(asker=physician, opened_at=now - opened_before, closes_at=now + closes_after)
        see(poll, colleague)
        tell()

        assert lines(colleague) + lines(physician) == []

    def test_not_of_a_closed_discussion_nor_a_removed_one(self, poll, physician, colleague):
        see(poll, colleague)
        writing.remove_post(post=poll.question.posts.get(), by=physician)
        tell()

        assert lines(colleague) == []

    def test_not_by_a_worker_that_comes_after_the_end(self, poll, colleague):
        see(poll, colleague)
        closing.remind_due()
        Poll.objects.filter(pk=poll.pk).update(closes_at=timezone.now())
        tasks.work_off_fan_outs()

        assert lines(colleague) == []

    def test_within_the_days_budget_and_as_chosen(self, poll, colleague, third):
        see(poll, colleague, third)
        NoticeSettings.objects.create(member=colleague, budget=0)
        NoticeChoice.objects.create(member=third, kind="poll", way=Way.OFF)
        tell()

        assert list(colleague.notices.values_list("held", flat=True)) == [True]
        assert not third.notices.exists()


class TestResults:
    def test_voters_and_whoever_opened_it_hear_of_the_results(self, poll, physician, colleague, third):
        vote(poll, colleague, 0)
        voting.forfeit(poll=poll, member=third)
        end(poll)

        assert lines(colleague) == ["The results of a poll are in"]
        assert lines(physician) == ["The results of your poll are in"]
        assert lines(third) == []

    def test_a_reminder_before_does_not_keep_them_from_it(self, poll, physician):
        vote(poll, make_voter(), 0)
        tell()
        end(poll)

        assert FanOut.objects.filter(kind="poll").count() == 2
        assert Notice.objects.filter(member=physician).count() == 2

    def test_who_closed_it_is_not_told_of_that(self, poll, physician, colleague):
        vote(poll, colleague, 0)
        closing.close_poll(poll=poll, by=physician)
        tasks.work_off_fan_outs()

        assert (len(lines(colleague)), lines(physician)) == (1, [])

    def test_nor_who_closed_the_discussion(self, physician, colleague):
        poll = make_poll(question=make_question(physician))
        vote(poll, colleague, 0)
        discussions.close_question(question=poll.question, by=physician)
        tasks.work_off_fan_outs()

        assert (len(lines(colleague)), lines(physician)) == (1, [])

    def test_whose_discussion_fell_silent_is_told(self, physician):
        poll = make_poll(question=make_question(physician), days=60)
        Question.objects.filter(pk=poll.pk).update(activity_at=timezone.now() - timedelta(days=31))
        discussions.close_if_silent(question_id=poll.pk)
        tasks.work_off_fan_outs()

        assert lines(physician) == ["Your poll has closed"]

    def test_nor_who_muted_their_own_discussion(self, poll, physician):
        Subscription.objects.create(member=physician, question=poll.question, level="muted")
        tell()
        end(poll)

        assert not Notice.objects.filter(member=physician).exists()

    def test_of_a_removed_poll_nobody_hears(self, poll, colleague, moderator):
        vote(poll, colleague, 0)
        writing.remove_post(post=poll.question.posts.get(), by=None, user=moderator.user)
        end(poll)

        assert lines(colleague) == []
        assert not Notice.objects.filter(member=colleague).exists()

    def test_what_was_told_before_it_was_removed_reads_no_more(self, poll, colleague, moderator):
        vote(poll, colleague, 0)
        end(poll)
        writing.remove_post(post=poll.question.posts.get(), by=None, user=moderator.user)

        assert lines(colleague) == []

    def test_no_results_are_promised_where_none_are_shown(self, poll, colleague):
        Poll.objects.filter(pk=poll.pk).update(specialties=[colleague.specialty_id])
        poll.refresh_from_db()
        vote(poll, colleague, 0)
        end(poll)

        assert lines(colleague) == ["A poll has closed"]

    def test_many_notices_are_read_in_one_query(self, physician, colleague, django_assert_num_queries):
        for _ in range(3):
            poll = make_poll(asker=physician)
            vote(poll, colleague, 0)
            closing.close_poll(poll=poll, by=physician)
        tasks.work_off_fan_outs()
        notices = list(colleague.notices.all())
        colleague.user.group_names = []

        with django_assert_num_queries(1):
            assert len(notice_kinds.lines(notices, colleague.user)) == 3


class TestModeration:
    def test_an_early_close_is_told_to_whoever_opened_it(self, poll, physician, moderator):
        vote(poll, make_voter(), 0)
        closing.close_poll(poll=poll, user=moderator.user)
        tasks.work_off_fan_outs()

        assert lines(physician) == ["Your poll was closed early by a moderator"]
        assert physician.notices.get().kind == "moderation"

    def test_a_discussion_closed_by_a_moderator_is_told_once(self, physician, colleague, moderator):
        poll = make_poll(question=make_question(physician))
        vote(poll, colleague, 0)
        discussions.close_question(question=poll.question, by=None, user=moderator.user)
        tasks.work_off_fan_outs()

        assert (len(lines(colleague)), physician.notices.count()) == (1, 1)

    def test_decisions_about_posts_read_as_before(self, poll, physician, moderator):
        closing.close_poll(poll=poll, user=moderator.user)
        discussions.close_question(question=poll.question, by=None, user=moderator.user)

        assert lines(physician) == [
            "Your poll was closed early by a moderator",
            "A moderator closed your poll",
        ]

    def test_what_is_about_somebody_else_is_not_read(self, poll, physician, colleague, moderator):
        concern = Concern.objects.create(
            poll=poll, member=colleague, kind="speed", raised_on=timezone.now().date()
        )
        concerns.decide(concern=concern, user=moderator.user, state="upheld", reason="Too fast.")
        theirs = list(colleague.notices.all())

        assert lines(colleague) == ["A moderator decided about your vote in a poll"]
        assert notice_kinds.lines(theirs, physician.user) == {}
