"""The participation board of a room: who answered what, who is late, when they were last there, how much they say.

Participants are aliases with a quota cell here, and nothing else (F3).
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.utils import timezone

from focusgroups import fairness
from focusgroups.fairness import Airtime
from focusgroups.models import Answer, Completion, Participant, Prompt, Reminder, Room, Section


@dataclass
class Mark:
    """What a participant did with one prompt."""

    prompt: Prompt
    answer_id: int | None = None
    state: str = ""  # "answered", "private", "hidden"; nothing: not answered


@dataclass
class Progress:
    """How far a participant is in a section."""

    section: Section
    done: int
    needed: int
    is_complete: bool

    @property
    def state(self) -> str:
        if self.is_complete:
            return "complete"
        if not self.section.is_released:
            return "coming"
        return "overdue" if self.section.is_due else "open"


@dataclass
class Row:
    """One participant."""

    participant: Participant
    airtime: Airtime
    progress: list[Progress] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)  # of the section that is looked at
    was_reminded: bool = False  # today (UTC)

    @property
    def overdue(self) -> list[Progress]:
        """Sections that somebody who stayed should have completed."""
        return [one for one in self.progress if one.state == "overdue"] if self.participant.stayed else []

    @property
    def is_open(self) -> bool:
        """Whether anything waits for them, so that they can be reminded."""
        return self.participant.is_seated and any(one.state in ("open", "overdue") for one in self.progress)

    @property
    def completed(self) -> int:
        return sum(one.is_complete for one in self.progress)


@dataclass
class Board:
    sections: list[Section]
    rows: list[Row]
    section: Section | None = None  # the one that is looked at, prompt by prompt
    prompts: list[Prompt] = field(default_factory=list)

    @property
    def seated(self) -> list[Row]:
        return [row for row in self.rows if row.participant.stayed]

    @property
    def gone(self) -> list[Row]:
        return [row for row in self.rows if not row.participant.stayed]

    @property
    def late(self) -> list[Row]:
        return [row for row in self.rows if row.overdue]


def board(room: Room, place: int | None = None) -> Board:
    """All participants of a room, by cell and alias, with the section at a place of the guide prompt by prompt.

    Five queries, whatever the number of participants and prompts.
    """
    sections = list(room.sections.order_by("place"))
    prompts = list(Prompt.objects.filter(section__room=room).order_by("section__place", "place"))
    section = next((one for one in sections if one.place == place), None)
    shown = [prompt for prompt in prompts if section and prompt.section_id == section.pk]
    answers = _answers(room)
    completed = set(Completion.objects.filter(participant__room=room).values_list("participant", "section"))
    reminded = Reminder.objects.filter(participant=OuterRef("pk"), day=timezone.now().date())
    needed = _needed(sections, prompts)
    rows = []
    for airtime in fairness.airtime(room, was_reminded=Exists(reminded)):
        one = airtime.participant
        own = answers[one.pk]
        progress = [
            Progress(
                each,
                sum(prompt in own for prompt in needed[each.pk]),
                len(needed[each.pk]),
                (one.pk, each.pk) in completed,
            )
            for each in sections
        ]
        marks = [Mark(prompt, *own.get(prompt.pk, ())) for prompt in shown]
        rows.append(Row(one, airtime, progress, marks, one.was_reminded))
    rows.sort(key=lambda row: (row.participant.cell.place, row.participant.alias))
    return Board(sections, rows, section, shown)


def _answers(room: Room) -> dict[int, dict[int, tuple[int, str]]]:
    """By participant and prompt: the answer, and how it stands."""
    found = defaultdict(dict)
    rows = Answer.objects.filter(participant__room=room, withdrawn_at=None)
    for pk, who, prompt, is_private, hidden_at in rows.values_list(
        "pk", "participant", "prompt", "is_private", "hidden_at"
    ):
        state = "hidden" if hidden_at else "private" if is_private else "answered"
        found[who][prompt] = (pk, state)
    return found


def _needed(sections: list[Section], prompts: list[Prompt]) -> dict[int, list[int]]:
    """The prompts that complete each section: those required, or all where none is."""
    found = {section.pk: [] for section in sections}
    for prompt in prompts:
        found[prompt.section_id].append(prompt)
    return {
        section: [each.pk for each in several if each.is_required] or [each.pk for each in several]
        for section, several in found.items()
    }


def last_seen(room: Room, moment: datetime | None) -> str:
    """The day and the hour somebody was last there, on the clock of the room; no minute of it."""
    if moment is None:
        return ""
    local = room.in_its_zone(moment)
    return f"{local:%b} {local.day}, {local.hour % 12 or 12} {'am' if local.hour < 12 else 'pm'}"
