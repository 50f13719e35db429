"""The answer stream: its order, its filters, its pages, and what each item says."""

from datetime import timedelta

import pytest
from django.utils import timezone

from focusgroups import stream
from focusgroups.models import Quote
from focusgroups.services import coding
from focusgroups.stream import Filter
from focusgroups.tests.factories import (
    make_answer,
    make_cell,
    make_live_hour,
    make_message,
    make_moderator,
    make_participant,
    make_prompt,
    make_running_room,
)

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def boss():
    return make_moderator()


@pytest.fixture
def room(boss):
    return make_running_room(by=boss, sections=2)


@pytest.fixture
def me(room):
    return make_participant(room, alias="Amber cove")


@pytest.fixture
def other(room):
    return make_participant(room, make_cell(room, "Late"), alias="Brisk dune")


@pytest.fixture
def prompts(room):
    return [section.prompts.first() for section in room.sections.all()]


def found(room, **wanted):
    return [item.said for item in stream.stream(room, Filter(**wanted))]


def test_the_newest_stands_first_whatever_it_is(room, me, other, prompts, boss):
    now = timezone.now()
    answer = make_answer(me, prompts[0], posted_at=now - 5 * MINUTE)
    reply = make_message(
        room, participant=other, answer=answer, prompt=prompts[0], posted_at=now - 3 * MINUTE
    )
    note = make_message(room, participant=me, kind="note", posted_at=now - 4 * MINUTE)
    probe = make_message(room, moderator=boss, kind="probe", posted_at=now)
    make_answer(make_participant(outside := make_running_room()), outside.sections.first().prompts.first())

    assert found(room) == [probe, reply, note, answer]


def test_pages_leave_nothing_out_and_show_nothing_twice(room, me, other, prompts):
    moment = timezone.now() - MINUTE
    answers = [make_answer(person, prompt, posted_at=moment) for person in (me, other) for prompt in prompts]
    messages = [make_message(room, participant=me, answer=answers[0], posted_at=moment) for _ in range(5)]
    seen, after = [], None
    for _ in range(9):
        page = stream.stream(room, Filter(), after=after, size=2)
        seen += [item.said for item in page]
        if not (after := page.next):
            break

    assert len(seen) == len(answers) + len(messages)
    assert set(seen) == {*answers, *messages}


@pytest.mark.parametrize("cursor", ["nonsense", "WzEsMiwzXQ", "WyJhIiwiYiIsImMiXQ"])
def test_a_cursor_from_elsewhere_is_the_first_page(room, me, prompts, cursor):
    answer = make_answer(me, prompts[0])

    page = stream.stream(room, Filter(), after=cursor)

    assert [item.said for item in page] == [answer]


def test_filters_narrow_it(room, me, other, prompts, boss):
    first, second = make_answer(me, prompts[0]), make_answer(other, prompts[1])
    reply = make_message(room, participant=other, answer=first, prompt=prompts[0])
    note = make_message(room, participant=other, kind="note")
    mark = coding.tag(said=reply, by=boss, code="safety")

    assert found(room, section=prompts[1].section_id) == [second]
    assert found(room, prompt=prompts[0].pk) == [reply, first]
    assert found(room, participant=me.pk) == [first]
    assert found(room, cell=other.cell_id) == [note, reply, second]
    assert found(room, code=mark.code_id) == [reply]
    assert found(room, code=mark.code_id, participant=me.pk) == []


def test_what_is_private_or_hidden_is_found(room, me, other, prompts, boss):
    section = prompts[0].section
    by_choice = make_answer(me, prompts[0], is_private=True)
    by_prompt = make_answer(other, make_prompt(section, is_private=True), is_private=False)
    under = make_message(room, moderator=boss, answer=by_prompt, is_private=False)
    note = make_message(room, participant=me, kind="note")
    hidden = make_answer(other, prompts[0], hidden_at=timezone.now(), hidden_why="A name.")

    assert set(found(room, state="private")) == {by_choice, by_prompt, under, note}
    assert found(room, state="hidden") == [hidden]


def test_what_no_moderator_has_replied_to_is_found(room, me, other, prompts, boss):
    replied, alone = make_answer(me, prompts[0]), make_answer(other, prompts[0])
    make_message(room, moderator=boss, answer=replied, prompt=prompts[0])
    note, open_note = (make_message(room, participant=me, kind="note") for _ in range(2))
    make_message(room, moderator=boss, parent=note, is_private=True, to=me)
    again = make_message(room, participant=me, parent=note, is_private=True)
    make_message(room, participant=other, hidden_at=timezone.now(), hidden_why="A name.")
    make_message(room, participant=other, kind="live", live_hour=make_live_hour(room))

    assert set(found(room, state="unanswered")) == {alone, open_note, again}
    assert found(room, state="notes") == [open_note]


def test_questions_that_may_lead_are_found(room, boss, me):
    leads = make_message(room, moderator=boss, kind="probe", source="Surely you wait?")
    make_message(room, moderator=boss, kind="probe", source="How do you decide?")
    make_message(room, participant=me, kind="note", source="Surely not.")

    assert found(room, state="leading") == [leads]


def test_an_item_says_what_it_is(room, me, prompts, boss):
    section = prompts[0].section
    ranked = make_answer(me, make_prompt(section, "ranked"), "")
    scale = make_answer(me, make_prompt(section, "scale"), "")
    coding.tag(said=ranked, by=boss, code="safety")
    Quote.objects.create(room=room, answer=ranked, text="Low", paraphrase="Little.")
    said = {
        "answered": ranked,
        "asked Amber cove alone": make_message(room, moderator=boss, kind="probe", to=me),
        "asked everyone": make_message(room, moderator=boss, kind="probe"),
        "wrote to the moderators": make_message(room, participant=me, kind="note"),
        "in “Live hour”": make_message(room, participant=me, kind="live", live_hour=make_live_hour(room)),
        "replied": make_message(room, participant=me, answer=scale, source="More."),
    }
    items = {item.said: item for item in stream.stream(room, Filter())}

    assert {does: items[row].does for does, row in said.items()} == {does: does for does in said}
    assert items[ranked].choices == ["A", "B", "C"]
    assert [tag.name for tag in items[ranked].tags] == ["safety"]
    assert len(items[ranked].quotes) == 1
    assert items[scale].points == "3 of 5"
    assert items[said["replied"]].under[0] == "Amber cove"
    assert (items[said["asked everyone"]].who, items[said["asked everyone"]].cell) == ("Moderator", "")


def test_a_thread_is_what_stands_around(room, me, other, prompts, boss):
    answer = make_answer(me, prompts[0])
    first = make_message(room, participant=other, answer=answer)
    second = make_message(room, moderator=boss, answer=answer)
    note = make_message(room, participant=me, kind="note")
    reply = make_message(room, moderator=boss, parent=note, is_private=True, to=me)

    assert [item.said for item in stream.thread_of(answer, room)] == [first, second]
    assert [item.said for item in stream.thread_of(first, room)] == [second]
    assert [item.said for item in stream.thread_of(note, room)] == [reply]
    assert [item.said for item in stream.thread_of(reply, room)] == [note]


@pytest.mark.parametrize("number", [1, 9])
def test_a_page_costs_the_same_at_any_length(room, me, other, boss, number, django_assert_num_queries):
    section = room.sections.first()
    for _ in range(number):
        answer = make_answer(me, make_prompt(section, "single"))
        make_message(room, participant=other, answer=answer, prompt=answer.prompt)
        make_message(room, moderator=boss, kind="probe", to=me)
        make_message(room, participant=me, kind="note")
    with django_assert_num_queries(5):
        for item in stream.stream(room, Filter(), size=50):
            assert item.does
            assert item.who
            assert item.is_private is not None
            assert (item.under is None) == (item.kind == "answer" or item.said.answer_id is None)
