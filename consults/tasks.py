from celery import shared_task

from consults import tasks_on_call  # noqa: F401
from consults.services import consents, stories


@shared_task
def carry_out_revocation(consent_id):
    """Destroy the pictures under a consent that was taken back, and withdraw its cases."""
    consents.carry_out(consent_id=consent_id)


@shared_task
def finish_revocations():
    """What a crash left undone of consents taken back."""
    consents.finish_revocations()


@shared_task
def watch_consents():
    """Withdraw what stands under consents long ended, take down their stories, then remind of those that end soon."""
    consents.end_expired()
    stories.erase_ended()
    consents.remind_due()
