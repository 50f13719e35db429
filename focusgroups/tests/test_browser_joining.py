"""The way into a focus group and out of it, in a real browser."""

import pytest
from playwright.sync_api import expect

from accounts.tests.factories import make_member
from focusgroups.models import Candidate, Participant, Room
from focusgroups.services import seating
from focusgroups.tests.factories import (
    make_answer,
    make_candidate,
    make_completion,
    make_participant,
    make_recruiting_room,
    make_running_room,
    make_screener,
)
from sermo.tests.people import enter
from sermo.tests.test_accessibility import faults_by_look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def member():
    return make_member("left_atrium")


@pytest.fixture
def open_page(browser_page, live_server, member):
    def opened(**options):
        page = browser_page(**options)
        enter(page, live_server.url, member)
        return page

    return opened


@pytest.mark.parametrize("scripts", [True, False])
def test_from_the_invitation_to_a_seat_on_a_phone(open_page, live_server, member, scripts):
    room = make_recruiting_room(title="Heparin in clinics")
    make_screener(room, ["Yes", "-No"], ["Few", "Many"])
    candidate = make_candidate(room, member)
    page = open_page(java_script_enabled=scripts, **PHONE)
    page.goto(f"{live_server.url}/groups/")

    page.get_by_role("link", name="Heparin in clinics").tap()
    page.get_by_role("link", name="Answer 2 questions").tap()
    page.get_by_role("button", name="Next").tap()
    expect(page.locator("main")).to_contain_text("Choose one answer.")
    page.get_by_text("Yes", exact=True).tap()
    page.get_by_role("button", name="Next").tap()
    page.get_by_text("Many").tap()
    page.get_by_role("button", name="Answer").tap()
    page.get_by_role("button", name="Accept and take the seat").tap()
    expect(page.locator("main")).to_contain_text("Tick this if you accept the agreement.")
    page.get_by_role("checkbox").tap()
    page.get_by_role("button", name="Accept and take the seat").tap()

    expect(page.locator("body")).to_contain_text("You have a seat.")
    seat = Participant.objects.get(member=member)
    expect(page.locator("body")).to_contain_text(f"In this group you are {seat.alias}.")
    candidate.refresh_from_db()
    assert candidate.state == Candidate.State.SEATED
    if scripts:
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def pages_of(member):
    """Addresses of every page on the way in and out, each with something to show."""
    asked = make_recruiting_room(title="Heparin in clinics")
    make_screener(asked)
    make_candidate(asked, member)
    agreed = make_recruiting_room(title="Platelets in the ward", thanks=1_500)
    make_candidate(agreed, member)
    full = make_running_room(title="Anticoagulants after the first bleed, and what would change your mind")
    full.cells.update(seats=1)
    make_participant(full)
    make_candidate(full, member, state="waiting")
    out = make_recruiting_room(thanks=1_500)
    make_candidate(out, member, state="screened_out")
    seat = make_participant(make_running_room(title="Dosing at night"), member=member)
    make_completion(seat, seat.room.sections.first())
    make_answer(seat, seat.room.sections.first().prompts.first())
    left = make_participant(make_running_room(title="A group left early"), member=member)
    seating.leave(participant=left)
    over = make_participant(make_running_room(title="A group that ended"), member=member)
    Room.objects.filter(pk=over.room_id).update(closed_at=over.room.ends_at)
    return {
        "list": "",
        "invitation": f"{asked.pk}/",
        "screener": f"{asked.pk}/screener/",
        "agreement": f"{agreed.pk}/agreement/",
        "waiting": f"{full.pk}/",
        "screened-out": f"{out.pk}/screener/",
        "leave": f"{seat.room_id}/leave/",
        "withdraw": f"{seat.room_id}/withdraw/",
    }


def test_every_page_can_be_read_by_everybody(open_page, live_server, member):
    page = open_page()

    for name, address in pages_of(member).items():
        page.goto(f"{live_server.url}/groups/{address}")

        expect(page.locator("h1")).to_have_count(1)
        assert faults_by_look(page) == [], name
