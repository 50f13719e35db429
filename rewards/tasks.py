"""What clocks and workers do about money. Each may run twice."""

from datetime import datetime

import structlog
from celery import shared_task

from rewards.providers.base import InDoubt
from rewards.services import (
    allowances,
    draws,
    honoraria,
    leaving,
    payouts,
    reconciling,
    rooms,
    running,
    settling,
)

log = structlog.get_logger(__name__)


@shared_task
def settle_due():
    """Settle what the closing of a discussion left, and give back what was promised for removed posts."""
    settling.sweep(log.info)


@shared_task
def fix_allowances():
    """Fix right after 00:00 UTC how many posts each firm may earmark on the day."""
    allowances.fix(draws.today())


@shared_task
def keep_draw_keys():
    """Have the keys of the coming days' draws made and their hashes published."""
    draws.keep_ahead()


@shared_task
def credit_honoraria():
    """Credit the sponsored votes of the day, in random order, and what focus groups left to be credited."""
    honoraria.credit_all(log.info)
    rooms.credit_all(log.info)


@shared_task
def run_payouts():
    """Send approved payouts, and ask after those in doubt."""
    running.run(log.info)


@shared_task
def reconcile():
    """Compare the providers' lists with ours."""
    reconciling.run_all()


@shared_task(autoretry_for=(InDoubt,), retry_backoff=True, max_retries=3)
def reconcile_since(provider, since):
    """Compare one provider's list with ours since a moment, as the finance desk asked."""
    reconciling.run(provider, datetime.fromisoformat(since))


@shared_task
def note_late_payouts():
    """Apologize for payouts that are past their promised day."""
    payouts.note_late()


@shared_task
def close_left_balances():
    """Give to charity what members who left did not claim in time."""
    leaving.close_due()
