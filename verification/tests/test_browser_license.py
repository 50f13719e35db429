"""The pages of a license that is held, in a real browser: without scripts and under axe."""

import pytest
from django.urls import reverse

from sermo.tests.test_accessibility import faults_by_look
from verification.models.claims import State
from verification.services import held, license_clock
from verification.tests.factories import make_reviewer
from verification.tests.license_cases import days, make_licensed, now
from verification.tests.test_browser import enter

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("schools", "specialties"),
]


def test_axe_finds_no_serious_fault(browser_page, live_server, settings):
    settings.LOOK_UP_SHARE = 1
    site, found = live_server.url, []
    drawn = license_clock.confirm(user=make_licensed().user, expires_on=days(90))
    lapsed = make_licensed(State.LAPSED, standing="read_only", asked_for="Send the renewal letter.")
    suspended = make_licensed()
    held.suspend(claim=suspended, reason="excluded", fact="row")
    doubted = make_licensed()
    held.raise_doubt(claim=doubted, doubt="gone", fact="gone")
    member_pages = [
        (drawn.claim.user.as_member, "/verify/license/"),
        (lapsed.user.as_member, "/verify/license/"),
        (suspended.user.as_member, "/verify/"),
    ]
    reviewer = make_reviewer()
    desk_pages = [
        reverse("admin:verification_licensecheck_changelist"),
        reverse("admin:verification_licensecheck_change", args=[drawn.pk]),
        reverse("admin:verification_licensecheck_held", args=[doubted.pk]),
    ]

    class Staff:
        user = reviewer

    for who, path in [*member_pages, *((Staff, path) for path in desk_pages)]:
        page = browser_page()
        enter(page, site, who)
        page.goto(site + path)
        found.extend(faults_by_look(page))

    assert not found, "\n".join(found)


def test_a_license_is_confirmed_without_scripts(browser_page, live_server):
    claim = make_licensed()
    page = browser_page(java_script_enabled=False)
    enter(page, live_server.url, claim.user.as_member)

    page.goto(f"{live_server.url}/verify/license/")
    page.get_by_label("In force until").fill(days(400).isoformat())
    page.get_by_role("button", name="Yes, it is in force").click()

    assert page.url.endswith("/verify/license/")
    assert now(claim).license_expires_on == days(400)
