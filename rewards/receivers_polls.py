"""What polls announce, as far as somebody pays for the vote."""

from django.dispatch import receiver

from polls.signals import poll_given_back, poll_taken
from rewards.services import honoraria


@receiver(poll_taken)
def take_slot(poll, member, **kwargs):
    honoraria.take(poll=poll, member=member)


@receiver(poll_given_back)
def give_slot_back(poll, member, **kwargs):
    honoraria.give_back(poll=poll, member=member)
