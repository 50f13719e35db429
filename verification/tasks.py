"""Background doors into verification."""

from celery import shared_task

from verification.services import disputes, limits, proofs, queue


@shared_task
def purge_documents():
    """Delete the files of documents 30 days after their claims were decided."""
    return proofs.purge_documents()


@shared_task
def weigh_queue():
    """Count the risk of what waits anew, since others may claim the same identity by now."""
    return queue.weigh_all()


@shared_task
def bring_due_disputes():
    """Put disputes whose days are over before reviewers, and remind these once a day."""
    return disputes.bring_due()


@shared_task
def purge_day_counts():
    """Forget how often something was done from an address, two days later."""
    return limits.purge()


@shared_task
def watch_failures():
    """Raise the alarm when far more tries of the questions fail than usual."""
    return limits.watch_failures()
