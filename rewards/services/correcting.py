"""Undoing what the ledger says, by writing the opposite."""

from django.db import transaction

from accounts.models import User
from questions.models import Question
from rewards.models import Account, Award, Entry, OpenPayment, Payee, Pool, Settlement, Transaction
from rewards.services import ledger, telling
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


class OwnMoney(RuleBroken):
    message = "Somebody else decides about money of yours."


class NoReason(RuleBroken):
    message = "Say why."


def may_be_undone(earlier: Transaction) -> bool:
    return earlier.kind in (*ALONE, *EARNED) and not hasattr(earlier, "reversed_by")


@transaction.atomic
def undo(*, earlier: Transaction, reason: str, by: User) -> Transaction:
    """Reverse a transaction, once. What members had earned by it goes back to the firm, is not reported, and is not
    said any more to have been paid in its discussion.

    Raises ReversedBefore, HasItsOwnWay, NoReason, OwnMoney, NotEnough where somebody has had the money paid out
    already.
    """
    if not reason.strip():
        raise NoReason
    if earlier.kind == Kind.REVERSAL:
        raise ledger.NotReversible
    if earlier.kind not in (*ALONE, *EARNED):
        raise HasItsOwnWay
    if _is_own(earlier, by):
        raise OwnMoney
    events.record(kind="finance_reversal", by=by, object=f"transaction:{earlier.pk}")
    subject = events.subject_of(by).pk
    if earlier.kind in ALONE:
        return ledger.reverse(earlier=earlier, by=subject, note=reason)
    question_id = _hold_discussion(earlier)
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
    if question_id:
        _say_what_stands(question_id)
    telling.of_undone(earlier.pk, Award.objects.filter(entry__transaction=earlier))
    return undone


def _is_own(earlier: Transaction, by: User) -> bool:
    """Whether the money of a transaction came to somebody themselves, or to the charity they chose."""
    own = Payee.objects.filter(member__user=by).values("subject")
    return (
        Entry.objects.filter(transaction=earlier, account__subject__in=own).exists()
        or Award.objects.filter(entry__transaction=earlier, payee__in=own).exists()
    )


def _hold_discussion(earlier: Transaction) -> int | None:
    """Lock the discussion that was settled, as whoever settles in it does, before any account."""
    settled = Award.objects.filter(entry__transaction=earlier, earmark__isnull=False)
    question_id = settled.values_list("earmark__question", flat=True).first()
    if question_id:
        Question.objects.select_for_update(no_key=True).get(pk=question_id)
    return question_id


def _say_what_stands(question_id: int) -> None:
    """Sum up anew what was paid in a discussion; where nothing stands, nothing was, and its draws are gone, too."""
    settlement = Settlement.objects.filter(pk=question_id).first()
    if settlement is None:
        return
    awards = Award.objects.filter(earmark__question=question_id, entry__transaction__reversed_by=None)
    standing = list(awards.select_related("firm", "entry__account").order_by("pk"))
    if not standing:
        Pool.objects.filter(settlement=settlement).delete()
        settlement.delete()
        return
    whose = {award.payee_id or award.entry.account.subject or f"award {award.pk}" for award in standing}
    settlement.paid_cents = sum(award.cents for award in standing)
    settlement.payees = len(whose)
    settlement.firms = list(dict.fromkeys(award.firm.shown_as for award in standing))
    settlement.save(update_fields=["paid_cents", "payees", "firms"])
