"""Seats: taking one, waiting for one, leaving it, losing it, and giving it on.

All of it happens with the room locked, so that two who want the last seat come one after the other, and a waiting list
moves once for each seat that came free. See `locking` for the order of locks.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import structlog
from django.db import transaction
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import Member, User
from focusgroups.models import (
    Acceptance,
    Agreement,
    Answer,
    Candidate,
    Cell,
    Completion,
    Message,
    Participant,
    Reminder,
    Room,
    Section,
)
from focusgroups.services import earning, holding, recruiting, screening, telling
from focusgroups.services.answering import NoSeat, ReadOnly, erase, paid_before
from focusgroups.services.locking import free_members, hold_member, hold_room, hold_rooms
from sermo.aliases import alias_of
from sermo.errors import RuleBroken
from verification.services import events

log = structlog.get_logger(__name__)
ALIASES = "focusgroups.aliases"
LONGEST_REASON = 300
SEEN_EVERY = timedelta(minutes=5)
DAY = timedelta(days=1)
State, Leaving = Candidate.State, Participant.Leaving


class ScreenerFirst(RuleBroken):
    message = "Answer the questions before a seat first."


class AgreementChanged(RuleBroken):
    message = "The agreement was changed a moment ago. Read the new version before you accept it."


class NoCell(RuleBroken):
    message = "The seats of this group are for other specialties or years in practice than yours are now."


class NothingDue(RuleBroken):
    message = "Nothing is open for this participant to answer."


class RemindedToday(RuleBroken):
    message = "This participant was reminded today. The next reminder can go out tomorrow (UTC)."


# Taking a seat


@transaction.atomic
def accept(*, candidate: Candidate, agreement: Agreement) -> Candidate:
    """Accept the agreement and take a seat, or a place on the waiting list. Twice is as good as once.

    The seat is of the first cell that is for the member and has one free; where none has, they wait for the first that
    is for them. Whoever may have no seat as things are now is asked no more, so that nobody learns by trial who pays.
    Raises RoomIsOver, NotAsked, ReadOnly, ScreenerFirst, AgreementChanged, NoCell.
    """
    candidate = screening.lock(candidate)
    if candidate.state in (State.SEATED, State.WAITING):
        return candidate
    screening.check_asked(candidate)
    if screening.next_question(candidate):
        raise ScreenerFirst
    _check_newest(agreement, candidate.room)
    fitting = cells_for(candidate.room, candidate.member)
    if not fitting:
        raise NoCell
    if recruiting.is_shut_out(candidate.room, candidate.member_id):
        screening.lapse(candidate)
        return candidate
    seat_waiting(candidate.room)
    Acceptance.objects.get_or_create(candidate=candidate, agreement=agreement)
    free_ones = free_cells(candidate.room)
    free = next((cell for cell in fitting if cell.pk in free_ones), None)
    if free:
        _seat(candidate, free)
    else:
        candidate.state, candidate.cell, candidate.waiting_since = State.WAITING, fitting[0], timezone.now()
        candidate.save(update_fields=["state", "cell", "waiting_since"])
    return candidate


def cells_for(room: Room, member: Member) -> list[Cell]:
    return [cell for cell in room.cells.order_by("place") if cell.is_for(member)]


def free_cells(room: Room) -> set[int]:
    """The cells of a room that have a free seat. One query."""
    return set(_with_taken(room.cells.all()).filter(taken__lt=F("seats")).values_list("pk", flat=True))


def _with_taken(cells: QuerySet[Cell]) -> QuerySet[Cell]:
    taken = Participant.objects.seated().filter(cell=OuterRef("pk")).order_by().values("cell")
    counted = Subquery(taken.annotate(number=Count("pk")).values("number"), output_field=IntegerField())
    return cells.annotate(taken=Coalesce(counted, 0))


def _seat(candidate: Candidate, cell: Cell) -> Participant:
    """Give a locked candidate a seat of a cell that has one free.

    A seat nobody had yet goes first. One that somebody left is given on with what that one was paid for, so that it is
    never paid twice.
    """
    participant = Participant.objects.create(
        room=candidate.room,
        member=candidate.member,
        candidate=candidate,
        cell=cell,
        alias=_free_alias(candidate.room, candidate.member),
        replaces=_next_vacated(cell),
    )
    candidate.state, candidate.cell, candidate.decided_at = State.SEATED, cell, timezone.now()
    candidate.save(update_fields=["state", "cell", "decided_at"])
    return participant


def _next_vacated(cell: Cell) -> Participant | None:
    """Whose seat of a cell is given on next; none while there is one that nobody had."""
    given = Participant.objects.filter(cell=cell)
    if given.filter(replaces=None).count() < cell.seats:
        return None
    vacant = given.filter(Q(left_at__isnull=False) | Q(member=None), replaced_by=None)
    return vacant.order_by("left_at", "pk").first()


@dataclass(frozen=True)
class Outlook:
    """What accepting would lead to now: a seat, or so many ahead on the waiting list of a cell; none: no cell at all.

    `paid_before` are sections that whoever had the seat is paid for, and that pay nothing again.
    """

    cell: Cell | None
    has_seat: bool = False
    ahead: int = 0
    paid_before: frozenset[int] = frozenset()


def outlook(candidate: Candidate) -> Outlook:
    fitting = cells_for(candidate.room, candidate.member)
    if not fitting:
        return Outlook(None)
    free = free_cells(candidate.room)
    for cell in fitting:
        if cell.pk in free:
            left = _next_vacated(cell)
            paid = paid_before(Participant(replaces=left)) if left else ()
            return Outlook(cell, has_seat=True, paid_before=frozenset(paid))
    return Outlook(fitting[0], ahead=_seeking(candidate.room.candidates.all(), fitting))


def _free_alias(room: Room, member: Member) -> str:
    taken = set(room.participants.values_list("alias", flat=True))
    attempt = 0
    while (alias := alias_of(f"{room.pk}:{member.pk}:{attempt}", ALIASES)) in taken:
        attempt += 1
    return alias


def seat_waiting(room: Room) -> list[Participant]:
    """Give the free seats of a locked room to those who wait, whoever waited longest first, and tell them.

    Of several cells that are for somebody any will do. Whoever may have no seat any more is not asked further; whose
    member somebody else holds at this moment is left for the next time.
    """
    if room.published_at is None or room.is_over:
        return []
    waiting = room.candidates.select_for_update().filter(state=State.WAITING)
    waiting = list(waiting.order_by("waiting_since", "pk"))
    cells = list(_with_taken(room.cells.order_by("place"))) if waiting else []
    free = [cell for cell in cells if cell.taken < cell.seats]
    if not free:
        return []
    held = set(free_members(row.member_id for row in waiting if row.member_id))
    members = Member.objects.select_related("user").in_bulk(held)
    barred = recruiting.shut_out(room, Member.objects.filter(pk__in=held))
    seated = []
    for candidate in waiting:
        if (member := members.get(candidate.member_id)) is None:
            continue
        candidate.room, candidate.member = room, member
        if not (member.may_write and member.user.is_active) or member.pk in barred:
            screening.lapse(candidate)
            continue
        cell = next((cell for cell in free if cell.is_for(member)), None)
        if cell:
            seated.append(_seat(candidate, cell))
            cell.taken += 1
            free = [cell for cell in free if cell.taken < cell.seats]
    if seated:
        telling.of_seats(room, [participant.member_id for participant in seated])
    return seated


def place_in_line(candidate: Candidate) -> int:
    """Which of those a candidate is who wait for any of the cells that are for them; the first is 1."""
    is_ahead = Q(waiting_since__lt=candidate.waiting_since) | Q(
        waiting_since=candidate.waiting_since, pk__lt=candidate.pk
    )
    ahead = candidate.room.candidates.filter(is_ahead)
    return 1 + _seeking(ahead, cells_for(candidate.room, candidate.member))


def _seeking(candidates: QuerySet[Candidate], cells: list[Cell]) -> int:
    """How many of some candidates wait and could be given a seat of any of these cells."""
    waiting = candidates.filter(state=State.WAITING, member__isnull=False).select_related("member")
    return sum(any(cell.is_for(row.member) for cell in cells) for row in waiting)


# The agreement, once more


def needs_agreement(participant: Participant) -> Agreement | None:
    """The newest version of the agreement, if it is one that somebody has not accepted yet."""
    accepted = Acceptance.objects.filter(candidate=participant.candidate_id, agreement=OuterRef("pk"))
    versions = Agreement.objects.filter(room=participant.room_id).annotate(is_accepted=Exists(accepted))
    newest = versions.order_by("-version").first()
    return newest if newest and not newest.is_accepted else None


@transaction.atomic
def accept_again(*, participant: Participant, agreement: Agreement) -> Acceptance:
    """Accept a new version of the agreement. Raises RoomIsOver, NoSeat, ReadOnly, AgreementChanged."""
    participant = _lock(participant)
    screening.check_open(participant.room)
    _check_seated(participant)
    if not participant.member.may_write:
        raise ReadOnly
    _check_newest(agreement, participant.room)
    return Acceptance.objects.get_or_create(candidate_id=participant.candidate_id, agreement=agreement)[0]


def _check_newest(agreement: Agreement, room: Room) -> None:
    if agreement != room.newest_agreement():
        raise AgreementChanged


# Giving a seat up


@transaction.atomic
def leave(*, participant: Participant, takes_back: bool = False) -> Participant:
    """Leave a room, and with `takes_back` withdraw all that was said. What was earned stays.

    The seat goes to whoever waits. Twice is as good as once. Raises RoomIsOver, NoSeat.
    """
    participant = _lock(participant)
    screening.check_open(participant.room)
    if participant.left_as == Leaving.LEFT:
        return participant
    _check_seated(participant)
    if takes_back:
        _take_back(participant)
    _end(participant, Leaving.LEFT)
    return participant


@transaction.atomic
def withdraw(*, participant: Participant) -> Participant:
    """Take back all that somebody said, also after they left or lost their seat: until the room closes. What was earned
    stays. Raises RoomIsOver, NoSeat.
    """
    participant = _lock(participant)
    screening.check_open(participant.room)
    if participant.member_id is None:
        raise NoSeat
    _take_back(participant)
    return participant


def _take_back(participant: Participant) -> None:
    for model in (Answer, Message):
        own = model.objects.select_for_update().filter(participant=participant, withdrawn_at=None)
        for said in own.order_by("pk"):
            erase(said)
    participant.withdrew_at = timezone.now()
    participant.save(update_fields=["withdrew_at"])


def _end(participant: Participant, how: str, why: str = "") -> None:
    """End a seat of a locked room, and give it to whoever waits."""
    participant.left_at, participant.left_as, participant.left_why = timezone.now(), how, why
    participant.save(update_fields=["left_at", "left_as", "left_why"])
    seat_waiting(participant.room)


# Taking a seat away


@transaction.atomic
def remove(*, participant: Participant, by: User, reason: str) -> Participant:
    """Take somebody's seat for a reason they are told. What they earned stays, and what they said.

    Twice is as good as once. Raises holding.NotYours, holding.Over, holding.Unfit, NoSeat.
    """
    reason = holding.text("reason", reason, LONGEST_REASON, "Say why, in words for the participant.")
    return _take(participant, by, Leaving.REMOVED, reason, "remove")


@transaction.atomic
def drop(*, participant: Participant, by: User) -> Participant:
    """Give the seat of somebody who answers nothing to whoever waits. What they earned stays, and what they said.

    Twice is as good as once. Raises holding.NotYours, holding.Over, NoSeat.
    """
    return _take(participant, by, Leaving.DROPPED, "", "drop")


def _take(participant: Participant, by: User, how: str, why: str, deed: str) -> Participant:
    participant = _hold(participant, by)
    if participant.left_as == how:
        return participant
    _check_seated(participant)
    _end(participant, how, why)
    holding.note(deed, participant.room, by)
    telling.of_loss(participant)
    return participant


@transaction.atomic
def lose_seats(*, member: Member) -> None:
    """End the seats, invitations and waiting of a locked member who is no physician any more, or leaves.

    What was earned and said stays. All rooms are locked before somebody is told of a seat in the first.
    """
    seats = Participant.objects.seated().filter(member=member, room__closed_at=None)
    asked = Candidate.objects.standing().filter(member=member)
    rooms = {*seats.values_list("room", flat=True), *asked.values_list("room", flat=True)}
    for room in hold_rooms(rooms):
        for candidate in asked.select_for_update().filter(room=room):
            screening.lapse(candidate)
        for participant in seats.select_for_update().filter(room=room):
            participant.room = room
            _end(participant, Leaving.LEFT)


@transaction.atomic
def hold_rooms_of(*, member: Member) -> list[int]:
    """Lock all rooms a locked member who leaves the site was ever asked into or in, until the transaction ends."""
    asked = Candidate.objects.filter(member=member).values_list("room", flat=True)
    seats = Participant.objects.filter(member=member).values_list("room", flat=True)
    return [room.pk for room in hold_rooms({*asked, *seats})]


@transaction.atomic
def settle(*, member: Member) -> None:
    """Make final what somebody who leaves the site has earned and was not final yet: afterwards nobody is there to be
    paid. Announces section_completed for each.
    """
    hold_rooms_of(member=member)
    earning.make_final(Completion.objects.filter(participant__member=member), is_alone=True)


# Keeping at it


def seen(*, participant: Participant) -> None:
    """Note that somebody was in their room, to within a few minutes."""
    now = timezone.now()
    if participant.seen_at is None or participant.seen_at < now - SEEN_EVERY:
        Participant.objects.filter(pk=participant.pk).update(seen_at=now)


@transaction.atomic
def remind(*, participant: Participant, by: User) -> Reminder:
    """Remind somebody of what is open for them to answer, at most once a day (UTC).

    Raises holding.NotYours, holding.Over, NoSeat, NothingDue, RemindedToday.
    """
    participant = _hold(participant, by)
    _check_seated(participant)
    if not open_sections(participant).exists():
        raise NothingDue
    reminder = _remind(participant, by)
    if reminder is None:
        raise RemindedToday
    holding.note("remind", participant.room, by)
    telling.of_reminder(participant, reminder.day)
    return reminder


def open_sections(participant: Participant):
    """Sections that have opened and that somebody has not completed."""
    done = Completion.objects.filter(participant=participant).values("section")
    return Section.objects.released().filter(room=participant.room_id).exclude(pk__in=done)


def _remind(participant: Participant, by: User | None) -> Reminder | None:
    reminder, is_new = Reminder.objects.get_or_create(
        participant=participant, day=_today(), defaults={"by": by}
    )
    return reminder if is_new else None


def _today() -> date:
    """In UTC, as reminders are counted."""
    return timezone.now().date()


def remind_due() -> int:
    """Remind whom a section became overdue for in the last day, at most once a day (UTC) and of each section once;
    return of how many.

    Whoever was reminded earlier on the day is reminded of what became overdue since on the next. After that it is the
    moderators who remind. A fault at one keeps nobody else from being reminded.
    """
    now = timezone.now()
    done = Completion.objects.filter(section=OuterRef("pk"), participant=OuterRef(OuterRef("pk")))
    told = Reminder.objects.filter(participant=OuterRef(OuterRef("pk")), sent_at__gte=OuterRef("due_at"))
    late = Section.objects.filter(~Exists(done), ~Exists(told), room=OuterRef("room"))
    waiting = Participant.objects.seated().filter(
        Exists(late.filter(due_at__lte=now, due_at__gt=now - DAY)),
        ~Exists(Reminder.objects.filter(participant=OuterRef("pk"), day=_today())),
        room__published_at__isnull=False,
        room__closed_at=None,
        room__ends_at__gt=now,
    )
    return sum(_remind_alone(pk) for pk in waiting.order_by("pk").values_list("pk", flat=True))


def _remind_alone(participant_id: int) -> bool:
    try:
        return _remind_of_late(participant_id)
    except Exception as error:
        log.error("participant_not_reminded", participant=participant_id, error=type(error).__name__)
        return False


@transaction.atomic
def _remind_of_late(participant_id: int) -> bool:
    participant = _lock(Participant.objects.get(pk=participant_id))
    if not participant.is_seated or participant.room.is_over:
        return False
    if not open_sections(participant).filter(due_at__lte=timezone.now()).exists():
        return False
    reminder = _remind(participant, None)
    if reminder:
        telling.of_reminder(participant, reminder.day)
    return reminder is not None


# For all of these


def _lock(participant: Participant) -> Participant:
    """Lock a member, their room and their part in it."""
    member = hold_member(participant.member_id)
    room = hold_room(participant.room_id)
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    participant.room = room
    if member and participant.member_id == member.pk:
        participant.member = member
    return participant


def _hold(participant: Participant, by: User) -> Participant:
    """The same for a moderator. Raises holding.NotYours, holding.Over."""
    events.lock_chain()
    participant = _lock(participant)
    participant.room = holding.hold(participant.room, by)
    return participant


def _check_seated(participant: Participant) -> None:
    if not participant.is_seated:
        raise NoSeat
