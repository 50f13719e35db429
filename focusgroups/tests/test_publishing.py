from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.models import FanOut
from accounts.tests.factories import make_member
from focusgroups import readiness
from focusgroups.models import Agreement, Candidate, Cell, Prompt, Room, Section, Sponsor
from focusgroups.services import guiding, planning, publishing, stimuli
from focusgroups.services.holding import NotPublished, NotYours, Over, Unfit
from focusgroups.tests.factories import (
    DAY,
    make_candidate,
    make_completion,
    make_moderator,
    make_participant,
    make_prompt,
    make_recruiting_room,
    make_room,
    make_running_room,
    make_section,
    make_sponsor,
)
from verification.models import Event
from verification.tests.factories import image_bytes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("heard_alone", "private_files")]
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def by():
    return make_moderator()


@pytest.fixture
def ready(by):
    """A draft that lacks nothing: four seats, and five members to ask."""
    room = make_room(by, seats=4)
    for day in range(2):
        section = make_section(room, opens_at=room.starts_at + day * DAY)
        make_prompt(section, Prompt.Kind.SINGLE)
    make_sponsor(room, budget=4 * 2 * 5_000)
    for _ in range(5):
        make_member()
    return room


def deeds(room):
    return list(Event.objects.filter(object=f"room:{room.pk}").order_by("pk").values_list("kind", flat=True))


def said(room):
    room.refresh_from_db()
    return [(row.step, row.words) for row in publishing.missing(room)]


# Publishing


def test_a_room_that_lacks_nothing_is_published_once(ready, by):
    assert said(ready) == []

    room = publishing.publish(room=ready, by=by)
    again = publishing.publish(room=ready, by=by)

    assert room.state == Room.State.RECRUITING
    assert again.published_at == room.published_at
    assert deeds(ready) == ["room_publish"]


def test_a_cell_of_fewer_than_five_keeps_it_from_being_published(ready, by):
    member = make_member(specialty="Nephrology", years_band="0-5")
    ready.cells.update(seats=3)
    Cell.objects.create(room=ready, place=1, name="Kidneys", seats=1, specialties=[member.specialty_id])

    assert said(ready) == [
        ("people", "Quota cell “Kidneys” is for fewer than 5 members whom the rule reaches. Let more in.")
    ]


def test_a_new_draft_is_told_all_that_it_lacks(by):
    room = make_room(by, cells=False, agreement="", pay_on=None)
    Room.objects.update(starts_at=None, ends_at=None)

    assert said(room) == [
        ("basics", "Say when it starts."),
        ("basics", "Say when it ends."),
        ("people", "Its quota cells have 0 seats and the group has 12. Make them equal."),
        ("people", "Its rule reaches 0 members, fewer than there are seats. Widen it."),
        ("guide", "Add a section to its guide."),
        ("agreement", "Write what participants agree to."),
    ]
    with pytest.raises(publishing.NotReady) as refusal:
        publishing.publish(room=room, by=by)
    assert [(row.step, row.words) for row in refusal.value.missing] == said(room)
    room.refresh_from_db()
    assert room.published_at is None
    assert deeds(room) == []


def spoil_prompts(room):
    Prompt.objects.filter(section__room=room).update(is_required=False)


def change(**fields):
    return lambda room: Room.objects.filter(pk=room.pk).update(**fields)


def first(**fields):
    return lambda room: Section.objects.filter(room=room, place=0).update(**fields)


NOW = timezone.now()
LACKS = {
    "past": (change(starts_at=NOW - DAY), "basics", "starts in the past"),
    "short": (change(ends_at=NOW + 4 * DAY), "basics", "lasts 2 to 60 days"),
    "long": (change(ends_at=NOW + 64 * DAY, pay_on=date(2100, 1, 1)), "basics", "lasts 2 to 60 days"),
    "no moderator": (lambda room: room.moderators.all().delete(), "people", "moderator in charge"),
    "moderator left": (
        lambda room: type(room.moderators.get().user).objects.update(is_staff=False),
        "people",
        "moderator in charge",
    ),
    "cells": (lambda room: Cell.objects.update(seats=5), "people", "have 5 seats and the group has 4"),
    "rule": (change(states=["GU"]), "people", "reaches 0 members"),
    "cells for nobody": (
        lambda room: Cell.objects.update(years_bands=["31+"]),
        "people",
        "reaches 0 members",
    ),
    "no time": (first(opens_at=None), "guide", "Section 1: say when it opens"),
    "too early": (first(opens_at=NOW), "guide", "Section 1 opens outside"),
    "too late": (first(opens_at=NOW + 14 * DAY, due_at=None), "guide", "Section 1 opens outside"),
    "due late": (first(due_at=NOW + 14 * DAY), "guide", "Section 1 is due outside"),
    "order": (
        first(opens_at=NOW + 5 * DAY, due_at=None),
        "guide",
        "Section 2 opens before section 1",
    ),
    "no question": (
        lambda room: room.sections.last().prompts.all().delete(),
        "guide",
        "Section 2 asks nothing",
    ),
    "none needed": (spoil_prompts, "guide", "Section 1: at least one question must be needed"),
    "options": (
        lambda room: (
            Prompt.objects.first().options.first().delete()
            and Prompt.objects.first().options.first().delete()
        ),
        "guide",
        "Section 1, question 1: give at least 2 options",
    ),
    "agreement": (lambda room: Agreement.objects.all().delete(), "agreement", "Write what"),
    "pay date": (change(pay_on=None), "money", "by when honoraria are paid"),
    "pay date early": (change(pay_on=(NOW + DAY).date()), "money", "paid after the group ends"),
    "no sponsor": (lambda room: Sponsor.objects.all().delete(), "money", "Choose the sponsor"),
    "budget": (
        lambda room: Sponsor.objects.update(budget=39_999),
        "money",
        "The sponsor reserved $399.99, and up to $400.00 are promised",
    ),
    "thanks": (change(thanks=100), "money", "up to $412.00 are promised"),
}


@pytest.mark.parametrize("lack", LACKS)
def test_a_draft_that_lacks_something_stays_one(ready, by, lack):
    spoil, step, words = LACKS[lack]
    spoil(ready)

    assert any(found == step and words in line for found, line in said(ready)), said(ready)
    if ready.moderators.exists() and not lack.startswith("moderator"):
        with pytest.raises(publishing.NotReady):
            publishing.publish(room=ready, by=by)


def test_where_nothing_is_promised_nobody_needs_to_pay(ready):
    Section.objects.update(honorarium=0)
    Sponsor.objects.all().delete()
    Room.objects.update(pay_on=None)

    assert said(ready) == []


def test_a_room_is_set_up_from_nothing_by_what_moderators_do(by):
    for _ in range(6):
        make_member()
    starts_at = timezone.now() + 7 * DAY
    room = planning.create(by=by, title="How clinics start heparin")
    planning.change_basics(
        room=room, by=by, seats=6, starts_at=starts_at, ends_at=starts_at + 5 * DAY, minutes_a_day=20
    )
    planning.save_screener_question(
        room=room, by=by, text="Do you treat adults?", options=[("Yes", False), ("No", True)]
    )
    for day in range(3):
        section = guiding.save_section(
            room=room, by=by, title=f"Day {day + 1}", opens_at=starts_at + day * DAY
        )
        prompt = guiding.save_prompt(section=section, by=by, kind=Prompt.Kind.OPEN, text="What first?")
        stimuli.add(prompt=prompt, by=by, data=image_bytes(), description="A dose curve.")
    planning.write_agreement(room=room, by=by, text="What is said here stays here.")

    assert publishing.publish(room=room, by=by).state == Room.State.RECRUITING


def test_only_its_moderators_publish(ready):
    with pytest.raises(NotYours):
        publishing.publish(room=ready, by=make_moderator())


def test_a_canceled_draft_is_not_published(ready, by):
    publishing.cancel(room=ready, by=by, reason="Another study came first.")

    with pytest.raises(Over):
        publishing.publish(room=ready, by=by)


# Days, where clocks are put forward and back


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (datetime(2027, 3, 13, 0, tzinfo=NEW_YORK), datetime(2027, 3, 15, 0, tzinfo=NEW_YORK), 2),  # 47 hours
        (datetime(2027, 11, 6, 0, tzinfo=NEW_YORK), datetime(2027, 11, 8, 0, tzinfo=NEW_YORK), 2),  # 49 hours
        (datetime(2027, 3, 13, 5, tzinfo=UTC), datetime(2027, 3, 15, 4, tzinfo=UTC), 2),
        (datetime(2027, 7, 1, 0, tzinfo=NEW_YORK), datetime(2027, 8, 30, 0, tzinfo=NEW_YORK), 60),
    ],
)
def test_days_are_those_of_the_walls_of_the_room(start, end, days):
    room = Room(time_zone="America/New_York", starts_at=start, ends_at=end)

    assert readiness.days_between(room, start, end) == days * DAY


@pytest.mark.parametrize(
    ("month", "hours", "is_enough"), [(3, 47, True), (3, 46, False), (11, 49, True), (11, 48, False)]
)
def test_two_days_are_enough_on_the_night_clocks_change(by, month, hours, is_enough):
    start = datetime(2027, month, 13 if month == 3 else 6, tzinfo=NEW_YORK).astimezone(UTC)
    room = make_room(by, starts_at=start, ends_at=start + timedelta(hours=hours))

    assert any("lasts" in words for _, words in said(room)) != is_enough


def test_the_pay_date_is_compared_with_the_day_it_is_in_the_room(ready):
    """It ends at 11 pm in New York, which is the next day in UTC."""
    ends = (ready.starts_at + 6 * DAY).astimezone(NEW_YORK).replace(hour=23)
    Room.objects.update(ends_at=ends, pay_on=ends.date() + DAY)
    assert said(ready) == []

    Room.objects.update(pay_on=ends.date())
    assert [step for step, _ in said(ready)] == ["money"]


# A later end


def test_a_room_may_end_later(by):
    room = make_running_room(by=by)
    later = room.ends_at + DAY

    publishing.extend(room=room, by=by, ends_at=later)
    publishing.extend(room=room, by=by, ends_at=later)

    room.refresh_from_db()
    assert room.ends_at == later
    assert deeds(room) == ["room_extend"]


@pytest.mark.parametrize(
    ("days", "words"),
    [(-1, "To end it now, close it"), (60, "at most 60 days"), (20, "Honoraria are promised for")],
)
def test_an_end_that_cannot_be_is_refused(by, days, words):
    room = make_running_room(by=by)

    with pytest.raises(Unfit, match=words) as refusal:
        publishing.extend(room=room, by=by, ends_at=room.ends_at + days * DAY)

    assert refusal.value.field == "ends_at"


def test_sixty_days_are_the_most_across_a_change_of_clocks(by):
    """From a day in October to its sixtieth, an hour of which came twice."""
    start = datetime(2027, 10, 20, 8, tzinfo=NEW_YORK)
    room = make_recruiting_room(
        by=by, starts_at=start.astimezone(UTC), ends_at=start.astimezone(UTC) + 9 * DAY, pay_on=None
    )
    last = datetime(2027, 12, 19, 8, tzinfo=NEW_YORK)

    with pytest.raises(Unfit):
        publishing.extend(room=room, by=by, ends_at=last + timedelta(minutes=1))
    assert publishing.extend(room=room, by=by, ends_at=last).ends_at == last


def test_a_draft_is_not_extended(ready, by):
    with pytest.raises(NotPublished):
        publishing.extend(room=ready, by=by, ends_at=ready.ends_at + DAY)


def test_a_room_whose_time_is_up_is_not_extended(by):
    room = make_running_room(by=by, ends_at=timezone.now())

    with pytest.raises(Over):
        publishing.extend(room=room, by=by, ends_at=room.ends_at + DAY)


def test_only_its_moderators_extend(by):
    room = make_running_room(by=by)

    with pytest.raises(NotYours):
        publishing.extend(room=room, by=make_moderator(), ends_at=room.ends_at + DAY)


# Calling off


def test_a_draft_is_called_off_and_nobody_is_told(ready, by, announced):
    publishing.cancel(room=ready, by=by, reason=" Another study came first. ")
    publishing.cancel(room=ready, by=by, reason="Again.")

    ready.refresh_from_db()
    assert (ready.state, ready.canceled_why) == (Room.State.CANCELED, "Another study came first.")
    assert announced == [("room_canceled", ready.pk)]
    assert deeds(ready) == ["room_cancel"]
    assert not FanOut.objects.exists()


def test_a_published_room_is_called_off_and_all_in_it_are_told(by, announced):
    room = make_running_room(by=by)
    make_participant(room)
    invited = make_candidate(room)
    declined = make_candidate(room, state="declined")

    publishing.cancel(room=room, by=by, reason="Too few came.")

    room.refresh_from_db()
    assert room.is_over
    assert room.closed_at == room.canceled_at
    invited.refresh_from_db()
    declined.refresh_from_db()
    assert (invited.state, declined.state) == (Candidate.State.LAPSED, Candidate.State.DECLINED)
    assert announced == [("room_canceled", room.pk)]
    assert FanOut.objects.get().key == f"group:{room.pk}:canceled"
    assert not Room.objects.visible_to(invited.member.user).exists()


@pytest.mark.parametrize("is_final", [True, False])
def test_where_somebody_has_completed_a_section_a_room_is_closed_not_called_off(by, is_final):
    room = make_running_room(by=by)
    make_completion(make_participant(room), room.sections.first(), is_final=is_final)

    with pytest.raises(publishing.SectionEarned):
        publishing.cancel(room=room, by=by, reason="Too few came.")


def test_calling_off_has_a_reason(ready, by):
    with pytest.raises(Unfit) as refusal:
        publishing.cancel(room=ready, by=by, reason=" ")

    assert refusal.value.field == "reason"


def test_a_closed_room_is_not_called_off(by):
    room = make_running_room(by=by, closed_at=timezone.now())

    with pytest.raises(Over):
        publishing.cancel(room=room, by=by, reason="Too few came.")


def test_only_its_moderators_call_off(ready):
    with pytest.raises(NotYours):
        publishing.cancel(room=ready, by=make_moderator(), reason="Too few came.")
