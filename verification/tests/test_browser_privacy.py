"""Unmasking, badge, vouches and reasons in a real browser: without scripts, on a phone, and under axe."""

import pytest
from django.conf import settings as site_settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from conftest import client_of
from sermo.tests.test_accessibility import LOOKS, faults_by_look
from verification.models import Unmasking
from verification.models.claims import State
from verification.services import claims, decisions, stake, states, unmasking
from verification.tests.factories import make_claim, make_holder, make_provider, make_reviewer
from verification.tests.test_stake import make_vouched
from verification.tests.test_unmasking import FINE, WHY, browser, make_officer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 390, "height": 844}


def enter(page, site, client):
    session = client.cookies[site_settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": site_settings.SESSION_COOKIE_NAME, "value": session, "url": site}])


def test_from_the_request_to_the_name_without_scripts(browser_page, live_server, provider):
    holder, site = make_holder(provider), live_server.url
    asking = browser_page(java_script_enabled=False, viewport=PHONE)
    enter(asking, site, browser(make_officer()))
    asking.goto(site + reverse("admin:verification_unmasking_add"))
    asking.get_by_label("Handle").fill(holder.handle)
    asking.get_by_label("On what ground").select_option("harm")
    asking.get_by_label("Why").fill(WHY)
    asking.get_by_role("button", name="Ask").click()
    expect(asking.get_by_text("Somebody else decides.")).to_be_visible()

    granting = browser_page(java_script_enabled=False, viewport=PHONE)
    enter(granting, site, browser(make_officer()))
    granting.goto(site + reverse("admin:verification_unmasking_change", args=[Unmasking.objects.get().pk]))
    granting.get_by_label("Why").fill(FINE)
    granting.get_by_role("button", name="Grant").click()
    expect(granting.get_by_text("Granted, open").first).to_be_visible()

    asking.reload()
    asking.get_by_role("button", name="Read the name").click()
    expect(asking.get_by_text("Ottoline Quillfeather, MD")).to_be_visible()


def test_the_badge_is_read_without_hovering_and_opens_by_the_keyboard(browser_page, live_server, provider):
    holder = make_holder(provider)
    page = browser_page(java_script_enabled=False, viewport=PHONE)
    enter(page, live_server.url, client_of(holder))
    page.goto(live_server.url + holder.get_absolute_url())
    said = page.locator("summary", has_text="License verified")
    expect(said).to_be_visible()

    said.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text("No state, number or name is shown")).to_be_visible()


def test_axe_finds_no_serious_fault(browser_page, live_server, provider):
    site, found = live_server.url, []
    holder, first, second = make_holder(provider), make_officer(), make_officer()
    waiting = unmasking.ask(handle=holder.handle, by=second, basis="fraud", reason=WHY)
    request = unmasking.ask(handle=holder.handle, by=first, basis="harm", reason=WHY)
    unmasking.grant(request=request, by=second, why=FINE)
    fraud = states.move(
        claim=make_vouched(holder), to=State.REVOKED, as_=states.REVIEWER, reason="dispute_lost"
    )
    stake.fail(claim=fraud)
    stake.follow_up(claim_id=fraud.pk)
    refused = make_claim(provider=make_provider(number="4301555555"), state=State.NEEDS_REVIEW)
    decisions.reject(claim=refused, by=make_reviewer(), reason="mismatch", note="Another name.")
    claims.appeal(user=refused.user, text="I married last year, and my name changed.")

    def look(page, *addresses):
        for address in addresses:
            page.goto(site + address)
            found.extend(faults_by_look(page, LOOKS))

    desk = browser_page()
    enter(desk, site, browser(first))
    look(
        desk,
        reverse("admin:verification_unmasking_changelist"),
        reverse("admin:verification_unmasking_add"),
        reverse("admin:verification_unmasking_change", args=[waiting.pk]),
        reverse("admin:verification_unmasking_change", args=[request.pk]),
    )
    desk.get_by_role("button", name="Read the name").click()
    found.extend(faults_by_look(desk, LOOKS))
    own = browser_page()
    enter(own, site, client_of(holder))
    Unmasking.objects.filter(pk=request.pk).update(told_at=timezone.now())
    look(own, reverse("verification:unmaskings"), reverse("verification:vouches"), holder.get_absolute_url())
    own.locator("summary", has_text="License verified").click()
    found.extend(faults_by_look(own, LOOKS))
    applicant = browser_page()
    enter(applicant, site, client_of(refused.user.as_member))
    look(applicant, reverse("verification:reasons"))

    assert not found, "\n".join(found)
