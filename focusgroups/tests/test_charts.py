"""What answers come to, and the outcome of a room: every figure for its moderators, none of a few for its sponsor."""

import pytest
from django.utils import timezone

from focusgroups import summary
from focusgroups.charts import chart_of
from focusgroups.models import CodeMark, Message, Participant, Prompt, Quote, Room
from focusgroups.smallness import UNSHOWN
from focusgroups.tests.factories import (
    make_answer,
    make_cell,
    make_completion,
    make_message,
    make_participant,
    make_prompt,
    make_running_room,
)

pytestmark = pytest.mark.django_db
Kind = Prompt.Kind


@pytest.fixture
def room():
    return make_running_room(sections=1, prompts=0, watching=Room.Watching.WORDS)


@pytest.fixture
def section(room):
    return room.sections.get()


def close(room):
    room.closed_at = timezone.now()
    room.save()
    return room


def choose(prompt, *numbers, cell=None):
    """So many new participants choose the first option, the second, and so on; of a scale the points."""
    room = prompt.section.room
    options = list(prompt.options.values_list("pk", flat=True))
    for place, number in enumerate(numbers):
        for _ in range(number):
            seat = make_participant(room, cell)
            if options:
                make_answer(seat, prompt, "", chosen=[options[place]])
            else:
                make_answer(seat, prompt, "", points=place + 1)


def rank(prompt, number, *places, cell=None):
    """So many new participants rank the options in the order of their places."""
    options = list(prompt.options.values_list("pk", flat=True))
    for _ in range(number):
        seat = make_participant(prompt.section.room, cell)
        make_answer(seat, prompt, "", chosen=[options[place] for place in places])


def chart(room, *, for_sponsor=False):
    made = summary.report(room) if for_sponsor else summary.of_room(room)
    return made.parts[0].charts[0]


def bars(drawn):
    return [(bar.text, bar.figure, bar.share, bar.percent) for bar in drawn.bars]


# Inside the room


def test_choices_are_counted_with_their_share_of_the_answers(room, section):
    choose(make_prompt(section, Kind.SINGLE), 2, 1, 0)

    assert bars(chart(room)) == [("A", "2", "67%", 67), ("B", "1", "33%", 33), ("C", "0", "0%", 0)]
    assert chart(room).answers == "3 answers"


def test_of_several_choices_each_counts(room, section):
    prompt = make_prompt(section, Kind.MULTIPLE)
    a, b, _ = prompt.options.values_list("pk", flat=True)
    make_answer(make_participant(room), prompt, "", chosen=[a, b])
    make_answer(make_participant(room), prompt, "", chosen=[b])

    assert bars(chart(room)) == [("A", "1", "50%", 50), ("B", "2", "100%", 100), ("C", "0", "0%", 0)]
    assert "more than 100%" in chart(room).note


def test_rankings_come_to_mean_places_with_the_best_first(room, section):
    prompt = make_prompt(section, Kind.RANKED)
    rank(prompt, 2, 1, 0, 2)
    rank(prompt, 1, 1, 2, 0)

    assert bars(chart(room)) == [("B", "1.0", "", 100), ("A", "2.3", "", 34), ("C", "2.7", "", 17)]
    assert "1 is the best" in chart(room).finding


def test_a_scale_shows_how_many_chose_each_point_mean_and_median(room, section):
    choose(make_prompt(section, Kind.SCALE, low_label="never", high_label="always"), 1, 0, 0, 0, 3)

    drawn = chart(room)

    assert bars(drawn)[0] == ("1, never", "1", "25%", 25)
    assert bars(drawn)[4] == ("5, always", "3", "75%", 75)
    assert drawn.finding == "Mean 4.0 of 5, median 5 (1 is “never”, 5 is “always”)."


def test_open_prompts_and_those_without_an_answer_have_no_bars(room, section):
    make_answer(make_participant(room), make_prompt(section))
    make_prompt(section, Kind.SCALE)

    first, second = summary.of_room(room).parts[0].charts

    assert (first.answers, first.bars) == ("1 answer", [])
    assert (second.answers, second.bars, second.finding) == ("0 answers", [], "")


def test_what_is_hidden_or_taken_back_does_not_count(room, section):
    prompt = make_prompt(section, Kind.SINGLE)
    choose(prompt, 3)
    hidden, gone, _ = prompt.answers.all()
    hidden.hidden_at, hidden.hidden_why = timezone.now(), "Off topic"
    hidden.save()
    gone.chosen, gone.source, gone.html, gone.withdrawn_at = [], "", "", timezone.now()
    gone.save()

    assert bars(chart(room))[0] == ("A", "1", "100%", 100)


def test_cells_stand_beside_one_another_from_five_answers_on(room, section):
    first, second, third = room.cells.get(), make_cell(room, "Chiefs"), make_cell(room, "Residents")
    prompt = make_prompt(section, Kind.SINGLE)
    choose(prompt, 3, 2, cell=first)
    choose(prompt, 0, 4, cell=second)
    choose(prompt, 5, 0, cell=third)

    drawn = chart(room)

    assert drawn.heads == ["A", "B", "C"]
    assert drawn.groups == [("All", 5, ["60%", "40%", "0%"]), ("Residents", 5, ["100%", "0%", "0%"])]


@pytest.mark.parametrize(("kind", "figures"), [(Kind.RANKED, ["1.0", "2.0", "3.0"]), (Kind.SCALE, ["1.0"])])
def test_cells_of_rankings_and_scales_have_means(room, section, kind, figures):
    make_cell(room, "Chiefs")
    prompt = make_prompt(section, kind)
    rank(prompt, 5, 0, 1, 2) if kind == Kind.RANKED else choose(prompt, 5)

    assert chart(room).groups == [("All", 5, figures)]


def test_a_room_of_one_cell_is_not_shown_by_cell(room, section):
    choose(make_prompt(section, Kind.SINGLE), 6)

    assert chart(room).groups == []


# For the sponsor


def test_a_sponsor_reads_nothing_of_fewer_than_five_answers(room, section):
    choose(make_prompt(section, Kind.SINGLE), 4)

    drawn = chart(room, for_sponsor=True)

    assert (drawn.answers, drawn.bars) == ("fewer than 5 answers", [])
    assert bars(chart(room))


def test_a_sponsor_reads_no_count_of_a_few_and_cannot_work_it_out(room, section):
    choose(make_prompt(section, Kind.SINGLE), 8, 6, 2)

    assert bars(chart(room, for_sponsor=True)) == [
        ("A", "8", "50%", 50),
        ("B", UNSHOWN, "", None),
        ("C", UNSHOWN, "", None),
    ]
    assert chart(room, for_sponsor=True).note.startswith("Not shown: fewer than 5")
    assert chart(room).note == ""


def test_a_sponsor_reads_that_nobody_chose_something(room, section):
    choose(make_prompt(section, Kind.SINGLE), 8, 0, 5)

    assert [bar.figure for bar in chart(room, for_sponsor=True).bars] == ["8", "0", "5"]


def test_of_several_choices_a_few_who_did_not_choose_are_hidden_too(room, section):
    prompt = make_prompt(section, Kind.MULTIPLE)
    a, b, c = prompt.options.values_list("pk", flat=True)
    for place in range(12):
        chosen = [a] if place < 10 else [b]
        make_answer(make_participant(room), prompt, "", chosen=[*chosen, *([c] if place < 6 else [])])

    assert [bar.figure for bar in chart(room, for_sponsor=True).bars] == [UNSHOWN, UNSHOWN, "6"]


def test_a_sponsor_reads_the_mean_of_a_scale_without_points_that_a_few_chose(room, section):
    choose(make_prompt(section, Kind.SCALE), 6, 0, 0, 0, 2)

    drawn = chart(room, for_sponsor=True)

    assert drawn.bars == []
    assert drawn.finding == "Mean 2.0 of 5."
    assert "Too few" in drawn.note


def test_a_sponsor_reads_no_private_answer(room, section):
    prompt = make_prompt(section, Kind.SINGLE)
    choose(prompt, 6, 5)
    prompt.answers.filter(chosen=[prompt.options.last().pk]).update(is_private=True)
    prompt.answers.filter(pk=prompt.answers.first().pk).update(is_private=True)

    assert chart(room, for_sponsor=True).bars[0].figure == "5"
    assert chart(room).bars[0].figure == "6"


def test_cells_stand_in_the_sponsors_version_where_the_rest_is_enough_too(room, section):
    second = make_cell(room, "Chiefs")
    prompt = make_prompt(section, Kind.SINGLE)
    choose(prompt, 5, 6, cell=room.cells.first())
    choose(prompt, 7, cell=second)

    assert chart(room, for_sponsor=True).groups == [
        ("All", 11, ["45%", "55%", "0%"]),
        ("Chiefs", 7, ["100%", "0%", "0%"]),
    ]

    choose(prompt, 0, 1, cell=second)

    assert chart(room, for_sponsor=True).groups == []
    assert len(chart(room).groups) == 2


def test_a_mean_by_cell_is_not_shown_where_the_rest_is_of_a_few(room, section):
    second, third = make_cell(room, "Chiefs"), make_cell(room, "Residents")
    prompt = make_prompt(section, Kind.SCALE)
    for cell in (room.cells.first(), second, third):
        for _ in range(5):
            make_participant(room, cell)
    choose(prompt, 9, cell=room.cells.first())
    choose(prompt, 0, 6, cell=second)
    choose(prompt, 0, 0, 2, cell=third)

    assert [group.name for group in chart(room, for_sponsor=True).groups] == ["All"]
    assert [group.name for group in chart(room).groups] == ["All", "Chiefs"]


# The summary


def test_participation_is_counted(room, section):
    prompt, other = make_prompt(section), make_prompt(section, is_private=True)
    ada, ben, _ = (make_participant(room) for _ in range(3))
    make_answer(ada, prompt, "One two three.")
    make_answer(ada, other, "Four five.")
    make_message(room, participant=ben, kind=Message.Kind.NOTE, source="Six.")
    ben.left_at, ben.left_as = timezone.now(), "left"
    ben.save()
    Participant.objects.filter(pk=ada.pk).update(member=None)  # left the site after the end
    make_completion(ada, section)

    made = summary.of_room(room)

    assert [(one.label, one.value) for one in made.figures] == [
        ("Took part", "3"),
        ("Left before the end", "1"),
        ("Said something", "2"),
        ("Answers", "2"),
        ("Replies and notes", "1"),
        ("Words", "6"),
    ]
    assert made.parts[0].completed == "1"


def test_the_sponsors_figures_tell_of_no_few(room, section):
    prompt = make_prompt(section)
    for _ in range(4):
        seat = make_participant(room)
        make_answer(seat, prompt)
        make_completion(seat, section)

    made = summary.report(room)

    assert {one.value for one in made.figures} == {"fewer than 5"}
    assert made.parts[0].completed == "fewer than 5"


def test_codes_are_counted_by_people_and_a_sponsor_reads_those_of_five(room, section):
    prompt = make_prompt(section)
    often, seldom = (room.codes.create(name=name) for name in ("dose", "age"))
    for number in range(6):
        seat = make_participant(room)
        answer = make_answer(seat, prompt)
        CodeMark.objects.create(code=often, answer=answer)
        if number < 2:
            CodeMark.objects.create(code=seldom, answer=answer)
    reply = make_message(room, participant=seat, answer=answer, prompt=prompt)
    CodeMark.objects.create(code=often, message=reply)
    asked = make_message(room, kind=Message.Kind.PROBE)
    CodeMark.objects.create(code=often, message=asked)

    assert summary.of_room(room).codes == [("dose", "8", "6"), ("age", "2", "2")]
    assert summary.report(room).codes == [("dose", "8", "6")]

    room.participants.first().answers.update(is_private=True)
    room.participants.last().answers.update(is_private=True)

    assert summary.report(room).codes == []


def quote(answer, state, **fields):
    fields.setdefault("text", "Low dose first" if state in ("proposed", "approved") else "")
    fields.setdefault("decided_at", None if state == "proposed" else timezone.now())
    return Quote.objects.create(
        room=answer.prompt.section.room, answer=answer, state=state, paraphrase="They start low.", **fields
    )


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("approved", "Low dose first"),
        ("refused", "They start low."),
        ("paraphrased", "They start low."),
        ("proposed", "They start low."),
    ],
)
def test_a_quote_is_word_for_word_only_with_the_speakers_yes(room, section, state, text):
    seat = make_participant(room)
    quote(make_answer(seat, make_prompt(section)), state)

    [found] = summary.of_room(room).quotes

    assert (found.text, found.is_verbatim) == (text, state == "approved")
    assert (found.who, found.cell) == (seat.alias, "smaller cells")


def test_a_quote_of_what_is_hidden_is_none(room, section):
    answer = make_answer(make_participant(room), make_prompt(section))
    quote(answer, "approved")
    answer.hidden_at, answer.hidden_why = timezone.now(), "Names a hospital"
    answer.save()

    assert summary.of_room(room).quotes == []


def test_of_what_went_to_moderators_alone_a_sponsor_reads_only_what_its_speaker_let_go(room, section):
    prompt = make_prompt(section, is_private=True)
    quote(make_answer(make_participant(room), prompt), "approved")
    quote(make_answer(make_participant(room), prompt), "refused")
    answer = make_answer(make_participant(room), prompt)
    reply = make_message(room, participant=answer.participant, answer=answer, prompt=prompt)
    Quote.objects.create(
        room=room, message=reply, state="refused", paraphrase="A private reply.", decided_at=timezone.now()
    )

    assert [one.text for one in summary.report(room).quotes] == ["Low dose first"]
    assert len(summary.of_room(room).quotes) == 3


def test_the_sponsors_people_read_a_summary_once_the_room_has_closed(room):
    assert summary.for_sponsor(room) is None

    close(room)

    assert summary.for_sponsor(room).for_sponsor is True

    room.canceled_at, room.canceled_why = timezone.now(), "No time"
    assert summary.for_sponsor(room) is None


@pytest.mark.parametrize(("watching", "quotes"), [("nobody", None), ("figures", 0), ("words", 1)])
def test_what_the_sponsors_people_read_is_what_participants_were_told(room, section, watching, quotes):
    quote(make_answer(make_participant(room), make_prompt(section)), "approved")
    room.watching = watching
    close(room)

    made = summary.for_sponsor(room)

    assert (made and len(made.quotes)) == quotes


def test_the_sponsor_is_named_as_participants_read_it(room):
    room.sponsor.is_blinded = True
    room.sponsor.save()
    assert "Aldgate" not in summary.of_room(room).sponsor

    close(room)

    assert summary.of_room(Room.objects.get(pk=room.pk)).sponsor == "Aldgate Labs"


@pytest.mark.parametrize("number", [2, 8])
@pytest.mark.parametrize("make", [summary.of_room, summary.report])
def test_a_summary_costs_the_same_at_any_size(number, make, django_assert_max_num_queries):
    room = make_running_room(sections=number, prompts=1)
    people = [make_participant(room) for _ in range(number)]
    for section in room.sections.all():
        prompt = make_prompt(section, Kind.SINGLE)
        for seat in people:
            quote(make_answer(seat, prompt), "approved")
    room = Room.objects.get(pk=room.pk)

    with django_assert_max_num_queries(16):
        made = make(room)

    assert len(made.parts) == number


def test_a_chart_counts_what_it_is_given(room, section):
    prompt = make_prompt(section, Kind.SINGLE)

    assert chart_of(prompt, [], {}, number="1.1").answers == "0 answers"
