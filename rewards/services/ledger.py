"""Moving money. Everything that changes a balance goes through `post`; the database refuses all else."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from rewards.models import Account, Charity, Entry, Firm, Payee, Transaction
from sermo.errors import RuleBroken

Kind = Account.Kind


class NotEnough(RuleBroken):
    message = "There is not enough money on the account."


class ReversedBefore(RuleBroken):
    message = "This was reversed before."


class NotReversible(RuleBroken):
    message = "A reversal is not reversed; write what is right as a new transaction."


class KeyReused(Exception):
    """The same key was used for other entries: an error of the caller, never of somebody at a form."""


# Accounts


def house(kind: Kind) -> Account:
    """Deposits, refunds, paid, sending or the house's own fee account, made when first needed."""
    return _account(kind=kind)


def firm_balance(firm: Firm) -> Account:
    return _account(kind=Kind.FIRM, firm=firm)


def reserved_of(firm: Firm) -> Account:
    return _account(kind=Kind.RESERVED, firm=firm)


def payable_to(payee: Payee) -> Account:
    return _account(kind=Kind.PAYABLE, subject=payee.subject)


def held_for(charity: Charity) -> Account:
    return _account(kind=Kind.CHARITY, charity=charity)


def _account(**owner: Any) -> Account:
    return Account.objects.get_or_create(**owner)[0]


def lock(*accounts: Account) -> list[Account]:
    """Lock accounts in the order of their ids, with their balances as they are now.

    Whoever writes several transactions in one commit locks all their accounts with this first.
    """
    keys = {account.pk for account in accounts}
    return list(Account.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk"))


# Transactions


@transaction.atomic
def post(
    *, kind: str, key: str, entries: Mapping[Account, int], by: UUID | None = None, note: str = ""
) -> Transaction:
    """Write one transaction: cents by account, a positive number for money that comes to it. Zeros are left out.

    The same key with the same entries is the transaction it made before. Accounts are locked in the order of their
    ids until the caller's transaction ends; call it after locking anything else. Raises NotEnough where an account
    that holds somebody's money would go below zero, KeyReused.
    """
    return _write(Transaction(kind=kind, key=key, by=by, note=note), entries)


@transaction.atomic
def reverse(*, earlier: Transaction, by: UUID | None = None, note: str = "") -> Transaction:
    """Write the opposite of a transaction. Raises ReversedBefore, NotReversible, NotEnough."""
    if earlier.kind == Transaction.Kind.REVERSAL:
        raise NotReversible
    if Transaction.objects.filter(reverses=earlier).exists():
        raise ReversedBefore
    entries = {entry.account: -entry.amount for entry in earlier.entries.select_related("account")}
    undone = Transaction(
        kind=Transaction.Kind.REVERSAL, key=f"reversal:{earlier.pk}", by=by, note=note, reverses=earlier
    )
    return _write(undone, entries)


def _write(row: Transaction, entries: Mapping[Account, int]) -> Transaction:
    amounts = {account.pk: cents for account, cents in entries.items() if cents}
    if len(amounts) < 2 or sum(amounts.values()):
        raise ValueError(f"entries do not balance: {amounts}")
    locked = lock(*(account for account in entries if account.pk in amounts))
    if known := Transaction.objects.filter(key=row.key).first():
        if dict(known.entries.values_list("account", "amount")) != amounts:
            raise KeyReused(row.key)
        return known
    for account in locked:
        if account.kind in Account.HOLDING and account.balance + amounts[account.pk] < 0:
            raise NotEnough
    row.at = timezone.now()
    row.save(force_insert=True)
    Entry.objects.bulk_create(
        Entry(transaction=row, account=account, amount=amounts[account.pk]) for account in locked
    )
    return row
