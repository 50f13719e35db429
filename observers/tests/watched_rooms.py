"""A focus group that a seat watches, with something on each of its pages."""

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from focusgroups.models import Room
from focusgroups.tests.factories import (
    make_answer,
    make_live_hour,
    make_message,
    make_participant,
    make_prompt,
    make_room,
    make_section,
)
from observers.keys import room_key
from observers.models import BackRoomNote, RoomWatch
from rewards.services import rooms

DAY = timedelta(days=1)


def make_watched_room(seat, *, members=(), title="What keeps you from a first dose", **fields) -> Room:
    """A room that runs, paid for by the firm of a seat that was let in; its members answer in words, with their handle
    in them, and by a choice."""
    now = timezone.now()
    same = {"seats": 12, "watching": "words", "starts_at": now - 2 * DAY, "ends_at": now + 8 * DAY}
    room = make_room(title=title, **{**same, **fields})
    section = make_section(room, title="First day", opens_at=now - DAY, honorarium=1_000)
    words, choice = make_prompt(section), make_prompt(section, "single")
    rooms.agree(room=room, firm=seat.firm, key=uuid4())
    Room.objects.filter(pk=room.pk).update(published_at=now - 3 * DAY)
    RoomWatch.objects.create(room=room, seat=seat)
    hour = make_live_hour(room)
    for member in members:
        participant = make_participant(room, member=member)
        answer = make_answer(participant, words, f"I am {member.handle}, and I wait.")
        make_answer(participant, choice, "")
        make_message(room, participant=participant, answer=answer, source=f"As {member.handle} said.")
        make_message(
            room, participant=participant, kind="live", live_hour=hour, source=f"{member.handle} here"
        )
    BackRoomNote.objects.create(room=room, seat=seat, prompt=words, text="Ask for the price.", key=uuid4())
    return Room.objects.get(pk=room.pk)


def arguments_of_room(seat, room) -> dict[str, dict]:
    """What the addresses of a watched room are about, by the name of the route."""
    key = {"key": room_key(seat.firm, room.pk)}
    return {
        **dict.fromkeys(["group", "group_talk", "group_note"], key),
        "group_prompt": {**key, "place": 1, "number": 1},
    }
