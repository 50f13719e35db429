"""Who hears of what happens in a discussion, and how it reads: never more than the byline shows now."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core import mail
from django.utils import timezone

from accounts import notice_kinds, tasks
from accounts.models import (
    Block,
    Connection,
    Face,
    FanOut,
    Follow,
    Kind,
    Member,
    Notice,
    NoticeChoice,
    NoticeSettings,
    Way,
)
from accounts.services import profiles
from accounts.tests.factories import make_member
from conftest import client_of
from questions.models import Question, Subscription, Tag, TopicFollow
from questions.services import closing, telling, writing
from questions.tests.factories import corroborate, dispute, make_answer, make_comment, make_question

pytestmark = pytest.mark.django_db

PUBLIC = {"byline_mode": "public", "display_name": "Ada Quillfeather"}


def lines(member):
    """What a member reads in the inbox now, oldest first, as "name text"."""
    notices = list(member.notices.order_by("pk"))
    read = notice_kinds.lines(notices, member.user)
    return [
        f"{read[notice.pk].name} {read[notice.pk].text}".strip() for notice in notices if notice.pk in read
    ]


def kinds(member):
    return list(member.notices.order_by("pk").values_list("kind", flat=True))


def block(blocker, blocked, face, blocker_face=Face.HANDLE):
    Block.objects.create(blocker=blocker, blocked=blocked, blocked_face=face, blocker_face=blocker_face)


def follow_topic(member, **topic):
    TopicFollow.objects.create(member=member, alerts=True, **topic)


@pytest.fixture
def question(physician):
    return make_question(physician, tags=["dialysis"])


class TestReplies:
    def test_an_answer_is_told_to_the_asker(self, question, physician, colleague):
        make_answer(question, colleague)

        assert lines(physician) == ["nephron_loop answered your question"]
        assert lines(colleague) == []

    def test_one_hears_nothing_of_oneself(self, question, physician):
        make_comment(make_answer(question, physician), physician)

        assert lines(physician) == []

    def test_an_answer_sent_twice_is_told_once(self, question, physician, colleague):
        submission = uuid4()
        for _ in range(2):
            make_answer(question, colleague, submission=submission)

        assert len(lines(physician)) == 1

    def test_those_who_want_alerts_of_a_discussion_hear_of_answers(self, question, colleague, third):
        Subscription.objects.create(member=third, question=question, level="alerts")
        Subscription.objects.create(member=make_member("digestive"), question=question, level="digest")

        make_answer(question, colleague)

        assert lines(third) == ["nephron_loop answered"]
        assert Notice.objects.exclude(member__in=[third, question.asker]).count() == 0

    def test_a_comment_is_told_to_the_answers_author_and_who_commented_there(
        self, question, physician, colleague, third
    ):
        answer = make_answer(question, colleague)
        make_comment(answer, third)
        make_comment(answer, make_member("late_comer"))

        assert lines(colleague) == [
            "papular commented on your answer",
            "late_comer commented on your answer",
        ]
        assert lines(third) == ["late_comer commented after you"]
        assert lines(physician) == ["nephron_loop answered your question"]

    def test_who_muted_a_discussion_hears_nothing_of_it(self, question, physician, colleague):
        Subscription.objects.create(member=physician, question=question, level="muted")

        make_answer(question, colleague, source="What do you say to that, @left_atrium?")

        assert lines(physician) == []

    def test_one_notice_is_enough_for_who_is_answered_and_mentioned(self, question, physician, colleague):
        make_answer(question, colleague, source="What do you say to that, @left_atrium?")

        assert kinds(physician) == ["reply"]


class TestSolving:
    def test_credited_authors_and_all_who_wrote_there_are_told(self, question, physician, colleague, third):
        credited = make_answer(question, colleague)
        make_answer(question, third)

        closing.solve_question(question=question, by=physician, answers=[credited])

        assert lines(colleague) == ["Your answer was credited"]
        assert lines(third) == ["A question you wrote in is solved"]

    def test_they_are_told_in_the_order_of_their_ids(
        self, question, physician, colleague, third, monkeypatch
    ):
        low, high = sorted((colleague, third), key=lambda member: member.pk)
        make_answer(question, low)
        told = []
        monkeypatch.setattr(telling.notices, "tell", lambda **deed: told.extend(deed["members"]))

        telling.of_solution(question, [make_answer(question, high)])
        credited = question.posts.get(author=low)
        telling.of_solution(question, [credited])

        assert told == [low.pk, high.pk] * 2

    def test_solving_again_tells_only_whom_it_credits_anew(self, question, physician, colleague, third):
        answers = [make_answer(question, colleague), make_answer(question, third)]
        for number in (1, 2, 2):
            closing.solve_question(question=question, by=physician, answers=answers[:number])

        assert lines(colleague) == ["Your answer was credited"]
        assert lines(third) == ["A question you wrote in is solved", "Your answer was credited"]

    def test_a_solution_taken_back_is_not_read_any_more(self, question, physician, colleague):
        answer = make_answer(question, colleague)
        closing.solve_question(question=question, by=physician, answers=[answer])

        closing.unsolve_question(question=question, by=physician)

        assert lines(colleague) == []


class TestMilestones:
    def test_the_fifth_corroboration_is_told_once(self, question, colleague):
        answer = make_answer(question, colleague)
        for _ in range(4):
            corroborate(answer)
        assert lines(colleague) == []
        fickle = make_member()
        corroborate(answer, fickle)
        dispute(answer, fickle)
        corroborate(answer, fickle)
        corroborate(answer)

        assert lines(colleague) == ["5 colleagues corroborated your answer"]

    def test_a_helpful_comment_has_no_milestones(self, question, colleague, third):
        comment = make_comment(make_answer(question, colleague), third)
        for _ in range(5):
            corroborate(comment)

        assert kinds(third) == []


class TestMentions:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("Ask @papular about it.", ["papular"]),
            ("Ask @PapuLar, @papular and (@nephron_loop).", ["papular", "nephron_loop"]),
            ("Write to somebody@papular.org or see x/@papular", []),
            ("An @ alone, @1st and @@papular", []),
            ("**@papular**\n- @nephron_loop", ["papular", "nephron_loop"]),
            (" ".join(f"@member{letter}" for letter in "abcdefghijkl"), [f"member{x}" for x in "abcdefghij"]),
        ],
    )
    def test_a_handle_after_an_at_sign_is_a_mention(self, text, found):
        assert telling.mentioned(text) == found

    def test_a_mentioned_member_is_told_whatever_the_case(self, question, colleague, third):
        make_answer(question, colleague, source="This is one for @PAPULAR, I think.")

        assert lines(third) == ["nephron_loop mentioned you"]

    def test_the_opening_mentions_too(self, physician, third):
        make_question(physician, source="I would like @papular to see this one.")

        assert kinds(third) == ["mention"]

    def test_who_may_not_see_the_discussion_is_not_told(self, physician, colleague, applicant):
        text = "I would like @nephron_loop and @new_attending to see this."

        make_question(physician, source=text, audience="specialty")

        assert kinds(colleague) == kinds(applicant) == []

    def test_a_name_is_no_handle(self, question, colleague):
        named = make_member("quiet_one", **PUBLIC)

        make_answer(question, colleague, source="Ask @Ada Quillfeather, or @Quillfeather.")

        assert kinds(named) == []


class TestBlocks:
    def test_no_word_passes_between_two_blocked_handles_either_way(self, question, physician, colleague):
        block(physician, colleague, Face.HANDLE)

        make_answer(question, colleague)
        make_answer(make_question(colleague), physician, source="I know of none, @nephron_loop.")

        assert kinds(physician) == kinds(colleague) == []

    def test_a_block_of_the_handle_says_nothing_about_the_name(self, question, physician):
        named = make_member("quiet_one", **PUBLIC)
        block(physician, named, Face.HANDLE)

        make_answer(question, named, byline="public")

        assert lines(physician) == ["Ada Quillfeather answered your question"]

    def test_a_block_of_the_name_says_nothing_about_the_handle(self, question, physician):
        named = make_member("quiet_one", **PUBLIC)
        block(physician, named, Face.NAME)

        make_answer(question, named, byline="anonymous")

        assert lines(physician) == ["quiet_one answered your question"]

    @pytest.mark.parametrize("by_the_name", [True, False])
    def test_no_block_with_a_name_stops_word_between_handles(self, physician, by_the_name):
        named = make_member("quiet_one", **PUBLIC)
        if by_the_name:
            block(named, physician, Face.HANDLE, blocker_face=Face.NAME)
        else:
            block(physician, named, Face.NAME)

        make_answer(make_question(named, byline="anonymous"), physician)
        make_answer(make_question(physician), named, byline="anonymous")

        assert kinds(named) == kinds(physician) == ["reply"]

    def test_a_masked_byline_is_told_whatever_is_blocked(self, question, physician):
        named = make_member("quiet_one", **PUBLIC)
        make_answer(question, named, byline="public")
        profiles.choose_byline(member=named, mode="anonymous")
        block(physician, named, Face.HANDLE)
        block(physician, named, Face.NAME)

        make_answer(question, named, source="One more thing about the dose.")

        assert lines(physician) == ["a colleague answered your question"] * 2

    def test_whom_one_blocked_afterwards_is_not_read_any_more(self, question, physician, colleague):
        make_answer(question, colleague)

        block(physician, colleague, Face.HANDLE)

        assert lines(physician) == []


class TestModeration:
    def test_what_a_moderator_closes_is_told_with_a_way_to_it(self, question, physician, moderator):
        closing.close_question(question=question, by=moderator, user=moderator.user)

        assert lines(physician) == ["A moderator closed your question"]

    def test_closing_ones_own_is_told_to_nobody(self, question, physician):
        closing.close_question(question=question, by=physician)

        assert kinds(physician) == []

    def test_closed_a_second_time_it_is_told_again(self, question, physician, moderator, monkeypatch):
        closing.close_question(question=question, by=moderator, user=moderator.user)
        closing.reopen_question(question=question, by=moderator, user=moderator.user)
        later = timezone.now() + timedelta(hours=1)
        monkeypatch.setattr(timezone, "now", lambda: later)
        closing.close_question(question=question, by=moderator, user=moderator.user)

        assert kinds(physician) == ["moderation"] * 2

    def test_a_removed_answer_is_told_to_its_author_alone(self, question, colleague, moderator):
        answer = make_answer(question, colleague)

        writing.remove_post(post=answer, by=moderator, user=moderator.user)

        assert lines(colleague) == ["A moderator removed your answer"]
        assert lines(question.asker) == []  # what was answered is gone

    def test_the_author_of_a_removed_question_reads_why_without_a_link(self, question, physician, moderator):
        writing.remove_post(post=question.posts.get(), by=moderator, user=moderator.user)
        notice = physician.notices.get()

        line = notice_kinds.lines([notice], physician.user)[notice.pk]
        response = client_of(physician).get(f"/notifications/{notice.pk}/")

        assert (line.text, line.url) == ("A moderator removed your question", "")
        assert response.status_code == 200
        assert b"A moderator removed your question" in response.content


class TestTopics:
    def work_off(self):
        tasks.work_off_fan_outs()

    def test_followers_of_its_specialty_and_of_its_tags_hear_of_a_question_once(
        self, question, physician, colleague, third
    ):
        self.work_off()
        follow_topic(colleague, tag=Tag.objects.get(slug="dialysis"))
        follow_topic(colleague, specialty=physician.specialty)
        follow_topic(third, specialty=physician.specialty)

        make_question(physician, tags=["dialysis"])
        self.work_off()

        assert lines(colleague) == lines(third) == ["left_atrium asked in a topic you follow"]

    def test_following_without_alerts_is_for_the_digest(self, physician, colleague):
        TopicFollow.objects.create(member=colleague, specialty=physician.specialty)

        make_question(physician)
        self.work_off()

        assert kinds(colleague) == []

    def test_not_the_asker_not_the_blocked_not_who_may_not_read_it(self, physician, colleague, third):
        suspended = make_member("hands_off", standing="suspended")
        for member in (physician, colleague, third, suspended):
            follow_topic(member, specialty=physician.specialty)
        block(physician, third, Face.HANDLE)

        make_question(physician, audience="specialty")
        self.work_off()

        assert not Notice.objects.exists()

    def test_removed_before_it_was_told_it_is_told_to_nobody(self, physician, colleague, moderator):
        follow_topic(colleague, specialty=physician.specialty)
        question = make_question(physician)
        writing.remove_post(post=question.posts.get(), by=moderator, user=moderator.user)

        self.work_off()

        assert kinds(colleague) == []
        assert FanOut.objects.get().done_at

    def test_mentioned_and_following_one_hears_of_it_once(self, physician, third):
        follow_topic(third, specialty=physician.specialty)

        make_question(physician, source="I would like @papular to see this one.")
        self.work_off()

        assert kinds(third) == ["mention"]


class TestFollowing:
    """A handle is followed, never the person: nothing under the name may ever come of it."""

    @pytest.fixture
    def named(self):
        return make_member("quiet_one", **PUBLIC)

    @pytest.fixture
    def follower(self, named, colleague):
        Follow.objects.create(follower=colleague, followed=named, alerts=True)
        return colleague

    def test_what_a_followed_handle_asks_and_answers_is_told(self, question, named, follower):
        make_question(named, byline="anonymous")
        make_answer(question, named, byline="anonymous")
        tasks.work_off_fan_outs()

        assert lines(follower) == ["quiet_one asked", "quiet_one answered"]

    def test_what_the_name_asks_and_answers_never_is(self, question, named, follower):
        make_question(named, byline="public")
        make_answer(question, named, byline="public")
        tasks.work_off_fan_outs()

        assert kinds(follower) == []
        assert not FanOut.objects.filter(kind=Kind.FOLLOW).exists()

    def test_nor_what_stands_under_neither(self, question, named, follower):
        make_answer(question, named, byline="public")
        profiles.choose_byline(member=named, mode="anonymous")
        make_answer(question, named, source="One more thing about the dose.")
        tasks.work_off_fan_outs()

        assert kinds(follower) == []

    def test_without_alerts_nothing_is_told(self, named, follower):
        Follow.objects.update(alerts=False)

        make_question(named, byline="anonymous")
        tasks.work_off_fan_outs()

        assert kinds(follower) == []

    def test_comments_are_not_told_to_followers(self, question, named, follower, third):
        make_comment(make_answer(question, third), named, byline="anonymous")
        tasks.work_off_fan_outs()

        assert kinds(follower) == []


class TestFaces:
    def test_a_line_under_a_name_has_nothing_of_the_handle(self, question, physician):
        named = make_member("quiet_one", **PUBLIC)
        make_answer(question, named, byline="public")

        page = client_of(physician).get("/notifications/").content.decode()

        assert "Ada Quillfeather" in page
        assert "quiet_one" not in page

    def test_a_line_under_a_handle_has_nothing_of_the_name(self, question, physician):
        named = make_member("quiet_one", **PUBLIC)
        make_answer(question, named, byline="anonymous")

        page = client_of(physician).get("/notifications/").content.decode()

        assert "quiet_one" in page
        assert "Quillfeather" not in page
        assert named.physician_key not in page

    def test_a_name_taken_back_is_gone_from_lines_told_before(self, question, physician):
        named = make_member("quiet_one", **PUBLIC)
        make_answer(question, named, byline="public")

        profiles.choose_byline(member=named, mode="anonymous")

        assert lines(physician) == ["a colleague answered your question"]

    def test_no_row_holds_a_name_a_handle_or_a_text(self, question, physician, colleague):
        make_answer(question, colleague)

        stored = str(Notice.objects.values().get()) + str(physician.notice_threads.values().get())

        assert colleague.handle not in stored
        assert question.title not in stored

    def test_a_mail_about_an_answer_has_neither_title_nor_handle(self, question, physician, colleague):
        make_answer(question, colleague)
        tasks.send_mail()

        (message,) = mail.outbox
        raw = message.message().as_string()
        assert question.slug not in raw
        assert question.title not in raw
        assert colleague.handle not in raw


class TestGates:
    def test_who_lost_their_standing_reads_no_line(self, question, physician, colleague):
        make_answer(question, colleague)
        Member.objects.filter(pk=physician.pk).update(standing="suspended")

        assert lines(Member.objects.get(pk=physician.pk)) == []

    def test_a_removed_answer_is_not_read_any_more(self, question, physician, colleague):
        answer = make_answer(question, colleague)
        writing.remove_post(post=answer, by=colleague)

        assert lines(physician) == []

    def test_whom_a_discussion_is_addressed_to_and_who_may_see_it_are_the_same(
        self, physician, colleague, third, applicant
    ):
        Connection.objects.create(
            requester=colleague, addressee=physician, state="accepted", answered_at=timezone.now()
        )
        peer = make_member("cardiac_peer")
        rows = [make_question(physician), make_question(physician, audience="specialty")]
        among = make_question(physician)
        Question.objects.filter(pk=among.pk).update(audience="connections")
        removed = make_question(physician)
        Question.objects.filter(pk=removed.pk).update(status="removed")
        rows += [Question.objects.get(pk=among.pk), Question.objects.get(pk=removed.pk)]

        for question in rows:
            told = set(telling.readers(question))
            seen = {
                member
                for member in (physician, colleague, third, applicant, peer)
                if Question.objects.visible_to(member.user).filter(pk=question.pk).exists()
            }
            assert told == seen
        assert not Question.objects.visible_to(AnonymousUser()).exists()

    def test_opening_the_page_of_a_discussion_reads_what_one_was_told_of_it(
        self, question, physician, colleague
    ):
        make_answer(question, colleague)
        client = client_of(physician)

        page = client.get(question.get_absolute_url())

        assert physician.notice_threads.get().unread == 0
        assert b'class="count"' not in page.content

    def test_opening_it_reads_what_was_held_back_too(self, question, physician, colleague):
        NoticeSettings.objects.create(member=physician, budget=0)
        make_answer(question, colleague)
        assert physician.notices.filter(held=True, read_at=None).exists()

        client_of(physician).get(question.get_absolute_url())

        assert not physician.notices.filter(read_at=None).exists()

    def test_a_kind_that_is_off_is_off_for_fan_outs_too(self, physician, colleague):
        follow_topic(colleague, specialty=physician.specialty)
        NoticeChoice.objects.create(member=colleague, kind=Kind.TOPIC, way=Way.OFF)

        make_question(physician)
        tasks.work_off_fan_outs()

        assert kinds(colleague) == []
