"""What it costs to vouch for an impostor: the power to vouch, points, and a second look at the others so vouched for.

That it happened is written with the revocation. What follows touches other claims and other people, whose locks come
before those that the revocation holds, so it follows in transactions of its own: at once where a broker is there,
with the sweep where it is not. All of it can be repeated.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from sermo.background import each_alone, nudge
from verification import tasks
from verification.models import Claim, Decision, Event, Vouch, VouchLoss
from verification.models.claims import Method, State
from verification.services import events, notices, states
from verification.signals import vouch_failed

DOUBT = "voucher_failed"
SWEPT = timedelta(days=30)  # how far back the sweep looks at losses that were taken back
# Ends of a membership that say nothing of who somebody is
BLAMELESS = ("conduct", "license_ended", "retired", Decision.Reason.EXCLUDED, Decision.Reason.OUTDATED)


@transaction.atomic
def fail(*, claim: Claim) -> list[VouchLoss]:
    """Write down what vouching for a revoked claim cost, where it was revoked for a fraud; once for each voucher.

    To be called with the claim locked, in the transaction that revoked it. Returns the losses, none where it was
    revoked for something else.
    """
    if claim.state != State.REVOKED or _revoked_for(claim) in BLAMELESS:
        return []
    lost = [_lose(claim, vouch) for vouch in claim.vouches.select_related("voucher").order_by("voucher")]
    if lost:
        _follow_up_soon(claim)
    return lost


@transaction.atomic
def take_back(*, claim: Claim) -> int:
    """Give back what a revocation cost those who had vouched, since it stands no more. Returns for how many."""
    standing = list(_standing_losses().filter(claim=claim).select_related("voucher").order_by("voucher"))
    for loss in standing:
        loss.taken_back_at = timezone.now()
        loss.save(update_fields=["taken_back_at"])
        _record("vouch_loss_taken_back", loss)
    if standing:
        _follow_up_soon(claim)
    return len(standing)


def follow_up(*, claim_id: int) -> None:
    """Do all that follows from the losses of one claim: points, mail, a second look. Twice is as good as once."""
    losses = VouchLoss.objects.filter(claim=claim_id).select_related("voucher__member", "claim")
    for loss in losses.order_by("pk"):
        if loss.voucher.as_member:
            vouch_failed.send(sender=VouchLoss, member=loss.voucher.as_member)
        if loss.taken_back_at is None:
            _tell(loss)
    for pk in _vouched_by_the_same(claim_id):
        _look_again(pk, failed=claim_id)


def follow_up_all() -> int:
    """Do what was left undone; return for how many revoked claims it was looked.

    Losses that stand are gone through however old they are: a claim that had lapsed meanwhile may be verified again.
    """
    lately = VouchLoss.objects.filter(taken_back_at__gt=timezone.now() - SWEPT)
    claims = sorted(set((_standing_losses() | lately).values_list("claim", flat=True)))
    return each_alone(_follow_up, claims, failed="vouch_loss_not_followed")


def _follow_up(claim_id: int) -> bool:
    follow_up(claim_id=claim_id)
    return True


def has_lost(voucher) -> bool:
    """Whether somebody may not vouch, and what they signed counts nothing."""
    return bool(who_lost([voucher]))


def who_lost(people) -> set[int]:
    """The ids of those among people who may not vouch."""
    if not people:
        return set()
    return set(_standing_losses().filter(voucher__in=people).values_list("voucher", flat=True))


def _standing_losses():
    return VouchLoss.objects.filter(taken_back_at=None)


def _revoked_for(claim: Claim) -> str:
    moves = Event.objects.filter(kind="state", case_number=claim.case_number, to_state=State.REVOKED)
    return moves.order_by("-pk").values_list("reason", flat=True).first() or ""


def _lose(claim: Claim, vouch: Vouch) -> VouchLoss:
    loss, is_new = VouchLoss.objects.get_or_create(claim=claim, voucher=vouch.voucher)
    if not is_new and loss.taken_back_at is None:
        return loss
    if not is_new:  # revoked, given back, and revoked again
        loss.at, loss.taken_back_at = timezone.now(), None
        loss.save(update_fields=["at", "taken_back_at"])
    _record("vouch_failed", loss)
    return loss


def _record(kind: str, loss: VouchLoss) -> None:
    """In the case of the voucher, with the case that failed: reviewers meet vouchers by case number, too."""
    own = Claim.objects.holding().filter(user=loss.voucher_id).select_related("user").first()
    events.record(kind=kind, claim=own, evidence=[loss.claim.case_number])


def _follow_up_soon(claim: Claim) -> None:
    nudge(tasks.follow_up_vouch_losses, claim.pk)


@transaction.atomic
def _tell(loss: VouchLoss) -> None:
    """One mail for a loss, and none of whom it was about."""
    states.lock_account(loss.voucher)
    key = f"vouch_loss_told {loss.pk} {loss.at:%Y%m%d%H%M%S}"
    if Event.objects.filter(key=key).exists():
        return
    notices.tell_member(loss.voucher, "vouch_failed", "verification:vouches")
    events.record(kind="vouch_loss_told", key=key)


def _vouched_by_the_same(failed: int) -> list[int]:
    """Verified claims that rest on vouches, at least one of them by somebody who vouched for the failed one."""
    lost = _standing_losses().filter(claim=failed).values("voucher")
    vouched = Vouch.objects.filter(voucher__in=lost).values("claim")
    rows = Claim.objects.filter(pk__in=vouched, state=State.VERIFIED, method=Method.VOUCH).order_by("pk")
    return list(rows.values_list("pk", flat=True))


@transaction.atomic
def _look_again(pk: int, *, failed: int) -> None:
    """Put a verified claim before a reviewer, at the head of the queue and once for each failed one; it holds on."""
    claim = Claim.objects.select_related("user").get(pk=pk)
    states.lock_identity(claim)
    claim = states.lock(claim)
    if claim.state != State.VERIFIED or claim.method != Method.VOUCH:
        return
    key = f"look_again {pk} {failed}"
    if Event.objects.filter(key=key).exists():
        return
    from verification.services import queue  # which imports this module by way of `vouching`

    events.record(kind="look_again", claim=claim, reason=DOUBT, key=key)
    states.move(
        claim=claim,
        to=State.NEEDS_REVIEW_HELD,
        as_=states.SYSTEM,
        reason=DOUBT,
        doubts=[*(doubt for doubt in claim.doubts if doubt != DOUBT), DOUBT],
        queued_at=timezone.now(),
        decided_at=claim.decided_at,  # of the verification: its documents are not kept for longer
        is_ahead=True,
    )
    queue.weigh(states.lock(claim))
