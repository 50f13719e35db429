"""The outcome of a room in a browser: axe on each of its pages, and a file that is made by hand."""

import pytest
from django.apps import apps
from django.utils import timezone

from focusgroups.desk import base
from focusgroups.desk.permissions import allow_moderators
from focusgroups.models import CodeMark, Prompt, Quote, Room, RoomExport
from focusgroups.services import exporting
from focusgroups.tests.factories import (
    make_answer,
    make_cell,
    make_moderator,
    make_participant,
    make_prompt,
    make_running_room,
)
from focusgroups.tests.test_browser_desk_setup import enter, faults_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OPTIONS = ["Weight-based bolus, then the nomogram of the house", "No bolus", "A low fixed dose", "It depends"]


@pytest.fixture
def moderator(db):
    allow_moderators(apps.get_app_config("focusgroups"), using="default")
    return make_moderator()


@pytest.fixture
def room(moderator):
    """One of fourteen participants in three cells that has closed, with codes, quotes and a file."""
    room = make_running_room(
        by=moderator,
        sections=2,
        prompts=0,
        title="How clinics start heparin after a stroke",
        watching=Room.Watching.WORDS,
    )
    cells = [room.cells.first(), make_cell(room, "Cardiology, early career"), make_cell(room, "Chiefs")]
    first, second = room.sections.all()
    prompts = [
        make_prompt(first, text="Which first dose do you reach for, and what makes you change it?"),
        make_prompt(first, Prompt.Kind.SINGLE, options=OPTIONS, text="Which dose do you start with?"),
        make_prompt(first, Prompt.Kind.MULTIPLE, options=OPTIONS, text="Which have you ever used?"),
        make_prompt(second, Prompt.Kind.RANKED, options=OPTIONS, text="Rank them by how safe they are."),
        make_prompt(
            second, Prompt.Kind.SCALE, text="How sure are you?", low_label="guessing", high_label="certain"
        ),
    ]
    code = room.codes.create(name="dose by weight")
    for number in range(14):
        seat = make_participant(room, cells[0 if number < 7 else 1 if number < 12 else 2])
        for prompt in prompts:
            options = list(prompt.options.values_list("pk", flat=True))
            turned = options[number % 3 :] + options[: number % 3]
            more = {"points": number % 5 + 1} if prompt.kind == "scale" else {}
            some = turned[: {"single": 1, "multiple": 2}.get(prompt.kind, 4)]
            answer = make_answer(seat, prompt, "Low dose first.", chosen=some, **more)
            if prompt == prompts[0]:
                CodeMark.objects.create(code=code, answer=answer)
    for answer, state in zip(prompts[0].answers.all(), ["approved", "refused"], strict=False):
        Quote.objects.create(
            room=room,
            answer=answer,
            state=state,
            text="Low dose first" if state == "approved" else "",
            paraphrase="Start low and look at the platelets.",
            decided_at=timezone.now(),
        )
    room.closed_at = timezone.now()
    room.save()
    exporting.export(room=room, by=moderator, kind="transcript", reason="For the analysis.")
    return room


def test_the_pages_of_an_outcome_have_no_faults(browser_page, live_server, moderator, room):
    page, site = browser_page(), live_server.url
    enter(page, site, moderator)
    pages = ("outcome", "report", "files", "files_make", "files_trace")

    assert faults_of(page, site, [base.address(room, name) for name in pages]) == []


def test_a_moderator_makes_a_file(browser_page, live_server, moderator, room):
    page, site = browser_page(), live_server.url
    enter(page, site, moderator)
    page.goto(site + base.address(room, "outcome"))
    page.get_by_role("link", name="Files").click()
    page.get_by_role("link", name="Make a file").click()
    page.get_by_role("button", name="Make the file").click()
    page.get_by_text("Say what the file is for.").first.wait_for()
    page.get_by_label("What it is for").fill("Handed over at the final meeting")
    page.get_by_role("radio", name="Answers A row for each").check()
    page.get_by_role("radio", name="For the sponsor").check()

    with page.expect_download() as download:
        page.get_by_role("button", name="Make the file").click()

    assert download.value.suggested_filename == f"group-{room.pk}-answers-sponsor.csv"
    made = RoomExport.objects.first()
    assert (made.reason, made.rows) == ("Handed over at the final meeting", 70)
    assert exporting.for_sponsors([room.pk]) == {made.mark}
    page.get_by_role("link", name="Back", exact=True).click()
    page.get_by_text(made.mark).wait_for()
