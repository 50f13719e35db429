from celery import shared_task
from django.core.management import call_command

from accounts.services import members


@shared_task
def clear_sessions():
    """Forget sessions that have run out."""
    call_command("clearsessions")


@shared_task
def forget_unconfirmed():
    """Free what was taken by sign-ups nobody confirmed."""
    members.forget_unconfirmed()
