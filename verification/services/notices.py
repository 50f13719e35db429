"""Mail about a claim: queued once the transaction stands, never with a name or a number in it."""

from functools import partial

from django.db import transaction

from verification import tasks
from verification.models import Claim


def tell_applicant(claim: Claim, about: str) -> None:
    """Send the applicant the mail `about`, a name of templates/verification/mail/<about>.txt."""
    _after_commit(tasks.mail_applicant, claim.pk, about)


def tell_holder(claim: Claim) -> None:
    """Warn whoever holds the identity of a claim. Queued for every claim, so that it tells nothing by timing."""
    _after_commit(tasks.warn_holder, claim.pk)


def _after_commit(task, *args) -> None:
    """Without its broker the site still takes the step; a mail that could not be queued is logged."""
    transaction.on_commit(partial(task.delay, *args), robust=True)
