"""A few questions before a seat: who is not sought hears so at once."""

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from focusgroups.models import Candidate, Room, ScreenerAnswer, ScreenerOption, ScreenerQuestion
from focusgroups.readiness import THANKED
from focusgroups.services import recruiting
from focusgroups.services.answering import ReadOnly, RoomIsOver
from focusgroups.services.locking import hold_member, hold_room
from focusgroups.signals import screened_out
from sermo.errors import RuleBroken

State = Candidate.State
UNPAID = 3  # questions that anybody answers for nothing


class NotAsked(RuleBroken):
    message = "You are not asked into this focus group any more."


class OutOfTurn(RuleBroken):
    message = "Answer the questions one after the other."


class AnsweredBefore(RuleBroken):
    message = "You answered this before. What you said then stands."


class NotAnOption(RuleBroken):
    message = "Choose one of the answers."


def next_question(candidate: Candidate) -> ScreenerQuestion | None:
    """The first question somebody asked into a room has not answered; none once they answered all, or said no."""
    if candidate.state != State.INVITED:
        return None
    answered = candidate.screener_answers.values("question")
    return ScreenerQuestion.objects.filter(room=candidate.room_id).exclude(pk__in=answered).first()


@transaction.atomic
def answer(*, candidate: Candidate, question: ScreenerQuestion, option: ScreenerOption) -> Candidate:
    """Answer the next question, once and for all; the same answer twice is as good as once.

    Whoever is not sought is out at once. Announces screened_out of those who answered more than three questions.
    Whoever may have no seat as things are now is asked no more, since nobody would thank them for it.
    Raises RoomIsOver, NotAsked, ReadOnly, OutOfTurn, AnsweredBefore, NotAnOption.
    """
    candidate = lock(candidate)
    given = candidate.screener_answers.filter(question=question).first()
    if given:
        if given.option_id == option.pk:
            return candidate
        raise AnsweredBefore
    check_asked(candidate)
    if question != next_question(candidate):
        raise OutOfTurn
    if option.question_id != question.pk:
        raise NotAnOption
    if recruiting.is_shut_out(candidate.room, candidate.member_id):
        lapse(candidate)
        return candidate
    ScreenerAnswer.objects.create(candidate=candidate, question=question, option=option)
    if option.is_out:
        _screen_out(candidate)
    return candidate


def lapse(candidate: Candidate) -> None:
    """Ask a locked candidate no more, for a cause that they are not told."""
    _decide(candidate, State.LAPSED)


def _screen_out(candidate: Candidate) -> None:
    _decide(candidate, State.SCREENED_OUT)
    answered = candidate.screener_answers.count()
    if answered > UNPAID:
        screened_out.send(sender=Candidate, candidate=candidate, answered=answered)


def _decide(candidate: Candidate, state: Candidate.State) -> None:
    candidate.state, candidate.decided_at = state, timezone.now()
    candidate.save(update_fields=["state", "decided_at"])


def thanks_of(candidate: Candidate) -> int:
    """Cents due to somebody who was screened out, while the thanks that were set aside lasted."""
    return candidate.room.thanks if candidate in thanked(candidate.room) else 0


def thanked(room: Room) -> list[Candidate]:
    """To whom the thanks of a room go, also where they have left the site since: whoever was turned away first."""
    return list(_turned_away(room)[: _set_aside(room)])


def thanks_left(room: Room) -> int:
    """How many more can be thanked of those who are not sought."""
    return max(0, _set_aside(room) - _turned_away(room).count())


def _set_aside(room: Room) -> int:
    return room.seats * THANKED if room.thanks else 0


def _turned_away(room: Room) -> QuerySet[Candidate]:
    """Who was screened out after enough questions, in the order in which they are thanked."""
    out = Candidate.objects.filter(room=room, state=State.SCREENED_OUT)
    out = out.annotate(answered=Count("screener_answers")).filter(answered__gt=UNPAID)
    return out.order_by("decided_at", "pk")


@transaction.atomic
def decline(*, candidate: Candidate) -> Candidate:
    """Say no to an invitation, or stop waiting for a seat. Twice is as good as once. Raises RoomIsOver, NotAsked."""
    candidate = lock(candidate)
    if candidate.state == State.DECLINED:
        return candidate
    if candidate.state not in (State.INVITED, State.WAITING):
        raise NotAsked
    _decide(candidate, State.DECLINED)
    return candidate


# For whatever a candidate does


def lock(candidate: Candidate) -> Candidate:
    """Lock a member, the room they are asked into and that they are; `room` and `member` are then as they are now.

    Raises RoomIsOver, NotAsked.
    """
    member = hold_member(candidate.member_id)
    room = hold_room(candidate.room_id)
    candidate = Candidate.objects.select_for_update().get(pk=candidate.pk)
    if member is None or candidate.member_id != member.pk:
        raise NotAsked
    candidate.room, candidate.member = room, member
    check_open(room)
    return candidate


def check_open(room: Room) -> None:
    if room.published_at is None or room.is_over:
        raise RoomIsOver


def check_asked(candidate: Candidate) -> None:
    """Raises NotAsked, ReadOnly."""
    if candidate.state != State.INVITED:
        raise NotAsked
    if not candidate.member.may_write:
        raise ReadOnly
