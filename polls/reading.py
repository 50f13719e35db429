"""What a reader sees of a poll: whether they may vote, and of its results what is open to them. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Subquery, Value
from django.db.models.functions import JSONObject
from django.http import Http404
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.models import Member, Specialty, User
from accounts.roles import is_moderator
from polls import counting, words
from polls.cookies import Kept
from polls.models import Ballot, Correction, Option, Poll, Receipt, Sight, Sponsor, Tally
from polls.results import Ranking, percent, rank
from polls.services import concerns, voting
from questions.models import Question
from questions.readers import shape_of, stand_in, values_of
from sermo.prepared import AnyOf, columns_of, instance_of, prepared
from sermo.recent import Recent

_final_rankings = Recent(200)  # of polls that are over, whose ballots change no more
LEAST_SHOWN = 5  # votes of a poll for some members only, before which its result is shown to nobody


class State(StrEnum):
    """What a poll is to one reader now."""

    VOTE = "vote"  # may vote, or look instead
    READ_ONLY = "read_only"  # would be asked, but may not write
    VOTED = "voted"
    FORFEITED = "forfeited"
    OTHERS = "others"  # is open to others now; specialty and state can change
    OVER = "over"
    GONE = "gone"  # with its discussion, which a moderator sees, and may put back


UNTAKEN = (
    State.VOTE,
    State.READ_ONLY,
    State.OTHERS,
)  # there is a vote that a look at the result would give up


class IsAmong(Func):
    """The condition `value = ANY(array)`."""

    template, arg_joiner, arity = "%(expressions)s)", " = ANY(", 2
    output_field = BooleanField()


# Loading


class Beside(NamedTuple):
    """What one query brings beside the rows of discussion, poll and tally."""

    options: list
    corrections: list
    sponsor: dict | None
    receipt: str | None
    is_taken: bool
    is_addressed: bool
    has_seen: bool
    specialty_names: list
    waves: int | None


class Loaded(NamedTuple):
    """A poll that came through the gate of its discussion, with all that is said of it to this reader."""

    user: User
    poll: Poll
    tally: Tally
    options: list[Option]
    beside: Beside

    @property
    def member(self) -> Member | None:
        return self.user.as_member

    @property
    def is_over(self) -> bool:
        return self.poll.is_over or self.poll.question.status == Question.Status.CLOSED

    @property
    def state(self) -> State:
        member, receipt = self.member, self.beside.receipt
        if self.poll.question.is_removed:
            return State.GONE
        if self.is_over:
            return State.OVER
        if receipt:
            return State.VOTED if receipt == Receipt.Kind.VOTED else State.FORFEITED
        if member is None or not self.beside.is_addressed or not self.poll.is_for(member):
            return State.OTHERS
        return State.VOTE if member.may_write else State.READ_ONLY

    @property
    def has_voted(self) -> bool:
        return self.beside.receipt == Receipt.Kind.VOTED

    @property
    def has_results(self) -> bool:
        """Whether there are results that anybody may see by now."""
        if self.state == State.GONE or (self.poll.shown == Poll.Shown.CLOSED and not self.is_over):
            return False
        return not self.is_too_few

    @property
    def is_too_few(self) -> bool:
        return self.poll.is_for_some and self.tally.voters < LEAST_SHOWN

    @property
    def waits_for_end(self) -> bool:
        """Whether nothing is shown by group before the end, since votes may still change."""
        return self.poll.may_change and not self.is_over

    @property
    def shows_results(self) -> bool:
        """Whether this reader may see results now; a member does not before they voted or gave it up.

        Nor does one it is not open to: else a changed profile would show the result, and changed back give a vote.
        """
        return self.has_results and (self.state not in UNTAKEN or self.member is None)

    @property
    def may_look(self) -> bool:
        """Whether there is a result for which this member could give up their vote."""
        may = self.has_results and self.state in UNTAKEN and self.member is not None
        return may and self.tally.voters > 0


def load_poll(user: User, question_id: int) -> Loaded:
    """The poll of a discussion. Raises Http404 where there is none that this reader may see."""
    found = _load(user, "question", question=question_id)
    if not found:
        raise Http404("No poll of this number is open to this reader.")
    return found[0]


def load_polls(user: User, question_ids: list[int]) -> dict[int, Loaded]:
    """Polls by their numbers, as far as this reader may see them."""
    found = _load(user, "ids", ids=question_ids) if question_ids else []
    return {loaded.poll.pk: loaded for loaded in found}


def load_waves(user: User, trend_id: int) -> list[Loaded]:
    """The polls of a trend, the first wave first."""
    return sorted(_load(user, "trend", trend=trend_id), key=lambda loaded: loaded.poll.wave)


def _load(user: User, by: str, **which) -> list[Loaded]:
    rows = _polls((shape_of(user), by), **values_of(user), **which)
    return [_loaded(user, row) for row in rows]


def _loaded(user: User, row: tuple) -> Loaded:
    beside, rest = Beside(*row[: len(Beside._fields)]), list(row[len(Beside._fields) :])
    made = []
    for model in (Question, Poll, Tally):
        size = len(model._meta.concrete_fields)
        made.append(instance_of(model, rest[:size]))
        del rest[:size]
    question, poll, tally = made
    poll.question = question
    return Loaded(user, poll, tally, [Option(poll=poll, **option) for option in beside.options], beside)


@prepared
def _polls(shape, *, reader, reader_specialty, **which):
    reader_shape, by = shape
    user = stand_in(reader_shape, reader, reader_specialty)
    member = user.as_member
    condition = {
        "question": lambda: {"pk": which["question"]},
        "trend": lambda: {"poll__trend": which["trend"]},
        "ids": dict,
    }[by]()
    rows = Question.objects.visible_to(user).filter(poll__isnull=False, **condition)
    if by == "ids":
        rows = rows.filter(AnyOf("pk", which["ids"]))
    own = {"poll": OuterRef("pk"), "member": member}
    option = JSONObject(place="place", text="text", is_added="is_added", after_votes="after_votes")
    correction = JSONObject(was="was", became="became", made_at="made_at")
    sponsor = JSONObject(name="name", kind="kind", honorarium="honorarium", quota="quota")
    asked = Specialty.objects.filter(IsAmong(F("code"), OuterRef("poll__specialties"))).order_by("name")
    return rows.values_list(
        ArraySubquery(Option.objects.filter(poll=OuterRef("pk")).order_by("place").values_list(option)),
        ArraySubquery(
            Correction.objects.filter(poll=OuterRef("pk")).order_by("made_at", "pk").values_list(correction)
        ),
        Subquery(Sponsor.objects.filter(poll=OuterRef("pk")).values_list(sponsor)[:1]),
        Subquery(Receipt.objects.filter(**own).values("kind")[:1]),
        Exists(Receipt.objects.filter(poll=OuterRef("pk"))),
        _is_addressed(member),
        Exists(Sight.objects.filter(**own)),
        ArraySubquery(asked.values("name")),
        F("poll__trend__waves"),
        *columns_of(Question),
        *columns_of(Poll, "poll"),
        *columns_of(Tally, "poll__tally"),
    )


def _is_addressed(member: Member | None):
    if member is None:
        return Value(False, output_field=BooleanField())
    return Exists(Question.objects.filter(pk=OuterRef("pk")).addressed_to(member))


# The card


@dataclass(frozen=True)
class Line:
    """An option, to choose or with what it got."""

    place: int
    text: str
    low_high: str = ""  # what an end of a scale means
    is_added: bool = False
    after_votes: int = 0
    is_chosen: bool = False  # in the form
    rank: int | None = None  # chosen, in the form of a ranking
    count: int = 0
    percent: int = 0
    own: str = ""  # "your vote", "your 2nd"


@dataclass
class Card:
    """A poll as one reader sees it. What is shown of results is asked for only where they are."""

    loaded: Loaded
    own: Kept | None = None  # what this browser remembers of one's vote
    marks: dict[int, int] | None = None  # after a refusal: what was chosen, with the place given to it
    refused: str = ""
    said: str = ""
    is_fresh: bool = False  # takes the place of the card whose button was just pressed
    token: str = ""
    started: str = ""
    in_list: bool = False

    def __getattr__(self, name):
        if name == "loaded":
            raise AttributeError(name)
        return getattr(self.loaded, name)

    @property
    def pk(self) -> int:
        return self.poll.pk

    @property
    def prompt(self) -> str:
        return self.poll.prompt

    @property
    def heading(self) -> str:
        return self.poll.prompt or self.poll.question.title

    @property
    def is_attached(self) -> bool:
        return self.poll.question.kind != Question.Kind.POLL

    @property
    def takes_form(self) -> bool:
        """Whether one votes in it right here; in a list only where one tap chooses."""
        one_tap = self.poll.kind in (Poll.Kind.SINGLE, Poll.Kind.SCALE)
        return self.state == State.VOTE and (one_tap or not self.in_list)

    @property
    def may_change(self) -> bool:
        """Whether this browser can change one's vote: it alone has the token."""
        return self.can_be_changed and self.own is not None and not self.in_list

    @property
    def can_be_changed(self) -> bool:
        return self.poll.may_change and self.state == State.VOTED

    @property
    def may_add(self) -> bool:
        member = self.member
        asked = member is not None and member.may_write and self.state in (State.VOTE, State.VOTED)
        return self.poll.may_add and asked and not self.in_list

    @property
    def may_close(self) -> bool:
        is_asker = self.member is not None and self.member.pk == self.poll.question.asker_id
        may_write = self.member is None or self.member.may_write
        return not self.is_over and may_write and (is_asker or self.can_moderate) and not self.in_list

    @property
    def may_edit(self) -> bool:
        """Whether it is one's own, and nobody has voted yet."""
        is_asker = self.member is not None and self.member.pk == self.poll.question.asker_id
        return is_asker and self.may_close and not self.beside.is_taken

    @property
    def can_moderate(self) -> bool:
        return is_moderator(self.user)

    @property
    def kind_words(self) -> str:
        return {
            Poll.Kind.SINGLE: "Choose one.",
            Poll.Kind.MULTIPLE: "Choose any number.",
            Poll.Kind.RANKED: "Rank as many as you like.",
            Poll.Kind.SCALE: "Choose from 1 to 5.",
        }[self.poll.kind]

    @property
    def audience(self) -> str:
        return words.audience(self.poll, self.beside.specialty_names)

    @property
    def ended_at(self) -> datetime:
        return self.poll.closed_at or self.poll.closes_at

    @cached_property
    def places_of_ranking(self) -> list[tuple[int, str]]:
        return [(number, words.ordinal(number)) for number in range(1, len(self.options) + 1)]

    # To choose from

    @property
    def wording(self) -> str:
        return voting.wording_of([option.text for option in self.options])

    @cached_property
    def lines(self) -> list[Line]:
        """The options of the form, with what is chosen in it; no number of any vote."""
        marks = self.marks
        if marks is None:
            own = self.own.choices if self.may_change else ()
            marks = {place: number for number, place in enumerate(own, start=1)}
        return [
            Line(
                option.place,
                option.text,
                low_high=self._end_of_scale(option.place),
                is_added=option.is_added,
                is_chosen=option.place in marks,
                rank=marks.get(option.place),
            )
            for option in self.options
        ]

    def _end_of_scale(self, place: int) -> str:
        if self.poll.kind != Poll.Kind.SCALE:
            return ""
        return {0: self.poll.low_label, len(self.options) - 1: self.poll.high_label}.get(place, "")

    # Results; for templates only where `shows_results`

    @property
    def voters(self) -> int:
        return self.tally.voters

    @cached_property
    def bars(self) -> list[Line]:
        own = self.own.choices if self.own and self.has_voted else ()
        return [
            Line(
                option.place,
                option.text,
                low_high=self._end_of_scale(option.place),
                is_added=option.is_added,
                after_votes=option.after_votes,
                count=count,
                percent=percent(count, self.tally.voters),
                own=self._own_mark(own, option.place),
            )
            for option, count in zip(self.options, self.tally.counts, strict=False)
        ]

    def _own_mark(self, own: Sequence[int], place: int) -> str:
        if place not in own:
            return ""
        ranked = self.poll.kind == Poll.Kind.RANKED
        return f"your {words.ordinal(own.index(place) + 1)}" if ranked else "your vote"

    @property
    def spread(self) -> str:
        is_scale = self.poll.kind == Poll.Kind.SCALE
        return words.spread(counting.spread(self.tally.counts)) if is_scale else ""

    @property
    def method(self) -> str:
        return words.method(self.poll, voters=self.tally.voters, seen=self.tally.seen)

    @cached_property
    def upheld(self) -> int:
        return 0 if self.in_list else concerns.upheld_count(self.poll.pk)

    @cached_property
    def ranking(self) -> Ranking | None:
        if self.poll.kind != Poll.Kind.RANKED or self.in_list or not self.tally.voters:
            return None
        texts = [option.text for option in self.options]
        key = (self.pk, self.poll.closed_at, *texts)
        found = _final_rankings.get(key) if self.poll.closed_at else None
        if found is None:
            found = rank(texts, list(Ballot.objects.filter(poll=self.poll).values_list("choices", flat=True)))
            if self.poll.closed_at:
                _final_rankings.put(key, found)
        return found

    @property
    def own_words(self) -> list[str]:
        """What one chose, as far as this browser knows; said where no result marks it."""
        own = self.own.choices if self.own and self.has_voted else ()
        texts = {option.place: option.text for option in self.options}
        return [texts[place] for place in own if place in texts]

    # Beside the question and its result

    @property
    def corrections(self) -> list[tuple[str, str, date]]:
        return [
            (each["was"], each["became"], timezone.localtime(datetime.fromisoformat(each["made_at"])).date())
            for each in self.beside.corrections
        ]

    @cached_property
    def sponsor(self) -> dict | None:
        """What is said of who pays, before the first question."""
        paid = self.beside.sponsor
        return paid and {
            "name": paid["name"],
            "kind": Sponsor.Kind(paid["kind"]).label,
            "honorarium": words.dollars(paid["honorarium"]),
            "minutes": words.minutes(self.tally.seconds),
            "left": max(paid["quota"] - self.tally.voters, 0),
        }
