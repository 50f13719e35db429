"""Who of a firm watches a focus group, and what passes from the back room to its moderators."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from focusgroups.models import Prompt, Room
from focusgroups.services import holding
from observers import groups
from observers.models import BackRoomNote, Contract, RoomRead, RoomWatch, Seat
from sermo.errors import RuleBroken

MOST_A_DAY = 50  # notes of one seat in one focus group


class NotOfSponsor(RuleBroken):
    message = "Only people of the firm that pays for this group can watch it."


class NoSeat(RuleBroken):
    message = "This seat has ended, or its firm is not under contract."


class NotWatching(RuleBroken):
    message = "This focus group is not open to your seat any more."


class IsOver(RuleBroken):
    message = "This focus group is over."


class NotAsked(RuleBroken):
    message = "This question is not open yet."


class TooMany(RuleBroken):
    message = f"You sent {MOST_A_DAY} notes in the last 24 hours. Send more tomorrow."


class NoteUsed(RuleBroken):
    message = "This form was sent before with other words. Open it anew."


# Who watches


@transaction.atomic
def let_watch(*, room: Room, seat: Seat, by: User) -> RoomWatch:
    """Let a seat of the firm that pays for a room watch it. Twice is as good as once.

    Raises holding.NotYours, NotOfSponsor, NoSeat.
    """
    room = holding.hold(room, by, even_over=True)
    if seat not in seats_of_sponsor(room):
        if seat.firm_id != sponsor_of(room):
            raise NotOfSponsor
        raise NoSeat
    watch, is_new = RoomWatch.objects.get_or_create(room=room, seat=seat, defaults={"by": by})
    if is_new:
        holding.note("watcher", room, by)
    return watch


@transaction.atomic
def stop_watching(*, room: Room, seat: Seat, by: User) -> None:
    """Let a seat watch a room no longer, from its next request on. Twice is as good as once.

    Raises holding.NotYours.
    """
    room = holding.hold(room, by, even_over=True)
    gone, _ = RoomWatch.objects.filter(room=room, seat=seat).delete()
    if gone:
        holding.note("watcher_out", room, by)


def sponsor_of(room: Room) -> int | None:
    """The firm that pays for a room."""
    rows = Room.objects.filter(pk=room.pk, sponsor__sponsorship__isnull=False)
    return rows.values_list("sponsor__sponsorship__firm", flat=True).first()


def seats_of_sponsor(room: Room):
    """The seats that may be let into a room: of its firm, while that is under contract."""
    firms = Contract.objects.current().filter(firm=sponsor_of(room)).values("firm")
    return Seat.objects.active().filter(firm__in=firms).order_by("number")


def watches_of(room: Room):
    """Which of the sponsor's seats were let in, also those that have ended; not those of a firm that was to pay before
    it."""
    return RoomWatch.objects.filter(room=room, seat__firm=sponsor_of(room))


# What they do


@transaction.atomic
def pass_note(*, seat: Seat, room: Room, text: str, key: UUID, prompt: Prompt | None = None) -> BackRoomNote:
    """Pass a note to the moderators of a room, about one of its open prompts or about anything.

    The same key is the same note. Raises NotWatching, IsOver, NotAsked, TooMany, NoteUsed.
    """
    Seat.objects.select_for_update(no_key=True).get(pk=seat.pk)  # its notes, one by one
    if known := BackRoomNote.objects.filter(key=key).first():
        if (known.seat_id, known.room_id, known.text, known.prompt_id) != (
            *(seat.pk, room.pk, text, prompt.pk if prompt else None),
        ):
            raise NoteUsed
        return known
    room = groups.watched_by(seat).filter(pk=room.pk).first()
    if room is None:
        raise NotWatching
    if room.is_over:
        raise IsOver
    if prompt and (prompt.section.room_id != room.pk or not prompt.section.is_released):
        raise NotAsked
    since = timezone.now() - timedelta(days=1)
    if BackRoomNote.objects.filter(room=room, seat=seat, at__gt=since).count() >= MOST_A_DAY:
        raise TooMany
    return BackRoomNote.objects.create(room=room, seat=seat, prompt=prompt, text=text, key=key)


def note_read(*, seat: Seat, room: Room, purpose: str, at: datetime | None = None) -> None:
    """Log that a room comes before a seat: once a day (UTC) and purpose. Call it before anything is sent."""
    day = (at or timezone.now()).astimezone(UTC).date()
    RoomRead.objects.bulk_create(
        [RoomRead(room=room, seat=seat, day=day, purpose=purpose)], ignore_conflicts=True
    )
