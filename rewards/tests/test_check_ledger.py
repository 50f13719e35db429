"""What `check_ledger` finds, each fault made past the triggers that refuse it."""

import time
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from focusgroups.models import Sponsor as GroupSponsor
from focusgroups.tests.factories import make_room, make_section
from polls.models import Sponsor
from polls.tests.factories import make_poll
from questions.tests.factories import make_answer, make_question
from rewards.models import Account, Award, Entry, Payout, Settlement, Sponsorship
from rewards.services import checking, ledger, rooms
from rewards.tests.factories import fund, make_charity, make_earmark, make_firm, make_payee

pytestmark = pytest.mark.django_db
Kind = Account.Kind


def by_hand(statement, *values):
    """What no trigger allows, once those that wait for the commit have run."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("SET LOCAL session_replication_role = origin")


def move(kind, source, target, cents):
    return ledger.post(kind=kind, key=f"test:{uuid4()}", entries={source: -cents, target: cents})


@pytest.fixture
def earmark(physician, colleague):
    return make_earmark(
        make_answer(make_question(physician), colleague), make_firm(), voter_cents=500, voter_slots=2
    )


@pytest.fixture
def payout(physician):
    payee = make_payee(physician)
    fund(payee, 5_000)
    held = move("payout", ledger.payable_to(payee), ledger.house(Kind.SENDING), 2_000)
    return Payout.objects.create(
        submission=uuid4(),
        subject=payee.subject,
        payee=payee,
        method="bank",
        provider="manual",
        cents=2_000,
        promised_on="2026-12-01",
        held=held,
    )


@pytest.fixture
def award(earmark, colleague):
    """The earmark as settled: its author paid, the rest back with the firm."""
    payee, firm = make_payee(colleague), earmark.firm
    paid = ledger.post(
        kind="settle",
        key="settled",
        entries={
            ledger.reserved_of(firm): -2_000,
            ledger.payable_to(payee): 1_000,
            ledger.firm_balance(firm): 1_000,
        },
    )
    earmark.state, earmark.ended_at, earmark.ended = "settled", paid.at, paid
    earmark.save()
    return Award.objects.create(
        payee=payee,
        firm=firm,
        cause="author",
        earmark=earmark,
        cents=1_000,
        entry=paid.entries.get(account=ledger.payable_to(payee)),
    )


def test_right_books_have_no_fault(earmark, payout):
    out = StringIO()

    call_command("check_ledger", stdout=out)

    assert "the ledger is right" in out.getvalue()
    assert list(checking.faults()) == []


def test_settled_and_reversed_they_have_none(award, payout):
    assert list(checking.faults()) == []

    ledger.reverse(earlier=payout.held)
    by_hand("DELETE FROM rewards_payout WHERE id = %s", payout.pk)

    assert list(checking.faults()) == []


def test_a_fault_ends_the_command_with_an_error(earmark):
    by_hand("UPDATE rewards_account SET balance = balance + 1 WHERE kind = 'firm'")
    out = StringIO()

    with pytest.raises(CommandError, match="1 faults"):
        call_command("check_ledger", stdout=out)

    account = ledger.firm_balance(earmark.firm)
    assert (
        f"account {account.pk} (firm) holds {account.balance} cents, but its entries make {account.balance - 1}"
        in out.getvalue()
    )


def test_an_unbalanced_transaction_is_found_and_what_it_leaves_behind(earmark):
    entry = earmark.reserved.entries.get(account__kind="reserved")
    by_hand("UPDATE rewards_entry SET amount = amount + 7 WHERE id = %s", entry.pk)

    found = "\n".join(checking.faults())

    assert f"transaction {earmark.reserved_id} has 2 entries that sum to 7 cents" in found
    assert f"entry {entry.pk} leaves 2000 cents on account {entry.account_id}" in found


def test_a_transaction_without_entries_is_found(earmark):
    by_hand("DELETE FROM rewards_entry WHERE transaction_id = %s", earmark.reserved_id)

    assert any(f"transaction {earmark.reserved_id} has 0 entries" in fault for fault in checking.faults())


def test_an_overdrawn_account_is_found(earmark):
    by_hand("ALTER TABLE rewards_account DROP CONSTRAINT account_never_overdrawn")
    by_hand("UPDATE rewards_account SET balance = -5 WHERE kind = 'firm'")

    assert any("is overdrawn: -5 cents" in fault for fault in checking.faults())


def test_a_reversal_of_something_else_is_found(physician):
    payee = make_payee(physician)
    first = fund(payee, 1_000)
    wrong = move("fee", ledger.payable_to(payee), ledger.house(Kind.FEE), 900)
    by_hand(
        "UPDATE rewards_transaction SET kind = 'reversal', reverses_id = %s WHERE id = %s", first.pk, wrong.pk
    )

    assert any(
        f"transaction {wrong.pk} is not the exact opposite of transaction {first.pk}" in fault
        for fault in checking.faults()
    )


def test_reserved_money_that_nothing_promises_is_found(earmark):
    move("reserve", ledger.firm_balance(earmark.firm), ledger.reserved_of(earmark.firm), 300)

    assert list(checking.faults()) == [
        f"firm {earmark.firm_id} has 2300 cents reserved, but its earmarks, polls and groups have promised 2000"
    ]


def test_a_sponsored_poll_promises_what_is_left_of_it(physician):
    firm, poll = make_firm(), make_poll()
    label = Sponsor.objects.create(poll=poll, name=firm.name, kind=firm.kind, honorarium=1_000, quota=3)
    reserved = move("reserve", ledger.firm_balance(firm), ledger.reserved_of(firm), 3_000)
    sponsorship = Sponsorship.objects.create(label=label, firm=firm, reserved=reserved)
    payee = make_payee(physician)
    paid = move("honorarium", ledger.reserved_of(firm), ledger.payable_to(payee), 1_000)
    entry = paid.entries.get(amount__gt=0)

    assert any(f"firm {firm.pk} has 2000 cents reserved" in fault for fault in checking.faults())

    Award.objects.create(
        payee=payee, firm=firm, cause="poll", sponsorship=sponsorship, cents=1_000, entry=entry
    )

    assert list(checking.faults()) == []


@pytest.fixture
def group(db):
    """A focus group of four seats, $50.00 each."""
    room = make_room(seats=4)
    make_section(room, honorarium=5_000)
    return rooms.agree(room=room, firm=make_firm(), key=uuid4())


def test_a_group_promises_what_is_left_of_its_budget(group, physician):
    assert list(checking.faults()) == []

    paid = move("honorarium", ledger.reserved_of(group.firm), ledger.payable_to(make_payee(physician)), 5_000)
    assert any(f"firm {group.firm_id} has 15000 cents reserved" in fault for fault in checking.faults())

    entry = paid.entries.get(amount__gt=0)
    Award.objects.create(
        payee_id=entry.account.subject, firm=group.firm, cause="group", room=group, cents=5_000, entry=entry
    )
    assert list(checking.faults()) == []


def test_a_budget_that_was_never_reserved_is_found(group):
    make_section(group.label.room, honorarium=1_000)
    rooms.fit(room=group.label.room)
    assert list(checking.faults()) == []

    GroupSponsor.objects.update(budget=20_000)

    assert list(checking.faults()) == [
        f"firm {group.firm_id} has 24000 cents reserved, but its earmarks, polls and groups have promised 20000",
        f"focus group {group.pk} says that 20000 cents are reserved for it, but its movements make 24000",
    ]


def test_what_was_fitted_for_an_agreement_of_before_does_not_count(group):
    room = group.label.room
    make_section(room, honorarium=1_000)
    rooms.fit(room=room)
    rooms.withdraw(room=room)
    rooms.agree(room=room, firm=group.firm, key=uuid4())

    assert list(checking.faults()) == []


def test_money_on_its_way_without_a_payout_is_found(payout):
    by_hand("DELETE FROM rewards_payout WHERE id = %s", payout.pk)

    assert list(checking.faults()) == ["2000 cents are on their way, but the payouts that did not end make 0"]


def test_a_payout_of_another_amount_than_it_moved_is_found(payout):
    Payout.objects.filter(pk=payout.pk).update(cents=1_900)

    assert list(checking.faults()) == [
        "2000 cents are on their way, but the payouts that did not end make 1900",
        f"payout {payout.pk} is of 1900 cents, but its transaction {payout.held_id} moves 2000",
    ]


def test_money_paid_out_without_a_payout_is_found(payout):
    settled = move("paid", ledger.house(Kind.SENDING), ledger.house(Kind.PAID), 2_000)
    Payout.objects.filter(pk=payout.pk).update(
        state="paid", settled=settled, ended_at=settled.at, paid_on=settled.at.date()
    )
    assert list(checking.faults()) == []

    by_hand("DELETE FROM rewards_payout WHERE id = %s", payout.pk)

    assert list(checking.faults()) == ["2000 cents were paid out, but the paid payouts make 0"]


def test_an_award_that_says_another_amount_is_found(award):
    Award.objects.update(cents=999)

    assert list(checking.faults()) == [
        f"entry {award.entry_id} is of 1000 cents, but the awards that explain it make 999"
    ]


def test_a_credit_nobody_explains_is_found(award):
    Award.objects.all().delete()

    assert list(checking.faults()) == [
        f"entry {award.entry_id} credits account {award.entry.account_id} for work, but no award explains it"
    ]


def test_a_discussion_that_says_more_was_paid_than_stands_is_found(award):
    question = award.earmark.question_id
    settlement = Settlement.objects.create(pk=question, paid_cents=1_000, payees=1)
    assert list(checking.faults()) == []

    Settlement.objects.filter(pk=settlement.pk).update(paid_cents=1_500)

    assert list(checking.faults()) == [
        f"discussion {question} says that 1500 cents were paid in it, but its awards that stand make 1000"
    ]


def test_an_award_on_another_account_is_found(award):
    Award.objects.update(charity=make_charity())

    assert list(checking.faults()) == [
        f"award {award.pk} is explained by entry {award.entry_id} on somebody else's account"
    ]


def test_many_faults_of_one_kind_are_cut_short():
    by_hand(
        "INSERT INTO rewards_transaction (kind, key, at, note, xact)"
        " SELECT 'fee', 'empty ' || n, now(), '', 1 FROM generate_series(1, %s) AS n",
        checking.MOST + 5,
    )

    found = list(checking.faults())

    assert len(found) == checking.MOST + 1
    assert found[-1].startswith("... and more like it: transaction ")


@pytest.mark.scale
def test_a_million_entries_are_checked_within_ten_seconds():
    firm = make_firm(balance=10**9)
    balance, reserved = ledger.firm_balance(firm), ledger.reserved_of(firm)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rewards_account (kind, subject, balance)"
            " SELECT 'payable', gen_random_uuid(), 0 FROM generate_series(1, 5000)"
        )
        cursor.execute("SELECT array_agg(id) FROM rewards_account WHERE kind = 'payable'")
        payable = cursor.fetchone()[0]
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "INSERT INTO rewards_transaction (kind, key, at, note, xact)"
            " SELECT 'fee', 'many:' || n, now(), '', 1 FROM generate_series(1, 500000) AS n"
        )
        cursor.execute(
            """
            INSERT INTO rewards_entry (transaction_id, account_id, amount, balance_after)
            SELECT t.id, side.account, side.amount, 0
            FROM rewards_transaction t
            CROSS JOIN LATERAL (
                VALUES (%s, -7), ((%s::bigint[])[1 + t.id %% 5000], 7)
            ) AS side (account, amount)
            WHERE t.key LIKE 'many:%%'
            ORDER BY t.id
            """,
            [balance.pk, payable],
        )
        cursor.execute(
            """
            UPDATE rewards_entry e SET balance_after = running.cents FROM (
                SELECT id, sum(amount) OVER (PARTITION BY account_id ORDER BY id) AS cents FROM rewards_entry
            ) AS running WHERE running.id = e.id
            """
        )
        cursor.execute(
            "UPDATE rewards_account a SET balance ="
            " coalesce((SELECT sum(amount) FROM rewards_entry WHERE account_id = a.id), 0)"
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("ANALYZE rewards_entry, rewards_transaction, rewards_account")
    assert Entry.objects.count() >= 1_000_000
    assert Account.objects.get(pk=reserved.pk).balance == 0

    start = time.perf_counter()
    found = list(checking.faults())
    seconds = time.perf_counter() - start

    print(f"\n{Entry.objects.count()} entries checked in {seconds:.1f} s")
    assert found == []
    assert seconds < 10
