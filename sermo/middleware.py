"""What happens to every request and response."""

import secrets
import time

import structlog
from django.core.exceptions import BadRequest

log = structlog.get_logger("sermo.request")
UNLOGGED = ("/static/", "/healthz", "/readyz")


def request_id(get_response):
    """Give each request an id of six hex digits and a dash, such as 7F21-C0, for logs and error pages."""

    def middleware(request):
        number = secrets.token_hex(3).upper()
        request.id = f"{number[:4]}-{number[4:]}"
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.id)
        started = time.monotonic()
        response = get_response(request)
        response["X-Request-Id"] = request.id
        if not request.path.startswith(UNLOGGED):
            log.info(
                "request",
                method=request.method,
                view=request.resolver_match.view_name if request.resolver_match else None,
                status=response.status_code,
                ms=round((time.monotonic() - started) * 1000),
            )
        return response

    return middleware


def no_nul(get_response):
    """Refuse addresses with a NUL character, which no page has and no text column can hold."""

    def middleware(request):
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest
        return get_response(request)

    return middleware


def response_headers(get_response):
    """Headers that Django has no setting for; pages of a signed-in person are kept by nobody."""

    def middleware(request):
        response = get_response(request)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.setdefault(
            "Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=(), usb=()"
        )
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            response.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware
