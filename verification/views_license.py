"""The page of a license that is held: what was verified, until when, and the member's own word on it."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.doors import applicant_required
from sermo.errors import RuleBroken
from verification import rules
from verification.forms_license import ConfirmForm
from verification.models import Claim
from verification.models.claims import State
from verification.services import held, license_clock, proofs


@applicant_required
def license(request):
    """What is known of one's own license; a POST confirms it with the date on it."""
    claim = Claim.objects.filter(user=request.user).holding().first()
    if claim is None:
        return redirect("verification:start")
    form = ConfirmForm(request.POST or None)
    if form.is_valid():
        try:
            license_clock.confirm(user=request.user, **form.cleaned_data)
        except RuleBroken as refusal:
            form.add_error("expires_on", str(refusal))
        else:
            messages.success(request, "Written down. We remind you before this date.")
            return redirect("verification:license")
    context = {
        "claim": claim,
        "form": form,
        "may_confirm": claim.state in license_clock.MAY_CONFIRM,
        "may_retire": claim.state == State.VERIFIED,
        "wants_to_retire": "retiring" in claim.doubts and claim.queued_at,
        "may_send": claim.state in proofs.MAY_SEND,
        "lapses_on": license_clock.lapse_day(claim) if claim.state in license_clock.MAY_CONFIRM else None,
        "last": claim.license_checks.defer("note").last(),
        "lapse_days": rules.LAPSE_DAYS,
    }
    return render(request, "verification/license.html", context, status=422 if form.errors else 200)


@applicant_required
@require_POST
def license_retire(request):
    """Ask staff to show one as retired."""
    try:
        held.ask_to_retire(user=request.user)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "A reviewer has it now. Until then nothing changes.")
    return redirect("verification:license")
