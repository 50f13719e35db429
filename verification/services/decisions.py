"""What reviewers may do with a claim.

An approval against the record takes two: the first stays with the claim, which goes on waiting where it stood, and
another reviewer decides without having seen the first one's reason. A rejection, or asking for more, ends the first.
"""

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from sermo.errors import RuleBroken
from verification import rules
from verification.models import Claim, Decision, Document, Proof
from verification.models.claims import State
from verification.services import disputes, events, notices, outcome, queue, states
from verification.services.disputes import is_party, judged_before

OPEN_TO_DECISION = (State.CHALLENGED, State.NEEDS_REVIEW, State.PROVEN)
AGAINST_THE_RECORD = ("no_match", "many", "license_differs", "conflict", "degree", "deactivated", "name")
Outcome = Decision.Outcome


class NotAReviewer(RuleBroken):
    message = "Only verification reviewers decide claims, and never their own."


class AlreadyDecided(RuleBroken):
    message = "This claim is not waiting for a decision any more."


class SecondReviewerNeeded(RuleBroken):
    message = "You rejected this claim. An appeal is read by another reviewer."


class ApprovedByYou(RuleBroken):
    message = "You approved this claim. It takes another reviewer now, who has not seen your reason."


class ReasonMissing(RuleBroken):
    message = "Write why, in a sentence."


@transaction.atomic
def approve(*, claim: Claim, by: User, reason: str, note: str, exclusion_checked: bool = False) -> Claim:
    """Verify a proven claim; where its identity is held already, open a dispute instead.

    Where `reasons_for_two` has any, the first approval only stays with the claim, which another reviewer then decides.
    Raises NotAReviewer, AlreadyDecided, SecondReviewerNeeded, ApprovedByYou, ReasonMissing, queue.HeldByAnother, and
    the refusals of `outcome`.
    """
    states.lock_identity(claim)
    everyone = {each.pk: each for each in Claim.objects.select_for_update().of_identity(claim).order_by("pk")}
    claim = _open_claim(claim, by, note)
    outcome.check_may_verify(claim, exclusion_checked=exclusion_checked)
    method = outcome.proof_method(claim)
    if claim.first_approval_id is None and reasons_for_two(claim):
        return _approve_first(claim, by, reason, note)
    _write_down(claim, by, Outcome.APPROVE, reason, note)
    claim = states.move(
        claim=claim, to=State.PROVEN, as_=states.REVIEWER, by=by, reason=reason, evidence=[method]
    )
    if holders := [each for each in everyone.values() if each.is_holding]:
        disputes.open_disputes(holders=holders, rival=claim, by=by)
        return states.lock(claim)
    return outcome.make_verified(claim, as_=states.SYSTEM, by=by, method=method)


def what_follows(claim: Claim, act: str) -> list[str]:
    """What a decision would bring about, in sentences, as things stand. Of an approval, where nothing refuses it."""
    ends = ["It ends the first approval."] if claim.first_approval_id else []
    if act == Outcome.ASK:
        return [
            "The claim goes back to the applicant, who reads your words here and gets a mail without them.",
            "It leaves the queue until they answer.",
            *ends,
        ]
    if act == Outcome.REJECT:
        return [
            "The claim is rejected. The applicant reads the reason and your words, and gets a mail without them.",
            f"They can appeal once, to another reviewer, and claim anew after {rules.RETRY_DAYS} days.",
            *ends,
        ]
    if act == Outcome.UNLOCK:
        return ["The applicant can go on with documents. The claim leaves the queue until they send one."]
    if claim.first_approval_id is None and reasons_for_two(claim):
        return ["Your approval is kept, and the claim waits for a second reviewer. Nobody is verified yet."]
    holding = Claim.objects.of_identity(claim).holding().exclude(pk=claim.pk).count()
    if holding > 1:
        return [
            "One person is verified with this NPI, another with this license number, so a dispute opens with each. "
            "Nobody is verified anew.",
            f"Both are told and have {rules.DISPUTE_DAYS} days; then two reviewers settle each. The new claim wins "
            "both or neither.",
        ]
    if holding:
        return [
            "Somebody else is verified with this license, so a dispute opens. Nobody is verified anew.",
            f"The holder is told and has {rules.DISPUTE_DAYS} days; then two reviewers settle it.",
        ]
    return ["The license is verified at once. The member can write, and gets a mail."]


def reasons_for_two(claim: Claim) -> list[str]:
    """Why an approval takes two reviewers, in codes: the doubts about the record, "documents", "exclusion"."""
    reasons = [doubt for doubt in claim.doubts if doubt in AGAINST_THE_RECORD]
    sorts = Document.objects.filter(proof__claim=claim, deleted_at=None).values_list("sort", flat=True)
    others_right = claim.proofs.exclude(kind=Proof.Kind.DOCUMENT).filter(ok_at__isnull=False)
    if set(sorts) == {Document.Sort.OTHER} and not others_right.exists():
        reasons.append("documents")
    if outcome.exclusions_of(claim).verdict == "possible":
        reasons.append("exclusion")
    return reasons


def _approve_first(claim: Claim, by: User, reason: str, note: str) -> Claim:
    """The claim keeps its state and its place in the queue."""
    first = Decision.objects.create(
        claim=claim, reviewer=by, outcome=Outcome.APPROVE, reason=reason, note=note.strip()
    )
    claim.first_approval, claim.queued_at = first, claim.queued_at or timezone.now()
    claim.save(update_fields=["first_approval", "queued_at"])
    queue.end_hold(claim)
    events.record(kind="approved_first", claim=claim, by=by, reason=reason)
    return claim


@transaction.atomic
def reject(*, claim: Claim, by: User, reason: str, note: str, message: str = "") -> Claim:
    """Turn a claim down for a reason the applicant is shown, with the reviewer's words if there are any.

    Raises the same as `approve`, but for `outcome`'s.
    """
    states.lock_identity(claim)
    claim = _open_claim(claim, by, note)
    _write_down(claim, by, Outcome.REJECT, reason, note)
    claim = _into_review(claim, by)
    claim = states.move(
        claim=claim,
        to=State.REJECTED,
        as_=states.REVIEWER,
        by=by,
        reason=reason,
        rejected_for=reason,
        asked_for=message.strip() or None,
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
    if claim.appeal is not None and judged_before(by, claim):
        raise SecondReviewerNeeded
    if claim.first_approval_id is not None and claim.first_approval.reviewer_id == by.pk:
        raise ApprovedByYou
    queue.check_not_held(claim, by)
    if not note.strip():
        raise ReasonMissing
    return claim


def _write_down(claim: Claim, by: User, act: str, reason: str, note: str) -> None:
    """The decision, with how long the claim waited for it. It ends a first approval, a hold, a place at the head."""
    first = claim.first_approval
    Decision.objects.create(
        claim=claim,
        reviewer=by,
        outcome=act,
        reason=reason,
        note=note.strip(),
        waited=timezone.now() - claim.queued_at if claim.queued_at else None,
        first_reviewer=first.reviewer if first else None,
    )
    claim.first_approval, claim.is_ahead = None, False
    claim.save(update_fields=["first_approval", "is_ahead"])
    queue.end_hold(claim)
    if act in (Outcome.ASK,):
        events.record(kind="asked_for_more", claim=claim, by=by, reason=reason)


def _into_review(claim: Claim, by: User) -> Claim:
    return states.move(claim=claim, to=State.NEEDS_REVIEW, as_=states.REVIEWER, by=by)
