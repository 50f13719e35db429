"""What must happen on time while a page waits. Rows know what is due: a task lost or run twice changes nothing."""

import logging
from datetime import datetime, timedelta

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from consults.services import duties, paging

log = logging.getLogger(__name__)
NUDGED_AHEAD = timedelta(
    minutes=50
)  # what the broker holds for longer than an hour it delivers every hour again


@shared_task
def advance_due():
    """Every few seconds: take the steps that are due, end what has outlived its case, free what nobody can answer."""
    now = timezone.now()
    for paging_id in paging.outlived(now):
        _try(paging.stop_outlived, paging_id)
    for paging_id in paging.abandoned():
        _try(paging.free, paging_id)
    for paging_id in paging.due(now):
        _try(paging.advance, paging_id)


@worker_ready.connect
def look_at_once(sender=None, **kwargs):
    """A worker that starts anew does not wait for the schedule, which may have died with it."""
    advance_due.apply_async(expires=settings.ON_CALL_EVERY)


@shared_task
def advance(paging_id):
    """Take the due steps of one paging, to the second where the worker lives; `advance_due` makes up for it."""
    _try(paging.advance, paging_id)


@shared_task
def plan_duties():
    """Make the duties of the coming two weeks."""
    duties.plan_all()


def nudge_at(paging_id: int, moment: datetime) -> None:
    """Have a paging looked at when its next step is due, once the transaction stands; `advance_due` knows the rest."""
    if moment > timezone.now() + NUDGED_AHEAD:
        return

    def start():
        advance.apply_async([paging_id], eta=moment, expires=moment + timedelta(minutes=1))

    transaction.on_commit(start, robust=True)


def _try(service, paging_id: int) -> None:
    """One that fails is tried again a few seconds later; the others need not wait for it."""
    try:
        service(paging_id)
    except Exception:
        log.exception("paging %d stopped", paging_id)
