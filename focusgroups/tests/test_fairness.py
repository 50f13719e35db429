"""The meter of fairness: airtime, silence, and questions that may lead their answers."""

from datetime import timedelta

import pytest
from django.utils import timezone

from focusgroups import fairness
from focusgroups.services import messaging
from focusgroups.tests.factories import (
    make_answer,
    make_message,
    make_moderator,
    make_participant,
    make_running_room,
)

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't you think that heparin is safer?", ["Don't you think"]),
        ("Don’t  you\nthink so?", ["Don't you think"]),
        ("Surely you would agree that this is obviously right?", ["Surely", "you would agree", "obviously"]),
        ("ISN'T IT TRUE that nobody waits?", ["ISN'T IT TRUE"]),
        ("You wait a day, right?", ["right?"]),
        ("Wouldn't you agree? And surely, surely.", ["Wouldn't you agree", "surely"]),
        ("How do you decide on a first dose?", []),
        ("Is leisurely dosing common?", []),
        ("Which one is right?", []),
        ("", []),
    ],
)
def test_phrases_that_lead_are_found_as_whole_words_and_each_once(text, words):
    assert [hint.words for hint in fairness.hints(text)] == words


def test_a_hint_says_why():
    (hint,) = fairness.hints("Isn't it obvious?")
    assert hint.why == "It expects a yes."


def test_no_phrase_stands_under_two_reasons():
    phrases = [
        phrase for pattern, _ in fairness.leading() for phrase in pattern.pattern.replace("\\", "").split("|")
    ]
    assert len(phrases) == len(set(phrases)) > 50


@pytest.fixture
def boss(db):
    return make_moderator()


@pytest.fixture
def room(boss):
    return make_running_room(by=boss, sections=1, released=1, starts_at=timezone.now() - 5 * DAY)


def seat(room, **fields):
    return make_participant(room, joined_at=timezone.now() - 4 * DAY, **fields)


def words(number):
    return "word " * number


def test_airtime_counts_what_stands_and_no_private_notes(room):
    one, other = seat(room), seat(room)
    prompts = list(room.sections.get().prompts.all())
    answer = make_answer(one, prompts[0], words(30))
    make_message(room, participant=one, answer=answer, source=words(10))
    make_message(room, participant=one, kind="note", source=words(500))
    make_answer(one, prompts[1], words(70), hidden_at=timezone.now(), hidden_why="A name.")
    make_answer(other, prompts[0], words(10), is_private=True)

    rows = fairness.airtime(room)

    assert [(row.participant, row.words, row.share, row.pieces) for row in rows] == [
        (one, 40, 80, 2),
        (other, 10, 20, 1),
    ]


def test_who_says_nothing_for_two_days_is_silent(room):
    prompt = room.sections.get().prompts.first()
    quiet, fresh, talks, gone = seat(room), make_participant(room), seat(room), seat(room)
    old = seat(room)
    make_answer(talks, prompt)
    make_answer(old, prompt, posted_at=timezone.now() - timedelta(hours=49))
    type(gone).objects.filter(pk=gone.pk).update(left_at=timezone.now(), left_as="left")

    silent = {row.participant for row in fairness.airtime(room) if row.is_silent}

    assert silent == {quiet, old}
    assert fresh not in silent


def test_nobody_is_silent_before_the_room_begins(boss):
    room = make_running_room(by=boss, starts_at=timezone.now() + DAY, ends_at=timezone.now() + 9 * DAY)
    seat(room)

    assert not any(row.is_silent for row in fairness.airtime(room))


def test_who_says_twice_as_much_as_an_even_share_is_named(room):
    prompt = room.sections.get().prompts.first()
    people = [seat(room) for _ in range(3)]
    for person, number in zip(people, [70, 20, 10], strict=True):
        make_answer(person, prompt, words(number))

    meter = fairness.meter(room)

    assert [row.participant for row in meter.loud] == people[:1]
    assert meter.even_share == 33


def test_the_meter_tells_the_moderators_share_and_what_leads(room, boss):
    one = seat(room)
    make_answer(one, room.sections.get().prompts.first(), words(75))
    make_message(room, moderator=boss, kind="probe", source="Surely you all " + words(12))
    make_message(room, moderator=boss, kind="probe", source="How " + words(9))
    hidden = make_message(room, moderator=boss, kind="probe", source="Obviously so?")
    messaging.hide(said=hidden, by=boss, reason="Leads.")

    meter = fairness.meter(room)

    assert (meter.moderator_words, meter.moderator_share, meter.probes) == (25, 25, 2)
    assert [[hint.words for hint in asked.hints] for asked in meter.leading] == [["Surely"]]


def test_an_empty_room_has_a_meter_of_nothing(room):
    meter = fairness.meter(room)

    assert (meter.moderator_share, meter.even_share, meter.rows, meter.leading) == (0, 0, [], [])


@pytest.mark.parametrize("people", [1, 12])
def test_the_meter_costs_the_same_for_any_number(room, boss, people, django_assert_num_queries):
    prompt = room.sections.get().prompts.first()
    for _ in range(people):
        answer = make_answer(seat(room), prompt)
        make_message(room, moderator=boss, answer=answer, source="Surely so?")
    with django_assert_num_queries(3):
        fairness.meter(room)
