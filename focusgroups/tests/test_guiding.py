from datetime import timedelta

import pytest
from django.utils import timezone

from focusgroups.models import Prompt, Section
from focusgroups.models.guides import MOST_OPTIONS
from focusgroups.models.rooms import MOST_CENTS, MOST_PROMPTS, MOST_SECTIONS
from focusgroups.services import guiding, planning
from focusgroups.services.holding import Fixed, NotYours, Over, Unfit
from focusgroups.tests.factories import (
    DAY,
    make_moderator,
    make_prompt,
    make_room,
    make_running_room,
    make_section,
)
from verification.models import Event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("heard_alone")]
Kind = Prompt.Kind


@pytest.fixture
def by():
    return make_moderator()


@pytest.fixture
def draft(by):
    return make_room(by)


@pytest.fixture
def running(by):
    """Two sections are open, a third opens tomorrow, and a fourth the day after."""
    return make_running_room(by=by, sections=4, released=2)


def deeds(room):
    return list(Event.objects.filter(object=f"room:{room.pk}").order_by("pk").values_list("kind", flat=True))


def told(section, **changes):
    """What a form of a section sends, as it stands."""
    fields = ("title", "intro", "opens_at", "due_at", "honorarium")
    return {name: getattr(section, name) for name in fields} | changes


def titles(room):
    return list(room.sections.values_list("place", "title"))


def texts(section):
    return list(section.prompts.values_list("place", "text"))


def ask(section, by, **fields):
    return guiding.save_prompt(section=section, by=by, **{"kind": Kind.OPEN, "text": "Why?", **fields})


# The gate


ACTS = {
    "add section": lambda section, by: guiding.save_section(room=section.room, by=by, title="Mine"),
    "save section": lambda section, by: guiding.save_section(
        room=section.room, by=by, section=section, **told(section, title="Mine")
    ),
    "delete section": lambda section, by: guiding.delete_section(section=section, by=by),
    "move section": lambda section, by: guiding.move_section(section=section, by=by, up=True),
    "add prompt": lambda section, by: ask(section, by),
    "save prompt": lambda section, by: ask(section, by, prompt=section.prompts.first(), text="Mine?"),
    "delete prompt": lambda section, by: guiding.delete_prompt(prompt=section.prompts.first(), by=by),
    "move prompt": lambda section, by: guiding.move_prompt(prompt=section.prompts.first(), by=by, up=True),
}


@pytest.mark.parametrize("act", ACTS)
def test_a_moderator_of_another_room_changes_nothing(draft, act):
    section = make_section(draft, prompts=1)
    other = make_moderator()
    make_room(other)

    with pytest.raises(NotYours):
        ACTS[act](section, other)


@pytest.mark.parametrize("act", ACTS)
def test_nothing_changes_in_a_room_that_is_over(by, act):
    room = make_running_room(by=by, ends_at=timezone.now())

    with pytest.raises(Over):
        ACTS[act](room.sections.last(), by)


@pytest.mark.parametrize("act", sorted(ACTS.keys() - {"add section"}))
def test_what_participants_read_already_is_fixed(running, by, act):
    before = list(running.sections.values()), list(Prompt.objects.order_by("pk").values())

    with pytest.raises(guiding.Opened):
        ACTS[act](running.sections.all()[1], by)

    assert before == (list(running.sections.values()), list(Prompt.objects.order_by("pk").values()))
    assert deeds(running) == []


# Sections of a draft


def test_sections_are_written_moved_and_deleted(draft, by):
    first = guiding.save_section(room=draft, by=by, title=" One ", intro="Hello.", honorarium=100)
    second = guiding.save_section(room=draft, by=by, title="Two")
    third = guiding.save_section(room=draft, by=by, title="Three")
    guiding.move_section(section=third, by=by, up=True)
    guiding.move_section(section=third, by=by, up=True)
    guiding.move_section(section=third, by=by, up=True)
    assert titles(draft) == [(0, "Three"), (1, "One"), (2, "Two")]

    guiding.move_section(section=first, by=by, up=False)
    guiding.delete_section(section=second, by=by)

    assert titles(draft) == [(0, "Three"), (1, "One")]
    first.refresh_from_db()
    assert (first.intro, first.honorarium) == ("Hello.", 100)
    assert deeds(draft) == ["room_section"] * 7 + ["room_section_delete"]


def test_an_honorarium_of_a_draft_may_go_down(draft, by):
    section = make_section(draft)

    guiding.save_section(room=draft, by=by, section=section, **told(section, honorarium=1))

    section.refresh_from_db()
    assert section.honorarium == 1


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("title", {"title": " "}),
        ("title", {"title": "x" * 121}),
        ("intro", {"intro": "x" * 2_001}),
        ("due_at", {"opens_at": timezone.now(), "due_at": timezone.now() - DAY}),
        ("opens_at", {"due_at": timezone.now()}),
        ("honorarium", {"honorarium": -1}),
        ("honorarium", {"honorarium": MOST_CENTS + 1}),
    ],
)
def test_sections_that_cannot_be_are_refused(draft, by, field, typed):
    with pytest.raises(Unfit) as refusal:
        guiding.save_section(room=draft, by=by, **{"title": "One", **typed})

    assert refusal.value.field == field


def test_a_guide_has_30_sections_at_most(draft, by):
    Section.objects.bulk_create(
        Section(room=draft, place=place, title="One") for place in range(MOST_SECTIONS)
    )

    with pytest.raises(guiding.TooManySections):
        guiding.save_section(room=draft, by=by, title="One more")


def test_a_section_of_another_room_is_not_found(draft, by):
    section = make_section(make_room(by))

    with pytest.raises(Section.DoesNotExist):
        guiding.save_section(room=draft, by=by, section=section, title="Mine")


# Questions of a draft


def test_questions_are_written_moved_and_deleted(draft, by):
    section = make_section(draft)
    one, two, three = (ask(section, by, text=text) for text in ("One?", "Two?", "Three?"))
    guiding.move_prompt(prompt=three, by=by, up=True)
    guiding.move_prompt(prompt=one, by=by, up=True)
    assert texts(section) == [(0, "One?"), (1, "Three?"), (2, "Two?")]

    guiding.delete_prompt(prompt=one, by=by)
    ask(section, by, prompt=two, text="Second?")

    assert texts(section) == [(0, "Three?"), (1, "Second?")]


def test_a_question_keeps_what_its_kind_has_a_use_for(draft, by):
    section = make_section(draft)
    everything = {
        "text": " Why? ",
        "help": "Think aloud.",
        "asks_why": True,
        "is_private": True,
        "is_required": False,
        "most": 2,
        "points": 7,
        "low_label": "Never",
        "high_label": "Always",
        "options": ["A", " ", "B "],
    }
    kept = {}
    for kind in Kind:
        prompt = ask(section, by, kind=kind, **everything)
        prompt.refresh_from_db()
        assert (prompt.text, prompt.help, prompt.is_private, prompt.is_required) == (
            "Why?",
            "Think aloud.",
            True,
            False,
        )
        options = list(prompt.options.values_list("text", flat=True))
        kept[kind] = (prompt.asks_why, prompt.most, prompt.points, prompt.low_label, options)

    assert kept == {
        Kind.OPEN: (False, None, None, "", []),
        Kind.SINGLE: (True, None, None, "", ["A", "B"]),
        Kind.MULTIPLE: (True, 2, None, "", ["A", "B"]),
        Kind.RANKED: (True, None, None, "", ["A", "B"]),
        Kind.SCALE: (True, None, 7, "Never", []),
    }


def test_a_choice_that_becomes_an_open_question_loses_its_options(draft, by):
    prompt = make_prompt(make_section(draft), Kind.MULTIPLE, most=2)

    ask(prompt.section, by, prompt=prompt, kind=Kind.OPEN, options=["A", "B"], most=2)

    prompt.refresh_from_db()
    assert (prompt.options.count(), prompt.most) == (0, None)


def test_a_choice_of_a_draft_may_lack_options(draft, by):
    assert ask(make_section(draft), by, kind=Kind.SINGLE, options=["A"]).pk


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("kind", {"kind": "essay"}),
        ("text", {"text": ""}),
        ("text", {"text": "x" * 501}),
        ("help", {"help": "x" * 301}),
        ("points", {"kind": Kind.SCALE}),
        ("points", {"kind": Kind.SCALE, "points": 2}),
        ("points", {"kind": Kind.SCALE, "points": 12}),
        ("low_label", {"kind": Kind.SCALE, "points": 5, "low_label": "x" * 41}),
        ("high_label", {"kind": Kind.SCALE, "points": 5, "high_label": "x" * 41}),
        ("options", {"kind": Kind.SINGLE, "options": ["A", "a"]}),
        ("options", {"kind": Kind.RANKED, "options": ["A", "x" * 201]}),
        ("options", {"kind": Kind.MULTIPLE, "options": [str(n) for n in range(MOST_OPTIONS + 1)]}),
        ("most", {"kind": Kind.MULTIPLE, "options": ["A", "B"], "most": 3}),
        ("most", {"kind": Kind.MULTIPLE, "options": ["A", "B"], "most": 0}),
    ],
)
def test_questions_that_cannot_be_are_refused(draft, by, field, typed):
    section = make_section(draft)

    with pytest.raises(Unfit) as refusal:
        ask(section, by, **typed)

    assert refusal.value.field == field
    assert not section.prompts.exists()


def test_a_section_has_40_questions_at_most(draft, by):
    section = make_section(draft)
    Prompt.objects.bulk_create(
        Prompt(section=section, place=place, text="Why?") for place in range(MOST_PROMPTS)
    )

    with pytest.raises(guiding.TooManyPrompts):
        ask(section, by)


# Once published


def test_a_section_that_has_not_opened_may_still_change(running, by):
    section = running.sections.all()[2]
    opens_at = section.opens_at + timedelta(hours=2)
    Section.objects.filter(pk=section.pk).update(opens_at=section.opens_at + timedelta(hours=1))

    guiding.save_section(
        room=running,
        by=by,
        section=section,
        **told(section, title="Dosing", opens_at=opens_at, honorarium=6_000),
    )
    ask(section, by, text="And then?")

    section.refresh_from_db()
    assert (section.title, section.opens_at, section.honorarium) == ("Dosing", opens_at, 6_000)
    assert texts(section)[-1] == (2, "And then?")


def test_a_section_asks_no_more_from_a_day_before_it_opens(running, by):
    section = running.sections.all()[2]
    Section.objects.filter(pk=section.pk).update(opens_at=timezone.now() + timedelta(hours=23))
    optional = make_prompt(section, is_required=False)

    with pytest.raises(guiding.AsksNoMore):
        ask(section, by)
    with pytest.raises(guiding.AsksNoMore):
        ask(section, by, prompt=optional)
    ask(section, by, prompt=section.prompts.first(), text="In other words?")

    assert texts(section)[0] == (0, "In other words?")
    assert section.prompts.count() == 3


def test_a_section_is_open_for_an_hour_at_least(running, by):
    section = running.sections.last()
    late = running.ends_at - timedelta(seconds=30)

    with pytest.raises(guiding.Incomplete, match="less than an hour before the group ends"):
        set_times(section, by, opens_at=late, due_at=None)

    set_times(section, by, opens_at=running.ends_at - HOUR, due_at=None)


def test_an_honorarium_that_was_promised_never_goes_down(running, by):
    section = running.sections.last()

    with pytest.raises(Fixed, match="raised, not lowered"):
        guiding.save_section(room=running, by=by, section=section, **told(section, honorarium=4_999))


def test_a_higher_honorarium_is_announced_and_needs_a_budget(running, by, announced):
    running.sponsor.budget = planning.readiness.promised(running) + 12
    running.sponsor.save()
    section = running.sections.last()

    guiding.save_section(room=running, by=by, section=section, **told(section, honorarium=5_001))
    assert announced == [("money_promised", running.pk)]

    with pytest.raises(planning.BeyondBudget):
        guiding.save_section(room=running, by=by, section=section, **told(section, honorarium=5_002))
    section.refresh_from_db()
    assert section.honorarium == 5_001


def test_a_section_with_a_promised_honorarium_stays(running, by):
    with pytest.raises(Fixed, match="It stays"):
        guiding.delete_section(section=running.sections.last(), by=by)


def test_a_section_that_promised_nothing_may_go(running, by):
    last = running.sections.last()
    Section.objects.filter(pk=last.pk).update(honorarium=0)
    last.refresh_from_db()

    guiding.delete_section(section=last, by=by)

    assert running.sections.count() == 3


def test_a_new_section_is_written_first_and_opened_then(running, by):
    opens_at = running.sections.last().opens_at + timedelta(hours=1)
    section = guiding.save_section(room=running, by=by, title="One more", honorarium=1_000)

    with pytest.raises(guiding.Incomplete, match="Section 5 asks nothing yet"):
        guiding.save_section(room=running, by=by, section=section, **told(section, opens_at=opens_at))

    section.refresh_from_db()
    ask(section, by)
    guiding.save_section(room=running, by=by, section=section, **told(section, opens_at=opens_at))
    section.refresh_from_db()
    assert section.opens_at == opens_at


def set_times(section, by, **times):
    guiding.save_section(room=section.room, by=by, section=section, **told(section, **times))


def ask_after(section, by, **changed):
    """Change the one question of a section after its room changed behind it."""
    type(section.room).objects.filter(pk=section.room_id).update(**changed)
    ask(section, by, prompt=section.prompts.get(), text="Why now?")


HOUR = timedelta(hours=1)
FAULTS = {
    "no question": lambda section, by: guiding.delete_prompt(prompt=section.prompts.get(), by=by),
    "none needed": lambda section, by: ask(section, by, prompt=section.prompts.get(), is_required=False),
    "too few options": lambda section, by: ask(
        section, by, prompt=section.prompts.get(), kind=Kind.SINGLE, options=["A"]
    ),
    "opens before the group": lambda section, by: ask_after(section, by, starts_at=timezone.now() + 3 * DAY),
    "opens after the group": lambda section, by: set_times(
        section, by, opens_at=section.room.ends_at, due_at=None
    ),
    "due after the group": lambda section, by: set_times(section, by, due_at=section.room.ends_at + HOUR),
    "opens after the next": lambda section, by: set_times(
        section, by, opens_at=section.room.sections.last().opens_at + HOUR
    ),
    "opens before the last": lambda section, by: set_times(
        section.room.sections.last(), by, opens_at=section.opens_at - HOUR
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_opens_in_a_published_room_is_complete(running, by, fault):
    third = running.sections.all()[2]
    guiding.delete_prompt(prompt=third.prompts.first(), by=by)
    before = list(running.sections.values()), list(third.prompts.values())

    with pytest.raises(guiding.Incomplete, match=r"^Section [34]"):
        FAULTS[fault](third, by)

    assert (list(running.sections.values()), list(third.prompts.values())) == before


def test_a_section_opens_at_a_time_to_come(running, by):
    section = running.sections.last()

    with pytest.raises(Unfit) as refusal:
        guiding.save_section(
            room=running, by=by, section=section, **told(section, opens_at=timezone.now() - DAY)
        )

    assert refusal.value.field == "opens_at"


def test_sections_keep_the_order_of_their_times(running, by):
    with pytest.raises(guiding.Incomplete, match="before section"):
        guiding.move_section(section=running.sections.last(), by=by, up=True)


def test_a_section_never_moves_past_one_that_is_read(running, by):
    later = running.sections.all()[2]
    Section.objects.filter(pk=later.pk).update(opens_at=None, due_at=None)

    with pytest.raises(guiding.Opened):
        guiding.move_section(section=later, by=by, up=True)

    assert [place for place, _ in titles(running)] == [0, 1, 2, 3]


def test_a_section_that_was_given_a_time_keeps_one(running, by):
    section = running.sections.last()

    with pytest.raises(Fixed):
        guiding.save_section(
            room=running, by=by, section=section, **told(section, opens_at=None, due_at=None)
        )
