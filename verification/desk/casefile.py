"""All that a reviewer reads of one claim, as the pages of the desk show it."""

import hashlib

from django.urls import reverse

from verification import comparison
from verification.models import Claim, Dispute, Event
from verification.models.claims import State
from verification.services import decisions, held, outcome, proofs, queue, risk, vouching
from verification.services.claims import DOUBTS

WHY_TWO = {
    "documents": "The only documents are of another sort than license, badge or letter",
    "exclusion": "Somebody of this name is on the list of exclusions",
}


def case_of(claim: Claim) -> dict:
    """The registry's record beside the claim, what proves it, what speaks against it."""
    facts = queue.facts_of(claim)
    return {
        "claim": claim,
        "rows": comparison.rows_of(claim),
        "score": comparison.score_in_words(claim.name_score),
        "risk_parts": _risk_parts(facts),
        "risk": risk.total(facts),
        "band": risk.BANDS[risk.band_of(risk.total(facts))],
        "exclusions": outcome.exclusions_of(claim),
        "license_status": outcome.license_status(claim),
        "challenges": claim.challenges.defer("sheet").order_by("number"),
        "proofs": claim.proofs.exclude(kind__in=["document", "vouch"]).order_by("pk"),
        "answered_at": queue.answered_at(claim),
        "objections": claim.objections.filter(objected_at__isnull=False).order_by("pk"),
        "documents": pages_of(claim),
        "vouches": vouches_of(claim),
        "vouching_complete": vouching.is_complete(claim),
    }


def history_of(claim: Claim, reader) -> dict:
    """What was decided and done. A first reviewer's reason stays hidden until the second wrote theirs."""
    past = list(claim.decisions.select_related("reviewer"))
    pending = claim.first_approval_id
    opinions = list(held.opinions_on(claim)) if claim.state in held.ACTS else []
    said = {each.reviewer_id for each in opinions}
    waiting = {pending, *(each.pk for each in opinions if reader.pk not in said)}
    return {
        "decisions": [
            {"decision": each, "is_hidden": each.pk in waiting and each.reviewer_id != reader.pk}
            for each in past
        ],
        "events": Event.objects.filter(case_number=claim.case_number).order_by("pk"),
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
    seen = [
        claim.state,
        claim.first_approval_id,
        claim.doubts,
        list(claim.proofs.order_by("pk").values_list("pk", "ok_at")),
        list(proofs.documents_of(claim).values_list("key", "deleted_at")),
        list(claim.vouches.order_by("pk").values_list("pk")),
        list(claim.objections.order_by("pk").values_list("pk", "objected_at")),
        claim.decisions.count(),
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
        for document in proofs.documents_of(claim)
    ]


def vouches_of(claim: Claim) -> list[dict]:
    """Each vouch with the voucher's own case: reviewers meet vouchers, too, by case number."""
    standing = {vouch.pk for vouch in vouching.standing_vouches(claim)}
    given = list(claim.vouches.order_by("pk"))
    own = Claim.objects.holding().filter(user__in=[vouch.voucher_id for vouch in given]).defer("identity")
    cases = {claim.user_id: claim for claim in own}
    return [
        {"vouch": vouch, "stands": vouch.pk in standing, "case": cases.get(vouch.voucher_id)}
        for vouch in given
    ]


def dispute_of(claim: Claim) -> Dispute | None:
    """The open dispute that a claim is a side of."""
    if claim.state not in (State.DISPUTED_RIVAL, State.DISPUTED_HOLDER, State.LAPSED, State.SUSPENDED):
        return None
    related = ("holder_claim", "rival_claim")
    open_ones = Dispute.objects.filter(outcome="").select_related(*related).prefetch_related("opinions")
    return (open_ones.filter(rival_claim=claim) | open_ones.filter(holder_claim=claim)).order_by("pk").first()


def _risk_parts(facts: risk.Facts) -> list[dict]:
    """Every part of the risk in words, and the doubts that weigh nothing after them."""
    weighed = risk.parts_of(facts)
    parts = [
        {"words": part.words or DOUBTS.get(part.code, part.code), "weight": part.weight} for part in weighed
    ]
    known = {part.code for part in weighed}
    light = [doubt for doubt in dict.fromkeys(facts.doubts) if doubt not in known]
    return parts + [{"words": DOUBTS.get(doubt, doubt), "weight": 0} for doubt in light]
