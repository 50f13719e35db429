"""One vote for each member, counted exactly once, whatever goes wrong in between."""

import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone

from accounts.models import Notice
from accounts.tests.factories import make_member
from polls import cells, unshown
from polls.models import Ballot, Option, Poll, Receipt, Sight, Tally, Ticket
from polls.services import voting
from polls.signals import poll_given_back, poll_taken
from polls.tests.factories import make_poll, make_voter, vote
from polls.tokens import ballot_key, new_token, ticket_key
from questions.models import MemberRank, Question

KINDS = Poll.Kind.values


@contextmanager
def announced():
    """What is announced of polls meanwhile: the receivers' arguments, with whether they ran in a transaction."""
    heard = []

    def hear(sender, signal, **said):
        heard.append((said, connection.in_atomic_block))

    poll_taken.connect(hear)
    yield heard
    poll_taken.disconnect(hear)


def all_of(poll):
    """What there is of a poll's votes."""
    tally = Tally.objects.get(poll=poll)
    return {
        "counts": tally.counts,
        "voters": tally.voters,
        "receipts": Receipt.objects.filter(poll=poll, kind="voted").count(),
        "tickets": Ticket.objects.filter(poll=poll).count(),
        "ballots": sorted(ballot.choices for ballot in Ballot.objects.filter(poll=poll)),
    }


NOTHING = {"counts": [0, 0, 0], "voters": 0, "receipts": 0, "tickets": 0, "ballots": []}


def refuse(poll, member, *places, **said):
    """The refusal of a vote, which must leave all as it was."""
    before = all_of(poll)
    with announced() as heard, pytest.raises(voting.RuleBroken) as refusal:
        vote(poll, member, *places, **said)
    assert all_of(poll) == before
    assert heard == []
    return refusal.type


# Voting


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("kind", "choices", "counts", "ballots"),
    [
        ("single", [1], [0, 1, 0], []),
        ("multiple", [2, 0], [1, 0, 1], []),
        ("ranked", [2, 0], [0, 0, 1], [[2, 0]]),
        ("scale", [4], [0, 0, 0, 0, 1], []),
    ],
)
def test_a_vote_is_counted_and_leaves_a_receipt(kind, choices, counts, ballots):
    poll, member = make_poll(kind), make_voter()

    with announced() as heard:
        vote(poll, member, *choices)

    assert all_of(poll) == {
        "counts": counts,
        "voters": 1,
        "receipts": 1,
        "tickets": 0,
        "ballots": ballots,
    }
    assert Receipt.objects.get().member == member
    [(said, in_transaction)] = heard
    assert said == {"poll": poll, "member": member}
    assert in_transaction
    assert not Notice.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_announced_is_announced_with_the_receipt_and_before_the_count(monkeypatch):
    poll, seen = make_poll(), []

    def hear(sender, poll, member, **said):
        seen.append((Receipt.objects.filter(poll=poll, member=member).count(), all_of(poll)["voters"]))

    poll_taken.connect(hear)
    vote(poll, make_voter(), 0)
    poll_taken.disconnect(hear)

    assert seen == [(1, 0)]


@pytest.mark.django_db
def test_many_votes_are_counted_exactly():
    poll = make_poll("multiple", options="ABCD")
    cast = [sorted({number % 4, number * 7 % 4, number // 5 % 4}) for number in range(30)]

    for choices in cast:
        vote(poll, make_voter(), *choices)

    assert all_of(poll)["counts"] == [sum(place in choices for choices in cast) for place in range(4)]
    assert all_of(poll)["voters"] == all_of(poll)["receipts"] == 30


@pytest.mark.django_db
def test_how_long_it_took_is_counted_in_steps_of_five_seconds():
    poll = make_poll()

    for seconds in (-3, 0, 4.9, 5, 299, 300, 90_000, None):
        vote(poll, make_voter(), 0, seconds=seconds)

    seconds = Tally.objects.get().seconds
    assert seconds[:2] == [3, 1]
    assert seconds[59:] == [1, 2]
    assert sum(seconds) == 7


# Refusals


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("choices", [[], [9], [-1], [1, 1], [0, 9]])
def test_what_fits_no_option_is_no_vote(kind, choices):
    poll, member = make_poll(kind), make_voter()

    assert refuse(poll, member, *choices) is voting.NotAVote
    vote(poll, member, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["single", "scale"])
def test_where_one_is_asked_for_two_are_no_vote(kind):
    assert refuse(make_poll(kind), make_voter(), 0, 1) is voting.NotAVote


@pytest.mark.django_db
@pytest.mark.parametrize("may_change", [False, True])
def test_a_second_vote_from_another_form_is_refused(may_change):
    poll, member = make_poll(may_change=may_change), make_voter()
    vote(poll, member, 0)

    assert refuse(poll, member, 1) is (voting.CannotBeFound if may_change else voting.VotedBefore)


@pytest.mark.django_db
def test_a_second_vote_from_the_same_form_is_refused_where_votes_do_not_change():
    poll, member = make_poll("ranked"), make_voter()
    token = vote(poll, member, 0)

    assert refuse(poll, member, 1, token=token) is voting.VotedBefore


@pytest.mark.django_db
def test_after_the_end_no_vote_is_taken():
    by_time = make_poll(is_over=True)
    early = make_poll(closed_at=timezone.now(), close_reason="creator")
    with_discussion = make_poll()
    Question.objects.filter(pk=with_discussion.pk).update(
        status="closed", closed_at=timezone.now(), close_reason="author"
    )

    for poll in (by_time, early, with_discussion):
        assert refuse(Poll.objects.get(pk=poll.pk), make_voter(), 0) is voting.PollIsOver


@pytest.mark.django_db
@pytest.mark.parametrize("standing", ["read_only", "applicant", "suspended"])
def test_who_may_not_write_may_not_vote(standing):
    assert refuse(make_poll(), make_voter(standing=standing), 0) is voting.ReadOnly


@pytest.mark.django_db
def test_only_those_it_is_open_to_vote():
    voter = make_voter(state="CA")
    trusted = make_voter(state="TX")
    MemberRank.objects.update_or_create(member=trusted, defaults={"tier": "trusted"})
    trusted.refresh_from_db()
    other = make_member(specialty="Dermatology")

    for narrowed, asked, not_asked in [
        ({"specialties": [voter.specialty_id]}, voter, other),
        ({"states": ["CA"]}, voter, trusted),
        ({"tiers": ["trusted"]}, trusted, voter),
        ({"tiers": ["new"]}, voter, trusted),
    ]:
        poll = make_poll(**narrowed)
        assert refuse(poll, not_asked, 0) is voting.NotAsked
        vote(poll, asked, 0)
        assert set(poll.members()) & {asked, not_asked} == {asked}


@pytest.mark.django_db
def test_the_asker_votes_like_everybody(physician):
    poll = make_poll(asker=physician)

    vote(poll, physician, 0)

    assert all_of(poll)["voters"] == 1


# Between the two transactions


@pytest.fixture
def cut_off(monkeypatch):
    """Cast a vote whose machine stops after the receipt."""

    def cast(poll, member, *places, token):
        class Stopped(Exception):
            pass

        def stop(*args):
            raise Stopped

        with monkeypatch.context() as patched:
            patched.setattr(voting, "_count", stop)
            with pytest.raises(Stopped):
                vote(poll, member, *places, token=token)

    return cast


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("may_change", [False, True])
def test_a_vote_cut_off_is_counted_when_the_same_form_comes_again_and_by_no_other(cut_off, may_change):
    poll, member, token = make_poll(may_change=may_change), make_voter(), new_token()

    with announced() as heard:
        cut_off(poll, member, 0, token=token)
    assert all_of(poll) == {**NOTHING, "receipts": 1, "tickets": 1}
    assert refuse(poll, member, 0) in (voting.VotedBefore, voting.CannotBeFound)
    with announced() as again:
        vote(poll, member, 1, token=token)

    assert all_of(poll) == {
        **NOTHING,
        "counts": [0, 1, 0],
        "voters": 1,
        "receipts": 1,
        "ballots": [[1]] if may_change else [],
    }
    assert len(heard) == 1
    assert again == []


@pytest.mark.django_db(transaction=True)
def test_another_member_with_the_same_token_does_not_spend_the_ticket(cut_off):
    poll, member, token = make_poll(), make_voter(), new_token()
    cut_off(poll, member, 0, token=token)

    vote(poll, make_voter(), 1, token=token)

    assert all_of(poll) == {**NOTHING, "counts": [0, 1, 0], "voters": 1, "receipts": 2, "tickets": 1}


@pytest.mark.django_db(transaction=True)
def test_a_poll_that_closes_between_the_two_takes_the_receipt_back(monkeypatch):
    poll, member = make_poll(), make_voter()
    register = voting._register

    def register_and_close(*args):
        found = register(*args)
        Poll.objects.filter(pk=poll.pk).update(
            closes_at=timezone.now(), opened_at=timezone.now() - timedelta(1)
        )
        return found

    given_back = []
    poll_given_back.connect(hear := lambda poll, member, **said: given_back.append((poll, member)))
    monkeypatch.setattr(voting, "_register", register_and_close)
    with pytest.raises(voting.PollIsOver):
        vote(poll, member, 0)
    poll_given_back.disconnect(hear)

    assert all_of(poll) == NOTHING
    assert given_back == [(poll, member)]


@pytest.mark.django_db
def test_voting_must_not_run_inside_a_transaction():
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        vote(make_poll(), make_voter(), 0)


def at_once(*acts):
    """Do things at the same time, each with a connection of its own; return what came of each."""
    start, found = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place, act):
        try:
            connection.ensure_connection()
            start.wait(20)
            found[place] = act()
        except Exception as error:
            found[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["single", "ranked"])
@pytest.mark.parametrize("may_change", [False, True])
def test_the_same_form_sent_twice_at_once_counts_once(kind, may_change):
    for _ in range(5):
        poll, member, token = make_poll(kind, may_change=may_change), make_voter(), new_token()

        def cast(poll=poll, member=member, token=token):
            return voting.cast(poll=poll, member=member, choices=[1], token=token)

        with announced() as heard:
            found = at_once(cast, cast, cast)

        counted = [one for one in found if one == voting.Cast(changed=False)]
        assert len(counted) == 1, found
        assert all(
            one in counted or one == voting.Cast(True) or isinstance(one, voting.VotedBefore) for one in found
        )
        assert len(heard) == 1
        assert all_of(poll) == {
            "counts": [0, 1, 0],
            "voters": 1,
            "receipts": 1,
            "tickets": 0,
            "ballots": [[1]] if kind == "ranked" or may_change else [],
        }


@pytest.mark.django_db(transaction=True)
def test_two_forms_of_one_member_sent_at_once_count_once():
    for _ in range(5):
        poll, member = make_poll(), make_voter()
        forms = [(0, new_token()), (1, new_token())]

        found = at_once(
            *(
                lambda place=place, token=token, poll=poll, member=member: voting.cast(
                    poll=poll, member=member, choices=[place], token=token
                )
                for place, token in forms
            )
        )

        assert sum(isinstance(one, voting.VotedBefore) for one in found) == 1, found
        assert sum(all_of(poll)["counts"]) == all_of(poll)["voters"] == all_of(poll)["receipts"] == 1
        assert all_of(poll)["tickets"] == 0


@pytest.mark.django_db(transaction=True)
def test_a_vote_and_a_look_without_voting_at_once_are_one_of_them():
    for _ in range(8):
        poll, member = make_poll(), make_voter()

        found = at_once(
            lambda poll=poll, member=member: voting.cast(
                poll=poll, member=member, choices=[0], token=new_token()
            ),
            lambda poll=poll, member=member: voting.forfeit(poll=poll, member=member),
        )

        voted = Receipt.objects.get(poll=poll).kind == "voted"
        assert all_of(poll)["voters"] == voted
        assert isinstance(found[voted], voting.VotedBefore if voted else voting.LookedInstead), found


# Changing


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("kind", "before", "after", "counts"),
    [
        ("single", [0], [2], [1, 0, 1]),
        ("multiple", [0, 1], [1, 2], [1, 1, 1]),
        ("ranked", [0, 1, 2], [2, 1], [1, 0, 1]),
        ("scale", [0], [2], [1, 0, 1, 0, 0]),
        ("single", [0], [0], [2, 0, 0]),
    ],
)
def test_a_vote_may_be_changed_with_its_token_where_the_poll_allows(kind, before, after, counts):
    poll, member = make_poll(kind, may_change=True), make_voter()
    vote(poll, make_voter(), 0)
    token = vote(poll, member, *before)

    with announced() as heard:
        vote(poll, member, *after, token=token)

    assert all_of(poll) == {
        "counts": counts,
        "voters": 2,
        "receipts": 2,
        "tickets": 0,
        "ballots": sorted([[0], after]),
    }
    assert heard == []


@pytest.mark.django_db(transaction=True)
def test_a_changed_vote_is_moved_in_what_is_not_shown_yet_too():
    for kind, before, after in (("single", [0], [2]), ("multiple", [0, 1], [2])):
        poll, member = make_poll(kind, may_change=True), make_voter()
        token = vote(poll, member, *before)
        vote(poll, member, *after, token=token)

        numbers = unshown.read(poll.pk, 3)
        for dimension, value in (("region", "Pacific"), ("years", "6-10")):
            assert numbers[dimension] == {value: [0, 0, 1]}


@pytest.mark.django_db
def test_the_token_of_another_member_changes_nothing():
    poll, member = make_poll(may_change=True), make_voter()
    token = vote(poll, make_voter(), 0)
    vote(poll, member, 0)

    assert refuse(poll, member, 1, token=token) is voting.CannotBeFound


@pytest.mark.django_db
def test_a_change_after_the_end_is_refused():
    poll, member = make_poll(may_change=True), make_voter()
    token = vote(poll, member, 0)
    Poll.objects.update(closed_at=timezone.now(), close_reason="creator")

    assert refuse(Poll.objects.get(), member, 1, token=token) is voting.PollIsOver


@pytest.mark.django_db(transaction=True)
def test_changes_and_new_votes_at_once_keep_the_counts_right():
    poll, members = make_poll(may_change=True), [make_voter() for _ in range(12)]
    tokens = [vote(poll, member, 0) for member in members[:6]]

    found = at_once(
        *(
            lambda member=member, token=token: voting.cast(poll=poll, member=member, choices=[1], token=token)
            for member, token in zip(members, [*tokens, *(new_token() for _ in range(6))], strict=True)
        )
    )

    assert [one.changed for one in found] == [True] * 6 + [False] * 6
    assert all_of(poll) == {
        "counts": [0, 12, 0],
        "voters": 12,
        "receipts": 12,
        "tickets": 0,
        "ballots": [[1]] * 12,
    }


# Looking


@pytest.mark.django_db
def test_looking_without_voting_gives_the_vote_up():
    poll, member = make_poll(), make_voter()

    voting.forfeit(poll=poll, member=member)
    voting.forfeit(poll=poll, member=member)

    assert Receipt.objects.get().kind == "forfeited"
    assert refuse(poll, member, 0) is voting.LookedInstead
    assert all_of(poll) == NOTHING


@pytest.mark.django_db
def test_who_voted_has_nothing_to_give_up():
    poll, member = make_poll(), make_voter()
    vote(poll, member, 0)

    with pytest.raises(voting.VotedBefore):
        voting.forfeit(poll=poll, member=member)

    assert Receipt.objects.get().kind == "voted"


@pytest.mark.django_db
def test_after_the_end_nobody_gives_anything_up():
    with pytest.raises(voting.PollIsOver):
        voting.forfeit(poll=make_poll(is_over=True), member=make_voter())

    assert not Receipt.objects.exists()


@pytest.mark.django_db
def test_who_saw_a_poll_is_counted_once():
    poll, member = make_poll(), make_voter()

    for one in (member, member, make_voter()):
        voting.note_seen(poll=poll, member=one)

    assert Tally.objects.get().seen == Sight.objects.count() == 2


# The breakdown


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "may_change"), zip(KINDS, [False, True, False, True], strict=True))
def test_the_breakdown_adds_up_and_shows_no_small_number(kind, may_change):
    poll = make_poll(kind, may_change=may_change)
    for number in range(62):
        state, years = ("CA", "TX", "NY")[number % 3], ("0-5", "31+")[number % 2]
        choices = [0] if number % 3 else [1, 0] if kind in ("multiple", "ranked") else [1]
        vote(poll, make_voter(state=state, years_band=years), *choices)
        if may_change:
            assert Tally.objects.get().cells == {}

    tally = Tally.objects.get()
    assert tally.cells_voters == (0 if may_change else 60)
    voting.show_portions(tally)

    assert tally.cells_voters == 62
    there = {"specialty": 1, "region": 3, "years": 2}
    totals = tally.cells.get(cells.DRAWN, {"": tally.counts})[""]
    assert sum(totals) == 62
    for dimension, values in there.items():
        shown = tally.cells[dimension]
        assert 1 <= len(shown) <= values
        for option, total in enumerate(totals):
            numbers = [row[option] for row in shown.values()]
            assert all(number == 0 or number >= cells.LEAST for number in numbers)
            assert not any(numbers) or total - sum(numbers) >= cells.LEAST
            waiting = unshown.read(poll.pk, len(totals))[dimension]
            assert sum(numbers) + sum(row[option] for row in waiting.values()) == total


@pytest.mark.django_db
def test_without_redis_votes_are_counted_and_nothing_is_broken_down(settings, monkeypatch):
    monkeypatch.setitem(settings.CACHES["default"], "LOCATION", "unix:///nowhere?db=0")
    away = unshown.memory.__wrapped__()
    monkeypatch.setattr(unshown, "memory", lambda: away)
    poll, voters = make_poll(), [make_voter() for _ in range(21)]

    began = time.monotonic()
    for voter in voters:
        vote(poll, voter, 0)
    unshown.forget(poll.pk)

    assert time.monotonic() - began < 5

    assert all_of(poll)["counts"] == [21, 0, 0]
    assert Tally.objects.get().cells == {}


# What the database refuses


@pytest.mark.django_db
def test_the_database_takes_one_receipt_of_a_member_and_a_poll():
    poll, member = make_poll(), make_voter()
    Receipt.objects.create(poll=poll, member=member, kind="voted")

    with pytest.raises(IntegrityError, match="receipt_one_per_member_and_poll"), transaction.atomic():
        Receipt.objects.create(poll=poll, member=member, kind="forfeited")
    with pytest.raises(IntegrityError, match="receipt_kind_is_known"), transaction.atomic():
        Receipt.objects.create(poll=poll, member=make_voter(), kind="other")


@pytest.mark.django_db
def test_the_database_takes_no_ballot_twice_and_no_empty_one():
    poll = make_poll()
    Ballot.objects.create(poll=poll, key=b"1" * 32, choices=[0])

    with pytest.raises(IntegrityError, match="ballot_key_once"), transaction.atomic():
        Ballot.objects.create(poll=poll, key=b"1" * 32, choices=[0])
    with pytest.raises(IntegrityError, match="ballot_is_not_empty"), transaction.atomic():
        Ballot.objects.create(poll=poll, choices=[])


@pytest.mark.django_db
def test_the_database_sees_a_member_see_a_poll_once():
    sight = Sight(poll=make_poll(), member=make_voter())
    sight.save()

    with pytest.raises(IntegrityError, match="sight_one_per_member_and_poll"), transaction.atomic():
        Sight.objects.create(poll=sight.poll, member=sight.member)


@pytest.mark.django_db
def test_the_database_knows_no_cells_of_votes_that_never_were():
    make_poll()

    with pytest.raises(IntegrityError, match="tally_cells_within_votes"), transaction.atomic():
        Tally.objects.update(cells_voters=1)


def test_hashes_of_a_token_differ_by_purpose_member_and_poll():
    token = new_token()
    keys = {
        make(token, poll, member) for make in (ticket_key, ballot_key) for poll in (1, 2) for member in (1, 2)
    }

    assert len(keys) == 8
    assert {len(key) for key in keys} == {32}


@pytest.mark.django_db(transaction=True)
class TestWording:
    """A place stands for the words that stood there when the form was drawn."""

    def test_a_vote_for_words_that_changed_meanwhile_is_refused_and_leaves_nothing(self):
        poll, member = make_poll(options=("Start", "Wait")), make_voter()
        shown = voting.wording_of(["Start", "Wait"])
        Option.objects.filter(poll=poll, place=0).update(text="Stop")

        with pytest.raises(voting.Reworded):
            voting.cast(poll=poll, member=member, choices=[0], token=new_token(), wording=shown)

        assert not Receipt.objects.exists()
        assert not Ticket.objects.exists()
        assert Tally.objects.get(poll=poll).counts == [0, 0]

    def test_an_option_that_was_added_meanwhile_does_not_matter(self):
        poll, member = make_poll(options=("Start", "Wait")), make_voter()
        shown = voting.wording_of(["Start", "Wait"])
        Option.objects.create(poll=poll, place=2, text="Ask again")
        Tally.objects.filter(poll=poll).update(counts=[0, 0, 0])

        voting.cast(poll=poll, member=member, choices=[1], token=new_token(), wording=shown)

        assert Tally.objects.get(poll=poll).counts == [0, 1, 0]


def test_where_nobody_sees_a_result_yet_nobody_gives_a_vote_up(db):
    poll, member = make_poll(shown="closed"), make_voter()

    with pytest.raises(voting.NothingToSee):
        voting.forfeit(poll=poll, member=member)

    assert not Receipt.objects.exists()
