"""Focus groups as the people of the firm that pays for one read them: as far as the room lets them.

Figures count only what was said to all; what is too small to be told is decided in `focusgroups.smallness`. Words come
by alias and quota cell. No member, handle or moment stands here: days alone, and those in the zone of the room.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Prefetch, Q, QuerySet
from django.utils.safestring import SafeString

from accounts.masks import masks_of_all
from focusgroups.charts import hidden_of
from focusgroups.models import Answer, Message, Participant, Prompt, Room, Section
from focusgroups.sight import said_to_all
from focusgroups.smallness import FEW, LEAST, UNSHOWN, cell_names
from observers import market, texts
from observers.models import RoomRead, Seat
from sermo.paging import Page

MODERATOR = "Moderator"
LINES = 60  # of what is said to the whole room, on one page
Kind = Message.Kind


# Which


def watched_by(seat: Seat) -> QuerySet[Room]:
    """The focus groups a seat may read in: published ones its firm pays for, that show anything and it was let into."""
    rooms = Room.objects.filter(
        published_at__isnull=False,
        canceled_at=None,
        sponsor__sponsorship__firm=seat.firm_id,
        watches__seat=seat.pk,
    )
    return rooms.exclude(watching=Room.Watching.NOBODY)


def is_open(room: Room) -> bool:
    """Whether watchers read in a focus group: participants were told that it is while the group runs."""
    return not room.is_over


def reads_words(room: Room) -> bool:
    return is_open(room) and room.watching == Room.Watching.WORDS


# Figures


@dataclass(frozen=True)
class Asked:
    """A prompt of an open section, and how many answered what. A number that is too small is said to be."""

    prompt: Prompt
    answers: int
    choices: list[tuple[str, str]] = field(default_factory=list)  # option, how many

    @property
    def number(self) -> str:
        return str(self.answers) if self.answers >= LEAST else FEW


@dataclass(frozen=True)
class Part:
    """A section that is open."""

    section: Section
    asked: list[Asked]
    opened_on: date


def parts_of(room: Room) -> list[Part]:
    """The open sections with the figures of their prompts. Four queries."""
    prompts = Prompt.objects.order_by("place").prefetch_related("options")
    sections = list(room.sections.released().order_by("place").prefetch_related(Prefetch("prompts", prompts)))
    given: dict[int, list[tuple[list[int], int | None]]] = defaultdict(list)
    rows = said_to_all(room).answers.filter(prompt__section__in=sections)
    for prompt, chosen, points in rows.values_list("prompt", "chosen", "points"):
        given[prompt].append((chosen, points))
    return [
        Part(
            section,
            [_asked(prompt, given[prompt.pk]) for prompt in section.prompts.all()],
            room.in_its_zone(section.opens_at).date(),
        )
        for section in sections
    ]


def _asked(prompt: Prompt, given: list[tuple[list[int], int | None]]) -> Asked:
    if prompt.is_private or len(given) < LEAST:
        return Asked(prompt, len(given))
    if prompt.kind == Prompt.Kind.SCALE:
        counts = Counter(points for _, points in given)
        rows = [(_of_scale(prompt, point), counts[point]) for point in range(1, prompt.points + 1)]
    elif prompt.has_options:
        counts = Counter(option for chosen, _ in given for option in _that_count(prompt, chosen))
        rows = [(option.text, counts[option.pk]) for option in prompt.options.all()]
    else:
        rows = []
    hidden = hidden_of(prompt, [number for _, number in rows], len(given))
    return Asked(
        prompt,
        len(given),
        [(text, UNSHOWN if place in hidden else str(number)) for place, (text, number) in enumerate(rows)],
    )


def _that_count(prompt: Prompt, chosen: list[int]) -> list[int]:
    """Of a ranking the first alone."""
    return chosen[:1] if prompt.kind == Prompt.Kind.RANKED else chosen


def _of_scale(prompt: Prompt, point: int) -> str:
    label = {1: prompt.low_label, prompt.points: prompt.high_label}.get(point, "")
    return f"{point}, {label}" if label else str(point)


# Words


@dataclass(frozen=True)
class Line:
    """Something that was said: by whom, of which quota cell, on which day."""

    who: str
    cell: str
    day: date
    html: SafeString | str
    choices: list[str] = field(default_factory=list)
    replies: list["Line"] = field(default_factory=list)
    is_moderator: bool = False
    about: str = ""  # of what is said in a live hour: its title


class Drawing:
    """Makes lines of what was said in one room, with all names of its participants hidden. Three queries."""

    def __init__(self, room: Room, said: Iterable[str]):
        self.room = room
        named = cell_names(room)
        seats = Participant.objects.filter(room=room).values_list("pk", "alias", "cell", "member")
        seats = list(seats)
        self.people = {pk: (alias, named[cell]) for pk, alias, cell, _ in seats}
        members = {member for *_, member in seats if member}
        self.masks = masks_of_all(members, said)

    def line(self, row: Answer | Message, **more) -> Line:
        who, cell = self.people.get(row.participant_id, (MODERATOR, ""))
        return Line(
            who=who,
            cell=cell,
            day=self.room.in_its_zone(row.posted_at).date(),
            html=texts.for_firm(row.html, self.masks),
            is_moderator=row.participant_id is None,
            **more,
        )


def answers_to(room: Room, prompt: Prompt) -> tuple[list[Line], list[Line]]:
    """All that was said to all under a prompt: answers with their replies, by alias; and what moderators asked of it,
    with what was said to that."""
    said = said_to_all(room)
    answers = list(said.answers.filter(prompt=prompt).order_by("participant__alias"))
    under = Q(answer__in=answers) | Q(prompt=prompt, answer=None)
    messages = list(said.messages.filter(under).order_by("pk"))
    drawn = Drawing(room, [row.html for row in (*answers, *messages)])
    replies, asked = defaultdict(list), []
    for row in messages:
        if row.answer_id:
            replies["answer", row.answer_id].append(row)
        elif row.parent_id:
            replies["message", row.parent_id].append(row)
        else:
            asked.append(row)
    options = {option.pk: option.text for option in prompt.options.all()}

    def below(*place) -> list[Line]:
        return [drawn.line(row) for row in replies[place]]

    return (
        [
            drawn.line(row, choices=_choices(prompt, row, options), replies=below("answer", row.pk))
            for row in answers
        ],
        [drawn.line(row, replies=below("message", row.pk)) for row in asked],
    )


def _choices(prompt: Prompt, row: Answer, options: dict[int, str]) -> list[str]:
    if row.points is not None:
        return [f"{row.points} of {prompt.points}"]
    chosen = [options[pk] for pk in row.chosen if pk in options]
    if prompt.kind == Prompt.Kind.RANKED:
        return [f"{place}. {text}" for place, text in enumerate(chosen, 1)]
    return chosen


def talk_of(room: Room, *, after: str | None = None) -> Page:
    """A page of what was said to the whole room beside the prompts, the newest first: probes of all with what was said
    to them, and live hours."""
    said = said_to_all(room).messages.filter(prompt=None, answer=None)
    rows = said.filter(parent=None).select_related("live_hour")
    found = market.sealed_page(rows, order=("-pk",), after=after, size=LINES)
    below = defaultdict(list)
    for row in said.filter(parent__in=found.rows).order_by("pk"):
        below[row.parent_id].append(row)
    drawn = Drawing(room, [row.html for row in (*found, *(each for some in below.values() for each in some))])
    lines = [
        drawn.line(
            row,
            about=row.live_hour.title if row.live_hour else "",
            replies=[drawn.line(each) for each in below[row.pk]],
        )
        for row in found
    ]
    return Page(lines, found.next)


# Who read, for those who were read


@dataclass(frozen=True)
class Reader:
    """What participants are told of watchers: who they are, as far as it may be said, and on which days they read."""

    name: str
    days: list[date]
    seats: int


def readers_of(room: Room) -> Reader | None:
    """None where nobody has read."""
    rows = list(RoomRead.objects.filter(room=room).values_list("day", "seat"))
    if not rows:
        return None
    label = getattr(room, "sponsor", None)
    days = sorted({day for day, _ in rows}, reverse=True)
    return Reader(label.shown if label else "The sponsor", days, len({seat for _, seat in rows}))
