"""The applicant's pages in a real browser: without scripts, with the clock, and under axe."""

import re
from types import SimpleNamespace

import pytest
from django.conf import settings as site_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from sermo.tests.test_accessibility import LOOKS, faults_by_look
from verification import calling_hours, tasks
from verification.models import Challenge, Claim
from verification.models.claims import State
from verification.services import switch, vouching
from verification.tests.calls import code_said
from verification.tests.factories import image_bytes, make_claim, make_holder, make_provider, start

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def enter(page, site, member):
    client = Client()
    client.force_login(member.user)
    session = client.cookies[site_settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": site_settings.SESSION_COOKIE_NAME, "value": session, "url": site}])


def test_the_whole_way_without_scripts(browser_page, live_server, provider, seeker):
    page = browser_page(java_script_enabled=False)
    enter(page, live_server.url, seeker)

    page.goto(f"{live_server.url}/verify/")
    page.get_by_role("link", name="Start").click()
    page.get_by_label("First name").fill("Ottoline")
    page.get_by_label("Last name").fill("Quillfeather")
    page.locator("input[name=degree][value=MD]").check()
    page.get_by_label("License state").select_option("MI")
    page.get_by_label("NPI").fill(provider.npi)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Start the questions").click()
    for entry in Challenge.objects.get().sheet:
        page.locator(f"input[name=answer][value='{entry['right']}']").check()
        page.get_by_role("button", name="Answer and").click()
    page.get_by_role("link", name="Choose a proof").click()
    page.get_by_label("License card").check()
    page.get_by_label("File").set_input_files(
        {"name": "card.jpg", "mimeType": "image/jpeg", "buffer": image_bytes()}
    )
    page.get_by_role("button", name="Send this document").click()

    expect(page.locator("h1")).to_have_text("With a reviewer")
    assert Claim.objects.get().state == State.CHALLENGED


def test_a_question_can_be_skipped_without_choosing(browser_page, live_server, provider, seeker):
    start(seeker, provider)
    page = browser_page()
    enter(page, live_server.url, seeker)

    page.goto(f"{live_server.url}/verify/challenge/")
    page.get_by_role("button", name="Start the questions").click()
    page.get_by_role("button", name="Skip the questions, send documents").click()

    expect(page.locator("h1")).to_have_text("Continue with documents")


def test_the_clock_ends_the_try_by_itself(browser_page, live_server, provider, seeker, settings):
    settings.CHALLENGE_SECONDS = 3
    start(seeker, provider)
    page = browser_page()
    enter(page, live_server.url, seeker)

    page.goto(f"{live_server.url}/verify/challenge/")
    page.get_by_role("button", name="Start the questions").click()

    expect(page.locator("h1")).to_have_text("The first try did not succeed")
    assert Challenge.objects.get().verdict == "timed_out"


def test_hints_appear_beside_the_fields(browser_page, live_server, schools, seeker):
    from verification import reference

    reference.load_boards()
    page = browser_page()
    enter(page, live_server.url, seeker)

    page.goto(f"{live_server.url}/verify/identity/")
    page.get_by_label("License state").select_option("FL")
    expect(page.locator("#license-hint")).to_contain_text("ME999999")
    page.get_by_label("NPI").fill("1234567898")
    page.get_by_label("License number").focus()

    expect(page.locator("#npi-hint")).to_contain_text("mistyped")


def test_axe_finds_no_serious_fault(browser_page, live_server, provider, seeker, calls):
    site, found = live_server.url, []
    claim = start(seeker, provider)
    holder = make_holder(make_provider())
    code = vouching.ask_colleagues(claim=make_claim(provider=provider, state=State.CHALLENGED)).code
    page = browser_page()

    def look():
        found.extend(faults_by_look(page, LOOKS[:2]))

    enter(page, site, seeker)
    for path in ("/verify/", "/verify/challenge/"):
        page.goto(site + path)
        look()
    page.get_by_role("button", name="Start the questions").click()
    page.wait_for_url(re.compile("challenge/$"))
    look()
    for state in (State.CHALLENGED, State.REJECTED, State.LOCKED, State.LAPSED, State.SUSPENDED):
        Claim.objects.filter(pk=claim.pk).update(
            state=state, rejected_for="mismatch", decided_at=claim.started_at, verified_at=claim.started_at,
            method="document",
        )  # fmt: skip
        page.goto(f"{site}/verify/")
        look()
        if state == State.CHALLENGED:
            page.goto(f"{site}/verify/proof/")
            look()
    page.goto(f"{site}/verify/not-me/")
    look()
    page = browser_page()
    enter(page, site, holder)
    page.goto(site + reverse("verification:vouch", args=[code]))
    look()
    page.get_by_role("button", name="Sign", exact=True).click()
    look()

    assert not found, "\n".join(found)


def test_a_code_by_telephone_without_scripts_on_a_small_screen(
    browser_page, live_server, provider, seeker, calls, monkeypatch
):
    monkeypatch.setattr(calling_hours, "may_ring", lambda state, now: True)
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    Challenge.objects.create(
        claim=claim, number=1, facts=[], sheet=[], verdict="passed", finished_at=timezone.now()
    )
    page = browser_page(java_script_enabled=False, viewport={"width": 390, "height": 844})
    enter(page, live_server.url, seeker)

    page.goto(f"{live_server.url}/verify/")
    page.get_by_role("link", name="Choose a proof").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Call now").click()
    tasks.deliver_due_codes()
    page.get_by_label("The code").fill(code_said(calls[0][2]))
    page.get_by_role("button", name="Use this code").click()
    expect(page.locator("h1")).to_have_text("Your proof is in")
    tasks.decide_due()
    page.get_by_role("link", name="Look again").click()

    expect(page.get_by_text("Your license is verified")).to_be_visible()


def test_the_switch_of_the_questions_looks_right(browser_page, live_server, reviewer):
    page = browser_page()
    enter(page, live_server.url, SimpleNamespace(user=reviewer))
    switch.turn(on=False, by=reviewer, why="Somebody is guessing.")

    page.goto(live_server.url + reverse("admin:verification_challengeswitch_changelist"))

    assert faults_by_look(page) == []
    page.get_by_label("Why").fill("It is over.")
    page.get_by_role("button", name="Turn the questions on").click()
    expect(page.get_by_text("The questions are on.")).to_be_visible()
