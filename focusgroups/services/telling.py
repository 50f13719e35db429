"""Who is told of what becomes of a focus group. A notice names its room by number, and none says what one is about.

What all of a room are told is a fan-out, which waits for no member while somebody holds the room. A fan-out is one for
each kind and target, so a target is ten times the number of what it tells of, and one digit for what that is.
"""

from datetime import date, timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.models import FanOut, Kind, Notice
from accounts.services import notices
from focusgroups.models import Agreement, Candidate, Participant, Room, Section
from focusgroups.services.locking import free_members

# What is told, as keys of notices say it.
INVITED, SEAT, OPENED, SECTION, REMINDER = "invited", "seat", "opened", "section", "remind"
CLOSED, CANCELED, AGREEMENT, QUOTE, PROBE = "closed", "canceled", "agreement", "quote", "probe"
REMOVED, DROPPED, CHANGED = "removed", "dropped", "changed"
OF_ROOM, OF_SECTION, OF_AGREEMENT, OF_DATES = range(4)
DAYS = 1_000_000  # more than there are numbers of days, so that a room and a day make one number
STALE = timedelta(days=1)  # after which nobody is told any more that a section has opened


def key(room_id: int, deed: str, number: int | date | None = None) -> str:
    return f"group:{room_id}:{deed}" + (f":{number}" if number else "")


def about(room_id: int) -> str:
    return f"group:{room_id}"


# One by one


def of_invitation(room: Room, members: list[int]) -> set[int]:
    """Tell members that they are asked; return those who hear of it today. A digest tells those whose day is full."""
    name = key(room.pk, INVITED)
    _tell(room.pk, members, name)
    told = Notice.objects.filter(key=name, member__in=members, held=False)
    return set(told.values_list("member", flat=True))


def of_seats(room: Room, members: list[int]) -> None:
    """Tell those who waited that they have a seat now."""
    _tell(room.pk, members, key(room.pk, SEAT))


def of_reminder(participant: Participant, day: date) -> None:
    _tell(participant.room_id, [participant.member_id], key(participant.room_id, REMINDER, day))


def of_loss(participant: Participant) -> None:
    """Tell somebody that a moderator took their seat, outside of any budget."""
    deed = REMOVED if participant.left_as == Participant.Leaving.REMOVED else DROPPED
    room_id = participant.room_id
    _tell(room_id, [participant.member_id], key(room_id, deed), kind=Kind.MODERATION)


def of_quote(quote, participant: Participant) -> None:
    """Tell somebody that words of theirs wait for their yes or no."""
    _tell(participant.room_id, [participant.member_id], key(participant.room_id, QUOTE, quote.pk))


def of_probe(message, participant: Participant) -> None:
    """Tell somebody that a moderator asked them alone."""
    _tell(participant.room_id, [participant.member_id], key(participant.room_id, PROBE, message.pk))


def _tell(room_id: int, members: list[int], name: str, kind: Kind = Kind.GROUP) -> None:
    """Whoever loses their standing or leaves at this very moment is not waited for, and not told."""
    members = free_members(members)
    notices.tell(members=members, kind=kind, target=room_id, about=about(room_id), key=name)


# All of a room


def of_end(room: Room) -> None:
    """Have those told who have a seat or lost hope of one: a room has closed, or was canceled."""
    _fan_out(room.pk, OF_ROOM, room.pk, key(room.pk, CANCELED if room.canceled_at else CLOSED))


def of_agreement(agreement: Agreement) -> None:
    """Have those told who have a seat that the agreement has a new version."""
    room_id = agreement.room_id
    _fan_out(room_id, OF_AGREEMENT, agreement.pk, key(room_id, AGREEMENT, agreement.version))


def of_dates(room: Room) -> None:
    """Have those told who have a seat that times have moved: at most once a day (UTC), however many did."""
    day = timezone.now().date()
    _fan_out(room.pk, OF_DATES, room.pk * DAYS + day.toordinal(), key(room.pk, CHANGED, day))


def of_due_sections() -> int:
    """Have the participants of running rooms told of sections that opened, of each once; return of how many."""
    now = timezone.now()
    opened = Section.objects.filter(
        opens_at__lte=now,
        opens_at__gt=now - STALE,
        closed_at=None,
        room__published_at__isnull=False,
        room__closed_at=None,
        room__starts_at__lte=now,
        room__ends_at__gt=now,
    )
    opened = list(opened.order_by("opens_at", "pk").values_list("pk", "room", "place"))
    targets = {_target(OF_SECTION, pk): (pk, room_id, place) for pk, room_id, place in opened}
    known = FanOut.objects.filter(kind=Kind.GROUP, target__in=targets)
    known = set(known.values_list("target", flat=True))
    new = [section for target, section in targets.items() if target not in known]
    for pk, room_id, place in new:
        name = key(room_id, SECTION, pk) if place else key(room_id, OPENED)
        _fan_out(room_id, OF_SECTION, pk, name)
    return len(new)


def _fan_out(room_id: int, what: int, number: int, name: str) -> None:
    notices.fan_out(kind=Kind.GROUP, target=_target(what, number), about=about(room_id), key=name)


def _target(what: int, number: int) -> int:
    return number * 10 + what


def next_members(fan_out: FanOut, after: int, limit: int) -> list[int]:
    """Of those who have a seat, and at the end of a room of those who could still have got one."""
    room_id = int(fan_out.key.split(":")[1])
    room = Room.objects.filter(pk=room_id).first()
    if room is None or (fan_out.target % 10 != OF_ROOM and room.is_over):
        return []
    found = set(Participant.objects.seated().filter(room=room).values_list("member", flat=True))
    if fan_out.target % 10 == OF_ROOM:
        found |= _hopeful(room)
    return sorted(member for member in found if member > after)[:limit]


def _hopeful(room: Room) -> set[int]:
    """Who waited for a seat when the room ended; of one that was canceled, also who was asked and had not answered."""
    if room.closed_at is None:
        return set()
    lapsed = Q(state=Candidate.State.LAPSED, decided_at__gte=room.closed_at) | Q(
        state__in=[Candidate.State.INVITED, Candidate.State.WAITING]
    )
    rows = room.candidates.filter(lapsed, member__isnull=False)
    if room.canceled_at is None:
        rows = rows.filter(waiting_since__isnull=False)
    return set(rows.values_list("member", flat=True))
