"""One who watches the demonstration's focus group that runs, and what they passed to its moderators."""

from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction
from django.utils import timezone

from focusgroups.models import Room
from observers.demo.seats import OBSERVER
from observers.models import BackRoomNote, RoomWatch, Seat
from observers.services import back_room
from rewards.demo import at

NOTE = "Could somebody ask how long a level takes to come back where they work?"
SINCE, READ, NOTED = timedelta(days=3), (timedelta(days=2), timedelta(days=1)), timedelta(hours=20)


@transaction.atomic
def seed() -> None:
    """Write all of it once; a second run changes nothing."""
    seat = Seat.objects.filter(user__email=OBSERVER).first()
    if seat is None or RoomWatch.objects.exists():
        return
    now = timezone.now()
    for room in _of_firm(seat):
        watch = back_room.let_watch(room=room, seat=seat, by=room.moderators.get(is_owner=True).user)
        RoomWatch.objects.filter(pk=watch.pk).update(since=now - SINCE)
        for ago in READ:
            back_room.note_read(seat=seat, room=room, purpose=seat.purpose, at=now - ago)
        with at(now - NOTED):
            prompt = room.sections.released().order_by("place").last().prompts.order_by("place").first()
            note = back_room.pass_note(
                seat=seat, room=room, prompt=prompt, text=NOTE, key=uuid5(NAMESPACE_URL, NOTE)
            )
        BackRoomNote.objects.filter(pk=note.pk).update(at=now - NOTED)


def _of_firm(seat: Seat) -> list[Room]:
    """Those that run and are watched with words."""
    now = timezone.now()
    return list(
        Room.objects.filter(
            sponsor__sponsorship__firm=seat.firm,
            watching=Room.Watching.WORDS,
            published_at__isnull=False,
            closed_at=None,
            starts_at__lt=now,
        )
    )
