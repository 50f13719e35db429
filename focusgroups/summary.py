"""The outcome of a room on one page: who took part, what each prompt came to, codes and quotes.

There are two versions. Those who run the room read every figure; what is made for its sponsor has nothing that went to
moderators alone, and no number of fewer than five.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import Count, F, Q

from focusgroups import quoted
from focusgroups.charts import Chart, chart_of
from focusgroups.models import CodeMark, Completion, Participant, Room, Section
from focusgroups.quoted import Quoted
from focusgroups.smallness import FEW, LEAST, SMALLER, cell_names
from focusgroups.transcripts import answers_of, messages_of, sections_of


class Figure(NamedTuple):
    label: str
    value: str
    of: str = ""


class CodeLine(NamedTuple):
    """How often a code was given, and to how many people's words."""

    name: str
    times: str
    people: str


@dataclass
class Part:
    section: Section
    number: int
    completed: str
    charts: list[Chart]


@dataclass
class Summary:
    room: Room
    for_sponsor: bool
    sponsor: str = ""  # as participants read it
    figures: list[Figure] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    codes: list[CodeLine] = field(default_factory=list)
    quotes: list[Quoted] = field(default_factory=list)


def of_room(room: Room) -> Summary:
    """For those who run it."""
    return _summary(room, for_sponsor=False)


def report(room: Room) -> Summary:
    """What may be handed to its sponsor."""
    return _summary(room, for_sponsor=True)


def for_sponsor(room: Room) -> Summary | None:
    """What the sponsor's people may read of it themselves: once it has closed, and as the room says who watches.

    Where they read figures alone, quotes are not among them.
    """
    if room.closed_at is None or room.canceled_at or room.watching == Room.Watching.NOBODY:
        return None
    made = report(room)
    if room.watching != Room.Watching.WORDS:
        made.quotes = []
    return made


def _summary(room: Room, *, for_sponsor: bool) -> Summary:
    """At most sixteen queries."""
    outside = cell_names(room)
    inside = dict(room.cells.order_by("place").values_list("pk", "name"))
    cells = {pk: name for pk, name in outside.items() if name != SMALLER} if for_sponsor else inside
    label = getattr(room, "sponsor", None)
    shown = _Shown(for_sponsor)
    given = defaultdict(list)
    answers = (
        answers_of(room, for_sponsor=for_sponsor).annotate(cell_id=F("participant__cell")).order_by("pk")
    )
    for answer in answers.defer("html", "source"):
        given[answer.prompt_id].append(answer)
    completed = Counter(Completion.objects.filter(section__room=room).values_list("section", flat=True))
    parts = [
        Part(
            section,
            number,
            shown.number(completed[section.pk]),
            [
                chart_of(prompt, given[prompt.pk], cells, number=f"{number}.{place}", for_sponsor=for_sponsor)
                for place, prompt in enumerate(section.prompts.all(), 1)
            ],
        )
        for number, section in enumerate(sections_of(room), 1)
    ]
    return Summary(
        room=room,
        for_sponsor=for_sponsor,
        sponsor=label.shown if label else "",
        figures=_figures(room, [answer for some in given.values() for answer in some], shown),
        parts=parts,
        codes=_codes(room, shown),
        quotes=quoted.quotes_of(room, for_sponsor=for_sponsor, cells=outside),
    )


class _Shown:
    def __init__(self, for_sponsor: bool):
        self.for_sponsor = for_sponsor

    def number(self, count: int) -> str:
        return FEW if self.for_sponsor and 0 < count < LEAST else f"{count:,}"


def _figures(room: Room, answers: list, shown: _Shown) -> list[Figure]:
    seats = Participant.objects.filter(room=room).aggregate(
        all=Count("pk"), left=Count("pk", filter=Q(left_at__isnull=False))
    )
    messages = messages_of(room, for_sponsor=shown.for_sponsor).filter(participant__isnull=False)
    said = list(messages.values_list("participant", "words"))
    speakers = {answer.participant_id for answer in answers} | {who for who, _ in said}
    words = sum(answer.words for answer in answers) + sum(number for _, number in said)
    each = round(words / len(speakers)) if speakers else 0
    few = shown.for_sponsor and len(speakers) < LEAST
    return [
        Figure(
            "Took part", shown.number(seats["all"]), "" if shown.for_sponsor else f"of {room.seats} seats"
        ),
        *([] if shown.for_sponsor else [Figure("Left before the end", str(seats["left"]))]),
        Figure("Said something", shown.number(len(speakers))),
        Figure("Answers", FEW if few else f"{len(answers):,}"),
        Figure("Replies and notes" if not shown.for_sponsor else "Replies", FEW if few else f"{len(said):,}"),
        Figure("Words", FEW if few else f"{words:,}", "" if few or not each else f"{each:,} each"),
    ]


def _codes(room: Room, shown: _Shown) -> list[CodeLine]:
    """The codes by how many people they were given to, those that a sponsor may not count left out."""
    answers = answers_of(room, for_sponsor=shown.for_sponsor).values("pk")
    messages = messages_of(room, for_sponsor=shown.for_sponsor).values("pk")
    marks = CodeMark.objects.filter(Q(answer__in=answers) | Q(message__in=messages), code__room=room)
    times, people = Counter(), defaultdict(set)
    rows = marks.values_list("code__name", "answer__participant", "message__participant")
    for name, of_answer, of_message in rows:
        times[name] += 1
        people[name] |= {of_answer or of_message} - {None}  # a moderator is none of them
    names = sorted(times, key=lambda name: (-len(people[name]), -times[name], name))
    return [
        CodeLine(name, f"{times[name]:,}", f"{len(people[name]):,}")
        for name in names
        if not shown.for_sponsor or len(people[name]) >= LEAST
    ]
