"""Undoing what the ledger says, by writing the opposite."""

from django.db import transaction

from accounts.models import User
from rewards.models import Account, OpenPayment, Transaction
from rewards.services import ledger
from sermo.errors import RuleBroken
from verification.services import events

Kind = Transaction.Kind

ALONE = (Kind.TOP_UP, Kind.WITHDRAWAL, Kind.LATE, Kind.FEE)  # of which nothing but the ledger tells
EARNED = (Kind.SETTLE, Kind.HONORARIUM)


class HasItsOwnWay(RuleBroken):
    message = (
        "Other records tell of this, too, and would say something else then. "
        "Cancel the earmark, withdraw the sponsorship or note what became of the payout."
    )


class NoReason(RuleBroken):
    message = "Say why."


def may_be_undone(earlier: Transaction) -> bool:
    return earlier.kind in (*ALONE, *EARNED) and not hasattr(earlier, "reversed_by")


@transaction.atomic
def undo(*, earlier: Transaction, reason: str, by: User) -> Transaction:
    """Reverse a transaction, once. What members had earned by it goes back to the firm, and is not reported.

    Raises ReversedBefore, HasItsOwnWay, NoReason, NotEnough where somebody has had the money paid out already.
    """
    if not reason.strip():
        raise NoReason
    if earlier.kind == Kind.REVERSAL:
        raise ledger.NotReversible
    if earlier.kind not in (*ALONE, *EARNED):
        raise HasItsOwnWay
    events.record(kind="finance_reversal", by=by, object=f"transaction:{earlier.pk}")
    subject = events.subject_of(by).pk
    if earlier.kind in ALONE:
        return ledger.reverse(earlier=earlier, by=subject, note=reason)
    OpenPayment.objects.filter(award__entry__transaction=earlier).update(excluded=True)
    entries = list(earlier.entries.select_related("account__firm"))
    reserved = next(entry for entry in entries if entry.account.kind == Account.Kind.RESERVED)
    balance = ledger.firm_balance(reserved.account.firm)
    ledger.lock(balance, *(entry.account for entry in entries))
    undone = ledger.reverse(earlier=earlier, by=subject, note=reason)
    ledger.post(
        kind=Kind.RELEASE,
        key=f"reversed:{earlier.pk}",
        entries={reserved.account: reserved.amount, balance: -reserved.amount},
        by=subject,
        note=reason,
    )
    return undone
