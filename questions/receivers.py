"""What discussions do when something lower has happened."""

from django.dispatch import receiver

from accounts.signals import byline_mode_changed
from questions.services import bylines


@receiver(byline_mode_changed)
def mask_earlier_bylines(member, **kwargs):
    bylines.mask_earlier(member=member)
