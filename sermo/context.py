"""What every template may ask for."""

from django.conf import settings


def site(request) -> dict:
    """The id to quote on error pages, and whether this is the demonstration."""
    return {"request_id": getattr(request, "id", ""), "demo": settings.DEMO}
