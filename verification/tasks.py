"""Background doors into verification."""

from celery import shared_task

from verification.services import limits, retention


@shared_task
def watch_failures():
    """Raise the alarm when far more tries of the questions fail than usual."""
    return limits.watch_failures()


@shared_task
def enforce_retention():
    """Every night, forget whatever is past its time, in every app (docs/retention.md)."""
    retention.enforce_all()
