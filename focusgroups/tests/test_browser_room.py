"""A whole room in browsers: a moderator new to it sets it up, fills, runs and closes it; a participant takes part.

The moderator goes where the site says what comes next, and types nothing that is not in their own words.
"""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.tests.factories import make_member
from focusgroups.desk.permissions import allow_moderators
from focusgroups.models import Answer, Room, RoomExport
from focusgroups.services import answering, seating
from focusgroups.tests import test_browser_desk_setup as desks
from focusgroups.tests.factories import make_moderator
from rewards.services import ledger
from rewards.tests.factories import balance, make_firm, make_payee, owed
from sermo.tests import people
from sermo.tests.test_accessibility import faults_by_look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DAY = timedelta(days=1)
RAW = """() => [...document.querySelectorAll("main input, main textarea, #content input, #content textarea")]
    .filter(one => one.type !== "hidden" && (/^[{[]"/.test(one.value) || /(^|_)(id|pk|json)$/.test(one.name)
        || one.matches(".vForeignKeyRawIdAdminField, .vLargeTextField, .vUUIDField")))
    .map(one => `${location.pathname} ${one.name}`)"""


class Desk:
    """A moderator's browser that looks on each page for what nobody should have to type."""

    def __init__(self, page, site, moderator):
        self.page, self.site, self.raw = page, site, []
        desks.enter(page, site, moderator)

    def goto(self, address):
        self.page.goto(self.site + address)
        self.look()

    def look(self):
        self.page.wait_for_load_state()
        self.raw += self.page.evaluate(RAW)

    def follow(self, name, **more):
        self.page.get_by_role("link", name=name, **more).first.click()
        self.look()

    def press(self, name, **more):
        self.page.get_by_role("button", name=name, **more).last.click()
        self.look()

    def type(self, **fields):
        for label, text in fields.items():
            self.page.get_by_label(label.replace("_", " ")).first.fill(text)


@pytest.fixture
def moderator(db):
    allow_moderators(apps.get_app_config("focusgroups"), using="default")
    return make_moderator()


def let_days_pass(room, days):
    """All moments of a room move into the past, which is as good as waiting."""
    ago = timedelta(days=days)
    Room.objects.filter(pk=room.pk).update(
        starts_at=F("starts_at") - ago, ends_at=F("ends_at") - ago, published_at=F("published_at") - ago
    )
    room.sections.update(opens_at=F("opens_at") - ago, due_at=F("due_at") - ago)
    room.refresh_from_db()


def take_seats(room, members):
    """The others accept and answer, by the services behind the pages."""
    for member in members:
        candidate = room.candidates.get(member=member)
        seating.accept(candidate=candidate, agreement=room.agreements.last())


def answer_all(room, seats):
    for number, seat in enumerate(seats):
        for prompt in room.sections.first().prompts.all():
            option = prompt.options.first()
            said = {"chosen": [option.pk]} if option else {"source": f"What number {number} does."}
            answering.answer(participant=seat, prompt=prompt, **said)


def test_a_room_is_set_up_filled_run_and_closed_by_hand(browser_page, live_server, moderator):
    members = [make_member(state="OH") for _ in range(5)]
    me, *others = members
    firm = make_firm("Halden Therapeutics", balance=100_000)
    desk = Desk(browser_page(), live_server.url, moderator)
    page = desk.page
    begin = (timezone.now() + 3 * DAY).astimezone(ZoneInfo("America/New_York"))
    day, last, paid = (f"{begin + days * DAY:%Y-%m-%d}" for days in (0, 5, 12))

    # Set up, where the overview leads
    desk.goto(reverse("admin:focusgroups_room_changelist"))
    desk.follow("New room")
    desk.type(Title="How clinics start heparin")
    desk.press("Begin")
    desk.follow("Next: Basics")
    desk.type(
        It_begins=f"{day}T09:00",
        It_ends=f"{last}T18:00",
        Seats="4",
        Honoraria_are_paid_by=paid,
    )
    page.get_by_text("Answers and replies", exact=False).first.click()
    desk.press("Save")
    desk.follow("Overview")
    desk.follow("Next: Guide")
    desk.follow("Add a section")
    desk.type(Title="A first dose", It_opens=f"{day}T09:00", Honorarium_in_dollars="50")
    desk.press("Save", exact=True)
    desk.follow("Add a prompt")
    desk.type(What_you_ask="What do you do first, and why?")
    desk.press("Save", exact=True)
    desk.follow("Add a prompt")
    desk.type(What_you_ask="Which dose?")
    desk.press("One choice")
    desk.type(Options="Low\nHigh")
    desk.press("Save", exact=True)
    desk.follow("Overview")
    desk.follow("Next: Sponsor")
    desk.follow("Choose the sponsor")
    page.get_by_label("Firm", exact=True).select_option(label="Halden Therapeutics")
    desk.press("Reserve $200.00")
    desk.follow("Preview")
    expect(page.locator("body")).to_contain_text("What do you do first, and why?")
    room = Room.objects.get()
    desk.goto(reverse("admin:focusgroups_room_change", args=[room.pk]))
    desk.follow("Publish")
    desk.press("Publish")

    # Fill it
    desk.type(How_many="5")
    desk.press("Invite", exact=True)
    page.get_by_text("5 members are invited.").wait_for()
    take_seats(room, others[:3])
    phone = browser_page(**PHONE)
    people.enter(phone, live_server.url, me)
    phone.goto(f"{live_server.url}/groups/")
    phone.get_by_role("link", name="How clinics start heparin").tap()
    phone.get_by_role("link", name="Read the agreement").tap()
    phone.get_by_role("checkbox").tap()
    phone.get_by_role("button", name="Accept and take the seat").tap()
    expect(phone.locator("body")).to_contain_text("You have a seat.")
    seat = room.participants.get(member=me)

    # It runs: own answer first
    let_days_pass(room, 4)
    answer_all(room, room.participants.exclude(pk=seat.pk))
    phone.goto(f"{live_server.url}/groups/{room.pk}/")
    expect(phone.get_by_text("What number 0 does.")).to_have_count(0)
    expect(phone.get_by_text("What others say opens once you have answered.").first).to_be_visible()
    phone.get_by_label("Your answer").first.fill("A low dose, and a look at the platelets.")
    phone.get_by_role("button", name="Answer prompt 1").tap()
    expect(phone.get_by_text("What number 0 does.")).to_be_visible()
    expect(phone.get_by_text("3 other answers")).to_be_visible()
    assert faults_by_look(phone) == []
    phone.set_viewport_size(PHONE["viewport"])

    desk.goto(reverse("admin:focusgroups_room_change", args=[room.pk]))
    desk.follow("Look at the board")
    expect(page.locator("main, #content").first).to_contain_text(seat.alias)
    expect(page.locator("body")).to_contain_text("1/2")
    assert me.handle not in page.content()
    assert faults_by_look(page) == []
    desk.press(f"Remind {seat.alias}")
    assert seat.reminders.exists()
    desk.follow("Stream")
    expect(page.locator("body")).to_contain_text("A low dose, and a look at the platelets.")
    assert faults_by_look(page) == []
    desk.follow("Ask one or all")
    page.locator("textarea").first.fill("And at night?")
    desk.press("Ask", exact=True)
    phone.reload()
    expect(phone.locator("main")).to_contain_text("And at night?")
    phone.get_by_text("High", exact=True).tap()
    phone.get_by_role("button", name="Answer prompt 2").tap()
    expect(phone.locator("#room-sums")).to_contain_text("$50.00")

    # It is closed, paid and written down
    desk.goto(reverse("admin:focusgroups_room_change", args=[room.pk]))
    desk.follow("Close")
    desk.press("Close the focus group")
    desk.follow("Look at the outcome")
    assert faults_by_look(page) == []
    desk.follow("Files")
    desk.follow("Make a file")
    page.get_by_text("All that was said, in the order of the guide.").click()
    page.get_by_label("What it is for").fill("The report.")
    with page.expect_download() as download:
        page.get_by_role("button", name="Make the file").click()
    text = download.value.path().read_text(encoding="utf-8-sig")

    room.refresh_from_db()
    assert room.state == Room.State.CLOSED
    assert RoomExport.objects.get().reason == "The report."
    assert all(answer.source in text for answer in Answer.objects.all())
    assert seat.alias in text
    assert me.handle not in text
    assert owed(make_payee(me)) == 5_000
    assert balance(ledger.firm_balance(firm)) == 100_000 - 4 * 5_000
    assert balance(ledger.reserved_of(firm)) == 0
    phone.goto(f"{live_server.url}/groups/{room.pk}/")
    expect(phone.get_by_role("button", name="Answer")).to_have_count(0)
    assert faults_by_look(phone) == []
    assert desk.raw == []
