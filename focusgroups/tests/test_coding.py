"""Codes that moderators give to what participants say."""

import pytest

from focusgroups.models import Code, CodeMark
from focusgroups.services import answering, coding, holding
from focusgroups.tests.factories import (
    make_answer,
    make_message,
    make_moderator,
    make_participant,
    make_running_room,
)
from verification.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss():
    return make_moderator()


@pytest.fixture
def room(boss):
    return make_running_room(by=boss, sections=1)


@pytest.fixture
def answer(room):
    return make_answer(make_participant(room), room.sections.get().prompts.first())


def test_a_code_is_made_once_in_whatever_case(room, boss, answer):
    message = make_message(room, participant=answer.participant, answer=answer, prompt=answer.prompt)
    first = coding.tag(said=answer, by=boss, code="  Dose   finding ")
    again = coding.tag(said=answer, by=boss, code="dose finding")
    other = coding.tag(said=message, by=boss, code="DOSE FINDING")

    assert first == again
    assert first.by == boss
    assert Code.objects.get().name == "Dose finding"
    assert {first.answer, other.message} == {answer, message}


def test_tagging_is_no_event_of_the_audit_trail(boss, answer):
    coding.tag(said=answer, by=boss, code="safety")

    assert not Event.objects.filter(kind__startswith="room_").exists()


def test_a_code_that_nothing_has_any_more_is_gone(boss, answer, room):
    message = make_message(room, participant=answer.participant, answer=answer)
    marks = [coding.tag(said=said, by=boss, code="safety") for said in (answer, message)]

    coding.untag(mark=marks[0], by=boss)
    assert Code.objects.exists()
    coding.untag(mark=marks[1], by=boss)
    assert not Code.objects.exists()


@pytest.mark.parametrize(("code", "words"), [(" ", "Write a code"), ("x" * 41, "at most 40")])
def test_a_code_has_a_name_that_fits(boss, answer, code, words):
    with pytest.raises(holding.Unfit, match=words):
        coding.tag(said=answer, by=boss, code=code)


def test_only_who_runs_the_room_tags(boss, answer):
    stranger, mark = make_moderator(), coding.tag(said=answer, by=boss, code="safety")
    for deed in (
        lambda: coding.tag(said=answer, by=stranger, code="dose"),
        lambda: coding.untag(mark=mark, by=stranger),
    ):
        with pytest.raises(holding.NotYours):
            deed()
    assert CodeMark.objects.get() == mark


def test_words_of_moderators_and_what_is_gone_get_no_code(boss, answer, room):
    with pytest.raises(coding.OfModerator):
        coding.tag(said=make_message(room, moderator=boss, kind="probe"), by=boss, code="safety")
    coding.tag(said=answer, by=boss, code="safety")
    answering.withdraw(answer=answer, by=answer.participant)
    with pytest.raises(answering.Gone):
        coding.tag(said=answer, by=boss, code="dose")
    assert not CodeMark.objects.exists()


def test_a_room_has_so_many_codes_and_no_more(boss, answer, room, monkeypatch):
    monkeypatch.setattr(coding, "MOST", 1)
    coding.tag(said=answer, by=boss, code="safety")
    coding.tag(said=answer, by=boss, code="Safety")
    with pytest.raises(coding.TooManyCodes):
        coding.tag(said=answer, by=boss, code="dose")
