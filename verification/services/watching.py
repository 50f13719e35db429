"""Looking every night whether the audit trail still holds."""

import structlog
from django.conf import settings
from django.urls import reverse

from accounts.models import User
from verification.services import events, incidents

log = structlog.get_logger(__name__)


def check_chain() -> bool:
    """Whether the whole trail holds. Where not, it is logged and each superuser is mailed, every time this runs."""
    broken = events.first_broken()
    if broken is None:
        return True
    log.error("chain_broken", broken_at=broken.pk)
    link = settings.SITE_URL + reverse("admin:verification_incident_add")
    for user in User.objects.filter(is_active=True, is_superuser=True):
        incidents.tell_desk(user, "chain", {"event": broken.pk, "link": link})
    return False
