"""Money of firms as it comes in and goes back, noted by the finance desk as the bank shows it."""

from uuid import UUID

from django.db import transaction

from accounts.models import User
from rewards.models import Account, Firm, Transaction
from rewards.services import ledger
from sermo.errors import RuleBroken
from verification.services import events

Kind = Account.Kind


class NoAmount(RuleBroken):
    message = "Give an amount of at least one cent."


class NotActive(RuleBroken):
    message = "This firm is not active. It takes no new money, but what it has may be paid back."


class FormUsed(RuleBroken):
    message = "This form was used before with other words or another amount. Open it anew."


def top_up(*, firm: Firm, cents: int, note: str, submission: UUID, by: User) -> Transaction:
    """Put money that a firm has sent on its balance. The same submission does it once."""
    if not firm.is_active:
        raise NotActive
    deposits, balance = ledger.house(Kind.DEPOSITS), ledger.firm_balance(firm)
    return _once("top_up", firm, {deposits: -cents, balance: cents}, note, submission, by)


def pay_back(*, firm: Firm, cents: int, note: str, submission: UUID, by: User) -> Transaction:
    """Note that money on a firm's balance was sent back to it; what it has reserved stays. Raises NotEnough."""
    balance, refunds = ledger.firm_balance(firm), ledger.house(Kind.REFUNDS)
    return _once("withdrawal", firm, {balance: -cents, refunds: cents}, note, submission, by)


@transaction.atomic
def _once(
    kind: str, firm: Firm, entries: dict[Account, int], note: str, submission: UUID, by: User
) -> Transaction:
    if max(entries.values()) <= 0:
        raise NoAmount
    key = f"{kind}:{submission}"
    events.record(kind=f"finance_{kind}", by=by, object=f"firm:{firm.pk}", key=key)
    subject = events.subject_of(by).pk
    try:
        written = ledger.post(kind=kind, key=key, entries=entries, by=subject, note=note)
    except ledger.KeyReused:
        raise FormUsed from None
    if written.note != note:
        raise FormUsed
    return written
