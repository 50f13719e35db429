from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail
from django.utils import timezone

from accounts.models import Mail
from accounts.tasks import send_mail
from verification import tasks
from verification.models import Claim, Dispute, Event
from verification.models.claims import State
from verification.services import decisions, disputes, proofs
from verification.tests.factories import image_bytes, make_claim

pytestmark = pytest.mark.django_db


@pytest.fixture
def dispute(provider, seeker, reviewer):
    make_claim(provider=provider, state=State.VERIFIED)
    rival = make_claim(seeker, provider, state=State.CHALLENGED)
    proofs.add_document(claim=rival, sort="license", data=image_bytes())
    decisions.approve(claim=rival, by=reviewer, reason="document_fits", note="They agree.")
    Mail.objects.all().delete()
    return Dispute.objects.get()


@pytest.fixture
def due(dispute):
    Dispute.objects.update(opened_at=timezone.now() - timedelta(days=15), due_at=timezone.now())
    return dispute


def test_nothing_is_due_before_the_holders_days_are_over(dispute, reviewer):
    assert tasks.bring_due_disputes() == 0
    assert not Claim.objects.get(pk=dispute.rival_claim_id).is_ahead
    assert not Mail.objects.exists()


def test_a_due_dispute_comes_to_the_head_of_the_queue(due):
    assert tasks.bring_due_disputes() == 1

    assert Claim.objects.in_queue().first().pk == due.rival_claim_id


def test_the_reviewers_are_reminded_once_a_day(due, reviewer, second_reviewer):
    now = timezone.now()
    for _ in range(2):
        disputes.bring_due(now=now)
    assert Mail.objects.count() == 2

    disputes.bring_due(now=now + timedelta(days=1))
    assert Mail.objects.count() == 4
    assert Event.objects.filter(kind="disputes_due").count() == 2


def test_the_mail_says_no_name_no_number_and_no_case(due, reviewer, provider):
    disputes.bring_due()
    send_mail()

    (message,) = mail.outbox
    said = message.subject + message.body
    assert message.to == [reviewer.email]
    assert message.subject == "1 dispute to settle"
    assert f"{settings.SITE_URL}/admin/verification/dispute/" in said
    for secret in (due.rival_claim.case_number, due.holder_claim.case_number, provider.npi, "Quillfeather"):
        assert secret not in said


def test_a_settled_dispute_is_nobodys_concern(due):
    Dispute.objects.update(outcome="holder", settled_at=timezone.now())

    assert disputes.bring_due() == 0


def test_who_left_the_group_is_not_reminded(due, reviewer):
    reviewer.groups.clear()

    disputes.bring_due()

    assert not Mail.objects.exists()
