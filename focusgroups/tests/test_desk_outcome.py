"""The outcome of a room on the desk: summary, the sponsor's version, files; and what participants read at the end."""

import re
from html import unescape
from types import SimpleNamespace

import pytest
from allauth.account.internal.flows.login import record_authentication
from django.apps import apps
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_member
from conftest import client_of
from focusgroups.desk import base
from focusgroups.desk.permissions import allow_moderators
from focusgroups.models import Prompt, Quote, Room, RoomExport
from focusgroups.services import exporting
from focusgroups.tests.factories import (
    make_answer,
    make_cell,
    make_moderator,
    make_participant,
    make_prompt,
    make_room,
    make_running_room,
)

pytestmark = pytest.mark.django_db
PAGES = ["outcome", "report", "files", "files_make", "files_trace"]


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


def filled(moderator, **fields):
    """A room of six participants who answered four kinds of prompts."""
    room = make_running_room(by=moderator, sections=1, prompts=1, watching=Room.Watching.WORDS, **fields)
    make_cell(room, "Chiefs")
    section = room.sections.get()
    for kind in (Prompt.Kind.SINGLE, Prompt.Kind.RANKED, Prompt.Kind.SCALE):
        make_prompt(section, kind, text=f"About {kind}?")
    for _ in range(6):
        seat = make_participant(room)
        for prompt in section.prompts.all():
            make_answer(seat, prompt, "Low dose first.")
    return room


@pytest.fixture
def running(moderator):
    return filled(moderator)


@pytest.fixture
def room(moderator):
    """One that has closed."""
    return filled(moderator, closed_at=timezone.now())


def at(room, name):
    return base.address(room, name)


def text_of(response):
    bare = re.sub(r"<[^>]+>", " ", response.content.decode())
    return unescape(re.sub(r"\s+", " ", bare))


# Who, and when


@pytest.mark.parametrize("name", PAGES)
def test_only_who_runs_a_room_finds_its_outcome(name, room, desk):
    other, member = confirmed(make_moderator()), client_of(room.participants.first().member.user)

    assert desk.get(at(room, name)).status_code == 200
    assert other.get(at(room, name)).status_code == 404
    assert other.post(at(room, name)).status_code == 404
    assert member.get(at(room, name)).status_code == 302
    assert client_of(make_member().user).post(at(room, name)).status_code == 302
    assert not RoomExport.objects.exists()


@pytest.mark.parametrize("name", PAGES)
def test_a_draft_has_no_outcome_and_one_that_was_called_off_neither(name, desk, moderator, room):
    draft = make_room(moderator)
    room.canceled_at, room.canceled_why = timezone.now(), "No time"
    room.save()

    assert desk.get(at(draft, name)).status_code == 404
    assert desk.get(at(room, name)).status_code == 404


def test_while_a_room_runs_its_moderators_read_figures_and_nothing_leaves_it(running, desk):
    assert "Not over yet" in text_of(desk.get(at(running, "outcome")))
    for name in PAGES[1:]:
        assert desk.get(at(running, name)).status_code == 404


def test_a_file_is_made_by_who_has_just_shown_who_they_are(room, moderator):
    sent = {"kind": "answers", "version": "moderators", "reason": "Analysis"}

    response = client_of(moderator).post(at(room, "files_make"), sent)

    assert response.status_code == 302
    assert "reauthenticate" in response["Location"]
    assert not RoomExport.objects.exists()


# Summary


def test_the_summary_shows_what_each_prompt_came_to(room, desk):
    room.codes.create(name="dose")
    Quote.objects.create(
        room=room,
        answer=room.participants.first().answers.first(),
        text="Low dose",
        state="approved",
        paraphrase="Low.",
        decided_at=timezone.now(),
    )

    seat = room.participants.order_by("alias").first()

    page = desk.get(at(room, "outcome"))

    words = text_of(page)
    for said in (
        "Took part 6",
        "1. Day 1",
        "1.2 About single?",
        "A 6 100%",
        "B 0 0%",
        "Mean places of 3",
        "Mean 3.0 of 5, median 3",
        "“Low dose”",
        "the speaker said yes",
        "Nothing was coded.",
        f"{seat.alias} All",
        "For moderators alone",
    ):
        assert said.lower() in words.lower(), said
    assert page.content.decode().count('<svg class="bar"') == 3 + 3 + 5
    assert "style=" not in page.content.decode().split('id="content-main"')[1].split("<footer")[0]


def test_the_sponsors_version_leaves_out_what_is_of_a_few(room, desk):
    prompt = room.sections.get().prompts.get(kind=Prompt.Kind.SINGLE)
    options = list(prompt.options.values_list("pk", flat=True))
    for answer in prompt.answers.order_by("pk")[:2]:
        answer.chosen = options[1:2]
        answer.save()

    inside, outside = text_of(desk.get(at(room, "outcome"))), text_of(desk.get(at(room, "report")))

    assert "A 4 67%" in inside
    assert "B 2 33%" in inside
    assert "67%" not in outside
    assert "A not shown" in outside
    assert "For the sponsor" in outside
    assert room.participants.first().alias in inside
    assert room.participants.first().alias not in outside


@pytest.mark.parametrize("name", ["outcome", "report", "files"])
def test_its_pages_cost_the_same_at_any_size(name, desk, moderator, django_assert_max_num_queries):
    room = make_running_room(by=moderator, sections=6, prompts=5, closed_at=timezone.now())
    people = [make_participant(room) for _ in range(8)]
    for section in room.sections.all():
        for prompt in section.prompts.all():
            for seat in people:
                make_answer(seat, prompt)
    for _ in range(3):
        exporting.export(room=room, by=moderator, kind="answers", reason="Again.")
    desk.get(at(room, name))

    with django_assert_max_num_queries(24):
        assert desk.get(at(room, name)).status_code == 200


def test_a_sponsor_that_was_blinded_is_named_once_the_room_has_closed(running, desk):
    running.sponsor.is_blinded = True
    running.sponsor.save()
    assert "Aldgate Labs" not in text_of(desk.get(at(running, "outcome"))).split("Summary")[-1]

    running.closed_at = timezone.now()
    running.save()

    assert "Sponsor: Aldgate Labs , named to participants when the group closed" in text_of(
        desk.get(at(running, "outcome"))
    )


def test_participants_learn_at_the_end_who_paid(running):
    running.sponsor.is_blinded = True
    running.sponsor.save()
    client = client_of(running.participants.first().member.user)
    address = reverse("focusgroups:room", args=[running.pk])
    assert "Aldgate" not in text_of(client.get(address))

    running.closed_at = timezone.now()
    running.save()

    words = text_of(client.get(address))
    assert "It was paid for by Aldgate Labs , whose name was kept back until the end" in words


# Files


def make(desk, room, **sent):
    said = {"kind": "answers", "version": "moderators", "reason": "For the analysis.", **sent}
    return desk.post(at(room, "files_make"), said)


@pytest.mark.parametrize(
    ("kind", "suffix", "content_type"),
    [("transcript", "txt", "text/plain"), ("answers", "csv", "text/csv"), ("figures", "csv", "text/csv")],
)
def test_a_file_is_sent_and_stands_in_the_list_and_in_the_log(room, desk, kind, suffix, content_type):
    response = make(desk, room, kind=kind)

    assert response.status_code == 200
    assert response["Content-Type"] == f"{content_type}; charset=utf-8"
    assert (
        response["Content-Disposition"]
        == f'attachment; filename="group-{room.pk}-{kind}-moderators.{suffix}"'
    )
    assert "no-store" in response["Cache-Control"]
    made = RoomExport.objects.get()
    assert made.mark in response.content.decode()
    listed = text_of(desk.get(at(room, "files")))
    for said in (made.mark, exporting.copy_mark(made), "For the analysis.", "For moderators"):
        assert said in listed
    log = text_of(desk.get(at(room, "log")))
    assert "Made a file" in log
    assert made.mark in log


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"reason": "  "}, "Say what the file is for."),
        ({"reason": "x" * 301}, "At most 300 characters; this has 301."),
        ({"kind": "everything"}, "Choose one of them."),
        ({"kind": ""}, "Choose one of them."),
        ({"version": "everybody"}, "Choose one of them."),
        ({"kind": "figures", "version": "sponsor"}, "are for moderators alone"),
        ({"kind": "quotes"}, "There is nothing in it."),
    ],
)
def test_what_cannot_be_taken_comes_back_with_what_was_typed(room, desk, sent, words):
    response = make(desk, room, **{"reason": "What I typed.", **sent})

    assert response.status_code == 422
    assert words in text_of(response)
    if "reason" not in sent:
        assert "What I typed." in response.content.decode()
    assert not RoomExport.objects.exists()


def test_where_the_sponsor_was_to_read_no_words_that_is_said_beside_the_version(room, desk):
    room.watching = Room.Watching.FIGURES
    room.save()

    response = make(desk, room, version="sponsor")

    assert response.status_code == 422
    assert response.context["form"].errors.as_data().keys() == {"version"}


def test_a_copy_is_found_among_the_rooms_one_runs(room, desk, moderator):
    strange = filled(make_moderator(), closed_at=timezone.now())
    owner = strange.moderators.get().user
    own = exporting.export(room=room, by=moderator, kind="answers", reason="Mine.").export
    others = exporting.export(room=strange, by=owner, kind="answers", reason="Theirs.").export

    def look(text):
        return text_of(desk.post(at(room, "files_trace"), {"text": text}))

    assert room.title in look(own.mark).split("Look it up")[1]
    assert own.reason in look(f"copy {exporting.copy_mark(own)}")
    assert "No file of your groups" in look(others.mark)
    assert "Theirs." not in look(others.mark)
    assert desk.post(at(room, "files_trace"), {"text": " "}).status_code == 422


def test_files_come_page_by_page(room, desk, moderator, monkeypatch):
    monkeypatch.setattr("focusgroups.desk.outcome.SIZE", 2)
    made = [exporting.export(room=room, by=moderator, kind="answers", reason="r").export for _ in range(3)]

    first = desk.get(at(room, "files"))
    second = desk.get(at(room, "files") + first.context["more"])

    assert [row["export"] for row in first.context["rows"]] == [made[2], made[1]]
    assert [row["export"] for row in second.context["rows"]] == [made[0]]
