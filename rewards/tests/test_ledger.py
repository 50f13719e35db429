"""The ledger: what services refuse, and what the database refuses to everybody."""

import pytest
from django.db import DatabaseError, connection, transaction

from rewards.models import Account, Entry, Firm, Transaction
from rewards.services import ledger
from rewards.services.ledger import NotEnough

pytestmark = pytest.mark.django_db
Kind = Account.Kind


@pytest.fixture
def firm():
    firm = Firm.objects.create(name="Halden", kind="pharma")
    ledger.post(
        kind="top_up",
        key="first",
        entries={ledger.house(Kind.DEPOSITS): -10_000, ledger.firm_balance(firm): 10_000},
    )
    return firm


def balance(account):
    return Account.objects.get(pk=account.pk).balance


def test_a_transaction_moves_balances(firm):
    ledger.post(
        kind="reserve", key="r", entries={ledger.firm_balance(firm): -2_500, ledger.reserved_of(firm): 2_500}
    )

    assert balance(ledger.firm_balance(firm)) == 7_500
    assert [entry.balance_after for entry in ledger.reserved_of(firm).entries.all()] == [2_500]


def test_the_same_key_moves_nothing_twice(firm):
    entries = {ledger.firm_balance(firm): -2_500, ledger.reserved_of(firm): 2_500}
    first = ledger.post(kind="reserve", key="r", entries=entries)

    assert ledger.post(kind="reserve", key="r", entries=entries) == first
    assert balance(ledger.reserved_of(firm)) == 2_500


def test_the_same_key_for_something_else_is_an_error(firm):
    ledger.post(kind="reserve", key="r", entries={ledger.firm_balance(firm): -1, ledger.reserved_of(firm): 1})

    with pytest.raises(ledger.KeyReused):
        ledger.post(
            kind="reserve", key="r", entries={ledger.firm_balance(firm): -2, ledger.reserved_of(firm): 2}
        )


def test_no_account_is_overdrawn(firm):
    with pytest.raises(NotEnough):
        ledger.post(
            kind="reserve",
            key="r",
            entries={ledger.firm_balance(firm): -10_001, ledger.reserved_of(firm): 10_001},
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rewards_entry SET amount = amount + 1",
        "DELETE FROM rewards_entry",
        "TRUNCATE rewards_entry CASCADE",
        "UPDATE rewards_transaction SET note = 'x'",
        "DELETE FROM rewards_transaction",
        "UPDATE rewards_account SET balance = balance + 1",
        "DELETE FROM rewards_account",
        "INSERT INTO rewards_account (kind, balance) VALUES ('fee', 5)",
    ],
)
def test_the_database_refuses_changes_by_hand(firm, statement):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_entries_do_not_join_a_transaction_written_before(firm):
    earlier = Transaction.objects.get(key="first")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE rewards_transaction SET xact = xact - 1")
        cursor.execute("SET LOCAL session_replication_role = origin")

    with pytest.raises(DatabaseError), transaction.atomic():
        Entry.objects.create(transaction=earlier, account=ledger.house(Kind.FEE), amount=5)


@transaction.atomic
def write_at_once(amounts):
    """One transaction as a commit would check it."""
    row = Transaction.objects.create(kind="fee", key="odd")
    for account, amount in zip([ledger.house(Kind.FEE), ledger.house(Kind.PAID)], amounts, strict=False):
        Entry.objects.create(transaction=row, account=account, amount=amount)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.mark.parametrize("amounts", [[5], [5, -4], []])
def test_an_unbalanced_transaction_is_not_committed(amounts):
    with pytest.raises(DatabaseError):
        write_at_once(amounts)


def test_a_balanced_one_is():
    write_at_once([5, -5])

    assert Transaction.objects.filter(key="odd").exists()


def test_a_reversal_undoes_once(firm):
    first = Transaction.objects.get(key="first")

    undone = ledger.reverse(earlier=first, note="typed twice")

    assert balance(ledger.firm_balance(firm)) == 0
    with pytest.raises(ledger.ReversedBefore):
        ledger.reverse(earlier=first)
    with pytest.raises(ledger.NotReversible):
        ledger.reverse(earlier=undone)
