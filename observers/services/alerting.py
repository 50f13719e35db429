"""Alerts of saved searches: one mail a day to a seat, that says nothing but that there is something new."""

from collections import defaultdict
from datetime import UTC, date

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.services import mail
from observers import matching
from observers.models import Contract, FirmSearch, Seat
from questions.models.posts import eras_of

log = structlog.get_logger("sermo.observers")

SUBJECT = "New discussions match a saved search"
LOOKED_AT = 600  # of the newest matches, in each search, for one that stands once names are masked


def send_all(day: date | None = None) -> int:
    """Tell the seats whose searches found something since they were looked at last; return how many. Once a day."""
    day = day or timezone.now().astimezone(UTC).date()
    seats: dict[int, list[int]] = defaultdict(list)
    for search, seat in _due(day).order_by("seat", "pk").values_list("pk", "seat"):
        seats[seat].append(search)
    return sum(_alone(seat, searches, day) for seat, searches in seats.items())


def _alone(seat: int, searches: list[int], day: date) -> bool:
    try:
        return _tell(seat, searches, day)
    except Exception:  # other seats are told all the same, and this one by the next run
        log.exception("alert_not_sent", seat=seat)
        return False


def _due(day: date):
    """Daily searches not looked at today, of firms under contract, and seats that somebody holds."""
    watching = Contract.objects.current(day).values("firm")
    rows = FirmSearch.objects.filter(ended_at=None, alert=FirmSearch.Alert.DAILY, firm__in=watching)
    rows = rows.filter(seat__in=Seat.objects.active())
    return rows.filter(Q(alerted_on=None) | Q(alerted_on__lt=day))


@transaction.atomic
def _tell(seat_pk: int, searches: list[int], day: date) -> bool:
    """Look at the searches of one seat, and mail it if any of them found something."""
    seat = Seat.objects.select_related("user").get(pk=seat_pk)
    rows = _due(day).filter(pk__in=searches, seat=seat).select_related("firm")
    found = [_has_news(saved, day) for saved in rows.order_by("pk").select_for_update(of=("self",))]
    if not any(found):
        return False
    link = settings.SITE_URL + reverse("observers:searches")
    mail.queue(seat.user, SUBJECT, render_to_string("observers/mail/alert.txt", {"link": link}))
    return True


def _has_news(saved: FirmSearch, day: date) -> bool:
    """Whether a newer post matches than those looked at before. What opens to the firm later than others of its time
    is found in the list alone."""
    newest = matching.newest_released()
    rows = matching.posts_of(saved).filter(pk__gt=saved.newest_post, pk__lte=newest)
    if eras := eras_of(saved.newest_post, newest):
        rows = rows.in_eras(eras)
    pks = matching.newest_of(rows, LOOKED_AT)
    has_news = next(matching.checked(saved.firm, pks, saved.terms), None) is not None
    saved.alerted_on, saved.newest_post = day, max(newest, saved.newest_post)
    saved.save(update_fields=["alerted_on", "newest_post"])
    return has_news
