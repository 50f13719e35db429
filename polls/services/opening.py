"""Opening a poll: on its own, or attached to a discussion that its asker has open."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Member, Specialty
from polls.models import Option, Poll, Tally
from polls.models.polls import FEWEST_OPTIONS, MOST_DAYS, MOST_OPTIONS, SCALE
from polls.services import trends
from questions.models import Post, Question
from questions.services import limits, telling, writing
from sermo.errors import RuleBroken
from sermo.text import plain, searchable

ADDABLE = (Poll.Kind.SINGLE, Poll.Kind.MULTIPLE)  # kinds whose options readers may add to
# Fields of a poll that its plan decides.
PLANNED = (
    *("kind", "prompt", "shown", "may_change", "may_add", "low_label", "high_label"),
    *("closes_at", "specialties", "states", "tiers"),
)
DRAFT_PLACE = "poll"  # no draft is kept of a poll, and that of a question is left alone


class OptionsRefused(RuleBroken):
    """`place` is the option it is about, counted from 0; none: all of them."""

    def __init__(self, message: str | None = None, place: int | None = None):
        super().__init__(message)
        self.place = place


class NumberOfOptions(OptionsRefused):
    message = f"Write {FEWEST_OPTIONS} to {MOST_OPTIONS} options."


class SameOption(OptionsRefused):
    message = "This option is there already. Each needs other words."


class NoPrompt(RuleBroken):
    message = "Write what the poll asks."


class DaysOutOfBounds(RuleBroken):
    message = f"A poll is open for 1 to {MOST_DAYS} days."


class CannotBeAddedTo(RuleBroken):
    message = "Readers can add options only where one or several are chosen."


class TooFewInvited(RuleBroken):
    """The message says how many members a poll needs."""

    def __init__(self, least: int):
        super().__init__(
            f"Fewer than {least} members could vote. Open the poll to more, so that nobody's choice can be guessed."
        )


class HasPoll(RuleBroken):
    message = "This discussion has a poll already. There is one to each."


class PollBesideAnswers(RuleBroken):
    message = (
        "This discussion takes no poll: readers answer it on their own first, and a poll would show them what "
        "others think."
    )


class PollAmongInvited(RuleBroken):
    message = "A private consult takes no poll: among so few a result would say who voted how."


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a poll is to be. A scale has its own options; `prompt` is of an attached poll.

    With `closes_at` it closes then; `days` is how many that is, of which the last one may be a whole day more.
    """

    kind: str
    options: tuple[str, ...] = ()
    days: int
    closes_at: datetime | None = None
    prompt: str = ""
    shown: str = Poll.Shown.VOTED
    may_change: bool = False
    may_add: bool = False
    low_label: str = ""
    high_label: str = ""
    specialties: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()


@transaction.atomic
def open_poll(
    *,
    asker: Member,
    title: str,
    source: str,
    specialties: Iterable[Specialty],
    plan: Plan,
    tags: Iterable[str] = (),
    audience: str = Question.Audience.PHYSICIANS,
    peers_only: bool = False,
    byline: str | None = None,
    byline_confirmed: bool = False,
    submission: UUID | None = None,
    waves: int | None = None,
) -> Poll:
    """Start a discussion that is a poll; with `waves` the first of so many monthly ones.

    The same submission twice makes one and returns it. Raises what `check` and `trends.begin` raise, TooFewInvited,
    and what `questions.services.writing.open_question` raises.
    """
    check(plan)
    if waves:
        trends.check(waves=waves, days=plan.days)
    question = writing.open_question(
        asker=asker,
        kind=Question.Kind.POLL,
        title=title,
        source=source,
        specialties=specialties,
        tags=tags,
        audience=audience,
        peers_only=peers_only,
        byline=byline,
        byline_confirmed=byline_confirmed,
        submission=submission,
        draft_place=DRAFT_PLACE,
    )
    if earlier := Poll.objects.filter(question=question).first():
        return _same_as(earlier, plan, otherwise=writing.SentBefore)
    poll = make(question, plan)
    if waves:
        trends.begin(poll=poll, waves=waves, days=plan.days)
    return poll


@transaction.atomic
def attach_poll(*, question: Question, by: Member, plan: Plan) -> Poll:
    """Put a poll into one's own open discussion. The same one twice is one and is returned.

    Raises NoPrompt, what `check` raises, PollAmongInvited, PollBesideAnswers, TooFewInvited, HasPoll, and of questions'
    refusals NotOpen, NotYours, ReadOnly and Held.
    """
    if not plan.prompt:
        raise NoPrompt
    check(plan)
    question = writing.lock_open(question)
    if question.asker_id != by.pk:
        raise writing.NotYours
    if not by.may_write:
        raise writing.ReadOnly
    if question.is_private:
        raise PollAmongInvited
    if question.answer_first:
        raise PollBesideAnswers
    limits.check_not_held(by)
    if earlier := Poll.objects.filter(question=question).first():
        return _same_as(earlier, plan, otherwise=HasPoll)
    poll = make(question, plan)
    writing.touch(question, poll.opened_at)  # else it could close for silence while the poll is open
    return poll


def _same_as(poll: Poll, plan: Plan, *, otherwise: type[RuleBroken]) -> Poll:
    """The poll, where it is the one that was planned: the form came twice. Raises `otherwise`."""
    planned = _planned(poll.question, plan, opened_at=poll.opened_at)
    asked = tuple(poll.options.filter(is_added=False).values_list("text", flat=True))
    same = all(getattr(poll, field) == getattr(planned, field) for field in PLANNED)
    if not same or asked != texts_of(plan):
        raise otherwise
    return poll


def check(plan: Plan) -> None:
    """Raises NumberOfOptions, SameOption, DaysOutOfBounds, CannotBeAddedTo."""
    check_texts(texts_of(plan))
    if not 1 <= plan.days <= MOST_DAYS:
        raise DaysOutOfBounds
    now = timezone.now()
    if plan.closes_at and not now < plan.closes_at <= now + timedelta(days=MOST_DAYS + 1):
        raise DaysOutOfBounds
    if plan.may_add and plan.kind not in ADDABLE:
        raise CannotBeAddedTo


def check_texts(texts: Iterable[str]) -> None:
    """Raises NumberOfOptions, SameOption."""
    texts = [folded(text) for text in texts]
    if not FEWEST_OPTIONS <= len(texts) <= MOST_OPTIONS or not all(texts):
        raise NumberOfOptions
    for place, text in enumerate(texts):
        if text in texts[:place]:
            raise SameOption(place=place)


def folded(text: str) -> str:
    """An option as it is compared with others. The database compares in lower case, so this does too."""
    return " ".join(text.split()).lower()


@contextmanager
def each_once() -> Iterator[None]:
    """Around writing options: the database knows letters that are the same where Python does not (a final sigma)."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "option_text_once" in str(error):
            raise SameOption from error
        raise


def texts_of(plan: Plan) -> tuple[str, ...]:
    if plan.kind == Poll.Kind.SCALE:
        return tuple(str(point) for point in range(1, SCALE + 1))
    return tuple(" ".join(text.split()) for text in plan.options)


def make(question: Question, plan: Plan, *, least: int | None = None) -> Poll:
    """Write the rows of a poll that was checked, on a locked or new discussion. Raises TooFewInvited, SameOption.

    `least` is how many members it must be open to where it is for some; POLL_LEAST_INVITED unless said.
    """
    least = settings.POLL_LEAST_INVITED if least is None else least
    poll = _planned(question, plan, opened_at=timezone.now())
    poll.invited = invited(poll)
    if poll.invited < least and poll.is_for_some:
        raise TooFewInvited(least)
    poll.save()
    texts = texts_of(plan)
    with each_once():
        Option.objects.bulk_create(
            Option(poll=poll, place=place, text=text) for place, text in enumerate(texts)
        )
    Tally.objects.create(poll=poll, counts=[0] * len(texts))
    question.has_poll = True
    question.save(update_fields=["has_poll"])
    make_searchable(poll)
    return poll


def _planned(question: Question, plan: Plan, *, opened_at: datetime) -> Poll:
    """The poll of a plan, not saved."""
    is_scale = plan.kind == Poll.Kind.SCALE
    return Poll(
        question=question,
        kind=plan.kind,
        prompt=plan.prompt,
        shown=plan.shown,
        may_change=plan.may_change,
        may_add=plan.may_add,
        low_label=plan.low_label if is_scale else "",
        high_label=plan.high_label if is_scale else "",
        opened_at=opened_at,
        closes_at=plan.closes_at or opened_at + timedelta(days=plan.days),
        specialties=list(plan.specialties),
        states=list(plan.states),
        tiers=list(plan.tiers),
    )


def invited(poll: Poll) -> int:
    """How many members a poll is open to who can read its discussion."""
    return poll.members().filter(pk__in=telling.readers(poll.question).values("pk")).count()


def make_searchable(poll: Poll) -> None:
    """Let the opening of a discussion be found by the words of its poll too; whoever rewrites it calls this after."""
    opening = Post.objects.select_for_update().get(question=poll.pk, kind=Post.Kind.OPENING)
    title = Question.objects.values_list("title", flat=True).get(pk=poll.pk)
    options = poll.options.values_list("text", flat=True) if poll.kind != Poll.Kind.SCALE else ()
    labels = (poll.low_label, poll.high_label)
    opening.search_text = searchable(title, plain(opening.html), poll.prompt, *options, *labels)
    opening.save(update_fields=["search_text"])
