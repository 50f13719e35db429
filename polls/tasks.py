from celery import shared_task

from polls.services import closing, trends


@shared_task
def close_due_polls():
    """Close the polls whose time is up, then remind of those whose time comes."""
    closing.close_due()
    closing.remind_due()


@shared_task
def open_due_waves():
    """Ask the polls again whose month has come."""
    trends.open_due_waves()
