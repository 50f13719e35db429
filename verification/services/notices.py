"""Mail about a claim: in the outbox with what caused it, never with a name or a number in it."""

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from accounts import roles
from accounts.models import Mail, User
from accounts.services import mail
from verification.models import Claim
from verification.services import disputes


def tell_applicant(claim: Claim, about: str, **said: str) -> None:
    """Write the applicant the mail `about`, a name of templates/verification/mail/<about>.txt that may use `said`."""
    if claim.user:  # None once they left
        mail.queue(claim.user, *_rendered(about, claim, said))


def tell_member(user: User, about: str, page: str) -> None:
    """Write somebody the mail `about` of mail/members, with a link to the page of that name and nothing of a claim."""
    mail.queue(user, *_parts(f"members/{about}", {"link": settings.SITE_URL + reverse(page)}))


def tell_holder(claim: Claim) -> None:
    """Warn whoever holds the identity of a claim, its NPI or its license number, once for each such claim.

    The sender is nudged for every claim, so that a broker that is slow does not tell whether there is a holder.
    """
    if holders := disputes.holders_to_warn(claim_id=claim.pk):
        for holder in holders:
            tell_applicant(holder, "rival")
        disputes.note_warned(claim_id=claim.pk)
    else:
        mail.nudge_sender()


def tell_reviewers(about: str, page: str, **said) -> None:
    """Write the mail `about` of mail/staff, which may use `said`, to the staff of the reviewers' group.

    It has a link to a page of the desk, and says no name, number or case.
    """
    reviewers = User.objects.filter(is_active=True, is_staff=True, groups__name=roles.REVIEWERS)
    subject, text = _parts(f"staff/{about}", {**said, "link": settings.SITE_URL + reverse(page)})
    mail.queue_all([Mail(user=user, subject=subject, text=text) for user in reviewers.order_by("pk")])


def _rendered(about: str, claim: Claim, said: dict[str, str] | None = None) -> tuple[str, str]:
    context = {
        "case_number": claim.case_number,
        "link": settings.SITE_URL + reverse("verification:start"),
        **(said or {}),
    }
    return _parts(about, context)


def _parts(about: str, context: dict) -> tuple[str, str]:
    """Subject, which is the first line, and text."""
    subject, _, text = render_to_string(f"verification/mail/{about}.txt", context).partition("\n")
    return subject.strip(), text.lstrip()
