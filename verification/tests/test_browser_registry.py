"""The page of an entry in one's registry record, and the desk's page for rosters, in a real browser."""

import pytest
from playwright.sync_api import expect

from sermo.tests.test_accessibility import LOOKS, faults_by_look
from verification.models import ImportRun, LicenseStatus
from verification.tests.roster_files import csv_text, rows_of
from verification.tests.test_browser import enter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Staff:
    """What `enter` wants of a member."""

    def __init__(self, user):
        self.user = user


def test_staff_check_a_roster_and_then_load_it_without_scripts(browser_page, live_server, reviewer):
    page = browser_page(java_script_enabled=False)
    enter(page, live_server.url, Staff(reviewer))
    file = {
        "name": "ca_md.csv",
        "mimeType": "text/csv",
        "buffer": csv_text(rows_of("CA", {})).encode(),
    }

    page.goto(f"{live_server.url}/admin/verification/importrun/")
    page.get_by_role("link", name="Load a board's roster").click()
    page.get_by_label("State").select_option("CA")
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Go on").click()

    expect(page.get_by_role("status")).to_contain_text("1 in force")
    assert not ImportRun.objects.exists()

    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_label("Only check and count").uncheck()
    page.get_by_role("button", name="Go on").click()

    expect(page.locator(".messagelist")).to_contain_text("California: loaded.")
    assert LicenseStatus.objects.get().number_key == "A123456"


def test_axe_finds_no_serious_fault(browser_page, live_server, reviewer):
    site, found = live_server.url, []
    page = browser_page()
    page.goto(f"{site}/verify/npi/abcdefghijklmnopqrstuvwx/")
    found += faults_by_look(page, LOOKS)
    page = browser_page()
    enter(page, site, Staff(reviewer))
    page.goto(f"{site}/admin/verification/importrun/roster/")
    found += faults_by_look(page, LOOKS)
    page.get_by_role("button", name="Go on").click()
    found += faults_by_look(page, LOOKS)
    page.get_by_label("State").select_option("CA")
    page.get_by_label("CSV file").set_input_files(
        {
            "name": "ca_md.csv",
            "mimeType": "text/csv",
            "buffer": csv_text(rows_of("CA", {"status": "Blue " * 11})).encode(),
        }
    )
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("status")).to_contain_text("1 unknown")
    found += faults_by_look(page, LOOKS)

    assert not found, "\n".join(found)
