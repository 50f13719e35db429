"""Files with posts of a case that was withdrawn since: the firm must destroy them, and is told so without saying which
case it is. What is to be destroyed is not noted anywhere, it follows from the case: no file can be missed."""

from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.roles import FINANCE
from accounts.services import mail
from consults.models import Case
from observers.models import ExportedCase, Seat
from rewards.models import Firm

DAYS = 7  # within which
SUBJECT = "An export has to be destroyed"
DESK_SUBJECT = "A firm nobody sits for has an export to destroy"


@transaction.atomic
def tell(*, case: Case) -> int:
    """Mail all seats of firms that took posts of a case away, once it is withdrawn; return how many.

    Where nobody sits for one of them any more, the finance desk is mailed, which knows whom to ask there.
    """
    firms = Firm.objects.filter(pk__in=ExportedCase.objects.filter(case=case).values("export__firm"))
    seats = list(Seat.objects.active().filter(firm__in=firms).select_related("user").order_by("pk"))
    day = destroy_by(timezone.now())
    words = {"link": settings.SITE_URL + reverse("observers:exports"), "day": day}
    text = render_to_string("observers/mail/recall.txt", words)
    for seat in seats:
        mail.queue(seat.user, SUBJECT, text)
    for firm in firms.exclude(pk__in=[seat.firm_id for seat in seats]).order_by("pk"):
        _tell_desk(firm, day)
    return len(seats)


def _tell_desk(firm: Firm, day: date) -> None:
    address = reverse("admin:observers_exportedcase_changelist", query={"q": firm.name})
    words = {"firm": firm.name, "link": settings.SITE_URL + address, "day": day}
    text = render_to_string("observers/mail/recall_desk.txt", words)
    desk = User.objects.filter(is_staff=True, is_active=True, groups__name=FINANCE)
    for user in desk.order_by("pk"):
        mail.queue(user, DESK_SUBJECT, text)


def destroy_by(withdrawn_at: datetime) -> date:
    """The last day (UTC) on which a copy may be there."""
    return withdrawn_at.astimezone(UTC).date() + timedelta(days=DAYS)


def to_destroy() -> QuerySet[ExportedCase]:
    """What files have of withdrawn cases."""
    return ExportedCase.objects.filter(case__withdrawn_at__isnull=False)


def concerns(firm: Firm) -> bool:
    """Whether a firm has files to destroy."""
    return to_destroy().filter(export__firm=firm).exists()


def told_firm(user: User) -> Firm | None:
    """The firm somebody holds a seat of, where it has files to destroy."""
    files = to_destroy().filter(export__firm=OuterRef("firm"))
    seat = Seat.objects.active().filter(Exists(files), user=user.pk).select_related("firm").first()
    return seat and seat.firm
