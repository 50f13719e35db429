"""Agreeing that a firm pays for a poll, and taking it back. Both end with the first vote: voters read the label."""

from uuid import UUID

from django.db import transaction
from django.utils.text import capfirst

from accounts.models import User
from polls.models import Poll, Receipt, Sponsor
from rewards.models import Firm, Sponsorship, Transaction
from rewards.services import ledger
from rewards.services.deposits import FormUsed
from sermo.errors import RuleBroken
from verification.services import events

MOST = 1_000_000  # cents of one honorarium, and paid votes of one poll: beyond is a slip of the hand


class BegunOrOver(RuleBroken):
    message = "This poll has votes or is over. Who pays for it is said before its first vote, or not at all."


class SponsoredBefore(RuleBroken):
    message = "A firm pays for this poll already."


class FirmNotActive(RuleBroken):
    message = "This firm is not active."


class OutOfBounds(RuleBroken):
    message = "The honorarium is at least one cent, and one vote at least is paid."


class Withdrawn(RuleBroken):
    message = "This was agreed and withdrawn. Fill in the form anew to agree on it once more."


@transaction.atomic
def agree(
    *,
    poll: Poll,
    firm: Firm,
    honorarium: int,
    quota: int,
    is_blinded: bool = True,
    key: UUID,
    by: User | None = None,
) -> Sponsorship:
    """Let a firm pay `quota` votes of a poll with `honorarium` cents each: all of it is reserved, and the poll says so.

    The same key is the same agreement. Raises BegunOrOver, SponsoredBefore, FirmNotActive, OutOfBounds, Withdrawn,
    ledger.NotEnough, FormUsed where the key stands for another agreement.
    """
    if by:
        events.lock_chain()
    poll = _lock(poll)
    name = f"sponsorship:{key}"
    if known := Transaction.objects.filter(key=name).first():
        said = (poll.pk, firm.pk, honorarium, quota, is_blinded)
        return _of(known, said)
    _check(poll, firm, honorarium, quota)
    label, _ = Sponsor.objects.update_or_create(
        poll=poll,
        defaults={
            "name": capfirst(firm.shown_as),
            "kind": firm.kind,
            "honorarium": honorarium,
            "quota": quota,
            "taken": 0,
        },
    )
    total = honorarium * quota
    reserved = ledger.post(
        kind=Transaction.Kind.RESERVE,
        key=name,
        entries={ledger.firm_balance(firm): -total, ledger.reserved_of(firm): total},
        by=events.subject_of(by).pk if by else None,
    )
    made = Sponsorship.objects.create(label=label, firm=firm, is_blinded=is_blinded, reserved=reserved)
    if by:
        events.record(kind="finance_sponsorship", by=by, to_state="agreed", object=f"poll:{poll.pk}")
    return made


@transaction.atomic
def withdraw(*, sponsorship: Sponsorship, by: User | None = None) -> None:
    """Take an agreement back before the first vote: the money returns to the firm, and the poll names nobody.

    Twice is as good as once. Raises BegunOrOver.
    """
    if by:
        events.lock_chain()
    poll = _lock(sponsorship.label.poll)
    sponsorship = Sponsorship.objects.select_related("firm", "label", "reserved").filter(pk=poll.pk).first()
    if sponsorship is None:
        return
    if is_begun(poll):
        raise BegunOrOver
    total = sponsorship.label.honorarium * sponsorship.label.quota
    ledger.post(
        kind=Transaction.Kind.RELEASE,
        key=f"release:{sponsorship.reserved.key}",
        entries={
            ledger.reserved_of(sponsorship.firm): -total,
            ledger.firm_balance(sponsorship.firm): total,
        },
        by=events.subject_of(by).pk if by else None,
    )
    label = sponsorship.label
    sponsorship.delete()
    label.delete()
    if by:
        events.record(kind="finance_sponsorship", by=by, to_state="withdrawn", object=f"poll:{poll.pk}")


def is_begun(poll: Poll) -> bool:
    """Whether it is too late to say who pays for a poll."""
    return poll.is_over or not poll.question.is_open or Receipt.objects.filter(poll=poll).exists()


def _lock(poll: Poll) -> Poll:
    """Until the transaction ends no receipt is written: it needs the row of its poll, and waits or is seen here."""
    return Poll.objects.select_for_update(of=("self",)).select_related("question").get(pk=poll.pk)


def _of(reserved: Transaction, said: tuple) -> Sponsorship:
    found = Sponsorship.objects.filter(reserved=reserved).select_related("label").first()
    if found is None:
        raise Withdrawn
    label = found.label
    if said != (found.pk, found.firm_id, label.honorarium, label.quota, found.is_blinded):
        raise FormUsed
    return found


def _check(poll: Poll, firm: Firm, honorarium: int, quota: int) -> None:
    if Sponsorship.objects.filter(pk=poll.pk).exists():
        raise SponsoredBefore
    if is_begun(poll):
        raise BegunOrOver
    if not firm.is_active:
        raise FirmNotActive
    if not (0 < honorarium <= MOST and 0 < quota <= MOST):
        raise OutOfBounds
