"""Polls through the gate of their discussions: what each is to a reader, and whether its result is open to them."""

from enum import StrEnum
from typing import NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Subquery, Value
from django.db.models.functions import JSONObject
from django.http import Http404

from accounts.models import Member, Specialty, User
from polls.models import Correction, Option, Poll, Receipt, Sight, Sponsor, Tally
from questions.models import Question
from questions.readers import shape_of, stand_in, values_of
from sermo.prepared import AnyOf, columns_of, instance_of, prepared

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


# Where there is a vote that a look at the result would give up.
UNTAKEN = (State.VOTE, State.READ_ONLY, State.OTHERS)


class IsAmong(Func):
    """The condition `value = ANY(array)`."""

    template, arg_joiner, arity = "%(expressions)s)", " = ANY(", 2
    output_field = BooleanField()


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
    sponsor = JSONObject(
        name="name",
        kind="kind",
        honorarium="honorarium",
        quota="quota",
        taken="taken",
        is_blinded="sponsorship__is_blinded",  # none: nothing stands behind the label
    )
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
