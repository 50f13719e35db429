"""The desk of rooms while they are set up: who comes in, each page, each refusal, from a title to published."""

import re
from datetime import timedelta
from html import unescape
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.roles import FINANCE, MODERATORS
from accounts.tests.factories import make_member, make_user
from conftest import client_of
from focusgroups.desk import base
from focusgroups.desk.permissions import allow_moderators
from focusgroups.models import Candidate, LiveHour, Prompt, Room, ScreenerQuestion
from focusgroups.services import planning, publishing, stimuli
from focusgroups.tests.factories import (
    make_cell,
    make_completion,
    make_live_hour,
    make_moderator,
    make_participant,
    make_prompt,
    make_recruiting_room,
    make_room,
    make_running_room,
    make_screener,
    make_section,
    make_sponsor,
)
from sermo.errors import RuleBroken

pytestmark = pytest.mark.django_db
EASTERN = ZoneInfo("America/New_York")


def confirmed(user):
    """A browser in which somebody has just shown that it is them."""
    client = client_of(user)
    session = client.session
    record_authentication(SimpleNamespace(session=session), user, method="mfa", reauthenticated=True)
    session.save()
    return client


@pytest.fixture(autouse=True)
def permissions(db):
    allow_moderators(apps.get_app_config("focusgroups"), using="default")


@pytest.fixture
def moderator(permissions):
    return make_moderator()


@pytest.fixture
def desk(moderator):
    return confirmed(moderator)


@pytest.fixture
def room(moderator):
    return make_room(moderator)


def at(room, name, *args):
    return base.address(room, name, *args)


def text_of(response):
    return unescape(re.sub(r"\s+", " ", response.content.decode()))


def said(response):
    return [str(message) for message in response.context["messages"]]


def post(desk, address, data=None, **more):
    return desk.post(address, data or {}, follow=True, **more)


def local(moment, zone=EASTERN):
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M")


def basics_of(room, **changed):
    """The form of the basics as a browser sends it."""
    sent = {
        "title": room.title,
        "about": room.about,
        "time_zone": room.time_zone,
        "starts_at": local(room.starts_at, room.zone),
        "ends_at": local(room.ends_at, room.zone),
        "seats": room.seats,
        "minutes_a_day": room.minutes_a_day,
        "pay_on": f"{room.pay_on:%Y-%m-%d}",
        "thanks": "0",
        "watching": room.watching,
    }
    return {**sent, **changed}


# Who comes in

ADDRESSES = [
    (page.name, route.name)
    for page in base.PAGES
    for route in [base.Route("", page.name, page.view), *page.routes]
]


def filled(room, name):
    """An address of a room with something of that room in it."""
    section = room.sections.first() or make_section(room)
    prompt = section.prompts.first() or make_prompt(section)
    question = room.screener.first() or make_screener(room)[0]
    args = {
        "moderator_remove": lambda: [room.moderators.get().pk],
        "cell": lambda: [room.cells.first().pk],
        "cell_delete": lambda: [room.cells.first().pk],
        "screener_question": lambda: [question.pk],
        "screener_delete": lambda: [question.pk],
        "screener_move": lambda: [question.pk],
        "section": lambda: [section.pk],
        "section_delete": lambda: [section.pk],
        "section_move": lambda: [section.pk],
        "prompt_add": lambda: [section.pk],
        "prompt": lambda: [prompt.pk],
        "prompt_delete": lambda: [prompt.pk],
        "prompt_move": lambda: [prompt.pk],
        "stimulus_add": lambda: [prompt.pk],
        "stimulus": lambda: ["0d1f6bb6-2d6c-4c43-a1f4-1f4c6c1c7b1a"],
        "stimulus_delete": lambda: ["0d1f6bb6-2d6c-4c43-a1f4-1f4c6c1c7b1a"],
        "stimulus_move": lambda: ["0d1f6bb6-2d6c-4c43-a1f4-1f4c6c1c7b1a"],
        "hour": lambda: [(room.live_hours.first() or make_live_hour(room)).pk],
        "hour_delete": lambda: [(room.live_hours.first() or make_live_hour(room)).pk],
        "preview_section": lambda: [section.place],
    }.get(name, list)()
    return at(room, name, *args)


OWN = {
    "overview", "basics", "moderators", "people", "screener", "invitations", "guide", "agreement", "preview", "log"
}  # fmt: skip
"""Pages of this app's set-up; others bring tests of their own."""
ROUTES = [name for page, name in ADDRESSES if page in OWN]


def test_only_who_runs_a_room_finds_any_of_its_pages(room, desk):
    addresses = [filled(room, name) for name in ROUTES]
    member_moderator = make_member()
    member_moderator.user.groups.add(Group.objects.get(name=MODERATORS))
    Authenticator.objects.create(user=member_moderator.user, type=Authenticator.Type.TOTP, data={})
    finance = make_user(is_staff=True)
    finance.groups.add(Group.objects.get_or_create(name=FINANCE)[0])
    Authenticator.objects.create(user=finance, type=Authenticator.Type.TOTP, data={})

    for stranger in (make_moderator(), finance):
        client = confirmed(stranger)
        for address in addresses:
            assert client.get(address).status_code == 404, address
            assert client.post(address).status_code == 404, address
    for outside in (client_of(make_member().user), client_of(member_moderator.user)):
        for address in addresses:
            assert outside.get(address).status_code == 302, address
            assert outside.post(address).status_code == 302, address
    assert client_of(room.moderators.get().user).get("/admin/focusgroups/room/999999/").status_code == 404


def test_another_rooms_parts_are_not_found_through_ones_own_room(room, desk, moderator):
    other = make_room(make_moderator())
    own = make_room(moderator)
    for name in ROUTES:
        address = filled(other, name).replace(f"/room/{other.pk}/", f"/room/{own.pk}/")
        if re.search(r"/\d+/.*\d", address.removeprefix("/admin/focusgroups")):
            assert desk.post(address).status_code in (404, 405, 302), address
    make_section(own)
    section, question = other.sections.get(), other.screener.get()
    assert desk.get(at(own, "section", section.pk)).status_code == 404
    assert desk.get(at(own, "prompt", section.prompts.get().pk)).status_code == 404
    assert desk.get(at(own, "screener_question", question.pk)).status_code == 404
    assert desk.get(at(own, "cell", other.cells.get().pk)).status_code == 404
    assert desk.get(at(own, "hour", other.live_hours.get().pk)).status_code == 404
    assert other.sections.exists()
    assert other.screener.exists()
    assert other.moderators.exists()


def test_a_moderator_who_is_taken_out_is_out_with_the_next_request(room, desk, moderator):
    second = make_moderator()
    planning.add_moderator(room=room, by=moderator, user=second)
    client = confirmed(second)
    assert client.get(at(room, "overview")).status_code == 200

    planning.remove_moderator(room=room, by=moderator, user=second)

    assert client.get(at(room, "overview")).status_code == 404


def test_the_group_of_moderators_may_begin_rooms_and_finance_may_not(desk):
    group = Group.objects.get(name=MODERATORS)
    names = set(
        group.permissions.filter(content_type__app_label="focusgroups").values_list("codename", flat=True)
    )
    assert names == {"view_room", "add_room", "change_room"}
    finance = make_user(is_staff=True)
    finance.groups.add(Group.objects.get_or_create(name=FINANCE)[0])
    Authenticator.objects.create(user=finance, type=Authenticator.Type.TOTP, data={})
    client = confirmed(finance)
    assert client.get(reverse("admin:focusgroups_room_changelist")).status_code == 403
    assert client.get(reverse("admin:focusgroups_room_add")).status_code == 403
    assert desk.get(reverse("admin:focusgroups_room_changelist")).status_code == 200


@pytest.mark.parametrize("name", ["publish", "extend", "close", "cancel"])
def test_what_is_final_is_done_by_who_has_just_shown_who_they_are(name, moderator):
    room = make_room(moderator) if name == "publish" else make_recruiting_room(by=moderator)
    response = client_of(moderator).post(at(room, name), {"reason": "No time"})

    assert response.status_code == 302
    assert "reauthenticate" in response["Location"]
    room.refresh_from_db()
    assert room.closed_at is None
    assert room.canceled_at is None


def test_a_room_that_is_over_still_opens(moderator, desk):
    room = make_running_room(by=moderator)
    publishing.close(room=room, by=moderator)
    addresses = {name: filled(room, name) for name in ROUTES}

    answered = {name: desk.get(address, follow=True).status_code for name, address in addresses.items()}

    gone = {"publish", "extend", "close", "cancel", "stimulus"}
    assert {name for name, status in answered.items() if status not in (200, 404)} == set()
    assert {answered[name] for name in gone} == {404}


# The list


def test_the_list_shows_the_rooms_one_runs_with_state_seats_and_next_step(desk, moderator):
    draft = make_room(moderator, title="A draft of mine")
    bare = make_room(moderator, title="Begun a moment ago")
    Room.objects.filter(pk=bare.pk).update(starts_at=None, ends_at=None)
    running = make_running_room(by=moderator, title="One that runs", sections=3, released=2)
    make_participant(running)
    make_room(title="Not mine")

    words = text_of(desk.get(reverse("admin:focusgroups_room_changelist")))

    assert "Not mine" not in words
    for title in (draft.title, bare.title, running.title):
        assert title in words
    assert "1 of 12" in words
    assert "Write the guide" in words
    assert "Say when it runs" in words
    assert "Day 3: 2 of 3 sections open" in words


def test_the_list_divides_drafts_current_and_closed(desk, moderator):
    make_room(moderator, title="The draft")
    over = make_running_room(by=moderator, title="The closed one")
    publishing.close(room=over, by=moderator)
    address = reverse("admin:focusgroups_room_changelist")

    assert "The closed one" not in text_of(desk.get(address))
    assert "The draft" not in text_of(desk.get(f"{address}?list=over"))
    assert "The closed one" in text_of(desk.get(f"{address}?list=over"))
    assert "The closed one" in text_of(desk.get(f"{address}?list=all"))
    assert "None of these" not in text_of(desk.get(f"{address}?list=drafts"))
    assert desk.get(f"{address}?list=nonsense&after=xx").status_code == 200


@pytest.mark.parametrize("number", [1, 12])
def test_the_list_costs_the_same_at_any_length(number, desk, moderator):
    for _ in range(number):
        make_running_room(by=moderator)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        desk.get(reverse("admin:focusgroups_room_changelist"))

    assert len(queries) <= 8, [query["sql"][:90] for query in queries]


def test_rows_beyond_the_first_page_are_a_link_away(desk, moderator, monkeypatch):
    monkeypatch.setattr("focusgroups.desk.rooms.SIZE", 2)
    titles = [make_room(moderator).title for _ in range(3)]

    first = desk.get(reverse("admin:focusgroups_room_changelist"))
    second = desk.get(reverse("admin:focusgroups_room_changelist") + first.context["more"])

    assert titles[0] not in text_of(first)
    assert titles[0] in text_of(second)
    assert titles[2] not in text_of(second)


# From a title to published, by the pages alone


def test_a_room_is_set_up_and_published_through_the_pages(desk, moderator):
    [make_member(state="OH") for _ in range(6)]
    response = post(desk, reverse("admin:focusgroups_room_add"), {"title": "  How clinics   start heparin "})
    room = Room.objects.get()
    assert room.title == "How clinics start heparin"
    assert response.redirect_chain[-1][0] == at(room, "overview")
    words = text_of(response)
    assert "Say when it starts." in words
    assert "Next: Basics" in words

    start = (timezone.now() + timedelta(days=3)).astimezone(EASTERN).replace(tzinfo=None)
    start = start.replace(hour=9, minute=0, second=0, microsecond=0)
    end = start + timedelta(days=10)
    post(
        desk,
        at(room, "basics"),
        {
            "title": room.title,
            "about": "First doses.",
            "time_zone": "America/Chicago",
            "starts_at": f"{start:%Y-%m-%dT%H:%M}",
            "ends_at": f"{end:%Y-%m-%dT%H:%M}",
            "seats": "4",
            "minutes_a_day": "15",
            "pay_on": "",
            "thanks": "",
            "watching": "nobody",
        },
    )
    post(desk, at(room, "people"), {"states": ["OH"]})
    question = {"text": "Do you give heparin?", "option_0": "Yes", "option_1": "No", "is_out_1": "on"}
    post(desk, at(room, "screener_add"), question)
    opens = f"{start:%Y-%m-%dT%H:%M}"
    post(desk, at(room, "section_add"), {"title": "Day 1", "opens_at": opens, "honorarium": ""})
    section = room.sections.get()
    post(
        desk, at(room, "prompt_add", section.pk), {"kind": "open", "text": "Which dose?", "is_required": "on"}
    )
    overview = desk.get(at(room, "overview"))
    assert overview.context["missing_count"] == 0, overview.context["steps"]
    assert overview.context["next"] == {"label": "Publish", "address": at(room, "publish")}

    assert "Members can be invited" in text_of(desk.get(at(room, "publish")))
    response = post(desk, at(room, "publish"))

    room.refresh_from_db()
    assert room.published_at
    assert room.in_its_zone(room.starts_at).replace(tzinfo=None) == start
    assert room.time_zone == "America/Chicago"
    assert room.screener.get().options.filter(is_out=True).get().text == "No"
    assert response.redirect_chain[-1][0] == at(room, "invitations")
    post(desk, at(room, "invitations"), {"deed": "rule", "rule-number": "3"})
    assert room.candidates.count() == 3


def test_publishing_lists_what_is_missing_each_with_its_step(desk, room):
    response = desk.get(at(room, "publish"))

    words = response.content.decode()
    assert "<button" not in words[words.index("Something is missing") :]
    assert f'href="{at(room, "guide")}"' in words
    post(desk, at(room, "publish"))
    room.refresh_from_db()
    assert room.published_at is None


def test_a_title_is_asked_for_in_words(desk):
    response = desk.post(reverse("admin:focusgroups_room_add"), {"title": "   "})

    assert response.status_code == 422
    assert "Write a title." in text_of(response)
    assert not Room.objects.exists()


# Basics


def test_dates_are_local_ones_of_the_rooms_zone(desk, room):
    for name in ("starts_at", "ends_at"):
        setattr(room, name, getattr(room, name).replace(second=0, microsecond=0))
    room.save()
    assert local(room.starts_at) in desk.get(at(room, "basics")).content.decode()
    before = room.starts_at

    post(desk, at(room, "basics"), basics_of(room, time_zone="Pacific/Honolulu"))

    room.refresh_from_db()
    assert local(room.starts_at, ZoneInfo("Pacific/Honolulu")) == local(before)
    assert room.starts_at > before


def test_saving_what_did_not_change_leaves_no_event_and_no_second_lost(desk, room):
    from verification.models import Event

    before = room.starts_at
    post(desk, at(room, "basics"), basics_of(room))

    room.refresh_from_db()
    assert room.starts_at == before
    assert not Event.objects.filter(kind="room_basics").exists()


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("title", "", "Write a title."),
        ("title", "x" * 121, "At most 120 characters; this has 121."),
        ("starts_at", "soon", "Write a day and a time"),
        ("ends_at", "2020-01-01T00:00", "ends after it starts"),
        ("starts_at", "2027-03-14T02:30", "Clocks are put forward then"),
        ("seats", "3", "from 4 to 60"),
        ("seats", "many", "from 4 to 60"),
        ("minutes_a_day", "0", "from 1 to 240"),
        ("pay_on", "13.13.2027", "Write a day, such as"),
        ("thanks", "lots", "Write an amount such as 25"),
        ("thanks", "201", "At most $200.00."),
        ("time_zone", "Mars/Base", "Choose one of the zones shown."),
        ("watching", "all", "Choose what watchers may read."),
    ],
)
def test_what_cannot_stand_is_sent_back_with_the_reason_beside_it(desk, room, field, typed, words):
    response = desk.post(at(room, "basics"), basics_of(room, **{field: typed, "about": "Kept."}))

    assert response.status_code == 422
    assert words in str(response.context["form"].errors[field])
    assert "Kept." in text_of(response)
    if field not in ("time_zone", "watching"):
        assert typed in text_of(response)


def test_once_published_only_seats_are_added(desk, moderator):
    room = make_recruiting_room(by=moderator, title="Fixed", thanks=1_500)
    response = post(desk, at(room, "basics"), basics_of(room, title="Other", seats=14))
    room.refresh_from_db()
    assert (room.title, room.seats, room.thanks) == ("Fixed", 14, 1_500)
    assert "Saved." in said(response)

    refused = desk.post(at(room, "basics"), basics_of(room, seats=13))

    assert refused.status_code == 422
    assert "cannot change any more" in text_of(refused)


def test_money_stands_beside_the_basics(desk, room):
    make_section(room, honorarium=5_000)
    make_section(room, honorarium=2_550)
    make_sponsor(room, budget=1_000_000)

    words = text_of(desk.get(at(room, "basics")))

    assert "$75.50" in words
    assert "$906.00" in words
    assert "$10,000.00" in words


# Moderators


def test_a_moderator_is_added_by_address_and_taken_out(desk, room):
    second = make_moderator()
    assert second.email in text_of(post(desk, at(room, "moderators"), {"email": second.email.upper()}))
    assert room.moderators.count() == 2
    row = room.moderators.get(user=second)

    post(desk, at(room, "moderator_remove", row.pk))

    assert room.moderators.count() == 1


@pytest.mark.parametrize("typed", ["", "nobody", "nobody@example.org"])
def test_an_address_that_is_no_moderators_is_refused(desk, room, typed):
    response = desk.post(at(room, "moderators"), {"email": typed})

    assert response.status_code == 422
    assert room.moderators.count() == 1


def test_a_member_is_no_staff_moderator(desk, room, physician):
    physician.user.groups.add(Group.objects.get(name=MODERATORS))
    response = desk.post(at(room, "moderators"), {"email": physician.user.email})

    assert "No moderator of the staff has this address." in text_of(response)


def test_the_owner_stays(desk, room):
    response = post(desk, at(room, "moderator_remove", room.moderators.get().pk))

    assert "stays with it" in said(response)[0]
    assert room.moderators.count() == 1


def test_who_takes_themselves_out_comes_to_the_list(moderator):
    room = make_room()
    owner = room.moderators.get().user
    planning.add_moderator(room=room, by=owner, user=moderator)
    row = room.moderators.get(user=moderator)

    response = post(confirmed(moderator), at(room, "moderator_remove", row.pk))

    assert response.redirect_chain[-1][0] == reverse("admin:focusgroups_room_changelist")
    assert response.status_code == 200


# Agreement


def test_a_published_agreement_is_followed_by_another_version(desk, moderator):
    room = make_recruiting_room(by=moderator)
    response = post(desk, at(room, "agreement"), {"text": "Other words.\r\nTwo lines."})

    assert [each.version for each in room.agreements.all()] == [1, 2]
    assert room.agreements.last().text == "Other words.\nTwo lines."
    assert "Version 2 is written" in said(response)[0]
    assert "Earlier versions" in text_of(response)


def test_a_drafts_agreement_is_changed_in_place_and_never_empty(desk, room):
    post(desk, at(room, "agreement"), {"text": "Other words."})
    assert room.agreements.get().text == "Other words."

    response = desk.post(at(room, "agreement"), {"text": " "})

    assert response.status_code == 422
    assert "Write what participants agree to." in text_of(response)


# Whom it seeks


def test_the_rule_is_saved_counted_and_said_in_steps_of_five(desk, room):
    for _ in range(7):
        make_member(state="OH")
    make_member(state="VT")
    make_member(state="VT")

    counted = desk.post(at(room, "people"), {"states": ["OH"], "count": "1"})
    assert "about 5 physicians" in text_of(counted)
    assert "not saved yet" in text_of(counted)
    room.refresh_from_db()
    assert room.states == []
    live = desk.post(at(room, "reach"), {"states": ["VT"]})
    assert "fewer than 5 physicians" in text_of(live)
    assert "<html" not in text_of(live)

    post(desk, at(room, "people"), {"states": ["OH", "VT"], "years_bands": ["0-5"]})

    room.refresh_from_db()
    assert (room.states, room.years_bands) == (["OH", "VT"], ["0-5"])


def test_a_rule_of_what_is_not_offered_is_refused(desk, room):
    response = desk.post(at(room, "people"), {"states": ["Ohio"]})

    assert response.status_code == 422
    assert "Choose from the list." in text_of(response)
    assert desk.post(at(room, "reach"), {"states": ["Ohio"]}).status_code == 200


def test_a_published_rule_is_only_widened(desk, moderator):
    room = make_recruiting_room(by=moderator, states=["OH"])
    response = desk.post(at(room, "people"), {"states": ["VT"]})
    assert response.status_code == 422
    assert "widened, not narrowed" in text_of(response)

    post(desk, at(room, "people"), {"states": ["OH", "VT"]})

    room.refresh_from_db()
    assert room.states == ["OH", "VT"]


def test_cells_are_added_changed_and_deleted(desk, room):
    post(desk, at(room, "cell_add"), {"name": "Early career", "seats": "5", "years_bands": ["0-5"]})
    cell = room.cells.get(name="Early career")
    assert "0 to 5 years" in text_of(desk.get(at(room, "people")))

    post(desk, at(room, "cell", cell.pk), {"name": "Starters", "seats": "6"})
    cell.refresh_from_db()
    assert (cell.name, cell.seats, cell.years_bands) == ("Starters", 6, [])
    same = desk.post(at(room, "cell_add"), {"name": "starters", "seats": "5"})
    assert "Another cell has this name." in str(same.context["form"].errors["name"])
    assert desk.post(at(room, "cell_add"), {"name": "", "seats": "0"}).status_code == 422

    post(desk, at(room, "cell_delete", cell.pk))
    assert not room.cells.filter(pk=cell.pk).exists()


def test_a_published_cell_gets_more_seats_and_stays(desk, moderator):
    room = make_recruiting_room(by=moderator)
    cell = room.cells.get()
    post(desk, at(room, "cell", cell.pk), {"name": "Renamed", "seats": "15"})
    cell.refresh_from_db()
    assert (cell.name, cell.seats) == ("All", 15)

    response = post(desk, at(room, "cell_delete", cell.pk))

    assert "cannot change" in said(response)[0]
    assert room.cells.exists()


# The screener


def test_a_question_needs_two_answers_of_which_one_is_sought(desk, room):
    address = at(room, "screener_add")
    cases = [
        ({"text": "", "option_0": "Yes", "option_1": "No"}, "text", "Write the question."),
        ({"text": "Do you?", "option_0": "Yes"}, "option_1", "at least 2 answers"),
        ({"text": "Do you?", "option_0": "Yes", "option_3": "yes"}, "option_3", "stands there already"),
        (
            {"text": "Do you?", "is_out_0": "on", "option_1": "Yes", "option_2": "No"},
            "option_0",
            "Write the answer",
        ),
        (
            {"text": "Do you?", "option_0": "Y", "is_out_0": "on", "option_1": "N", "is_out_1": "on"},
            "is_out_0",
            "Nobody could pass",
        ),
    ]
    for typed, field, words in cases:
        response = desk.post(address, typed)
        assert response.status_code == 422
        assert words in str(response.context["form"].errors[field]), typed
    assert not room.screener.exists()


def test_questions_are_edited_moved_deleted_and_at_most_five(desk, room):
    first, second = make_screener(room, ["Yes", "-No"], ["A", "B"])
    page = desk.get(at(room, "screener_question", first.pk))
    assert page.context["form"]["is_out_1"].value() is True
    post(desk, at(room, "screener_question", first.pk), {"text": "Do you?", "option_0": "A", "option_5": "B"})
    assert [option.text for option in first.options.all()] == ["A", "B"]

    post(desk, at(room, "screener_move", second.pk), {"to": "up"})
    assert list(room.screener.values_list("pk", flat=True)) == [second.pk, first.pk]
    post(desk, at(room, "screener_delete", second.pk))
    assert room.screener.get().pk == first.pk

    for number in range(4):
        post(desk, at(room, "screener_add"), {"text": f"Q{number}", "option_0": "A", "option_1": "B"})
    assert room.screener.count() == ScreenerQuestion.MOST
    assert "Add a question" not in text_of(desk.get(at(room, "screener")))
    sixth = desk.post(at(room, "screener_add"), {"text": "Q", "option_0": "A", "option_1": "B"})
    assert "at most 5 questions" in text_of(sixth)


def test_a_published_screener_stays(desk, moderator):
    room = make_recruiting_room(by=moderator)
    (question,) = make_screener(room)

    post(desk, at(room, "screener_question", question.pk), {"text": "X", "option_0": "A", "option_1": "B"})
    refused = post(desk, at(room, "screener_delete", question.pk))

    question.refresh_from_db()
    assert question.text != "X"
    assert "cannot change" in said(refused)[0]


# Invitations


def test_a_handle_is_typed_and_never_shown_again(desk, moderator):
    room = make_recruiting_room(by=moderator)
    handles = [
        make_member(handle).handle for handle in ("quiet_lung", "lung_b", "lung_c", "lung_d", "lung_e")
    ]
    sent = {"deed": "handles", "hand-handles": f"@{', '.join(handles)}"}
    response = post(desk, at(room, "invitations"), sent)

    assert room.candidates.count() == 5
    assert "5 members are invited." in said(response)[0]
    for name in sorted(OWN):
        assert "quiet_lung" not in desk.get(at(room, name)).content.decode(), name


def test_a_handle_that_cannot_be_asked_is_sent_back_as_typed(desk, moderator):
    room = make_recruiting_room(by=moderator)
    response = desk.post(at(room, "invitations"), {"deed": "handles", "hand-handles": "no_such_lung a b c d"})

    assert response.status_code == 422
    assert "no_such_lung" in text_of(response)
    assert "cannot be asked" in str(response.context["by_handle"].errors["handles"])
    assert desk.post(at(room, "invitations"), {"deed": "handles", "hand-handles": " , "}).status_code == 422


@pytest.mark.parametrize("typed", ["", "0", "many", "501"])
def test_so_many_cannot_be_invited(desk, moderator, typed):
    room = make_recruiting_room(by=moderator)
    make_member()
    response = desk.post(at(room, "invitations"), {"deed": "rule", "rule-number": typed})

    assert response.status_code == 422
    assert "from 1 to 500" in text_of(response)
    assert not room.candidates.exists()


def test_nobody_is_left_to_ask(desk, moderator):
    room = make_recruiting_room(by=moderator)
    response = desk.post(at(room, "invitations"), {"deed": "rule", "rule-number": "5"})

    assert response.status_code == 422
    assert "reaches nobody" in text_of(response)


def test_the_button_that_is_pressed_twice_invites_once(desk, moderator):
    room = make_recruiting_room(by=moderator)
    for _ in range(8):
        make_member()
    form = desk.get(at(room, "invitations")).context["by_rule"]
    typed = {"deed": "rule", "rule-number": "2", "rule-seen": form["seen"].value()}
    post(desk, at(room, "invitations"), typed)

    again = desk.post(at(room, "invitations"), typed)

    assert again.status_code == 422
    assert "press once more" in text_of(again)
    assert room.candidates.count() == 2
    post(desk, at(room, "invitations"), {**typed, "rule-seen": again.context["by_rule"]["seen"].value()})
    assert room.candidates.count() == 4


def test_a_draft_invites_nobody(desk, room, colleague):
    page = desk.get(at(room, "invitations"))
    assert "Not published yet" in text_of(page)

    response = desk.post(at(room, "invitations"), {"deed": "rule", "rule-number": "5"})

    assert response.status_code == 422
    assert not room.candidates.exists()


def test_candidates_are_numbers_and_participants_aliases(desk, moderator):
    room = make_running_room(by=moderator)
    cell = make_cell(room, "Early career", seats=4)
    seated = make_participant(room, cell)
    left = make_participant(room, left_at=timezone.now(), left_as="left")
    Candidate.objects.create(room=room, member=make_member("silent_one"))

    words = text_of(desk.get(at(room, "invitations")))

    assert seated.alias in words
    assert left.alias in words
    assert "3 in all" in words
    for member in (seated.member, left.member):
        assert member.handle not in words
    assert "silent_one" not in words


@pytest.mark.parametrize("number", [1, 15])
def test_who_takes_part_costs_the_same_at_any_number(number, desk, moderator):
    room = make_running_room(by=moderator, seats=20)
    for _ in range(number):
        make_participant(room)

    with CaptureQueriesContext(connection) as queries:
        desk.get(at(room, "invitations"))

    assert len(queries) <= 20, [query["sql"][:90] for query in queries]


# The guide


def test_each_kind_of_prompt_asks_for_its_own_fields(desk, room):
    section = make_section(room)
    own = {"options", "most", "points", "low_label", "high_label", "asks_why"}
    expected = {
        "open": set(),
        "single": {"options", "asks_why"},
        "multiple": {"options", "most", "asks_why"},
        "ranked": {"options", "asks_why"},
        "scale": {"points", "low_label", "high_label", "asks_why"},
    }
    for kind, names in expected.items():
        form = desk.get(at(room, "prompt_add", section.pk), {"kind": kind}).context["form"]
        assert own & set(form.fields) == names, kind


def test_choosing_another_kind_keeps_what_was_typed(desk, room):
    section = make_section(room)
    typed = {"switch": "multiple", "kind": "open", "text": "Which of these?", "is_private": "on"}
    response = desk.post(at(room, "prompt_add", section.pk), typed)

    form = response.context["form"]
    assert response.status_code == 200
    assert form["text"].value() == "Which of these?"
    assert form["is_private"].value() is True
    assert form["is_required"].value() is False
    assert "options" in form.fields
    assert not section.prompts.exists()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"kind": "open", "text": "Which?"}, {}),
        ({"kind": "single", "text": "Which?", "options": "A\n\n B \n"}, {"texts": ["A", "B"]}),
        (
            {"kind": "multiple", "text": "Which?", "options": "A\nB\nC", "most": "2", "asks_why": "on"},
            {"texts": ["A", "B", "C"], "most": 2, "asks_why": True},
        ),
        ({"kind": "ranked", "text": "Which?", "options": "A\nB"}, {"texts": ["A", "B"]}),
        (
            {"kind": "scale", "text": "How?", "points": "7", "low_label": "never", "high_label": "always"},
            {"points": 7, "low_label": "never", "high_label": "always"},
        ),
    ],
)
def test_a_prompt_of_each_kind_is_added_and_edited(desk, room, typed, expected):
    section = make_section(room)
    post(desk, at(room, "prompt_add", section.pk), {**typed, "is_required": "on"})

    prompt = section.prompts.get()
    assert (prompt.kind, prompt.is_required) == (typed["kind"], True)
    assert [option.text for option in prompt.options.all()] == expected.pop("texts", [])
    for name, value in expected.items():
        assert getattr(prompt, name) == value
    form = desk.get(at(room, "prompt", prompt.pk)).context["form"]
    sent = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
    response = post(
        desk, at(room, "prompt", prompt.pk), {**sent, "kind": typed["kind"], "text": "Said better?"}
    )
    assert response.redirect_chain, response.context["form"].errors
    prompt.refresh_from_db()
    assert prompt.text == "Said better?"


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"kind": "open", "text": ""}, "text", "Write what you ask."),
        ({"kind": "single", "text": "Which?", "options": ""}, "options", "Write the options, one to a line."),
        ({"kind": "single", "text": "Which?", "options": "A"}, "options", "these are 1"),
        ({"kind": "single", "text": "Which?", "options": "A\na"}, "options", "stands there twice"),
        ({"kind": "single", "text": "Which?", "options": f"A\n{'b' * 201}"}, "options", "has 201"),
        ({"kind": "multiple", "text": "Which?", "options": "A\nB", "most": "3"}, "most", "fewer options"),
        ({"kind": "scale", "text": "How?", "points": "2"}, "points", "from 3 to 11"),
    ],
)
def test_a_prompt_that_cannot_stand_is_sent_back(desk, room, typed, field, words):
    section = make_section(room)
    response = desk.post(at(room, "prompt_add", section.pk), typed)

    assert response.status_code == 422
    assert words in str(response.context["form"].errors[field])
    assert not section.prompts.exists()


def test_sections_and_prompts_are_moved_and_deleted(desk, room):
    first, second = make_section(room, prompts=2), make_section(room)
    up, down = first.prompts.all()

    post(desk, at(room, "section_move", second.pk), {"to": "up"})
    assert list(room.sections.values_list("pk", flat=True)) == [second.pk, first.pk]
    response = post(desk, at(room, "prompt_move", up.pk), {"to": "down"})
    assert list(first.prompts.values_list("pk", flat=True)) == [down.pk, up.pk]
    assert response.redirect_chain[0][0].endswith(f"#prompt-{up.pk}")

    post(desk, at(room, "prompt_delete", up.pk))
    post(desk, at(room, "section_delete", second.pk))
    assert list(Prompt.objects.values_list("pk", flat=True)) == [down.pk]
    assert room.sections.get().pk == first.pk


def test_what_a_button_does_is_not_done_by_a_look(desk, room):
    section = make_section(room, prompts=1)
    for name, row in (("section_delete", section), ("prompt_delete", section.prompts.get())):
        assert desk.get(at(room, name, row.pk)).status_code == 302
    assert section.prompts.exists()


def test_a_section_is_edited_with_local_times_and_dollars(desk, room):
    section = make_section(room, opens_at=room.starts_at, honorarium=5_000)
    form = desk.get(at(room, "section", section.pk)).content.decode()
    assert 'value="50"' in form

    typed = {"title": "Day 1", "opens_at": local(room.starts_at + timedelta(days=1)), "honorarium": "75.50"}
    post(desk, at(room, "section", section.pk), typed)

    section.refresh_from_db()
    assert section.honorarium == 7_550
    assert local(section.opens_at) == typed["opens_at"]
    refused = desk.post(at(room, "section", section.pk), {**typed, "due_at": typed["opens_at"]})
    assert "due after the section opens" in str(refused.context["form"].errors["due_at"])
    refused = desk.post(at(room, "section", section.pk), {**typed, "honorarium": "-5"})
    assert "such as 25" in str(refused.context["form"].errors["honorarium"])


def test_what_participants_read_already_stays(desk, moderator):
    room = make_running_room(by=moderator, sections=2, released=1)
    opened, to_come = room.sections.all()
    prompt = opened.prompts.first()

    for address in (at(room, "section", opened.pk), at(room, "prompt", prompt.pk)):
        assert desk.get(address).status_code == 302
        assert desk.post(address, {"text": "X", "title": "X", "kind": "open"}).status_code == 422
    refused = post(desk, at(room, "prompt_delete", prompt.pk))

    prompt.refresh_from_db()
    assert prompt.text != "X"
    assert "already" in said(refused)[0]
    assert desk.get(at(room, "section", to_come.pk)).status_code == 200


def test_an_honorarium_that_was_promised_goes_only_up(desk, moderator):
    room = make_running_room(by=moderator, sections=2, released=1)
    section = room.sections.last()
    typed = {"title": section.title, "opens_at": local(section.opens_at), "honorarium": "10"}
    response = desk.post(at(room, "section", section.pk), typed)

    assert response.status_code == 422
    assert "raised, not lowered" in text_of(response)


@pytest.mark.parametrize("number", [1, 8])
def test_the_guide_costs_the_same_at_any_length(number, desk, room):
    for _ in range(number):
        make_section(room, prompts=3)

    with CaptureQueriesContext(connection) as queries:
        desk.get(at(room, "guide"))

    assert len(queries) <= 16, [query["sql"][:90] for query in queries]


# Too late, and twice


def test_what_was_typed_of_a_section_that_opens_meanwhile_stands_there_with_the_reason(desk, moderator):
    room = make_running_room(by=moderator, sections=1)
    section = room.sections.get()
    prompt = section.prompts.first()
    form = {"title": "A better title", "opens_at": "", "due_at": "", "honorarium": "50", "intro": ""}

    of_section = desk.post(at(room, "section", section.pk), form)
    of_prompt = desk.post(at(room, "prompt", prompt.pk), {"kind": "open", "text": "A better question?"})

    for refused, typed in [(of_section, "A better title"), (of_prompt, "A better question?")]:
        assert refused.status_code == 422
        assert "Participants read this section already." in text_of(refused)
        assert typed in text_of(refused)
    assert desk.get(at(room, "section", section.pk)).status_code == 302


def test_a_row_is_deleted_by_a_button_pressed_twice(desk, room):
    section, other = make_section(room), make_section(room)
    prompt, hour = make_prompt(other), make_live_hour(room, starts_at=room.starts_at)
    cell, (question,) = make_cell(room), make_screener(room)
    rows = {
        "section_delete": section,
        "prompt_delete": prompt,
        "hour_delete": hour,
        "cell_delete": cell,
        "screener_delete": question,
    }
    for name, row in rows.items():
        assert [desk.post(at(room, name, row.pk)).status_code for _ in range(2)] == [302, 302], name
        assert not type(row).objects.filter(pk=row.pk).exists(), name


def test_an_hour_that_has_begun_is_not_offered_to_be_changed(desk, moderator):
    room = make_running_room(by=moderator)
    hour = make_live_hour(room)

    assert at(room, "hour", hour.pk) not in desk.get(at(room, "guide")).content.decode()
    assert desk.get(at(room, "hour", hour.pk)).status_code == 302


# Sent twice


def submission_of(page):
    return re.search(r'name="submission" value="([0-9a-f-]{36})"', page.content.decode())[1]


ADDED = {
    "a section": (
        lambda room: at(room, "section_add"),
        {"title": "Day 1", "opens_at": "", "due_at": "", "honorarium": "0", "intro": ""},
        lambda room: room.sections,
        "title",
    ),
    "a prompt": (
        lambda room: at(room, "prompt_add", room.sections.get().pk),
        {"kind": "open", "text": "What do you do first?", "is_required": "on"},
        lambda room: room.sections.get().prompts,
        "text",
    ),
    "a question of the screener": (
        lambda room: at(room, "screener_add"),
        {"text": "Do you treat it?", "option_0": "Yes", "option_1": "No", "is_out_1": "on"},
        lambda room: room.screener,
        "text",
    ),
}


@pytest.mark.parametrize("what", ADDED)
def test_a_form_that_adds_something_is_sent_twice_and_counts_once(what, desk, room):
    address, typed, rows, name = ADDED[what]
    if what == "a prompt":
        make_section(room)
    address = address(room)
    before = rows(room).count()
    sent = {**typed, "submission": submission_of(desk.get(address))}

    first, second = desk.post(address, sent), desk.post(address, sent)

    assert (first.status_code, second.status_code) == (302, 302)
    assert first.url == second.url
    assert rows(room).count() == before + 1

    desk.post(address, {**sent, name: "Something else"})  # gone back to, and changed

    assert rows(room).count() == before + 2
    row = rows(room).last()
    route = {"a section": "section", "a prompt": "prompt"}.get(what, "screener_question")
    assert (
        'name="submission"' not in desk.get(at(room, route, row.pk)).content.decode().split('id="stimuli')[0]
    )


def test_one_form_sent_to_two_rooms_adds_to_both(desk, moderator, room):
    other = make_room(moderator)
    typed = {"title": "Day 1", "submission": "0d1f6bb6-2d6c-4c43-a1f4-1f4c6c1c7b1a"}

    for each in (room, other):
        assert desk.post(at(each, "section_add"), typed).status_code == 302
        assert each.sections.count() == 1


def test_an_hour_or_a_cell_that_is_there_just_so_is_not_added_again(desk, room):
    starts_at = room.in_its_zone(room.starts_at + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    ends_at = room.in_its_zone(room.starts_at + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M")
    hour = {"title": "Open hour", "starts_at": starts_at, "ends_at": ends_at}
    cell = {"name": "Early career", "seats": "5"}
    before = room.cells.count()

    hours = [desk.post(at(room, "hour_add"), hour).status_code for _ in range(2)]
    cells = [desk.post(at(room, "cell_add"), cell).status_code for _ in range(2)]
    other = desk.post(at(room, "cell_add"), {**cell, "seats": "6"})

    assert (hours, cells, other.status_code) == ([302, 302], [302, 302], 422)
    assert (room.live_hours.count(), room.cells.count()) == (1, before + 1)


def test_a_picture_that_is_sent_twice_is_added_once(desk, room, jpeg):
    prompt = make_prompt(make_section(room))
    submission = submission_of(desk.get(at(room, "prompt", prompt.pk)))

    for _ in range(2):
        sent = {"file": jpeg(), "description": "An ECG", "submission": submission}
        assert desk.post(at(room, "stimulus_add", prompt.pk), sent).status_code == 302
    assert prompt.stimuli.count() == 1

    sent = {"file": jpeg(), "description": "Another", "submission": submission}
    desk.post(at(room, "stimulus_add", prompt.pk), sent)
    assert prompt.stimuli.count() == 2


# Stimuli


def test_a_picture_is_added_shown_described_and_taken_out(desk, room, jpeg):
    prompt = make_prompt(make_section(room))
    picture = jpeg()
    response = post(desk, at(room, "stimulus_add", prompt.pk), {"file": picture, "description": "An ECG"})
    stimulus = prompt.stimuli.get()
    assert stimulus.description == "An ECG"
    assert at(room, "stimulus", stimulus.key) in response.content.decode()
    shown = desk.get(at(room, "stimulus", stimulus.key))
    assert shown["Content-Type"] == "image/jpeg"
    assert "no-store" in shown["Cache-Control"]
    assert confirmed(make_moderator()).get(at(room, "stimulus", stimulus.key)).status_code == 404

    post(desk, at(room, "stimulus_delete", stimulus.key))

    assert not prompt.stimuli.exists()


@pytest.fixture
def jpeg(settings, tmp_path):
    """A picture as a browser sends it."""
    import io

    from django.core.files.uploadedfile import SimpleUploadedFile
    from PIL import Image

    def make(data=None):
        out = io.BytesIO()
        Image.new("RGB", (400, 300), "white").save(out, "JPEG")
        return SimpleUploadedFile("ecg.jpg", out.getvalue() if data is None else data, "image/jpeg")

    return make


def test_a_file_that_is_no_picture_or_lacks_words_is_refused(desk, room, jpeg):
    prompt = make_prompt(make_section(room))
    address = at(room, "stimulus_add", prompt.pk)

    broken = desk.post(address, {"file": jpeg(b"no picture at all"), "description": "An ECG"})
    assert broken.status_code == 422
    assert "file" in broken.context["stimulus_form"].errors
    assert "An ECG" in text_of(broken)
    wordless = desk.post(address, {"file": jpeg(), "description": ""})
    assert "Describe it, for who cannot see it." in text_of(wordless)
    assert "Choose a picture or a PDF." in text_of(desk.post(address, {"description": "An ECG"}))
    assert not prompt.stimuli.exists()


def test_a_file_beyond_the_limit_is_dropped_while_it_comes_in(desk, room, jpeg, monkeypatch):
    prompt = make_prompt(make_section(room))
    read = []
    monkeypatch.setattr(stimuli, "add", lambda **sent: read.append(sent))

    refused = desk.post(
        at(room, "stimulus_add", prompt.pk),
        {"file": jpeg(b"0" * (stimuli.LARGEST + 1)), "description": "An ECG"},
    )

    assert refused.status_code == 422
    assert refused.wsgi_request.upload_too_large
    assert "file" not in refused.wsgi_request.FILES
    assert refused.context["stimulus_form"].errors["file"] == [stimuli.TooLarge.message]
    assert "An ECG" in text_of(refused)
    assert not read


def test_a_file_without_the_token_of_the_form_is_refused(moderator, room, jpeg):
    prompt = make_prompt(make_section(room))
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = confirmed(moderator).cookies

    refused = strict.post(at(room, "stimulus_add", prompt.pk), {"file": jpeg(), "description": "An ECG"})

    assert refused.status_code == 403
    assert not prompt.stimuli.exists()


# Live hours


def test_live_hours_are_announced_moved_and_deleted(desk, room):
    starts = room.starts_at + timedelta(days=1)
    typed = {"title": "Open hour", "starts_at": local(starts), "ends_at": local(starts + timedelta(hours=1))}
    post(desk, at(room, "hour_add"), typed)
    hour = room.live_hours.get()
    assert "Open hour" in text_of(desk.get(at(room, "guide")))

    post(desk, at(room, "hour", hour.pk), {**typed, "title": "Late hour"})
    hour.refresh_from_db()
    assert hour.title == "Late hour"
    post(desk, at(room, "hour_delete", hour.pk))
    assert not room.live_hours.exists()


def test_a_live_hour_lies_in_the_room_beside_no_other_and_is_short(desk, room):
    begin = room.starts_at + timedelta(days=1)
    make_live_hour(room, starts_at=begin, ends_at=begin + timedelta(hours=1))

    def refusal(start, hours, field):
        typed = {"title": "Hour", "starts_at": local(start), "ends_at": local(start + timedelta(hours=hours))}
        response = desk.post(at(room, "hour_add"), typed)
        assert response.status_code == 422
        return str(response.context["form"].errors[field])

    assert "Another live hour" in refusal(begin + timedelta(minutes=30), 1, "starts_at")
    assert "before the focus group" in refusal(room.starts_at - timedelta(days=1), 1, "starts_at")
    assert "after the focus group" in refusal(room.ends_at - timedelta(minutes=30), 1, "ends_at")
    assert "At most 4 hours" in refusal(begin + timedelta(days=1), 5, "ends_at")
    assert "after it begins" in refusal(begin + timedelta(days=1), -1, "ends_at")
    assert "time to come" in refusal(timezone.now() - timedelta(days=1), 1, "starts_at")
    assert desk.post(at(room, "hour_add"), {"title": "Hour"}).status_code == 422
    assert LiveHour.objects.count() == 1


def test_an_hour_that_has_begun_stays(desk, moderator):
    room = make_running_room(by=moderator)
    hour = make_live_hour(room)

    refused = post(desk, at(room, "hour_delete", hour.pk))

    assert "has begun" in said(refused)[0]
    assert room.live_hours.exists()


# Ends


def test_a_room_is_extended_and_never_shortened(desk, moderator):
    room = make_running_room(by=moderator)
    later, sooner = room.ends_at + timedelta(days=2), room.ends_at - timedelta(days=2)

    refused = desk.post(at(room, "extend"), {"ends_at": local(sooner)})
    assert refused.status_code == 422
    assert "ends_at" in refused.context["form"].errors
    response = post(desk, at(room, "extend"), {"ends_at": local(later)})

    room.refresh_from_db()
    assert local(room.ends_at) == local(later)
    assert "It now ends on" in said(response)[0]


def test_a_room_is_closed_by_its_button(desk, moderator):
    room = make_running_room(by=moderator)
    assert "This cannot be undone." in text_of(desk.get(at(room, "close")))

    post(desk, at(room, "close"))

    room.refresh_from_db()
    assert room.closed_at
    assert desk.get(at(room, "close")).status_code == 404
    assert said(post(desk, at(room, "close"))) == ["Closed."]  # the button pressed twice


def test_a_room_is_called_off_with_a_reason_unless_somebody_earned_something(desk, moderator):
    room = make_recruiting_room(by=moderator)
    refused = desk.post(at(room, "cancel"), {"reason": " "})
    assert refused.status_code == 422
    assert "Write why, in a sentence." in text_of(refused)
    post(desk, at(room, "cancel"), {"reason": "The drug was withdrawn."})
    room.refresh_from_db()
    assert room.canceled_at
    assert "Canceled" in text_of(desk.get(at(room, "overview")))

    running = make_running_room(by=moderator)
    make_completion(make_participant(running), running.sections.first())

    assert desk.get(at(running, "cancel")).status_code == 404
    assert at(running, "cancel") not in desk.get(at(running, "overview")).content.decode()


def test_a_draft_is_discarded(desk, room):
    post(desk, at(room, "cancel"), {"reason": "A double."})

    room.refresh_from_db()
    assert room.state == Room.State.CANCELED


# The overview, the log and the preview


@pytest.mark.parametrize("number", [1, 6])
def test_the_overview_costs_the_same_with_a_full_guide(number, desk, room):
    for _ in range(number):
        make_section(room, prompts=5)

    with CaptureQueriesContext(connection) as queries:
        desk.get(at(room, "overview"))

    assert len(queries) <= 31, [query["sql"][:90] for query in queries]


def test_higher_apps_add_pages_and_panels(desk, room, monkeypatch):
    monkeypatch.setattr(base, "PANELS", [])
    base.add_panel(base.Panel(2, lambda request, room: "<p>second</p>"))
    base.add_panel(base.Panel(1, lambda request, room: f"<p>first of {room.pk}</p>"))
    base.add_panel(base.Panel(3, lambda request, room: ""))

    words = text_of(desk.get(at(room, "overview")))

    assert words.index(f"first of {room.pk}") < words.index("second")
    with pytest.raises(ValueError, match="already"):
        base.add_page(base.Page("guide", "Guide", 1, lambda request, room: None))


def test_the_log_says_in_words_who_did_what(desk, room, moderator):
    second = make_moderator()
    planning.add_moderator(room=room, by=moderator, user=second)
    planning.set_rule(room=room, by=second, states=["OH"])

    words = text_of(desk.get(at(room, "log")))

    assert f"Put a moderator in charge: {second.email}" in words
    assert "Changed whom it seeks" in words
    assert words.index("Changed whom it seeks") < words.index("Put a moderator in charge")
    assert "room_" not in re.sub(r"focusgroups_room_|/room/", "", words)


def test_the_preview_shows_each_section_and_takes_nothing(desk, room):
    assert "Nothing to see yet" in text_of(desk.get(at(room, "preview")))
    make_section(room, prompts=1)
    second = make_section(room, opens_at=room.starts_at, prompts=1)
    prompt = second.prompts.get()

    words = desk.get(at(room, "preview_section", second.place)).content.decode()

    assert prompt.text in unescape(words)
    assert reverse("focusgroups:answer", args=[room.pk, prompt.pk]) not in words
    assert at(room, "guide") in words


def test_every_refusal_of_a_service_is_shown_not_raised(desk, room, monkeypatch):
    class Refused(RuleBroken):
        message = "Not today."

    def refuse(**typed):
        raise Refused

    for name in ("write_agreement", "set_rule", "save_cell", "save_screener_question", "change_basics"):
        monkeypatch.setattr(planning, name, refuse)
    answers = [
        desk.post(at(room, "agreement"), {"text": "Words"}),
        desk.post(at(room, "people"), {}),
        desk.post(at(room, "cell_add"), {"name": "A", "seats": "5"}),
        desk.post(at(room, "screener_add"), {"text": "Q", "option_0": "A", "option_1": "B"}),
        desk.post(at(room, "basics"), basics_of(room)),
    ]
    for response in answers:
        assert response.status_code == 422
        assert "Not today." in text_of(response)
