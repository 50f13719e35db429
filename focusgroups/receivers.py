"""What focus groups do when something lower has happened."""

from django.dispatch import receiver

from accounts.signals import standing_changed
from focusgroups.services import seating


@receiver(standing_changed)
def end_seats(member, **kwargs):
    """Whoever only has to prove their license once more keeps the seat, and writes again afterwards."""
    if not member.may_read:
        seating.lose_seats(member=member)
