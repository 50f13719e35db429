"""What was said in a room, in the order of its guide, by alias and quota cell alone: what files of it are made from.

Names that were typed into it are left out: see `unnamed`. What was hidden or taken back is not in it; where something
stands under it, its place is kept, without a word and without an alias. The sponsor's version has nothing that went to
moderators alone.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from django.db.models import Prefetch, Q, QuerySet

from focusgroups.models import Answer, CodeMark, Message, Participant, Prompt, Room, Section
from focusgroups.sight import said_to_all
from focusgroups.smallness import cell_names
from focusgroups.unnamed import Unnamed

Kind = Message.Kind
MODERATOR = "Moderator"
HIDDEN, TAKEN_BACK = "Hidden by a moderator", "Taken back"
ANSWER = "Answer"
KINDS = {
    Kind.REPLY: "Reply",
    Kind.PROBE: "Question of a moderator",
    Kind.NOTE: "Note to the moderators",
    Kind.LIVE: "Live hour",
}


@dataclass(frozen=True)
class Line:
    """Something that was said. One with a `gone` says only that something stood here."""

    kind: str
    depth: int
    who: str = ""
    cell: str = ""
    day: date | None = None
    text: str = ""
    choices: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    to: str = ""  # the alias of who alone was asked or told
    is_private: bool = False
    is_edited: bool = False
    is_anew: bool = False
    gone: str = ""


@dataclass
class Asked:
    """A prompt of the guide, and all that was said under it."""

    prompt: Prompt
    number: str  # "2.1": of its section, and in it
    lines: list[Line]


@dataclass
class Part:
    section: Section
    number: int
    asked: list[Asked]


@dataclass
class Beside:
    """What was said elsewhere than under a prompt."""

    title: str
    lines: list[Line]


@dataclass
class Transcript:
    room: Room
    for_sponsor: bool
    parts: list[Part] = field(default_factory=list)
    beside: list[Beside] = field(default_factory=list)
    hidden: int = 0
    taken_back: int = 0

    def lines(self) -> Iterator[Line]:
        """All that was said, without the places of what is gone."""
        parts = [asked.lines for part in self.parts for asked in part.asked]
        for lines in (*parts, *(one.lines for one in self.beside)):
            yield from (line for line in lines if not line.gone)


def transcript_of(room: Room, *, for_sponsor: bool = False, names: Unnamed | None = None) -> Transcript:
    """Twelve queries, however much was said; nine with `names`."""
    drawing = Drawing(room, for_sponsor=for_sponsor, names=names)
    made = Transcript(room, for_sponsor, hidden=drawing.hidden, taken_back=drawing.taken_back)
    for number, section in enumerate(sections_of(room), 1):
        asked = [
            Asked(prompt, f"{number}.{place}", drawing.under(prompt))
            for place, prompt in enumerate(section.prompts.all(), 1)
        ]
        made.parts.append(Part(section, number, asked))
    hours = [
        Beside(f"Live hour: {hour.title}", drawing.of_hour(hour.pk))
        for hour in room.live_hours.order_by("starts_at")
    ]
    rest = [
        Beside("Asked beside the guide", drawing.beside(notes=False)),
        Beside("Notes to the moderators", drawing.beside(notes=True)),
    ]
    made.beside = [one for one in (*rest, *hours) if one.lines]
    return made


def sections_of(room: Room) -> list[Section]:
    """The guide of a room with its prompts and their options. Three queries."""
    prompts = Prompt.objects.order_by("place").prefetch_related("options")
    return list(room.sections.order_by("place").prefetch_related(Prefetch("prompts", prompts)))


def answers_of(room: Room, *, for_sponsor: bool) -> QuerySet[Answer]:
    """The answers of a room that stand; for its sponsor those that were given to all."""
    if for_sponsor:
        return said_to_all(room).answers
    return Answer.objects.standing().filter(participant__room=room)


def messages_of(room: Room, *, for_sponsor: bool) -> QuerySet[Message]:
    if for_sponsor:
        return said_to_all(room).messages
    return Message.objects.standing().filter(room=room)


def choices_of(prompt: Prompt, answer: Answer) -> tuple[str, ...]:
    """What was chosen, in words; of a ranking each with its place."""
    if answer.points is not None:
        return (f"{answer.points} of {prompt.points}",)
    texts = {option.pk: option.text for option in prompt.options.all()}
    chosen = [texts[pk] for pk in answer.chosen if pk in texts]
    if prompt.kind == Prompt.Kind.RANKED:
        chosen = [f"{place}. {text}" for place, text in enumerate(chosen, 1)]
    return tuple(chosen)


def codes_of(room: Room) -> tuple[dict[int, tuple[str, ...]], dict[int, tuple[str, ...]]]:
    """The codes of answers and of messages, by their numbers. One query."""
    answers, messages = defaultdict(list), defaultdict(list)
    marks = CodeMark.objects.filter(code__room=room).order_by("code__name")
    for answer, message, name in marks.values_list("answer", "message", "code__name"):
        (answers[answer] if answer else messages[message]).append(name)
    return (
        {pk: tuple(names) for pk, names in answers.items()},
        {pk: tuple(names) for pk, names in messages.items()},
    )


def place_of(message: Message) -> tuple[str, int]:
    """Under what a message stands that is no reply to another."""
    for name, number in [
        ("hour", message.live_hour_id),
        ("answer", message.answer_id),
        ("prompt", message.prompt_id),
    ]:
        if number:
            return name, number
    return "note" if message.kind == Kind.NOTE else "rest", 0


class Drawing:
    """Makes lines of what was said in a room. Nine queries; six with `names`."""

    def __init__(self, room: Room, *, for_sponsor: bool, names: Unnamed | None = None):
        self.room = room
        cells = cell_names(room)
        self.people = {
            pk: (alias, cells[cell])
            for pk, alias, cell in Participant.objects.filter(room=room).values_list("pk", "alias", "cell")
        }
        self.answer_codes, self.message_codes = codes_of(room)
        every_answer = Answer.objects.filter(participant__room=room)
        every_message = Message.objects.filter(room=room)
        self.answers, self.threads, self.roots = (defaultdict(list) for _ in range(3))
        to_all = Q(is_private=False)
        if for_sponsor:
            every_answer = every_answer.filter(to_all, prompt__is_private=False)
            above = Q(answer=None) | Q(answer__is_private=False, answer__prompt__is_private=False)
            every_message = every_message.filter(to_all, above)
        answers, messages = list(every_answer.order_by("posted_at", "pk")), list(every_message.order_by("pk"))
        self.names = names or Unnamed(room, [each.html for each in (*answers, *messages)])
        for answer in answers:
            self.answers[answer.prompt_id].append(answer)
        for message in messages:
            if message.parent_id:
                self.threads[message.parent_id].append(message)
            else:
                self.roots[place_of(message)].append(message)
        self.hidden = sum(1 for each in (*answers, *messages) if each.hidden_at and not each.withdrawn_at)
        self.taken_back = sum(1 for each in (*answers, *messages) if each.withdrawn_at)

    def under(self, prompt: Prompt) -> list[Line]:
        lines = []
        for answer in self.answers[prompt.pk]:
            own = replace(
                self._line(answer, ANSWER, 0),
                choices=choices_of(prompt, answer) if answer.is_standing else (),
                codes=self.answer_codes.get(answer.pk, ()) if answer.is_standing else (),
                is_private=answer.is_private or prompt.is_private,
                is_anew=answer.is_anew and answer.is_standing,
            )
            under = self._threads("answer", answer.pk, depth=1)
            lines += [own, *under] if under or not own.gone else []
        return lines + self._threads("prompt", prompt.pk)

    def of_hour(self, hour: int) -> list[Line]:
        return self._threads("hour", hour)

    def beside(self, *, notes: bool) -> list[Line]:
        """Neither under a prompt nor in a live hour."""
        return self._threads("note" if notes else "rest", 0)

    def _threads(self, *place, depth: int = 0) -> list[Line]:
        return [line for root in self.roots[place] for line in self._thread(root, depth)]

    def _thread(self, root: Message, depth: int) -> list[Line]:
        first = self._line(root, KINDS[root.kind], depth)
        under = [self._line(each, KINDS[each.kind], depth + 1) for each in self.threads[root.pk]]
        under = [line for line in under if not line.gone]
        return [first, *under] if under or not first.gone else []

    def _line(self, said: Answer | Message, kind: str, depth: int) -> Line:
        if not said.is_standing:
            return Line(kind, depth, gone=TAKEN_BACK if said.withdrawn_at else HIDDEN)
        who, cell = self.people.get(said.participant_id, (MODERATOR, ""))
        is_message = isinstance(said, Message)
        return Line(
            kind=kind,
            depth=depth,
            who=who,
            cell=cell,
            day=self.room.in_its_zone(said.posted_at).date(),
            text=self.names.words(said.html),
            codes=self.message_codes.get(said.pk, ()) if is_message else (),
            to=self.people.get(said.to_id, ("",))[0] if is_message else "",
            is_private=said.is_private,
            is_edited=said.edited_at is not None,
        )
