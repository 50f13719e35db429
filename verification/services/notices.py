"""Mail about a claim: in the outbox with what caused it, never with a name or a number in it."""

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import User
from accounts.services import mail
from verification.models import Claim
from verification.services import disputes


def tell_applicant(claim: Claim, about: str) -> None:
    """Write the applicant the mail `about`, a name of templates/verification/mail/<about>.txt."""
    if claim.user:  # None once they left
        mail.queue(claim.user, *_rendered(about, claim))


def tell_member(user: User, about: str, page: str) -> None:
    """Write somebody the mail `about` of mail/members, with a link to the page of that name and nothing of a claim."""
    link = settings.SITE_URL + reverse(page)
    mail.queue(user, *_in_two(render_to_string(f"verification/mail/members/{about}.txt", {"link": link})))


def tell_holder(claim: Claim) -> None:
    """Warn whoever holds the identity of a claim, once for each such claim.

    The sender is nudged for every claim, so that a broker that is slow does not tell whether there is a holder.
    """
    if holder := disputes.holder_to_warn(claim_id=claim.pk):
        tell_applicant(holder, "rival")
        disputes.note_warned(claim_id=claim.pk)
    else:
        mail.nudge_sender()


def _rendered(about: str, claim: Claim) -> tuple[str, str]:
    """Subject and text."""
    context = {
        "case_number": claim.case_number,
        "link": settings.SITE_URL + reverse("verification:start"),
    }
    return _in_two(render_to_string(f"verification/mail/{about}.txt", context))


def _in_two(mail_text: str) -> tuple[str, str]:
    """The first line is the subject."""
    subject, _, text = mail_text.partition("\n")
    return subject.strip(), text.lstrip()
