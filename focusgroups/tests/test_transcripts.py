"""What was said in a room, for files: in the order of the guide, by alias and quota cell, and nothing that is gone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from focusgroups import smallness
from focusgroups.models import CodeMark, Message, Prompt
from focusgroups.sight import said_to_all
from focusgroups.tests.factories import (
    make_answer,
    make_cell,
    make_live_hour,
    make_message,
    make_moderator,
    make_participant,
    make_prompt,
    make_room,
    make_running_room,
    make_section,
)
from focusgroups.transcripts import HIDDEN, MODERATOR, TAKEN_BACK, transcript_of

pytestmark = pytest.mark.django_db
Kind = Message.Kind


@pytest.fixture
def room():
    return make_running_room(sections=2, prompts=1)


@pytest.fixture
def people(room):
    return [make_participant(room) for _ in range(6)]


@pytest.fixture
def prompt(room):
    return room.sections.first().prompts.first()


def lines_under(made, number="1.1"):
    return next(asked.lines for part in made.parts for asked in part.asked if asked.number == number)


def texts(made):
    return [line.text for line in made.lines()]


def hide(said):
    said.hidden_at, said.hidden_why = timezone.now(), "Names a patient"
    said.save()


def take_back(said):
    said.source = said.html = ""
    said.withdrawn_at = timezone.now()
    said.save()


# Order, and who


def test_answers_stand_under_their_prompt_as_they_came_with_what_was_said_under_them(room, people, prompt):
    ada, ben, cem, *_ = people
    later = make_answer(ben, prompt, "The second answer.", posted_at=timezone.now())
    first = make_answer(ada, prompt, "The first answer.", posted_at=timezone.now() - timedelta(hours=2))
    reply = make_message(room, participant=cem, answer=first, prompt=prompt, source="A reply.")
    make_message(
        room, moderator=make_moderator(), answer=first, prompt=prompt, parent=reply, source="And then?"
    )
    probe = make_message(
        room, kind=Kind.PROBE, moderator=make_moderator(), prompt=prompt, source="What of the elderly?"
    )
    make_message(room, participant=ben, parent=probe, prompt=prompt, source="A lower dose.")
    make_message(room, participant=ada, answer=later, prompt=prompt, source="I agree.")

    lines = lines_under(transcript_of(room))

    assert [(line.depth, line.kind, line.who, line.text) for line in lines] == [
        (0, "Answer", ada.alias, "The first answer."),
        (1, "Reply", cem.alias, "A reply."),
        (2, "Reply", MODERATOR, "And then?"),
        (0, "Answer", ben.alias, "The second answer."),
        (1, "Reply", ada.alias, "I agree."),
        (0, "Question of a moderator", MODERATOR, "What of the elderly?"),
        (1, "Reply", ben.alias, "A lower dose."),
    ]
    assert {line.cell for line in lines if line.who != MODERATOR} == {"All"}


def test_sections_prompts_and_what_stands_beside_them_come_in_their_order(room, people):
    room.live_hours.all().delete()
    hour = make_live_hour(room, title="Evening talk")
    make_message(room, participant=people[0], kind=Kind.LIVE, live_hour=hour, source="Good evening.")
    make_message(room, moderator=make_moderator(), kind=Kind.PROBE, source="Who works at night?")
    make_message(room, participant=people[1], kind=Kind.NOTE, source="For you alone.")
    make_prompt(room.sections.last(), text="The very last question?")

    made = transcript_of(room)

    assert [asked.number for part in made.parts for asked in part.asked] == ["1.1", "2.1", "2.2"]
    assert made.parts[1].asked[1].prompt.text == "The very last question?"
    assert [(one.title, [line.text for line in one.lines]) for one in made.beside] == [
        ("Asked beside the guide", ["Who works at night?"]),
        ("Notes to the moderators", ["For you alone."]),
        ("Live hour: Evening talk", ["Good evening."]),
    ]


def test_choices_rankings_and_points_are_in_words_and_codes_beside_them(room, people):
    section = room.sections.first()
    single, ranked, scale = (
        make_prompt(section, kind) for kind in (Prompt.Kind.SINGLE, Prompt.Kind.RANKED, Prompt.Kind.SCALE)
    )
    a, b, c = ranked.options.values_list("pk", flat=True)
    answer = make_answer(people[0], single, "")
    make_answer(people[0], ranked, "", chosen=[c, a, b])
    make_answer(people[0], scale, "Because.", points=4)
    for name in ("dose", "age"):
        CodeMark.objects.create(code=room.codes.create(name=name), answer=answer)

    made = transcript_of(room)

    assert lines_under(made, "1.2")[0].choices == ("A",)
    assert lines_under(made, "1.2")[0].codes == ("age", "dose")
    assert lines_under(made, "1.3")[0].choices == ("1. C", "2. A", "3. B")
    assert lines_under(made, "1.4")[0].choices == ("4 of 5",)
    assert lines_under(made, "1.4")[0].text == "Because."


def test_days_are_those_of_the_room(people, room, prompt):
    room.time_zone = "America/Los_Angeles"
    room.save()
    late = timezone.now().replace(hour=3, minute=0)  # the evening before, there
    make_answer(people[0], prompt, posted_at=late)

    assert lines_under(transcript_of(room))[0].day == late.date() - timedelta(days=1)


def test_who_left_the_site_stays_under_the_alias(room, people, prompt):
    make_answer(people[0], prompt, "Mine.")
    alias = people[0].alias
    people[0].member = None
    people[0].save()

    assert lines_under(transcript_of(room))[0].who == alias


# What is gone


@pytest.mark.parametrize(("gone", "said"), [(hide, HIDDEN), (take_back, TAKEN_BACK)])
def test_what_is_gone_is_counted_and_not_in_it(room, people, prompt, gone, said):
    answer = make_answer(people[0], prompt, "Gone words.")
    make_answer(people[1], prompt, "Standing words.")
    reply = make_message(room, participant=people[2], answer=answer, prompt=prompt, source="Gone reply.")
    gone(answer)
    gone(reply)

    made = transcript_of(room)

    assert texts(made) == ["Standing words."]
    assert [line.gone for line in lines_under(made)] == [""]
    assert (made.hidden, made.taken_back) == ((2, 0) if said == HIDDEN else (0, 2))


@pytest.mark.parametrize(("gone", "said"), [(hide, HIDDEN), (take_back, TAKEN_BACK)])
def test_the_place_of_what_is_gone_is_kept_for_what_stands_under_it(room, people, prompt, gone, said):
    answer = make_answer(people[0], prompt, "Gone words.")
    make_message(room, participant=people[2], answer=answer, prompt=prompt, source="A reply.")
    CodeMark.objects.create(code=room.codes.create(name="dose"), answer=answer)
    gone(answer)

    lines = lines_under(transcript_of(room))

    assert [(line.gone, line.who, line.text, line.choices, line.codes) for line in lines] == [
        (said, "", "", (), ()),
        ("", people[2].alias, "A reply.", (), ()),
    ]


# What is private


@pytest.fixture
def private(room, people, prompt):
    """Everything of a room that went to moderators alone, or to one participant."""
    moderator = make_moderator()
    own = make_answer(people[0], prompt, "Secret answer.", is_private=True)
    asked = make_prompt(room.sections.last(), is_private=True)
    other = make_answer(people[1], asked, "Secret by its prompt.", is_private=False)
    make_message(room, moderator=moderator, answer=own, prompt=prompt, to=people[0], source="Secret reply.")
    make_message(room, moderator=moderator, answer=other, prompt=asked, source="Said under what is private.")
    make_message(
        room, moderator=moderator, kind=Kind.PROBE, prompt=prompt, to=people[2], source="Secret probe."
    )
    make_message(room, participant=people[3], kind=Kind.NOTE, source="Secret note.")
    return people


def test_private_answers_and_notes_are_in_the_version_of_moderators_alone(room, private, prompt):
    make_answer(private[4], prompt, "To all.")

    assert set(texts(transcript_of(room))) == {
        "To all.",
        "Secret answer.",
        "Secret by its prompt.",
        "Secret reply.",
        "Said under what is private.",
        "Secret probe.",
        "Secret note.",
    }
    assert texts(transcript_of(room, for_sponsor=True)) == ["To all."]


def test_private_lines_are_marked_and_say_to_whom(room, private):
    found = {line.text: line for line in transcript_of(room).lines()}

    assert found["Secret answer."].is_private
    assert found["Secret by its prompt."].is_private
    assert found["Secret note."].is_private
    assert found["Secret probe."].to == private[2].alias


def test_the_sponsors_version_holds_what_was_said_to_all_and_no_more(room, private, prompt):
    answer = make_answer(private[4], prompt, "To all.")
    hide(make_answer(private[5], prompt, "Hidden."))
    make_message(room, participant=private[1], answer=answer, prompt=prompt, source="A reply to all.")
    probe = make_message(room, moderator=make_moderator(), kind=Kind.PROBE, source="A question to all.")
    make_message(room, participant=private[1], parent=probe, source="What was said to it.")
    to_all = said_to_all(room)

    made = transcript_of(room, for_sponsor=True)

    assert len(texts(made)) == to_all.answers.count() + to_all.messages.count() == 4
    assert (made.hidden, made.taken_back) == (1, 0)


def test_what_went_to_moderators_alone_and_is_gone_is_not_counted_for_a_sponsor(room, private):
    for answer in private[0].answers.all():
        take_back(answer)

    assert transcript_of(room).taken_back == 1
    assert transcript_of(room, for_sponsor=True).taken_back == 0


# Cells


def seats(room, **numbers):
    for name, number in numbers.items():
        cell = room.cells.filter(name=name).first() or make_cell(room, name)
        for _ in range(number):
            make_participant(room, cell)


def names_of(room):
    found = smallness.cell_names(room)
    return {cell.name: found[cell.pk] for cell in room.cells.all()}


def test_a_cell_of_fewer_than_five_is_not_named():
    room = make_room(cells=False)
    seats(room, Surgeons=5, Residents=4, Chiefs=2)

    assert names_of(room) == {
        "Surgeons": "Surgeons",
        "Residents": "smaller cells",
        "Chiefs": "smaller cells",
    }


def test_a_lone_small_cell_takes_the_next_one_with_it():
    room = make_room(cells=False)
    seats(room, Surgeons=9, Physicians=6, Chiefs=2)

    assert names_of(room) == {
        "Surgeons": "Surgeons",
        "Physicians": "smaller cells",
        "Chiefs": "smaller cells",
    }


def test_small_cells_that_are_few_together_take_the_next_one_with_them():
    room = make_room(cells=False)
    seats(room, Surgeons=9, Residents=2, Chiefs=2)

    assert set(names_of(room).values()) == {"smaller cells"}


def test_an_empty_cell_hides_nobody():
    room = make_room(cells=False)
    seats(room, Surgeons=9, Physicians=6, Chiefs=2, Nobody=0)

    assert names_of(room)["Nobody"] == "Nobody"
    assert names_of(room)["Physicians"] == "smaller cells"


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ([9, 6, 5], set()),
        ([9, 0, 5], set()),
        ([9, 6, 2], {1, 2}),
        ([9, 3, 2], {1, 2}),
        ([9, 2, 2], {0, 1, 2}),
        ([3], {0}),
        ([12, 1, 0], {0, 1}),
        ([1, 1, 1, 1, 1, 8], {0, 1, 2, 3, 4}),
        ([], set()),
    ],
)
def test_few_are_hidden_with_so_much_beside_them_that_they_cannot_be_worked_out(counts, hidden):
    assert smallness.hidden_among(counts) == hidden


def test_lines_name_no_small_cell(room, prompt):
    seats(room, All=7, Chiefs=1)
    chief = room.participants.get(cell__name="Chiefs")
    make_answer(chief, prompt)
    make_answer(room.participants.filter(cell__name="All").first(), prompt)

    assert {line.cell for line in transcript_of(room).lines()} == {"smaller cells"}


# Cost


@pytest.mark.parametrize("number", [2, 9])
def test_a_transcript_costs_the_same_however_much_was_said(number, django_assert_max_num_queries):
    room = make_running_room(sections=number, prompts=2)
    people = [make_participant(room) for _ in range(number)]
    for section in room.sections.all():
        for prompt in section.prompts.all():
            for each in people:
                answer = make_answer(each, prompt)
                make_message(room, participant=people[0], answer=answer, prompt=prompt)
    make_section(room)

    with django_assert_max_num_queries(12):
        made = transcript_of(room)

    assert len(texts(made)) == 4 * number * number
