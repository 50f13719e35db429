"""Background doors into verification."""

from celery import shared_task

from verification.services import limits, proofs


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
    """Turn the questions off when far more tries fail than usual."""
    return limits.watch_failures()
