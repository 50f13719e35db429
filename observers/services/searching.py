"""Saved searches of a firm: its seats share them, within what the plan includes."""

from datetime import date

from django.db import transaction
from django.utils import timezone

from observers import listing, search, tasks
from observers.models import FirmSearch, Seat
from observers.services.contracting import hold_contract
from questions.filters import KINDS
from sermo.background import nudge
from sermo.errors import RuleBroken

Alert = FirmSearch.Alert


class NoWords(RuleBroken):
    message = (
        "Write at least one word to look for. Words such as “the” find nothing, and none can be left out."
    )


class SavedAlready(RuleBroken):
    message = "Your firm follows this search already."


class SearchesUsedUp(RuleBroken):
    message = "Every saved search of your plan is in use. End one to save another."


class NotYours(RuleBroken):
    message = "This search is not of your firm, or it was ended."


@transaction.atomic
def save(
    *,
    seat: Seat,
    name: str,
    terms: str,
    group: str = "",
    kind: str = "",
    solved: str = "",
    since: date | None = None,
    alert: str = Alert.NEVER,
) -> FirmSearch:
    """Have a firm follow words, in discussions put to a specialty group (by its slug), of a kind, solved or not, and
    from a month on. What the list does not know narrows nothing.

    Raises NotContracted, NoWords, SavedAlready, SearchesUsedUp.
    """
    contract = hold_contract(seat.firm)
    words, saved = search.read(terms).words, FirmSearch.objects.open_to(seat.firm)
    if not any(letter.isalnum() for letter in words):
        raise NoWords
    narrowed = {
        "group": group if group in listing.groups() else "",
        "kind": kind if kind in KINDS else "",
        "solved": solved if solved in listing.SOLVED else "",
        "since": since and since.replace(day=1),
    }
    if saved.filter(terms=words, **narrowed).exists():
        raise SavedAlready
    if saved.count() >= contract.plan.searches:
        raise SearchesUsedUp
    made = FirmSearch.objects.create(
        firm=seat.firm, seat=seat, name=name.strip() or words[:60], terms=words, alert=alert, **narrowed
    )
    if alert != Alert.NEVER:
        nudge(tasks.begin_alerts)
    return made


@transaction.atomic
def change(*, saved: FirmSearch, seat: Seat, name: str, alert: str) -> FirmSearch:
    """Call a search otherwise, or have its alerts come or stop. They go to the seat that chose them last.

    What it looks for stays, since charts were counted of it. Raises NotYours.
    """
    saved = _lock(saved, seat)
    if alert != Alert.NEVER and saved.alert == Alert.NEVER:
        saved.alerted_on = None
        nudge(tasks.begin_alerts)
    if alert != saved.alert:
        saved.seat = seat
    saved.name, saved.alert = name.strip() or saved.name, alert
    saved.save(update_fields=["name", "alert", "alerted_on", "seat"])
    return saved


@transaction.atomic
def end(*, saved: FirmSearch, seat: Seat) -> FirmSearch:
    """Follow a search no more. What charts showed of it stays known, so that no other tells the difference.

    Raises NotYours.
    """
    saved = _lock(saved, seat)
    saved.ended_at = timezone.now()
    saved.save(update_fields=["ended_at"])
    saved.hits.all().delete()
    return saved


def _lock(saved: FirmSearch, seat: Seat) -> FirmSearch:
    found = FirmSearch.objects.open_to(seat.firm).select_for_update().filter(pk=saved.pk).first()
    if found is None:
        raise NotYours
    return found
