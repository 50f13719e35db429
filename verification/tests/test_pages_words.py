"""What the pages of verification say where more than one thing could be so: that it is the thing that is so."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from verification.models import Challenge, Decision, Dispute
from verification.models.claims import State
from verification.services import claims
from verification.tests.factories import make_applicant, make_claim, make_reviewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(seeker):
    client = Client()
    client.force_login(seeker.user)
    return client


def seen(browser, name):
    return browser.get(reverse(f"verification:{name}")).content.decode()


@pytest.fixture
def rejected(seeker, provider):
    claim = make_claim(
        seeker, provider, state=State.REJECTED, rejected_for="mismatch", decided_at=timezone.now()
    )
    Decision.objects.create(
        claim=claim, reviewer=make_reviewer(), outcome="reject", reason="mismatch", note="No."
    )
    return claim


@pytest.fixture
def appeal_taken_back(seeker, rejected):
    claims.appeal(user=seeker.user, text="The card was mine.")
    return rejected


def test_taking_an_appeal_back_says_what_it_costs(browser, appeal_taken_back):
    words = seen(browser, "start")

    assert "Your appeal ends with it" in words
    assert "You can start again at any time" not in words


def test_after_an_appeal_taken_back_the_page_says_from_when_one_can_start(browser, seeker, appeal_taken_back):
    claims.withdraw(user=seeker.user)

    words = seen(browser, "start")

    assert "New application from" in words
    assert reverse("verification:identity") not in words


@pytest.mark.parametrize("takes_back", [False, True])
def test_nobody_fills_in_a_form_that_would_be_refused(browser, seeker, rejected, takes_back):
    if takes_back:
        claims.appeal(user=seeker.user, text="The card was mine.")
        claims.withdraw(user=seeker.user)

    assert browser.get(reverse("verification:identity")).url == reverse("verification:start")


def test_the_form_opens_again_90_days_after_a_rejection(browser, rejected):
    type(rejected).objects.update(decided_at=timezone.now() - timedelta(days=91))
    Decision.objects.update(at=timezone.now() - timedelta(days=91))

    assert "New application from" not in seen(browser, "start")
    assert browser.get(reverse("verification:identity")).status_code == 200


@pytest.mark.parametrize("state", [State.LAPSED, State.SUSPENDED])
def test_a_license_in_doubt_is_cleared_up_by_documents_and_not_by_codes(browser, seeker, provider, state):
    claim = make_claim(seeker, provider, state=state)
    Challenge.objects.create(
        claim=claim, number=1, facts=[], sheet=[], verdict="passed", finished_at=timezone.now()
    )

    words = seen(browser, "proof")

    assert "Send this document" in words
    assert "A call to the practice" not in words
    assert "Mail from your hospital" not in words
    assert "One proof that the license is yours" not in words


@pytest.mark.parametrize("state", [State.LAPSED, State.SUSPENDED, State.DISPUTED_HOLDER])
def test_a_license_that_is_held_is_no_application_any_more(browser, seeker, provider, state):
    make_claim(seeker, provider, state=state)

    assert 'class="stepper"' not in seen(browser, "start")


def test_the_holder_of_a_disputed_license_reads_until_when_to_answer(browser, seeker, provider):
    holder = make_claim(seeker, provider, state=State.DISPUTED_HOLDER)
    rival = make_claim(make_applicant(), provider, state=State.DISPUTED_RIVAL)
    due = timezone.now() + timedelta(days=9)
    Dispute.objects.create(holder_claim=holder, rival_claim=rival, opened_at=timezone.now(), due_at=due)

    words = seen(browser, "start")

    assert "You have until" in words
    assert f'datetime="{due:%Y-%m-%d}' in words
