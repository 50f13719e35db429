"""What protects an account: password, factors, and the devices that are logged in."""

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.doors import login_required, polled
from accounts.services import sessions
from sermo.returning import back_to


@polled
@login_required
@never_cache
@require_safe
def shared_left(request):
    """How long a session on a shared device still lasts, in seconds, for the warning on an open page."""
    return JsonResponse({"seconds": sessions.seconds_left(request.session)})


@login_required
@never_cache
@require_POST
def shared_stay(request):
    """That somebody is there. Without a script it leads back to where one was."""
    if request.headers.get("accept") == "application/json":
        return JsonResponse({"seconds": sessions.seconds_left(request.session)})
    return back_to(request, "home")


@login_required
@require_safe
def security(request):
    """One page for all of it; what changes a factor is allauth's and asks first whether it is still you."""
    context = factors_of(request.user)
    context["sessions"] = list(sessions.live_sessions(request.user))
    context["current_key"] = request.session.session_key
    return render(request, "accounts/security.html", context)


def factors_of(user) -> dict:
    """An account's factors by kind, from one query: `passkeys`, `totp` and `codes_left` (None without codes)."""
    kinds = Authenticator.Type
    found = list(Authenticator.objects.filter(user=user).order_by("created_at", "pk"))
    codes = next((factor for factor in found if factor.type == kinds.RECOVERY_CODES), None)
    return {
        "passkeys": [factor for factor in found if factor.type == kinds.WEBAUTHN],
        "totp": next((factor for factor in found if factor.type == kinds.TOTP), None),
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else None,
    }


@login_required
@require_POST
def end_session(request):
    """Log out one device, or with `all` every one but this. Twice is no fault."""
    user, current = request.user, request.session.session_key
    if request.POST.get("session") == "all":
        sessions.end_other_sessions(user=user, but=current)
        messages.success(request, "Logged out everywhere else.")
        return redirect("accounts:security")
    chosen = _number(request.POST.get("session"))
    if chosen and sessions.end_session(user=user, session_id=chosen, but=current):
        messages.success(request, "That device is logged out.")
    return redirect("accounts:security")


def _number(text):
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
