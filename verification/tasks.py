"""Background doors into verification."""

from smtplib import SMTPException

from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import User
from verification.models import Claim
from verification.services import disputes, limits, proofs

RETRY = {"autoretry_for": (SMTPException, OSError), "retry_backoff": True, "max_retries": 5}


@shared_task(**RETRY)
def mail_applicant(claim_id, about):
    """Tell the owner of a claim of a decision."""
    claim = Claim.objects.select_related("user").defer("identity").get(pk=claim_id)
    _send(claim.user, about, case_number=claim.case_number)


@shared_task(**RETRY)
def warn_holder(claim_id):
    """Tell whoever holds an identity that somebody else claims it, once for each such claim."""
    if holder := disputes.holder_to_warn(claim_id=claim_id):
        _send(holder.user, "rival", case_number=holder.case_number)
        disputes.note_warned(claim_id=claim_id)


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


def _send(user: User, about: str, **context) -> None:
    context["link"] = settings.SITE_URL + reverse("verification:start")
    subject, _, text = render_to_string(f"verification/mail/{about}.txt", context).partition("\n")
    send_mail(subject.strip(), text.lstrip(), None, [user.email])
