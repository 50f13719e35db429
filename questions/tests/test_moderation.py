"""What moderators do, as services: each act with what it changes, and what is refused."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import Notice
from accounts.notice_kinds import lines
from accounts.roles import MODERATORS
from accounts.tests.factories import make_member, make_user
from conftest import client_of
from questions.models import Credit, Draft, Flag, ModerationAction, Post, Question, Report, Revision
from questions.services import closing, follow_ups, limits, voting, writing
from questions.services.moderation import acts, desk, redacting, rights, undoing
from questions.services.reporting import report_post
from questions.tests.factories import corroborate, make_answer, make_comment, make_question
from sermo.errors import RuleBroken
from verification.models import Claim, Event
from verification.models.claims import State
from verification.services import events, standing
from verification.tests.factories import make_claim, make_provider

pytestmark = pytest.mark.usefixtures("nobody_told")

NAMED = "Ask Mr. Quillfeather of Duluth, he had it, too. Then start the drug early."
CLEAN = "Ask […], he had it, too. Then start the drug early."


@pytest.fixture
def question(physician):
    return make_question(physician)


@pytest.fixture
def answer(question, colleague):
    return make_answer(question, colleague, source=NAMED)


@pytest.fixture
def report(answer, third):
    return report_post(post=answer, by=third, reason="identity").report


def make_moderator(handle=None):
    member = make_member(handle)
    member.user.groups.add(Group.objects.get(name=MODERATORS))
    Authenticator.objects.create(user=member.user, type=Authenticator.Type.TOTP, data={})
    return member


@pytest.fixture
def second(moderator):
    return make_moderator("second_reader")


def act(post, moderator, kind, reason="identity", **more):
    return acts.act(post=post, by=moderator.user, kind=kind, reason=reason, **more)


def told(member):
    notices = list(Notice.objects.filter(member=member, kind="moderation").order_by("pk"))
    said = lines(notices, member.user)
    return [said[notice.pk].text for notice in notices if notice.pk in said]


class TestWhoDecides:
    def test_a_member_does_not(self, answer, third):
        with pytest.raises(rights.NotAModerator):
            act(answer, third, "remove")

    def test_staff_without_a_membership_may(self, answer, moderator):
        staff = make_user()
        staff.groups.set(moderator.user.groups.all())
        acts.act(post=answer, by=staff, kind="fold", reason="spam")

        answer.refresh_from_db()
        assert answer.folded_at

    @pytest.mark.parametrize("part", ["asked", "answered", "commented", "voted", "rated", "reported"])
    def test_nobody_acts_where_they_take_part(self, answer, question, moderator, part):
        post = answer
        if part == "asked":
            post = make_answer(make_question(moderator), make_member())
        elif part == "answered":
            make_answer(question, moderator)
        elif part == "commented":
            make_comment(answer, moderator)
        elif part == "voted":
            corroborate(answer, moderator)
        elif part == "rated":
            voting.rate_importance(question=question, rater=moderator, value=3)
        else:
            report_post(post=answer, by=moderator, reason="spam")

        for kind in ("remove", "dismiss", "warn", "suspend"):
            with pytest.raises(rights.TakesPart):
                act(post, moderator, kind)
        assert not ModerationAction.objects.exists()
        assert not Event.objects.filter(kind__startswith="moderation").exists()

    def test_apps_above_say_what_else_is_taking_part(self, answer, moderator, monkeypatch):
        def wrote(member, question):
            return Q(Exists(Post.objects.filter(question=question, author=answer.author_id)))

        monkeypatch.setattr(rights, "also_taken", [wrote])

        with pytest.raises(rights.TakesPart):
            act(answer, moderator, "remove")

    def test_what_another_moderator_has_claimed_is_left_to_them(self, report, answer, moderator, second):
        desk.claim(report=report, by=second.user)
        with pytest.raises(desk.ClaimedByAnother):
            act(answer, moderator, "fold")

        with time_machine.travel(timezone.now() + timedelta(minutes=31)):
            act(answer, moderator, "fold")

    def test_two_at_once_do_not_both_act(self, answer, moderator, second):
        first = act(answer, moderator, "warn", seen=0)
        with pytest.raises(acts.ChangedMeanwhile):
            act(answer, second, "warn", seen=0)

        assert act(answer, second, "fold", seen=first.pk)


class TestClaiming:
    def test_claim_and_release(self, report, moderator, second):
        desk.claim(report=report, by=moderator.user)
        with pytest.raises(desk.ClaimedByAnother):
            desk.claim(report=report, by=second.user)
        desk.release(report=report, by=second.user)
        report.refresh_from_db()
        assert report.holder == moderator.user

        desk.release(report=report, by=moderator.user)
        assert desk.claim(report=report, by=second.user).holder == second.user

    def test_who_wants_a_second_opinion_does_not_decide(self, report, answer, moderator, second):
        desk.ask_opinion(report=report, by=moderator.user)
        with pytest.raises(desk.AskedForAnother):
            act(answer, moderator, "remove")
        act(answer, second, "dismiss")

        report.refresh_from_db()
        assert report.outcome == "dismissed"

    def test_unless_they_take_the_request_back(self, report, answer, moderator):
        desk.ask_opinion(report=report, by=moderator.user)
        desk.take_opinion_back(report=report, by=moderator.user)

        assert act(answer, moderator, "fold")

    def test_a_decided_report_is_claimed_by_nobody(self, report, answer, moderator):
        act(answer, moderator, "dismiss")
        with pytest.raises(desk.DecidedMeanwhile):
            desk.claim(report=report, by=moderator.user)

    def test_members_and_who_takes_part_claim_nothing(self, report, third, question, moderator):
        with pytest.raises(rights.NotAModerator):
            desk.claim(report=report, by=third.user)
        make_answer(question, moderator)
        with pytest.raises(rights.TakesPart):
            desk.claim(report=report, by=moderator.user)


class TestAct:
    def test_an_act_closes_the_report_tells_the_author_and_leaves_an_event(self, report, answer, moderator):
        action = act(answer, moderator, "fold", statement="Take the town out.", address_hash="abc")

        report.refresh_from_db()
        assert (report.outcome, Flag.objects.get().state) == ("upheld", "upheld")
        assert told(answer.author) == ["A moderator folded your answer"]
        assert action.statement == "Take the town out."
        event = Event.objects.get(kind="moderation_fold")
        assert (event.object, event.reason, event.to_state, event.address_hash) == (
            f"post:{answer.pk}",
            "identity",
            "done",
            "abc",
        )
        assert (event.actor, event.subject, event.case_number) == (
            events.subject_of(moderator.user).pk,
            None,
            "",
        )
        assert events.first_broken() is None

    def test_without_own_words_the_standard_ones_are_told(self, answer, moderator):
        assert "patient can be recognized" in act(answer, moderator, "warn").statement

    def test_dismissing_tells_nobody_and_needs_a_report(self, answer, report, moderator):
        act(answer, moderator, "dismiss")

        assert (Report.objects.get().outcome, Flag.objects.get().state) == ("dismissed", "dismissed")
        assert told(answer.author) == []
        with pytest.raises(acts.NothingReported):
            act(answer, moderator, "dismiss")

    def test_what_reports_alone_folded_opens_once_a_moderator_has_looked(self, answer, report, moderator):
        report_post(post=answer, by=make_member(), reason="identity")
        action = act(answer, moderator, "dismiss")
        answer.refresh_from_db()
        assert answer.folded_at is None

        undoing.undo(action=action, by=moderator.user)
        answer.refresh_from_db()
        assert answer.fold_reason == "identity"

    def test_what_a_moderator_folded_stays_folded(self, answer, moderator, third):
        act(answer, moderator, "fold")
        report_post(post=answer, by=third, reason="spam")
        act(answer, moderator, "dismiss")

        answer.refresh_from_db()
        assert answer.folded_at
        with pytest.raises(acts.DoneAlready):
            act(answer, moderator, "fold")

    def test_removing(self, question, answer, moderator):
        act(answer, moderator, "remove")

        answer.refresh_from_db()
        question.refresh_from_db()
        assert (answer.removed_by, question.answer_count) == ("moderator", 0)
        assert told(answer.author) == ["A moderator removed your answer"]
        with pytest.raises(acts.DoneAlready):
            act(answer, moderator, "remove")

    def test_closing(self, question, answer, moderator):
        act(answer, moderator, "close")

        question.refresh_from_db()
        assert question.close_reason == "moderator"
        with pytest.raises(acts.DoneAlready):
            act(answer, moderator, "close")

    def test_a_hold_keeps_from_writing_for_its_days(self, question, answer, moderator, colleague):
        act(answer, moderator, "hold", days=2)
        with pytest.raises(limits.Held):
            make_answer(question, colleague)

        with time_machine.travel(timezone.now() + timedelta(days=2, minutes=1)):
            make_answer(question, colleague)

    @pytest.mark.parametrize("days", [None, 0, 31])
    def test_a_hold_has_days(self, answer, moderator, days):
        with pytest.raises(acts.DaysMissing):
            act(answer, moderator, "hold", days=days)

    def test_who_has_left_is_neither_warned_nor_held(self, answer, moderator, colleague):
        user = colleague.user
        colleague.user = None
        colleague.save()
        user.is_active = False
        for kind in ("warn", "suspend"):
            with pytest.raises(acts.HasLeft):
                act(answer, moderator, kind)

        assert act(answer, moderator, "remove")


class TestRedacting:
    def test_the_words_are_gone_from_text_search_and_every_earlier_version(
        self, answer, colleague, moderator
    ):
        with time_machine.travel(timezone.now() + timedelta(hours=1)):
            writing.edit_post(post=answer, by=colleague, source="Quillfeather is right: start early.")
            writing.edit_post(post=answer, by=colleague, source="Start the drug early, as they say.")
            writing.edit_post(post=answer, by=colleague, source=NAMED + " Late is worse.")
            act(answer, moderator, "redact", text=CLEAN)

        answer.refresh_from_db()
        assert "Quillfeather" not in answer.html + answer.source + answer.search_text
        said = list(answer.revisions.order_by("number").values_list("source", flat=True))
        assert said == [redacting.TAKEN_OUT, redacting.TAKEN_OUT, "Start the drug early, as they say."]
        assert answer.edited_at

    def test_a_redacted_opening_changes_title_and_excerpt(self, physician, moderator):
        question = make_question(
            physician, title="What ails Mr. Quillfeather of Duluth?", source="He had it, too, in May."
        )
        opening = question.posts.get()
        act(opening, moderator, "redact", title="What ails […]?", text="He had it, too.")

        question.refresh_from_db()
        opening.refresh_from_db()
        assert (question.title, question.excerpt) == ("What ails […]?", "He had it, too.")
        assert "quillfeather" not in opening.search_text

    @pytest.mark.parametrize("text", ["", NAMED, NAMED + " And more."])
    def test_something_must_go(self, answer, moderator, text):
        with pytest.raises(redacting.NothingTakenOut):
            act(answer, moderator, "redact", text=text)

    @pytest.mark.parametrize(
        "text",
        [
            "Ask Mr. Jones of Duluth, he had it, too. Then start the drug early.",
            "Then start the drug early. Ask of Duluth, he had it, too.",
            "Ask of Duluth, he had it, too! Then start the drug early.",
            "I recommend homeopathy. […]",
        ],
    )
    def test_nothing_is_put_into_a_member_s_mouth(self, answer, moderator, text):
        with pytest.raises(redacting.OnlyTakingOut):
            act(answer, moderator, "redact", text=text)

    def test_nor_into_a_title(self, question, moderator):
        opening = question.posts.get()
        with pytest.raises(redacting.OnlyTakingOut):
            act(opening, moderator, "redact", title="How long do they hold it?", text=opening.source)

    @pytest.mark.parametrize(
        "written", ["Mr. **Quillfeather**'s", "Mr. QUILLFEATHER,", "_Quillfeather_", "Ｑuillfeather"]
    )
    def test_emphasis_commas_and_other_forms_of_a_letter_hide_no_word(
        self, question, colleague, moderator, written
    ):
        answer = make_answer(question, colleague, source=f"{written} course was short. Start early.")
        with time_machine.travel(timezone.now() + timedelta(hours=1)):
            writing.edit_post(post=answer, by=colleague, source=NAMED)
            act(answer, moderator, "redact", text=CLEAN)

        assert answer.revisions.get().source == redacting.TAKEN_OUT

    def test_how_it_was_solved_and_what_became_of_it_lose_the_words_too(
        self, question, answer, physician, moderator
    ):
        closing.solve_question(
            question=question, by=physician, outcome="Mr. Quillfeather is well, in Duluth."
        )
        row = question.follow_ups.order_by("days").first()
        follow_ups.answer(follow_up=row, by=physician, finding="confirmed", text="Quillfeather had it again.")
        action = act(answer, moderator, "redact", text=CLEAN)

        question.refresh_from_db()
        row.refresh_from_db()
        assert (question.outcome, row.text) == ("[…] is well, in […].", "[…] had it again.")
        undoing.undo(action=action, by=moderator.user)
        question.refresh_from_db()
        row.refresh_from_db()
        assert question.outcome == "Mr. Quillfeather is well, in Duluth."
        assert row.text == "Quillfeather had it again."

    def test_a_page_open_meanwhile_brings_nothing_back(self, question, colleague, moderator):
        said, left = "The ferryman had it, too. Start early.", "The […] had it, too. Start early."
        answer = make_answer(question, colleague, source=said)
        path, draft = (
            reverse(f"questions:{name}", args=[place])
            for name, place in (("edit", answer.pk), ("save_draft", f"edit:{answer.pk}"))
        )
        sent = {"source": said + " Late is worse.", "was": said}
        act(answer, moderator, "redact", text=left)
        client = client_of(colleague)
        page = client.post(path, sent)
        again = re.search(r'name="was" value="([^"]*)"', page.content.decode())[1]
        assert client.post(path, {**sent, "was": again}).status_code == 422
        assert client.post(draft, sent).status_code == 204

        answer.refresh_from_db()
        assert (page.status_code, answer.source) == (422, left)
        assert "A moderator took words out" in page.content.decode()
        assert not Draft.objects.exists()
        client.post(path, {"source": left + " Late is worse.", "was": left})
        answer.refresh_from_db()
        assert answer.source == left + " Late is worse."

    def test_nor_does_a_title_come_back(self, question, physician, moderator):
        opening, title = question.posts.get(), question.title
        act(opening, moderator, "redact", title="How long do you hold it?", text=opening.source)
        with pytest.raises(writing.TakenOutByModerator):
            writing.edit_post(
                post=opening, by=physician, source="New.", title=title, was=opening.source, was_title=title
            )

    def test_undone_everything_says_what_it_said(self, answer, colleague, moderator):
        with time_machine.travel(timezone.now() + timedelta(hours=1)):
            writing.edit_post(post=answer, by=colleague, source=NAMED + " Late is worse.")
            action = act(answer, moderator, "redact", text=CLEAN)
            undoing.undo(action=action, by=moderator.user)

        answer.refresh_from_db()
        assert answer.source == NAMED + " Late is worse."
        assert "quillfeather" in answer.search_text
        assert answer.revisions.get().source == NAMED
        action.refresh_from_db()
        assert (action.state, action.before) == ("undone", None)

    def test_not_over_what_its_author_wrote_since(self, answer, colleague, moderator):
        action = act(answer, moderator, "redact", text=CLEAN)
        writing.edit_post(post=answer, by=colleague, source="Start early. That is all I say.")
        with pytest.raises(redacting.ChangedSince):
            undoing.undo(action=action, by=moderator.user)

    def test_what_was_taken_out_is_unreadable_in_the_database(self, answer, moderator):
        action = act(answer, moderator, "redact", text=CLEAN)
        with connection.cursor() as cursor:
            cursor.execute("SELECT before FROM questions_moderationaction WHERE id = %s", [action.pk])
            assert b"Quillfeather" not in bytes(cursor.fetchone()[0])


class TestUndoing:
    def test_a_removed_answer_comes_back_with_credit_and_counters(
        self, question, answer, physician, moderator
    ):
        comment = make_comment(answer, physician)
        corroborate(answer)
        closing.solve_question(question=question, by=physician, answers=[answer])
        question.refresh_from_db()
        before = (question.answer_count, question.vote_count, question.first_answer_at, question.solved_at)
        credit = Credit.objects.get()
        action = act(answer, moderator, "remove")
        undoing.undo(action=action, by=moderator.user)

        question.refresh_from_db()
        answer.refresh_from_db()
        assert (
            question.answer_count,
            question.vote_count,
            question.first_answer_at,
            question.solved_at,
        ) == before
        assert (answer.is_removed, comment.is_removed) == (False, False)
        assert Credit.objects.get().credited_at == credit.credited_at
        assert told(answer.author) == [
            "A moderator removed your answer",
            "A moderator took a decision about you back",
        ]

    @pytest.mark.parametrize("status", ["open", "closed"])
    def test_a_removed_question_comes_back_as_it_was(self, question, answer, physician, moderator, status):
        if status == "closed":
            closing.close_question(question=question, by=physician)
        action = act(question.posts.get(kind="opening"), moderator, "remove")
        assert Question.objects.get().status == "removed"
        undoing.undo(action=action, by=moderator.user)

        assert Question.objects.get().status == status

    def test_removed_undone_and_removed_again_is_told_each_time(self, answer, moderator):
        for hours in (0, 1):
            with time_machine.travel(timezone.now() + timedelta(hours=hours)):
                undoing.undo(action=act(answer, moderator, "remove"), by=moderator.user)

        assert told(answer.author).count("A moderator removed your answer") == 2

    def test_closed_is_open_held_is_free_folded_is_unfolded(self, question, answer, moderator, colleague):
        for kind in ("close", "hold", "fold"):
            done = act(answer, moderator, kind, days=3 if kind == "hold" else None)
            undoing.undo(action=done, by=moderator.user)

        answer.refresh_from_db()
        question.refresh_from_db()
        assert (question.is_open, answer.folded_at) == (True, None)
        assert make_answer(question, colleague)

    def test_the_report_is_back_on_the_desk(self, report, answer, moderator):
        undoing.undo(action=act(answer, moderator, "dismiss"), by=moderator.user)

        report.refresh_from_db()
        assert (report.closed_at, Flag.objects.get().state, report.holder) == (None, "open", None)

    def test_reported_anew_the_old_report_stays_closed(self, report, answer, moderator, third):
        action = act(answer, moderator, "fold")
        report_post(post=answer, by=third, reason="spam")
        undoing.undo(action=action, by=moderator.user)

        assert Report.objects.open().count() == 1
        report.refresh_from_db()
        assert report.closed_at

    def test_twice_is_as_good_as_once(self, answer, moderator):
        action = act(answer, moderator, "fold")
        undoing.undo(action=action, by=moderator.user)
        undoing.undo(action=action, by=moderator.user)

        assert Event.objects.filter(to_state="undone").count() == 1

    def test_not_after_a_day_nor_by_who_takes_part(self, question, answer, moderator, second):
        action = act(answer, moderator, "fold")
        make_answer(question, second)
        with pytest.raises(rights.TakesPart):
            undoing.undo(action=action, by=second.user)
        with (
            time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1)),
            pytest.raises(undoing.TooLateToUndo),
        ):
            undoing.undo(action=action, by=moderator.user)

    def test_what_could_identify_is_forgotten_after_a_day_the_rest_when_no_appeal_can_come(
        self, question, answer, moderator
    ):
        identity = act(answer, moderator, "redact", text=CLEAN)
        spam = act(make_answer(question, source=NAMED), moderator, "redact", reason="spam", text=CLEAN)
        later = timezone.now() + timedelta(hours=25)
        with time_machine.travel(later):
            assert undoing.forget_before() == 1
        with time_machine.travel(later + timedelta(days=30)):
            assert undoing.forget_before() == 1
        for action in (identity, spam):
            action.refresh_from_db()
            assert action.before is None


class TestTwoPersons:
    @pytest.fixture
    def verified(self, colleague):
        return make_claim(colleague, make_provider(school=None), state=State.VERIFIED)

    def test_suspending_waits_for_a_second_moderator(self, report, answer, colleague, moderator, second):
        action = act(answer, moderator, "suspend", reason="harassment")
        colleague.refresh_from_db()
        assert (action.state, colleague.standing, told(colleague)) == ("waiting", "physician", [])
        with pytest.raises(acts.SamePerson):
            acts.approve(action=action, by=moderator.user)
        with pytest.raises(acts.WaitsAlready):
            act(answer, second, "revoke")
        report.refresh_from_db()
        assert report.closed_at is None

        acts.approve(action=action, by=second.user)

        colleague.refresh_from_db()
        report.refresh_from_db()
        assert (colleague.standing, report.outcome) == ("suspended", "upheld")
        assert told(colleague) == ["Two moderators suspended your membership"]
        with pytest.raises(acts.NotWaiting):
            acts.approve(action=action, by=second.user)

    def test_refused_nothing_happens_and_the_report_stays(self, report, answer, colleague, moderator, second):
        action = act(answer, moderator, "revoke", reason="harassment")
        acts.refuse(action=action, by=second.user)

        action.refresh_from_db()
        report.refresh_from_db()
        colleague.refresh_from_db()
        assert (action.state, report.closed_at, colleague.standing) == ("refused", None, "physician")

    def test_the_second_takes_no_part_either(self, question, answer, moderator, second):
        action = act(answer, moderator, "suspend")
        make_answer(question, second)
        for decide in (acts.approve, acts.refuse):
            with pytest.raises(rights.TakesPart):
                decide(action=action, by=second.user)

    def test_on_one_face_of_a_member_one_decision_waits(self, answer, moderator, second, colleague):
        """Of the other face not even the refusal tells."""
        colleague.byline_mode, colleague.display_name = "public", "Amara Okafor, MD"
        colleague.save()
        act(answer, moderator, "suspend")
        same, other = (
            make_answer(make_question(make_member()), colleague, byline=mode)
            for mode in ("anonymous", "public")
        )
        with pytest.raises(acts.WaitsAlready):
            act(same, second, "revoke")

        assert act(other, second, "revoke")

    def test_a_suspension_undone_lifts_no_later_revocation(
        self, answer, verified, colleague, moderator, second
    ):
        suspended, revoked = (
            acts.approve(action=act(answer, moderator, kind), by=second.user)
            for kind in ("suspend", "revoke")
        )
        with pytest.raises(standing.EndedByAnother):
            undoing.undo(action=suspended, by=moderator.user)

        colleague.refresh_from_db()
        revoked.refresh_from_db()
        assert (Claim.objects.get(pk=verified.pk).state, colleague.standing) == (State.REVOKED, "suspended")
        assert revoked.is_done

    def test_nor_that_of_a_member_without_a_claim(self, answer, colleague, moderator, second):
        suspended, _ = (
            acts.approve(action=act(answer, moderator, kind), by=second.user)
            for kind in ("suspend", "revoke")
        )
        with pytest.raises(standing.EndedByAnother):
            undoing.undo(action=suspended, by=moderator.user)

        colleague.refresh_from_db()
        assert colleague.standing == "suspended"

    def test_a_proposal_can_be_taken_back(self, answer, moderator, second, colleague):
        action = act(answer, moderator, "suspend")
        undoing.undo(action=action, by=moderator.user)
        with pytest.raises(acts.NotWaiting):
            acts.approve(action=action, by=second.user)

        assert told(colleague) == []
        assert not ModerationAction.objects.told_to(colleague).exists()

    def test_the_database_wants_two(self, answer, moderator):
        row = {"post": answer, "member": answer.author, "moderator": moderator.user, "reason": "spam"}
        with pytest.raises(IntegrityError), transaction.atomic():
            ModerationAction.objects.create(kind="suspend", state="done", statement="x", **row)
        with pytest.raises(IntegrityError), transaction.atomic():
            ModerationAction.objects.create(
                kind="suspend",
                state="done",
                statement="x",
                second=moderator.user,
                second_at=timezone.now(),
                **row,
            )

    def test_a_license_is_suspended_and_given_back(self, answer, verified, colleague, moderator, second):
        action = act(answer, moderator, "suspend")
        acts.approve(action=action, by=second.user)
        assert Claim.objects.get(pk=verified.pk).state == State.SUSPENDED
        event = Event.objects.get(case_number=verified.case_number, to_state="suspended")
        assert (event.reason, event.object) == (standing.CONDUCT, "")

        undoing.undo(action=action, by=second.user)

        colleague.refresh_from_db()
        assert (Claim.objects.get(pk=verified.pk).state, colleague.standing) == (State.VERIFIED, "physician")
        assert events.first_broken() is None

    def test_an_ended_membership_is_not_undone_by_a_press(self, answer, verified, moderator, second):
        action = act(answer, moderator, "revoke")
        acts.approve(action=action, by=second.user)
        action.refresh_from_db()
        with pytest.raises(undoing.TooLateToUndo):
            undoing.undo(action=action, by=moderator.user)


def test_revisions_that_say_nothing_of_it_stay(answer, colleague, moderator):
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        writing.edit_post(post=answer, by=colleague, source="Start early, and look at the kidney.")
        writing.edit_post(post=answer, by=colleague, source="Start early, and look at the kidney. Call 612.")
        act(answer, moderator, "redact", text="Start early, and look at the kidney.")

    assert Revision.objects.filter(source=NAMED).exists()


@pytest.mark.django_db(transaction=True)
def test_moderators_at_once_end_with_one_act_and_no_deadlock(answer, report, moderator, second):
    """The one who comes first acts; the others are told that it has been done. Meanwhile members vote and report."""
    voters = [make_member() for _ in range(4)]
    jobs = [lambda who=who: act(answer, who, "remove", seen=0) for who in (moderator, second) * 2]
    jobs += [lambda who=who: corroborate(answer, who) for who in voters]
    jobs += [lambda who=who: report_post(post=answer, by=who, reason="identity") for who in voters]
    start = Barrier(len(jobs))

    def run(job):
        try:
            start.wait()
            job()
            return "done"
        except RuleBroken as refusal:
            return type(refusal).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        ends = list(pool.map(run, jobs))

    assert sorted(ends[:4]) == ["ChangedMeanwhile"] * 3 + ["done"]
    assert set(ends[4:]) <= {"done", "PostIsGone"}
    assert ModerationAction.objects.count() == 1
    assert events.first_broken() is None


@pytest.mark.django_db(transaction=True)
def test_two_who_approve_at_once_suspend_once(answer, moderator, second, colleague):
    third_reader = make_moderator("third_reader")
    action = act(answer, moderator, "suspend")
    start = Barrier(2)

    def approve(who):
        try:
            start.wait()
            acts.approve(action=action, by=who.user)
            return "done"
        except RuleBroken as refusal:
            return type(refusal).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(approve, (second, third_reader))) == ["NotWaiting", "done"]

    assert Event.objects.filter(kind="standing", to_state="suspended").count() == 1


def test_nor_does_who_takes_part_close_or_reopen_without_the_desk(question, answer, physician, moderator):
    make_answer(question, moderator)
    with pytest.raises(rights.TakesPart):
        closing.close_question(question=question, by=moderator, user=moderator.user)
    closing.close_question(question=question, by=physician)
    with pytest.raises(rights.TakesPart):
        closing.reopen_question(question=question, by=moderator, user=moderator.user)


def test_what_a_moderator_closed_its_asker_does_not_reopen(question, physician, moderator, second):
    action = act(question.posts.get(), moderator, "close")
    client = client_of(physician)
    assert (
        reverse("questions:reopen", args=[question.pk])
        not in client.get(question.get_absolute_url()).content.decode()
    )
    with pytest.raises(closing.ClosedByModerator):
        closing.reopen_question(question=question, by=physician, user=physician.user)
    closing.reopen_question(question=question, by=second, user=second.user)

    question.refresh_from_db()
    assert question.is_open
    event = Event.objects.get(kind="moderation_reopen")
    assert (event.object, event.actor) == (f"post:{action.post_id}", events.subject_of(second.user).pk)
