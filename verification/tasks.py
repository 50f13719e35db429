"""Background doors into verification."""

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import User
from accounts.services import mail
from verification.models import Claim
from verification.services import disputes, limits, proofs


@shared_task
def mail_applicant(claim_id, about):
    """Tell the owner of a claim of a decision."""
    claim = Claim.objects.select_related("user").defer("identity").get(pk=claim_id)
    if claim.user is None:  # left since
        return
    _queue(claim.user, about, case_number=claim.case_number)
    mail.send_due()


@shared_task
def warn_holder(claim_id):
    """Tell whoever holds an identity that somebody else claims it, once for each such claim."""
    with transaction.atomic():
        if holder := disputes.holder_to_warn(claim_id=claim_id):
            _queue(holder.user, "rival", case_number=holder.case_number)
            disputes.note_warned(claim_id=claim_id)
    mail.send_due()


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


def _queue(user: User, about: str, **context) -> None:
    context["link"] = settings.SITE_URL + reverse("verification:start")
    subject, _, text = render_to_string(f"verification/mail/{about}.txt", context).partition("\n")
    mail.queue(user, subject.strip(), text.lstrip())
