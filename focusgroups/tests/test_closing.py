"""How sections and rooms end, and that what was completed is earned exactly once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import FanOut
from focusgroups import tasks
from focusgroups.models import Candidate, Completion, Room, Section
from focusgroups.services import answering, earning, publishing
from focusgroups.services.holding import NotPublished, NotYours, Over
from focusgroups.signals import section_completed
from focusgroups.tests.factories import (
    DAY,
    make_candidate,
    make_completion,
    make_moderator,
    make_participant,
    make_recruiting_room,
    make_room,
    make_running_room,
)
from verification.models import Event
from verification.tests.test_parallel import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("heard_alone")]


@pytest.fixture
def by():
    return make_moderator()


@pytest.fixture
def running(by):
    """Two open sections, each completed by two participants; answers to the first are due."""
    return make_completed_room(by)


def make_completed_room(by):
    room = make_running_room(by=by)
    for _ in range(2):
        participant = make_participant(room)
        for section in room.sections.all():
            make_completion(participant, section)
    Section.objects.filter(room=room, place=0).update(due_at=timezone.now() - timedelta(minutes=1))
    return room


def end(room, ago=timedelta(minutes=1)):
    Room.objects.filter(pk=room.pk).update(ends_at=timezone.now() - ago)
    room.refresh_from_db()


def final(room):
    rows = Completion.objects.filter(section__room=room, final_at__isnull=False)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def of(announced, name):
    return [pk for heard, pk in announced if heard == name]


# Sections


def test_a_section_whose_answers_are_due_closes_and_pays(running, announced):
    assert publishing.close_due() == 1

    first, second = running.sections.all()
    assert first.closed_at
    assert second.closed_at is None
    due = list(first.completions.order_by("pk").values_list("pk", flat=True))
    assert final(running) == due
    assert announced == [("section_completed", pk) for pk in due]


def test_closing_again_announces_nothing(running, announced):
    publishing.close_due()
    announced.clear()

    assert publishing.close_due() == 0
    assert announced == []


def test_all_completions_are_final_before_the_first_is_announced(running):
    seen = []

    def look(completion, **kwargs):
        seen.append((completion.final_at is not None, len(final(running))))

    section_completed.connect(look)
    publishing.close_due()

    assert seen == [(True, 2), (True, 2)]


def test_what_was_earned_is_earned_with_its_section_or_not_at_all(running):
    """Who books the money fails: the section stays open, so the next look does all of it."""

    def fail(**kwargs):
        raise ValueError

    section_completed.connect(fail)
    assert publishing.close_due() == 0

    assert running.sections.first().closed_at is None
    assert final(running) == []
    section_completed.disconnect(fail)
    assert publishing.close_due() == 1


def test_a_fault_at_one_room_keeps_no_other_from_its_end(running, by):
    other = make_completed_room(by)

    def fail(completion, **kwargs):
        if completion.section.room_id == running.pk:
            raise ValueError

    section_completed.connect(fail)

    assert publishing.close_due() == 1
    assert len(final(other)) == 2
    assert final(running) == []


def test_stopped_between_two_rooms_the_first_is_done_and_the_other_waits(running, by, monkeypatch):
    """As by a worker that is ended: nothing is half done, and the next look goes on."""
    other = make_completed_room(by)

    def stop(completion, **kwargs):
        if completion.section.room_id == other.pk:
            raise KeyboardInterrupt

    section_completed.connect(stop)
    Room.objects.filter(pk=other.pk).update(ends_at=running.ends_at + DAY)
    with pytest.raises(KeyboardInterrupt):
        publishing.close_due()
    assert (len(final(running)), len(final(other))) == (2, 0)

    section_completed.disconnect(stop)
    assert publishing.close_due() == 1
    assert len(final(other)) == 2


def test_a_section_without_a_time_of_its_own_closes_with_the_room(running):
    Section.objects.update(due_at=None)
    assert publishing.close_due() == 0

    end(running)
    publishing.close_due()

    assert not running.sections.filter(closed_at=None).exists()


@pytest.mark.parametrize("state", ["draft", "closed", "canceled"])
def test_only_sections_of_running_rooms_close(running, state):
    now = timezone.now()
    changes = {
        "draft": {"published_at": None},
        "closed": {"closed_at": now},
        "canceled": {"closed_at": now, "canceled_at": now, "canceled_why": "Too few came."},
    }
    Room.objects.filter(pk=running.pk).update(**changes[state])

    assert publishing.close_due() == 0
    assert publishing.close_if_due(room_id=running.pk) == 0
    assert final(running) == []


def test_what_is_completed_late_is_earned_at_once_and_stays_so(running, announced):
    publishing.close_due()
    announced.clear()
    participant, section = make_participant(running), running.sections.first()
    for prompt in section.prompts.all():
        answering.answer(participant=participant, prompt=prompt, source="Low dose first.")

    late = Completion.objects.get(participant=participant)
    assert late.final_at
    assert announced == [("section_completed", late.pk)]
    publishing.close_due()
    assert announced == [("section_completed", late.pk)]


@pytest.mark.parametrize("is_late", [False, True])
def test_what_becomes_final_at_a_moment_of_one_person_says_so(running, heard_alone, is_late):
    heard = []

    def hear(is_alone, **kwargs):
        heard.append(is_alone)

    section_completed.connect(hear)
    publishing.close_due()
    if is_late:
        heard.clear()
        late = make_participant(running)
        for prompt in running.sections.first().prompts.all():
            answering.answer(participant=late, prompt=prompt, source="Low dose first.")
    section_completed.disconnect(hear)

    assert set(heard) == {is_late}


def test_making_final_says_how_many_were_not(running, announced):
    completions = Completion.objects.filter(section__room=running)

    assert [earning.make_final(completions), earning.make_final(completions)] == [4, 0]
    assert len(announced) == 4


# Rooms


def test_a_room_whose_time_is_up_closes_with_all_in_it(running, announced):
    waiting, invited = make_candidate(running, state="waiting"), make_candidate(running)
    end(running)

    assert publishing.close_due() == 3  # two sections and the room

    ends_at = running.ends_at
    running.refresh_from_db()
    assert (running.state, running.closed_at) == (Room.State.CLOSED, ends_at)
    assert not running.sections.filter(closed_at=None).exists()
    assert len(final(running)) == 4
    assert [name for name, _ in announced] == ["section_completed"] * 4 + ["room_closed"]
    for candidate in (waiting, invited):
        candidate.refresh_from_db()
        assert candidate.state == Candidate.State.LAPSED
        assert candidate.decided_at >= running.closed_at
    assert FanOut.objects.get().key == f"group:{running.pk}:closed"


def test_who_has_a_seat_keeps_it_and_may_read_on(running):
    member = running.participants.first().member
    end(running)

    publishing.close_due()

    assert Room.objects.entered_by(member.user).get() == running


def test_a_moderator_closes_a_room_early(running, by, announced):
    publishing.close(room=running, by=by)
    publishing.close(room=running, by=by)

    running.refresh_from_db()
    assert running.closed_at < running.ends_at
    assert len(of(announced, "section_completed")) == 4
    assert of(announced, "room_closed") == [running.pk]
    assert list(Event.objects.values_list("kind", flat=True)) == ["room_close"]


def test_a_room_without_anybody_in_it_closes(by, announced):
    room = make_recruiting_room(by=by)

    publishing.close(room=room, by=by)

    assert announced == [("room_closed", room.pk)]


def test_the_site_closes_nothing_before_its_time(running):
    with pytest.raises(publishing.NotDue):
        publishing.close(room=running)

    end(running)
    assert publishing.close(room=running).closed_at


def test_only_its_moderators_close(running):
    with pytest.raises(NotYours):
        publishing.close(room=running, by=make_moderator())


def test_a_draft_is_not_closed(by):
    with pytest.raises(NotPublished):
        publishing.close(room=make_room(by), by=by)


def test_what_was_called_off_is_not_closed(by):
    room = publishing.cancel(room=make_running_room(by=by), by=by, reason="Too few came.")

    with pytest.raises(Over):
        publishing.close(room=room, by=by)


def test_the_schedule_closes_what_is_due(running):
    tasks.close_due()

    assert running.sections.filter(closed_at__isnull=False).count() == 1


def test_looking_costs_the_same_for_rooms_that_are_not_due(by, django_assert_num_queries):
    for _ in range(3):
        make_running_room(by=by, sections=1, prompts=0, sponsor=False)
    Section.objects.update(due_at=None)

    with django_assert_num_queries(1):
        publishing.close_due()


# Two at once


@pytest.mark.django_db(transaction=True)
def test_two_workers_and_a_moderator_at_once_pay_each_completion_once(by, announced):
    room = make_completed_room(by)
    end(room)

    at_once(
        publishing.close_due,
        publishing.close_due,
        lambda: publishing.close(room=room),
        lambda: publishing.close(room=room, by=by),
    )

    assert sorted(of(announced, "section_completed")) == final(room)
    assert len(final(room)) == 4
    assert of(announced, "room_closed") == [room.pk]
    assert FanOut.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_room_is_closed_or_called_off_not_both(by, announced):
    room = make_running_room(by=by)

    at_once(
        lambda: publishing.close(room=room, by=by),
        lambda: publishing.cancel(room=room, by=by, reason="Too few came."),
    )

    assert len(announced) == 1


@pytest.mark.django_db(transaction=True)
def test_an_answer_at_the_moment_of_closing_is_paid_once(by, announced):
    room = make_completed_room(by)
    participant, section = make_participant(room), room.sections.first()
    *others, last = section.prompts.all()
    for prompt in others:
        answering.answer(participant=participant, prompt=prompt, source="Low dose first.")

    at_once(
        publishing.close_due,
        lambda: answering.answer(participant=participant, prompt=last, source="Wait a day."),
    )

    assert sorted(of(announced, "section_completed")) == final(room)
    assert len(final(room)) == 3
