"""The pages of a room, made for one participant: agenda, prompts with one's own answer first, threads, live hours.

What may be read at all is decided in `sight`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When, Window
from django.db.models.functions import Coalesce, JSONObject, RowNumber
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from accounts.models import Notice, NoticeSettings, NoticeThread, User
from focusgroups import agenda as agendas
from focusgroups.agenda import Agenda, Stop
from focusgroups.forms import AnswerForm
from focusgroups.models import (
    Acceptance,
    Agreement,
    Answer,
    LiveHour,
    Message,
    Participant,
    Prompt,
    PromptOption,
    Quote,
    Room,
    Section,
    Sponsor,
    Stimulus,
)
from focusgroups.services import answering
from focusgroups.services.telling import about
from focusgroups.sight import SaidToAll, answers_for, messages_for, said_to_all
from focusgroups.terms import watched
from sermo.paging import page
from sermo.text import clip, plain

__all__ = ["SaidToAll", "answers_for", "messages_for", "preview_page", "room_page", "said_to_all", "seat_of"]

Kind = Message.Kind
POSTS = 24  # answers of others on the page of a section, over all of its prompts; the rest open one by one
MOST_EACH = 5  # of them under one prompt
FORMS = 18_000  # about so many bytes of forms stand on a page; the other prompts open one by one, too
PER_PAGE = 20  # on the page of a prompt
CROWDED = 10  # prompts of a section beyond which its page only counts what was said under answers
MESSAGES = 3  # the newest of a thread
THREADS = 40  # messages under all answers and probes of a page; the other threads are only counted
LONGEST_THREAD = 200
CHARACTERS = 30_000  # of all that is said, in full, on one page; what comes after is shortened
FEWER = 5_500  # where prompts are many
EXCERPT = 240
LINES = 200  # of a live hour, the newest
RECENT = timedelta(
    minutes=1
)  # before the last look; a line hidden or taken back since leaves the open pages, too
MODERATOR = "Moderator"
PREVIEW_ALIAS = "Example alias"


class Option(NamedTuple):
    pk: int
    text: str


@dataclass(frozen=True)
class Picture:
    """A stimulus as a page shows it; `url` is where it is looked at."""

    url: str
    description: str
    width: int
    height: int


@dataclass
class Shown:
    """An answer or message as somebody reads it."""

    pk: int
    anchor: str
    who: str
    posted_at: datetime
    state: str = ""  # "hidden", "withdrawn"
    why: str = ""  # of one's own words that were hidden: the reason
    html: str = ""
    excerpt: str = ""  # in place of the text, where a page is long
    choices: list[str] = field(default_factory=list)
    is_ranked: bool = False
    points: str = ""
    is_own: bool = False
    is_moderator: bool = False
    is_private: bool = False
    asks: str = ""  # of a probe: whom it asks
    is_edited: bool = False
    is_anew: bool = False  # an answer, after the earlier one was taken back
    url: str = ""  # where all of its thread stands, and is replied to
    may_reply: bool = False
    edit_url: str = ""
    withdraw_url: str = ""
    thread: list["Shown"] = field(default_factory=list)
    replies: int = 0

    @property
    def unshown(self) -> int:
        return self.replies - len(self.thread)

    @property
    def has_own_thread(self) -> bool:
        """Of a message under an answer: whether it is replied to by itself, since others read what is said there."""
        return bool(self.asks) or (self.is_private and self.is_moderator)


@dataclass
class Asked:
    """A prompt, and what its reader sees under it."""

    prompt: Prompt
    number: int
    form: AnswerForm | None = None
    own: Shown | None = None
    others: list[Shown] = field(default_factory=list)
    total: int = 0  # answers of others
    more_url: str = ""
    probes: list[Shown] = field(default_factory=list)
    waits: bool = False  # a moderator asked the reader something, which they read once they have answered
    url: str = ""
    answer_url: str = ""
    stimuli: list[Picture] = field(default_factory=list)
    hides_stimuli: bool = False  # until its reader has accepted the newest version of the agreement
    is_fresh: bool = False  # just answered: the keyboard goes on from there
    is_folded: bool = False  # the form for it opens on request
    was_answered: bool = False  # in another window, before what the form holds

    @property
    def is_answered(self) -> bool:
        return self.own is not None and self.own.state != "withdrawn"

    @property
    def unshown(self) -> int:
        return self.total - len(self.others)

    @property
    def how(self) -> str:
        """What kind of answer it wants, in words."""
        kind, most = self.prompt.kind, self.prompt.most
        return {
            Prompt.Kind.OPEN: "",
            Prompt.Kind.SINGLE: "One choice",
            Prompt.Kind.MULTIPLE: f"Up to {most} choices" if most else "Several choices",
            Prompt.Kind.RANKED: "A ranking: 1 is the best",
            Prompt.Kind.SCALE: f"From 1 to {self.prompt.points}",
        }[kind]


@dataclass
class RoomPage:
    """All that the page of a room shows."""

    room: Room
    alias: str
    agenda: Agenda
    zone: object
    stop: Stop | None = None
    asked: list[Asked] = field(default_factory=list)
    probes: list[Shown] = field(default_factory=list)
    needs_agreement: bool = False
    quotes_waiting: bool = False
    is_preview: bool = False

    @property
    def section(self) -> Section | None:
        return self.stop.section if self.stop else None

    @property
    def sponsor(self) -> Sponsor | None:
        return getattr(self.room, "sponsor", None)

    @property
    def is_over(self) -> bool:
        """A preview shows a group as if it ran."""
        return self.room.is_over and not self.is_preview

    @property
    def watching(self) -> str:
        """Who reads along, in a sentence."""
        return watched(self.room, self.sponsor)


class Budget:
    """How much a page still shows: characters in full, and messages of threads."""

    def __init__(self, left: int = CHARACTERS, messages: int = THREADS):
        self.left, self.messages = left, messages

    def give(self, html: str) -> dict:
        if len(html) <= max(self.left, EXCERPT):
            self.left -= len(html)
            return {"html": html}
        return {"excerpt": clip(plain(html), EXCERPT)}

    def newest(self, thread: list[Message]) -> list[Message]:
        """The end of a thread that there is still a place for."""
        shown = thread[-MESSAGES:] if self.messages >= MESSAGES else []
        self.messages -= len(shown)
        return shown


# Who reads


def seat_of(user: User, room_id: int) -> Participant:
    """The seat of who may see the inside of a room. Raises Http404."""
    member = user.as_member if user.is_authenticated else None
    if member is None:
        raise Http404("No focus group is open to this reader.")
    held = Notice.objects.filter(member=member, thread=OuterRef("pk"), held=True, read_at=None)
    told = NoticeThread.objects.filter(member=member, about=about(room_id))
    accepted = Acceptance.objects.filter(candidate=OuterRef("candidate"), agreement=OuterRef("newest"))
    newest = Agreement.objects.filter(room=OuterRef("room")).order_by("-version")
    seats = (
        Participant.objects.seated()
        .filter(room__in=Room.objects.entered_by(user).filter(pk=room_id), member=member)
        .select_related("room__sponsor")
        .annotate(
            zone_name=Subquery(
                NoticeSettings.objects.filter(member=OuterRef("member")).values("time_zone")[:1]
            ),
            newest=Subquery(newest.values("pk")[:1]),
            has_agreed=Exists(accepted),
            has_news=Exists(told.filter(Q(unread__gt=0) | Exists(held))),
            quotes_waiting=Exists(
                Quote.objects.filter(
                    Q(answer__participant=OuterRef("pk")) | Q(message__participant=OuterRef("pk")),
                    state=Quote.State.PROPOSED,
                )
            ),
        )
    )
    if (seat := seats.first()) is None:
        raise Http404("No focus group of this number is open to this reader.")
    seat.member = member
    seat.zone = agendas.zone_of(seat.zone_name)
    return seat


def agenda_of(participant: Participant) -> Agenda:
    paid_before = answering.paid_before(participant) if participant.replaces_id else set()
    return agendas.agenda_of(participant, zone=participant.zone, paid_before=paid_before)


# The page of a section


def room_page(participant: Participant, place: int | None = None) -> RoomPage:
    """The section at a place of the guide, or the one to go on with; without any while none is open.

    Raises Http404 for one that is not there or not open.
    """
    made = closed_page(participant)
    if place is None:
        made.stop = made.agenda.current()
    else:
        made.stop = next((one for one in made.agenda.released if one.section.place == place), None)
        if made.stop is None:
            raise Http404("No such section is open.")
    if made.stop:
        prompts = list(load_prompts(participant, made.stop.section))
        most = min(MOST_EACH, POSTS // max(1, len(prompts)))
        made.asked = asked_of(participant, prompts, most=most, is_crowded=len(prompts) > CROWDED, page=made)
    return made


def closed_page(participant: Participant) -> RoomPage:
    """What stands around the sections of a room."""
    return RoomPage(
        room=participant.room,
        alias=participant.alias,
        agenda=agenda_of(participant),
        zone=participant.zone,
        needs_agreement=needs_agreement(participant),
        quotes_waiting=participant.quotes_waiting,
    )


def needs_agreement(participant: Participant) -> bool:
    """Of a seat from `seat_of`, whether its reader has not accepted the newest version yet."""
    return participant.newest is not None and not participant.has_agreed


def preview_page(
    room: Room, section: Section | None = None, *, address: Callable[[Section], str] = lambda section: ""
) -> RoomPage:
    """The page of a section as a participant will find it, for a moderator. Nothing of it can be sent.

    `address` is where the page of another section is, for the agenda.
    """
    agenda = agendas.agenda_of_preview(room, address=address)
    stop = agenda.stop_of(section) if section else next(iter(agenda.stops), None)
    made = RoomPage(room=room, alias=PREVIEW_ALIAS, agenda=agenda, zone=room.zone, stop=stop, is_preview=True)
    if stop:
        prompts = load_prompts(None, stop.section)
        made.asked = [_asked(prompt, number) for number, prompt in enumerate(prompts, 1)]
        for one in made.asked:
            one.form = AnswerForm(prompt=one.prompt)
    return made


def load_prompts(participant: Participant | None, section: Section) -> QuerySet[Prompt]:
    options = PromptOption.objects.filter(prompt=OuterRef("pk")).order_by("place")
    stimuli = Stimulus.objects.filter(prompt=OuterRef("pk")).order_by("place")
    waiting = Message.objects.standing().filter(to=participant, prompt=OuterRef("pk"))
    return section.prompts.order_by("place").annotate(
        option_rows=ArraySubquery(options.values(row=JSONObject(pk="pk", text="text"))),
        stimulus_rows=ArraySubquery(
            stimuli.values(
                row=JSONObject(key="key", description="description", width="width", height="height")
            )
        ),
        waits=Exists(waiting) if participant else Value(False),
    )


def load_prompt(participant: Participant, prompt_id: int) -> tuple[Prompt, int]:
    """One prompt of an open section, and its number there. Raises Http404."""
    sections = participant.room.sections.released().filter(prompts__pk=prompt_id)
    if (section := sections.first()) is None:
        raise Http404("No such prompt is open.")
    rows = load_prompts(participant, section)
    for number, prompt in enumerate(rows, 1):
        if prompt.pk == prompt_id:
            prompt.section = section
            return _with_options(prompt), number
    raise Http404("No such prompt is open.")


def _with_options(prompt: Prompt) -> Prompt:
    prompt.shown_options = [Option(**row) for row in prompt.option_rows]
    return prompt


def _asked(prompt: Prompt, number: int) -> Asked:
    _with_options(prompt)
    room_id = prompt.section.room_id
    stimuli = [
        Picture(_stimulus_url(room_id, row["key"]), row["description"], row["width"], row["height"])
        for row in prompt.stimulus_rows
    ]
    return Asked(
        prompt=prompt,
        number=number,
        stimuli=stimuli,
        url=reverse("focusgroups:prompt", args=[room_id, prompt.pk]),
        answer_url=reverse("focusgroups:answer", args=[room_id, prompt.pk]),
    )


def _stimulus_url(room_id: int, key: str) -> str:
    return reverse("focusgroups:stimulus", args=[room_id, key])


def asked_of(
    participant: Participant,
    prompts: list[Prompt],
    *,
    most: int = MOST_EACH,
    is_crowded: bool = False,
    page: RoomPage | None = None,
    first: int = 1,
) -> list[Asked]:
    """Prompts with all that the participant sees under them. Two queries: answers, and messages."""
    asked = {prompt.pk: _asked(prompt, number) for number, prompt in enumerate(prompts, first)}
    if needs_agreement(participant) and not participant.room.is_over:
        for one in asked.values():
            one.stimuli, one.hides_stimuli = [], bool(one.stimuli)
    budget = Budget(FEWER, messages=0) if is_crowded else Budget()
    drawn = Drawing(participant, {pk: one.prompt for pk, one in asked.items()})
    rows = _first_answers(participant, asked, most)
    threads = Threads(participant, answers=[row.pk for row in rows], prompts=asked, of_room=page is not None)
    for row in rows:
        one = asked[row.prompt_id]
        shown = drawn.answer(row, budget)
        threads.put_under(shown, ("answer", row.pk), drawn, budget)
        if row.participant_id == participant.pk:
            one.own, one.total = shown, row.total - 1
        else:
            one.others.append(shown)
    forms = FORMS
    for pk, one in asked.items():
        one.probes = threads.probes_of(pk, drawn, budget)
        one.waits = one.prompt.waits and not one.is_answered
        if not one.is_answered:
            one.others, one.total = [], 0
            if not participant.room.is_over:
                one.form = AnswerForm(prompt=one.prompt) if forms > 0 else None
                one.is_folded, forms = one.form is None, forms - _weight(one.prompt)
    if page:
        page.probes = threads.probes_of(None, drawn, budget)
    return list(asked.values())


def _weight(prompt: Prompt) -> int:
    """About how many bytes its form takes; a ranking offers each place for each option."""
    choices = prompt.points or len(prompt.shown_options)
    words = 900 if prompt.kind == Prompt.Kind.OPEN or prompt.asks_why else 300
    each = 150 + (40 * choices if prompt.kind == Prompt.Kind.RANKED else 0)
    return words + choices * each + sum(len(option.text) for option in prompt.shown_options)


def _first_answers(participant: Participant, prompts: Iterable[int], most: int) -> list[Answer]:
    """Of each prompt one's own answer and the newest of the others."""
    is_own = Case(When(participant=participant, then=0), default=1)
    rank = Window(
        RowNumber(), partition_by=F("prompt"), order_by=[is_own.asc(), F("posted_at").desc(), F("pk").desc()]
    )
    rows = answers_for(participant).filter(prompt__in=list(prompts)).defer("source")
    rows = rows.annotate(
        alias=F("participant__alias"),
        rank=rank,
        total=Window(Count("pk"), partition_by=F("prompt")),
    )
    return list(rows.filter(rank__lte=most + 1).order_by("prompt", "rank"))


class Drawing:
    """Makes what is shown of rows, for one reader."""

    def __init__(self, participant: Participant, prompts: dict[int, Prompt]):
        self.participant, self.prompts = participant, prompts
        self.is_over = participant.room.is_over

    def answer(self, row: Answer, budget: Budget) -> Shown:
        prompt, is_own = self.prompts[row.prompt_id], row.participant_id == self.participant.pk
        shown = self._of(row, "answer", is_own, budget)
        if shown.state:
            return shown
        shown.is_anew = row.is_anew
        texts = {option.pk: option.text for option in prompt.shown_options}
        shown.choices = [texts[number] for number in row.chosen if number in texts]
        shown.is_ranked = prompt.kind == Prompt.Kind.RANKED
        shown.points = f"{row.points} of {prompt.points}" if row.points else ""
        is_young = timezone.now() <= row.posted_at + answering.EDITABLE
        if is_own and is_young and not self.is_over and (prompt.kind == Prompt.Kind.OPEN or prompt.asks_why):
            shown.edit_url = self._url("edit_answer", row)
        return shown

    def message(self, row: Message, budget: Budget) -> Shown:
        is_own = row.participant_id == self.participant.pk
        shown = self._of(row, "message", is_own, budget)
        if row.kind == Kind.PROBE and not shown.state:
            shown.asks = "asks you alone" if row.to_id else "asks everyone"
        return shown

    def _of(self, row: Answer | Message, name: str, is_own: bool, budget: Budget) -> Shown:
        is_moderator = name == "message" and row.participant_id is None
        shown = Shown(
            pk=row.pk,
            anchor=f"{name}-{row.pk}",
            who=MODERATOR if is_moderator else row.alias,
            posted_at=row.posted_at,
            is_own=is_own,
            is_moderator=is_moderator,
            is_private=row.is_private or (name == "answer" and self.prompts[row.prompt_id].is_private),
            state="withdrawn" if row.withdrawn_at else "hidden" if row.hidden_at else "",
            url=self._url(f"reply_to_{name}", row),
        )
        if is_own and shown.state == "hidden":
            shown.why = row.hidden_why
        if is_own and not row.withdrawn_at and not self.is_over:
            shown.withdraw_url = self._url(f"withdraw_{name}", row)
        if not shown.state:
            shown.may_reply = not self.is_over
            shown.is_edited = row.edited_at is not None
            for said, value in budget.give(row.html).items():
                setattr(shown, said, value)
        return shown

    def _url(self, name: str, row: Answer | Message) -> str:
        return reverse(f"focusgroups:{name}", args=[self.participant.room_id, row.pk])


class Threads:
    """What was said under answers, and the probes about prompts or the whole room with what was said to them.

    The newest of each thread, in one query.
    """

    def __init__(
        self, participant: Participant, *, answers: list[int], prompts: Iterable[int], of_room: bool
    ):
        wanted = Q(answer__in=answers) | Q(answer=None, prompt__in=list(prompts))
        if of_room:
            wanted |= Q(Q(kind=Kind.PROBE) | Q(parent__kind=Kind.PROBE), answer=None, prompt=None)
        root = Case(When(answer=None, then=Coalesce("parent", "pk")), default=None)
        is_first = Case(When(answer=None, parent=None, then=0), default=1)
        thread = [F("answer"), F("root")]
        rows = messages_for(participant).exclude(kind__in=[Kind.LIVE, Kind.NOTE]).filter(wanted)
        rows = rows.annotate(
            alias=F("participant__alias"),
            root=root,
            rank=Window(RowNumber(), partition_by=thread, order_by=[is_first.asc(), F("pk").desc()]),
            total=Window(Count("pk"), partition_by=thread),
        )
        self.rows: dict[tuple, list[Message]] = defaultdict(list)
        self.roots: dict[int | None, list[Message]] = defaultdict(list)
        for row in rows.filter(rank__lte=MESSAGES + 1).defer("source").order_by("pk"):
            if row.answer_id is None and row.parent_id is None:
                self.roots[row.prompt_id].append(row)
            else:
                place = ("answer", row.answer_id) if row.answer_id else ("probe", row.root)
                self.rows[place].append(row)

    def put_under(self, shown: Shown, place: tuple, drawn: Drawing, budget: Budget) -> None:
        rows = self.rows[place]
        if not rows:
            return
        shown.replies = rows[-1].total - (place[0] == "probe")
        shown.thread = [drawn.message(row, budget) for row in budget.newest(rows)]

    def probes_of(self, prompt: int | None, drawn: Drawing, budget: Budget) -> list[Shown]:
        found = []
        for row in self.roots[prompt]:
            shown = drawn.message(row, budget)
            self.put_under(shown, ("probe", row.pk), drawn, budget)
            found.append(shown)
        return found


# The pages of a prompt, of a thread, of one's notes


def prompt_page(participant: Participant, prompt: Prompt, number: int, *, after: str | None = None) -> Asked:
    """A prompt with one page of the others' answers, the newest first."""
    asked = asked_of(participant, [prompt], most=1, first=number)[0]
    if not asked.is_answered:
        return asked
    rows = answers_for(participant).filter(prompt=prompt).exclude(participant=participant)
    rows = rows.defer("source").annotate(alias=F("participant__alias"))
    found = page(rows, order=("-posted_at", "-pk"), after=after, size=PER_PAGE)
    budget, drawn = Budget(), Drawing(participant, {prompt.pk: prompt})
    threads = Threads(participant, answers=[row.pk for row in found], prompts=[], of_room=False)
    asked.others = []
    for row in found:
        shown = drawn.answer(row, budget)
        threads.put_under(shown, ("answer", row.pk), drawn, budget)
        asked.others.append(shown)
    asked.more_url = f"{asked.url}?after={found.next}" if found.next else ""
    return asked


@dataclass
class Thread:
    """An answer or message, and all that was said under it."""

    shown: Shown
    prompt: Prompt | None
    messages: list[Shown]
    unshown: int = 0
    is_private: bool = False
    is_message: bool = False  # of a probe or note, not of an answer


def thread_of_answer(participant: Participant, answer_id: int) -> tuple[Answer, Thread]:
    """Raises Http404 for what the participant may not see."""
    rows = answers_for(participant).annotate(alias=F("participant__alias")).filter(pk=answer_id)
    if (row := rows.first()) is None:
        raise Http404("No such answer is open to this reader.")
    prompt = load_prompt(participant, row.prompt_id)[0]
    drawn = Drawing(participant, {prompt.pk: prompt})
    shown = drawn.answer(row, Budget())
    return row, _thread(participant, drawn, shown, prompt, Q(answer=row.pk))


def thread_of_message(participant: Participant, message_id: int) -> tuple[Message, Thread]:
    """The thread a message stands in: of a probe, of something private, or else of an answer. Raises Http404."""
    rows = messages_for(participant).exclude(kind=Kind.LIVE).annotate(alias=F("participant__alias"))
    row = rows.filter(pk=message_id).first()
    if row is None:
        raise Http404("No such message is open to this reader.")
    root = row if row.parent_id is None else rows.filter(pk=row.parent_id).first()
    if root is None:
        raise Http404("No such message is open to this reader.")
    if row.answer_id and root.kind != Kind.PROBE and not root.is_private:
        _, thread = thread_of_answer(participant, row.answer_id)
        return row, thread
    prompt = load_prompt(participant, root.prompt_id)[0] if root.prompt_id else None
    drawn = Drawing(participant, {})
    return row, _thread(participant, drawn, drawn.message(root, Budget()), prompt, Q(parent=root.pk))


def _thread(
    participant: Participant, drawn: Drawing, shown: Shown, prompt: Prompt | None, under: Q
) -> Thread:
    rows = messages_for(participant).filter(under).exclude(kind=Kind.LIVE)
    found = list(rows.annotate(alias=F("participant__alias")).order_by("-pk")[: LONGEST_THREAD + 1])
    budget = Budget(10 * CHARACTERS)
    messages = [drawn.message(row, budget) for row in reversed(found[:LONGEST_THREAD])]
    is_message = not shown.anchor.startswith("answer")
    return Thread(shown, prompt, messages, len(found) > LONGEST_THREAD, shown.is_private, is_message)


def own_message(participant: Participant, message_id: int) -> Message:
    """Raises Http404."""
    rows = Message.objects.filter(participant=participant, pk=message_id, withdrawn_at=None)
    if (row := rows.select_related("parent").annotate(alias=F("participant__alias")).first()) is None:
        raise Http404("One takes back what one has said.")
    return row


def shown_alone(participant: Participant, row: Message) -> Shown:
    return Drawing(participant, {}).message(row, Budget())


def when(participant: Participant, moment: datetime) -> agendas.When:
    return agendas.When(moment, participant.zone, participant.room.zone)


def notes_of(participant: Participant) -> list[Shown]:
    """One's own notes to the moderators, and what was said to them, in the order of the threads."""
    is_note = Q(kind=Kind.NOTE) | Q(parent__kind=Kind.NOTE)
    rows = messages_for(participant).filter(is_note).annotate(alias=F("participant__alias"))
    found = reversed(rows.order_by("-pk")[:LONGEST_THREAD])
    drawn, budget = Drawing(participant, {}), Budget(10 * CHARACTERS)
    roots: dict[int, Shown] = {}
    for row in found:
        shown = drawn.message(row, budget)
        if row.parent_id in roots:
            roots[row.parent_id].thread.append(shown)
        else:
            roots[row.pk] = shown
    return list(roots.values())


# Live hours


class Lines(NamedTuple):
    """What was said in a live hour: lines in order, those to be drawn anew, and where and when the next look begins."""

    lines: list[Shown]
    changed: list[Shown]
    after: int
    since: int  # seconds since 1970


def live_hour_of(participant: Participant, live_hour_id: int) -> LiveHour:
    """Raises Http404."""
    live_hour = participant.room.live_hours.filter(pk=live_hour_id).first()
    if live_hour is None:
        raise Http404("No such live hour is in this room.")
    return live_hour


def lines_of(participant: Participant, live_hour: LiveHour, *, after: int = 0, since: int = 0) -> Lines:
    """The newest lines, or those since `after`; with the latter, earlier ones that were hidden since the last look."""
    rows = messages_for(participant).filter(live_hour=live_hour, kind=Kind.LIVE)
    now = timezone.now()
    if after:
        last = (datetime.fromtimestamp(since, UTC) if since else now) - RECENT
        changed = Q(hidden_at__gte=last) | Q(withdrawn_at__gte=last)
        rows = rows.filter(Q(pk__gt=after) | changed)
    found = list(rows.annotate(alias=F("participant__alias")).order_by("-pk")[:LINES])[::-1]
    drawn, budget = Drawing(participant, {}), Budget(10 * CHARACTERS)
    fresh = [drawn.message(row, budget) for row in found if row.pk > after]
    changed = [drawn.message(row, budget) for row in found if row.pk <= after]
    after = max([after, *(shown.pk for shown in fresh)])
    return Lines(fresh, changed, after, int(now.timestamp()))
