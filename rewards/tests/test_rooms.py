"""Focus groups: what a firm reserves, who is credited exactly what, and that the rest comes back to the cent."""

from datetime import timedelta
from threading import Thread
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Member, Notice
from accounts.tests.factories import make_member, make_user
from focusgroups import signals
from focusgroups.models import Candidate, Completion, Room, ScreenerAnswer, Sponsor
from focusgroups.services import recruiting
from focusgroups.tests.factories import (
    make_candidate,
    make_completion,
    make_participant,
    make_room,
    make_screener,
    make_section,
)
from polls.tests.factories import make_voter
from rewards import personal, wallet
from rewards.models import Award, OpenPayment, Payee, RoomSponsorship, Transaction
from rewards.services import checking, choosing, correcting, ledger, rooms
from rewards.services.deposits import FormUsed
from rewards.sunshine_pages import reader_of
from rewards.tests.factories import balance, make_charity, make_firm, make_payee, owed
from verification.models import Event

pytestmark = pytest.mark.django_db
FUNDS = 1_000_000


@pytest.fixture
def firm(db):
    return make_firm("Halden Therapeutics", balance=FUNDS)


@pytest.fixture
def room(db):
    """A draft of four seats and two sections, $50.00 and $30.00."""
    return draft(5_000, 3_000)


def draft(*honoraria, **fields):
    room = make_room(**{"seats": 4, **fields})
    for cents in honoraria:
        make_section(room, honorarium=cents)
    return room


def agree(room, firm, **said):
    return rooms.agree(room=room, firm=firm, key=said.pop("key", None) or uuid4(), **said)


def running(firm, *honoraria, **fields):
    """A published room that the firm pays for."""
    is_blinded = fields.pop("is_blinded", False)
    room = draft(*honoraria, **fields)
    agree(room, firm, is_blinded=is_blinded)
    return publish(room)


def publish(room):
    Room.objects.filter(pk=room.pk).update(published_at=timezone.now())
    return Room.objects.get(pk=room.pk)


def money(firm):
    return balance(ledger.firm_balance(firm)), balance(ledger.reserved_of(firm))


@transaction.atomic
def announce(*completions):
    """As a section does that closes: all of them are final before the first is announced."""
    Completion.objects.filter(pk__in=[each.pk for each in completions]).update(final_at=timezone.now())
    for each in completions:
        signals.section_completed.send(sender=Room, completion=Completion.objects.get(pk=each.pk))


def complete(participant, section, **fields):
    done = make_completion(participant, section, **fields)
    announce(done)
    return done


@transaction.atomic
def close(room):
    Room.objects.filter(pk=room.pk).update(closed_at=timezone.now())
    signals.room_closed.send(sender=Room, room=Room.objects.get(pk=room.pk))


def screened_out(room, answers, **fields):
    candidate = make_candidate(room, state=Candidate.State.SCREENED_OUT, decided_at=timezone.now(), **fields)
    for question in room.screener.all()[:answers]:
        ScreenerAnswer.objects.create(candidate=candidate, question=question, option=question.options.first())
    signals.screened_out.send(sender=Room, candidate=candidate)
    return candidate


# Agreeing


def test_all_that_is_promised_is_reserved_and_the_label_says_so(room, firm):
    Room.objects.filter(pk=room.pk).update(thanks=1_000)

    made = agree(room, firm)

    assert money(firm) == (FUNDS - 44_000, 44_000)  # 4 x $80.00, and 12 x $10.00 of thanks
    label = Sponsor.objects.get(room=room)
    assert (label.name, label.kind, label.budget, label.is_blinded) == (firm.name, "pharma", 44_000, False)
    assert made.reserved.kind == "reserve"


def test_a_firm_that_shows_no_name_has_none_on_the_label(room):
    agree(room, make_firm("Northgate", kind="research", shows_name=False))

    assert Sponsor.objects.get().name == "A research agency"


def test_one_form_agrees_once(room, firm):
    key = uuid4()

    assert agree(room, firm, key=key) == agree(room, firm, key=key)
    assert money(firm) == (FUNDS - 32_000, 32_000)


def test_a_form_says_one_thing(room, firm):
    key = uuid4()
    agree(room, firm, key=key)

    for again, is_blinded in ((make_firm(), False), (firm, True)):
        with pytest.raises(FormUsed):
            agree(room, again, is_blinded=is_blinded, key=key)


def test_a_group_has_one_sponsor(room, firm):
    agree(room, firm)

    with pytest.raises(rooms.SponsoredBefore):
        agree(room, make_firm())


def test_nobody_pays_for_a_published_group_who_did_not_before(room, firm):
    with pytest.raises(rooms.Published):
        agree(publish(room), firm)
    assert not Sponsor.objects.exists()


def test_nor_for_one_in_which_nothing_is_promised(firm):
    with pytest.raises(rooms.NothingPromised):
        agree(draft(0), firm)


def test_a_firm_pays_what_it_has(room):
    firm = make_firm(balance=31_999)

    with pytest.raises(ledger.NotEnough):
        agree(room, firm)
    assert money(firm) == (31_999, 0)
    assert not Sponsor.objects.exists()


def test_a_firm_that_is_gone_pays_nothing(room):
    with pytest.raises(rooms.FirmNotActive):
        agree(room, make_firm(is_active=False))


def test_withdrawn_before_publishing_it_leaves_nothing(room, firm):
    key = uuid4()
    agree(room, firm, key=key)

    rooms.withdraw(room=room)
    rooms.withdraw(room=room)

    assert money(firm) == (FUNDS, 0)
    assert not Sponsor.objects.exists()
    with pytest.raises(rooms.Withdrawn):
        agree(room, firm, key=key)
    agree(room, firm)
    assert list(checking.faults()) == []


def test_what_participants_were_told_does_not_change(firm):
    room = running(firm, 5_000)

    with pytest.raises(rooms.Published):
        rooms.withdraw(room=room)
    assert money(firm) == (FUNDS - 20_000, 20_000)


def test_staff_leave_an_event_and_their_subject_stands_in_the_ledger(room, firm):
    staff = make_user(is_staff=True)
    agree(room, firm, by=staff)
    make_section(room, honorarium=100)
    rooms.fit(room=room, by=staff)
    rooms.withdraw(room=room, by=staff)

    said = Event.objects.filter(object=f"room:{room.pk}").order_by("pk")
    assert [event.kind for event in said] == [
        *("room_sponsor_agreed", "room_sponsor_fitted", "room_sponsor_withdrawn"),
    ]
    assert Transaction.objects.filter(by=said[0].actor).count() == 3


# Fitting


def test_a_draft_reserves_what_it_came_to_promise_and_gives_back_what_it_does_not(room, firm):
    agree(room, firm)
    section = make_section(room, honorarium=1_000)

    assert rooms.fit(room=room) == 36_000
    assert money(firm) == (FUNDS - 36_000, 36_000)

    section.delete()
    assert rooms.fit(room=room) == 32_000
    assert money(firm) == (FUNDS - 32_000, 32_000)
    assert list(checking.faults()) == []


def test_more_seats_of_a_published_group_are_paid_for_as_they_are_promised(firm):
    room = running(firm, 5_000)
    room.seats = 6
    room.save()

    signals.money_promised.send(sender=Room, room=room)

    assert money(firm) == (FUNDS - 30_000, 30_000)
    assert Sponsor.objects.get().budget == 30_000


def test_what_its_firm_has_not_is_not_promised():
    firm = make_firm(balance=25_000)
    room = running(firm, 5_000)
    room.seats = 6
    room.save()

    with pytest.raises(ledger.NotEnough):
        signals.money_promised.send(sender=Room, room=room)
    assert (money(firm), Sponsor.objects.get().budget) == ((5_000, 20_000), 20_000)


def test_a_published_group_gives_nothing_back_before_its_end(firm):
    room = running(firm, 5_000, 3_000)
    room.sections.last().delete()

    assert rooms.fit(room=room) == 32_000
    assert money(firm)[1] == 32_000


def test_nothing_is_reserved_for_a_group_that_nobody_pays_for(firm):
    room = publish(draft(5_000))

    assert rooms.fit(room=room) == 0
    assert money(firm) == (FUNDS, 0)


# Crediting


def test_a_completed_section_is_credited_once_it_is_final(firm):
    room = running(firm, 5_000, 3_000)
    first, second = room.sections.all()
    participant = make_participant(room)
    make_completion(participant, second)

    complete(participant, first)

    payee = Payee.objects.get(member=participant.member)
    assert owed(payee) == 5_000
    assert money(firm) == (FUNDS - 32_000, 27_000)
    award = Award.objects.get()
    assert (award.cause, award.room_id, award.cents, award.firm) == ("group", room.pk, 5_000, firm)
    assert Notice.objects.filter(member=participant.member, kind="reward").count() == 1


def test_announced_twice_it_is_paid_once(firm):
    room = running(firm, 5_000)
    done = complete(make_participant(room), room.sections.get())
    announce(done)
    rooms.credit_all()

    assert Award.objects.count() == 1
    assert money(firm)[1] == 15_000


def test_those_that_close_together_are_credited_with_the_first_and_each_told_once(firm):
    room = running(firm, 5_000)
    section = room.sections.get()
    done = [make_completion(make_participant(room), section) for _ in range(4)]

    announce(*done)

    assert sorted(Award.objects.values_list("cents", flat=True)) == [5_000] * 4
    told = Notice.objects.filter(kind="reward").values_list("member", flat=True)
    assert sorted(told) == sorted(each.participant.member_id for each in done)


def test_a_section_without_honorarium_credits_nothing(firm):
    room = running(firm, 5_000, 0)
    with CaptureQueriesContext(connection) as queries:
        complete(make_participant(room), room.sections.last())

    assert not Award.objects.exists()
    assert not [each for each in queries if "rewards_" in each["sql"]]


def test_a_group_that_nobody_sponsors_credits_nothing():
    room = publish(draft(0))
    complete(make_participant(room), room.sections.get(), cents=500)

    assert not Award.objects.exists()


def test_a_charity_gets_what_a_participant_gave_it(firm):
    room, charity = running(firm, 5_000), make_charity()
    participant = make_participant(room)
    choosing.choose(member=participant.member, takes="charity", charity=charity)

    complete(participant, room.sections.get())

    assert balance(ledger.held_for(charity)) == 5_000
    assert Award.objects.get().charity == charity


def test_who_takes_no_money_or_is_paid_elsewhere_or_has_left_gets_none_and_the_money_returns(firm):
    room = running(firm, 5_000)
    section = room.sections.get()
    proud, paid, gone = (make_participant(room) for _ in range(3))
    choosing.choose(member=proud.member, takes="nothing")
    choosing.declare_affiliation(member=paid.member, firm=firm)
    done = [make_completion(each, section) for each in (proud, paid, gone)]
    gone.member = None
    gone.save()

    announce(*done)
    close(room)

    assert not Award.objects.exists()
    assert money(firm) == (FUNDS, 0)


def test_who_has_left_with_nothing_that_leads_to_money_holds_nothing_up(firm):
    room = running(firm, 5_000)
    participant = make_participant(room)
    Member.objects.filter(pk=participant.member_id).update(user=None)
    complete(participant, room.sections.get())
    close(room)

    assert money(firm) == (FUNDS, 0)


def test_whoever_lost_the_seat_keeps_what_was_earned(firm):
    room = running(firm, 5_000)
    participant = make_participant(room, left_at=timezone.now(), left_as="left")
    Member.objects.filter(pk=participant.member_id).update(standing="suspended")

    complete(participant, room.sections.get())

    assert owed(Payee.objects.get()) == 5_000


def test_who_leaves_the_site_is_paid_what_becomes_final_then(firm):
    """The payee has left before, in the same transaction; the link in the farewell mail leads to the money."""
    room = running(firm, 5_000)
    participant = make_participant(room)
    payee = make_payee(participant.member, left_at=timezone.now(), claim_hash="x")
    Member.objects.filter(pk=participant.member_id).update(user=None)

    complete(participant, room.sections.get())

    assert owed(payee) == 5_000
    assert not Notice.objects.filter(kind="reward").exists()


def test_nothing_in_the_books_tells_which_participant_was_paid(firm):
    room = running(firm, 5_000)
    participants = [make_participant(room) for _ in range(2)]
    announce(*(make_completion(each, room.sections.get()) for each in participants))

    keys = Transaction.objects.filter(kind="honorarium").values_list("key", flat=True)
    assert len(set(keys)) == 2
    for key in keys:
        *name, deed = key.split(":")
        assert (name, len(deed)) == (["group", "room", str(room.pk)], 64)


def test_a_group_spends_its_own_budget_and_no_other_ones(firm, caplog):
    """Should a chain of seats be broken, more is earned than was promised."""
    other = running(firm, 5_000)
    room = running(firm, 5_000)
    section = room.sections.get()
    announce(*(make_completion(make_participant(room), section) for _ in range(5)))

    assert Award.objects.count() == 4
    assert money(firm)[1] == Sponsor.objects.get(room=other).budget
    assert rooms.standing_of(rooms.sponsorship_of(room)).due == 5_000
    assert list(checking.faults()) == []

    close(room)
    assert rooms.sponsorship_of(room).ended_at is None
    Room.objects.filter(pk=room.pk).update(seats=5)
    rooms.fit(room=room)
    rooms.credit_all()
    assert Award.objects.count() == 5
    assert rooms.sponsorship_of(room).ended_at


def test_what_fails_is_left_to_the_sweep_and_the_section_closes_all_the_same(firm, monkeypatch):
    room = running(firm, 5_000)

    def broken(**kwargs):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(rooms.honoraria, "owe", broken)
        done = complete(make_participant(room), room.sections.get())
        close(room)
    assert Completion.objects.get(pk=done.pk).final_at
    assert not Award.objects.exists()
    assert rooms.sponsorship_of(room).ended_at is None
    said = []

    assert rooms.credit_all(said.append) == 1
    assert rooms.sponsorship_of(room).ended_at
    assert money(firm) == (FUNDS - 5_000, 0)
    assert said == [f"focus group {room.pk}: 1 credited, ended"]


def test_a_fault_at_one_group_keeps_no_other_from_its_money(firm, monkeypatch):
    broken, whole = running(firm, 5_000), running(firm, 5_000)
    for room in (broken, whole):
        make_completion(make_participant(room), room.sections.get(), is_final=True)
    real = rooms.credit

    def credit(*, room_id):
        if room_id == broken.pk:
            raise RuntimeError
        return real(room_id=room_id)

    monkeypatch.setattr(rooms, "credit", credit)

    assert rooms.credit_all() == 1
    assert Award.objects.get().room_id == whole.pk


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_who_is_choosing_just_now():
    """Their payee is locked elsewhere: the others are credited, and the sweep comes back for one."""
    firm = make_firm(balance=FUNDS)
    room = running(firm, 5_000)
    section = room.sections.get()
    busy, free = make_participant(room), make_participant(room)
    payee = make_payee(busy.member)
    done = [make_completion(each, section) for each in (busy, free)]

    def close_elsewhere():
        announce(*done)
        close(room)
        connection.close()

    with transaction.atomic():
        Payee.objects.select_for_update().get(pk=payee.pk)
        thread = Thread(target=close_elsewhere)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
    assert list(Award.objects.values_list("payee__member", flat=True)) == [free.member_id]
    assert rooms.sponsorship_of(room).ended_at is None

    rooms.credit_all()

    assert owed(payee) == 5_000
    assert rooms.sponsorship_of(room).ended_at
    assert list(checking.faults()) == []


@pytest.mark.django_db(transaction=True)
def test_two_groups_with_the_same_members_close_at_once():
    """In opposite orders: whoever locked one account after the other would wait for ever."""
    members = [make_member() for _ in range(4)]
    closing = []
    for order in (members, members[::-1]):
        room = running(make_firm(balance=FUNDS), 5_000)
        section = room.sections.get()
        closing.append([make_completion(make_participant(room, member=each), section) for each in order])

    def run(done):
        announce(*done)
        connection.close()

    threads = [Thread(target=run, args=[done]) for done in closing]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    rooms.credit_all()  # whose payee the other had locked

    assert Award.objects.count() == 8
    assert [owed(Payee.objects.get(member=member)) for member in members] == [10_000] * 4
    assert list(checking.faults()) == []


# Thanks


@pytest.fixture
def thankful(firm):
    """Thanks of $10.00, and a screener of five questions."""
    room = running(firm, 5_000, thanks=1_000)
    make_screener(room, *[["Yes", "-No"]] * 5)
    return room


def test_whoever_answered_more_than_three_questions_in_vain_is_thanked(thankful):
    three, four = screened_out(thankful, 3), screened_out(thankful, 4)

    award = Award.objects.get()
    assert (award.cause, award.cents, award.payee.member) == ("screener", 1_000, four.member)
    signals.screened_out.send(sender=Room, candidate=four)
    rooms.credit_all()
    assert Award.objects.count() == 1
    assert not Payee.objects.filter(member=three.member).exists()


def test_whoever_got_a_seat_is_not_thanked_for_the_screener(thankful):
    seated = make_candidate(thankful, state=Candidate.State.SEATED, decided_at=timezone.now())
    for question in thankful.screener.all():
        ScreenerAnswer.objects.create(candidate=seated, question=question, option=question.options.first())

    assert rooms.credit(room_id=thankful.pk) == []


def test_thanks_are_given_as_far_as_they_were_budgeted_for(thankful, firm):
    made = [screened_out(thankful, 4) for _ in range(14)]

    assert Award.objects.filter(cause="screener").count() == 12
    Candidate.objects.filter(pk=made[0].pk).update(member=None)  # who left makes room for nobody
    rooms.credit_all()
    assert Award.objects.filter(cause="screener").count() == 12
    close(thankful)
    assert money(firm) == (FUNDS - 12_000, 0)


def test_where_no_thanks_are_promised_none_are_given(firm):
    room = running(firm, 5_000)
    make_screener(room, *[["Yes", "-No"]] * 5)
    screened_out(room, 5)

    assert not Award.objects.exists()


# Whom to ask


def test_whom_the_firm_pays_elsewhere_and_who_takes_nothing_is_not_asked(firm):
    room = running(firm, 5_000)
    paid, proud, other = (make_voter() for _ in range(3))
    choosing.declare_affiliation(member=paid, firm=firm)
    choosing.choose(member=proud, takes="nothing")
    assert set(recruiting.askable(room)) & {paid, proud, other} == {other}
    assert set(recruiting.askable(draft(0))) >= {paid, proud, other}


# The end


def test_a_canceled_group_costs_nothing(room, firm):
    agree(room, firm)
    Room.objects.filter(pk=room.pk).update(canceled_at=timezone.now(), canceled_why="Too few")

    signals.room_canceled.send(sender=Room, room=room)

    sponsorship = rooms.sponsorship_of(room)
    assert money(firm) == (FUNDS, 0)
    assert (sponsorship.released.kind, bool(sponsorship.ended_at)) == ("release", True)


def test_a_group_does_not_end_while_it_runs_or_something_is_to_become_final(firm):
    room = running(firm, 5_000)
    assert not rooms.end(room_id=room.pk)
    make_completion(make_participant(room), room.sections.get())
    close(room)

    assert rooms.sponsorship_of(room).ended_at is None
    assert money(firm)[1] == 20_000


def test_after_the_end_nothing_is_credited(firm):
    room = running(firm, 5_000)
    close(room)
    close(room)
    complete(make_participant(room), room.sections.get())

    assert money(firm) == (FUNDS, 0)


def test_what_was_undone_is_neither_released_nor_paid_again(firm):
    room = running(firm, 5_000)
    complete(make_participant(room), room.sections.get())
    correcting.undo(
        earlier=Transaction.objects.get(kind="honorarium"), reason="Not right", by=make_user(is_staff=True)
    )
    assert list(checking.faults()) == []

    rooms.credit_all()
    close(room)

    assert money(firm) == (FUNDS, 0)
    assert list(checking.faults()) == []


def test_thirty_participants_are_credited_exactly_what_they_earned(firm):
    """Six sections of $50, $40, $30, $20, $10 and $0. By hand, in cents:

    26 did all: 26 x 15,000. One dropped out after two sections (9,000), and the next did all, of which the rest is paid
    (6,000). One dropped out with none, and a late joiner in that seat did the last four (6,000). One whose seat had
    stood empty did all (15,000). One withdrew after the first (5,000). In all 431,000, and 3 x 1,500 of thanks.
    Reserved: 30 x 15,000 + 30 x 3 x 1,500 = 585,000.
    """
    room = running(firm, 5_000, 4_000, 3_000, 2_000, 1_000, 0, seats=30, thanks=1_500)
    make_screener(room, *[["Yes", "-No"]] * 5)
    assert money(firm) == (FUNDS - 585_000, 585_000)
    now = timezone.now()
    steady = [make_participant(room) for _ in range(26)]
    dropped = make_participant(room, left_at=now, left_as="dropped")
    follower = make_participant(room, replaces=dropped)
    silent = make_participant(room, left_at=now, left_as="dropped")
    late = make_participant(room, replaces=silent, joined_at=now + timedelta(days=3))
    last = make_participant(room)
    withdrawn = make_participant(room, left_at=now, left_as="left", withdrew_at=now)
    did = {
        **dict.fromkeys(steady, range(6)),
        dropped: range(2),
        follower: range(6),
        late: range(2, 6),
        last: range(6),
        withdrawn: range(1),
    }
    for number, section in enumerate(room.sections.all()):
        was_paid = number < 2
        announce(
            *(
                make_completion(who, section, cents=0 if who == follower and was_paid else section.honorarium)
                for who, sections in did.items()
                if number in sections
            )
        )
        assert list(checking.faults()) == []
    for answers in (4, 5, 3, 4):
        screened_out(room, answers)
    close(room)
    close(room)
    rooms.credit_all()

    def earned(participant):
        return sum(Award.objects.filter(payee__member=participant.member_id).values_list("cents", flat=True))

    assert {earned(each) for each in steady} == {15_000}
    assert [earned(each) for each in (dropped, follower, silent, late, last, withdrawn)] == [
        *(9_000, 6_000, 0, 6_000, 15_000, 5_000),
    ]
    standing = rooms.standing_of(rooms.sponsorship_of(room))
    assert (standing.credited, standing.thanked, standing.returned, standing.left) == (
        *(431_000, 4_500, 149_500, 0),
    )
    assert money(firm) == (FUNDS - 435_500, 0)
    assert list(checking.faults()) == []


# What is read of it


def line_of(member):
    standing = wallet.standing_of(member)
    page, _ = wallet.lines_of(standing, member.user)
    return page.rows[0]


def test_the_wallet_names_the_group_to_whoever_is_in_it(firm):
    room = running(firm, 5_000)
    participant = make_participant(room)
    complete(participant, room.sections.get())

    line = line_of(participant.member)
    assert (line.title, line.url, line.detail) == (
        room.title,
        f"/groups/{room.pk}/",
        "Halden Therapeutics: focus group",
    )


def test_and_not_to_whoever_has_left_it_or_got_no_seat(thankful):
    left = make_participant(thankful)
    complete(left, thankful.sections.get())
    left.left_at, left.left_as = timezone.now(), "left"
    left.save()
    out = screened_out(thankful, 4)

    assert (line_of(left.member).title, line_of(left.member).url) == ("You took part in a focus group", "")
    assert line_of(out.member).title == "You answered a screener"


def test_a_blinded_sponsor_is_named_nowhere_before_the_end(firm):
    room = running(firm, 5_000, is_blinded=True)
    participant = make_participant(room)
    complete(participant, room.sections.get())
    person = type("Person", (), {"user": participant.member.user, "member": participant.member})

    def read():
        rows = {
            entry.model: [entry.row(row) for row in entry.rows(person)]
            for entry in personal.ENTRIES
            if entry.model in ("rewards.Award", "rewards.OpenPayment")
        }
        payment = reader_of(Member.objects.get(pk=participant.member_id)).rows().first()
        return f"{line_of(participant.member)} {rows} {payment.award.payer if payment else ''}"

    firm.is_covered, firm.registration_id, firm.products = True, "100000000001", ["heparin"]
    firm.save()
    OpenPayment.objects.update(products=["heparin"])
    assert "Halden" not in read()
    assert "heparin" not in read().replace(room.title, "")
    assert "Pharmaceutical company, named when the group ends" in read()

    close(room)
    assert "Halden Therapeutics: focus group" in read()
    assert "named when the group ends" not in read()


def test_payments_are_blind_whoever_the_sponsor_is(firm):
    """A firm reads aliases alone, so it never learns whom it paid."""
    room = running(firm, 5_000)
    complete(make_participant(room), room.sections.get())
    close(room)

    payment = OpenPayment.objects.get()
    assert (payment.is_blind, payment.nature) == (True, "Compensation for services other than consulting")


def test_products_that_a_group_is_about_are_noted(firm):
    firm.products = ["Velorin", "Sustanor"]
    firm.save()
    room = running(firm, 5_000, title="First doses of Velorin")
    complete(make_participant(room), room.sections.get())

    assert OpenPayment.objects.get().products == ["Velorin"]


def test_what_is_done_and_not_final_is_promised(firm):
    room = running(firm, 5_000, 3_000)
    participant = make_participant(room)
    done = [make_completion(participant, section) for section in room.sections.all()]
    assert wallet.standing_of(participant.member).promised == 8_000

    announce(done[0])

    standing = wallet.standing_of(participant.member)
    assert (standing.promised, standing.available) == (3_000, 5_000)


def test_a_sponsorship_cannot_be_lost_with_its_room(room, firm):
    agree(room, firm)

    with pytest.raises(Exception, match="protected"):
        room.delete()
    assert RoomSponsorship.objects.exists()
