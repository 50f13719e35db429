"""The reviewers' pages in a real browser: by keys alone, without scripts, and under axe."""

import pytest
from django.conf import settings as site_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from sermo.tests.test_accessibility import LOOKS, faults_by_look
from verification.models import Claim, Decision, Dispute
from verification.models.claims import State
from verification.services import decisions, proofs
from verification.tests.factories import image_bytes, make_claim, make_exclusion, make_provider

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def claim(provider, seeker):
    claim = make_claim(seeker, provider, state=State.CHALLENGED, queued_at=timezone.now())
    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    return claim


def enter(page, site, user):
    client = Client()
    client.force_login(user)
    session = client.cookies[site_settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": site_settings.SESSION_COOKIE_NAME, "value": session, "url": site}])


def test_by_keys_alone_and_never_without_a_confirmation(browser_page, live_server, claim, reviewer):
    page = browser_page()
    enter(page, live_server.url, reviewer)
    page.goto(f"{live_server.url}/admin/verification/claim/")

    page.keyboard.press("n")
    expect(page.locator("h1")).to_have_text(claim.case_number)
    page.keyboard.press("r")
    expect(page.locator("[name=outcome][value=reject]")).to_be_checked()
    page.keyboard.press("a")
    page.keyboard.press("1")
    expect(page.locator("[name=reason]")).to_have_value("document_fits")
    note = page.locator("[name=note]")
    expect(note).to_be_focused()
    note.press_sequentially(" nr1")
    assert note.input_value().endswith(" nr1")
    expect(page.locator("[name=outcome][value=approve]")).to_be_checked()
    page.get_by_role("button", name="Go on").press("Enter")
    expect(page.locator("h1")).to_contain_text("Approve")
    assert not Decision.objects.exists()
    page.keyboard.press("Enter")

    expect(page.locator(".messagelist")).to_contain_text("approved")
    assert Claim.objects.get(pk=claim.pk).state == State.VERIFIED


def test_the_list_of_keys_turns_them_off(browser_page, live_server, claim, reviewer):
    page = browser_page()
    enter(page, live_server.url, reviewer)
    page.goto(live_server.url + reverse("admin:verification_claim_change", args=[claim.pk]))

    page.keyboard.press("?")
    page.get_by_label("Single keys work in this browser").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("r")

    expect(page.locator("[name=outcome][value=reject]")).not_to_be_checked()


def test_without_scripts(browser_page, live_server, claim, reviewer):
    page = browser_page(java_script_enabled=False)
    enter(page, live_server.url, reviewer)
    page.goto(f"{live_server.url}/admin/verification/claim/")

    page.get_by_role("button", name="Next claim").click()
    page.locator("[name=outcome][value=reject]").check()
    page.get_by_role("button", name="No active license").click()
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Reject", exact=True).click()

    assert Claim.objects.get(pk=claim.pk).rejected_for == "no_license"


def test_a_page_is_turned_and_enlarged(browser_page, live_server, claim, reviewer):
    page = browser_page(java_script_enabled=False)
    enter(page, live_server.url, reviewer)
    page.goto(live_server.url + reverse("admin:verification_claim_change", args=[claim.pk]))
    image = page.locator(".stage img")
    before = image.bounding_box()

    page.get_by_text("90°").click()
    turned = image.bounding_box()
    page.get_by_text("2×").click()

    assert (before["width"] > before["height"], round(turned["width"])) == (True, round(turned["height"]))
    assert image.bounding_box()["width"] == pytest.approx(2 * turned["width"], rel=0.05)


def test_axe_finds_no_serious_fault(browser_page, live_server, provider, claim, reviewer, second_reviewer):
    make_claim(provider=provider, state=State.VERIFIED)
    make_exclusion(make_provider(last="Quillfeather", first="Ottoline"), npi=None)
    Claim.objects.filter(pk=claim.pk).update(doubts=["name", "skipped"], name_score=0.9)
    page, site, found = browser_page(), live_server.url, []
    enter(page, site, reviewer)

    def look(address=None):
        if address:
            page.goto(site + address)
        found.extend(faults_by_look(page, LOOKS))

    look("/admin/verification/claim/")
    look(reverse("admin:verification_claim_change", args=[claim.pk]))
    page.locator("[name=outcome][value=reject]").check()
    page.locator("[data-act=reject] [data-number='1']").click()
    page.get_by_role("button", name="Go on").click()
    look()
    Claim.objects.filter(pk=claim.pk).update(doubts=[], held_by=None)
    make_exclusion_go()
    decisions.approve(claim=claim, by=second_reviewer, reason="document_fits", note="They agree.")
    look("/admin/verification/dispute/")
    look(reverse("admin:verification_dispute_change", args=[Dispute.objects.get().pk]))

    assert not found, "\n".join(found)


def make_exclusion_go():
    from verification.models import Exclusion

    Exclusion.objects.all().delete()
