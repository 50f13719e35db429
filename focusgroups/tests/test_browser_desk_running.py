"""The desk of a running room in a browser: deeds in place, hints while typing, a live hour; and axe on every page."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from conftest import client_of
from focusgroups.desk import base
from focusgroups.desk.permissions import allow_moderators
from focusgroups.models import CodeMark, Message, Participant, Quote
from focusgroups.services import coding, messaging, quoting
from focusgroups.tests.factories import (
    make_answer,
    make_cell,
    make_completion,
    make_live_hour,
    make_message,
    make_moderator,
    make_participant,
    make_prompt,
    make_running_room,
)
from focusgroups.tests.test_browser_desk_setup import enter, faults_of
from sermo.tests.test_accessibility import faults_by_look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOUR = timedelta(hours=1)
TEXTS = (
    "Low dose first, then **what** the platelets say.\n\n- a scan\n- a second look",
    "I would wait a day and ask the family what they think of it, since the bleeding risk is theirs to weigh, too.",
    "Never before the scan.",
)


@pytest.fixture
def moderator(db):
    allow_moderators(apps.get_app_config("focusgroups"), using="default")
    return make_moderator()


@pytest.fixture
def room(moderator):
    """Five participants, some late, one gone; answers, a probe that leads, notes, codes, quotes, a live hour."""
    now = timezone.now()
    room = make_running_room(
        by=moderator, sections=4, prompts=3, released=3, title="How clinics start heparin after a stroke"
    )
    room.sections.filter(place=0).update(due_at=now - HOUR)
    late = make_cell(room, "Neurology, early career", seats=4)
    prompts = [*room.sections.first().prompts.all(), make_prompt(room.sections.first(), "single")]
    people = [
        make_participant(room, late if number % 2 else None, seen_at=now - number * 9 * HOUR)
        for number in range(5)
    ]
    for number, person in enumerate(people[:4]):
        for prompt in prompts[: 4 - number]:
            at = now - (number + 1) * HOUR
            make_answer(person, prompt, TEXTS[number % 3] * (number + 1), posted_at=at)
    make_completion(people[0], room.sections.first())
    Participant.objects.filter(pk=people[4].pk).update(left_at=now, left_as="dropped")
    first, second = people[0].answers.order_by("pk")[:2]
    make_message(room, moderator=moderator, kind="probe", to=people[1], source="Surely you would wait a day?")
    make_message(room, participant=people[1], answer=first, prompt=first.prompt, source="Why not at once?")
    make_message(room, participant=people[2], kind="note", source="I am away until Thursday.")
    for code in ("safety", "first dose"):
        coding.tag(said=first, by=moderator, code=code)
    quoting.propose(said=first, by=moderator, text="what the platelets say", paraphrase="Counts decide.")
    other = quoting.propose(said=second, by=moderator, text="Low dose first", paraphrase="Starts small.")
    quoting.approve(quote=other, participant=people[0])
    messaging.hide(said=people[3].answers.first(), by=moderator, reason="It names a clinic.")
    hour = make_live_hour(room, title="Questions at noon")
    make_message(room, participant=people[1], kind="live", live_hour=hour, source="Good day.")
    make_message(room, moderator=moderator, kind="live", live_hour=hour, source="Welcome.")
    return room


def test_the_pages_of_a_running_room_have_no_faults(browser_page, live_server, moderator, room):
    page, person = browser_page(), room.participants.order_by("pk").first()
    enter(page, live_server.url, moderator)
    answer = person.answers.first()
    addresses = [
        *(base.address(room, name) for name in ("board", "fairness", "stream", "ask", "live", "quotes")),
        f"{base.address(room, 'board')}?section=0",
        base.address(room, "participant", person.pk),
        base.address(room, "participant_remove", person.pk),
        base.address(room, "said", "answer", answer.pk),
        base.address(room, "live_hour", room.live_hours.get().pk),
        f"{base.address(room, 'stream')}?participant={person.pk}&state=hidden",
    ]

    assert faults_of(page, live_server.url, addresses) == []


def test_the_page_of_quotes_has_no_faults(browser_page, live_server, room):
    page, person = browser_page(), room.participants.order_by("pk").first()
    session = client_of(person.member.user).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
    )
    page.goto(live_server.url + reverse("focusgroups:quotes", args=[room.pk]))
    assert faults_by_look(page) == []

    page.get_by_label("Yes, quote these words").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()

    assert Quote.objects.filter(state="approved").count() == 2


def test_an_answer_is_tagged_quoted_and_asked_about_in_the_stream(browser_page, live_server, moderator, room):
    page = browser_page()
    enter(page, live_server.url, moderator)
    answer = room.participants.order_by("pk")[1].answers.first()
    address = live_server.url + base.address(room, "stream")
    page.goto(address)
    row = page.locator(f"#answer-{answer.pk}")
    row.get_by_role("link", name="Reply, tag, quote, hide").click()
    row.get_by_label("Code").fill("Waiting")
    row.get_by_role("button", name="Tag", exact=True).click()
    row.get_by_text("Tagged.").wait_for()
    assert CodeMark.objects.filter(answer=answer, code__name="Waiting").exists()

    row.get_by_text("Propose as a quote").click()
    row.get_by_label("Their words").fill("I would wait a day")
    row.get_by_label("In your words").fill("Prefers patience.")
    row.get_by_role("button", name="Propose").click()
    row.get_by_text("Proposed. Whoever said it").wait_for()
    assert Quote.objects.filter(answer=answer).exists()

    row.get_by_text("Ask about it").click()
    row.get_by_label("Your question").press_sequentially("Surely not at once?")
    row.get_by_text("May lead the answer.").wait_for()
    row.get_by_role("button", name="Ask", exact=True).click()
    row.get_by_text("Asked.").wait_for()
    assert Message.objects.filter(answer=answer, kind="probe", to=answer.participant).exists()
    assert page.url == address


def test_new_lines_of_a_live_hour_come_by_themselves(browser_page, live_server, moderator, room):
    page, hour = browser_page(), room.live_hours.get()
    enter(page, live_server.url, moderator)
    page.goto(live_server.url + base.address(room, "live_hour", hour.pk))
    line = make_message(
        room,
        participant=room.participants.order_by("pk")[2],
        kind="live",
        live_hour=hour,
        source="I am here, too.",
    )

    page.get_by_text("I am here, too.").wait_for(timeout=15_000)

    messaging.hide(said=line, by=moderator, reason="Names a clinic.")

    page.locator(f"#message-{line.pk}").get_by_text("Hidden: Names a clinic.").wait_for(timeout=15_000)
