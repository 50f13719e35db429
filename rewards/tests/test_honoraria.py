"""Votes in sponsored polls: who is paid, when, and that nothing says when they voted."""

from datetime import timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Notice
from accounts.tests.factories import make_user
from focusgroups.tests.factories import make_room, make_section
from polls.models import Concern, Poll, Sponsor
from polls.services import voting
from polls.signals import poll_given_back, poll_taken
from polls.tests.factories import make_poll, make_voter, vote
from polls.tokens import new_token
from rewards.models import Account, Affiliation, Award, Payee, Slot, Sponsorship, Transaction
from rewards.services import checking, choosing, correcting, honoraria, ledger, rooms, sponsoring
from rewards.tests.factories import balance, make_charity, make_firm, make_payee, owed

pytestmark = pytest.mark.django_db
PAID = 1_200


@pytest.fixture
def firm(db):
    return make_firm(balance=100_000)


@pytest.fixture
def poll(physician, firm):
    """Twenty votes of an open poll are paid with $12.00 each."""
    return sponsored(make_poll(asker=physician), firm)


def sponsored(poll, firm, quota=20):
    sponsoring.agree(poll=poll, firm=firm, honorarium=PAID, quota=quota, key=uuid4())
    return poll


@transaction.atomic
def taken_by(poll, *members):
    """Announce votes, as the service does with the receipt."""
    for member in members:
        poll_taken.send(sender=Poll, poll=poll, member=member)


def voters(number):
    return [make_voter() for _ in range(number)]


def taken(poll):
    """The number the label counts and the number of slots, which are one as long as nothing is credited."""
    return Sponsor.objects.get(poll=poll).taken, Slot.objects.filter(sponsorship=poll.pk).count()


def finish(poll):
    now = timezone.now()
    Poll.objects.filter(pk=poll.pk).update(
        opened_at=now - timedelta(days=8), closes_at=now - timedelta(days=1)
    )


def doubt(poll, member, state="open", **fields):
    if state != "open":
        fields = {"decided_at": timezone.now(), "reason": "Seen", **fields}
    return Concern.objects.create(
        poll=poll, member=member, kind="speed", state=state, raised_on=timezone.now().date(), **fields
    )


# Slots


def test_a_vote_takes_a_paid_one(poll):
    vote(poll, make_voter(), 0)

    assert taken(poll) == (1, 1)


def test_a_poll_nobody_pays_for_takes_nothing(physician):
    vote(make_poll(asker=physician), make_voter(), 0)

    assert not Slot.objects.exists()


def test_no_more_are_taken_than_are_paid(physician, firm):
    poll = sponsored(make_poll(asker=physician), firm, quota=2)
    taken_by(poll, *voters(3))

    assert taken(poll) == (2, 2)


def test_the_asker_is_not_paid_for_a_vote(poll, physician):
    taken_by(poll, physician)

    assert taken(poll) == (0, 0)


def test_nor_is_whoever_the_firm_pays_elsewhere(poll, firm):
    voter = make_voter()
    choosing.declare_affiliation(member=voter, firm=firm)
    taken_by(poll, voter)

    assert taken(poll) == (0, 0)


def test_nor_whoever_takes_no_money(poll):
    voter = make_voter()
    make_payee(voter, takes="nothing")
    taken_by(poll, voter)

    assert taken(poll) == (0, 0)


def test_a_vote_given_back_is_another_ones(poll):
    voter = make_voter()
    taken_by(poll, voter)
    poll_given_back.send(sender=Poll, poll=poll, member=voter)
    poll_given_back.send(sender=Poll, poll=poll, member=voter)

    assert taken(poll) == (0, 0)


def test_who_was_credited_and_votes_once_more_is_paid_once(poll):
    first, *others = voters(5)
    taken_by(poll, first, *others)
    honoraria.credit(poll_id=poll.pk)
    poll_given_back.send(sender=Poll, poll=poll, member=first)
    taken_by(poll, first)

    assert taken(poll) == (5, 0)


@pytest.mark.django_db(transaction=True)
def test_ten_who_vote_at_once_share_the_three_that_are_left(physician, firm):
    poll = sponsored(make_poll(asker=physician), firm, quota=3)
    start = Barrier(10)

    def cast(member):
        start.wait()
        voting.cast(poll=Poll.objects.get(pk=poll.pk), member=member, choices=[0], token=new_token())
        connection.close()

    threads = [Thread(target=cast, args=[member]) for member in voters(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert taken(poll) == (3, 3)
    assert poll.receipts.count() == 10


# Crediting


def test_votes_are_credited_together(poll, firm):
    members = voters(5)
    taken_by(poll, *members)

    assert honoraria.credit_all() == 5

    assert [owed(choosing.payee_of(member)) for member in members] == [PAID] * 5
    assert balance(ledger.reserved_of(firm)) == 15 * PAID
    assert Transaction.objects.filter(kind="honorarium").count() == 1
    assert taken(poll) == (5, 0)
    award = Award.objects.first()
    assert (award.cause, award.sponsorship_id, award.question_id, award.cents) == (
        "poll",
        poll.pk,
        poll.pk,
        PAID,
    )


def test_fewer_than_five_wait_while_the_poll_runs(poll):
    taken_by(poll, *voters(4))

    assert honoraria.credit_all() == 0
    assert taken(poll) == (4, 4)


def test_whoever_waits_has_no_account_to_be_seen(poll):
    """Its number would say on which day somebody voted."""
    taken_by(poll, make_voter())
    honoraria.credit_all()

    assert not Payee.objects.exists()
    assert not Account.objects.exclude(subject=None).exists()


def test_many_are_credited_in_batches_none_of_which_is_a_few(poll, monkeypatch):
    monkeypatch.setattr(honoraria, "MOST", 8)
    taken_by(poll, *voters(13))

    assert honoraria.credit_all() == 13
    assert taken(poll) == (13, 0)
    written = Transaction.objects.filter(kind="honorarium")
    assert sorted(Award.objects.filter(entry__transaction=row).count() for row in written) == [6, 7]


def test_what_was_credited_is_of_the_moment_of_its_transaction(poll):
    taken_by(poll, *voters(5))
    honoraria.credit_all()

    for award in Award.objects.select_related("entry__transaction"):
        assert award.awarded_at == award.entry.transaction.at


@pytest.mark.parametrize("is_covered", [True, False])
def test_a_credit_takes_no_more_statements_for_more_voters(physician, is_covered):
    firm = make_firm(is_covered=is_covered)
    spent = []
    for number in (5, 12):
        poll = sponsored(make_poll(asker=physician), firm)
        taken_by(poll, *voters(number))
        with CaptureQueriesContext(connection) as queries:
            assert len(honoraria.credit(poll_id=poll.pk)) == number
        spent.append(len(queries))

    assert spent[0] >= spent[1]


def test_nothing_of_a_credit_says_in_which_order_votes_came(poll, monkeypatch):
    """Numbers of accounts, entries and awards follow the lot."""
    monkeypatch.setattr(honoraria._lot, "shuffle", lambda rows: rows.reverse())
    members = voters(5)
    taken_by(poll, *members)
    in_order = list(Slot.objects.order_by("member").values_list("member", flat=True))
    honoraria.credit(poll_id=poll.pk)

    awards = Award.objects.order_by("pk").values_list("payee__member", flat=True)
    assert list(awards) == in_order[::-1]


def test_crediting_twice_pays_once(poll):
    member, *others = voters(5)
    taken_by(poll, member, *others)
    honoraria.credit_all()
    honoraria.credit_all()

    assert owed(choosing.payee_of(member)) == PAID


@pytest.mark.django_db(transaction=True)
def test_two_nights_at_once_pay_once_and_the_books_hold(poll, firm):
    taken_by(poll, *voters(6))
    start = Barrier(2)

    def night():
        start.wait()
        honoraria.credit_all()
        connection.close()

    for _ in ("while it runs", "once it is over"):
        threads = [Thread(target=night) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Award.objects.count() == 6
        assert list(checking.faults()) == []
        finish(poll)

    assert balance(ledger.reserved_of(firm)) == 0
    assert balance(ledger.firm_balance(firm)) == 100_000 - 6 * PAID


def test_whoever_is_credited_is_told(poll):
    members = voters(5)
    taken_by(poll, *members)
    honoraria.credit_all()

    told = Notice.objects.filter(kind="reward").values_list("member", flat=True)
    assert set(told) == {member.pk for member in members}


def test_a_charity_gets_what_a_member_gave_it(poll):
    charity, members = make_charity(), voters(5)
    for member in members[:2]:
        choosing.choose(member=member, takes="charity", charity=charity)
    taken_by(poll, *members)
    honoraria.credit_all()

    assert balance(ledger.held_for(charity)) == 2 * PAID
    assert Award.objects.filter(charity=charity).count() == 2


def test_a_vote_in_doubt_waits_and_one_found_right_is_paid(poll):
    doubted, cleared, *others = voters(7)
    taken_by(poll, doubted, cleared, *others)
    doubt(poll, doubted)
    doubt(poll, cleared, "dismissed")

    assert honoraria.credit_all() == 6
    assert [slot.member for slot in Slot.objects.all()] == [doubted]


def test_a_vote_against_the_rules_waits_for_an_objection_and_then_is_not_paid(poll):
    wrong = make_voter()
    taken_by(poll, wrong, *voters(5))
    concern = doubt(poll, wrong, "upheld")
    honoraria.credit_all()
    assert Slot.objects.filter(member=wrong).exists()

    Concern.objects.filter(pk=concern.pk).update(decided_at=timezone.now() - timedelta(days=31))
    honoraria.credit_all()

    assert taken(poll) == (5, 0)
    assert not Award.objects.filter(payee__member=wrong).exists()


def test_one_upheld_once_more_is_not_paid(poll):
    wrong = make_voter()
    taken_by(poll, wrong)
    doubt(poll, wrong, "upheld", objection="I read fast")
    honoraria.credit_all()

    assert taken(poll) == (0, 0)


def test_whoever_declares_the_firm_meanwhile_is_not_paid(poll, firm):
    member, other, *others = voters(7)
    taken_by(poll, member, other, *others)
    Affiliation.objects.create(member=member, firm=firm)
    choosing.choose(member=other, takes="nothing")

    assert honoraria.credit_all() == 5
    assert taken(poll) == (5, 0)


def test_who_has_left_is_paid_without_the_poll(poll):
    gone, *others = voters(5)
    taken_by(poll, gone, *others)
    payee = make_payee(gone, left_at=timezone.now(), claim_hash="x")
    gone.user = None
    gone.save(update_fields=["user"])
    honoraria.credit_all()

    assert owed(payee) == PAID
    assert Award.objects.get(payee=payee).question is None


# The end


def test_once_over_the_last_are_credited_and_the_rest_returns(poll, firm):
    taken_by(poll, *voters(2))
    finish(poll)
    said = []

    assert honoraria.credit_all(said.append) == 2

    sponsorship = Sponsorship.objects.get()
    assert sponsorship.ended_at
    assert sponsorship.released.kind == "release"
    assert balance(ledger.reserved_of(firm)) == 0
    assert balance(ledger.firm_balance(firm)) == 100_000 - 2 * PAID
    assert said == [f"1 of 1: poll {poll.pk}, 2 votes credited, ended"]


def test_what_was_undone_before_the_end_is_released_once(poll, firm):
    taken_by(poll, *voters(5))
    honoraria.credit_all()
    desk = make_user(is_staff=True)
    correcting.undo(earlier=Transaction.objects.get(kind="honorarium"), reason="Not right", by=desk)
    assert list(checking.faults()) == []
    finish(poll)

    assert honoraria.end(poll_id=poll.pk)
    assert list(checking.faults()) == []
    assert balance(ledger.reserved_of(firm)) == 0
    assert balance(ledger.firm_balance(firm)) == 100_000


def test_nobody_undoes_what_came_to_them(poll):
    member, generous, *others = voters(5)
    choosing.choose(member=generous, takes="charity", charity=make_charity())
    taken_by(poll, member, generous, *others)
    honoraria.credit_all()
    earlier = Transaction.objects.get(kind="honorarium")

    for own in (member, generous):
        with pytest.raises(correcting.OwnMoney):
            correcting.undo(earlier=earlier, reason="Mine", by=own.user)
    assert not Transaction.objects.filter(reverses=earlier).exists()


def test_it_does_not_end_while_a_vote_waits(poll):
    doubted = make_voter()
    taken_by(poll, doubted)
    doubt(poll, doubted)
    finish(poll)
    honoraria.credit_all()

    assert Sponsorship.objects.get().ended_at is None


def test_a_poll_whose_votes_were_all_taken_returns_nothing(physician, firm):
    poll = sponsored(make_poll(asker=physician), firm, quota=1)
    taken_by(poll, make_voter())
    finish(poll)
    honoraria.credit_all()

    sponsorship = Sponsorship.objects.get()
    assert (sponsorship.ended_at is None, sponsorship.released) == (False, None)


def test_after_the_end_nothing_is_taken(poll):
    finish(poll)
    honoraria.credit_all()
    taken_by(poll, make_voter())

    assert taken(poll) == (0, 0)


def test_a_fault_at_one_poll_keeps_no_other_from_its_money(poll, physician, firm, monkeypatch):
    other = sponsored(make_poll(asker=physician), firm)
    taken_by(other, *voters(5))
    real = honoraria.credit

    def credit(*, poll_id):
        if poll_id == poll.pk:
            raise RuntimeError
        return real(poll_id=poll_id)

    monkeypatch.setattr(honoraria, "credit", credit)

    assert honoraria.credit_all() == 5


# The door for groups


def group_of(firm, cents):
    """A sponsored focus group for which so much is reserved."""
    room = make_room(seats=4)
    make_section(room, honorarium=cents // 4)
    return rooms.agree(room=room, firm=firm, key=uuid4())


def owe(payee, room, **said):
    said = {"cause": "group", "cents": 5_000, "key": "group:1:7", **said}
    return honoraria.owe(payee=payee, room=room, **said)


def test_a_group_pays_once_for_each_key(firm):
    payee, room = make_payee(make_voter()), group_of(firm, 10_000)

    assert owe(payee, room) == owe(payee, room)
    assert (owed(payee), balance(ledger.reserved_of(firm))) == (5_000, 5_000)


def test_a_key_pays_nobody_and_nothing_else(firm):
    payee, room = make_payee(make_voter()), group_of(firm, 20_000)
    owe(payee, room)

    for said in ({"cents": 4_000}, {"cause": "screener"}):
        with pytest.raises(ledger.KeyReused):
            owe(payee, room, **said)
    with pytest.raises(ledger.KeyReused):
        owe(make_payee(make_voter()), room)
    with pytest.raises(ledger.KeyReused):
        owe(payee, group_of(make_firm(), 20_000))
    with pytest.raises(ValueError, match="begins with"):
        owe(payee, room, key="poll:1")
    assert balance(ledger.reserved_of(firm)) == 15_000


def test_a_group_pays_no_more_than_was_reserved(firm):
    with pytest.raises(ledger.NotEnough):
        owe(make_payee(make_voter()), group_of(firm, 4_000))


def test_nor_those_who_take_nothing_or_whom_the_firm_pays_elsewhere(firm):
    room, member = group_of(firm, 10_000), make_voter()
    choosing.declare_affiliation(member=member, firm=firm)

    with pytest.raises(honoraria.Affiliated):
        owe(choosing.payee_of(member), room)
    with pytest.raises(honoraria.TakesNothing):
        owe(make_payee(make_voter(), takes="nothing"), room)
