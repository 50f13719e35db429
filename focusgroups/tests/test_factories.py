"""The makers make what the database takes."""

import pytest

from focusgroups.models import Message, Prompt, Room
from focusgroups.tests.factories import (
    make_answer,
    make_candidate,
    make_completion,
    make_live_hour,
    make_message,
    make_moderator,
    make_participant,
    make_prompt,
    make_recruiting_room,
    make_room,
    make_running_room,
    make_screener,
)

pytestmark = pytest.mark.django_db


def test_rooms_are_in_the_state_their_maker_says():
    states = [make_room().state, make_recruiting_room().state, make_running_room().state]

    assert states == [Room.State.DRAFT, Room.State.RECRUITING, Room.State.RUNNING]


def test_so_many_sections_are_released_as_are_asked_for():
    room = make_running_room(sections=4, released=2)

    assert [section.is_released for section in room.sections.all()] == [True, True, False, False]
    assert all(section.due_at <= room.ends_at for section in room.sections.all())


def test_everything_of_a_room_can_be_made():
    room = make_running_room()
    make_screener(room, ["Yes", "-No"], ["One", "Two"])
    participant, other = make_participant(room), make_participant(room)
    section = room.sections.first()
    answers = [make_answer(participant, make_prompt(section, kind)) for kind in Prompt.Kind.values]
    make_message(room, participant=other, answer=answers[0])
    make_message(room, participant=other, kind=Message.Kind.NOTE)
    make_message(room, moderator=make_moderator(), kind=Message.Kind.PROBE, to=participant)
    make_message(room, participant=other, kind=Message.Kind.LIVE, live_hour=make_live_hour(room))
    make_completion(participant, section)
    waiting = make_candidate(room, state="waiting")

    assert waiting.cell == participant.cell
    assert participant.alias != other.alias
    assert room.messages.count() == 4
