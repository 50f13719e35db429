"""Saved searches of the demonstration's firms, counted, and one export of the past."""

from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction
from django.utils import timezone

from observers.demo.seats import DEVICES, PHARMA, RESEARCH
from observers.models import FirmSearch, Read, Seat
from observers.services import charting, exporting, searching
from questions.models import Question
from rewards.demo import at
from rewards.models import Firm

SEARCHES = {  # firm: (name, words, specialty group, whether it is alerted of)
    PHARMA: [
        ("Dose and duration", "dose or daily or mg or day or week or month", "", True),
        ("Anticoagulation", "apixaban or anticoagulation or warfarin", "", False),
        ("Dialysis", "dialysis or kidney", "", False),
    ],
    DEVICES: [("Procedures", "procedure or surgery or catheter or stent", "", True)],
    RESEARCH: [("Evidence", "trial or guideline or evidence or study", "", False)],
}
REASON = "Yearly review of what physicians ask about dosing."
EXPORTED = timedelta(days=9)


@transaction.atomic
def seed() -> None:
    """Write all of it once; a second run changes nothing."""
    if FirmSearch.objects.exists():
        return
    for name, searches in SEARCHES.items():
        firm = Firm.objects.get(name=name)
        seat = Seat.objects.active().filter(firm=firm).select_related("firm").order_by("-number").first()
        if seat is None:
            continue
        for facts in searches:
            _save(seat, *facts)
        if Read.objects.exists():  # the reads of the past are written once, and only where there are none yet
            _export(seat)


def _save(seat: Seat, name: str, terms: str, group: str, has_alert: bool) -> FirmSearch:
    alert = FirmSearch.Alert.DAILY if has_alert else FirmSearch.Alert.NEVER
    saved = searching.save(seat=seat, name=name, terms=terms, group=group, alert=alert)
    charting.count(charting.ask(saved=saved, seat=seat).pk)
    return saved


def _export(seat: Seat) -> None:
    """A discussion that speaks of none of the firm's products, so that no clock of its safety desk runs for it."""
    rows = Question.objects.open_to(seat.firm).filter(opened_at__lt=timezone.now() - 2 * EXPORTED)
    question = rows.exclude(posts__mentions__product__maker=seat.firm).order_by("-opened_at", "-pk").first()
    if question is None:
        return
    key = uuid5(NAMESPACE_URL, f"demo:export:{seat.firm.name}")
    with at(timezone.now() - EXPORTED):
        exporting.export_discussion(
            seat=seat, question=question, purpose=seat.purpose, reason=REASON, key=key
        )
