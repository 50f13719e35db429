"""A payout from asking to being paid, on a phone in a real browser."""

import pytest
from playwright.sync_api import expect

from accounts.tests.factories import make_member
from rewards.models import PayoutMethod, TaxForm
from rewards.services import running
from rewards.tests.factories import fund, make_payee
from sermo.tests.people import enter
from sermo.tests.test_accessibility import faults_by_look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
ACCOUNT = {"name": "Ann", "routing": "021000021", "account": "12344410", "account_kind": "checking"}


def test_a_payout_is_asked_for_and_paid(browser_page, live_server, settings):
    settings.DEMO, settings.PAYOUT_PROVIDERS = True, {"bank": "pretend"}
    payee = make_payee(make_member("quietmurmur"))
    PayoutMethod.objects.create(payee=payee, method="bank", details=ACCOUNT)
    TaxForm.objects.create(subject=payee.subject, form={"name": "Ann"})
    fund(payee, 4_200)
    page = browser_page(**PHONE)
    enter(page, live_server.url, payee.member)
    page.goto(f"{live_server.url}/rewards/")

    page.get_by_role("link", name="Ask for a payout").tap()
    expect(page.get_by_text("Checking account ending in 4410")).to_be_visible()
    page.get_by_label("Amount in dollars").fill("42.001")
    page.get_by_role("button", name="Ask for it").tap()
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_label("Amount in dollars").fill("40")
    page.get_by_role("button", name="Ask for it").tap()
    expect(page.get_by_text("Asked for $40.00.")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel the payout of $40.00")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert not faults_by_look(page)

    running.run(say=str)
    page.reload()

    expect(page.get_by_text("less than a business day after you asked")).to_be_visible()
    expect(page.get_by_role("heading", name="Payouts on their way")).to_have_count(0)
    expect(page.locator(".stat", has_text="Received in")).to_contain_text("$40.00")
