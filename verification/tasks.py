"""Background doors into verification."""

from celery import shared_task

from verification.services import incidents, limits, retention, watching


@shared_task
def watch_failures():
    """Raise the alarm when far more tries of the questions fail than usual."""
    return limits.watch_failures()


@shared_task
def enforce_retention():
    """Every night, forget whatever is past its time, in every app (docs/retention.md)."""
    retention.enforce_all()


@shared_task
def check_chain():
    """Every night, see whether the audit trail holds, and mail superusers where it does not."""
    return watching.check_chain()


@shared_task
def remind_incidents():
    """Every day, mail the Privacy group of incidents whose 60 days run out."""
    return incidents.remind_due()
