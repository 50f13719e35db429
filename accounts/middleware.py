"""Staff, moderators and observers get nowhere without a second factor; when a device was last seen, and shared."""

import time

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.shortcuts import redirect

from accounts.demo_logins import DEMO_LOGINS
from accounts.roles import needs_second_factor
from accounts.services import sessions

OPEN = ("/accounts/", "/settings/security/", "/static/", "/healthz", "/readyz", "/about/")
UNASKED = ("/static/", "/healthz", "/readyz")  # nobody's presence, and answered without a session
SEEN_SECONDS = 900  # how exact the time is that a device was last seen


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


def last_seen(get_response):
    """Note when a device was last seen, at most once in a quarter of an hour: a write per page would be too dear."""

    def middleware(request):
        response = get_response(request)
        if request.session.accessed and _is_unnoted(request.session):
            sessions.note_seen(session_key=request.session.session_key)
        return response

    return middleware


def _is_unnoted(session) -> bool:
    """Whether a log-in older than a quarter of an hour has not been noted for as long."""
    records = session.get(AUTHENTICATION_METHODS_SESSION_KEY)
    if not records or time.time() - records[0]["at"] < SEEN_SECONDS:
        return False
    return cache.add(f"seen:{session.session_key}", 1, SEEN_SECONDS)


class SharedDevice:
    """A session on a device that others use lasts from one act of a person to the next.

    What an open page asks by itself, on a clock, is no act (`accounts.doors.polled`). The end comes with the session
    row. A cookie that says nothing but that this was a shared device lets the next page say why one has to log in.
    """

    COOKIE = "shared_device"

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        is_marked = bool(request.COOKIES.get(self.COOKIE)) and not request.path.startswith(UNASKED)
        if is_marked and self._is_page(request) and not request.user.is_authenticated:
            minutes = settings.SHARED_DEVICE_MINUTES
            messages.info(request, f"You were logged out, as nothing was done here for {minutes} minutes.")
        response = self.get_response(request)
        if not request.session.accessed:
            return response  # nobody was asked for: as little is done for health checks as ever
        is_shared = sessions.seconds_left(request.session) is not None and request.user.is_authenticated
        if is_shared and not is_marked:
            secure = settings.SESSION_COOKIE_SECURE
            response.set_cookie(self.COOKIE, "1", secure=secure, httponly=True, samesite="Lax")
        elif is_marked and not is_shared and not request.htmx:
            response.delete_cookie(self.COOKIE, samesite="Lax")
        return response

    def process_view(self, request, view, args, kwargs):
        """Without the mark a session ends early rather than late, and others cost nothing here."""
        is_marked = bool(request.COOKIES.get(self.COOKIE)) and not request.path.startswith(UNASKED)
        if is_marked and not getattr(view, "is_polled", False) and request.user.is_authenticated:
            sessions.note_presence(request.session)

    def _is_page(self, request) -> bool:
        return request.method == "GET" and not request.htmx
