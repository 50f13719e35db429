"""Background doors into verification."""

from celery import shared_task

from verification.services import automatic, codes, limits, objections, proofs


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
