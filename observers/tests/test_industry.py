"""What firms ask in the open: labelled, limited, hidden from who wants none, folded by votes; and results in time."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.masks import Masks
from accounts.models import Member
from accounts.tests.factories import make_member, make_specialty
from conftest import client_of
from observers import keys, results
from observers.masks import masks_of
from observers.models import IndustryPost, ReadDay, Voice
from observers.services import asking, contracting, sponsoring
from observers.services.voices import voice_of
from observers.tests.factories import let_pass, make_contract, make_plan, make_seat
from polls.models import Option, Poll, Tally
from polls.services import closing as poll_closing
from polls.services import opening
from polls.services.opening import Plan
from polls.tests.factories import make_poll, make_voter, vote
from questions.models import Byline, MemberRank, ModerationAction, Post, Question, Vote
from questions.services import voting
from questions.services.moderation import acts, rights, undoing
from questions.services.reporting import report_post
from questions.tests.factories import make_answer, make_question
from rewards import earmarkable
from rewards.models import Sponsorship
from rewards.services import ledger
from rewards.services.deposits import FormUsed
from rewards.tests.factories import make_firm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]

TITLE = "What keeps you from switching to the oral form?"
WHY = {"reason": Vote.Reason.values[0], "explanation": "This is promotion and asks nothing."}
SOURCE = "We plan a study and want to know what matters at the bedside."


def ask(seat, **said):
    same = {"title": TITLE, "source": SOURCE, "specialties": [make_specialty()], "key": uuid4()}
    return asking.ask(seat=seat, **{**same, **said})


def put(seat, **said):
    same = {
        "title": TITLE,
        "source": "",
        "specialties": [make_specialty()],
        "plan": Plan(kind="single", options=("Price", "Habit"), days=7),
        "honorarium": 500,
        "quota": 20,
        "key": uuid4(),
    }
    return sponsoring.open_poll(seat=seat, **{**same, **said})


class TestAsking:
    def test_it_stands_under_the_firms_name(self, seat, physician_client):
        question = ask(seat)

        assert question.industry == seat.firm.name
        assert Byline.objects.get(question=question).mode == Byline.Mode.FIRM
        for address in (reverse("questions:list"), question.get_absolute_url()):
            page = physician_client.get(address).text
            assert seat.firm.name in page
            assert "Industry" in page

    def test_its_voice_is_nobody_among_members(self, seat, physician):
        voice = voice_of(seat.firm)

        assert not Member.objects.visible_to(physician.user).filter(pk=voice.pk).exists()
        assert not MemberRank.objects.filter(member=voice).exists()
        assert Voice.objects.count() == 1
        assert voice_of(seat.firm) == voice

    def test_a_firm_that_changed_its_name_speaks_under_the_new_one(self, seat):
        voice_of(seat.firm)
        seat.firm.name = "Corvane Therapeutics"

        assert voice_of(seat.firm).display_name == "Corvane Therapeutics"

    def test_twice_is_once(self, seat):
        key = uuid4()

        assert ask(seat, key=key) == ask(seat, key=key)
        assert IndustryPost.objects.count() == 1

    @pytest.mark.parametrize("said", [{"title": "Something else altogether?"}, {"source": "Other words."}])
    def test_a_form_of_other_words_is_refused(self, seat, said):
        key = uuid4()
        ask(seat, key=key)

        with pytest.raises(FormUsed):
            ask(seat, key=key, **said)

    def test_a_form_of_a_question_is_none_of_a_poll(self, seat):
        asked, polled = uuid4(), uuid4()
        ask(seat, key=asked, source="")
        put(seat, key=polled)

        with pytest.raises(FormUsed):
            put(seat, key=asked)
        with pytest.raises(FormUsed):
            ask(seat, key=polled, source="")

    def test_no_more_than_the_plan_has_a_month(self):
        seat = make_seat(make_contract(plan=make_plan("small", questions_a_month=1)).firm)
        ask(seat)
        with pytest.raises(asking.NoQuestionLeft):
            ask(seat)

        IndustryPost.objects.update(made_at=timezone.now() - timedelta(days=40))

        assert ask(seat)

    def test_polls_are_counted_by_themselves(self):
        seat = make_seat(make_contract(plan=make_plan("small", questions_a_month=1)).firm)
        put(seat)

        assert ask(seat)

    def test_what_names_somebody_is_refused(self, seat):
        with pytest.raises(asking.Identifies):
            ask(seat, source="The patient, SSN 123-45-6789, was given the oral form.")

    def test_without_a_contract_nobody_asks(self, seat):
        seat.firm.contracts.update(ended_at=timezone.now())

        with pytest.raises(contracting.NotContracted):
            ask(seat)

    def test_a_firm_closes_its_own_alone(self, seat, physician):
        question = ask(seat)
        with pytest.raises(IndustryPost.DoesNotExist):
            asking.close(seat=make_seat(), question=question)

        asking.close(seat=seat, question=question)

        question.refresh_from_db()
        assert question.status == Question.Status.CLOSED

    def test_it_cannot_be_earmarked(self, seat):
        opening = let_pass(ask(seat)).posts.get()

        assert earmarkable.reason(opening, make_firm()) == earmarkable.NEVER

    def test_who_wants_none_meets_none(self, seat, physician, physician_client):
        ask(seat)
        make_question(physician, "Which dose do you begin with in a frail patient?")
        Member.objects.filter(pk=physician.pk).update(hides_industry=True)

        for address in (reverse("questions:list"), reverse("search") + "?q=switching"):
            assert TITLE not in physician_client.get(address).text
        assert "frail patient" in physician_client.get(reverse("questions:list")).text


class TestFolding:
    @pytest.fixture
    def opening(self, seat):
        return ask(seat).posts.get()

    @staticmethod
    def judge(opening, corroborate, dispute):
        for number in range(corroborate + dispute):
            value = Vote.Value.CORROBORATE if number < corroborate else Vote.Value.DISPUTE
            why = WHY if value == Vote.Value.DISPUTE else {}
            voting.cast_vote(post=opening, voter=make_member(), value=value, **why)
        opening.refresh_from_db()

    def test_two_thirds_of_enough_votes_fold_it(self, opening):
        self.judge(opening, 3, 8)

        assert opening.folded_at

    @pytest.mark.parametrize(("corroborate", "dispute"), [(0, 10), (4, 7)])
    def test_fewer_do_not(self, opening, corroborate, dispute):
        self.judge(opening, corroborate, dispute)

        assert opening.folded_at is None

    def test_a_vote_that_switches_folds_it(self, opening):
        self.judge(opening, 5, 9)
        assert opening.folded_at is None
        switching = opening.votes.filter(value=Vote.Value.CORROBORATE).first().voter

        voting.cast_vote(post=opening, voter=switching, value=Vote.Value.DISPUTE, **WHY)

        opening.refresh_from_db()
        assert opening.folded_at

    def test_a_corroboration_that_is_withdrawn_folds_it(self, opening):
        self.judge(opening, 5, 9)

        voting.withdraw_vote(
            post=opening, voter=opening.votes.filter(value=Vote.Value.CORROBORATE).first().voter
        )

        opening.refresh_from_db()
        assert opening.folded_at

    def test_one_that_is_disputed_and_open_is_folded_by_any_vote(self, opening):
        self.judge(opening, 0, 11)
        Post.objects.filter(pk=opening.pk).update(folded_at=None, fold_reason="")

        self.judge(opening, 1, 0)

        assert opening.folded_at

    def test_what_a_moderator_opened_again_stays_open_while_that_stands(self, opening, moderator, physician):
        self.judge(opening, 0, 11)
        report_post(post=opening, by=physician, reason="spam")
        act = acts.act(post=opening, by=moderator.user, kind="dismiss", reason="spam")
        ModerationAction.objects.update(before=None)  # as after a month

        self.judge(opening, 0, 1)
        assert opening.folded_at is None

        undoing.undo(action=act, by=moderator.user)
        self.judge(opening, 0, 1)
        assert opening.folded_at

    def test_a_report_dismissed_while_it_was_open_keeps_nothing_open(self, opening, moderator, physician):
        report_post(post=opening, by=physician, reason="spam")
        acts.act(post=opening, by=moderator.user, kind="dismiss", reason="spam")

        self.judge(opening, 0, 11)

        assert opening.folded_at

    def test_moderators_act_on_the_post_and_not_on_the_firm(self, opening, moderator):
        desk = client_of(moderator).get(reverse("questions:moderate_post", args=[opening.pk]))

        offered = {value for value, _ in desk.context["form"].fields["kind"].choices}
        assert offered == {"redact", "fold", "remove", "close"}
        assert "nobody is told" in desk.text
        assert "Days of a hold" not in desk.text
        with pytest.raises(acts.AFirm):
            acts.act(post=opening, by=moderator.user, kind="warn", reason="spam")

    @pytest.mark.parametrize("rule", ["conflict", "not_physician"])
    def test_rules_about_physicians_are_none_that_a_firm_breaks(self, opening, moderator, physician, rule):
        desk = client_of(moderator).get(reverse("questions:moderate_post", args=[opening.pk]))
        form = client_of(physician.user).get(reverse("questions:flag", args=[opening.pk]))

        for page in (desk, form):
            assert rule not in dict(page.context["form"].fields["reason"].choices)
        with pytest.raises(rights.AboutPhysicians):
            acts.act(post=opening, by=moderator.user, kind="remove", reason=rule)
        with pytest.raises(rights.AboutPhysicians):
            report_post(post=opening, by=physician, reason=rule)

    def test_the_rules_about_physicians_stay_for_what_these_write(
        self, opening, moderator, physician, colleague
    ):
        answer = make_answer(opening.question, colleague)
        desk = client_of(moderator).get(reverse("questions:moderate_post", args=[answer.pk]))

        assert "not_physician" in dict(desk.context["form"].fields["reason"].choices)
        assert report_post(post=answer, by=physician, reason="not_physician")

    def test_what_is_written_down_speaks_to_nobody(self, opening, moderator):
        done = acts.act(post=opening, by=moderator.user, kind="remove", reason="spam")

        assert done.statement.startswith("The post was removed.")

    def test_the_keys_are_those_of_what_is_offered(self, opening, moderator):
        desk = client_of(moderator).get(reverse("questions:moderate_post", args=[opening.pk]))

        assert "".join(key for key, _ in desk.context["keys"]) == "TFXC"

    def test_what_members_ask_is_folded_by_no_vote(self, physician):
        opening = make_question(physician, kind=Question.Kind.OBSERVATION).posts.get()

        self.judge(opening, 0, 12)

        assert opening.folded_at is None


class TestPolls:
    def test_its_sponsor_stands_above_it_and_the_money_is_reserved(self, seat, physician_client):
        poll = put(seat)

        assert Sponsorship.objects.get(pk=poll.pk).is_blinded
        assert ledger.firm_balance(seat.firm).balance == 90_000
        page = physician_client.get(reverse("polls:poll", args=[poll.pk])).text
        assert seat.firm.name in page
        assert "$5.00" in page

    def test_without_the_money_there_is_no_poll(self, seat):
        with pytest.raises(ledger.NotEnough):
            put(seat, honorarium=10_000, quota=11)

        assert not Question.objects.exists()

    def test_twice_is_once(self, seat):
        key = uuid4()

        assert put(seat, key=key) == put(seat, key=key)
        assert Sponsorship.objects.count() == 1
        with pytest.raises(FormUsed):
            put(seat, key=key, plan=Plan(kind="single", options=("Price", "Taste"), days=7))

    def test_no_more_than_the_plan_has_a_month(self):
        seat = make_seat(make_contract(plan=make_plan("small", polls_a_month=1)).firm)
        put(seat)

        with pytest.raises(sponsoring.NoPollLeft):
            put(seat)

    def test_a_narrowed_one_is_open_to_so_many_that_a_number_could_be_shown(self, seat, settings):
        specialty = make_specialty("Nephrology")
        plan = Plan(kind="single", options=("Price", "Habit"), days=7, specialties=(specialty.pk,))
        for _ in range(settings.OBSERVER_LEAST - 1):
            make_member(specialty="Nephrology")
        with pytest.raises(opening.TooFewInvited, match="Fewer than 11 members"):
            put(seat, plan=plan)
        assert not Sponsorship.objects.exists()

        make_member(specialty="Nephrology")

        assert put(seat, plan=plan).invited == settings.OBSERVER_LEAST

    def test_options_name_nobody(self, seat):
        with pytest.raises(asking.Identifies):
            put(seat, plan=Plan(kind="single", options=("SSN 123-45-6789", "Habit"), days=7))


def let_close_pass(poll, by=timedelta(minutes=76)):
    """Make a poll closed so long ago; an hour and a step is as long as firms wait."""
    Poll.objects.filter(pk=poll.pk).update(
        opened_at=timezone.now() - timedelta(days=1), closed_at=timezone.now() - by
    )
    poll.refresh_from_db()


class TestResults:
    def test_nothing_is_read_before_the_close(self, seat, seat_client, physician):
        poll = make_poll(asker=physician)
        let_pass(poll.question)
        Tally.objects.filter(poll=poll).update(voters=60, counts=[20, 20, 20])
        address = reverse("observers:results", args=[keys.question_key(seat.firm, poll.pk)])

        assert results.result_of(seat.firm, poll, Masks()) is None
        assert "The poll is open" in seat_client.get(address).text

        Poll.objects.filter(pk=poll.pk).update(
            opened_at=timezone.now() - timedelta(days=7), closes_at=timezone.now()
        )
        assert poll_closing.close_if_due(poll_id=poll.pk)

        assert "60 voted" in seat_client.get(address).text

    def test_few_voters_show_nothing(self, firm, physician):
        poll = make_poll(asker=physician)
        for _ in range(10):
            vote(poll, make_voter(), 0)
        poll_closing.close_poll(poll=poll, by=physician)
        let_close_pass(poll)

        assert not results.result_of(firm, poll, Masks()).is_shown

    @pytest.mark.parametrize(
        ("counts", "hidden"),
        [
            ([20, 30], set()),
            ([20, 3], {0, 1}),
            ([20, 30, 3], {0, 2}),
            ([20, 4, 3], {1, 2}),
            ([11, 11, 11], set()),
            ([40, 12, 0], {1, 2}),
            ([0, 0, 40], {0, 1}),
        ],
    )
    def test_small_numbers_are_hidden_with_what_would_tell_them(self, counts, hidden):
        assert results.hidden_among(counts) == hidden

    def test_its_days_are_those_of_utc(self, seat, seat_client):
        poll = put(seat)
        let_pass(poll.question)
        night = datetime(2026, 11, 18, 2, tzinfo=UTC)  # still the 17th in New York
        Poll.objects.update(opened_at=night - timedelta(days=7), closes_at=night)
        key = keys.question_key(seat.firm, poll.pk)
        for name, args in (("polls", []), ("question", [key])):
            text = seat_client.get(reverse(f"observers:{name}", args=args)).text
            assert "Nov 18" in text
            assert "Nov 17" not in text

        Poll.objects.update(closed_at=night, close_reason="time")

        assert "from Nov 11 to Nov 18" in seat_client.get(reverse("observers:results", args=[key])).text

    def test_a_poll_closed_to_the_firm_is_not_found(self, seat, seat_client, physician):
        poll = make_poll(asker=physician)
        let_pass(poll.question)
        Question.objects.filter(pk=poll.pk).update(peers_only=True)

        address = reverse("observers:results", args=[keys.question_key(seat.firm, poll.pk)])

        assert seat_client.get(address).status_code == 404

    def test_the_result_of_its_own_is_read_while_members_can_read_it(self, seat, seat_client):
        poll = put(seat)
        address = reverse("observers:results", args=[keys.question_key(seat.firm, poll.pk)])
        opening = Post.objects.filter(question=poll.pk)
        assert seat_client.get(address).status_code == 200

        opening.update(folded_at=timezone.now(), fold_reason="spam")
        assert seat_client.get(address).status_code == 404

        opening.update(folded_at=None, fold_reason="")
        Question.objects.filter(pk=poll.pk).update(status=Question.Status.REMOVED)
        assert seat_client.get(address).status_code == 404

    def test_a_result_is_a_read_of_the_opening(self, seat, seat_client, physician):
        poll = make_poll(asker=physician)
        let_pass(poll.question)

        seat_client.get(reverse("observers:results", args=[keys.question_key(seat.firm, poll.pk)]))

        row = ReadDay.objects.get()
        assert (row.post, row.way, row.author) == (poll.question.posts.get(), "opened", physician)

    def test_members_are_named_in_no_title_and_no_option(self, seat, seat_client, physician, colleague):
        options = ["Do as I do", "Ask nephron_loop"]
        poll = make_poll(asker=physician, title="Do you do as nephron_loop says?", options=options)
        let_pass(poll.question)
        Tally.objects.filter(poll=poll).update(voters=60, counts=[30, 30])
        poll_closing.close_poll(poll=poll, by=physician)
        let_close_pass(poll)

        page = seat_client.get(
            reverse("observers:results", args=[keys.question_key(seat.firm, poll.pk)])
        ).text

        assert "nephron_loop" not in page
        assert "Ask a colleague" in page

    def test_a_firm_reads_its_own_words_and_not_those_that_members_added(self, seat, colleague):
        poll = put(seat, plan=Plan(kind="single", options=("Ask nephron_loop", "Habit"), days=7))
        Option.objects.create(poll=poll, place=2, text="As nephron_loop does", is_added=True)
        Tally.objects.filter(poll=poll).update(voters=60, counts=[20, 20, 20])
        Poll.objects.filter(pk=poll.pk).update(closed_at=timezone.now(), close_reason="time")
        poll.refresh_from_db()
        said = list(poll.options.values_list("text", flat=True))

        result = results.result_of(seat.firm, poll, masks_of(seat.firm, [poll.pk], said)[poll.pk])

        assert [text for text, _ in result.options] == ["Ask nephron_loop", "Habit", "As a colleague does"]


class TestPages:
    def said(self, **more):
        return {
            "title": TITLE,
            "source": SOURCE,
            "specialties": [make_specialty().pk],
            "submission": uuid4(),
            **more,
        }

    def poll_said(self, **more):
        plan = {"kind": "single", "option_1": "Price", "option_2": "Habit", "open_for": "7", "shown": "voted"}
        return self.said(**{"source": "", "honorarium": "5.00", "quota": "20", **plan, **more})

    def test_a_question_is_asked_from_the_form(self, seat, seat_client):
        response = seat_client.post(reverse("observers:ask"), self.said(), follow=True)

        assert "Asked." in response.text
        assert TITLE in response.text

    @pytest.mark.parametrize(
        ("more", "words"),
        [({"title": "Short"}, "Write at least 12"), ({"source": "Call 617-555-0143 for more."}, "identif")],
    )
    def test_a_refused_question_keeps_what_was_typed(self, seat_client, more, words):
        response = seat_client.post(reverse("observers:ask"), self.said(**more))

        assert response.status_code == 422
        assert words in response.text
        assert next(iter(more.values())) in response.text

    def test_a_poll_is_put_from_the_form(self, seat, seat_client):
        response = seat_client.post(reverse("observers:new_poll"), self.poll_said(), follow=True)

        assert "$100.00 are reserved" in response.text
        assert "up to 20" in response.text

    def test_without_the_money_the_form_says_so_beside_the_amount(self, seat_client):
        response = seat_client.post(reverse("observers:new_poll"), self.poll_said(quota="100000"))

        assert response.status_code == 422
        assert "There is not enough money" in response.text

    def test_a_firm_closes_from_the_list(self, seat, seat_client):
        question = ask(seat)

        seat_client.post(reverse("observers:close", args=[keys.question_key(seat.firm, question.pk)]))

        question.refresh_from_db()
        assert not question.is_open

    def test_the_list_costs_the_same_with_many(self, seat, seat_client, django_assert_max_num_queries):
        for _ in range(4):
            put(seat)
        with django_assert_max_num_queries(10):
            seat_client.get(reverse("observers:polls"))
