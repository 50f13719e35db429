"""Answers to prompts: once each, what fits, and what completes a section."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import IdentifierDecision, Member
from accounts.services.identifiers import Kept
from focusgroups.models import Answer, Completion, Prompt, Quote, Revision, Section
from focusgroups.services import answering
from focusgroups.signals import earners_sought
from focusgroups.tests.factories import (
    make_agreement,
    make_answer,
    make_completion,
    make_message,
    make_moderator,
    make_participant,
    make_prompt,
    make_running_room,
)

pytestmark = pytest.mark.django_db
Kind = Prompt.Kind
NOW = timezone.now
WORDS = "Low dose, then the platelets."


@pytest.fixture
def room():
    return make_running_room(sections=2, prompts=2, released=1)


@pytest.fixture
def section(room):
    return room.sections.first()


@pytest.fixture
def prompts(section):
    return list(section.prompts.all())


@pytest.fixture
def me(room):
    return make_participant(room)


@pytest.fixture
def other(room):
    return make_participant(room)


def say(participant, prompt, source=WORDS, **said):
    return answering.answer(participant=participant, prompt=prompt, source=source, **said)


# What is written


def test_an_answer_is_kept_as_typed_and_as_drawn(me, prompts):
    made = say(me, prompts[0], "**Low** dose, 20 units.")

    made.refresh_from_db()
    assert (made.source, made.words) == ("**Low** dose, 20 units.", 4)
    assert "<strong>Low</strong>" in made.html
    assert not made.is_private


def test_a_private_answer_is_so_by_choice_or_by_its_prompt(me, section, prompts):
    assert say(me, prompts[0], is_private=True).is_private
    assert say(me, make_prompt(section, is_private=True)).is_private


def test_what_the_check_found_and_stands_is_counted_once(me, prompts):
    kept = Kept(doubts={"capitalized": 2})
    for _ in range(2):
        answering.answer(participant=me, prompt=prompts[0], source=WORDS, kept=kept)

    decision = IdentifierDecision.objects.get(member=me.member)
    assert (decision.place, decision.doubts) == ("group", {"capitalized": 2})


def test_the_same_form_twice_is_one_answer_and_another_one_is_refused(me, prompts):
    first = say(me, prompts[0])

    assert say(me, prompts[0]) == first
    with pytest.raises(answering.AnsweredBefore):
        say(me, prompts[0], "In another window I wrote this.")
    assert Answer.objects.get().source == WORDS


# Who may, and when


def test_a_section_that_is_not_open_takes_no_answer(me, room):
    with pytest.raises(answering.NotReleased):
        say(me, room.sections.last().prompts.first())


def test_nor_does_a_prompt_of_another_room(me):
    with pytest.raises(answering.NotReleased):
        say(me, make_running_room().sections.first().prompts.first())


def test_nor_a_room_that_is_over(me, room, prompts):
    room.ends_at = NOW()
    room.save()

    with pytest.raises(answering.RoomIsOver):
        say(me, prompts[0])


def test_nor_does_anybody_answer_without_a_seat(me, prompts):
    me.left_at, me.left_as = NOW(), "removed"
    me.left_why = "Advertised."
    me.save()

    with pytest.raises(answering.NoSeat):
        say(me, prompts[0])


def test_nor_whose_license_needs_a_check(me, prompts):
    Member.objects.filter(pk=me.member_id).update(standing=Member.Standing.READ_ONLY)

    with pytest.raises(answering.ReadOnly):
        say(me, prompts[0])


def test_a_new_agreement_is_accepted_before_the_next_answer(me, room, prompts):
    make_agreement(room, "Another text.")

    with pytest.raises(answering.AgreementFirst):
        say(me, prompts[0])


def test_a_late_answer_is_taken_until_the_room_ends(me, room, prompts):
    Section.objects.filter(room=room, place=0).update(due_at=NOW() - timedelta(hours=1))

    assert say(me, prompts[0])


# What fits a prompt


@pytest.mark.parametrize("source", ["", "   \n"])
def test_an_open_prompt_wants_words(me, prompts, source):
    with pytest.raises(answering.NothingSaid):
        say(me, prompts[0], source)


def test_one_choice_is_one_of_the_options(me, section):
    prompt = make_prompt(section, Kind.SINGLE)
    a, b, _ = prompt.options.values_list("pk", flat=True)
    foreign = make_prompt(section, Kind.SINGLE).options.first().pk

    for chosen in ([], [a, b], [foreign], [a, a]):
        with pytest.raises(answering.NotAChoice):
            say(me, prompt, chosen=chosen)
    made = say(me, prompt, "not asked for", chosen=[b])
    assert (made.chosen, made.source) == ([b], "")


def test_several_choices_are_at_most_so_many(me, section):
    prompt = make_prompt(section, Kind.MULTIPLE, most=2)
    a, b, c = prompt.options.values_list("pk", flat=True)

    for chosen in ([], [a, b, c]):
        with pytest.raises(answering.NotAChoice):
            say(me, prompt, chosen=chosen)
    assert say(me, prompt, chosen=[c, a]).chosen == [a, c]


def test_a_ranking_gives_each_option_a_place_and_keeps_the_order(me, section):
    prompt = make_prompt(section, Kind.RANKED)
    a, b, c = prompt.options.values_list("pk", flat=True)

    for chosen in ([], [a, b], [a, b, b]):
        with pytest.raises(answering.NotAChoice):
            say(me, prompt, chosen=chosen)
    assert say(me, prompt, chosen=[c, a, b]).chosen == [c, a, b]


def test_a_scale_has_its_points(me, section):
    prompt = make_prompt(section, Kind.SCALE)

    for points in (None, 0, 6):
        with pytest.raises(answering.NotAChoice):
            say(me, prompt, points=points)
    assert say(me, prompt, points=5).points == 5


def test_where_the_reason_is_asked_for_it_is_needed(me, section):
    prompt = make_prompt(section, Kind.SCALE, asks_why=True)

    with pytest.raises(answering.ReasonMissing):
        say(me, prompt, "", points=2)
    assert say(me, prompt, "Cost.", points=2).source == "Cost."


# What it earns


def test_the_last_needed_answer_completes_a_section(me, section, prompts, announced):
    make_prompt(section, is_required=False)
    say(me, prompts[0])
    assert not Completion.objects.exists()
    say(me, prompts[1])

    completion = Completion.objects.get()
    assert (completion.section, completion.participant) == (section, me)
    assert (completion.cents, completion.final_at) == (section.honorarium, None)
    assert announced == []


def test_without_a_needed_prompt_all_of_them_are(me, section, prompts):
    Prompt.objects.filter(section=section).update(is_required=False)
    say(me, prompts[0])
    assert not Completion.objects.exists()
    say(me, prompts[1])

    assert Completion.objects.count() == 1


def test_in_a_closed_section_that_is_final_at_once_and_announced(me, section, prompts, announced):
    section.closed_at = NOW()
    section.save()
    for prompt in prompts:
        say(me, prompt)

    completion = Completion.objects.get()
    assert completion.final_at
    assert announced == [("section_completed", completion.pk)]


def test_who_has_a_seat_after_another_is_paid_for_what_that_one_was_not(room, section, prompts):
    make_prompt(room.sections.last())
    Section.objects.update(opens_at=NOW() - timedelta(days=1))
    first = make_participant(room, left_at=NOW(), left_as="dropped")
    make_completion(first, section)
    second = make_participant(room, replaces=first, left_at=NOW(), left_as="left")
    third = make_participant(room, replaces=second)
    for prompt in Prompt.objects.filter(section__room=room):
        say(third, prompt)

    cents = dict(Completion.objects.filter(participant=third).values_list("section__place", "cents"))
    assert cents == {0: 0, 1: section.honorarium}


def test_a_completion_of_nothing_before_does_not_take_the_pay(room, section, prompts):
    first = make_participant(room, left_at=NOW(), left_as="dropped")
    make_completion(first, section, cents=0)
    third = make_participant(room, replaces=first)
    for prompt in prompts:
        say(third, prompt)

    assert Completion.objects.get(participant=third).cents == section.honorarium


def test_who_is_paid_nothing_completes_for_nothing(me, room, section, prompts):
    heard = []

    def unpaid(room, members, **kwargs):
        heard.append((room, list(members)))
        return {me.member_id}

    earners_sought.connect(unpaid)
    try:
        for prompt in prompts:
            say(me, prompt)
    finally:
        earners_sought.disconnect(unpaid)

    assert heard == [(room, [me.member])]
    assert Completion.objects.get().cents == 0


def test_taking_an_answer_back_and_giving_it_anew_earns_once(me, prompts):
    answers = [say(me, prompt) for prompt in prompts]
    answering.withdraw(answer=answers[0], by=me)
    say(me, prompts[0], "Anew.")

    assert Completion.objects.count() == 1


def test_an_answer_taken_back_before_the_section_is_complete_counts_no_more(me, prompts):
    answering.withdraw(answer=say(me, prompts[0]), by=me)
    say(me, prompts[1])
    assert not Completion.objects.exists()
    say(me, prompts[0])

    assert Completion.objects.exists()


# Editing


def test_within_a_quarter_of_an_hour_the_words_change_and_what_they_were_is_kept(me, prompts):
    answer = say(me, prompts[0])
    edited = answering.edit(answer=answer, by=me, source="High dose.")

    assert (edited.source, edited.words) == ("High dose.", 2)
    assert edited.edited_at
    revision = Revision.objects.get(answer=answer)
    assert (revision.source, revision.written_at) == (WORDS, answer.posted_at)


def test_what_was_chosen_stays(me, section):
    prompt = make_prompt(section, Kind.SCALE, asks_why=True)
    answer = say(me, prompt, "Cost.", points=2)

    assert answering.edit(answer=answer, by=me, source="Costs.").points == 2
    with pytest.raises(answering.ReasonMissing):
        answering.edit(answer=answer, by=me, source=" ")


def test_the_same_words_are_no_edit(me, prompts):
    answer = say(me, prompts[0])

    assert answering.edit(answer=answer, by=me, source=f"{WORDS} ").edited_at is None
    assert not Revision.objects.exists()


def test_after_a_quarter_of_an_hour_an_answer_stays(me, prompts):
    answer = make_answer(me, prompts[0], posted_at=NOW() - timedelta(minutes=15, seconds=1))

    with pytest.raises(answering.TooLate):
        answering.edit(answer=answer, by=me, source="Later.")


def test_so_does_one_under_which_somebody_spoke(me, other, room, prompts):
    answer = say(me, prompts[0])
    make_message(room, participant=me, answer=answer)
    assert answering.edit(answer=answer, by=me, source="Mine alone.")

    make_message(room, moderator=make_moderator(), answer=answer, kind="probe", to=me)
    with pytest.raises(answering.SaidUnder):
        answering.edit(answer=answer, by=me, source="After a probe.")


def test_only_ones_own_answer_is_edited_or_taken_back(me, other, prompts):
    answer = say(other, prompts[0])

    with pytest.raises(answering.NotYours):
        answering.edit(answer=answer, by=me, source="Mine now.")
    with pytest.raises(answering.NotYours):
        answering.withdraw(answer=answer, by=me)


def test_a_hidden_answer_is_not_edited(me, prompts):
    answer = make_answer(me, prompts[0], hidden_at=NOW(), hidden_why="A name.")

    with pytest.raises(answering.Gone):
        answering.edit(answer=answer, by=me, source="Without it.")


# Taking back


def test_what_is_taken_back_leaves_nothing_but_its_place(me, room, section):
    prompt = make_prompt(section, Kind.SINGLE, asks_why=True)
    answer = say(me, prompt, chosen=[prompt.options.first().pk])
    answering.edit(answer=answer, by=me, source="Other words.")
    code = room.codes.create(name="dose")
    code.marks.create(answer=answer)
    decided = {"state": Quote.State.APPROVED, "decided_at": NOW()}
    room.quotes.create(answer=answer, text="Other", paraphrase="A dose.", **decided)
    for _ in range(2):
        answering.withdraw(answer=answer, by=me)

    answer.refresh_from_db()
    assert (answer.source, answer.html, answer.chosen, answer.words) == ("", "", [], 0)
    assert [rows.count() for rows in (Revision.objects, code.marks, room.quotes)] == [0, 0, 0]


def test_nothing_is_taken_back_once_the_room_is_over(me, room, prompts):
    answer = say(me, prompts[0])
    room.closed_at = NOW()
    room.save()

    with pytest.raises(answering.RoomIsOver):
        answering.withdraw(answer=answer, by=me)


def test_an_answer_given_anew_is_marked_and_what_is_hidden_stays_hidden(me, prompts):
    answer = make_answer(me, prompts[0], hidden_at=NOW(), hidden_why="A name.")
    answering.withdraw(answer=answer, by=me)
    again = say(me, prompts[0], "Without it.")

    assert again.pk == answer.pk
    assert again.is_anew
    assert again.hidden_at


def test_one_that_is_changed_afterwards_was_still_given_anew(me, prompts):
    answer = say(me, prompts[0])
    assert not answering.edit(answer=answer, by=me, source="High dose.").is_anew

    answering.withdraw(answer=answer, by=me)
    again = say(me, prompts[0], "As the others said.")

    assert answering.edit(answer=again, by=me, source="As others said.").is_anew


def test_a_probe_of_somebody_else_alone_tells_nobody_that_it_is_there(me, other, room, prompts):
    answer = say(me, prompts[0])
    make_message(room, moderator=make_moderator(), answer=answer, kind="probe", to=other)

    assert answering.edit(answer=answer, by=me, source="High dose.").source == "High dose."


# Two at once


@pytest.mark.django_db(transaction=True)
def test_two_windows_at_once_make_one_answer_and_one_completion(room, prompts, me):
    make_answer(me, prompts[0])

    def answer(_):
        try:
            answering.answer(participant=me, prompt=prompts[1], source=WORDS)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(answer, range(2)))
    assert Answer.objects.filter(prompt=prompts[1]).count() == 1
    assert Completion.objects.count() == 1


def test_the_same_words_to_moderators_alone_are_another_answer(me, prompts):
    say(me, prompts[0])

    with pytest.raises(answering.AnsweredBefore):
        say(me, prompts[0], is_private=True)


def test_whose_license_needs_a_check_takes_an_answer_back(me, prompts):
    made = say(me, prompts[0])
    Member.objects.filter(pk=me.member_id).update(standing=Member.Standing.READ_ONLY)

    assert answering.withdraw(answer=made, by=me).withdrawn_at
