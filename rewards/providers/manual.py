"""Money that people send: the finance desk takes payouts away in files and says later what became of each."""

import csv
import io
from datetime import date
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from rewards import business_days
from rewards.models import Payout, PayoutBatch, PayoutStep
from rewards.providers.base import FAILED, PAID, RETURNED, Outcome, Provider
from rewards.services import payouts
from rewards.services.approving import NoReason, OwnPayout
from sermo.csv_cells import BYTE_ORDER_MARK, harmless
from sermo.errors import RuleBroken
from verification.services import events

MOST = 1_000  # payouts of one file
COLUMNS = ("payout", "key", "asked_on", "promised_on", "amount")

State = Payout.State


class NothingToTake(RuleBroken):
    message = "No approved payouts of this kind are waiting."


class AllWait(NothingToTake):
    message = "Those of this kind that are approved wait, since their members are suspended."


class NotTaken(RuleBroken):
    message = "This payout is not out with the finance desk."


class NoReference(RuleBroken):
    message = "Write down the number of the check, transfer or card."


class NotThatDay(RuleBroken):
    message = "It was paid on a day from the one it was asked for to today."


class Manual(Provider):
    name = "manual"
    sends = False


def take_batch(*, method: str, by: User) -> tuple[PayoutBatch, bytes]:
    """All approved payouts of a method, oldest first, as a file; they count as sent. Raises NothingToTake.

    Those of suspended members stay, and say so. A file that went astray is made again with `file_of`.
    """
    waiting = Payout.objects.filter(state=State.APPROVED, provider=Manual.name, method=method)
    held_up = payouts.hold_up(waiting)
    try:
        return _take(waiting, method, by)
    except NothingToTake:
        if held_up:
            raise AllWait from None
        raise


@transaction.atomic
def _take(waiting: QuerySet[Payout], method: str, by: User) -> tuple[PayoutBatch, bytes]:
    events.lock_chain()
    taken = list(payouts.free(waiting).select_for_update(no_key=True).order_by("pk")[:MOST])
    if not taken:
        raise NothingToTake
    person, now = events.subject_of(by).pk, timezone.now()
    batch = PayoutBatch.objects.create(
        method=method,
        made_at=now,
        made_by=person,
        payouts_count=len(taken),
        cents=sum(payout.cents for payout in taken),
    )
    for payout in taken:
        payout.state, payout.batch, payout.sent_at, payout.problem = State.SUBMITTED, batch, now, ""
        payout.tries += 1
    Payout.objects.bulk_update(taken, ["state", "batch", "sent_at", "problem", "tries"])
    PayoutStep.objects.bulk_create(
        PayoutStep(payout=payout, state=State.SUBMITTED, at=now, by=person) for payout in taken
    )
    events.record(kind="finance_batch", by=by, object=f"payout_batch:{batch.pk}")
    return batch, file_of(batch)


def file_of(batch: PayoutBatch) -> bytes:
    """What is still to be sent of a batch, as a table in which every cell is quoted and none is a formula.

    What was paid or put back meanwhile is left out, so that a file fetched again sends nothing twice.
    """
    rows = list(batch.payouts.filter(state=State.SUBMITTED).order_by("pk"))
    fields = list(dict.fromkeys(field for payout in rows for field in payout.details or {}))
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL)
    writer.writerow([*COLUMNS, *fields])
    for payout in rows:
        details = payout.details or {}
        writer.writerow(
            [
                payout.pk,
                payout.key,
                payout.requested_at.date(),
                payout.promised_on,
                f"{payout.cents // 100}.{payout.cents % 100:02}",
                *(harmless(str(details.get(field, ""))) for field in fields),
            ]
        )
    return (BYTE_ORDER_MARK + written.getvalue()).encode()


@transaction.atomic
def confirm(*, payout: Payout, reference: str, by: User, paid_on: date | None = None) -> Payout:
    """Note that it was sent, under which number, and on which day (today).

    The tax year goes by that day. Raises NoReference, NotTaken, NotThatDay, OwnPayout.
    """
    if not (reference := reference.strip()[:120]):
        raise NoReference
    payout, person = _own_to_nobody(payout, by)
    if payout.state == State.PAID and payout.reference == reference and paid_on in (None, payout.paid_on):
        return payout
    if payout.state != State.SUBMITTED:
        raise NotTaken
    if paid_on and not business_days.day_of(payout.requested_at) <= paid_on <= business_days.today():
        raise NotThatDay
    events.record(kind="finance_paid", by=by, object=f"payout:{payout.pk}")
    return payouts.settle(payout, Outcome(PAID, reference, paid_on=paid_on), by=person)


@transaction.atomic
def came_back(*, payout: Payout, note: str, by: User) -> Payout:
    """Note that it could not be sent, or came back after it was. Raises NoReason, NotTaken, OwnPayout."""
    if not (note := note.strip()):
        raise NoReason
    payout, person = _own_to_nobody(payout, by)
    if payout.state not in (State.SUBMITTED, State.PAID):
        raise NotTaken
    events.record(kind="finance_came_back", by=by, object=f"payout:{payout.pk}")
    state = RETURNED if payout.state == State.PAID else FAILED
    return payouts.settle(payout, Outcome(state, problem=note), by=person)


def _own_to_nobody(payout: Payout, by: User) -> tuple[Payout, UUID]:
    """The payout, locked after the chain, for somebody who sends it by hand and whose own it is not."""
    events.lock_chain()
    payout = payouts.locked(payout)
    if payout.provider != Manual.name:
        raise NotTaken
    if payouts.is_own(payout, by):
        raise OwnPayout
    return payout, events.subject_of(by).pk
