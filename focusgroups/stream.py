"""All that is said in a room, the newest first, as its moderators read it: also what is private or hidden."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from focusgroups import fairness
from focusgroups.fairness import Hint
from focusgroups.models import Answer, CodeMark, Message, Prompt, PromptOption, Quote, Room
from focusgroups.sight import is_private
from sermo.paging import Page, beyond, cut, key_of
from sermo.text import clip, plain

Kind = Message.Kind
SIZE = 25
EXCERPT = 160
LONGEST_THREAD = 200
ORDER = ("-posted_at", "-rank", "-pk")
MODERATOR = "Moderator"
ANSWER, MESSAGE = "answer", "message"
MODELS = {ANSWER: Answer, MESSAGE: Message}
RANKS = {ANSWER: 1, MESSAGE: 0}  # of two said at the same moment
STATES = {
    "unanswered": "No reply from moderators",
    "notes": "Notes without a reply",
    "private": "To moderators alone",
    "hidden": "Hidden",
    "anew": "Hidden, then given anew",
    "leading": "Questions that may lead",
}


@dataclass(frozen=True)
class Filter:
    """What of a stream is wanted; nothing: all. Numbers are of rows of the room."""

    section: int | None = None
    prompt: int | None = None
    cell: int | None = None
    participant: int | None = None
    code: int | None = None
    state: str = ""


class Tag(NamedTuple):
    mark: int
    name: str


@dataclass
class Item:
    """An answer or message as moderators read it."""

    said: Answer | Message
    kind: str
    tags: list[Tag] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    choices: list[str] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        return f"{self.kind}-{self.said.pk}"

    @property
    def is_moderator(self) -> bool:
        return self.said.participant_id is None

    @property
    def who(self) -> str:
        return MODERATOR if self.is_moderator else self.said.participant.alias

    @property
    def cell(self) -> str:
        return "" if self.is_moderator else self.said.participant.cell.name

    @property
    def state(self) -> str:
        return "withdrawn" if self.said.withdrawn_at else "hidden" if self.said.hidden_at else ""

    @property
    def waits_for_a_look(self) -> bool:
        return self.said.waits_for_a_look

    @property
    def prompt(self) -> Prompt | None:
        return self.said.prompt

    @property
    def is_private(self) -> bool:
        return is_private(self.said)

    @property
    def does(self) -> str:
        """What it is, in words."""
        if self.kind == ANSWER:
            return "answered"
        said = self.said
        if said.kind == Kind.PROBE:
            return f"asked {said.to.alias} alone" if said.to_id else "asked everyone"
        if said.kind == Kind.NOTE:
            return "wrote to the moderators"
        if said.kind == Kind.LIVE:
            return f"in “{said.live_hour.title}”"
        return f"replied to {said.to.alias} alone" if said.to_id else "replied"

    @property
    def under(self) -> tuple[str, str] | None:
        """Of what it stands under: who said it, and the beginning of it."""
        above = None if self.kind == ANSWER else self.said.answer or self.said.parent
        if above is None:
            return None
        who = above.participant.alias if above.participant_id else MODERATOR
        return who, clip(plain(above.html), EXCERPT) or "words that are gone"

    @property
    def points(self) -> str:
        points = self.said.points if self.kind == ANSWER else None
        return f"{points} of {self.said.prompt.points}" if points else ""


# What is loaded


def answers_of(room: Room) -> QuerySet[Answer]:
    rows = Answer.objects.filter(participant__room=room).annotate(rank=Value(RANKS[ANSWER]))
    return rows.select_related("participant__cell", "prompt__section")


def messages_of(room: Room) -> QuerySet[Message]:
    rows = room.messages.annotate(rank=Value(RANKS[MESSAGE]))
    return rows.select_related(
        "participant__cell",
        "prompt__section",
        "answer__participant",
        "answer__prompt",
        "parent__participant",
        "to",
        "live_hour",
    )


def find(room: Room, kind: str, number: int) -> Answer | Message | None:
    rows = {ANSWER: answers_of, MESSAGE: messages_of}
    return rows[kind](room).filter(pk=number).first() if kind in rows else None


def stream(room: Room, wanted: Filter, *, after: str | None = None, size: int = SIZE) -> Page:
    """A page of items. Five queries."""
    answers, messages = _wanted_answers(room, wanted), _wanted_messages(room, wanted)
    if wanted.state == "anew":
        messages = messages.none()
    if wanted.state == "leading":
        answers, messages = answers.none(), messages.filter(pk__in=_leading(messages))
    if wanted.state == "notes":
        answers, messages = answers.none(), messages.filter(pk__in=unanswered_notes(room).values("pk"))
    if key := key_of(after, ORDER):
        answers, messages = _beyond(answers, key), _beyond(messages, key)
    found = [row for rows in (answers, messages) for row in rows.order_by("-posted_at", "-pk")[: size + 1]]
    found.sort(key=_key, reverse=True)
    page = cut(found[: size + 1], size, _key)
    return Page(draw(page.rows), page.next)


def _key(row) -> tuple:
    return row.posted_at, row.rank, row.pk


def _beyond(rows: QuerySet, key: list) -> QuerySet:
    """A cursor that nobody could have got from here is taken as the first page."""
    is_ours = hasattr(key[0], "tzinfo") and all(isinstance(each, int) for each in key[1:])
    return rows.filter(beyond(ORDER, key)) if is_ours else rows


def _wanted_answers(room: Room, wanted: Filter) -> QuerySet[Answer]:
    rows = answers_of(room).filter(_of_participant(wanted))
    if wanted.section:
        rows = rows.filter(prompt__section=wanted.section)
    if wanted.prompt:
        rows = rows.filter(prompt=wanted.prompt)
    if wanted.state == "private":
        rows = rows.filter(Q(is_private=True) | Q(prompt__is_private=True))
    if wanted.state == "unanswered":
        by_moderator = Message.objects.standing().filter(participant=None, answer=OuterRef("pk"))
        rows = rows.standing().filter(~Exists(by_moderator))
    if wanted.state == "anew":
        rows = rows.filter(pk__in=given_anew(room).values("pk"))
    return _with_hidden(rows, wanted)


def _wanted_messages(room: Room, wanted: Filter) -> QuerySet[Message]:
    rows = messages_of(room).filter(_of_participant(wanted))
    if wanted.section:
        rows = rows.filter(prompt__section=wanted.section)
    if wanted.prompt:
        rows = rows.filter(prompt=wanted.prompt)
    if wanted.state == "private":
        is_under_private = Q(answer__is_private=True) | Q(answer__prompt__is_private=True)
        rows = rows.filter(Q(is_private=True) | is_under_private)
    if wanted.state == "unanswered":
        rows = rows.standing().filter(~Exists(_replies_of_moderators()), participant__isnull=False)
        rows = rows.exclude(kind=Kind.LIVE)
    return _with_hidden(rows, wanted)


def _replies_of_moderators() -> QuerySet[Message]:
    """What moderators said after a message in its thread."""
    later = Message.objects.standing().filter(participant=None, pk__gt=OuterRef("pk"))
    root = Coalesce(OuterRef("parent"), OuterRef("pk"))
    return later.filter(Q(answer=OuterRef("answer")) | Q(parent=root))


def _of_participant(wanted: Filter) -> Q:
    found = Q()
    if wanted.cell:
        found &= Q(participant__cell=wanted.cell)
    if wanted.participant:
        found &= Q(participant=wanted.participant)
    if wanted.code:
        found &= Q(marks__code=wanted.code)
    return found


def _with_hidden(rows: QuerySet, wanted: Filter) -> QuerySet:
    return rows.filter(hidden_at__isnull=False, withdrawn_at=None) if wanted.state == "hidden" else rows


def _leading(messages: QuerySet[Message]) -> list[int]:
    """Of the newest words of moderators, those that a pattern finds."""
    own = messages.standing().filter(participant=None).exclude(kind=Kind.LIVE)
    newest = own.order_by("-pk").values_list("pk", "html")[: fairness.PROBES]
    return [pk for pk, html in newest if fairness.hints(plain(html))]


# What is shown


def draw(rows: Iterable[Answer | Message]) -> list[Item]:
    """Rows with their codes and quotes, and what was chosen in words. Three queries."""
    items = [Item(row, ANSWER if isinstance(row, Answer) else MESSAGE) for row in rows]
    about = Q(answer__in=_numbers(items, ANSWER)) | Q(message__in=_numbers(items, MESSAGE))
    tags, quotes = defaultdict(list), defaultdict(list)
    for mark in CodeMark.objects.filter(about).select_related("code").order_by("code__name"):
        tags[_place(mark)].append(Tag(mark.pk, mark.code.name))
    for quote in Quote.objects.filter(about):
        quotes[_place(quote)].append(quote)
    chosen = {number for item in items if item.kind == ANSWER for number in item.said.chosen}
    texts = dict(PromptOption.objects.filter(pk__in=chosen).values_list("pk", "text")) if chosen else {}
    for item in items:
        place = (item.kind, item.said.pk)
        item.tags, item.quotes = tags[place], quotes[place]
        if item.kind == ANSWER:
            item.choices = [texts[number] for number in item.said.chosen if number in texts]
        elif item.is_moderator and item.said.kind != Kind.LIVE:
            item.hints = fairness.hints(plain(item.said.html))
    return items


def _numbers(items: list[Item], kind: str) -> list[int]:
    return [item.said.pk for item in items if item.kind == kind]


def _place(row: CodeMark | Quote) -> tuple[str, int]:
    return (ANSWER, row.answer_id) if row.answer_id else (MESSAGE, row.message_id)


def thread_of(said: Answer | Message, room: Room) -> list[Item]:
    """What stands in the same thread, the oldest first; of a long one the newest."""
    if isinstance(said, Answer):
        wanted = Q(answer=said)
    elif said.answer_id:
        wanted = Q(answer=said.answer_id)
    elif said.kind == Kind.LIVE:
        return []
    else:
        root = said.parent_id or said.pk
        wanted = Q(parent=root) | Q(pk=root)
    rows = messages_of(room).filter(wanted).exclude(pk=said.pk if isinstance(said, Message) else None)
    return draw(reversed(rows.order_by("-pk")[:LONGEST_THREAD]))


def given_anew(room: Room) -> QuerySet[Answer]:
    """Answers that are still hidden though their authors gave them anew, so that a moderator should look again."""
    rows = Answer.objects.filter(participant__room=room, withdrawn_at=None, hidden_at__isnull=False)
    return rows.filter(posted_at__gt=F("hidden_at"))


def unanswered_notes(room: Room) -> QuerySet[Message]:
    """Notes of participants to which no moderator has said anything."""
    notes = room.messages.standing().filter(kind=Kind.NOTE, participant__isnull=False)
    return notes.filter(~Exists(_replies_of_moderators()))
