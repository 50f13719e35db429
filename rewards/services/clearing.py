"""What the finance desk clears up itself, always with somebody beside whom it concerns: payouts whose provider never
says what became of them, and files of payouts.
"""

from datetime import date

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from rewards import business_days
from rewards.models import Payout, PayoutBatch
from rewards.providers import manual
from rewards.providers.base import FAILED, PAID, Outcome
from rewards.services import payouts
from rewards.services.approving import OwnPayout
from sermo.errors import RuleBroken
from verification.services import events

NEVER_SENT = "Found never sent."

State = Payout.State


class NotInDoubt(RuleBroken):
    message = "This payout is not in doubt any more."


class SaidBefore(RuleBroken):
    message = "You noted this before. Somebody else now has to find the same."


class ReferenceUsed(RuleBroken):
    message = "Another payout was paid under this number. Look again."


class OwnAmongThem(RuleBroken):
    message = "One of these payouts is your own, or asked for by you. Somebody else takes this file away."


# In doubt


def found_paid(*, payout: Payout, reference: str, paid_on: date, by: User) -> Payout:
    """Note that a payout in doubt was found to be paid. It counts once a second person notes the same number and day.

    Raises NotInDoubt, OwnPayout, SaidBefore, ReferenceUsed, manual.NoReference, manual.NotThatDay.
    """
    if not (reference := reference.strip()[:120]):
        raise manual.NoReference
    if not business_days.day_of(payout.requested_at) <= paid_on <= business_days.today():
        raise manual.NotThatDay
    outcome = Outcome(PAID, reference, paid_on=paid_on)
    return _clear(payout, f"Found paid on {paid_on}: {reference}", outcome, by)


def never_sent(*, payout: Payout, by: User) -> Payout:
    """Note that a payout in doubt was never sent. Once a second person notes it, too, the sum is back on the balance.

    Raises NotInDoubt, OwnPayout, SaidBefore.
    """
    return _clear(payout, NEVER_SENT, Outcome(FAILED, problem="It was never sent."), by)


@transaction.atomic
def _clear(payout: Payout, finding: str, outcome: Outcome, by: User) -> Payout:
    """A finding is a step in doubt with these words. One of before it was last sent tells nothing of that."""
    events.lock_chain()
    payout = payouts.locked(payout)
    if payouts.is_own(payout, by):
        raise OwnPayout
    if payout.state != State.IN_DOUBT:
        raise NotInDoubt
    _refuse_used(payout, outcome.reference)
    person = events.subject_of(by).pk
    found = payout.steps.filter(state=State.IN_DOUBT, note=finding[: payouts.WORDS], by__isnull=False)
    if payout.sent_at:
        found = found.filter(at__gte=payout.sent_at)
    if found.filter(by=person).exists():
        raise SaidBefore
    events.record(
        kind="finance_doubt",
        by=by,
        object=f"payout:{payout.pk}",
        to_state=outcome.state,
        reason="second" if found.exists() else "first",
    )
    if found.exists():
        return payouts.settle(payout, outcome, by=person)
    payouts.step(payout, State.IN_DOUBT, by=person, note=finding)
    return payout


# By hand


@transaction.atomic
def confirm(*, payout: Payout, reference: str, paid_on: date | None = None, by: User) -> Payout:
    """Note that a payout taken away was sent, under a number that no other one has. Raises as `manual.confirm` does."""
    events.lock_chain()  # all who confirm come by here, so that no number is written twice at once
    _refuse_used(payout, reference.strip()[:120])
    return manual.confirm(payout=payout, reference=reference, paid_on=paid_on, by=by)


@transaction.atomic
def take_batch(*, method: str, by: User) -> tuple[PayoutBatch, bytes]:
    """A file of payouts for somebody of whom none of them is. Raises OwnAmongThem, manual.NothingToTake."""
    batch, table = manual.take_batch(method=method, by=by)
    asked = Q(steps__state=State.REQUESTED, steps__by=events.subject_of(by).pk)
    if batch.payouts.filter(Q(payee__member__user=by) | asked).exists():
        raise OwnAmongThem
    return batch, table


def _refuse_used(payout: Payout, reference: str) -> None:
    others = Payout.objects.filter(provider=payout.provider, reference__iexact=reference).exclude(
        pk=payout.pk
    )
    if payout.provider == manual.Manual.name:  # checks and transfers are numbered each for itself
        others = others.filter(method=payout.method, state=State.PAID)
    if reference and others.exists():
        raise ReferenceUsed
