"""What the account does when one of its own facts has changed."""

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

from accounts.models import Face, Member
from accounts.services import pictures, sessions
from accounts.signals import byline_mode_changed


@receiver(byline_mode_changed)
def remove_the_picture_of_a_hidden_name(member, **kwargs):
    if member.byline_mode != Member.BylineMode.PUBLIC and member.name_picture:
        pictures.remove_picture(member=member, face=Face.NAME)
        member.name_picture = ""


@receiver(user_logged_in)
def let_a_shared_device_forget(request, **kwargs):
    """Where a passkey logs in at once; behind a password the form has seen to it (`forms.LoginForm`)."""
    if request is not None and request.POST.get("shared"):
        sessions.begin_shared(request.session)
