"""What the account does when one of its own facts has changed."""

from django.dispatch import receiver

from accounts.models import Face, Member
from accounts.services import pictures
from accounts.signals import byline_mode_changed


@receiver(byline_mode_changed)
def remove_the_picture_of_a_hidden_name(member, **kwargs):
    if member.byline_mode != Member.BylineMode.PUBLIC and member.name_picture:
        pictures.remove_picture(member=member, face=Face.NAME)
        member.name_picture = ""
