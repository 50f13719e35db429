"""The figures of the participation board."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from focusgroups import board as boards
from focusgroups.models import Participant, Reminder
from focusgroups.tests.factories import (
    make_answer,
    make_cell,
    make_completion,
    make_moderator,
    make_participant,
    make_prompt,
    make_room,
    make_running_room,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def room():
    """Day 1 is overdue, day 2 open, day 3 to come; day 1 has a prompt that is not required."""
    room = make_running_room(by=make_moderator(), sections=3, released=2)
    first = room.sections.first()
    first.due_at = timezone.now() - timedelta(hours=1)
    first.save()
    make_prompt(first, is_required=False)
    return room


def row_of(board, participant):
    return next(row for row in board.rows if row.participant == participant)


def states(row):
    return [(one.state, one.done, one.needed) for one in row.progress]


def test_progress_counts_what_is_required(room):
    one, other = make_participant(room), make_participant(room)
    required, second, optional = room.sections.first().prompts.all()
    for prompt in (required, optional):
        make_answer(one, prompt)
    make_answer(other, required)
    make_answer(other, second)
    make_completion(other, room.sections.first())

    board = boards.board(room)

    assert states(row_of(board, one)) == [("overdue", 1, 2), ("open", 0, 2), ("coming", 0, 2)]
    assert states(row_of(board, other))[0] == ("complete", 2, 2)
    assert [row.participant for row in board.late] == [one]
    assert row_of(board, other).completed == 1


def test_a_section_without_required_prompts_needs_all(room):
    room.sections.first().prompts.update(is_required=False)
    one = make_participant(room)

    assert states(row_of(boards.board(room), one))[0] == ("overdue", 0, 3)


def test_what_was_taken_back_is_not_answered_and_a_completion_stays(room):
    one = make_participant(room)
    for prompt in room.sections.first().prompts.all():
        make_answer(one, prompt, "", withdrawn_at=timezone.now())
    make_completion(one, room.sections.first())

    assert states(row_of(boards.board(room), one))[0] == ("complete", 0, 2)


def test_a_section_is_shown_prompt_by_prompt(room):
    one = make_participant(room)
    prompts = list(room.sections.first().prompts.all())
    answered = make_answer(one, prompts[0])
    make_answer(one, prompts[1], is_private=True)
    make_answer(one, prompts[2], is_private=True, hidden_at=timezone.now(), hidden_why="A name.")

    board = boards.board(room, 0)

    assert board.section == room.sections.first()
    assert [mark.state for mark in row_of(board, one).marks] == ["answered", "private", "hidden"]
    assert row_of(board, one).marks[0].answer_id == answered.pk
    assert [mark.state for mark in row_of(boards.board(room, 1), one).marks] == ["", ""]
    assert boards.board(room, 9).section is None


def test_rows_stand_by_cell_and_alias_with_those_who_left(room):
    """But not with those who leave the site once it is over: that would tell whose alias was whose."""
    late_cell = make_cell(room, "Late", place=5)
    second = make_participant(room, alias="Brisk dune")
    first = make_participant(room, alias="Amber cove", left_at=timezone.now(), left_as="left")
    other = make_participant(room, late_cell, alias="Able bay")
    unlinked = make_participant(room, late_cell, alias="Zinc reef")
    Participant.objects.filter(pk=unlinked.pk).update(member=None)

    board = boards.board(room)

    assert [row.participant for row in board.rows] == [first, second, other, unlinked]
    assert [row.participant for row in board.gone] == [first]
    assert not row_of(board, first).overdue
    assert not row_of(board, first).is_open
    assert row_of(board, second).is_open


def test_who_was_reminded_today_is_marked(room):
    one, other = make_participant(room), make_participant(room)
    Reminder.objects.create(participant=one, day=timezone.now().date())
    Reminder.objects.create(participant=other, day=timezone.now().date() - DAY)

    board = boards.board(room)

    assert row_of(board, one).was_reminded
    assert not row_of(board, other).was_reminded


def test_another_rooms_people_are_not_there(room):
    make_answer(make_participant(other := make_running_room()), other.sections.first().prompts.first())

    assert boards.board(room).rows == []


def test_last_seen_is_a_day_and_an_hour_of_the_rooms_clock():
    room = make_room(time_zone="America/Los_Angeles")
    moment = datetime(2026, 7, 4, 19, 59, tzinfo=UTC)

    assert boards.last_seen(room, moment) == "Jul 4, 12 pm"
    assert boards.last_seen(room, None) == ""


@pytest.mark.parametrize(("people", "prompts"), [(1, 1), (15, 10)])
def test_the_figures_cost_the_same_at_any_size(room, people, prompts, django_assert_num_queries):
    section = room.sections.first()
    asked = [make_prompt(section) for _ in range(prompts)]
    for _ in range(people):
        one = make_participant(room)
        for prompt in asked:
            make_answer(one, prompt)
    with django_assert_num_queries(5):
        board = boards.board(room, 0)
        assert all(row.participant.cell.name for row in board.rows)
