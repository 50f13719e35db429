"""Verification without a person: the questions were passed, a code was right, and the last check finds nothing.

What the last check doubts, a reviewer decides; where somebody holds the identity, the dispute begins. Whoever typed
the code reads the same until then.
"""

from django.db import transaction
from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Concat

from sermo.background import each_alone, nudge
from verification import tasks
from verification.models import Claim, Event, Proof
from verification.models.claims import State
from verification.services import disputes, events, outcome, proofs, states

PROVES = (State.CHALLENGED, State.PROVEN)
BY = (Proof.Kind.ENDPOINT, Proof.Kind.PHONE, Proof.Kind.FAX, Proof.Kind.EMAIL)  # the strongest first
KEY = "last_check "  # and the case number: of the event of a last check


def prove(*, claim: Claim, kind: str) -> Claim:
    """Take a locked claim whose proof of a `kind` of BY is right to the last check, which a task makes in a moment."""
    if claim.state == State.CHALLENGED:
        claim = states.move(
            claim=claim,
            to=State.PROVEN,
            as_=states.SYSTEM,
            evidence=["questions", kind],
            queued_at=None,
            asked_for=None,
        )
    nudge(tasks.decide, claim.pk)
    return claim


@transaction.atomic
def decide(*, claim_id: int) -> Claim | None:
    """Make the last check of a proven claim, once: verified, disputed, or before a reviewer.

    Called again, or for a claim that is no longer proven, it changes nothing. Returns the claim as it stands then,
    None where there is none.
    """
    claim = Claim.objects.filter(pk=claim_id, user__isnull=False).first()
    if claim is None:
        return None
    states.lock_identity(claim)
    everyone = list(Claim.objects.select_for_update().of_identity(claim).order_by("pk"))
    claim = states.lock(claim)
    method = method_of(claim)
    if claim.state != State.PROVEN or method is None or Event.objects.filter(key=_key(claim)).exists():
        return claim
    doubts = outcome.doubts_about(claim)
    events.record(kind="last_check", claim=claim, key=_key(claim), evidence=doubts or [method])
    if doubts:
        return _leave_to_reviewers(claim, doubts)
    if holders := [each for each in everyone if each.is_holding]:
        disputes.open_disputes(holders=holders, rival=claim, by=None)
        return states.lock(claim)
    return outcome.make_verified(claim, as_=states.SYSTEM, by=None, method=method)


def decide_due() -> int:
    """Make the last checks that no task has made, whatever becomes of those before. Returns how many."""
    known = Event.objects.filter(key=Concat(Value(KEY), OuterRef("case_number")))
    proof = Proof.objects.filter(claim=OuterRef("pk"), kind__in=BY, ok_at__isnull=False)
    due = Claim.objects.filter(Exists(proof), ~Exists(known), state=State.PROVEN, user__isnull=False)
    ids = due.order_by("pk").values_list("pk", flat=True)
    return each_alone(lambda pk: decide(claim_id=pk) is not None, ids, failed="claim_not_decided")


def method_of(claim: Claim) -> str | None:
    """The strongest proof of a claim that needs no reader."""
    right = set(claim.proofs.filter(kind__in=BY, ok_at__isnull=False).values_list("kind", flat=True))
    return next((kind for kind in BY if kind in right), None)


def _leave_to_reviewers(claim: Claim, doubts: list[str]) -> Claim:
    claim.doubts = [*claim.doubts, *(doubt for doubt in doubts if doubt not in claim.doubts)]
    claim.save(update_fields=["doubts"])
    proofs.put_in_queue(claim)
    return claim


def _key(claim: Claim) -> str:
    return f"{KEY}{claim.case_number}"
