"""Who pays for the focus groups of the demonstration, and what their participants were credited, when it was due.

The groups were held before any firm was there, each under the label of one: the books follow.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Max
from django.utils import timezone

from focusgroups.models import Sponsor
from rewards.models import Firm, RoomSponsorship, Transaction
from rewards.services import ledger, rooms

SETTLED = timedelta(minutes=1)  # after a section or group closed


def deeds(now: datetime) -> Iterator[tuple[datetime, Callable[[], object]]]:
    """What is to be done, and when: the firms of the labels are there by then."""
    for label in Sponsor.objects.filter(sponsorship=None).select_related("room").order_by("pk"):
        room = label.room
        yield room.created_at, partial(reserve, label.pk)
        closed = room.sections.aggregate(last=Max("closed_at"))["last"]
        if closed:
            yield closed + SETTLED, partial(rooms.credit, room_id=room.pk)
        if room.closed_at:
            yield room.closed_at + 2 * SETTLED, partial(rooms.end, room_id=room.pk)


def reserve(label_id: int) -> RoomSponsorship | None:
    """Let the firm of a label pay, as if it had been chosen before the group was published."""
    label = Sponsor.objects.select_related("room").get(pk=label_id)
    firm = Firm.objects.filter(name=label.name).first()
    if firm is None:
        return None
    reserved = ledger.post(
        kind=Transaction.Kind.RESERVE,
        key=f"group:room:{label.pk}:reserve:demo",
        entries={ledger.firm_balance(firm): -label.budget, ledger.reserved_of(firm): label.budget},
    )
    return RoomSponsorship.objects.create(label=label, firm=firm, reserved=reserved, agreed_at=timezone.now())
