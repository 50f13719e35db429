"""Alerts of saved searches: one mail a day to a seat, that says nothing but that there is something new.

New is what a firm may read now and could not when its search was looked at before, whyever: just written, changed,
consented to, or no longer kept among peers. So each search keeps which posts it has met. It looks at no more than the
newest matches; what is older than those is no news any more.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, date, datetime

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.services import mail
from observers import matching, search
from observers.listing import Filters
from observers.models import Contract, FirmSearch, SearchHit, Seat, Way
from observers.services import contracting, reading
from questions.models import Post

log = structlog.get_logger("sermo.observers")

SUBJECT = "New discussions match a saved search"
LOOKED_AT = 2_000  # of the newest matches of a search


def begin_all() -> int:
    """Begin the alerts of searches never looked at since they were asked for; return how many."""
    waiting = FirmSearch.objects.filter(ended_at=None, alert=FirmSearch.Alert.DAILY, alerted_on=None)
    return sum(_begin_alone(pk) for pk in waiting.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _begin_alone(pk: int) -> bool:
    waiting = FirmSearch.objects.filter(pk=pk, ended_at=None, alert=FirmSearch.Alert.DAILY, alerted_on=None)
    saved = waiting.select_related("firm").select_for_update(of=("self",)).first()
    if saved is None:
        return False
    _begin(saved, _today())
    return True


def _begin(saved: FirmSearch, day: date) -> None:
    """Take all that matches now for known: whoever has alerts come can read it in the list."""
    at = timezone.now()
    told = set(saved.hits.filter(is_told=True).values_list("post", flat=True))
    matches = _matches(saved)
    _keep(saved, matches, [pk for pk in matches if pk not in told], at=at)
    saved.alerted_on = day
    saved.save(update_fields=["alerted_on"])


def send_all(day: date | None = None) -> int:
    """Tell the seats whose searches found something since they were looked at last; return how many. Once a day."""
    day = day or _today()
    seats: dict[int, list[int]] = defaultdict(list)
    for saved, seat in _due(day).order_by("seat", "pk").values_list("pk", "seat"):
        seats[seat].append(saved)
    return sum(_alone(seat, searches, day) for seat, searches in seats.items())


def _today() -> date:
    return timezone.now().astimezone(UTC).date()


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
    """Look at the searches of one seat, and mail it if any of them found something. What they found is logged, once,
    since the mail says that it is there."""
    seat = Seat.objects.select_related("user").get(pk=seat_pk)
    rows = _due(day).filter(pk__in=searches, seat=seat).select_related("firm")
    found = [_news(saved, day) for saved in rows.order_by("pk").select_for_update(of=("self",))]
    if not any(found):
        return False
    purpose = contracting.purpose_of(seat, Contract.objects.current(day).get(firm=seat.firm_id))
    reading.note(seat=seat, purpose=purpose, way=Way.FOUND, post_pks=set().union(*found))
    link = settings.SITE_URL + reverse("observers:searches")
    mail.queue(seat.user, SUBJECT, render_to_string("observers/mail/alert.txt", {"link": link}))
    return True


def _news(saved: FirmSearch, day: date) -> set[int]:
    """Posts that the search had not met, or not as they are now, and that match without names as well.

    What was shut to the firm while they were read through is not met: it is news once it opens again.
    """
    if saved.alerted_on is None:  # what should have begun it never ran
        _begin(saved, day)
        return set()
    at = timezone.now()
    matches = _matches(saved)
    changed = Q(is_told=False, post__edited_at__gt=F("met_at"))
    known = set(saved.hits.exclude(changed).values_list("post", flat=True))
    unknown = [pk for pk in matches if pk not in known]
    news = {post.pk for post, _ in matching.checked(saved.firm, unknown, saved.terms)}
    still_open = set(Post.objects.open_to(saved.firm).filter(pk__in=unknown).values_list("pk", flat=True))
    _keep(saved, matches, [pk for pk in unknown if pk in still_open or pk in news], at=at, told=news)
    saved.alerted_on = day
    saved.save(update_fields=["alerted_on"])
    return news


def _matches(saved: FirmSearch) -> list[int]:
    """The newest posts that match and are open to the firm now, the newest first."""
    months = {"after": saved.known_until, "since": saved.since}
    return search.newest_numbers(saved.firm, saved.terms, Filters.of(saved), LOOKED_AT, **months)


def _keep(
    saved: FirmSearch, matches: list[int], met: list[int], *, at: datetime, told: Collection[int] = ()
) -> None:
    """Keep what was met of the matches, which were looked for from that moment on. Where they are as many as are
    looked at, what is older is known by that."""
    SearchHit.objects.bulk_create(
        [SearchHit(search=saved, post_id=pk, is_told=pk in told, met_at=at) for pk in met],
        update_conflicts=True,
        unique_fields=["search", "post"],
        update_fields=["is_told", "met_at"],
    )
    if len(matches) == LOOKED_AT:
        saved.known_until = matches[-1]
        saved.save(update_fields=["known_until"])
        saved.hits.filter(post__lte=saved.known_until).delete()
