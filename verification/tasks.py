"""Background doors into verification."""

from celery import shared_task

from verification.nppes_api import Unavailable
from verification.services import (
    automatic,
    codes,
    disputes,
    endpoint,
    freshness,
    incidents,
    license_clock,
    limits,
    objections,
    queue,
    rechecks,
    retention,
    rosters,
    stake,
    unmasking,
    watching,
)


@shared_task
def weigh_queue():
    """Count the risk of what waits anew, since others may claim the same identity by now."""
    return queue.weigh_all()


@shared_task
def bring_due_disputes():
    """Put disputes whose days are over before reviewers, and remind these once a day."""
    return disputes.bring_due()


@shared_task
def watch_failures():
    """Turn the questions off when far more tries fail than usual."""
    return limits.watch_failures()


@shared_task
def look_at_entries():
    """Read the registry records in which an applicant's address is due to be looked for."""
    return endpoint.look_at_due()


@shared_task
def look_at_entry(proof_id):
    """Read one of them now. Where the registry does not answer, `look_at_entries` asks it again."""
    try:
        return endpoint.look(proof_id=proof_id)
    except Unavailable:
        return False


@shared_task
def check_freshness(claim_id):
    """Compare a claim just started with the registry of today."""
    return freshness.check(claim_id=claim_id)


@shared_task
def deliver_code(proof_id):
    """Send a code that was asked for."""
    return codes.deliver(proof_id=proof_id)


@shared_task
def deliver_due_codes():
    """Send the codes that no task has sent."""
    return codes.deliver_due()


@shared_task
def decide(claim_id):
    """Make the last check of a claim whose code was right."""
    automatic.decide(claim_id=claim_id)


@shared_task
def decide_due():
    """Make the last checks that no task has made."""
    return automatic.decide_due()


@shared_task
def ask_whether():
    """Tell the telephones and faxes of the registry who was verified, so that they can say: this was not me."""
    return objections.send_due()


@shared_task
def end_unmaskings():
    """End the requests for a name that nobody decided in time."""
    return unmasking.end_due()


@shared_task
def tell_unmasked():
    """Tell members, on the day it may be told, that staff saw the name behind their handle."""
    return unmasking.tell_due()


@shared_task
def enforce_retention():
    """Every night, forget whatever is past its time, in every app (docs/retention.md), but for what goes each hour."""
    retention.enforce_all()


@shared_task
def enforce_hourly_retention():
    """Forget what cannot wait for the night."""
    retention.enforce_all(hourly=True)


@shared_task
def check_chain():
    """Every night, see whether the audit trail holds, and mail superusers where it does not."""
    return watching.check_chain()


@shared_task
def remind_incidents():
    """Every day, mail the Privacy group of incidents whose 60 days run out."""
    return incidents.remind_due()


@shared_task
def follow_up_vouch_losses(claim_id):
    """Do at once what follows from a revocation for those who had vouched."""
    stake.follow_up(claim_id=claim_id)


@shared_task
def sweep_vouch_losses():
    """Do what a lost nudge left undone."""
    return stake.follow_up_all()


@shared_task
def recheck_claims():
    """Compare the claims that hold a license with every import that none was compared with yet."""
    return dict(rechecks.recheck_due())


@shared_task
def recheck_rosters():
    """Compare the licenses that are held with the rosters of all states."""
    return dict(rosters.recheck_all())


@shared_task
def keep_licenses():
    """Remind members of dates that come near, and let licenses lapse."""
    return dict(license_clock.run())
