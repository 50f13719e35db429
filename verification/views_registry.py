"""The entry in one's own registry record: making its address, having the record read, what stands at the address."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.doors import applicant_required
from sermo.errors import RuleBroken
from verification.progress import latest_claim
from verification.services import endpoint


@applicant_required
@require_POST
def entry_open(request):
    return _act(request, endpoint.open_proof)


@applicant_required
@require_POST
def entry_look(request):
    return _act(request, endpoint.ask_look, "The registry is being read. Load this page again in a minute.")


def _act(request, act, done=""):
    claim = latest_claim(request.user)
    if claim is None:
        return redirect("verification:start")
    try:
        act(claim=claim)
    except endpoint.NotNeeded as refusal:
        messages.error(request, str(refusal))
        return redirect("verification:start")
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    else:
        if done:
            messages.success(request, done)
    return redirect("verification:proof")


@require_safe
def registry_entry(request, token):
    """What the address is for. It looks nothing up, so it cannot tell whose address it is, nor whether it is any."""
    response = render(request, "verification/registry_entry.html")
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
