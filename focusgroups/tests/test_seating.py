"""Seats: taken, waited for, left, lost and given on."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Kind, Notice
from accounts.services import members
from accounts.tests.factories import make_member, make_specialty
from focusgroups.models import (
    Acceptance,
    Answer,
    Candidate,
    CodeMark,
    Message,
    Participant,
    Quote,
    Room,
)
from focusgroups.services import answering, holding, screening, seating, telling
from focusgroups.services.answering import NoSeat, ReadOnly, RoomIsOver
from focusgroups.signals import seats_sought
from focusgroups.tests.factories import (
    make_agreement,
    make_answer,
    make_candidate,
    make_cell,
    make_completion,
    make_message,
    make_moderator,
    make_participant,
    make_recruiting_room,
    make_running_room,
    make_screener,
    make_section,
)
from verification.models import Event

pytestmark = pytest.mark.django_db
State = Candidate.State


@pytest.fixture
def owner():
    return make_moderator()


@pytest.fixture
def room(owner):
    """One that runs, with a single seat in its single cell."""
    room = make_running_room(by=owner, cells=False)
    make_cell(room, "All", seats=1)
    return room


@pytest.fixture
def barred():
    """Numbers of members whom something above says may have no seat."""
    found = set()

    def shut_out(room, members, **kwargs):
        return found

    seats_sought.connect(shut_out)
    yield found
    seats_sought.disconnect(shut_out)


def accept(room, member=None, candidate=None):
    candidate = candidate or make_candidate(room, member)
    return seating.accept(candidate=candidate, agreement=room.agreements.last())


def end(room):
    Room.objects.filter(pk=room.pk).update(ends_at=timezone.now() - timedelta(minutes=1))


class TestAccepting:
    def test_whoever_accepts_has_a_seat_under_an_alias(self, room):
        member = make_member()

        candidate = accept(room, member)

        seat = Participant.objects.get()
        assert candidate.state == State.SEATED
        assert (seat.member, seat.cell, seat.candidate) == (member, room.cells.get(), candidate)
        assert len(seat.alias.split()) == 2
        assert member.handle not in seat.alias
        assert Acceptance.objects.get().agreement == room.agreements.get()

    def test_twice_is_once(self, room):
        candidate = accept(room)
        accept(room, candidate=candidate)

        assert Participant.objects.count() == 1

    def test_an_alias_is_of_one_room_alone(self):
        member = make_member()
        for _ in range(3):
            accept(make_running_room(), member)

        assert len(set(Participant.objects.values_list("alias", flat=True))) == 3

    def test_an_alias_somebody_has_in_the_room_is_not_given_again(self, monkeypatch):
        room = make_running_room()
        monkeypatch.setattr(seating, "alias_of", lambda value, purpose: f"Quiet harbor {value[-1]}")

        accept(room)
        accept(room)

        assert set(Participant.objects.values_list("alias", flat=True)) == {
            "Quiet harbor 0",
            "Quiet harbor 1",
        }

    def test_without_a_free_seat_they_wait(self, room):
        make_participant(room)

        candidate = accept(room)

        assert candidate.state == State.WAITING
        assert candidate.cell == room.cells.get()
        assert seating.place_in_line(candidate) == 1
        assert seating.place_in_line(accept(room)) == 2

    def test_the_line_is_of_all_cells_that_are_for_them(self, owner):
        room = make_running_room(by=owner, cells=False)
        kidneys = make_specialty("Nephrology")
        both = make_cell(room, "Anybody", seats=1)
        make_cell(room, "Kidneys", seats=1, specialties=[kidneys.pk])
        for cell in room.cells.all():
            make_participant(room, cell)
        make_candidate(room, make_member(specialty="Dermatology"), state=State.WAITING, cell=both)
        first = make_candidate(room, make_member(specialty="Nephrology"), state=State.WAITING, cell=both)
        skin = make_candidate(room, make_member(specialty="Dermatology"), state=State.WAITING, cell=both)
        room.cells.filter(pk=both.pk).update(specialties=[kidneys.pk])

        assert seating.place_in_line(first) == 1
        assert seating.outlook(make_candidate(room, make_member(specialty="Nephrology"))).ahead == 1
        room.cells.filter(pk=both.pk).update(specialties=[])
        assert seating.place_in_line(first) == 2
        assert seating.place_in_line(skin) == 3

    def test_the_first_fitting_cell_with_a_free_seat_is_theirs(self, owner):
        room = make_running_room(by=owner, cells=False)
        kidneys = make_specialty("Nephrology").pk
        make_cell(room, "Skin", seats=2, specialties=[make_specialty("Dermatology").pk])
        first = make_cell(room, "Kidneys", seats=1, specialties=[kidneys])
        second = make_cell(room, "Kidneys, too", seats=1, specialties=[kidneys])

        cells = [accept(room, make_member(specialty="Nephrology")).cell for _ in range(3)]

        assert cells == [first, second, first]
        assert Candidate.objects.get(state=State.WAITING).cell == first

    def test_a_cell_that_is_not_for_them_is_refused(self, owner):
        room = make_running_room(by=owner, cells=False)
        make_cell(room, "Skin", specialties=[make_specialty("Dermatology").pk])

        with pytest.raises(seating.NoCell):
            accept(room, make_member(specialty="Nephrology"))

    def test_the_screener_comes_first(self, room):
        make_screener(room)

        with pytest.raises(seating.ScreenerFirst):
            accept(room)

    def test_an_old_version_of_the_agreement_is_refused(self, room):
        old = room.agreements.get()
        make_agreement(room, "Another text.")

        with pytest.raises(seating.AgreementChanged):
            seating.accept(candidate=make_candidate(room), agreement=old)

    def test_the_agreement_of_another_room_is_refused(self, room):
        with pytest.raises(seating.AgreementChanged):
            seating.accept(candidate=make_candidate(room), agreement=make_recruiting_room().agreements.get())

    @pytest.mark.parametrize("state", ["declined", "screened_out", "lapsed"])
    def test_only_who_is_asked_may(self, room, state):
        with pytest.raises(screening.NotAsked):
            accept(room, candidate=make_candidate(room, state=state))

    def test_whose_license_needs_a_check_may_not(self, room):
        with pytest.raises(ReadOnly):
            accept(room, make_member(standing="read_only"))

    def test_who_may_not_be_asked_any_more_may_not(self, room, barred):
        candidate = make_candidate(room)
        barred.add(candidate.member_id)

        assert accept(room, candidate=candidate).state == State.LAPSED

        barred.clear()
        with pytest.raises(screening.NotAsked):
            accept(room, candidate=candidate)
        assert not Participant.objects.exists()

    def test_nobody_may_once_it_is_over(self, room):
        candidate = make_candidate(room)
        end(room)

        with pytest.raises(RoomIsOver):
            accept(room, candidate=candidate)


class TestAgreementAnew:
    def test_a_new_version_is_needed_until_it_is_accepted(self, room):
        seat = make_participant(room)
        assert seating.needs_agreement(seat) is None
        second = make_agreement(room, "Another text.")

        assert seating.needs_agreement(seat) == second
        seating.accept_again(participant=seat, agreement=second)
        seating.accept_again(participant=seat, agreement=second)

        assert seating.needs_agreement(seat) is None
        assert seat.candidate.acceptances.count() == 2

    def test_an_old_version_is_refused(self, room):
        seat, old = make_participant(room), room.agreements.get()
        make_agreement(room, "Another text.")

        with pytest.raises(seating.AgreementChanged):
            seating.accept_again(participant=seat, agreement=old)

    def test_without_a_seat_it_is_refused(self, room):
        seat = make_participant(room)
        seating.leave(participant=seat)

        with pytest.raises(NoSeat):
            seating.accept_again(participant=seat, agreement=room.agreements.get())


class TestWaitingList:
    def test_a_seat_goes_to_whoever_waited_longest(self, room):
        leaver = make_participant(room)
        first, second = accept(room), accept(room)

        seating.leave(participant=leaver)

        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.state, second.state) == (State.SEATED, State.WAITING)
        assert first.seat.replaces == leaver
        assert Notice.objects.get(key=f"group:{room.pk}:seat").member == first.member

    def test_it_moves_once_for_each_seat(self, room):
        leaver = make_participant(room)
        accept(room)
        accept(room)

        seating.leave(participant=leaver)
        seating.leave(participant=leaver)

        assert Participant.objects.seated().count() == 1
        assert Candidate.objects.filter(state=State.WAITING).count() == 1

    def test_a_seat_that_stood_empty_is_given_on_with_what_was_paid(self, room):
        leaver = make_participant(room)
        seating.leave(participant=leaver)

        assert accept(room).seat.replaces == leaver

    def test_a_seat_nobody_had_replaces_nobody(self, owner):
        room = make_running_room(by=owner)
        seating.leave(participant=make_participant(room))

        assert accept(room).seat.replaces is None

    def test_a_chain_goes_on_from_its_last(self, room):
        seats = [make_participant(room)]
        for _ in range(2):
            seating.leave(participant=seats[-1])
            seats.append(accept(room).seat)

        assert [seat.replaces for seat in seats] == [None, *seats[:2]]

    def test_whoever_is_no_active_physician_any_more_is_passed_over(self, room):
        leaver = make_participant(room)
        gone, next_one = accept(room), accept(room)
        type(gone.member).objects.filter(pk=gone.member_id).update(standing="read_only")

        seating.leave(participant=leaver)

        gone.refresh_from_db()
        next_one.refresh_from_db()
        assert (gone.state, next_one.state) == (State.LAPSED, State.SEATED)

    def test_whoever_may_have_no_seat_any_more_is_passed_over(self, room, barred):
        leaver, waits = make_participant(room), accept(room)
        barred.add(waits.member_id)

        seating.leave(participant=leaver)

        waits.refresh_from_db()
        assert waits.state == State.LAPSED

    def test_of_several_cells_any_that_is_for_them_will_do(self, owner):
        room = make_running_room(by=owner, cells=False)
        make_cell(room, "First", seats=1)
        second = make_cell(room, "Second", seats=1)
        make_participant(room)
        leaver = make_participant(room, second)
        waits = accept(room)

        seating.leave(participant=leaver)

        waits.refresh_from_db()
        assert waits.seat.cell == second

    def test_more_seats_take_in_who_waits(self, room):
        make_participant(room)
        waits = accept(room)
        room.cells.update(seats=2)

        (seated,) = seating.seat_waiting(room)

        assert seated.candidate == waits
        assert seated.replaces is None

    def test_it_does_not_move_once_the_room_is_over(self, room):
        make_participant(room)
        accept(room)
        room.cells.update(seats=2)
        end(room)
        room.refresh_from_db()

        assert seating.seat_waiting(room) == []


class TestLeaving:
    def test_who_leaves_keeps_what_they_earned_and_sees_the_room_no_more(self, room):
        seat = make_participant(room)
        completion = make_completion(seat, room.sections.first())

        seating.leave(participant=seat)

        seat.refresh_from_db()
        assert (seat.left_as, seat.is_seated) == ("left", False)
        assert not Room.objects.visible_to(seat.member.user).exists()
        completion.refresh_from_db()
        assert completion.cents == 5_000

    def test_what_was_said_stays_unless_it_is_taken_back(self, owner):
        room = make_running_room(by=owner)
        stays, goes = make_participant(room), make_participant(room)
        prompt = room.sections.first().prompts.first()
        kept, erased = make_answer(stays, prompt), make_answer(goes, prompt)

        seating.leave(participant=stays)
        seating.leave(participant=goes, takes_back=True)

        kept.refresh_from_db()
        erased.refresh_from_db()
        assert kept.source
        assert (erased.source, erased.html, erased.is_standing) == ("", "", False)

    def test_nobody_leaves_what_is_over(self, room):
        seat = make_participant(room)
        end(room)

        with pytest.raises(RoomIsOver):
            seating.leave(participant=seat)


class TestWithdrawing:
    def test_nothing_of_what_they_said_is_left(self, room):
        seat, other = make_participant(room), make_participant(room)
        prompt = room.sections.first().prompts.first()
        answer = make_answer(seat, prompt)
        of_other = make_answer(other, prompt)
        message = make_message(room, participant=seat, answer=of_other)
        hidden = make_message(
            room, participant=seat, answer=of_other, hidden_at=timezone.now(), hidden_why="Names a hospital."
        )
        code = room.codes.create(name="fear")
        CodeMark.objects.create(code=code, answer=answer)
        CodeMark.objects.create(code=code, message=message)
        Quote.objects.create(room=room, answer=answer, text="Low dose", paraphrase="Start low.")
        Quote.objects.create(room=room, message=message, text="wait", paraphrase="Wait.")
        answer.revisions.create(source="What it said before", written_at=timezone.now())

        seating.withdraw(participant=seat)

        assert not Answer.objects.filter(participant=seat).exclude(source="", html="", words=0).exists()
        assert not Message.objects.filter(participant=seat).exclude(source="", html="", words=0).exists()
        hidden.refresh_from_db()
        assert hidden.withdrawn_at
        assert not CodeMark.objects.exists()
        assert not Quote.objects.exists()
        assert not answer.revisions.exists()
        of_other.refresh_from_db()
        assert of_other.source

    def test_the_seat_and_what_was_earned_stay(self, room):
        seat = make_participant(room)
        completion = make_completion(seat, room.sections.first())

        seat = seating.withdraw(participant=seat)

        assert seat.is_seated
        assert seat.withdrew_at
        completion.refresh_from_db()
        assert completion.cents == 5_000

    def test_who_left_may_still_do_so(self, room):
        seat = make_participant(room)
        answer = make_answer(seat, room.sections.first().prompts.first())
        seating.leave(participant=seat)

        seating.withdraw(participant=seat)

        answer.refresh_from_db()
        assert answer.source == ""

    def test_nobody_does_once_it_is_over(self, room):
        seat = make_participant(room)
        end(room)

        with pytest.raises(RoomIsOver):
            seating.withdraw(participant=seat)

    def test_so_may_who_was_removed(self, room, owner):
        seat = make_participant(room)
        answer = make_answer(seat, room.sections.first().prompts.first())
        seating.remove(participant=seat, by=owner, reason="Named a patient twice.")

        seating.withdraw(participant=seat)

        answer.refresh_from_db()
        assert answer.source == ""


class TestTakingASeatAway:
    def test_a_removed_one_is_told_and_sees_the_room_no_more(self, room, owner):
        seat = make_participant(room)
        waits = accept(room)

        seating.remove(participant=seat, by=owner, reason=" Named a patient twice. ")

        seat.refresh_from_db()
        waits.refresh_from_db()
        assert (seat.left_as, seat.left_why) == ("removed", "Named a patient twice.")
        assert waits.seat.replaces == seat
        assert not Room.objects.entered_by(seat.member.user).exists()
        assert Notice.objects.get(member=seat.member).kind == Kind.MODERATION
        assert Event.objects.get(kind="room_remove").object == f"room:{room.pk}"

    def test_it_needs_a_reason(self, room, owner):
        with pytest.raises(holding.Unfit) as refusal:
            seating.remove(participant=make_participant(room), by=owner, reason="  ")

        assert refusal.value.field == "reason"

    def test_a_dropped_one_loses_the_seat_to_who_waits(self, room, owner):
        seat = make_participant(room)
        waits = accept(room)

        seating.drop(participant=seat, by=owner)
        seating.drop(participant=seat, by=owner)

        waits.refresh_from_db()
        assert waits.seat.replaces == seat
        assert Event.objects.filter(kind="room_drop").count() == 1

    @pytest.mark.parametrize("deed", ["remove", "drop"])
    def test_only_its_moderators_do(self, room, deed):
        words = {"reason": "Because."} if deed == "remove" else {}

        with pytest.raises(holding.NotYours):
            getattr(seating, deed)(participant=make_participant(room), by=make_moderator(), **words)

    def test_who_has_no_seat_loses_none(self, room, owner):
        seat = make_participant(room)
        seating.leave(participant=seat)

        with pytest.raises(NoSeat):
            seating.drop(participant=seat, by=owner)

    def test_nobody_is_dropped_once_it_is_over(self, room, owner):
        seat = make_participant(room)
        end(room)

        with pytest.raises(holding.Over):
            seating.drop(participant=seat, by=owner)


class TestStanding:
    @pytest.mark.parametrize("standing", ["suspended", "applicant"])
    def test_whoever_is_no_physician_any_more_loses_seat_and_invitations(self, room, standing):
        seat = make_participant(room)
        waits, elsewhere = accept(room), make_candidate(make_recruiting_room(), seat.member)

        members.set_standing(member=seat.member, standing=standing)

        for row in (seat, waits, elsewhere):
            row.refresh_from_db()
        assert not seat.is_seated
        assert waits.state == State.SEATED
        assert elsewhere.state == State.LAPSED
        assert not Room.objects.visible_to(seat.member.user).exists()

    @pytest.mark.parametrize("standing", ["physician", "read_only"])
    def test_who_stays_a_physician_keeps_the_seat_and_reads(self, room, standing):
        seat = make_participant(room)

        members.set_standing(member=seat.member, standing=standing)

        seat.refresh_from_db()
        assert seat.is_seated
        assert Room.objects.entered_by(seat.member.user).exists()

    def test_a_seat_of_a_closed_room_stays_as_it_was(self, room):
        seat = make_participant(room)
        Room.objects.filter(pk=room.pk).update(closed_at=timezone.now())

        members.set_standing(member=seat.member, standing="suspended")

        seat.refresh_from_db()
        assert seat.left_at is None


class TestReminding:
    def test_once_a_day(self, room, owner):
        seat = make_participant(room)

        seating.remind(participant=seat, by=owner)
        with pytest.raises(seating.RemindedToday):
            seating.remind(participant=seat, by=owner)

        notice = Notice.objects.get(member=seat.member)
        assert notice.kind == Kind.GROUP
        assert room.title not in notice.mail.subject + notice.mail.text
        assert Event.objects.filter(kind="room_remind").count() == 1

    def test_again_on_another_day(self, room, owner):
        seat = make_participant(room)
        seat.reminders.create(day=timezone.now().date() - timedelta(days=1))

        seating.remind(participant=seat, by=owner)

        assert seat.reminders.count() == 2

    def test_who_completed_what_is_open_is_not_reminded(self, owner):
        room = make_running_room(by=owner, sections=2, released=1)
        seat = make_participant(room)
        make_completion(seat, room.sections.first())

        with pytest.raises(seating.NothingDue):
            seating.remind(participant=seat, by=owner)

    def test_only_its_moderators_do(self, room):
        with pytest.raises(holding.NotYours):
            seating.remind(participant=make_participant(room), by=make_moderator())

    def test_who_left_is_not_reminded(self, room, owner):
        seat = make_participant(room)
        seating.leave(participant=seat)

        with pytest.raises(NoSeat):
            seating.remind(participant=seat, by=owner)


class TestRemindingByTheClock:
    @pytest.fixture
    def late(self, owner):
        """A room with a section that was due two hours ago."""
        room = make_running_room(by=owner, sections=1)
        room.sections.update(due_at=timezone.now() - timedelta(hours=2))
        return room

    def test_whom_a_section_became_overdue_for_is_reminded_once(self, late):
        make_participant(late)

        assert [seating.remind_due(), seating.remind_due()] == [1, 0]
        assert Notice.objects.filter(kind=Kind.GROUP).count() == 1

    def test_who_completed_it_left_or_was_reminded_is_not(self, late):
        done, left, reminded = (make_participant(late) for _ in range(3))
        make_completion(done, late.sections.get())
        seating.leave(participant=left)
        reminded.reminders.create(day=timezone.now().date())

        assert seating.remind_due() == 0

    def test_what_is_overdue_for_longer_is_left_to_moderators(self, late):
        make_participant(late)
        now = timezone.now()
        late.sections.update(opens_at=now - timedelta(days=3), due_at=now - timedelta(hours=25))

        assert seating.remind_due() == 0

    def test_sections_of_every_day_are_reminded_of_every_day(self, owner):
        """Due ten minutes before midnight, so that each reminder falls on the day after."""
        midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        room = make_running_room(by=owner, sections=1, ends_at=midnight + timedelta(days=9))
        seat = make_participant(room)
        due = midnight - timedelta(minutes=10)
        room.sections.update(due_at=due)
        for day in (1, 2, 3):
            make_section(room, opens_at=due - timedelta(days=1), due_at=due + timedelta(days=day))

        sent = []
        for hour in range(5 * 24):
            with time_machine.travel(midnight + timedelta(hours=hour, minutes=37), tick=False):
                sent += [hour] * seating.remind_due()

        assert sent == [0, 24, 48, 72]
        assert Notice.objects.filter(member=seat.member, kind=Kind.GROUP).count() == 4

    def test_what_became_overdue_after_a_reminder_is_reminded_of_on_the_next_day(self, owner):
        noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=1)
        room = make_running_room(by=owner, sections=1, ends_at=noon + timedelta(days=9))
        seat = make_participant(room)
        room.sections.update(due_at=noon - timedelta(hours=1))
        make_section(room, opens_at=noon - timedelta(days=1), due_at=noon + timedelta(hours=1))

        sent = []
        for hour in range(48):
            with time_machine.travel(noon + timedelta(hours=hour, minutes=37), tick=False):
                sent += [hour] * seating.remind_due()

        assert sent == [0, 12]
        assert seat.reminders.count() == 2

    def test_a_fault_at_one_keeps_nobody_else_from_being_reminded(self, late, monkeypatch, caplog):
        first, second = make_participant(late), make_participant(late)
        told = telling.of_reminder

        def broken(participant, day):
            if participant.pk == first.pk:
                raise RuntimeError("no mail goes out")
            told(participant, day)

        with monkeypatch.context() as patch:
            patch.setattr(telling, "of_reminder", broken)
            assert seating.remind_due() == 1
        assert second.reminders.exists()
        assert "participant_not_reminded" in caplog.text

        assert seating.remind_due() == 1
        assert first.reminders.exists()

    def test_nobody_is_reminded_of_what_is_over(self, late):
        make_participant(late)
        end(late)

        assert seating.remind_due() == 0


def test_when_somebody_was_there_is_noted_every_few_minutes(room, django_assert_num_queries):
    seat = make_participant(room)
    seating.seen(participant=seat)
    seat.refresh_from_db()
    before = seat.seen_at

    with django_assert_num_queries(0):
        seating.seen(participant=seat)

    assert before is not None


# Cost


@pytest.mark.parametrize("number", [1, 4])
def test_what_a_seat_was_paid_for_takes_one_query_however_many_had_it(number, django_assert_num_queries):
    room = make_running_room(sections=number + 1)
    sections, seat = list(room.sections.all()), make_participant(room)
    make_completion(seat, sections[0])
    for section in sections[1:]:
        left = {"left_at": timezone.now(), "left_as": "left"}
        Participant.objects.filter(pk=seat.pk).update(**left)
        seat = make_participant(room, replaces=seat)
        make_completion(seat, section, cents=0 if section == sections[-1] else 5_000)

    with django_assert_num_queries(1):
        paid = answering.paid_before(seat)

    assert paid == {section.pk for section in sections[:-1]}


def test_taking_a_seat_costs_the_same_with_many_quota_cells():
    costs = []
    for number in (1, 6):
        room = make_running_room(cells=False)
        for place in range(number):
            cell = make_cell(room, seats=1)
            if place < number - 1:
                make_participant(room, cell)
        candidate = make_candidate(room)
        with CaptureQueriesContext(connection) as queries:
            assert seating.outlook(candidate).cell == cell
            seating.accept(candidate=candidate, agreement=room.agreements.get())
        costs.append(len(queries))
        assert candidate.seat.cell == cell

    assert costs[0] == costs[1]
