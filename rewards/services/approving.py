"""The finance desk says yes or no to a payout. Who sits there is the desk's matter; nobody decides over their own."""

from django.db import transaction

from accounts.models import User
from rewards.models import Approval, Payout
from rewards.services import payouts
from sermo.errors import RuleBroken
from verification.services import events

State = Payout.State


class OwnPayout(RuleBroken):
    message = "Somebody else decides over your own payouts, and over those you asked for."


class NotWaiting(RuleBroken):
    message = "This payout does not wait for approval."


class HeldUp(RuleBroken):
    message = payouts.HELD_UP


class SecondPerson(RuleBroken):
    message = "You approved this payout before. It takes a second person."


class NoReason(RuleBroken):
    message = "Say why, in words the member may read."


@transaction.atomic
def approve(*, payout: Payout, by: User) -> Payout:
    """One person's yes; the payout is approved once there are as many as its sum needs.

    Raises OwnPayout, NotWaiting, HeldUp, SecondPerson.
    """
    events.lock_chain()
    payout = payouts.locked(payout)
    if payouts.is_own(payout, by):
        raise OwnPayout
    person = events.subject_of(by).pk
    if payout.state != State.REQUESTED:
        if payout.approvals.filter(by=person).exists():
            return payout
        raise NotWaiting
    if not payouts.free(Payout.objects.filter(pk=payout.pk)).exists():
        raise HeldUp
    if not Approval.objects.get_or_create(payout=payout, by=person)[1]:
        raise SecondPerson
    events.record(kind="finance_approve", by=by, object=f"payout:{payout.pk}")
    if payout.approvals.count() >= payouts.approvals_needed(payout):
        payouts.move(payout, State.APPROVED, by=person)
    return payout


@transaction.atomic
def refuse(*, payout: Payout, by: User, note: str) -> Payout:
    """Put the sum back and say why. Raises NoReason, OwnPayout, payouts.TooLate."""
    if not (note := note.strip()):
        raise NoReason
    events.lock_chain()
    payout = payouts.locked(payout)
    if payouts.is_own(payout, by):
        raise OwnPayout
    payouts.require_untouched(payout)
    events.record(kind="finance_refuse", by=by, object=f"payout:{payout.pk}")
    payouts.put_back(payout, by=events.subject_of(by).pk, note=note, problem=note)
    payouts.tell(payout)
    return payout
