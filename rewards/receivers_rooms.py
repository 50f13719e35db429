"""What focus groups announce, as far as a firm pays for them.

What a group does stands whatever becomes of the money: what fails here is left to the sweep. Only a promise for which
the firm has not the money is refused.
"""

from collections.abc import Callable

import structlog
from django.db import transaction
from django.dispatch import receiver

from focusgroups import signals
from rewards.services import rooms

log = structlog.get_logger(__name__)


@receiver(signals.section_completed)
def credit_section(completion, is_alone=False, is_last=True, **kwargs):
    """All that is final is credited at once, with the last of those that are announced together.

    What became final at a moment of one person, such as a late answer, is left to the sweep: credited with it, the
    moments in the books would join an alias to an account.
    """
    if is_last and completion.cents and not is_alone:
        _or_later(rooms.credit, completion.participant.room_id)


@receiver(signals.screened_out)
def thank(candidate, **kwargs):
    _or_later(rooms.credit, candidate.room_id)


@receiver(signals.room_closed)
@receiver(signals.room_canceled)
def return_the_rest(room, **kwargs):
    _or_later(rooms.credit, room.pk)
    _or_later(rooms.end, room.pk)


@receiver(signals.money_promised)
def reserve_more(room, **kwargs):
    """Raises ledger.NotEnough."""
    rooms.fit(room=room)


@receiver(signals.seats_sought)
def leave_out(room, **kwargs):
    return rooms.excluded_from(room)


@receiver(signals.earners_sought)
def pay_nothing(room, **kwargs):
    return rooms.earning_nothing_in(room)


def _or_later(act: Callable[..., object], room_id: int) -> None:
    try:
        with transaction.atomic():
            act(room_id=room_id)
    except Exception as error:
        log.error("room_left_to_sweep", room=room_id, error=type(error).__name__)
