"""All that a reviewer reads of one claim, as the pages of the desk show it."""

import hashlib
from collections.abc import Collection

from django.db.models import Prefetch, prefetch_related_objects
from django.urls import reverse

from verification import comparison
from verification.models import (
    Challenge,
    Claim,
    Dispute,
    Document,
    Event,
    Objection,
    Proof,
    Vouch,
)
from verification.models.claims import State
from verification.registry import Exclusions
from verification.services import decisions, held, outcome, queue, risk, vouching
from verification.services.claims import DOUBTS

WHY_TWO = {
    "documents": "The only documents are of another sort than license, badge or letter",
    "exclusion": "Somebody of this name is on the list of exclusions",
}


def read(claim: Claim) -> Claim:
    """Read a claim's own rows, each table once: whoever asks the claim for all of them afterwards costs no query."""
    prefetch_related_objects(
        [claim],
        Prefetch("challenges", Challenge.objects.defer("sheet").order_by("number")),
        Prefetch("proofs", Proof.objects.select_related("domain").defer("target", "code").order_by("pk")),
        "proofs__documents",
        Prefetch("vouches", Vouch.objects.order_by("pk")),
        Prefetch("objections", Objection.objects.order_by("pk")),
        "decisions",
        "disputes_held",
    )
    if claim.kin is None:
        claim.kin = list(Claim.objects.kin_of(claim))
        claim.case_events = list(Event.objects.filter(case_number=claim.case_number).order_by("pk"))
    return claim


def case_of(claim: Claim, exclusions: Exclusions | None = None) -> dict:
    """What proves a claim and what speaks against it. `exclusions` are those of the claim, where they are known."""
    read(claim)
    exclusions = exclusions or outcome.exclusions_of(claim)
    facts = queue.facts_of(claim, exclusions)
    standing = vouching.standing_of(claim)
    return {
        "claim": claim,
        "score": comparison.score_in_words(claim.name_score),
        "risk_parts": _risk_parts(facts),
        "risk": risk.total(facts),
        "band": risk.BANDS[risk.band_of(risk.total(facts))],
        "exclusions": exclusions,
        "license_status": outcome.license_status(claim),
        "challenges": claim.challenges.all(),
        "proofs": [each for each in claim.proofs.all() if each.kind not in ("document", "vouch")],
        "answered_at": queue.answered_at(claim),
        "objections": [each for each in claim.objections.all() if each.objected_at],
        "documents": pages_of(claim),
        "vouches": vouches_of(claim, standing),
        "vouching_complete": vouching.are_enough(standing),
    }


def case_beside_record(claim: Claim) -> dict:
    """A case with what was typed and the registry's record side by side."""
    return {**case_of(claim), "rows": comparison.rows_of(claim)}


def history_of(claim: Claim, reader) -> dict:
    """What was decided and done. A first reviewer's reason stays hidden until the second wrote theirs."""
    past = read(claim).decisions.all()
    pending = claim.first_approval_id
    opinions = held.opinions_on(claim) if claim.state in held.ACTS else []
    said = {each.reviewer_id for each in opinions}
    waiting = {pending, *(each.pk for each in opinions if reader.pk not in said)}
    return {
        "decisions": [
            {"decision": each, "is_hidden": each.pk in waiting and each.reviewer_id != reader.pk}
            for each in past
        ],
        "events": read(claim).case_events,
    }


def reasons_for_two(claim: Claim) -> list[str]:
    """In words, why an approval takes two reviewers; nothing where one is enough or none can be given."""
    if claim.state not in decisions.OPEN_TO_DECISION:
        return []
    return [WHY_TWO.get(code) or DOUBTS[code] for code in decisions.reasons_for_two(claim)]


def held_by_another(claim: Claim, reader) -> str:
    """Who reads it and until when, in words, where that is somebody else."""
    try:
        queue.check_not_held(claim, reader)
    except queue.HeldByAnother as held:
        return str(held)
    return ""


def fingerprint(claim: Claim) -> str:
    """Changes when the claim, its evidence or what was said of it does: a decision is about what was on the page."""
    read(claim)
    seen = [
        claim.state,
        claim.first_approval_id,
        claim.doubts,
        [(each.pk, each.ok_at) for each in claim.proofs.all()],
        [(each.key, each.deleted_at) for each in _documents_of(claim)],
        [each.pk for each in claim.vouches.all()],
        [(each.pk, each.objected_at) for each in claim.objections.all()],
        len(claim.decisions.all()),
    ]
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]


def pages_of(claim: Claim) -> list[dict]:
    """Each document with the addresses of its pages; none once its files are gone."""
    return [
        {
            "document": document,
            "pages": []
            if document.deleted_at
            else [
                reverse("admin:verification_claim_document", args=[claim.pk, document.key, page])
                for page in range(1, document.pages + 1)
            ],
        }
        for document in _documents_of(claim)
    ]


def _documents_of(claim: Claim) -> list[Document]:
    return [document for proof in claim.proofs.all() for document in proof.documents.all()]


def vouches_of(claim: Claim, standing: Collection[Vouch]) -> list[dict]:
    """Each vouch with the voucher's own case: reviewers meet vouchers, too, by case number."""
    given = claim.vouches.all()
    signers = [vouch.voucher_id for vouch in given]
    own = Claim.objects.holding().filter(user__in=signers).defer("identity") if signers else []
    cases = {claim.user_id: claim for claim in own}
    return [
        {"vouch": vouch, "stands": vouch in standing, "case": cases.get(vouch.voucher_id)} for vouch in given
    ]


def dispute_of(claim: Claim) -> Dispute | None:
    """The open dispute that a claim is a side of."""
    raised = claim.state == State.DISPUTED_RIVAL
    disputes = claim.disputes_raised.all() if raised else claim.disputes_held.all()
    return min((each for each in disputes if not each.outcome), key=lambda each: each.pk, default=None)


def _risk_parts(facts: risk.Facts) -> list[dict]:
    """Every part of the risk in words, and the doubts that weigh nothing after them."""
    weighed = risk.parts_of(facts)
    parts = [
        {"words": part.words or DOUBTS.get(part.code, part.code), "weight": part.weight} for part in weighed
    ]
    known = {part.code for part in weighed}
    light = [doubt for doubt in dict.fromkeys(facts.doubts) if doubt not in known]
    return parts + [{"words": DOUBTS.get(doubt, doubt), "weight": 0} for doubt in light]
