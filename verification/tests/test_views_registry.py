"""The pages of an entry in one's own registry record."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from verification import tasks
from verification.models import Proof
from verification.models.claims import State
from verification.services import endpoint
from verification.tests.factories import make_applicant, make_claim, make_holder

pytestmark = pytest.mark.django_db
OPEN, LOOK = "/verify/registry/open/", "/verify/registry/look/"


@pytest.fixture
def browser(seeker):
    client = Client()
    client.force_login(seeker.user)
    return client


@pytest.fixture
def claim(provider, seeker):
    return make_claim(seeker, provider, state=State.CHALLENGED)


def part(claim):
    """What the proof page shows of this way."""
    request = RequestFactory().get("/verify/proof/")
    return render_to_string("verification/_endpoint.html", {"claim": claim}, request)


def aged(claim, **columns):
    Proof.objects.filter(claim=claim).update(**columns)


def ago(**time):
    return timezone.now() - timedelta(**time)


@pytest.mark.parametrize("address", [OPEN, LOOK])
def test_visitors_log_in_first(client, db, address):
    assert client.post(address).url.startswith("/accounts/login/")


@pytest.mark.parametrize("address", [OPEN, LOOK])
def test_nothing_happens_on_a_get(browser, address):
    assert browser.get(address).status_code == 405


@pytest.mark.parametrize("address", [OPEN, LOOK])
def test_who_has_claimed_nothing_starts_there(browser, address):
    assert browser.post(address).url == reverse("verification:start")


def test_an_address_is_made_and_shown_again(browser, claim):
    assert browser.post(OPEN).url == reverse("verification:proof")
    browser.post(OPEN)

    address = endpoint.address_of(claim.proofs.get())
    assert address in part(claim)
    assert "not there yet" in part(claim)


def test_a_claim_that_needs_none_is_told_so(browser, seeker, provider):
    make_claim(seeker, provider, state=State.MATCHED)

    response = browser.post(OPEN)

    assert response.url == reverse("verification:start")
    assert "not needed now" in browser.get(response.url).content.decode()


def test_look_now_says_what_happens(browser, claim):
    browser.post(OPEN)

    response = browser.post(LOOK, follow=True)

    assert "The registry is being read." in response.content.decode()
    assert claim.proofs.get().sent_at
    assert "being read" in part(claim)


def test_looks_used_up_are_told(browser, claim, monkeypatch):
    monkeypatch.setattr(endpoint.limits, "looks_left", lambda user: 0)
    browser.post(OPEN)

    assert "read five times for you today" in browser.post(LOOK, follow=True).content.decode()
    assert re.search(r"<button[^>]* disabled>Look now", part(claim))


def test_the_part_says_where_it_stands(claim, settings):
    assert "Make my address" in part(claim)
    endpoint.open_proof(claim=claim)
    aged(claim, checked_at=ago(hours=1))
    assert "Last looked" in part(claim)
    aged(claim, sent_at=ago(minutes=5))
    assert "did not answer" in part(claim)
    settings.NPPES_ASKED = False
    assert "is not asked on this site" in part(claim)
    aged(claim, ok_at=timezone.now())
    assert "You can delete it there now" in part(claim)


def test_the_part_is_empty_where_it_has_nothing_to_offer(seeker, provider):
    assert "<section" not in part(make_claim(seeker, provider, state=State.MATCHED))


def test_the_part_costs_three_queries_at_most(claim, django_assert_max_num_queries):
    endpoint.open_proof(claim=claim)

    with django_assert_max_num_queries(3):
        part(claim)


def test_it_reads_alike_whether_somebody_holds_the_identity_or_not(provider, monkeypatch):
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    monkeypatch.setattr(endpoint, "secrets", SimpleNamespace(choice=lambda signs: signs[0]))
    free = make_claim(make_applicant(), provider, state=State.CHALLENGED)
    endpoint.open_proof(claim=free)
    before = part(free)
    Proof.objects.all().delete()
    make_holder(provider)
    held = make_claim(make_applicant(), provider, state=State.CHALLENGED)
    endpoint.open_proof(claim=held)
    hidden = re.compile(r'(name="csrfmiddlewaretoken" value=")[^"]+')

    assert hidden.sub("", part(held)) == hidden.sub("", before)


class TestTheAddressItself:
    def test_anybody_reads_what_it_is_for(self, client, claim, seeker):
        address = endpoint.address_of(endpoint.open_proof(claim=claim))

        response = client.get(address)

        said = response.content.decode()
        assert response.status_code == 200
        assert "national registry of providers" in said
        assert response["X-Robots-Tag"] == "noindex, nofollow"
        assert not [word for word in (claim.case_number, seeker.handle, "Quillfeather") if word in said]

    def test_it_cannot_tell_one_that_exists_from_one_that_does_not(
        self, client, claim, django_assert_num_queries
    ):
        code = endpoint.open_proof(claim=claim).code
        seen = []
        for token in (code, code[::-1]):
            with django_assert_num_queries(0):
                response = client.get(reverse("verification:registry_entry", args=[token]))
            seen.append(
                re.sub(rb'(nonce=")[^"]+|(value=")[^"]+|(X-CSRFToken": ")[^"]+', b"", response.content)
            )

        assert seen[0] == seen[1]

    def test_opening_it_changes_nothing(self, client, claim):
        proof = endpoint.open_proof(claim=claim)

        client.get(endpoint.address_of(proof))

        proof.refresh_from_db()
        assert (proof.checked_at, proof.ok_at) == (None, None)
        assert client.post(endpoint.address_of(proof)).status_code == 405


def test_a_claim_from_the_page_is_compared_with_the_registry(
    browser, provider, django_capture_on_commit_callbacks, monkeypatch
):
    started = []
    monkeypatch.setattr(tasks.check_freshness, "delay", lambda *args: started.append(args))
    form = {"first": "Ottoline", "last": "Quillfeather", "degree": "MD", "state": "MI", "npi": provider.npi}

    with django_capture_on_commit_callbacks(execute=True):
        browser.post(reverse("verification:identity"), form)

    assert len(started) == 1
