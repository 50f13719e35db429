"""The end of a poll: who brings it about, what becomes of the votes, and that a vote is in or out."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import FanOut
from accounts.tests.factories import make_member
from conftest import client_of
from polls import cells, tasks, unshown
from polls.models import Ballot, Poll, Receipt, Tally, Ticket
from polls.services import closing, voting
from polls.signals import poll_closed
from polls.tests.factories import make_poll, make_voter, vote
from polls.tokens import new_token
from questions.services import closing as discussions
from questions.services import writing
from questions.services.moderation import rights
from questions.tests.factories import make_answer, make_question
from verification.models import Event


@pytest.fixture
def poll(physician):
    return make_poll(asker=physician)


@pytest.fixture
def closings():
    heard = []

    def listener(poll, **kwargs):
        heard.append((poll.pk, transaction.get_connection().in_atomic_block))

    poll_closed.connect(listener)
    yield heard
    poll_closed.disconnect(listener)


def let_time_pass(poll, **moments):
    Poll.objects.filter(pk=poll.pk).update(**moments)
    poll.refresh_from_db()


@pytest.mark.django_db
class TestWhoCloses:
    def test_its_author_does_and_twice_is_as_good_as_once(self, poll, physician, closings):
        closing.close_poll(poll=poll, by=physician)
        closed = closing.close_poll(poll=poll, by=physician)

        assert (closed.close_reason, closed.is_over) == ("creator", True)
        assert closings == [(poll.pk, True)]
        assert FanOut.objects.filter(kind="poll", target=poll.pk).count() == 1

    def test_another_member_does_not(self, poll, colleague):
        with pytest.raises(closing.NotYours):
            closing.close_poll(poll=poll, by=colleague, user=colleague.user)

    def test_a_lapsed_author_does_not(self, poll, physician):
        physician.standing = "read_only"
        physician.save()
        with pytest.raises(writing.ReadOnly):
            closing.close_poll(poll=poll, by=physician)

    def test_a_moderator_does_and_leaves_an_event_that_names_nobody_else(self, poll, moderator):
        closed = closing.close_poll(poll=poll, by=moderator, user=moderator.user)

        event = Event.objects.get(kind="moderation_poll_close")
        assert (closed.close_reason, event.object) == ("moderator", f"poll:{poll.pk}")
        assert event.subject is None

    def test_a_moderator_who_takes_part_does_not(self, poll, moderator):
        make_answer(poll.question, moderator)

        with pytest.raises(rights.TakesPart):
            closing.close_poll(poll=poll, user=moderator.user)

    def test_a_moderators_own_poll_is_closed_as_its_author(self, moderator):
        poll = make_poll(asker=moderator)

        assert closing.close_poll(poll=poll, by=moderator, user=moderator.user).close_reason == "creator"

    def test_the_clock_does_as_of_its_time(self, physician, closings):
        due, later = make_poll(asker=physician, is_over=True), make_poll(asker=physician)
        assert (closing.close_due(), closing.close_due()) == (1, 0)

        due.refresh_from_db()
        later.refresh_from_db()
        assert (due.close_reason, due.closed_at) == ("time", due.closes_at)
        assert later.closed_at is None
        assert closings == [(due.pk, True)]

    def test_its_discussion_does(self, physician, closings):
        poll = make_poll(question=make_question(physician))
        poll.question.refresh_from_db()

        discussions.close_question(question=poll.question, by=physician)

        poll.refresh_from_db()
        assert poll.close_reason == "discussion"
        assert closings == [(poll.pk, True)]

    def test_a_discussion_opened_again_leaves_it_closed(self, physician):
        poll = make_poll(question=make_question(physician))
        discussions.close_question(question=poll.question, by=physician)
        discussions.reopen_question(question=poll.question, by=physician)

        poll.refresh_from_db()
        assert poll.is_over

    def test_the_time_it_had_is_the_reason_where_its_discussion_closes_after_it(self, physician):
        poll = make_poll(asker=physician, is_over=True)
        discussions.close_question(question=poll.question, by=physician)

        poll.refresh_from_db()
        assert (poll.close_reason, poll.closed_at) == ("time", poll.closes_at)

    def test_who_closes_it_after_its_time_changes_nothing(self, physician, moderator):
        for fields in ({"by": physician}, {"user": moderator.user}):
            poll = make_poll(asker=physician, is_over=True)
            closed = closing.close_poll(poll=poll, **fields)

            assert (closed.close_reason, closed.closed_at) == ("time", poll.closes_at)

    def test_a_fault_at_one_poll_keeps_no_other_from_its_end(self, physician, monkeypatch):
        first, second = (make_poll(asker=physician, is_over=True) for _ in range(2))
        settle = voting.settle

        def fail_at_the_first(poll):
            if poll.pk == first.pk:
                raise RuntimeError
            settle(poll)

        monkeypatch.setattr(voting, "settle", fail_at_the_first)

        assert closing.close_due() == 1
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.closed_at, second.close_reason) == (None, "time")

    def test_the_command_closes_discussions_and_polls(self, physician):
        make_poll(asker=physician, is_over=True)
        said = io.StringIO()
        call_command("close_due_questions", stdout=said)

        assert said.getvalue().splitlines() == [
            "0 of 0 silent discussions closed",
            "1 of 1 due polls closed",
        ]

    def test_the_task_closes_and_reminds(self, physician):
        over, soon = make_poll(asker=physician, is_over=True), make_poll(asker=physician)
        let_time_pass(
            soon, closes_at=timezone.now() + timedelta(hours=3), opened_at=timezone.now() - timedelta(days=4)
        )
        tasks.close_due_polls()

        assert set(FanOut.objects.values_list("target", flat=True)) == {over.pk, -soon.pk}


@pytest.mark.django_db
class TestWhatIsLeft:
    def test_the_last_portions_are_shown_and_the_rest_is_forgotten(self, poll, physician):
        for specialty in ["Nephrology", "Dermatology"] * 9:
            vote(poll, make_voter(specialty), 0)
        assert Tally.objects.get().cells == {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(transaction, "on_commit", lambda work, **kwargs: work())
            patch.setattr(cells._lot, "randrange", lambda _: 1)  # nothing is held back
            closing.close_poll(poll=poll, by=physician)

        shown = Tally.objects.get().cells["specialty"]
        assert sum(numbers[0] for numbers in shown.values()) == 18 - cells.LEAST
        assert unshown.read(poll.pk, 3) == {}

    def test_no_ballot_can_be_told_by_a_key_any_more(self, physician):
        poll = make_poll(Poll.Kind.RANKED, asker=physician)
        for places in [(0, 1, 2), (1, 0), (2,)]:
            vote(poll, make_voter(), *places)
        closing.close_poll(poll=poll, by=physician)

        assert list(Ballot.objects.values_list("key", "is_settled")) == [(None, True)] * 3
        assert sorted(Ballot.objects.values_list("choices", flat=True)) == [[0, 1, 2], [1, 0], [2]]

    def test_what_a_late_vote_adds_is_deleted_by_the_nightly_sweep(self, poll, physician):
        closing.close_poll(poll=poll, by=physician)
        unshown.add(poll.pk, {"specialty": "Nephrology"}, [0])
        still_open = make_poll(asker=physician)
        unshown.add(still_open.pk, {"specialty": "Nephrology"}, [0])
        closing.forget_unshown()

        assert unshown.read(poll.pk, 3) == {}
        assert unshown.read(still_open.pk, 3) != {}

    def test_a_closed_poll_takes_no_vote(self, poll, physician):
        closing.close_poll(poll=poll, by=physician)
        poll.refresh_from_db()

        with pytest.raises(voting.PollIsOver):
            vote(poll, make_voter(), 0)

    def test_a_poll_of_a_removed_discussion_takes_none_and_still_ends(self, poll, physician):
        opening = poll.question.posts.get()
        writing.remove_post(post=opening, by=physician)
        poll.question.refresh_from_db()
        with pytest.raises(voting.PollIsOver):
            vote(poll, make_voter(), 0)
        opened_at = timezone.now() - timedelta(days=2)
        let_time_pass(poll, opened_at=opened_at, closes_at=opened_at + timedelta(days=1))
        closing.close_due()

        poll.refresh_from_db()
        assert poll.close_reason == "time"


class TestTheRace:
    VOTERS = 24

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("kind", ["single", "ranked"])
    def test_a_vote_is_counted_before_or_refused_afterwards(self, kind):
        asker = make_member()
        poll = make_poll(kind, asker=asker)
        voters = [make_voter() for _ in range(self.VOTERS)]
        start = Barrier(5)

        def take(some):
            try:
                start.wait()
                return [self.attempt(poll, voter) for voter in some]
            finally:
                connection.close()

        def end():
            try:
                start.wait()
                while Tally.objects.get(poll=poll).voters < self.VOTERS // 4:
                    pass
                closing.close_poll(poll=poll, by=asker)
            finally:
                connection.close()

        with ThreadPoolExecutor(5) as pool:
            lots = [pool.submit(take, voters[number::4]) for number in range(4)]
            pool.submit(end).result()
            counted = sum(sum(lot.result()) for lot in lots)

        tally = Tally.objects.get(poll=poll)
        receipts = Receipt.objects.filter(poll=poll).count()
        ballots = Ballot.objects.filter(poll=poll)
        assert counted == tally.voters == sum(tally.counts) == receipts
        assert counted >= self.VOTERS // 4
        assert not Ticket.objects.exists()
        assert ballots.count() == (counted if kind == "ranked" else 0)
        assert not ballots.exclude(key=None).exists()

    @staticmethod
    def attempt(poll, voter):
        try:
            voting.cast(poll=Poll.objects.get(pk=poll.pk), member=voter, choices=[1], token=new_token())
        except voting.PollIsOver:
            return 0
        return 1

    @pytest.mark.django_db(transaction=True)
    def test_two_who_close_at_once_close_once(self, closings):
        asker = make_member()
        poll = make_poll(asker=asker)
        start = Barrier(2)

        def end(_):
            try:
                start.wait()
                return closing.close_poll(poll=poll, by=asker).close_reason
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(end, range(2))) == ["creator", "creator"]
        assert len(closings) == 1


@pytest.mark.django_db
class TestThePress:
    @pytest.fixture
    def address(self, poll):
        return reverse("polls:close", args=[poll.pk])

    def test_the_author_closes_it(self, poll, physician_client, address):
        response = physician_client.post(address)

        poll.refresh_from_db()
        assert (response.status_code, poll.close_reason) == (302, "creator")

    def test_another_member_is_told_why_not(self, poll, colleague_client, address):
        response = colleague_client.post(address)

        poll.refresh_from_db()
        assert (response.status_code, poll.closed_at) == (302, None)

    def test_a_moderator_closes_it(self, poll, moderator, address):
        client_of(moderator).post(address)

        poll.refresh_from_db()
        assert poll.close_reason == "moderator"

    def test_nobody_closes_by_looking(self, poll, physician_client, address):
        assert physician_client.get(address).status_code == 302
        poll.refresh_from_db()
        assert poll.closed_at is None

    def test_what_one_may_not_see_is_not_there(self, poll, colleague_client, address):
        poll.question.audience = "connections"
        poll.question.save()

        assert colleague_client.post(address).status_code == 404


@pytest.mark.django_db
class TestRecount:
    def test_a_count_that_does_not_fit_is_said_and_left(self, poll):
        vote(poll, make_voter(), 0)
        Tally.objects.update(voters=3)
        said = io.StringIO()
        call_command("recount", stdout=said)

        assert f"poll {poll.pk} does not fit: 3 votes, 1 receipts, 1 choices, 0 ballots" in said.getvalue()
        assert Tally.objects.get().voters == 3

    def test_counts_that_fit_and_votes_on_their_way_are_not(self, physician):
        from polls.checking import check

        poll = make_poll(Poll.Kind.RANKED, asker=physician)
        vote(poll, make_voter(), 0, 1)
        Receipt.objects.create(poll=poll, member=make_voter(), kind="voted")
        Ticket.objects.create(poll=poll, key=b"1")
        Receipt.objects.create(poll=poll, member=make_voter(), kind="forfeited")

        assert check(lambda line: None) == 0
