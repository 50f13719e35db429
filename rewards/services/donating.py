"""Giving away what stands on one's balance."""

from uuid import UUID

from django.db import transaction

from rewards.models import Charity, Payee, Transaction
from rewards.services import ledger
from sermo.errors import RuleBroken


class NotOffered(RuleBroken):
    message = "This charity is not offered any more. Choose another one."


class NothingGiven(RuleBroken):
    message = "Give at least one cent."


class GivenBefore(RuleBroken):
    message = "This form was sent before, with another amount or charity. Open it anew to give again."


@transaction.atomic
def donate(*, payee: Payee, charity: Charity, cents: int, submission: UUID) -> Transaction:
    """Move cents of a member's balance to a charity's account. The same submission twice gives once.

    Raises NotOffered, NothingGiven, GivenBefore, ledger.NotEnough.
    """
    if cents <= 0:
        raise NothingGiven
    if not charity.is_active:
        raise NotOffered
    entries = {ledger.payable_to(payee): -cents, ledger.held_for(charity): cents}
    try:
        return ledger.post(kind=Transaction.Kind.DONATION, key=f"donation:{submission}", entries=entries)
    except ledger.KeyReused as reused:
        raise GivenBefore from reused
