"""Setting a room up: its basics, moderators, whom it seeks, its screener and its agreement. Its guide: see `guiding`.

Once a room is published, members have been asked on its terms: seats may be added and lists widened, nothing else.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from accounts.models import Member, Specialty, User
from accounts.places import STATES
from accounts.roles import is_moderator
from focusgroups import house, readiness
from focusgroups.models import Agreement, Cell, Room, RoomModerator, ScreenerOption, ScreenerQuestion
from focusgroups.models.rooms import FEWEST_SEATS, MOST_SEATS
from focusgroups.services import holding, recruiting, seating, telling
from focusgroups.services.holding import Fixed, Unfit, hold, note
from focusgroups.signals import money_promised
from focusgroups.smallness import FEW, LEAST
from questions.models import MemberRank
from sermo.errors import RuleBroken
from verification.services import events

BASICS = (
    "title",
    "about",
    "seats",
    "minutes_a_day",
    "time_zone",
    "starts_at",
    "ends_at",
    "pay_on",
    "thanks",
    "watching",
)
OF_CELL = ("name", "seats", "specialties", "years_bands")
MOST_THANKS = 20_000  # cents
FEWEST_CHOICES, MOST_CHOICES = 2, 8  # of a question of the screener


class NotAModerator(RuleBroken):
    message = "Only staff of the moderators' group run focus groups."


class TakesPart(RuleBroken):
    message = "Whoever was asked into a focus group cannot run it."


class IsOwner(RuleBroken):
    message = "Who set a focus group up stays with it."


class BeyondBudget(RuleBroken):
    message = "The sponsor's budget does not cover this. Raise the budget first."


class TooManyQuestions(RuleBroken):
    message = f"A screener has at most {ScreenerQuestion.MOST} questions."


# The room


@transaction.atomic
def create(*, by: User, title: str) -> Room:
    """Set up a draft: with its owner, one cell of all seats, and the agreement of the house.

    Raises NotAModerator, Unfit.
    """
    if not may_run(by):
        raise NotAModerator
    events.lock_chain()
    room = Room.objects.create(title=_title(title))
    RoomModerator.objects.create(room=room, user=by, is_owner=True)
    Cell.objects.create(room=room, place=0, name="All", seats=room.seats)
    Agreement.objects.create(room=room, text=house.AGREEMENT)
    note("create", room, by)
    return room


def may_run(user: User) -> bool:
    """Whether somebody could be put in charge of a room."""
    return user.is_active and user.is_staff and (user.is_superuser or is_moderator(user))


@transaction.atomic
def change_basics(*, room: Room, by: User, **fields: str | int | date | datetime | None) -> Room:
    """Change any of BASICS. The one cell of a room has its seats; where there are several, each has its own.

    Of a published room only the seats may change: more of them, where it has one cell. Raises NotYours, Over, Fixed,
    Unfit, BeyondBudget.
    """
    if unknown := fields.keys() - set(BASICS):
        raise TypeError(f"no basics: {unknown}")
    room = hold(room, by)
    before = {name: getattr(room, name) for name in BASICS}
    for name, value in _clean({**before, **fields}).items():
        setattr(room, name, value)
    changed = {name for name in BASICS if getattr(room, name) != before[name]}
    if not changed:
        return room
    cells = list(room.cells.select_for_update())
    if room.published_at and (changed != {"seats"} or room.seats < before["seats"]):
        raise Fixed
    if room.published_at and len(cells) != 1:
        raise Fixed("Add the seats to one of its quota cells.")
    room.save(update_fields=sorted(changed))
    if "seats" in changed and len(cells) == 1:
        cells[0].seats = room.seats
        cells[0].save(update_fields=["seats"])
    note("basics", room, by)
    if room.published_at:
        promise_more(room)
        seating.seat_waiting(room)
    return room


def _clean(fields: dict) -> dict:
    """Raises Unfit where the database, too, would refuse, or what members read made no sense."""
    fields["title"] = _title(fields["title"])
    fields["about"] = holding.text("about", fields["about"], 2_000)
    _between("seats", fields["seats"], FEWEST_SEATS, MOST_SEATS, "A focus group has {} to {} seats.")
    _between("minutes_a_day", fields["minutes_a_day"], 1, 240, "Say {} to {} minutes a day.")
    if not 0 <= fields["thanks"] <= MOST_THANKS:
        raise Unfit("thanks", f"Thanks are at most ${MOST_THANKS // 100}.")
    try:
        ZoneInfo(fields["time_zone"])
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Unfit("time_zone", "Choose one of the time zones.") from error
    if fields["starts_at"] and fields["ends_at"] and fields["ends_at"] <= fields["starts_at"]:
        raise Unfit("ends_at", "A focus group ends after it starts.")
    if fields["watching"] not in Room.Watching:
        raise Unfit("watching", "Say what those who watch may read.")
    return fields


def _title(typed: str) -> str:
    return holding.text("title", typed, 120, "Give the focus group a title.")


def _between(field: str, number: int, least: int, most: int, words: str) -> None:
    if not least <= number <= most:
        raise Unfit(field, words.format(least, most))


# Who runs it


@transaction.atomic
def add_moderator(*, room: Room, by: User, user: User) -> RoomModerator:
    """Put somebody in charge of a room, also of one that is over. Twice is as good as once.

    Raises NotYours, NotAModerator, TakesPart.
    """
    room = hold(room, by, even_over=True)
    if not may_run(user):
        raise NotAModerator
    if user.as_member and room.candidates.filter(member=user.as_member).exists():
        raise TakesPart
    moderator, is_new = RoomModerator.objects.get_or_create(room=room, user=user)
    if is_new:
        _note_moderator("moderator_add", room, by, user)
    return moderator


@transaction.atomic
def remove_moderator(*, room: Room, by: User, user: User) -> None:
    """Let somebody run a room no longer, from the next request on. Raises NotYours, IsOwner."""
    room = hold(room, by, even_over=True)
    moderator = room.moderators.filter(user=user).first()
    if moderator is None:
        return
    if moderator.is_owner:
        raise IsOwner
    moderator.delete()
    _note_moderator("moderator_remove", room, by, user)


def _note_moderator(deed: str, room: Room, by: User, user: User) -> None:
    subject = str(events.subject_of(user).pk)
    events.record(kind=f"room_{deed}", by=by, object=f"room:{room.pk}", evidence=[subject])


# Whom it seeks


@transaction.atomic
def set_rule(
    *,
    room: Room,
    by: User,
    specialties: Iterable[str] = (),
    states: Iterable[str] = (),
    years_bands: Iterable[str] = (),
    tiers: Iterable[str] = (),
) -> Room:
    """Say which members are asked. Of a published room it may only be widened. Raises NotYours, Over, Fixed, Unfit."""
    room = hold(room, by)
    rule = {
        "specialties": _known_specialties(specialties),
        "states": _known("states", states, dict(STATES)),
        "years_bands": _known("years_bands", years_bands, Member.YearsBand.values),
        "tiers": _known("tiers", tiers, MemberRank.Tier.values),
    }
    if room.published_at and not all(holding.widens(getattr(room, name), new) for name, new in rule.items()):
        raise Fixed("Members were asked by this rule. It can be widened, not narrowed.")
    for name, value in rule.items():
        setattr(room, name, value)
    room.save(update_fields=list(rule))
    note("rule", room, by)
    return room


def _known(field: str, chosen: Iterable[str], known: Iterable[str]) -> list[str]:
    """What was chosen, in the order of what can be."""
    known, chosen = list(known), set(chosen)
    if chosen - set(known):
        raise Unfit(field, "Choose among those offered.")
    return [value for value in known if value in chosen]


def _known_specialties(chosen: Iterable[str]) -> list[str]:
    offered = Specialty.objects.filter(is_choice=True, is_physician=True)
    return _known("specialties", chosen, offered.values_list("code", flat=True))


@transaction.atomic
def save_cell(
    *,
    room: Room,
    by: User,
    cell: Cell | None = None,
    name: str,
    seats: int,
    specialties: Iterable[str] = (),
    years_bands: Iterable[str] = (),
) -> Cell:
    """Add a quota cell, or change one. In a published room cells may be added, get more seats and let more in; the
    room gets as many more seats. A cell that is there just so is not added again.

    Raises NotYours, Over, Fixed, Unfit, BeyondBudget.
    """
    room = hold(room, by)
    before = room.cells.select_for_update().get(pk=cell.pk) if cell else None
    cell = room.cells.get(pk=cell.pk) if cell else Cell(room=room, place=holding.next_place(room.cells.all()))
    cell.name = holding.text("name", name, 60, "Give the cell a name.")
    _between("seats", seats, 1, MOST_SEATS, "A cell has {} to {} seats.")
    cell.seats = seats
    cell.specialties = _known_specialties(specialties)
    cell.years_bands = _known("years_bands", years_bands, Member.YearsBand.values)
    same = room.cells.exclude(pk=cell.pk).filter(name__iexact=cell.name).first()
    if same and before is None and all(getattr(same, each) == getattr(cell, each) for each in OF_CELL):
        return same  # sent twice
    if same:
        raise Unfit("name", "Another cell has this name.")
    if room.published_at and before and not _only_grew(before, cell):
        raise Fixed("Members were asked for these seats. A cell can get more of them and let more in.")
    cell.save()
    note("cell", room, by)
    if room.published_at:
        if before is None and recruiting.reached(room, [cell])[1][0] < LEAST:
            raise Unfit("name", f"It is for {FEW} members who can still be asked. Let more in.")
        _grow(room)
    return cell


def _only_grew(before: Cell, now: Cell) -> bool:
    return (
        before.name == now.name
        and before.seats <= now.seats
        and holding.widens(before.specialties, now.specialties)
        and holding.widens(before.years_bands, now.years_bands)
    )


def _grow(room: Room) -> None:
    """Let a published room have the seats of its cells."""
    seats = room.cells.aggregate(sum=Sum("seats"))["sum"]
    _between("seats", seats, FEWEST_SEATS, MOST_SEATS, "A focus group has {} to {} seats.")
    if seats != room.seats:
        room.seats = seats
        room.save(update_fields=["seats"])
        promise_more(room)
    seating.seat_waiting(room)


@transaction.atomic
def delete_cell(*, cell: Cell, by: User) -> None:
    """Raises NotYours, Over, Fixed."""
    room = hold(cell.room, by)
    if room.published_at:
        raise Fixed
    room.cells.filter(pk=cell.pk).delete()
    note("cell_delete", room, by)


def promise_more(room: Room) -> None:
    """Where seats or honoraria of a locked, published room grew, the money for them is there, or nothing grew.

    Announces money_promised. Raises BeyondBudget, and what its receivers refuse.
    """
    money_promised.send(sender=Room, room=room)
    if readiness.promised(room) > readiness.budget(room):
        raise BeyondBudget


# The screener


@transaction.atomic
def save_screener_question(
    *,
    room: Room,
    by: User,
    question: ScreenerQuestion | None = None,
    text: str,
    options: Sequence[tuple[str, bool]],
    submission: UUID | None = None,
) -> ScreenerQuestion:
    """Add a question, or change one. An option is its text, and whether it is of somebody who is not sought.

    The same form sent twice adds one. Raises NotYours, Over, Fixed, Unfit, TooManyQuestions.
    """
    room = _hold_draft(room, by)
    if question is None:
        key = holding.key_of(submission, room, text)
        if earlier := holding.added_before(room.screener.all(), key):
            return earlier
        if room.screener.count() >= ScreenerQuestion.MOST:
            raise TooManyQuestions
        question = ScreenerQuestion(room=room, place=holding.next_place(room.screener.all()), key=key)
    else:
        question = room.screener.get(pk=question.pk)
    question.text = holding.text("text", text, 200, "Write the question.")
    choices = _choices(options)
    question.save()
    question.options.all().delete()
    ScreenerOption.objects.bulk_create(
        ScreenerOption(question=question, place=place, text=text, is_out=is_out)
        for place, (text, is_out) in enumerate(choices)
    )
    note("screener", room, by)
    return question


def _choices(options: Sequence[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Those that say something. Raises Unfit."""
    typed = [(holding.text("options", words, 120), bool(is_out)) for words, is_out in options]
    choices = [(words, is_out) for words, is_out in typed if words]
    if not FEWEST_CHOICES <= len(choices) <= MOST_CHOICES:
        raise Unfit("options", f"Give {FEWEST_CHOICES} to {MOST_CHOICES} options.")
    if len({words.casefold() for words, _ in choices}) < len(choices):
        raise Unfit("options", "Two options are the same.")
    if all(is_out for _, is_out in choices):
        raise Unfit("options", "At least one option must be of somebody who is sought.")
    return choices


@transaction.atomic
def delete_screener_question(*, question: ScreenerQuestion, by: User) -> None:
    """Raises NotYours, Over, Fixed."""
    room = _hold_draft(question.room, by)
    room.screener.filter(pk=question.pk).delete()
    holding.close_ranks(room.screener.all())
    note("screener_delete", room, by)


@transaction.atomic
def move_screener_question(*, question: ScreenerQuestion, by: User, up: bool) -> None:
    """Raises NotYours, Over, Fixed."""
    room = _hold_draft(question.room, by)
    holding.swap(room.screener.get(pk=question.pk), room.screener.all(), up=up)
    note("screener", room, by)


def _hold_draft(room: Room, by: User) -> Room:
    room = hold(room, by)
    if room.published_at:
        raise Fixed
    return room


# The agreement


@transaction.atomic
def write_agreement(*, room: Room, by: User, text: str) -> Agreement:
    """Write what participants agree to. Of a published room this is a new version, which everybody accepts anew.

    Raises NotYours, Over, Unfit.
    """
    room = hold(room, by)
    words = holding.text("text", text, 20_000, "Write what participants agree to.")
    latest = room.agreements.last()
    if latest and latest.text == words:
        return latest
    if latest is None or room.published_at:
        latest = Agreement(room=room, version=latest.version + 1 if latest else 1)
    latest.text, latest.written_at = words, timezone.now()
    latest.save()
    note("agreement", room, by)
    if room.published_at:
        telling.of_agreement(latest)
    return latest
