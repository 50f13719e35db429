"""Staff, moderators and observers get nowhere without a second factor."""

from django.conf import settings
from django.contrib import messages
from django.shortcuts import redirect

from accounts.demo_logins import DEMO_LOGINS
from accounts.roles import needs_second_factor

OPEN = ("/accounts/", "/static/", "/healthz", "/readyz", "/about/")


def second_factor(get_response):
    """Send whoever must have a second factor, and has none, to set it up."""

    def middleware(request):
        if not request.path.startswith(OPEN) and _is_missing(request.user):
            messages.info(request, "Your role needs a second factor. Set one up to go on.")
            return redirect("mfa_index")
        return get_response(request)

    return middleware


def _is_missing(user) -> bool:
    if not needs_second_factor(user):
        return False
    if settings.DEMO and user.email in DEMO_LOGINS:
        return False
    return not getattr(user, "has_second_factor", False)
