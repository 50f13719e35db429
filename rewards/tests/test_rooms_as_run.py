"""Money of focus groups where members act by themselves: who leaves, who is late, who may not be paid."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.services import leaving as site
from accounts.tests.factories import make_member, make_user
from focusgroups.models import Candidate, Completion, Participant, Room, Section, Sponsor
from focusgroups.services import answering, publishing, screening, seating
from focusgroups.tests.factories import (
    make_candidate,
    make_completion,
    make_participant,
    make_prompt,
    make_screener,
)
from polls.tests.factories import make_voter
from rewards import wallet
from rewards.models import Account, Award, Payee, RoomSponsorship
from rewards.services import checking, choosing, correcting, ledger, rooms
from rewards.tests.factories import balance, make_firm, make_payee, owed
from rewards.tests.test_rooms import close, running, screened_out

pytestmark = pytest.mark.django_db
FUNDS = 1_000_000
DAY = timedelta(days=1)


@pytest.fixture
def firm(db):
    return make_firm("Halden Therapeutics", balance=FUNDS)


@pytest.fixture
def room(firm):
    return live(firm)


@pytest.fixture
def section(room):
    return room.sections.get()


def live(firm, *honoraria, **fields):
    """A group that is held now; each of its sections has a question."""
    now = timezone.now()
    room = running(firm, *(honoraria or [5_000]), starts_at=now - 3 * DAY, ends_at=now + 5 * DAY, **fields)
    for each in room.sections.all():
        make_prompt(each)
    return room


def finish(participant, section):
    for prompt in section.prompts.all():
        answering.answer(participant=participant, prompt=prompt, source="Low dose first.")


def close_section(section):
    Section.objects.filter(pk=section.pk).update(due_at=timezone.now() - timedelta(minutes=1))
    publishing.close_due()
    section.refresh_from_db()


def fail_to_owe(monkeypatch):
    def broken(**kwargs):
        raise RuntimeError("no money moves")

    monkeypatch.setattr(rooms.honoraria, "owe", broken)


# Who leaves the site


def leaver(room=None):
    member = make_member(user=make_user("torre@example.org"))
    return make_participant(room, member=member) if room else member


def test_what_was_final_and_not_credited_is_credited_before_its_earner_is_gone(room, section, monkeypatch):
    seat = leaver(room)
    finish(seat, section)
    with monkeypatch.context() as patch:
        fail_to_owe(patch)
        close_section(section)
    assert Completion.objects.get().final_at
    assert not Award.objects.exists()

    site.leave(seat.member.user)

    assert Award.objects.get().cents == 5_000
    assert Participant.objects.get().member is None
    close(room)
    assert list(checking.faults()) == []


def test_thanks_that_are_due_are_too(firm, monkeypatch):
    room = live(firm, thanks=1_000)
    make_screener(room, *[["Yes", "-No"]] * 5)
    member = leaver()
    payee = make_payee(member)
    with monkeypatch.context() as patch:
        fail_to_owe(patch)
        screened_out(room, 4, member=member)
    assert owed(payee) == 0

    site.leave(member.user)
    rooms.credit_all()

    assert owed(payee) == 1_000


def test_where_crediting_fails_nobody_leaves(room, section, monkeypatch):
    seat = leaver(room)
    finish(seat, section)
    with monkeypatch.context() as patch:
        fail_to_owe(patch)
        with pytest.raises(RuntimeError):
            site.leave(seat.member.user)
    seat.refresh_from_db()
    assert seat.is_seated
    assert Completion.objects.get().final_at is None

    site.leave(seat.member.user)

    assert Award.objects.get().cents == 5_000


def test_nor_where_the_budget_is_short(room, section):
    seat = leaver(room)
    finish(seat, section)
    Sponsor.objects.filter(room=room).update(budget=4_999)

    with pytest.raises(rooms.NotCredited):
        site.leave(seat.member.user)

    assert User.objects.filter(pk=seat.member.user.pk).exists()
    assert Completion.objects.get().final_at is None


def test_others_of_the_group_are_credited_at_their_own_time(room, section):
    seat, other = leaver(room), make_participant(room)
    for each in (seat, other):
        finish(each, section)

    site.leave(seat.member.user)

    assert Award.objects.count() == 1
    assert Completion.objects.get(participant=other).final_at is None


def test_who_leaves_while_the_firm_pays_them_elsewhere_gets_none_and_may_leave(firm, room, section):
    seat = leaver(room)
    make_completion(seat, section)
    choosing.declare_affiliation(member=seat.member, firm=firm)

    site.leave(seat.member.user)

    assert not Award.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_payee_that_is_busy_is_waited_for(firm):
    room = live(firm)
    seat = leaver(room)
    finish(seat, room.sections.get())
    payee = make_payee(seat.member)
    gone = threading.Event()

    def go():
        try:
            site.leave(seat.member.user)
            gone.set()
        finally:
            connections.close_all()

    thread = threading.Thread(target=go, daemon=True)
    with transaction.atomic():
        Payee.objects.select_for_update(no_key=True).get(pk=payee.pk)
        thread.start()
        assert not gone.wait(1)
    thread.join(20)

    assert gone.is_set()
    assert owed(payee) == 5_000


@pytest.mark.django_db(transaction=True)
def test_who_leaves_holds_no_money_while_waiting_for_a_room(firm):
    """Paid in one group and asked into another of the same firm, which closes: it holds its room, then wants the
    firm's accounts.
    """
    paid, other = live(firm), live(firm)
    seat = leaver(paid)
    make_candidate(other, seat.member)
    finish(seat, paid.sections.get())
    held, gone = threading.Event(), threading.Event()
    broken = []

    def shut():
        try:
            with transaction.atomic():
                Room.objects.select_for_update().get(pk=other.pk)
                held.set()
                time.sleep(1)  # the one who leaves comes as far as they can
                ledger.lock(ledger.reserved_of(firm))
        except Exception as error:
            broken.append(error)
        finally:
            connections.close_all()

    def go():
        try:
            site.leave(seat.member.user)
            gone.set()
        except Exception as error:
            broken.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=each, daemon=True) for each in (shut, go)]
    threads[0].start()
    held.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join(20)

    assert not broken
    assert gone.is_set()
    assert Award.objects.get().cents == 5_000


# Who is late


def test_what_is_completed_late_is_final_at_once_and_credited_by_the_sweep(room, section):
    close_section(section)
    seat = make_participant(room)

    with CaptureQueriesContext(connection) as queries:
        finish(seat, section)

    assert Completion.objects.get().final_at
    written = ("INSERT", "UPDATE")
    assert not [each for each in queries if each["sql"].startswith(written) and '"rewards_' in each["sql"]]
    assert not Award.objects.exists()

    rooms.credit_all()
    assert owed(Payee.objects.get(member=seat.member)) == 5_000


def test_until_then_the_wallet_says_that_it_is_promised(firm, room, section):
    close_section(section)
    seat = make_participant(room)
    finish(seat, section)
    assert promised(seat) == (5_000, 0)

    make_payee(seat.member)
    assert promised(seat) == (5_000, 0)

    rooms.credit_all()
    assert promised(seat) == (0, 5_000)


def test_of_several_sections_the_wallet_promises_those_that_are_not_credited(firm):
    room = live(firm, 5_000, 3_000, 1_000)
    early, late, running = room.sections.order_by("place")
    seat = make_participant(room)
    finish(seat, early)
    for each in (early, late):
        close_section(each)
    for each in (late, running):
        finish(seat, each)

    assert promised(seat) == (4_000, 5_000)


def test_what_will_not_be_paid_is_not_promised(firm, room, section):
    close_section(section)
    elsewhere, refusing = make_participant(room), make_participant(room)
    for each in (elsewhere, refusing):
        finish(each, section)
    choosing.declare_affiliation(member=elsewhere.member, firm=firm)
    choosing.choose(member=refusing.member, takes="nothing")
    assert [promised(each) for each in (elsewhere, refusing)] == [(0, 0), (0, 0)]

    close(room)
    choosing.end_affiliation(member=elsewhere.member, firm=firm)
    choosing.choose(member=refusing.member, takes="self")

    assert [promised(each) for each in (elsewhere, refusing)] == [(0, 0), (0, 0)]


def test_what_was_taken_back_is_not_promised_again(firm, room, section):
    seat = make_participant(room)
    finish(seat, section)
    close_section(section)
    credited = Award.objects.get().entry.transaction

    correcting.undo(earlier=credited, reason="Twice the same person", by=make_user(is_staff=True))

    assert promised(seat) == (0, 0)


def promised(seat):
    standing = wallet.standing_of(seat.member)
    return standing.promised, standing.available


def test_and_at_the_latest_when_the_group_closes(firm, room, section):
    close_section(section)
    finish(make_participant(room), section)

    close(room)

    assert Award.objects.get().cents == 5_000
    assert balance(ledger.firm_balance(firm)) == FUNDS - 5_000


# Who is shut out


@pytest.mark.parametrize("how", ["is paid elsewhere", "takes nothing"])
def test_what_is_completed_meanwhile_is_worth_nothing_for_good_and_pays_the_next(firm, room, section, how):
    seat = make_participant(room)
    if how == "takes nothing":
        choosing.choose(member=seat.member, takes="nothing")
    else:
        choosing.declare_affiliation(member=seat.member, firm=firm)
    finish(seat, section)
    assert Completion.objects.get().cents == 0
    choosing.choose(member=seat.member, takes="self")
    choosing.end_affiliation(member=seat.member, firm=firm)
    seating.leave(participant=seat)
    follower = make_participant(room, replaces=seat)

    assert answering.paid_before(follower) == set()
    finish(follower, section)
    close_section(section)
    close(room)

    award = Award.objects.get()
    assert (award.payee.member, award.cents) == (follower.member, 5_000)
    assert balance(ledger.firm_balance(firm)) == FUNDS - 5_000


def test_a_blinded_sponsor_is_not_found_by_what_sections_pay(firm):
    """Neither by what they are worth, nor by the wallet, nor by what is credited when they close."""
    room = live(firm, 5_000, 3_000, is_blinded=True)
    other = make_firm("Northgate")
    first, second = room.sections.order_by("place")
    seats = [make_participant(room), make_participant(room)]
    for seat, named in zip(seats, (firm, other), strict=True):
        choosing.declare_affiliation(member=seat.member, firm=named)
        finish(seat, first)
    assert [each.cents for each in Completion.objects.all()] == [5_000, 5_000]
    assert [promised(seat) for seat in seats] == [(5_000, 0)] * 2

    close_section(first)
    assert [promised(seat) for seat in seats] == [(0, 5_000)] * 2

    for seat in seats:
        finish(seat, second)
    Room.objects.filter(pk=room.pk).update(ends_at=timezone.now())
    publishing.close_due()
    assert [owed(Payee.objects.get(member=seat.member)) for seat in seats] == [8_000, 8_000]
    assert list(checking.faults()) == []


def test_nor_does_a_blinded_sponsor_pay_who_takes_nothing_or_give_its_own_a_seat(firm):
    room = live(firm, is_blinded=True)
    refusing, own = make_participant(room), make_candidate(room, make_voter())
    choosing.choose(member=refusing.member, takes="nothing")
    choosing.declare_affiliation(member=own.member, firm=firm)
    finish(refusing, room.sections.get())

    assert Completion.objects.get().cents == 0
    assert seating.accept(candidate=own, agreement=room.newest_agreement()).state == Candidate.State.LAPSED


def test_what_was_completed_before_is_kept(firm, room, section):
    seat = make_participant(room)
    finish(seat, section)
    choosing.declare_affiliation(member=seat.member, firm=firm)

    assert Completion.objects.get().cents == 5_000


def test_whom_the_firm_would_not_thank_is_asked_no_question(firm):
    room = live(firm, thanks=1_000)
    questions = make_screener(room, *[["Yes", "-No"]] * 5)
    candidate = make_candidate(room, make_voter())
    for question in questions[:3]:
        screening.answer(candidate=candidate, question=question, option=question.options.get(text="Yes"))
    choosing.declare_affiliation(member=candidate.member, firm=firm)

    screening.answer(candidate=candidate, question=questions[3], option=questions[3].options.get(text="No"))

    candidate.refresh_from_db()
    assert candidate.state == Candidate.State.LAPSED
    assert screening.thanks_left(room) == 12


def test_whoever_reads_of_thanks_gets_them_and_nobody_else(firm):
    room = live(firm, thanks=1_000)
    make_screener(room, *[["Yes", "-No"]] * 5)
    out = [screened_out(room, answers) for answers in (3, 4, 5, *[4] * 12)]
    rooms.credit_all()

    credited = set(Award.objects.values_list("payee__member", flat=True))
    assert credited == {each.member_id for each in out if screening.thanks_of(each)}
    assert len(credited) == 12


# Many


def test_closing_a_section_asks_as_little_for_many_who_are_not_paid_as_for_few(firm):
    """Each of them was looked up in the books, and the whole group gone through once more."""
    counts = []
    for number in (2, 7):
        room = live(firm, 1_000, seats=12)
        section = room.sections.get()
        for _ in range(number):
            seat = make_participant(room)
            finish(seat, section)
            choosing.choose(member=seat.member, takes="nothing")
        Section.objects.filter(pk=section.pk).update(due_at=timezone.now() - timedelta(minutes=1))
        with CaptureQueriesContext(connection) as queries:
            publishing.close_if_due(room_id=room.pk)
        counts.append(len(queries))
        assert Completion.objects.filter(section=section, final_at__isnull=False).count() == number

    assert counts[0] == counts[1]
    assert not Award.objects.exists()


# Locks


def test_crediting_and_ending_in_one_transaction_lock_accounts_once(firm, room, section, monkeypatch):
    """The first lock has all that is locked after it: in the one order of accounts."""
    finish(make_participant(room), section)
    locked, real = [], ledger.lock

    def lock(*accounts):
        locked.append({account.pk for account in accounts})
        return real(*accounts)

    monkeypatch.setattr(ledger, "lock", lock)
    Room.objects.filter(pk=room.pk).update(ends_at=timezone.now())
    publishing.close_due()

    assert RoomSponsorship.objects.get().ended_at
    assert Account.objects.get(firm=firm, kind="firm").pk in locked[0]
    assert len(locked) > 1
    assert all(each <= locked[0] for each in locked)
