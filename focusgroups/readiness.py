"""What a room needs before members are asked into it, and what its sponsor owes at most."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Prefetch
from django.utils import timezone

from focusgroups.models import Prompt, Room, Section, Sponsor
from focusgroups.models.guides import FEWEST_OPTIONS
from focusgroups.models.rooms import FEWEST_DAYS, MOST_DAYS
from focusgroups.services import recruiting
from focusgroups.smallness import FEW, LEAST

THANKED = 3  # members for each seat who may be thanked and not sought
BASICS, PEOPLE, GUIDE, AGREEMENT, MONEY = "basics", "people", "guide", "agreement", "money"
DAY, LEAST_OPEN = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True)
class Missing:
    """Something to do before publishing: on which step, and what."""

    step: str
    words: str


def missing(room: Room) -> list[Missing]:
    """All that keeps a draft from being published, in the order of the steps. Empty: nothing does."""
    found = {
        BASICS: _of_dates(room),
        PEOPLE: _of_people(room),
        GUIDE: _of_guide(room),
        AGREEMENT: [] if room.agreements.exists() else ["Write what participants agree to."],
        MONEY: _of_money(room),
    }
    return [Missing(step, words) for step, lines in found.items() for words in lines]


def days_between(room: Room, start: datetime, end: datetime) -> timedelta:
    """How long it is from one moment to another by the clocks on the walls of a room, whatever was done to them."""
    start, end = (room.in_its_zone(moment).replace(tzinfo=None) for moment in (start, end))
    return end - start


def lasts_too_long(room: Room, ends_at: datetime) -> bool:
    return days_between(room, room.starts_at, ends_at) > MOST_DAYS * DAY


def _of_dates(room: Room) -> Iterator[str]:
    if room.starts_at is None:
        yield "Say when it starts."
    elif room.starts_at <= timezone.now():
        yield "It starts in the past. Let it start later."
    if room.ends_at is None:
        yield "Say when it ends."
    if room.starts_at is None or room.ends_at is None:
        return
    if not FEWEST_DAYS * DAY <= days_between(room, room.starts_at, room.ends_at) <= MOST_DAYS * DAY:
        yield f"It lasts {FEWEST_DAYS} to {MOST_DAYS} days. Change when it starts or ends."


def _of_people(room: Room) -> Iterator[str]:
    if not room.moderators.filter(user__is_active=True, user__is_staff=True).exists():
        yield "Put a moderator in charge."
    cells = list(room.cells.all())
    in_cells = sum(cell.seats for cell in cells)
    if in_cells != room.seats:
        yield f"Its quota cells have {in_cells} seats and the group has {room.seats}. Make them equal."
    reached, by_cell = recruiting.reached(room, cells)
    if reached < room.seats:
        yield f"Its rule reaches {reached} members, fewer than there are seats. Widen it."
    for cell in (cell for cell, number in zip(cells, by_cell, strict=True) if number < LEAST):
        yield f"Quota cell “{cell.name}” is for {FEW} members whom the rule reaches. Let more in."


# The guide


def with_prompts(room: Room) -> list[Section]:
    """The sections in their order, with all that is asked in them."""
    prompts = Prompt.objects.order_by("place").prefetch_related("options")
    return list(room.sections.order_by("place").prefetch_related(Prefetch("prompts", prompts)))


def _of_guide(room: Room) -> Iterator[str]:
    sections = with_prompts(room)
    if not sections:
        yield "Add a section to its guide."
    for section in sections:
        if section.opens_at is None:
            yield f"Section {section.place + 1}: say when it opens."
        yield from faults_of(section, room)
    yield from faults_of_order(sections)


def faults_of(section: Section, room: Room) -> Iterator[str]:
    """What keeps a section from being opened to participants."""
    name = f"Section {section.place + 1}"
    prompts = list(section.prompts.all())
    if not prompts:
        yield f"{name} asks nothing yet. Add a question."
    elif not any(prompt.is_required for prompt in prompts):
        yield f"{name}: at least one question must be needed to complete it."
    for prompt in prompts:
        if prompt.has_options and len(prompt.options.all()) < FEWEST_OPTIONS:
            yield f"{name}, question {prompt.place + 1}: give at least {FEWEST_OPTIONS} options."
    if not (room.starts_at and room.ends_at):
        return
    if section.opens_at and not room.starts_at <= section.opens_at < room.ends_at:
        yield f"{name} opens outside of the group's dates."
    elif section.opens_at and section.opens_at > room.ends_at - LEAST_OPEN:
        yield f"{name} opens less than an hour before the group ends."
    if section.due_at and not room.starts_at < section.due_at <= room.ends_at:
        yield f"{name} is due outside of the group's dates."


def faults_of_order(sections: Iterable[Section]) -> Iterator[str]:
    """Sections open in their order. Those without a time are passed over."""
    latest = None
    for section in sections:
        if section.opens_at is None:
            continue
        if latest and section.opens_at < latest.opens_at:
            yield f"Section {section.place + 1} opens before section {latest.place + 1}."
        latest = section


# The money


def promised(room: Room) -> int:
    """What the sponsor owes at most, in cents: each seat all sections, and thanks to three for each seat."""
    honoraria = sum(room.sections.values_list("honorarium", flat=True))
    return room.seats * (honoraria + THANKED * room.thanks)


def budget(room: Room) -> int:
    """What its sponsor reserved for a room, in cents."""
    return Sponsor.objects.filter(room=room).values_list("budget", flat=True).first() or 0


def _of_money(room: Room) -> Iterator[str]:
    owed = promised(room)
    if not owed:
        return
    if room.pay_on is None:
        yield "Say by when honoraria are paid."
    elif room.ends_at and room.pay_on <= room.in_its_zone(room.ends_at).date():
        yield "Honoraria are paid after the group ends. Change the pay date."
    if not Sponsor.objects.filter(room=room).exists():
        yield "Choose the sponsor who pays."
    elif budget(room) < owed:
        yield f"The sponsor reserved {_dollars(budget(room))}, and up to {_dollars(owed)} are promised."


def _dollars(cents: int) -> str:
    return f"${cents / 100:,.2f}"
