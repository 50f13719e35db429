"""From one claim to the next: where each is decided, and what comes after a decision."""

from django.contrib import messages
from django.shortcuts import redirect
from django.urls import reverse

from accounts.models import User
from sermo.errors import RuleBroken
from verification.models import Claim, Dispute, DisputeOpinion
from verification.models.claims import State
from verification.services import held, queue


def page_of(claim: Claim, *, reader: User | None = None) -> str:
    """The address where a claim that waits is decided: the license it holds, its dispute, or the claim itself.

    Of several disputes the first in which the reader has not given an opinion yet.
    """
    disputed = {State.DISPUTED_RIVAL: claim.disputes_raised, State.DISPUTED_HOLDER: claim.disputes_held}
    if claim.state in disputed and (dispute := _next_dispute(disputed[claim.state], reader)):
        return reverse("admin:verification_dispute_change", args=[dispute.pk])
    if claim.state in held.ACTS:
        return reverse("admin:verification_licensecheck_held", args=[claim.pk])
    return reverse("admin:verification_claim_change", args=[claim.pk])


def _next_dispute(disputes, reader: User | None) -> Dispute | None:
    said = DisputeOpinion.objects.filter(reviewer=reader).values("dispute")
    return (
        disputes.undecided().exclude(pk__in=said).order_by("pk").first()
        or disputes.unsettled().order_by("pk").first()
    )


def onward(request, *, to: str):
    """After a decision: the next claim, where that was wanted, else the list named."""
    return to_next(request) if request.POST.get("then") == "next" else redirect(to)


def to_next(request, after: Claim | None = None):
    """The first claim that nobody reads, held for whoever asks, or the queue with a word that none is free."""
    try:
        claim = queue.take_next(by=request.user, after=after)
    except RuleBroken as refusal:
        messages.info(request, str(refusal))
        return redirect("admin:verification_claim_changelist")
    return redirect(page_of(claim, reader=request.user))
