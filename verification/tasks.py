"""Background doors into verification."""

from celery import shared_task

from verification.services import limits, proofs, stake, unmasking


@shared_task
def purge_documents():
    """Delete the files of documents 30 days after their claims were decided."""
    return proofs.purge_documents()


@shared_task
def purge_day_counts():
    """Forget how often something was done from an address, two days later."""
    return limits.purge()


@shared_task
def watch_failures():
    """Raise the alarm when far more tries of the questions fail than usual."""
    return limits.watch_failures()


@shared_task
def tell_unmasked():
    """Tell members, on the day it may be told, that staff saw the name behind their handle."""
    return unmasking.tell_due()


@shared_task
def follow_up_vouch_losses(claim_id):
    """Do at once what follows from a revocation for those who had vouched."""
    stake.follow_up(claim_id=claim_id)


@shared_task
def sweep_vouch_losses():
    """Do what a lost nudge left undone."""
    return stake.follow_up_all()
