"""Statements of reasons, appeals, the desk's pages and the public log."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from accounts.leaving.ledger import Person
from accounts.models import Notice
from accounts.notice_kinds import lines
from accounts.tests.factories import make_member
from conftest import client_of
from questions import moderation_figures as figures
from questions.models import Appeal, Flag, ModerationAction, Report
from questions.personal import moderated
from questions.services.moderation import acts, appeals, desk, redacting, rights, undoing
from questions.services.reporting import report_post
from questions.services.writing import edit_post
from questions.tests.factories import make_answer, make_question
from questions.tests.test_moderation import CLEAN, NAMED, make_moderator
from verification.models import Claim, Event
from verification.models.claims import State
from verification.services import events, standing
from verification.tests.factories import make_claim, make_provider

pytestmark = pytest.mark.usefixtures("nobody_told")


@pytest.fixture
def question(physician):
    return make_question(physician)


@pytest.fixture
def answer(question, colleague):
    return make_answer(question, colleague, source=NAMED)


@pytest.fixture
def other(moderator):
    return make_moderator("second_reader")


def act(post, moderator, kind, reason="harassment", **more):
    return acts.act(post=post, by=moderator.user, kind=kind, reason=reason, **more)


def appealed(action, text="It was a quotation."):
    return appeals.appeal(action=action, by=action.member, text=text)


class TestAppeal:
    def test_an_appeal_is_answered_within_a_week_by_another(self, answer, moderator, other):
        appeal = appealed(act(answer, moderator, "warn"))

        assert appeal.due_at - appeal.made_at == timedelta(days=7)
        with pytest.raises(appeals.DecidedByYou):
            appeals.decide(appeal=appeal, by=moderator.user, outcome="upheld", answer="No.")
        decided = appeals.decide(appeal=appeal, by=other.user, outcome="upheld", answer="It was none.")
        assert (decided.outcome, decided.decided_by, decided.action.state) == ("upheld", other.user, "done")
        with pytest.raises(appeals.DecidedAlready):
            appeals.decide(appeal=appeal, by=other.user, outcome="overturned", answer="Yes.")

    def test_once_and_only_by_whom_it_concerns(self, answer, moderator, third):
        action = act(answer, moderator, "warn")
        with pytest.raises(appeals.NotYours):
            appeals.appeal(action=action, by=third, text="Let it be.")
        with pytest.raises(appeals.WordsMissing):
            appealed(action, "  ")
        appealed(action)
        with pytest.raises(appeals.AppealedAlready):
            appealed(action)

    def test_only_what_stands_and_within_thirty_days(self, answer, moderator):
        undone = undoing.undo(action=act(answer, moderator, "fold"), by=moderator.user)
        with pytest.raises(appeals.NothingToAppeal):
            appealed(undone)
        action = act(answer, moderator, "warn")
        with (
            time_machine.travel(timezone.now() + timedelta(days=30, minutes=1)),
            pytest.raises(appeals.TooLateToAppeal),
        ):
            appealed(action)

    def test_who_takes_part_or_approved_does_not_decide(self, question, answer, moderator, other):
        action = act(answer, moderator, "suspend")
        acts.approve(action=action, by=other.user)
        action.refresh_from_db()
        appeal = appealed(action)
        third = make_moderator()
        make_answer(question, third)

        with pytest.raises(appeals.DecidedByYou):
            appeals.decide(appeal=appeal, by=other.user, outcome="upheld", answer="No.")
        with pytest.raises(rights.TakesPart):
            appeals.decide(appeal=appeal, by=third.user, outcome="upheld", answer="No.")
        with pytest.raises(rights.NotAModerator):
            appeals.decide(appeal=appeal, by=make_member().user, outcome="upheld", answer="No.")

    def test_appealed_an_act_is_not_undone_by_a_press(self, answer, moderator):
        action = act(answer, moderator, "fold")
        appealed(action)
        with pytest.raises(undoing.IsAppealed):
            undoing.undo(action=action, by=moderator.user)

    def test_overturned_the_act_is_undone_and_the_report_was_not_right(self, answer, moderator, other, third):
        report_post(post=answer, by=third, reason="harassment")
        action = act(answer, moderator, "remove")
        appeals.decide(appeal=appealed(action), by=other.user, outcome="overturned", answer="Agreed.")

        answer.refresh_from_db()
        action.refresh_from_db()
        assert (answer.is_removed, action.state, action.undone_by) == (False, "undone", other.user)
        assert (Report.objects.get().outcome, Flag.objects.get().state) == ("dismissed", "dismissed")
        kinds = list(Event.objects.filter(object__gt="").order_by("pk").values_list("kind", flat=True))
        assert set(
            Event.objects.filter(kind__startswith="appeal").values_list("address_hash", flat=True)
        ) == {""}
        assert kinds == ["moderation_remove", "appeal_made", "appeal_overturned", "moderation_remove"]
        assert events.first_broken() is None

    def test_the_author_hears_of_each_step(self, answer, moderator, other):
        appeals.decide(
            appeal=appealed(act(answer, moderator, "warn")),
            by=other.user,
            outcome="overturned",
            answer="Agreed.",
        )

        notices = list(Notice.objects.filter(member=answer.author, kind="moderation").order_by("pk"))
        said = lines(notices, answer.author.user)
        assert [said[notice.pk].text for notice in notices] == [
            "A moderator warned you about your answer",
            "Your appeal was decided",
        ]
        assert said[notices[0].pk].url == reverse(
            "questions:statement", args=[Appeal.objects.get().action_id]
        )

    def test_words_its_author_has_replaced_are_not_put_back(self, answer, moderator, other, colleague):
        action = act(answer, moderator, "redact", text=CLEAN)
        edit_post(post=answer, by=colleague, source="Only what matters, then.")
        decided = appeals.decide(
            appeal=appealed(action), by=other.user, outcome="overturned", answer="Agreed."
        )

        answer.refresh_from_db()
        assert answer.source == "Only what matters, then."
        assert decided.not_put_back == redacting.ChangedSince.message
        path = reverse("questions:statement", args=[action.pk])
        assert redacting.ChangedSince.message in client_of(colleague).get(path).content.decode()

    def test_an_ended_membership_is_given_back(self, answer, moderator, other, colleague):
        claim = make_claim(colleague, make_provider(school=None), state=State.VERIFIED)
        action = act(answer, moderator, "revoke")
        acts.approve(action=action, by=other.user)
        action.refresh_from_db()
        assert Claim.objects.get(pk=claim.pk).state == State.REVOKED
        appeals.decide(
            appeal=appealed(action), by=make_moderator().user, outcome="overturned", answer="Agreed."
        )

        colleague.refresh_from_db()
        assert (Claim.objects.get(pk=claim.pk).state, colleague.standing) == (State.VERIFIED, "physician")
        assert Appeal.objects.get().answer == f"Agreed.\n\n{appeals.NEVER_GIVEN_BACK}"

    def ended_twice(self, answer, colleague, moderator, other):
        make_claim(colleague, make_provider(school=None), state=State.VERIFIED)
        ends = []
        for kind in ("suspend", "revoke"):
            ends.append(acts.approve(action=act(answer, moderator, kind), by=other.user))
        return ends

    def overturn(self, action, reader):
        return appeals.decide(appeal=appealed(action), by=reader.user, outcome="overturned", answer="Agreed.")

    def test_the_end_of_a_suspended_membership_gives_the_suspension_back(
        self, answer, colleague, moderator, other
    ):
        suspended, revoked = self.ended_twice(answer, colleague, moderator, other)
        reader = make_moderator()
        decided = self.overturn(revoked, reader)
        assert (Claim.objects.get().state, decided.not_put_back) == (State.SUSPENDED, "")
        self.overturn(suspended, reader)

        assert Claim.objects.get().state == State.VERIFIED

    def test_an_overturned_suspension_leaves_a_later_end_and_is_not_given_back_with_it(
        self, answer, colleague, moderator, other
    ):
        suspended, revoked = self.ended_twice(answer, colleague, moderator, other)
        reader = make_moderator()
        decided = self.overturn(suspended, reader)
        assert Claim.objects.get().state == State.REVOKED
        assert decided.not_put_back == standing.EndedByAnother.message
        revoked.refresh_from_db()
        self.overturn(revoked, reader)

        assert Claim.objects.get().state == State.VERIFIED

    @pytest.mark.parametrize("kind", ["fold", "warn", "remove"])
    def test_overturned_a_post_is_not_folded_again_by_reports_that_were_wrong(
        self, answer, moderator, other, third, physician, kind
    ):
        for reporter in (third, physician):
            report_post(post=answer, by=reporter, reason="identity")
        answer.refresh_from_db()
        assert answer.folded_at
        self.overturn(act(answer, moderator, kind), other)

        answer.refresh_from_db()
        assert (answer.folded_at, answer.fold_reason) == (None, "")

    def test_overturned_a_warning_leaves_the_fold_of_another_act(self, answer, moderator, other):
        warned = act(answer, moderator, "warn")
        act(answer, moderator, "fold")
        self.overturn(warned, other)

        answer.refresh_from_db()
        assert answer.folded_at

    def test_the_longest_answer_leaves_room_for_what_is_lost(self, answer, colleague, moderator, other):
        _, revoked = self.ended_twice(answer, colleague, moderator, other)
        appeals.decide(
            appeal=appealed(revoked), by=make_moderator().user, outcome="overturned", answer="Yes. " * 200
        )

        assert Appeal.objects.get().answer.endswith(appeals.NEVER_GIVEN_BACK)

    def test_what_an_appeal_waits_on_is_kept(self, answer, moderator):
        appealed(act(answer, moderator, "redact", "identity", text=CLEAN))
        with time_machine.travel(timezone.now() + timedelta(days=40)):
            assert undoing.forget_before() == 0


class TestOwnPages:
    def test_the_suspended_reach_their_reasons_and_appeal(self, answer, moderator, other, colleague):
        action = act(answer, moderator, "suspend", statement="Three warnings, and now this.")
        acts.approve(action=action, by=other.user)
        client = client_of(colleague)
        assert reverse("questions:appeals") in client.get("/").content.decode()
        assert client.get(reverse("questions:list")).status_code == 403

        page = client.get(reverse("questions:statement", args=[action.pk]))
        assert "Three warnings, and now this." in page.content.decode()
        listed = client.get(reverse("questions:appeals")).content.decode()
        assert "Suspended: a discussion" in listed
        assert answer.question.title not in listed + page.content.decode()
        client.post(page.wsgi_request.path, {"text": "I was quoting."})

        assert Appeal.objects.get().text == "I was quoting."
        assert "You hear by" in client.get(page.wsgi_request.path).content.decode()

    def test_nobody_reads_another_s(self, answer, moderator, third, applicant, client):
        path = reverse("questions:statement", args=[act(answer, moderator, "warn").pk])

        assert client_of(third).get(path).status_code == 404
        assert client_of(applicant).get(path).status_code == 404
        assert client.get(path).status_code == 302
        assert client_of(applicant).get(reverse("questions:appeals")).status_code == 200

    def test_what_waits_was_refused_or_dismissed_is_not_told(
        self, answer, moderator, other, third, colleague
    ):
        report_post(post=answer, by=third, reason="spam")
        act(answer, moderator, "dismiss")
        undoing.undo(action=act(answer, other, "revoke", "spam"), by=other.user)
        acts.refuse(action=act(answer, moderator, "suspend"), by=other.user)
        act(answer, moderator, "revoke")
        page = client_of(colleague).get(reverse("questions:appeals")).content.decode()

        assert "Nothing was decided about you" in page

    def test_nor_is_it_exported(self, answer, moderator, other, colleague):
        waiting = act(answer, moderator, "revoke")
        warned = act(answer, moderator, "warn")
        entry = next(each for each in moderated.ENTRIES if each.model == "questions.ModerationAction")

        assert list(entry.rows(Person.of(colleague.user))) == [warned]
        acts.approve(action=waiting, by=other.user)
        assert list(entry.rows(Person.of(colleague.user))) == [waiting, warned]

    @pytest.mark.parametrize(("own", "shown"), [(True, True), (False, False)])
    def test_a_title_is_told_of_an_own_opening_or_while_it_may_be_read(
        self, question, answer, physician, colleague, moderator, own, shown
    ):
        opening = question.posts.get(kind="opening")
        member, post = (physician, opening) if own else (colleague, answer)
        warned = act(post, moderator, "warn")
        client = client_of(member)
        paths = [reverse("questions:appeals"), reverse("questions:statement", args=[warned.pk])]
        assert all(question.title in client.get(path).content.decode() for path in paths)
        act(opening, moderator, "remove")

        assert all((question.title in client.get(path).content.decode()) is shown for path in paths)
        notices = list(Notice.objects.filter(member=member, key=f"act:{warned.pk}:done"))
        told = lines(notices, member.user)[notices[0].pk]
        assert told.title == (question.title if shown else "a discussion")

    def test_an_empty_appeal_comes_back(self, answer, moderator, colleague):
        path = reverse("questions:statement", args=[act(answer, moderator, "warn").pk])

        assert client_of(colleague).post(path, {"text": " "}).status_code == 422

    def test_the_list_costs_the_same_at_any_length(
        self, answer, moderator, colleague, django_assert_max_num_queries
    ):
        for _ in range(12):
            act(answer, moderator, "warn")
        client = client_of(colleague)
        with django_assert_max_num_queries(4):
            client.get(reverse("questions:appeals"))


class TestDesk:
    @pytest.fixture
    def report(self, answer, third):
        return report_post(post=answer, by=third, reason="identity", words="A name and a town.").report

    @pytest.fixture
    def desk_of(self, moderator):
        return client_of(moderator)

    def paths(self, report, answer):
        action = ModerationAction.objects.create(
            kind="warn", post=answer, member=answer.author, reason="spam", statement="No."
        )
        appeal = appealed(action)
        return [
            reverse("questions:moderation"),
            reverse("questions:moderation_figures"),
            reverse("questions:moderation_appeals"),
            reverse("questions:standard_words"),
            reverse("questions:moderate_post", args=[answer.pk]),
            reverse("questions:claim_report", args=[report.pk]),
            reverse("questions:ask_opinion", args=[report.pk]),
            reverse("questions:undo_act", args=[action.pk]),
            reverse("questions:second_act", args=[action.pk]),
            reverse("questions:decide_appeal", args=[appeal.pk]),
        ]

    def test_the_door(self, report, answer, physician, applicant, staff, client, desk_of):
        for path in self.paths(report, answer):
            assert client.get(path).status_code == 302
            for who in (physician, applicant):
                assert client_of(who).get(path).status_code == 404
                assert client_of(who).post(path).status_code == 404
            assert desk_of.get(path).status_code in (200, 302)

    def test_oldest_harm_first(self, desk_of, third, physician):
        for reason, title in [
            ("spam", "The oldest, spam?"),
            ("misinformation", "Harm, the second?"),
            ("identity", "A patient, named?"),
            ("harassment", "Harm, the third?"),
        ]:
            report_post(post=make_question(physician, title=title).posts.get(), by=third, reason=reason)
        page = desk_of.get(reverse("questions:moderation")).content.decode()

        assert re.findall(r"/moderation/posts/\d+/\">([^<]*)", page) == [
            "A patient, named?",
            "Harm, the second?",
            "Harm, the third?",
            "The oldest, spam?",
        ]

    @pytest.mark.parametrize("tab", ["open", "mine", "second", "unheard", "closed"])
    def test_each_list_costs_the_same_at_any_length(
        self, tab, answer, desk_of, moderator, other, third, physician, django_assert_max_num_queries
    ):
        for _ in range(6):
            post = make_question(make_member()).posts.get()
            report = report_post(post=post, by=third, reason="spam").report
            if tab == "mine":
                desk.claim(report=report, by=moderator.user)
            elif tab == "second":
                act(post, other, "suspend")
            elif tab == "closed":
                act(post, other, "dismiss")
        with django_assert_max_num_queries(8):
            page = desk_of.get(reverse("questions:moderation"), {"show": tab}).content.decode()
        assert page.count("/moderation/posts/") == (0 if tab == "unheard" else 6)

    def test_lists_go_on_by_key(self, desk_of, physician, third, settings):
        settings.REPORTS_PER_PAGE = 2
        for number in range(5):
            post = make_question(physician, title=f"Question number {number}?").posts.get()
            report_post(post=post, by=third, reason="spam")
        seen, path = [], reverse("questions:moderation")
        while path:
            page = desk_of.get(path).content.decode()
            seen += re.findall(r"Question number (\d)", page)
            found = re.search(r'class="more"><a class="button" href="([^"]*)"', page)
            path = found and found[1].replace("&amp;", "&")

        assert seen == list("01234")

    def test_the_page_of_a_post_shows_reports_without_reporters(
        self, report, answer, desk_of, third, django_assert_max_num_queries
    ):
        with django_assert_max_num_queries(9):
            page = desk_of.get(reverse("questions:moderate_post", args=[answer.pk])).content.decode()

        assert "A name and a town." in page
        assert "Quillfeather" in page
        assert third.handle not in page
        for someone in (third, answer.author):
            assert someone.user.email not in page

    def test_what_a_moderator_takes_part_in_shows_neither_title_nor_words(
        self, report, question, answer, desk_of, moderator
    ):
        make_answer(question, moderator)
        queue = desk_of.get(reverse("questions:moderation")).content.decode()
        page = desk_of.get(reverse("questions:moderate_post", args=[answer.pk])).content.decode()

        assert "another moderator decides" in queue
        assert question.title not in queue
        assert "A name and a town." not in page
        assert '<form class="stack-l' not in page

    def test_a_decision_with_the_standard_words_and_its_undoing(self, report, answer, desk_of):
        path = reverse("questions:moderate_post", args=[answer.pk])
        response = desk_of.post(path, {"kind": "fold", "reason": "identity", "seen": 0})
        action = ModerationAction.objects.get()
        assert response.url == f"/moderation/?done={action.pk}"
        assert reverse("questions:undo_act", args=[action.pk]) in desk_of.get(response.url).content.decode()

        desk_of.post(reverse("questions:undo_act", args=[action.pk]))

        answer.refresh_from_db()
        assert answer.folded_at is None
        event = Event.objects.get(kind="moderation_fold", to_state="done")
        assert re.fullmatch("[0-9a-f]{64}", event.address_hash)

    def test_who_was_late_sees_it_and_presses_again(self, answer, colleague, desk_of, moderator, other):
        path = reverse("questions:moderate_post", args=[answer.pk])
        desk_of.get(path)
        act(answer, other, "warn")
        elsewhere = make_answer(make_question(make_member()), colleague)
        for _ in range(31):
            act(elsewhere, other, "warn")
        sent = {"kind": "fold", "reason": "spam", "seen": 0}
        late = desk_of.post(path, sent)
        assert (late.status_code, ModerationAction.objects.filter(kind="fold").exists()) == (422, False)
        seen = re.search(r'name="seen" value="(\d+)"', late.content.decode())[1]

        assert re.search(r'name="seen" value="(\d+)"', desk_of.get(path).content.decode())[1] == seen
        assert desk_of.post(path, {**sent, "seen": seen}).status_code == 302

    def test_what_was_decided_where_a_moderator_takes_part_is_not_shown_beside(
        self, answer, colleague, desk_of, moderator, other
    ):
        elsewhere = make_question(make_member())
        decided = make_answer(elsewhere, colleague)
        act(decided, other, "warn")
        path = reverse("questions:moderate_post", args=[answer.pk])
        there = reverse("questions:moderate_post", args=[decided.pk])
        assert there in desk_of.get(path).content.decode()
        make_answer(elsewhere, moderator)

        assert there not in desk_of.get(path).content.decode()

    def test_buttons_of_two_acts_have_two_names(self, answer, desk_of, moderator):
        for hours in (2, 1):
            with time_machine.travel(timezone.now() - timedelta(hours=hours)):
                act(answer, moderator, "warn")
        page = desk_of.get(reverse("questions:moderate_post", args=[answer.pk])).content.decode()
        names = re.findall(r'aria-label="(Undo: Warned, [^"]+)"', page)

        assert len(set(names)) == 2

    def test_an_act_needs_a_rule(self, report, answer, desk_of):
        path = reverse("questions:moderate_post", args=[answer.pk])
        response = desk_of.post(path, {"kind": "remove", "reason": "", "statement": "Gone.", "seen": 0})

        assert response.status_code == 422
        assert "Gone." in response.content.decode()

    def test_claiming_releasing_and_leaving_to_another(self, report, desk_of, moderator):
        claim, opinion = (
            reverse(f"questions:{name}", args=[report.pk]) for name in ("claim_report", "ask_opinion")
        )
        desk_of.post(claim, {"claim": "1"})
        assert Report.objects.get().holder == moderator.user
        desk_of.post(claim, {"claim": "0"})
        assert Report.objects.get().holder is None
        desk_of.post(opinion, {"wanted": "1"})
        assert Report.objects.get().opinion_wanted_by == moderator.user
        desk_of.post(opinion, {"wanted": "0"})
        assert Report.objects.get().opinion_wanted_by is None

    def test_the_second_moderator_approves(self, answer, desk_of, other, colleague):
        action = act(answer, other, "suspend")
        path = reverse("questions:moderate_post", args=[answer.pk])
        assert "Approve" in desk_of.get(path).content.decode()
        assert "Take the proposal back" in client_of(other).get(path).content.decode()
        desk_of.post(reverse("questions:second_act", args=[action.pk]), {"approve": "1"})

        colleague.refresh_from_db()
        assert colleague.standing == "suspended"

    def test_an_overdue_appeal_stands_on_top(self, answer, desk_of, other):
        appeal = appealed(act(answer, other, "warn"))
        Appeal.objects.update(due_at=timezone.now() - timedelta(hours=1))

        assert "overdue" in desk_of.get(reverse("questions:moderation")).content.decode()
        assert "Overdue" in desk_of.get(reverse("questions:moderation_appeals")).content.decode()
        path = reverse("questions:decide_appeal", args=[appeal.pk])
        desk_of.post(path, {"outcome": "overturned", "answer": "You are right."})
        appeal.refresh_from_db()
        assert (appeal.outcome, appeal.answer) == ("overturned", "You are right.")

    def test_history_never_joins_the_two_faces_of_a_member(self, desk_of, moderator, colleague):
        """Acts on what somebody wrote under the name stand beside what they wrote under the name, and no other."""
        colleague.byline_mode, colleague.display_name = "public", "Amara Okafor, MD"
        colleague.save()
        named = make_answer(make_question(make_member()), colleague, byline="public")
        by_handle = make_answer(make_question(make_member()), colleague, byline="anonymous")
        act(named, moderator, "warn", statement="Of the named one.")
        page = desk_of.get(reverse("questions:moderate_post", args=[by_handle.pk])).content.decode()

        assert "Okafor" not in page
        assert reverse("questions:moderate_post", args=[named.pk]) not in page
        assert "neither on this post" in page


class TestOldPaths:
    def test_moderators_are_led_to_the_desk(self, question, answer, moderator):
        client = client_of(moderator)
        for path, post, kind in [
            (reverse("questions:remove", args=[answer.pk]), answer, "remove"),
            (reverse("questions:close", args=[question.pk]), question.posts.get(kind="opening"), "close"),
        ]:
            response = client.post(path)
            assert response.url == reverse("questions:moderate_post", args=[post.pk]) + f"?act={kind}"

        answer.refresh_from_db()
        question.refresh_from_db()
        assert (answer.removed_at, question.status) == (None, "open")

    def test_what_is_their_own_they_remove_by_the_rules_of_all(self, moderator, physician):
        own = make_question(moderator)
        make_answer(own, physician)
        client_of(moderator).post(reverse("questions:remove", args=[own.posts.get(kind="opening").pk]))

        own.refresh_from_db()
        assert own.status == "open"


class TestFigures:
    def test_the_backlog_by_day(self, physician, third):
        now = timezone.now()
        for opened, closed in [(5, 2), (3, None), (40, 35), (40, 1)]:
            Report.objects.create(
                post=make_question(physician).posts.get(),
                severity=1,
                opened_at=now - timedelta(days=opened),
                closed_at=now - timedelta(days=closed) if closed else None,
                outcome="upheld" if closed else "",
            )
        days = figures.backlog()

        assert len(days) == 30
        assert [row["open"] for row in days[-6:]] == [2, 2, 3, 2, 1, 1]
        assert (sum(row["opened"] for row in days), sum(row["closed"] for row in days)) == (2, 2)
        assert figures.chart(days)["now"] == 1


class TestTransparency:
    NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)  # a Wednesday

    def acts_of(self, post, number, kind="fold", reason="spam", state="done", days=7):
        for _ in range(number):
            ModerationAction.objects.create(
                kind=kind,
                post=post,
                member=post.author,
                reason=reason,
                statement="No.",
                state=state,
                taken_at=self.NOW - timedelta(days=days),
            )

    def log(self):
        with time_machine.travel(self.NOW):
            return [
                (str(line["week"]), line["act"], line["rule"], line["outcome"], line["count"])
                for line in figures.log()
            ]

    def test_lines_of_five_are_shown_and_smaller_ones_stand_together(self, answer):
        self.acts_of(answer, 6)
        self.acts_of(answer, 3, kind="warn")
        self.acts_of(answer, 2, state="undone")

        assert self.log() == [
            ("2026-11-09", "Folded", "Spam or promotion", "Stands", 6),
            ("2026-11-09", "Other acts together", "", "", 5),
        ]

    @pytest.mark.parametrize("small", [1, 4])
    def test_fewer_than_five_are_not_shown_at_all(self, answer, small):
        self.acts_of(answer, small)

        assert self.log() == [("2026-11-09", "Other acts", "", "", None)]

    def test_neither_this_week_nor_dismissals_nor_what_waits(self, answer):
        self.acts_of(answer, 9, days=0)
        self.acts_of(answer, 9, kind="dismiss")
        self.acts_of(answer, 9, kind="suspend", state="waiting")
        self.acts_of(answer, 9, kind="suspend", state="undone")
        self.acts_of(answer, 9, days=200)

        assert self.log() == []

    @pytest.mark.parametrize(
        ("upheld", "overturned", "shown"),
        [(3, 1, (None, None)), (5, 5, (10, 50)), (6, 2, (8, None)), (6, 0, (6, 0))],
    )
    def test_a_share_is_shown_where_no_part_is_small(self, answer, upheld, overturned, shown):
        now = timezone.now()
        self.acts_of(answer, upheld + overturned)
        outcomes = ["upheld"] * upheld + ["overturned"] * overturned
        for action, outcome in zip(ModerationAction.objects.all(), outcomes, strict=True):
            Appeal.objects.create(action=action, text="No.", due_at=now, decided_at=now, outcome=outcome)
        found = figures.appeals()

        assert (found["decided"], found["overturned_percent"]) == shown

    def test_the_last_hash_of_each_day_that_is_over(self, db):
        for hour in (1, 23, 30):
            with time_machine.travel(datetime(2026, 5, 4, tzinfo=UTC) + timedelta(hours=hour)):
                newest = events.record(kind="started")
                found = figures.heads()
        with time_machine.travel(datetime(2026, 5, 6, 1, tzinfo=UTC)):
            heads = figures.heads()

        assert [str(day) for day, _ in found] == ["2026-05-04"]
        assert [str(day) for day, _ in heads] == ["2026-05-05", "2026-05-04"]
        assert heads[0][1] == newest.hash

    def test_everybody_reads_it_and_nobody_is_named(
        self, client, answer, moderator, colleague, django_assert_max_num_queries
    ):
        act(answer, moderator, "warn")
        with django_assert_max_num_queries(5):
            page = client.get(reverse("questions:transparency"))

        assert page.status_code == 200
        for someone in (moderator, colleague):
            assert someone.handle not in page.content.decode()
        assert client_of(colleague).get(reverse("questions:transparency")).status_code == 200


class TestAdministration:
    NAMES = ("report", "flag", "moderationaction", "appeal")

    @pytest.fixture
    def office(self, staff):
        staff.is_superuser = True
        staff.save()
        staff.authenticator_set.create(type="totp", data={})
        return client_of(staff)

    def test_it_lists_what_was_decided_without_reporters_and_hours(self, answer, moderator, third, office):
        report_post(post=answer, by=third, reason="spam", words="Between us.")
        action = act(answer, moderator, "warn")
        appealed(action)
        for name in self.NAMES:
            page = office.get(reverse(f"admin:questions_{name}_changelist"))
            assert page.status_code == 200
            assert third.handle not in page.content.decode()
            for gone in ("add", "change", "delete"):
                number = [] if gone == "add" else [action.pk]
                assert office.get(reverse(f"admin:questions_{name}_{gone}", args=number)).status_code in (
                    302,
                    403,
                )

    def test_events_of_posts_and_of_claims_never_stand_together(self, answer, moderator, colleague, office):
        make_claim(colleague, make_provider(school=None), state=State.VERIFIED)
        other = make_moderator()
        acts.approve(action=act(answer, moderator, "suspend"), by=other.user)
        address = reverse("admin:verification_event_changelist")
        claims, posts = (
            office.get(address, {"about": about} if about else {}).content.decode() for about in ("", "posts")
        )

        assert "conduct" in claims
        assert f"post:{answer.pk}" not in claims
        assert f"post:{answer.pk}" in posts
        assert "conduct" not in posts

    def test_a_moderator_of_staff_does_not_see_what_they_take_part_in(
        self, question, answer, moderator, third
    ):
        report_post(post=answer, by=third, reason="spam")
        make_answer(question, moderator)
        moderator.user.is_staff = moderator.user.is_superuser = True
        moderator.user.save()
        page = client_of(moderator).get(reverse("admin:questions_flag_changelist")).content.decode()

        assert "0 flags" in page
