"""What observers answer when a focus group seeks members."""

from django.dispatch import receiver

from focusgroups.models import Room
from focusgroups.signals import seats_sought
from observers import gate
from observers.services import back_room
from rewards.models import Firm


@receiver(seats_sought)
def leave_out_who_shut_the_firm_out(room, **kwargs):
    """Whoever keeps what they say from a firm, or all of its kind, is not asked into a group that it may watch."""
    firm = Firm.objects.filter(pk=back_room.sponsor_of(room)).first()
    return gate.members_besides(firm) if firm and room.watching != Room.Watching.NOBODY else None
