from celery import shared_task

from focusgroups.services import publishing, quoting, seating, telling


@shared_task
def close_due():
    """Close the sections and rooms whose time is up, tell participants of sections that have opened, and let quotes
    that nobody answered for be paraphrased."""
    publishing.close_due()
    telling.of_due_sections()
    quoting.expire()


@shared_task
def remind_due():
    """Remind participants of sections that became overdue."""
    seating.remind_due()
