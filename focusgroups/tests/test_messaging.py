"""Replies, probes, notes, live hours, hiding: who may say what under what, and who reads it."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Member, Notice
from focusgroups import sight
from focusgroups.models import Answer, Message, Section
from focusgroups.services import answering, holding, messaging
from focusgroups.tests.factories import (
    make_agreement,
    make_answer,
    make_live_hour,
    make_message,
    make_moderator,
    make_participant,
    make_prompt,
    make_room,
    make_running_room,
)
from verification.models import Event

pytestmark = pytest.mark.django_db
NOW = timezone.now
WORDS = "I would wait a day."


@pytest.fixture
def boss():
    return make_moderator()


@pytest.fixture
def room(boss):
    return make_running_room(by=boss, sections=2, prompts=2, released=1)


@pytest.fixture
def prompt(room):
    return room.sections.first().prompts.first()


@pytest.fixture
def me(room):
    return make_participant(room)


@pytest.fixture
def other(room):
    return make_participant(room)


def key():
    return uuid.uuid4()


def reply(participant, source=WORDS, **place):
    place.setdefault("key", key())
    return messaging.reply(participant=participant, source=source, **place)


def probe(boss, room, **about):
    about.setdefault("key", key())
    return messaging.probe(by=boss, room=room, source="And at night?", **about)


def sees(participant, said):
    rows = sight.answers_for if isinstance(said, Answer) else sight.messages_for
    return rows(participant).filter(pk=said.pk).exists()


# Answer first


def test_others_answers_wait_for_ones_own(me, other, prompt):
    theirs = make_answer(other, prompt)
    assert not sees(me, theirs)

    mine = make_answer(me, prompt)
    assert sees(me, theirs)
    assert sees(me, mine)
    assert sees(other, mine)


def test_and_close_again_with_it(me, other, prompt):
    theirs, mine = make_answer(other, prompt), make_answer(me, prompt)
    answering.withdraw(answer=mine, by=me)

    assert not sees(me, theirs)
    assert sees(me, mine)


def test_one_that_a_moderator_hid_was_given_all_the_same(me, other, prompt):
    theirs = make_answer(other, prompt)
    make_answer(me, prompt, hidden_at=NOW(), hidden_why="A name.")

    assert sees(me, theirs)


def test_an_answer_to_another_prompt_opens_nothing(me, other, room, prompt):
    theirs = make_answer(other, prompt)
    make_answer(me, room.sections.first().prompts.last())

    assert not sees(me, theirs)


def test_private_answers_are_read_by_nobody_else(me, other, prompt, room):
    make_answer(me, prompt)
    hers = make_answer(other, prompt, is_private=True)
    apart = make_prompt(room.sections.first(), is_private=True)
    make_answer(me, apart)
    said_apart = make_answer(other, apart)
    Answer.objects.filter(pk=said_apart.pk).update(is_private=False)  # the prompt alone says so

    for theirs in (hers, said_apart):
        assert not sees(me, theirs)
        with pytest.raises(messaging.OutOfSight):
            reply(me, answer=theirs)
    assert not sight.said_to_all(room).answers.filter(participant=other).exists()


def test_what_is_said_under_an_answer_waits_with_it(me, other, room, prompt):
    theirs = make_answer(other, prompt)
    said = reply(other, answer=theirs)
    assert not sees(me, said)

    make_answer(me, prompt)
    assert sees(me, said)


def test_probes_about_a_prompt_wait_also_those_to_me(me, other, boss, room, prompt):
    to_all, to_me = probe(boss, room, prompt=prompt), probe(boss, room, prompt=prompt, to=me)
    assert not any(sees(me, said) for said in (to_all, to_me))

    make_answer(me, prompt)
    make_answer(other, prompt)
    assert sees(me, to_all)
    assert sees(me, to_me)
    assert not sees(other, to_me)


def test_what_others_say_to_a_probe_of_all_waits_for_ones_own(me, other, boss, room, prompt):
    make_answer(me, prompt)
    make_answer(other, prompt)
    for asked in (probe(boss, room, prompt=prompt), probe(boss, room)):
        theirs = reply(other, parent=asked)
        assert sees(me, asked)
        assert not sees(me, theirs)
        with pytest.raises(messaging.OutOfSight):
            reply(me, parent=theirs)

        mine = reply(me, parent=asked)
        assert sees(me, theirs)
        messaging.withdraw(message=mine, by=me)
        assert not sees(me, theirs)


def test_nothing_is_said_under_what_one_may_not_see(me, other, boss, room, prompt):
    theirs = make_answer(other, prompt)
    asked = probe(boss, room, prompt=prompt)
    to_other = probe(boss, room, to=other)

    with pytest.raises(messaging.OutOfSight):
        reply(me, answer=theirs)
    for parent in (asked, to_other, make_message(room, participant=other, kind="note")):
        with pytest.raises(messaging.OutOfSight):
            reply(me, parent=parent)
    assert not Message.objects.filter(participant=me).exists()


def test_nor_in_another_room(me, prompt):
    elsewhere = make_participant(make_running_room())
    theirs = make_answer(elsewhere, elsewhere.room.sections.first().prompts.first())
    make_answer(me, prompt)

    with pytest.raises(messaging.OutOfSight):
        reply(me, answer=theirs)
    with pytest.raises(messaging.OutOfSight):
        reply(me, parent=make_message(elsewhere.room, kind="probe", moderator=make_moderator()))


# Replies


def test_a_reply_stands_under_its_answer_and_one_to_it_in_the_same_thread(me, other, prompt):
    theirs, _ = make_answer(other, prompt), make_answer(me, prompt)
    first = reply(me, answer=theirs)
    second = reply(other, parent=first)
    third = reply(me, parent=second)

    assert (first.answer, first.prompt, first.parent, first.is_private) == (theirs, prompt, None, False)
    assert (second.answer, second.parent) == (theirs, first)
    assert (third.answer, third.parent) == (theirs, first)


def test_the_same_form_twice_makes_one(me, prompt):
    own, same = make_answer(me, prompt), key()

    assert reply(me, answer=own, key=same) == reply(me, answer=own, key=same)
    assert Message.objects.count() == 1


def test_a_key_of_somebody_else_makes_nothing(me, other, prompt):
    own, same = make_answer(me, prompt), key()
    messaging.note(participant=other, source=WORDS, key=same)

    with pytest.raises(messaging.SentElsewhere):
        reply(me, answer=own, key=same)


def test_under_a_private_answer_the_moderators_and_its_author_are_alone(me, other, boss, room, prompt):
    make_answer(other, prompt)
    own = make_answer(me, prompt, is_private=True)
    said = messaging.reply_as_moderator(by=boss, answer=own, source="Say more?", key=key())
    back = reply(me, parent=said)

    assert (said.is_private, said.to, back.is_private, back.to) == (True, me, True, None)
    assert sees(me, said)
    assert not any(sees(other, one) for one in (said, back))
    assert not sight.said_to_all(room).messages.exists()


@pytest.mark.parametrize("state", ["hidden", "withdrawn"])
def test_nothing_is_said_to_what_is_gone(me, other, prompt, state):
    make_answer(me, prompt)
    gone = {"hidden": {"hidden_at": NOW(), "hidden_why": "A name."}, "withdrawn": {"withdrawn_at": NOW()}}
    theirs = make_answer(other, prompt, source="", **gone[state])

    with pytest.raises(messaging.Gone):
        reply(me, answer=theirs)


def test_a_reply_has_words(me, prompt):
    with pytest.raises(answering.NothingSaid):
        messaging.reply(participant=me, answer=make_answer(me, prompt), source=" \n", key=key())


def test_a_new_agreement_comes_before_a_reply_but_not_before_a_note(me, room, prompt):
    own = make_answer(me, prompt)
    make_agreement(room, "Another text.")

    with pytest.raises(answering.AgreementFirst):
        reply(me, answer=own)
    assert messaging.note(participant=me, source="Why a new one?", key=key())


def test_in_a_room_that_is_over_nobody_says_anything(me, boss, room, prompt):
    own, hour = make_answer(me, prompt), make_live_hour(room)
    mine = reply(me, answer=own)
    room.ends_at = NOW()
    room.save()
    room.refresh_from_db()

    for act in (
        lambda: reply(me, answer=own),
        lambda: messaging.note(participant=me, source=WORDS, key=key()),
        lambda: messaging.live(participant=me, live_hour=hour, source=WORDS, key=key()),
        lambda: messaging.withdraw(message=mine, by=me),
    ):
        with pytest.raises(answering.RoomIsOver):
            act()
    for act in (
        lambda: probe(boss, room, prompt=prompt),
        lambda: messaging.reply_as_moderator(by=boss, answer=own, source=WORDS, key=key()),
        lambda: messaging.live(by=boss, live_hour=hour, source=WORDS, key=key()),
    ):
        with pytest.raises(holding.Over):
            act()


# Notes


def test_a_note_is_read_by_its_author_and_the_moderators(me, other, boss, room):
    note = messaging.note(participant=me, source="Is this paid?", key=key())
    back = messaging.reply_as_moderator(by=boss, parent=note, source="Yes.", key=key())
    again = reply(me, parent=back)

    assert (note.is_private, back.to, back.parent, again.parent) == (True, me, note, note)
    assert all(sees(me, said) and not sees(other, said) for said in (note, back, again))
    assert not sight.said_to_all(room).messages.exists()


# Probes


def test_a_probe_of_one_is_private_told_without_words_and_in_the_trail(me, boss, room, prompt):
    made = probe(boss, room, answer=make_answer(me, prompt), to=me)

    assert (made.is_private, made.to, made.prompt, made.moderator) == (True, me, prompt, boss)
    assert Notice.objects.filter(member=me.member).count() == 1
    event = Event.objects.get(kind="room_probe")
    assert event.object == f"room:{room.pk}"


def test_the_same_probe_twice_is_asked_once(me, boss, room):
    same = key()

    assert probe(boss, room, key=same, to=me) == probe(boss, room, key=same, to=me)
    assert Event.objects.filter(kind="room_probe").count() == 1


def test_about_a_private_answer_only_its_author_is_asked(me, other, boss, room, prompt):
    own = make_answer(me, prompt, is_private=True)

    assert probe(boss, room, answer=own).to == me
    with pytest.raises(messaging.PrivateToAnother):
        probe(boss, room, answer=own, to=other)


def test_nobody_is_asked_of_another_room_or_a_closed_section_or_one_who_left(me, boss, room, prompt):
    elsewhere = make_participant(make_running_room())
    for about in ({"to": elsewhere}, {"prompt": elsewhere.room.sections.first().prompts.first()}):
        with pytest.raises(messaging.OtherRoom):
            probe(boss, room, **about)
    with pytest.raises(answering.NotReleased):
        probe(boss, room, prompt=room.sections.last().prompts.first())
    with pytest.raises(messaging.Gone):
        probe(boss, room, to=make_participant(room, left_at=NOW(), left_as="left"))
    with pytest.raises(messaging.Gone):
        probe(boss, room, answer=make_answer(me, prompt, source="", withdrawn_at=NOW()))


def test_only_who_runs_the_room_asks_replies_or_hides_in_it(me, room, prompt):
    stranger, answer = make_moderator(), make_answer(me, prompt)

    for act in (
        lambda: probe(stranger, room),
        lambda: messaging.reply_as_moderator(by=stranger, answer=answer, source=WORDS, key=key()),
        lambda: messaging.hide(said=answer, by=stranger, reason="A name."),
        lambda: messaging.unhide(said=answer, by=stranger),
        lambda: messaging.live(by=stranger, live_hour=make_live_hour(room), source=WORDS, key=key()),
    ):
        with pytest.raises(holding.NotYours):
            act()


def test_in_a_draft_nobody_is_asked(boss):
    with pytest.raises(holding.NotPublished):
        probe(boss, make_room(by=boss))


# Hiding


def test_hidden_words_are_shown_to_nobody_until_they_are_unhidden(me, other, boss, room, prompt):
    answer = make_answer(me, prompt)
    hidden = messaging.hide(said=answer, by=boss, reason="  A  name. ")

    assert (hidden.hidden_by, hidden.hidden_why) == (boss, "A name.")
    assert not sight.said_to_all(room).answers.exists()
    for _ in range(2):
        messaging.unhide(said=answer, by=boss)
    assert sight.said_to_all(room).answers.get() == answer
    deeds = Event.objects.filter(kind__startswith="room_").values_list("kind", flat=True)
    assert sorted(deeds) == ["room_hide", "room_unhide"]


def test_hiding_needs_a_reason_and_something_to_hide(me, boss, room, prompt):
    with pytest.raises(messaging.ReasonForHiding):
        messaging.hide(said=make_answer(me, prompt), by=boss, reason=" ")
    gone = make_message(room, participant=me, kind="note", source="", withdrawn_at=NOW())
    with pytest.raises(messaging.Gone):
        messaging.hide(said=gone, by=boss, reason="A name.")


def test_it_can_be_hidden_after_the_end(me, boss, room, prompt):
    answer = make_answer(me, prompt)
    room.closed_at = NOW()
    room.save()

    assert messaging.hide(said=answer, by=boss, reason="A name.").hidden_at


# Live hours


def test_a_live_hour_takes_lines_while_it_is_on(me, other, boss, room):
    hour = make_live_hour(room)
    mine = messaging.live(participant=me, live_hour=hour, source=WORDS, key=key())
    theirs = messaging.live(by=boss, live_hour=hour, source="Welcome.", key=key())

    assert (mine.live_hour, mine.participant, theirs.moderator, theirs.participant) == (hour, me, boss, None)
    assert sees(other, mine)
    assert sees(other, theirs)
    assert sight.said_to_all(room).messages.count() == 2


@pytest.mark.parametrize("starts", [timedelta(minutes=1), timedelta(hours=-2)])
def test_neither_before_nor_after_it(me, room, starts):
    hour = make_live_hour(room, starts_at=NOW() + starts)

    with pytest.raises(messaging.NotOn):
        messaging.live(participant=me, live_hour=hour, source=WORDS, key=key())


def test_nor_one_of_another_room(me):
    hour = make_live_hour(make_running_room())

    with pytest.raises(messaging.OtherRoom):
        messaging.live(participant=me, live_hour=hour, source=WORDS, key=key())


def test_a_line_is_no_place_for_replies(me, room):
    line = messaging.live(participant=me, live_hour=make_live_hour(room), source=WORDS, key=key())

    with pytest.raises(messaging.OutOfSight):
        reply(me, parent=line)


# Taking back


def test_a_message_taken_back_leaves_nothing(me, other, prompt):
    mine = reply(me, answer=make_answer(me, prompt))
    for _ in range(2):
        messaging.withdraw(message=mine, by=me)

    mine.refresh_from_db()
    assert (mine.source, mine.html, mine.words) == ("", "", 0)
    assert mine.withdrawn_at
    with pytest.raises(answering.NotYours):
        messaging.withdraw(message=mine, by=other)


def test_sections_that_open_again_do_not_matter_to_what_was_said(me, room, prompt):
    """What was said stays readable whatever becomes of the dates of a section."""
    own = make_answer(me, prompt)
    Section.objects.filter(pk=prompt.section_id).update(closed_at=NOW())

    assert sees(me, own)


def test_a_key_used_for_other_words_makes_nothing_of_them(me, prompt):
    own, same = make_answer(me, prompt), key()
    reply(me, answer=own, key=same)

    with pytest.raises(messaging.SentElsewhere):
        reply(me, answer=own, key=same, source="Something else altogether.")


def test_whose_license_needs_a_check_takes_back_what_they_said(me, prompt):
    made = reply(me, answer=make_answer(me, prompt))
    Member.objects.filter(pk=me.member_id).update(standing=Member.Standing.READ_ONLY)

    assert messaging.withdraw(message=made, by=me).withdrawn_at
