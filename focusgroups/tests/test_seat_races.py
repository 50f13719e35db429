"""Two deeds at one moment: each seat is given once, and nobody waits for somebody who waits for them."""

import threading
import time
import traceback

import pytest
from django.db import connection, connections, transaction

from accounts.models import Member
from accounts.services import leaving, members
from accounts.tests.factories import make_member
from focusgroups.models import Candidate, Completion, Participant
from focusgroups.services import answering, recruiting, screening, seating
from focusgroups.services.answering import NoSeat
from focusgroups.tests.factories import (
    make_candidate,
    make_cell,
    make_moderator,
    make_participant,
    make_running_room,
    make_screener,
)
from sermo.errors import RuleBroken

pytestmark = pytest.mark.django_db(transaction=True)
State = Candidate.State


@pytest.fixture
def owner():
    return make_moderator()


@pytest.fixture
def room(owner):
    room = make_running_room(by=owner, cells=False)
    make_cell(room, "All", seats=1)
    return room


def at_once(*deeds):
    """Do all of them at the same moment, each in a transaction of its own; return what each gave or was refused."""
    start, found, broken = threading.Barrier(len(deeds)), [None] * len(deeds), []

    def run(place, deed):
        try:
            connection.ensure_connection()
            start.wait(30)
            found[place] = deed()
        except RuleBroken as refusal:
            found[place] = refusal
        except Exception:
            broken.append(traceback.format_exc())
        finally:
            connections.close_all()

    running = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(deeds)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(60)
        assert not thread.is_alive()
    assert not broken, broken[0]
    return found


def accepting(room, candidate):
    agreement = room.agreements.get()
    return lambda: seating.accept(candidate=candidate, agreement=agreement)


def test_of_those_who_want_the_last_seat_one_gets_it_and_the_others_wait(room):
    candidates = [make_candidate(room) for _ in range(4)]

    at_once(*(accepting(room, candidate) for candidate in candidates))

    states = sorted(Candidate.objects.values_list("state", flat=True))
    assert states == [State.SEATED, State.WAITING, State.WAITING, State.WAITING]
    assert Participant.objects.count() == 1


def test_accepting_twice_at_once_is_accepting_once(room):
    candidate = make_candidate(room)

    at_once(*[accepting(room, candidate)] * 3)

    assert Participant.objects.count() == 1
    assert candidate.acceptances.count() == 1


def test_accepting_and_declining_at_once_leaves_one_of_them(room):
    candidate = make_candidate(room)

    at_once(accepting(room, candidate), lambda: screening.decline(candidate=candidate))

    candidate.refresh_from_db()
    assert (candidate.state == State.SEATED) == Participant.objects.exists()


def test_a_waiting_list_moves_once_for_each_seat(room, owner):
    seat = make_participant(room)
    for _ in range(3):
        make_candidate(room, state="waiting")

    at_once(
        lambda: seating.leave(participant=seat),
        lambda: seating.drop(participant=seat, by=owner),
        lambda: seating.remove(participant=seat, by=owner, reason="Named a patient."),
    )

    assert Participant.objects.seated().count() == 1
    assert Candidate.objects.filter(state=State.WAITING).count() == 2


def test_a_seat_that_comes_free_while_somebody_accepts_is_given_once(room):
    seat, waits, comes = make_participant(room), make_candidate(room, state="waiting"), make_candidate(room)

    at_once(lambda: seating.leave(participant=seat), accepting(room, comes))

    waits.refresh_from_db()
    comes.refresh_from_db()
    assert (waits.state, comes.state) == (State.SEATED, State.WAITING)


def test_who_is_dropped_while_answering_has_answered_or_not(room, owner):
    seat, waits = make_participant(room), make_candidate(room, state="waiting")
    section = room.sections.first()
    first, second = section.prompts.all()
    answering.answer(participant=seat, prompt=first, source="Low dose.")

    _, answered = at_once(
        lambda: seating.drop(participant=seat, by=owner),
        lambda: answering.answer(participant=seat, prompt=second, source="And watch."),
    )

    has_completed = Completion.objects.filter(participant=seat).exists()
    assert has_completed == (not isinstance(answered, NoSeat))
    successor = waits.seat if Participant.objects.filter(candidate=waits).exists() else None
    assert successor.replaces == seat
    assert answering.paid_before(successor) == ({section.pk} if has_completed else set())


def test_a_question_answered_twice_at_once_is_answered_once(room):
    (question,) = make_screener(room, ["Yes", "No"])
    candidate = make_candidate(room)
    one, other = question.options.all()

    at_once(
        lambda: screening.answer(candidate=candidate, question=question, option=one),
        lambda: screening.answer(candidate=candidate, question=question, option=other),
    )

    assert candidate.screener_answers.count() == 1


def test_nobody_waits_in_a_circle_with_who_loses_their_standing(room, owner):
    """The member is held first, then the rooms; whoever holds a room waits for no member."""
    waits = make_candidate(room, state="waiting")
    seat = make_participant(room)
    held, done = threading.Event(), threading.Event()

    def suspend():
        """Hold the member who waits, and want the room a moment later."""
        try:
            with transaction.atomic():
                Member.objects.select_for_update().get(pk=waits.member_id)
                held.set()
                time.sleep(1)
                members.set_standing(member=waits.member, standing="suspended")
        finally:
            connections.close_all()
            done.set()

    thread = threading.Thread(target=suspend, daemon=True)
    thread.start()
    held.wait(10)
    seating.leave(participant=seat)
    recruiting.invite_by_handle(room=room, by=owner, handles=[make_member().handle for _ in range(5)])
    assert not done.is_set()
    thread.join(20)

    waits.refresh_from_db()
    assert waits.state == State.LAPSED


def test_two_who_leave_the_site_at_once_leave_the_room(room):
    first = make_participant(room)
    second = make_candidate(room, state="waiting")

    at_once(lambda: leaving.leave(first.member.user), lambda: leaving.leave(second.member.user))

    assert not Participant.objects.seated().exists()
    assert not Candidate.objects.filter(member__isnull=False).exists()


def test_who_is_asked_twice_at_once_is_asked_once(room, owner):
    handles = [make_member().handle for _ in range(6)]

    at_once(
        lambda: recruiting.invite_by_handle(room=room, by=owner, handles=handles),
        lambda: recruiting.invite(room=room, by=owner, number=1),
    )

    asked = list(Candidate.objects.values_list("member", flat=True))
    assert len(asked) == len({*asked})
    assert len(asked) in (
        1,
        6,
    )  # where the rule came first, one of those named was asked before, so none is by name
