"""Mail about a claim: queued once the transaction stands, never with a name or a number in it."""

from sermo.background import nudge
from verification import tasks
from verification.models import Claim


def tell_applicant(claim: Claim, about: str) -> None:
    """Send the applicant the mail `about`, a name of templates/verification/mail/<about>.txt."""
    nudge(tasks.mail_applicant, claim.pk, about)


def tell_holder(claim: Claim) -> None:
    """Warn whoever holds the identity of a claim. Queued for every claim, so that it tells nothing by timing."""
    nudge(tasks.warn_holder, claim.pk)
