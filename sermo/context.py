"""What every template may ask for."""

from django.conf import settings

from sermo.sessions import ends_at


def site(request) -> dict:
    """The id to quote on error pages, whether this is the demonstration, and whether others use the device."""
    user, session = getattr(request, "user", None), getattr(request, "session", None)
    is_shared = bool(user and user.is_authenticated and session and ends_at(session))
    return {
        "request_id": getattr(request, "id", ""),
        "demo": settings.DEMO,
        "shared_minutes": settings.SHARED_DEVICE_MINUTES if is_shared else None,
    }
