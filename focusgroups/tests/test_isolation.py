"""What is said in a room stays there: its addresses are not there for anybody else, and nothing else tells of it.

Every text of the room has WORD in it. What is asked for is read from the urls, so that an address added one day is
asked for as well; one whose parameter is not known here fails by its name.
"""

import re
from datetime import timedelta
from io import BytesIO
from itertools import product
from types import SimpleNamespace
from urllib.parse import urlsplit
from uuid import uuid4
from zipfile import ZipFile

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Kind, Mail, Notice, NoticeChoice, Way
from accounts.services import leaving
from accounts.tests.factories import make_member
from conftest import client_of
from focusgroups import urls
from focusgroups.desk.permissions import allow_moderators
from focusgroups.models import Answer, Candidate, Message, Participant, Quote, Room
from focusgroups.services import coding, messaging, planning, publishing, seating, stimuli, telling
from focusgroups.tests.factories import (
    make_answer,
    make_candidate,
    make_cell,
    make_live_hour,
    make_message,
    make_moderator,
    make_participant,
    make_prompt,
    make_room,
    make_running_room,
    make_section,
)
from focusgroups.tests.test_desk_setup import confirmed
from observers import keys, urls_groups
from observers.services import back_room
from observers.tests.factories import make_seat
from rewards.services import rooms
from rewards.tests import crawl
from rewards.tests.factories import make_firm
from sermo.tests.odd_images import file_of, textured

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_files")]

WORD, COMMON = "varkel", "heparinoid"
DAY = timedelta(days=1)
TAGS = re.compile(r"<[^>]*>")
SENT = {
    "source": "A line of my own.",
    "submission": "6f1c3c1e-7f55-4c8e-9d5c-0d6a3a6a1c11",
    "accepts": "on",
    "reason": "Because.",
    "text": "A line of my own.",
}


def says(what):
    return f"{what} {COMMON} {WORD}"


@pytest.fixture
def room(db):
    """One that runs, paid for by a firm and watched with words, with something at each of its addresses."""
    allow_moderators(apps.get_app_config("focusgroups"), using="default")
    now, world = timezone.now(), SimpleNamespace(moderator=make_moderator())
    made = make_room(
        world.moderator,
        title=says("Dosing of"),
        about=says("About"),
        watching="words",
        agreement=says("I keep to"),
        cells=False,
        starts_at=now - 2 * DAY,
        ends_at=now + 8 * DAY,
    )
    make_cell(made, says("Cell"))
    planning.save_screener_question(
        room=made,
        by=world.moderator,
        text=says("Do you see"),
        options=[(says("Yes"), False), (says("No"), True)],
    )
    world.firm = make_firm("Halden Therapeutics", balance=10_000_000)
    world.section = make_section(made, title=says("Day"), intro=says("Of"), opens_at=now - DAY)
    world.prompt, world.later = (
        make_prompt(world.section, text=says("Why")),
        make_prompt(world.section, text=says("How")),
    )
    stimuli.add(
        prompt=world.prompt, by=world.moderator, data=file_of(textured(), "PNG"), description=says("Curve of")
    )
    rooms.agree(room=made, firm=world.firm, key=uuid4())
    Room.objects.filter(pk=made.pk).update(published_at=now - 3 * DAY)
    world.room = made = Room.objects.get(pk=made.pk)
    world.watcher = make_seat(world.firm)
    back_room.let_watch(room=made, seat=world.watcher, by=world.moderator)
    world.speaker, world.fellow = make_participant(made), make_participant(made)
    world.answer = make_answer(world.speaker, world.prompt, says("First"), posted_at=now - DAY)
    world.message = make_message(made, participant=world.speaker, answer=world.answer, source=says("Then"))
    make_message(made, participant=world.speaker, kind="note", source=says("Between us"))
    world.hour = make_live_hour(made, title=says("Hour"))
    make_message(made, participant=world.speaker, kind="live", live_hour=world.hour, source=says("Live"))
    coding.tag(said=world.answer, by=world.moderator, code=says("Code"))
    world.quote = Quote.objects.create(
        room=made, answer=world.answer, text=says("First"), paraphrase=says("In other words")
    )
    world.invited = make_candidate(made)
    return world


def arguments(world):
    """By parameter, something of the room."""
    return {
        "room_id": world.room.pk,
        "pk": world.room.pk,
        "place": world.section.place,
        "prompt_id": world.prompt.pk,
        "answer_id": world.answer.pk,
        "message_id": world.message.pk,
        "live_hour_id": world.hour.pk,
        "quote_id": world.quote.pk,
        "key": world.prompt.stimuli.get().pk,
    }


def own_addresses(world):
    """Of the room as its participants have them."""
    known, found = arguments(world), {}
    for route in urls.urlpatterns:
        names = route.pattern.converters
        if "room_id" in names:
            found[route.name] = reverse(
                f"focusgroups:{route.name}", kwargs={name: known[name] for name in names}
            )
    assert len(found) > 15
    return found


def desk_addresses(world):
    """Of the room in the administration; what stands in them is a number where it is not a stimulus."""
    known, found = arguments(world), {}
    for route in admin.site._registry[Room].get_urls():
        names = route.pattern.converters
        if "pk" in names:
            values = {name: known.get(name, 1) for name in names}
            found[route.name] = reverse(f"admin:{route.name}", kwargs=values)
    assert len(found) > 30
    return found


def console_addresses(world, firm):
    found = {}
    for route in urls_groups.urlpatterns:
        names = route.pattern.converters
        if "key" in names:
            values = dict.fromkeys(names, 1) | {"key": keys.room_key(firm, world.room.pk)}
            found[route.name] = reverse(f"observers:{route.name}", kwargs=values)
    assert len(found) >= 4
    return found


def rows():
    """What anything done in a room changes."""
    seats = Participant.objects.order_by("pk").values_list("pk", "left_at", "seen_at", "withdrew_at")
    asked = Candidate.objects.order_by("pk").values_list("pk", "state")
    said = [
        [*model.objects.order_by("pk").values_list("pk", "source", "withdrawn_at", "hidden_at")]
        for model in (Answer, Message)
    ]
    return [*seats], [*asked], said, [*Quote.objects.values_list("pk", "state")]


def removed(world):
    gone = make_participant(world.room)
    make_answer(gone, world.prompt, "Mine.")
    client = client_of(gone.member)
    assert client.get(world.room.get_absolute_url()).status_code == 200
    seating.remove(participant=gone, by=world.moderator, reason="Named a patient.")
    return client


def of_other_room(world):
    return client_of(make_participant(make_running_room(title="Of theirs")).member)


def body_of(answer):
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode(
        errors="replace"
    )


OUTSIDERS = {
    "a member who was not asked": lambda world: client_of(make_member()),
    "a removed member": removed,
    "a member of another room": of_other_room,
    "an observer of another firm": lambda world: client_of(make_seat().user),
    "an observer of its firm who watches it": lambda world: client_of(world.watcher.user),
    "an applicant": lambda world: client_of(make_member(standing="applicant", specialty=None)),
    "a moderator of another room": lambda world: confirmed(make_room().moderators.get().user),
    "a visitor": lambda world: Client(),
}


@pytest.fixture
def outsiders(room):
    return {who: enter(room) for who, enter in OUTSIDERS.items()}


def test_no_address_of_a_room_is_there_for_anybody_else(room, outsiders):
    before = rows()

    for (who, client), (name, address) in product(outsiders.items(), own_addresses(room).items()):
        if (who, name) == ("a removed member", "withdraw"):
            assert WORD not in body_of(client.get(address))  # their own words can be taken back
            continue
        found = []
        for ask in (client.get, client.post):
            answer = ask(address, SENT)
            found.append(answer.status_code)
            assert WORD not in body_of(answer), (who, name)
            if answer.status_code == 405:  # said of any number
                assert ask(address.replace(f"/{room.room.pk}/", "/987654/", 1)).status_code == 405
        assert found in ([404, 404], [404, 405], [405, 404]), (who, name, found)
    assert rows() == before


def test_each_of_them_is_there_for_who_has_a_part_in_it(room):
    seated, asked = client_of(room.speaker.member), client_of(room.invited.member)

    for name, address in own_addresses(room).items():
        found = {client.get(address).status_code for client in (seated, asked)}
        assert found & {200, 302, 405}, name


def test_what_is_private_to_one_participant_is_not_there_for_another(room):
    """Own rows are one's own: nobody else changes or takes them back."""
    client = client_of(room.fellow.member)
    before = rows()[2:]

    for name in ("edit_answer", "withdraw_answer", "withdraw_message"):
        assert client.post(own_addresses(room)[name], SENT).status_code == 404, name
    assert client.get(own_addresses(room)["reply_to_answer"]).status_code == 404  # they did not answer yet
    assert rows()[2:] == before
    assert "Between us" in client_of(room.speaker.member).get(own_addresses(room)["note"]).text
    assert "Between us" not in client.get(own_addresses(room)["note"]).text


# The desk


DESKLESS = ("a removed member", "an observer of its firm who watches it", "a visitor")


def test_no_address_of_its_desk_is_there_for_anybody_else(room, outsiders):
    """Whoever has no way into the administration is sent to its log-in, whatever they ask for."""
    before, desk = rows(), outsiders["a moderator of another room"]

    for name, address in desk_addresses(room).items():
        for ask in (desk.get, desk.post):
            answer = ask(address, SENT)
            assert answer.status_code == 404, (name, answer.status_code)
            assert WORD not in body_of(answer), name
        for who in DESKLESS:
            answer = outsiders[who].post(address, SENT)
            assert answer.status_code in (302, 404), (who, name, answer.status_code)
            assert answer.status_code == 404 or "log" in urlsplit(answer["Location"]).path, (who, name)
    assert rows() == before
    lists = [desk.get(reverse("admin:focusgroups_room_changelist") + f"?list={name}") for name in ("", "all")]
    assert not any(WORD in body_of(answer) for answer in lists)


def test_its_own_moderator_reads_it_there(room):
    desk = confirmed(room.moderator)

    assert WORD in desk.get(desk_addresses(room)["focusgroups_room_change"]).text
    assert WORD in desk.get(reverse("admin:focusgroups_room_changelist")).text


# The console


def test_only_a_seat_that_was_let_in_reads_it_in_the_console(room):
    other = make_seat()
    beside = make_seat(room.firm, name="J. Osei")
    readers = {
        "another firm": (client_of(other.user), room.firm, other.firm),
        "another seat of the firm": (client_of(beside.user), room.firm),
        "a member of another room": (of_other_room(room), room.firm),
        "a participant": (client_of(room.speaker.member), room.firm),
        "a visitor": (Client(), room.firm),
    }

    for who, (client, *firms) in readers.items():
        for firm in firms:
            for name, address in console_addresses(room, firm).items():
                for ask in (client.get, client.post):
                    answer = ask(address, SENT)
                    assert answer.status_code in {404, 405}, (who, name, answer.status_code)
                    assert WORD not in body_of(answer), (who, name)
    own = client_of(room.watcher.user).get(console_addresses(room, room.firm)["group"])
    assert WORD in own.text


# Nothing elsewhere


def everywhere():
    """All addresses of the site that say nothing of what they are about, and searches for words of the room."""
    found = [route.address() for route in crawl.routes() if not route.parameters]
    found += [f"/search/?q={COMMON}", f"/questions/?q={COMMON}", "/sitemap.xml", "/robots.txt", "/feed/"]
    return [address for address in found if not address.startswith(("/accounts/2fa", "/accounts/logout"))]


CONSOLE, OFFICE = "/observe/", "/admin/"
LOOKED_AT = {  # by whom: which pages; the rest only sends them away
    "a member of another room": lambda address: not address.startswith((CONSOLE, OFFICE)),
    "an observer of another firm": lambda address: address.startswith(CONSOLE) or address == "/",
    "a moderator of another room": lambda address: address.startswith(OFFICE),
    "a visitor": lambda address: not address.startswith((CONSOLE, OFFICE)),
}


def test_no_other_page_of_the_site_says_a_word_of_it(room, outsiders):
    told, alias, all_addresses = [], room.speaker.alias, everywhere()

    for who, is_looked_at in LOOKED_AT.items():
        addresses = [address for address in all_addresses if is_looked_at(address)]
        assert len(addresses) > 5
        for address in addresses:
            text = body_of(outsiders[who].get(address))
            if WORD in text or alias in text or room.room.get_absolute_url() in text:
                told.append((who, address))
    assert told == []


def shown(client, member):
    """What somebody else reads of a member, in words."""
    pages = [client.get(reverse("accounts:member", args=[member.handle])), client.get("/leaderboards/")]
    return [
        TAGS.sub(" ", answer.text.split("<main", 1)[1].split("</main>", 1)[0]).split() for answer in pages
    ]


def test_no_profile_and_no_counter_knows_who_took_part(room, physician_client):
    member = make_member("silent_partner")
    before = shown(physician_client, member)
    seat = make_participant(room.room, member=member)
    for prompt in (room.prompt, room.later):
        make_answer(seat, prompt, says("Mine"))
    messaging.reply(participant=seat, answer=room.answer, source=says("Under"), key=uuid4())

    assert shown(physician_client, member) == before
    assert WORD not in physician_client.get(reverse("accounts:member", args=[member.handle])).text


def export_of(member):
    leaving.make_export(export_id=leaving.ask_export(user=member.user).pk)
    packed = b"".join(leaving.read_export(member.user.exports.get()))
    with ZipFile(BytesIO(packed)) as archive:
        return "\n".join(archive.read(name).decode(errors="replace") for name in archive.namelist())


def test_nobody_takes_along_what_others_said(room, physician):
    """Not even who sits in the same room; one's own export has one's own words."""
    make_answer(room.fellow, room.prompt, "What I said myself.")

    assert WORD not in export_of(physician)
    taken = export_of(room.fellow.member)
    assert "What I said myself." in taken
    assert not any(
        words in taken for words in (says("First"), says("Then"), says("Live"), room.speaker.alias)
    )
    assert says("First") in export_of(room.speaker.member)


def test_notices_and_mails_do_not_say_what_it_is_about(room):
    member = room.speaker.member
    NoticeChoice.objects.create(member=member, kind=Kind.GROUP, way=Way.EMAIL)
    telling.of_invitation(room.room, [member.pk])
    telling.of_seats(room.room, [member.pk])
    telling.of_reminder(room.speaker, timezone.now().date())
    telling.of_quote(room.quote, room.speaker)
    telling.of_probe(room.message, room.speaker)

    told = client_of(member).get(reverse("accounts:notices")).text
    mails = [f"{one.subject} {one.text}" for one in Mail.objects.filter(user=member.user)]

    assert Notice.objects.filter(member=member).count() == 5
    assert "focus group" in told.lower()
    assert mails
    for text in (told, *mails):
        assert WORD not in text
        assert room.speaker.alias not in text


# From the next request on


def test_who_is_removed_finds_nothing_at_the_next_request(room):
    client = client_of(room.speaker.member)
    assert client.get(own_addresses(room)["room"]).status_code == 200

    seating.remove(participant=room.speaker, by=room.moderator, reason="Named a patient.")

    for name, address in own_addresses(room).items():
        if name != "withdraw":  # what they said
            assert client.get(address).status_code in {404, 405}, name
            assert client.post(address, SENT).status_code in {404, 405}, name


def test_who_runs_it_no_more_finds_nothing_at_the_next_request(room):
    second = make_moderator()
    planning.add_moderator(room=room.room, by=room.moderator, user=second)
    desk = confirmed(second)
    address = desk_addresses(room)["focusgroups_room_change"]
    assert desk.get(address).status_code == 200

    planning.remove_moderator(room=room.room, by=room.moderator, user=second)

    assert desk.get(address).status_code == 404


def test_who_watches_no_more_finds_nothing_at_the_next_request(room):
    client = client_of(room.watcher.user)
    address = console_addresses(room, room.firm)["group"]
    assert client.get(address).status_code == 200

    back_room.stop_watching(room=room.room, seat=room.watcher, by=room.moderator)

    assert client.get(address).status_code == 404


def test_a_room_that_is_over_lets_in_those_who_had_a_seat_at_its_end_alone(room):
    seated, asked = client_of(room.speaker.member), client_of(room.invited.member)
    publishing.close(room=room.room, by=room.moderator)

    assert seated.get(own_addresses(room)["room"]).status_code == 200
    for name, address in own_addresses(room).items():
        assert asked.get(address).status_code in {404, 405}, name
