"""Background doors into verification."""

from celery import shared_task

from verification.nppes_api import Unavailable
from verification.services import endpoint, freshness, license_clock, limits, proofs, rechecks, rosters


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
    """Raise the alarm when far more tries of the questions fail than usual."""
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
