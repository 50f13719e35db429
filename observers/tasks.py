"""What clocks and workers do about observers. Each may run twice."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from observers import conflicts, crowds, figures, products
from observers.services import alerting, charting, reading

RECENT = timedelta(hours=1)
SWEPT = timedelta(days=2)  # of posts; all of them once a week


@shared_task
def take_figures():
    """Right after 00:00 UTC: show the figures of the night before, note those of this one, count who shares what."""
    figures.take()
    crowds.count()


@shared_task
def make_months():
    """Have the log of reads parts for the coming months."""
    reading.make_months()


@shared_task
def count_charts():
    """Count the charts that wait."""
    charting.count_waiting()


@shared_task
def begin_alerts():
    """Take what matches now for known in searches whose alerts were just asked for."""
    alerting.begin_all()


@shared_task
def send_alerts():
    """Tell seats, once a day, that there is something new to their saved searches."""
    alerting.send_all()


@shared_task
def find_products():
    """Find products in what was opened within the last hour; answers and comments were looked at when posted."""
    products.sweep(timezone.now() - RECENT)


@shared_task
def sweep_products():
    """Find products in posts of the last days, on Sundays in all, and count the lines of conflict anew."""
    now = timezone.now()
    products.sweep(None if now.isoweekday() == 7 else now - SWEPT)
    conflicts.count()
