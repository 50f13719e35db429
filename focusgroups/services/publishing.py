"""Publishing a room, moving its end, and ending it: when its time is up, early, or before it was ever held."""

from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from focusgroups import readiness
from focusgroups.models import Candidate, Completion, Room, Section
from focusgroups.models.rooms import MOST_DAYS
from focusgroups.readiness import Missing, missing
from focusgroups.services import earning, holding, telling
from focusgroups.services.holding import NotPublished, Over, Unfit, hold, note
from focusgroups.signals import room_canceled, room_closed
from sermo.errors import RuleBroken

log = structlog.get_logger(__name__)


class NotReady(RuleBroken):
    """`missing` lists what there is to do."""

    message = "Something is missing before this focus group can be published."

    def __init__(self, missing: list[Missing]):
        super().__init__()
        self.missing = missing


class NotDue(RuleBroken):
    message = "This focus group still runs."


class SectionEarned(RuleBroken):
    message = "A participant has completed a section. Close the focus group instead, so that they are paid."


# Publishing


@transaction.atomic
def publish(*, room: Room, by: User) -> Room:
    """Fix the terms of a room, so that members can be asked. Twice is as good as once.

    Raises NotYours, Over, NotReady.
    """
    room = hold(room, by)
    if room.published_at:
        return room
    if faults := missing(room):
        raise NotReady(faults)
    room.published_at = timezone.now()
    room.save(update_fields=["published_at"])
    note("publish", room, by)
    return room


@transaction.atomic
def extend(*, room: Room, by: User, ends_at: datetime) -> Room:
    """Let a published room end later; sections without a time of their own are due then. Raises NotYours, Over,
    NotPublished, Unfit.
    """
    room = hold(room, by)
    if room.published_at is None:
        raise NotPublished
    if ends_at == room.ends_at:
        return room
    if ends_at < room.ends_at:
        raise Unfit("ends_at", "Members were told a later end. To end it now, close it.")
    if readiness.lasts_too_long(room, ends_at):
        raise Unfit("ends_at", f"A focus group lasts at most {MOST_DAYS} days.")
    if room.pay_on and room.in_its_zone(ends_at).date() >= room.pay_on:
        raise Unfit(
            "ends_at", f"Honoraria are promised for {room.pay_on:%B %-d, %Y}: it ends before that day."
        )
    room.ends_at = ends_at
    room.save(update_fields=["ends_at"])
    note("extend", room, by)
    telling.of_dates(room)
    return room


# Ending it


@transaction.atomic
def close(*, room: Room, by: User | None = None) -> Room:
    """End a room: without a moderator only once its time is up. Twice is as good as once.

    Completions are final, who waits is asked no more. Announces section_completed for each, and room_closed. Raises
    NotYours, NotPublished, NotDue, Over for one that was called off.
    """
    room = hold(room, by, even_over=True) if by else _lock(room.pk)
    if room.canceled_at:
        raise Over
    if room.published_at is None:
        raise NotPublished
    if room.closed_at:
        return room
    if by is None and timezone.now() < room.ends_at:
        raise NotDue
    _close(room)
    if by:
        note("close", room, by)
    return room


@transaction.atomic
def cancel(*, room: Room, by: User, reason: str) -> Room:
    """Call off a room that is a draft, or in which nobody has completed a section; whoever was asked is told.

    Twice is as good as once. Announces room_canceled. Raises NotYours, Over, SectionEarned, Unfit.
    """
    room = hold(room, by, even_over=True)
    if room.canceled_at:
        return room
    if room.is_over:
        raise Over
    if Completion.objects.filter(section__room=room).exists():
        raise SectionEarned
    room.canceled_why = holding.text("reason", reason, 300, "Say why. Whoever was asked reads it.")
    room.canceled_at = timezone.now()
    room.closed_at = room.canceled_at if room.published_at else None
    room.save(update_fields=["canceled_at", "canceled_why", "closed_at"])
    _lapse(room)
    note("cancel", room, by)
    room_canceled.send(sender=Room, room=room)
    if room.published_at:
        telling.of_end(room)
    return room


def _close(room: Room) -> None:
    """End a locked room, as of the end it had if that is past."""
    now = timezone.now()
    room.closed_at = min(now, room.ends_at)
    room.save(update_fields=["closed_at"])
    room.sections.filter(closed_at=None).update(closed_at=now)
    _lapse(room)
    earning.make_final(Completion.objects.filter(section__room=room))
    room_closed.send(sender=Room, room=room)
    telling.of_end(room)


def _lapse(room: Room) -> None:
    room.candidates.standing().update(state=Candidate.State.LAPSED, decided_at=timezone.now())


def _lock(room_id: int) -> Room:
    return Room.objects.select_for_update().get(pk=room_id)


# What a clock does


def close_due(say: Callable[[str], object] = lambda line: None) -> int:
    """Close the sections whose answers are due and the rooms whose time is up, each room in a transaction of its own;
    return how many sections and rooms were closed. `say` hears of progress.
    """
    due = list(_due().order_by("ends_at", "pk").values_list("pk", flat=True))
    closed = sum(_close_alone(room_id) for room_id in due)
    say(f"{closed} sections and groups closed in {len(due)} groups")
    return closed


def _due() -> QuerySet[Room]:
    now = timezone.now()
    sections = Section.objects.filter(closed_at=None, due_at__lte=now)
    running = Room.objects.filter(published_at__isnull=False, closed_at=None)
    return running.filter(Q(ends_at__lte=now) | Q(pk__in=sections.values("room")))


def _close_alone(room_id: int) -> int:
    """A fault at one room keeps no other from its end."""
    try:
        return close_if_due(room_id=room_id)
    except Exception as error:
        log.error("room_not_closed", room=room_id, error=type(error).__name__)
        return 0


@transaction.atomic
def close_if_due(*, room_id: int) -> int:
    """Close what is due of one room, as `close_due`."""
    room, now = _lock(room_id), timezone.now()
    if room.closed_at or room.published_at is None:
        return 0
    due = room.sections.filter(closed_at=None)
    if now >= room.ends_at:
        closed = due.count() + 1
        _close(room)
        return closed
    numbers = list(due.filter(due_at__lte=now).values_list("pk", flat=True))
    Section.objects.filter(pk__in=numbers).update(closed_at=now)
    earning.make_final(Completion.objects.filter(section__in=numbers))
    return len(numbers)
