"""Putting a case to the members on call, step by step, until one accepts or answers.

The row knows when the next step is due, so that it does not matter which worker dies when: whoever looks next takes the
steps that are due, each once. Locks are taken in the order discussion, paging, calls, specialty, members who may be
called (those somebody else holds are left alone, see `routing.candidates`), notices; an answer, a closing and a step of
one case come one after the other.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import Kind, Member, Specialty
from accounts.services import notices
from consults import tasks_on_call
from consults.models import Call, Case, Paging
from consults.services import duties, routing
from questions.models import Post, Question
from questions.services import limits
from questions.services.writing import ReadOnly
from sermo.errors import RuleBroken

log = structlog.get_logger(__name__)
State, Step = Paging.State, Paging.Step
LADDER = tuple(Step)
LIVE = (State.OPEN, State.ACCEPTED)
DAY = timedelta(days=1)
PATIENCE = timedelta(minutes=1)  # with a step that cannot reach somebody, since their row is held
AGAIN = timedelta(seconds=2)


class NotYours(RuleBroken):
    message = "Only who opened a case can page colleagues for it."


class NotPageable(RuleBroken):
    message = "Colleagues are paged for open cases that ask for help."


class SolvedAlready(RuleBroken):
    message = "This case is solved."


class NotAddressed(RuleBroken):
    message = "This specialty cannot read the case. Choose one the case is addressed to."


class UnknownUrgency(RuleBroken):
    message = "Say how urgent it is."


class PagedOften(RuleBroken):
    message = "You have paged as often as one may in a day. Your case stays open to all its readers."


@dataclass
class News:
    """Who is told at the end of a transaction, and of what."""

    paged: list[int] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)  # top answerers who are not on duty
    has_overflown: bool = False


# Starting and stopping


@transaction.atomic
def start(*, case: Case, by: Member, specialty: Specialty, urgency: str) -> Paging:
    """Page the members on call of a specialty. While a paging of the same specialty runs, it is that one.

    The first is called at once. Raises NotYours, NotPageable, SolvedAlready, NotAddressed, UnknownUrgency, PagedOften,
    and questions.services.writing.ReadOnly and limits.Held.
    """
    question = Question.objects.select_for_update().get(pk=case.pk)
    case = Case.objects.get(pk=case.pk)
    if question.asker_id != by.pk:
        raise NotYours
    if not by.may_write:
        raise ReadOnly
    limits.check_not_held(by)
    if not question.is_open or case.is_teaching or case.is_withdrawn:
        raise NotPageable
    if question.is_solved:
        raise SolvedAlready
    if urgency not in Paging.Urgency:
        raise UnknownUrgency
    if not is_addressed(question, specialty):
        raise NotAddressed
    lasting = Paging.objects.filter(case=case, specialty=specialty, state__in=LIVE).first()
    if lasting:
        return lasting
    now = timezone.now()
    lately = Paging.objects.filter(case__question__asker=by, started_at__gt=now - DAY)
    if lately.count() >= settings.ON_CALL_STARTED_A_DAY:
        raise PagedOften
    paging = Paging.objects.create(
        case=case, specialty=specialty, urgency=urgency, started_at=now, next_at=now
    )
    _take_due(paging, None)
    log.info("paging_started", paging=paging.pk)
    return paging


def is_addressed(question: Question, specialty: Specialty) -> bool:
    """Whether members of a specialty are among the readers of a case at all, which nobody is who was not invited."""
    if question.is_private or not (specialty.is_choice and specialty.is_physician):
        return False
    if question.audience != Question.Audience.SPECIALTY:
        return True
    return question.specialties.filter(pk=specialty.pk).exists()


@transaction.atomic
def stop(*, paging: Paging, by: Member) -> Paging:
    """End a paging; what nobody decided yet expires. One that has ended stays as it is. Raises NotYours."""
    paging = lock(paging.pk)
    if paging.case.question.asker_id != by.pk:
        raise NotYours
    if paging.state in LIVE:
        end(paging, State.STOPPED)
    return paging


def stop_of(case_id: int) -> None:
    """End all pagings of a case that is closed, solved or gone, in a transaction that holds its discussion."""
    for paging in Paging.objects.select_for_update().filter(case=case_id, state__in=LIVE).order_by("pk"):
        end(paging, State.STOPPED)


def lock(paging_id: int) -> Paging:
    """A paging, locked after its discussion, with both and its case loaded. Raises Paging.DoesNotExist."""
    case_id = Paging.objects.values_list("case", flat=True).get(pk=paging_id)
    question = Question.objects.select_for_update().get(pk=case_id)
    paging = Paging.objects.select_for_update(of=("self",)).select_related("case").get(pk=paging_id)
    paging.case.question = question
    return paging


def end(paging: Paging, state: str, now: datetime | None = None) -> None:
    """End a locked paging, and with it the calls that nobody decided."""
    now = now or timezone.now()
    paging.state, paging.next_at, paging.ended_at = state, None, now
    paging.save(update_fields=["state", "next_at", "ended_at", "first_heard_at"])
    expire(paging, now)


def expire(paging: Paging, now: datetime) -> None:
    """Let the open calls of a locked paging expire."""
    paging.calls.filter(state__in=Call.OPEN).update(state=Call.State.EXPIRED, decided_at=now)


# Going on


@transaction.atomic
def advance(paging_id: int, now: datetime | None = None) -> int:
    """Take the steps of a paging that are due, each once and in order, and return how many.

    After an outage all steps that fell into it are taken at once, to those who are on call now; unless it outlasted
    the paging, which then ends and pages nobody.
    """
    paging = lock(paging_id)
    moment = now or timezone.now()
    if paging.state != State.OPEN or paging.next_at is None or paging.next_at > moment:
        return 0
    if is_over(paging):
        end(paging, State.STOPPED, moment)
        return 0
    return _take_due(paging, now)


def is_over(paging: Paging) -> bool:
    question = paging.case.question
    return not question.is_open or question.is_solved or paging.case.is_withdrawn


def _take_due(paging: Paging, now: datetime | None) -> int:
    """Take what is due of a locked open paging, then tell whom it reached."""
    duties.lock(paging.specialty_id)
    moment = now or timezone.now()  # not before the lock is held: by then shifts may have ended
    news, taken = News(), 0
    if end_of(paging) <= moment:
        end(paging, State.UNHEARD, moment)
        taken = 1
    while paging.state == State.OPEN and paging.next_at <= moment:
        if not _take(paging, step_after(paging.step), moment, news):
            break
        taken += 1
    _tell(paging, news)
    if paging.next_at:
        tasks_on_call.nudge_at(paging.pk, max(paging.next_at, moment + AGAIN))
    return taken


def _take(paging: Paging, step: Step, moment: datetime, news: News) -> bool:
    """Whether the step is done; not while somebody whom it should reach is held by another transaction."""
    busy: set[int] = set()
    if step == Step.OVERFLOW:
        found, asked = routing.top_answerers(paging, moment, busy=busy)
    else:
        found = routing.ranked(routing.candidates(paging, moment, busy=busy), f"{paging.pk}:{step.value}")
        found, asked = found if step == Step.ALL else found[:1], []
    for one in found:
        call(paging, one, step, moment)
    news.paged += [one.member for one in found]
    if busy and (step == Step.ALL or not found) and moment < paging.next_at + PATIENCE:
        return False
    if step == Step.OVERFLOW:
        news.asked, news.has_overflown = asked, True
    paging.next_at += gap_after(paging, step)
    paging.step = step
    if step == LADDER[-1]:
        paging.next_at = max(paging.next_at, moment + timedelta(minutes=settings.ON_CALL_GRACE_MINUTES))
    paging.save(update_fields=["step", "next_at"])
    return True


def call(paging: Paging, one: routing.Candidate, step: int, moment: datetime) -> Call:
    return Call.objects.create(
        paging=paging, member_id=one.member, duty_id=one.duty, step=step, sent_at=moment
    )


def step_after(step: int | None) -> Step | None:
    """The next step of the ladder; None after the last one, when nothing but the end is to come."""
    place = 0 if step is None else LADDER.index(Step(step)) + 1
    return LADDER[place] if place < len(LADDER) else None


def gap_after(paging: Paging, step: int) -> timedelta:
    """From when a step is due to when the next is, or the end that follows the last one.

    What is due follows from what was due before: a paging that was accepted for a while goes on with its usual gaps.
    """
    return _after_start(paging, step_after(step)) - _after_start(paging, step)


def end_of(paging: Paging) -> datetime:
    """When an open paging ends, if nobody accepts it before."""
    step = step_after(paging.step)
    if step is None:
        return paging.next_at
    return paging.next_at + _after_start(paging, None) - _after_start(paging, step)


def _after_start(paging: Paging, step: int | None) -> timedelta:
    """Of a step of a paging that runs through, or with None of its end."""
    if step is None:
        return timedelta(minutes=settings.ON_CALL_OPEN_MINUTES[paging.urgency])
    return timedelta(minutes=settings.ON_CALL_MINUTES[LADDER.index(Step(step))])


def reopen(paging: Paging, now: datetime | None = None) -> None:
    """After whoever accepted left it, the clock of a locked paging starts anew where its ladder stood.

    A colleague to whom it was handed has time to answer, each later step comes after its usual time, then the end.
    """
    now = now or timezone.now()
    gap = gap_after(paging, paging.step) if step_after(paging.step) else _after_start(paging, None)
    paging.state = State.OPEN
    paging.next_at = now + max(gap, timedelta(minutes=settings.ON_CALL_HANDED_MINUTES))
    paging.save(update_fields=["state", "next_at"])
    tasks_on_call.nudge_at(paging.pk, paging.next_at)


def due(now: datetime) -> list[int]:
    """The pagings with a step to take, the longest due first."""
    rows = Paging.objects.filter(state=State.OPEN, next_at__lte=now)
    return list(rows.order_by("next_at", "pk").values_list("pk", flat=True))


def outlived(now: datetime) -> list[int]:
    """Pagings that run though their case is closed or solved, or that were accepted long ago and not answered."""
    closed = ~Q(case__question__status=Question.Status.OPEN) | Q(case__question__solved_at__isnull=False)
    rows = Paging.objects.filter(closed | _forgotten(now), state__in=LIVE)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _forgotten(now: datetime) -> Q:
    long_ago = now - timedelta(hours=settings.ON_CALL_ACCEPTED_HOURS)
    accepted = Call.objects.filter(paging=OuterRef("pk"), state=Call.State.ACCEPTED)
    return Q(Exists(accepted.filter(decided_at__lt=long_ago)), state=State.ACCEPTED)


@transaction.atomic
def stop_outlived(paging_id: int) -> None:
    """End a paging that still is one of `outlived`, and tell the asker if it was accepted and forgotten."""
    paging, now = lock(paging_id), timezone.now()
    if paging.pk not in outlived(now):
        return
    is_forgotten = not is_over(paging)
    end(paging, State.STOPPED, now)
    if is_forgotten:
        tell_asker(paging, f"forgotten:{paging.pk}")


def abandoned() -> list[int]:
    """Accepted pagings whose acceptor cannot answer any more: not verified, read-only, suspended or gone."""
    accepted = Call.objects.filter(paging=OuterRef("pk"), state=Call.State.ACCEPTED)
    able = accepted.filter(member__standing=Member.Standing.PHYSICIAN, member__user__is_active=True)
    rows = Paging.objects.filter(~Exists(able), state=State.ACCEPTED)
    return list(rows.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def free(paging_id: int) -> None:
    """Look for somebody else in a paging that still is one of `abandoned`."""
    paging, now = lock(paging_id), timezone.now()
    if paging.pk in abandoned() and not is_over(paging):
        paging.calls.filter(state=Call.State.ACCEPTED).update(state=Call.State.EXPIRED, decided_at=now)
        reopen(paging, now)


# Answers and acceptance


def note_answer(post: Post) -> None:
    """A called member who answers has heard the page, in the transaction that holds the discussion."""
    live = Paging.objects.filter(case=post.question_id, state__in=LIVE, calls__member=post.author_id)
    for paging in Paging.objects.select_for_update().filter(pk__in=live.values("pk")).order_by("pk"):
        paging.first_heard_at = paging.first_heard_at or post.posted_at
        paging.calls.filter(member=post.author_id).update(
            state=Call.State.ANSWERED, decided_at=post.posted_at
        )
        end(paging, State.ANSWERED, post.posted_at)


def tell_asker(paging: Paging, key: str) -> None:
    """Tell who opened the case; `key` says of what, see notices_on_call."""
    notices.tell(
        members=[paging.case.question.asker_id],
        kind=Kind.CASE,
        target=paging.pk,
        about=about(paging),
        key=f"paging:{key}",
    )


def tell_paged(paging: Paging, members: list[int], *, again: str = "") -> None:
    """Tell who is paged; `again` tells apart what is sent to somebody for the second time."""
    notices.tell(
        members=members,
        kind=Kind.ON_CALL,
        target=paging.pk,
        about=about(paging),
        key=f"paging:call:{paging.pk}{again}",
    )


def about(paging: Paging) -> str:
    return f"paging:{paging.pk}"


def _tell(paging: Paging, news: News) -> None:
    """Tell who was paged, top answerers, and the asker that nobody was found yet, or at all."""
    if news.paged:
        tell_paged(paging, news.paged)
    if paging.state == State.UNHEARD:
        tell_asker(paging, f"unheard:{paging.pk}")
    elif news.has_overflown:
        deed = notices.Deed(paging.pk, about(paging), f"paging:overflow:{paging.pk}")
        asker = paging.case.question.asker_id
        notices.tell_first(kinds={Kind.CASE: [asker], Kind.ASKED: news.asked}, deed=deed)
