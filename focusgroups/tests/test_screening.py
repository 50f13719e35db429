"""The questions before a seat, and saying no."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.tests.factories import make_member
from focusgroups.models import Candidate, Room
from focusgroups.services import screening
from focusgroups.services.answering import ReadOnly, RoomIsOver
from focusgroups.signals import screened_out, seats_sought
from focusgroups.tests.factories import (
    make_candidate,
    make_recruiting_room,
    make_room,
    make_screener,
)

pytestmark = pytest.mark.django_db
OUT = Candidate.State.SCREENED_OUT


@pytest.fixture
def room():
    return make_recruiting_room(thanks=500)


@pytest.fixture
def announced():
    heard = []

    def hear(candidate, answered, **kwargs):
        heard.append((candidate.pk, answered))

    screened_out.connect(hear)
    yield heard
    screened_out.disconnect(hear)


def say(candidate, question, place=0):
    return screening.answer(candidate=candidate, question=question, option=question.options.get(place=place))


def test_questions_come_one_after_the_other(room):
    first, second = make_screener(room, ["Yes", "-No"], ["Few", "Many"])
    candidate = make_candidate(room)

    assert screening.next_question(candidate) == first
    assert say(candidate, first).state == Candidate.State.INVITED
    assert screening.next_question(candidate) == second
    say(candidate, second)
    assert screening.next_question(candidate) is None


def test_a_question_out_of_turn_is_refused(room):
    _, second = make_screener(room, ["Yes"], ["Few"])

    with pytest.raises(screening.OutOfTurn):
        say(make_candidate(room), second)


def test_an_answer_stands_once_given(room):
    first, _ = make_screener(room, ["Yes", "No"], ["Few"])
    candidate = make_candidate(room)
    say(candidate, first, 0)

    say(candidate, first, 0)
    with pytest.raises(screening.AnsweredBefore):
        say(candidate, first, 1)

    assert candidate.screener_answers.get().option.text == "Yes"


def test_an_option_of_another_question_is_refused(room):
    first, second = make_screener(room, ["Yes"], ["Few"])

    with pytest.raises(screening.NotAnOption):
        screening.answer(candidate=make_candidate(room), question=first, option=second.options.get())


def test_a_question_of_another_room_is_refused(room):
    (other,) = make_screener(make_recruiting_room(), ["Yes"])
    make_screener(room)

    with pytest.raises(screening.OutOfTurn):
        say(make_candidate(room), other)


class TestScreenOut:
    def test_it_is_at_once(self, room):
        first, _ = make_screener(room, ["-No"], ["Few"])
        candidate = say(make_candidate(room), first)

        assert candidate.state == OUT
        assert candidate.decided_at
        assert screening.next_question(candidate) is None

    @pytest.mark.parametrize(("answered", "thanks"), [(1, 0), (3, 0), (4, 500), (5, 500)])
    def test_thanks_are_for_more_than_three_questions(self, room, announced, answered, thanks):
        questions = make_screener(room, *[["Yes"]] * (answered - 1), ["-No"])
        candidate = make_candidate(room)
        for question in questions:
            candidate = say(candidate, question)

        assert candidate.state == OUT
        assert screening.thanks_of(candidate) == thanks
        assert announced == ([(candidate.pk, answered)] if thanks else [])

    def test_nobody_who_is_not_out_is_owed_thanks(self, room):
        questions = make_screener(room, *[["Yes"]] * 5)
        candidate = make_candidate(room)
        for question in questions:
            candidate = say(candidate, question)

        assert screening.thanks_of(candidate) == 0

    def test_thanks_last_for_so_many_as_they_are_set_aside_for(self, room, announced):
        questions = make_screener(room, *[["Yes"]] * 3, ["-No"])
        Room.objects.filter(pk=room.pk).update(seats=4)
        out = [make_candidate(room) for _ in range(13)]
        for candidate in out:
            for question in questions:
                say(candidate, question)

        for candidate in out:
            candidate.refresh_from_db()
        assert [screening.thanks_of(candidate) for candidate in out] == [500] * 12 + [0]
        assert screening.thanks_left(candidate.room) == 0

    def test_so_many_thanks_are_left(self, room):
        questions = make_screener(room, *[["Yes"]] * 3, ["-No"])
        candidate = make_candidate(room)
        for question in questions:
            say(candidate, question)
        say(make_candidate(room), questions[0])

        assert screening.thanks_left(room) == 35
        room.thanks = 0
        assert screening.thanks_left(room) == 0

    def test_it_is_announced_once(self, room, announced):
        questions = make_screener(room, *[["Yes"]] * 3, ["-No"])
        candidate = make_candidate(room)
        for question in questions:
            say(candidate, question)
        say(candidate, questions[-1])

        assert len(announced) == 1


class TestRefusals:
    def test_who_may_have_no_seat_is_asked_nothing_more(self, room):
        (question,) = make_screener(room, ["-No"])
        candidate = make_candidate(room)

        def shut_out(**kwargs):
            return {candidate.member_id}

        seats_sought.connect(shut_out)
        try:
            say(candidate, question)
        finally:
            seats_sought.disconnect(shut_out)

        candidate.refresh_from_db()
        assert candidate.state == "lapsed"
        assert candidate.decided_at
        assert not candidate.screener_answers.exists()

    @pytest.mark.parametrize("state", ["declined", "screened_out", "lapsed", "seated", "waiting"])
    def test_only_who_is_asked_answers(self, room, state):
        (question,) = make_screener(room)

        with pytest.raises(screening.NotAsked):
            say(make_candidate(room, state=state), question)

    def test_nobody_answers_once_the_room_is_over(self, room):
        (question,) = make_screener(room)
        candidate = make_candidate(room)
        room.starts_at, room.ends_at = (
            timezone.now() - timedelta(days=9),
            timezone.now() - timedelta(minutes=1),
        )
        room.save()

        with pytest.raises(RoomIsOver):
            say(candidate, question)

    def test_nobody_answers_in_a_draft(self):
        room = make_room()
        (question,) = make_screener(room)

        with pytest.raises(RoomIsOver):
            say(make_candidate(room), question)

    def test_whose_license_needs_a_check_answers_nothing(self, room):
        (question,) = make_screener(room)

        with pytest.raises(ReadOnly):
            say(make_candidate(room, make_member(standing="read_only")), question)


class TestDeclining:
    @pytest.mark.parametrize("state", ["invited", "waiting"])
    def test_who_is_asked_or_waits_may_say_no(self, room, state):
        candidate = screening.decline(candidate=make_candidate(room, state=state))

        assert candidate.state == Candidate.State.DECLINED
        assert screening.decline(candidate=candidate).decided_at == candidate.decided_at

    @pytest.mark.parametrize("state", ["screened_out", "lapsed", "seated"])
    def test_others_may_not(self, room, state):
        with pytest.raises(screening.NotAsked):
            screening.decline(candidate=make_candidate(room, state=state))
