"""The desk of rooms in a browser: set up by hand from a title to the first invitation, and axe on every page."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.models import Specialty
from accounts.tests.factories import make_member
from focusgroups.desk import base
from focusgroups.desk.permissions import allow_moderators
from focusgroups.models import Room
from focusgroups.services import planning, publishing
from focusgroups.tests.factories import (
    make_candidate,
    make_cell,
    make_live_hour,
    make_moderator,
    make_participant,
    make_prompt,
    make_room,
    make_running_room,
    make_screener,
    make_section,
)
from focusgroups.tests.test_desk_setup import confirmed
from sermo.tests.test_accessibility import faults_by_look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = ("overview", "basics", "moderators", "people", "screener", "invitations", "guide", "agreement", "log")


def enter(page, site, user):
    session = confirmed(user).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}])


@pytest.fixture
def moderator(db):
    allow_moderators(apps.get_app_config("focusgroups"), using="default")
    return make_moderator()


def faults_of(page, site, addresses):
    found = []
    for address in addresses:
        answer = page.goto(site + address)
        assert answer.status == 200, address
        found += [f"{address}: {fault}" for fault in faults_by_look(page)]
    return found


def test_the_pages_of_a_draft_have_no_faults(browser_page, live_server, moderator):
    for name in ("Cardiovascular Disease", "Dermatology"):
        make_member(specialty=name)
    room = make_room(moderator, title="How clinics start heparin after a stroke")
    cardiology = Specialty.objects.get(name="Cardiovascular Disease").pk
    make_cell(room, "Cardiology, early career", seats=4, specialties=[cardiology], years_bands=["0-5"])
    section = make_section(
        room, opens_at=room.starts_at, title="Day 1: first choices", intro="Say what you do."
    )
    prompts = [
        make_prompt(section),
        make_prompt(section, "multiple", asks_why=True, most=2),
        make_prompt(section, "scale", low_label="never", high_label="always", is_private=True),
    ]
    (question,) = make_screener(room)
    hour = make_live_hour(
        room,
        starts_at=room.starts_at + timedelta(days=1),
        ends_at=room.starts_at + timedelta(days=1, hours=1),
    )
    planning.set_rule(room=room, by=moderator, specialties=[cardiology], states=["OH", "VT"])
    page = browser_page()
    enter(page, live_server.url, moderator)

    addresses = [
        reverse("admin:focusgroups_room_changelist"),
        reverse("admin:focusgroups_room_add"),
        *(base.address(room, name) for name in PAGES),
        *(
            base.address(room, name)
            for name in ("publish", "cancel", "cell_add", "screener_add", "section_add")
        ),
        base.address(room, "cell", room.cells.last().pk),
        base.address(room, "screener_question", question.pk),
        base.address(room, "section", section.pk),
        *(base.address(room, "prompt", prompt.pk) for prompt in prompts),
        base.address(room, "hour", hour.pk),
        base.address(room, "preview"),
    ]

    assert faults_of(page, live_server.url, addresses) == []


def test_the_pages_of_a_room_that_runs_and_of_one_that_is_over_have_no_faults(
    browser_page, live_server, moderator
):
    room = make_running_room(by=moderator, sections=3, released=2)
    for _ in range(3):
        make_participant(room)
    make_participant(room, left_at=timezone.now(), left_as="left")
    make_candidate(room)
    planning.write_agreement(room=room, by=moderator, text="Other words.")
    over = make_running_room(by=moderator)
    publishing.close(room=over, by=moderator)
    page = browser_page()
    enter(page, live_server.url, moderator)

    addresses = [reverse("admin:focusgroups_room_changelist")]
    addresses += [base.address(room, name) for name in (*PAGES, "extend", "close", "cancel")]
    addresses += [base.address(over, name) for name in PAGES]

    assert faults_of(page, live_server.url, addresses) == []


def test_a_room_is_set_up_by_hand_and_members_are_invited(browser_page, live_server, moderator):
    for _ in range(6):
        make_member(state="OH")
    page = browser_page()
    enter(page, live_server.url, moderator)
    begin = (timezone.now() + timedelta(days=3)).astimezone(ZoneInfo("America/New_York"))
    day, last = f"{begin:%Y-%m-%d}", f"{begin + timedelta(days=5):%Y-%m-%d}"

    page.goto(live_server.url + reverse("admin:index"))
    page.locator("#content-main .model-room th a").click()
    page.get_by_role("link", name="New room").click()
    page.get_by_label("Title").fill("How clinics start heparin")
    page.get_by_role("button", name="Begin").click()

    page.get_by_role("link", name="Next: Basics").click()
    page.get_by_label("It begins").fill(f"{day}T09:00")
    page.get_by_label("It ends").fill(f"{last}T18:00")
    page.get_by_label("Seats").fill("4")
    page.get_by_role("button", name="Save").click()

    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_text("States and territories").first.click()
    page.get_by_label("Find").last.fill("ohi")
    with page.expect_response(lambda answer: answer.url.endswith("/reach/")):
        page.get_by_label("Ohio").check()
    page.get_by_text("about 5 physicians").wait_for()
    page.get_by_role("button", name="Save").click()

    page.get_by_role("link", name="Overview").click()
    page.get_by_role("link", name="Next: Guide").click()
    page.get_by_role("link", name="Add a section").click()
    page.get_by_label("Title").fill("Day 1")
    page.get_by_label("It opens").fill(f"{day}T09:00")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Add a prompt").click()
    page.get_by_label("What you ask").fill("Which dose do you start with?")
    page.get_by_role("button", name="One choice").click()
    assert page.get_by_label("What you ask").input_value() == "Which dose do you start with?"
    page.get_by_label("Options").fill("Low\nHigh")
    page.get_by_role("button", name="Save", exact=True).last.click()

    page.get_by_role("link", name="Overview").click()
    page.get_by_role("link", name="Publish").click()
    page.get_by_role("button", name="Publish").click()
    page.get_by_label("How many").fill("2")
    page.get_by_role("button", name="Invite", exact=True).click()
    page.get_by_text("2 members are invited.").wait_for()

    room = Room.objects.get()
    assert room.candidates.count() == 2
    assert (room.starts_at - begin.replace(hour=9, minute=0, second=0, microsecond=0)).total_seconds() == 0
