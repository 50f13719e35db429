"""What reviewers may do with a claim."""

from django.db import transaction

from accounts.models import User
from sermo.errors import RuleBroken
from verification.models import Claim, Decision, DisputeOpinion
from verification.models.claims import State
from verification.services import disputes, events, notices, outcome, states

OPEN_TO_DECISION = (State.CHALLENGED, State.NEEDS_REVIEW, State.PROVEN)
Outcome = Decision.Outcome


class NotAReviewer(RuleBroken):
    message = "Only verification reviewers decide claims, and never their own."


class AlreadyDecided(RuleBroken):
    message = "This claim is not waiting for a decision any more."


class SecondReviewerNeeded(RuleBroken):
    message = "You rejected this claim. An appeal is read by another reviewer."


class ReasonMissing(RuleBroken):
    message = "Write why, in a sentence."


@transaction.atomic
def approve(*, claim: Claim, by: User, reason: str, note: str, exclusion_checked: bool = False) -> Claim:
    """Verify a proven claim; where its identity is held already, open a dispute instead.

    Raises NotAReviewer, AlreadyDecided, SecondReviewerNeeded, ReasonMissing, and the refusals of `outcome`.
    """
    states.lock_identity(claim)
    everyone = {each.pk: each for each in Claim.objects.select_for_update().of_identity(claim).order_by("pk")}
    claim = _open_claim(claim, by, note)
    outcome.check_may_verify(claim, exclusion_checked=exclusion_checked)
    method = outcome.proof_method(claim)
    _write_down(claim, by, Outcome.APPROVE, reason, note)
    claim = states.move(
        claim=claim, to=State.PROVEN, as_=states.REVIEWER, by=by, reason=reason, evidence=[method]
    )
    holder = next((each for each in everyone.values() if each.is_holding), None)
    if holder:
        disputes.open_dispute(holder=holder, rival=claim, by=by)
        return states.lock(claim)
    return outcome.make_verified(claim, as_=states.SYSTEM, by=by, method=method)


@transaction.atomic
def reject(*, claim: Claim, by: User, reason: str, note: str) -> Claim:
    """Turn a claim down for a reason the applicant is shown. Raises the same as `approve`, but for `outcome`'s."""
    states.lock_identity(claim)
    claim = _open_claim(claim, by, note)
    _write_down(claim, by, Outcome.REJECT, reason, note)
    claim = _into_review(claim, by)
    claim = states.move(
        claim=claim, to=State.REJECTED, as_=states.REVIEWER, by=by, reason=reason, rejected_for=reason
    )
    notices.tell_applicant(claim, "rejected")
    return claim


@transaction.atomic
def ask_for_more(*, claim: Claim, by: User, reason: str, note: str, message: str) -> Claim:
    """Give a claim back to the applicant with what is missing. Raises the same as `reject`."""
    states.lock_identity(claim)
    claim = _open_claim(claim, by, note)
    if not message.strip():
        raise ReasonMissing("Write what the applicant should send.")
    _write_down(claim, by, Outcome.ASK, reason, note)
    claim = _into_review(claim, by) if claim.state == State.PROVEN else claim
    claim.asked_for, claim.queued_at = message.strip(), None
    claim.save(update_fields=["asked_for", "queued_at"])
    notices.tell_applicant(claim, "asked")
    return claim


@transaction.atomic
def unlock(*, claim: Claim, by: User, note: str) -> Claim:
    """Let the holder of a locked account go on with documents. Raises NotAReviewer, AlreadyDecided, ReasonMissing."""
    states.lock_identity(claim)
    claim = _open_claim(claim, by, note, states_open=(State.LOCKED,))
    _write_down(claim, by, Outcome.UNLOCK, Decision.Reason.OTHER, note)
    claim = states.move(
        claim=claim,
        to=State.NEEDS_REVIEW,
        as_=states.REVIEWER,
        by=by,
        reason="unlocked",
        doubts=[*claim.doubts, "unlocked"],
        queued_at=None,
    )
    notices.tell_applicant(claim, "asked")
    return claim


def note_opened(*, claim: Claim, by: User) -> None:
    """Write down that a reviewer looked at an identity."""
    events.record(kind="identity_viewed", claim=claim, by=by)


def _open_claim(claim: Claim, by: User, note: str, states_open=OPEN_TO_DECISION) -> Claim:
    claim = states.lock(claim)
    if not by.has_perm("verification.decide_claim") or is_party(by, claim):
        raise NotAReviewer
    if claim.state not in states_open:
        raise AlreadyDecided
    if claim.appeal is not None and _judged_before(by, claim):
        raise SecondReviewerNeeded
    if not note.strip():
        raise ReasonMissing
    return claim


def is_party(reviewer: User, claim: Claim) -> bool:
    """Whose claim it is, who holds or claims the same identity, who vouched for it."""
    if claim.user_id == reviewer.pk or claim.vouches.filter(voucher=reviewer).exists():
        return True
    return Claim.objects.of_identity(claim).filter(user=reviewer).exists()


def _judged_before(reviewer: User, claim: Claim) -> bool:
    refused = claim.decisions.filter(outcome=Outcome.REJECT, reviewer=reviewer)
    return (
        refused.exists()
        or DisputeOpinion.objects.filter(dispute__rival_claim=claim, reviewer=reviewer).exists()
    )


def _write_down(claim: Claim, by: User, act: str, reason: str, note: str) -> None:
    Decision.objects.create(claim=claim, reviewer=by, outcome=act, reason=reason, note=note.strip())
    if act in (Outcome.ASK,):
        events.record(kind="asked_for_more", claim=claim, by=by, reason=reason)


def _into_review(claim: Claim, by: User) -> Claim:
    return states.move(claim=claim, to=State.NEEDS_REVIEW, as_=states.REVIEWER, by=by)
