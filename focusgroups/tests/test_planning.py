import pytest
from django.utils import timezone

from accounts.tests.factories import make_member, make_specialty, make_user
from focusgroups import house
from focusgroups.models import Cell, Room
from focusgroups.services import planning
from focusgroups.services.holding import Fixed, NotYours, Over, Unfit
from focusgroups.signals import money_promised
from focusgroups.tests.factories import (
    DAY,
    make_candidate,
    make_cell,
    make_moderator,
    make_participant,
    make_recruiting_room,
    make_room,
    make_running_room,
    make_screener,
)
from verification.models import Event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("heard_alone")]


@pytest.fixture
def by():
    return make_moderator()


@pytest.fixture
def draft(by):
    return make_room(by)


@pytest.fixture
def published(by):
    return make_recruiting_room(by=by)


def deeds(room):
    return list(Event.objects.filter(object=f"room:{room.pk}").order_by("pk").values_list("kind", flat=True))


# Setting up


def test_a_new_room_has_its_owner_one_cell_of_all_seats_and_the_agreement_of_the_house(by):
    room = planning.create(by=by, title="  How clinics start heparin ")

    assert room.title == "How clinics start heparin"
    assert room.state == Room.State.DRAFT
    assert [(row.user, row.is_owner) for row in room.moderators.all()] == [(by, True)]
    assert [(cell.name, cell.seats) for cell in room.cells.all()] == [("All", room.seats)]
    assert room.agreements.get().text == house.AGREEMENT
    assert deeds(room) == ["room_create"]
    assert Room.objects.run_by(by).get() == room


def test_a_room_has_a_title(by):
    with pytest.raises(Unfit) as refusal:
        planning.create(by=by, title="  ")

    assert refusal.value.field == "title"


@pytest.mark.parametrize("who", ["physician", "staff", "moderator"])
def test_only_staff_of_the_moderators_group_set_rooms_up(request, who):
    user = request.getfixturevalue(who)

    with pytest.raises(planning.NotAModerator):
        planning.create(by=getattr(user, "user", user), title="A room")


def test_a_superuser_sets_rooms_up():
    assert planning.create(by=make_user(is_staff=True, is_superuser=True), title="A room").pk


# The gate


ACTS = {
    "basics": lambda room, by: planning.change_basics(room=room, by=by, title="Mine"),
    "add": lambda room, by: planning.add_moderator(room=room, by=by, user=by),
    "remove": lambda room, by: planning.remove_moderator(room=room, by=by, user=by),
    "rule": lambda room, by: planning.set_rule(room=room, by=by),
    "cell": lambda room, by: planning.save_cell(room=room, by=by, name="Mine", seats=1),
    "delete cell": lambda room, by: planning.delete_cell(cell=room.cells.first(), by=by),
    "screener": lambda room, by: planning.save_screener_question(
        room=room, by=by, text="Why?", options=[("A", False), ("B", True)]
    ),
    "delete screener": lambda room, by: planning.delete_screener_question(
        question=room.screener.first(), by=by
    ),
    "move screener": lambda room, by: planning.move_screener_question(
        question=room.screener.first(), by=by, up=True
    ),
    "agreement": lambda room, by: planning.write_agreement(room=room, by=by, text="Mine"),
}
OF_ALL_STATES = {"add", "remove"}


@pytest.mark.parametrize("act", ACTS)
def test_a_moderator_of_another_room_changes_nothing(draft, act):
    make_screener(draft)
    other = make_moderator()
    make_room(other)

    with pytest.raises(NotYours):
        ACTS[act](draft, other)

    assert deeds(draft) == []


@pytest.mark.parametrize("act", ACTS)
def test_whoever_is_no_moderator_any_more_changes_nothing(draft, by, act):
    make_screener(draft)
    by.groups.clear()

    with pytest.raises(NotYours):
        ACTS[act](draft, by)


@pytest.mark.parametrize("act", sorted(ACTS.keys() - OF_ALL_STATES))
@pytest.mark.parametrize("end", ["time", "closed", "canceled"])
def test_nothing_changes_in_a_room_that_is_over(by, act, end):
    room = make_running_room(by=by)
    make_screener(room)
    now = timezone.now()
    changes = {
        "time": {"ends_at": now},
        "closed": {"closed_at": now},
        "canceled": {"closed_at": now, "canceled_at": now, "canceled_why": "Too few came."},
    }
    Room.objects.filter(pk=room.pk).update(**changes[end])

    with pytest.raises(Over):
        ACTS[act](room, by)


# Basics


def test_basics_of_a_draft_change_and_the_one_cell_follows_the_seats(draft, by):
    room = planning.change_basics(
        room=draft, by=by, title="Another title", seats=20, thanks=500, watching=Room.Watching.NOBODY
    )

    room.refresh_from_db()
    assert (room.title, room.seats, room.thanks, room.watching) == ("Another title", 20, 500, "nobody")
    assert room.cells.get().seats == 20
    assert deeds(room) == ["room_basics"]


def test_where_there_are_several_cells_each_keeps_its_seats(draft, by):
    make_cell(draft, "Others", seats=3)

    planning.change_basics(room=draft, by=by, seats=20)

    assert sorted(draft.cells.values_list("seats", flat=True)) == [3, 12]


def test_saving_what_is_so_already_leaves_no_trace(draft, by):
    planning.change_basics(room=draft, by=by, title=draft.title)

    assert deeds(draft) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "x" * 121),
        ("about", "x" * 2_001),
        ("seats", 3),
        ("seats", 61),
        ("minutes_a_day", 0),
        ("minutes_a_day", 241),
        ("thanks", -1),
        ("thanks", 20_001),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", ""),
        ("time_zone", "../etc"),
        ("time_zone", "America"),
        ("ends_at", timezone.now() + DAY),
        ("watching", "all"),
    ],
)
def test_basics_out_of_bounds_are_refused_beside_their_field(draft, by, field, value):
    with pytest.raises(Unfit) as refusal:
        planning.change_basics(room=draft, by=by, **{field: value})

    assert refusal.value.field == field
    assert deeds(draft) == []


def test_what_is_no_basic_is_a_fault_of_the_caller(draft, by):
    with pytest.raises(TypeError):
        planning.change_basics(room=draft, by=by, published_at=timezone.now())


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another"},
        {"about": "Something else"},
        {"minutes_a_day": 30},
        {"time_zone": "America/Chicago"},
        {"starts_at": timezone.now() + DAY},
        {"ends_at": timezone.now() + 40 * DAY},
        {"pay_on": None},
        {"thanks": 1},
        {"watching": "words"},
        {"seats": 11},
        {"seats": 14, "thanks": 1},
    ],
)
def test_the_terms_of_a_published_room_are_fixed(published, by, change):
    with pytest.raises(Fixed):
        planning.change_basics(room=published, by=by, **change)


def test_seats_may_be_added_to_a_published_room(published, by):
    waiting = make_candidate(published, state="waiting")
    Cell.objects.filter(room=published).update(seats=4)
    Room.objects.filter(pk=published.pk).update(seats=4)

    planning.change_basics(room=published, by=by, seats=5)

    assert published.cells.get().seats == 5
    assert published.participants.get().member == waiting.member


def test_in_a_published_room_of_several_cells_seats_go_to_one_of_them(published, by):
    make_cell(published, "Others", seats=3)

    with pytest.raises(Fixed, match="quota cells"):
        planning.change_basics(room=published, by=by, seats=20)


# Money that more seats need


def test_more_seats_need_a_budget(published, by):
    published.sponsor.budget = 12 * 2 * 5_000
    published.sponsor.save()

    with pytest.raises(planning.BeyondBudget):
        planning.change_basics(room=published, by=by, seats=13)

    published.refresh_from_db()
    assert (published.seats, published.cells.get().seats) == (12, 12)


def test_who_holds_the_money_hears_of_it_first(published, by):
    published.sponsor.budget = 12 * 2 * 5_000
    published.sponsor.save()

    def reserve(room, **kwargs):
        published.sponsor.budget = room.seats * 2 * 5_000
        published.sponsor.save()

    money_promised.connect(reserve)
    planning.change_basics(room=published, by=by, seats=13)

    published.refresh_from_db()
    assert published.seats == 13


# Moderators


def test_a_second_moderator_runs_the_room_until_removed(draft, by):
    other = make_moderator()

    planning.add_moderator(room=draft, by=by, user=other)
    planning.add_moderator(room=draft, by=by, user=other)
    assert Room.objects.run_by(other).get() == draft

    planning.remove_moderator(room=draft, by=by, user=other)
    planning.remove_moderator(room=draft, by=by, user=other)
    assert not Room.objects.run_by(other).exists()
    assert deeds(draft) == ["room_moderator_add", "room_moderator_remove"]


def test_the_trail_names_a_moderator_by_a_random_subject(draft, by):
    other = make_moderator()

    planning.add_moderator(room=draft, by=by, user=other)

    assert Event.objects.get().evidence == [str(other.subject.pk)]


def test_only_moderators_are_put_in_charge(draft, by, staff, physician, moderator):
    for user in (staff, physician.user, moderator.user, make_moderator(is_active=False)):
        with pytest.raises(planning.NotAModerator):
            planning.add_moderator(room=draft, by=by, user=user)


def test_whoever_was_asked_does_not_run_the_room(published, by):
    other = make_moderator()
    make_candidate(published, make_member(user=other), state="declined")

    with pytest.raises(planning.TakesPart):
        planning.add_moderator(room=published, by=by, user=other)


def test_the_owner_stays(draft, by):
    other = make_moderator()
    planning.add_moderator(room=draft, by=by, user=other)

    with pytest.raises(planning.IsOwner):
        planning.remove_moderator(room=draft, by=other, user=by)


def test_what_was_said_in_a_closed_room_may_be_read_with_others(by):
    room = make_running_room(by=by, closed_at=timezone.now())
    other = make_moderator()

    planning.add_moderator(room=room, by=by, user=other)

    assert Room.objects.run_by(other).exists()


# The rule


def test_a_rule_is_kept_in_the_order_of_what_can_be_chosen(draft, by):
    cardiology, urology = make_specialty(), make_specialty("Urology")

    room = planning.set_rule(
        room=draft,
        by=by,
        specialties={urology.code, cardiology.code},
        states=["TX", "AL"],
        years_bands=["31+", "0-5"],
        tiers=["top", "new"],
    )

    room.refresh_from_db()
    assert set(room.specialties) == {urology.code, cardiology.code}
    assert (room.states, room.years_bands, room.tiers) == (["AL", "TX"], ["0-5", "31+"], ["new", "top"])


@pytest.mark.parametrize("field", ["specialties", "states", "years_bands", "tiers"])
def test_a_rule_knows_only_what_there_is(draft, by, field):
    with pytest.raises(Unfit) as refusal:
        planning.set_rule(room=draft, by=by, **{field: ["??"]})

    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("before", "after", "may"),
    [
        (["AL"], ["AL", "TX"], True),
        (["AL"], [], True),
        ([], [], True),
        (["AL"], ["AL"], True),
        (["AL", "TX"], ["AL"], False),
        (["AL"], ["TX"], False),
        ([], ["AL"], False),
    ],
)
def test_the_rule_of_a_published_room_may_be_widened(by, before, after, may):
    room = make_recruiting_room(by=by, states=before)

    if may:
        assert planning.set_rule(room=room, by=by, states=after).states == after
    else:
        with pytest.raises(Fixed):
            planning.set_rule(room=room, by=by, states=after)


# Quota cells


def test_cells_of_a_draft_are_added_changed_and_deleted(draft, by):
    cell = planning.save_cell(room=draft, by=by, name="Young", seats=4, years_bands=["0-5"])
    planning.save_cell(room=draft, by=by, cell=cell, name="Younger", seats=2, years_bands=["0-5", "6-10"])

    cell.refresh_from_db()
    assert (cell.name, cell.seats, cell.years_bands, cell.place) == ("Younger", 2, ["0-5", "6-10"], 1)
    draft.refresh_from_db()
    assert draft.seats == 12

    planning.delete_cell(cell=cell, by=by)
    assert draft.cells.get().name == "All"


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "all"}),
        ("name", {"name": "x" * 61}),
        ("seats", {"seats": 0}),
        ("seats", {"seats": 61}),
        ("specialties", {"specialties": ["??"]}),
        ("years_bands", {"years_bands": ["40"]}),
    ],
)
def test_cells_that_cannot_be_are_refused(draft, by, field, typed):
    with pytest.raises(Unfit) as refusal:
        planning.save_cell(room=draft, by=by, **{"name": "Young", "seats": 4, **typed})

    assert refusal.value.field == field


def test_a_cell_of_a_published_room_grows_and_the_room_with_it(published, by):
    cell = published.cells.get()

    planning.save_cell(room=published, by=by, cell=cell, name="All", seats=15)

    published.refresh_from_db()
    assert published.seats == 15


def test_a_cell_is_added_to_a_published_room(published, by):
    for _ in range(4):
        make_member(years_band="31+")
    with pytest.raises(Unfit, match="fewer than 5 members"):
        planning.save_cell(room=published, by=by, name="Old", seats=3, years_bands=["31+"])
    make_member(years_band="31+")

    planning.save_cell(room=published, by=by, name="Old", seats=3, years_bands=["31+"])

    published.refresh_from_db()
    assert published.seats == 15


@pytest.mark.parametrize("change", [{"seats": 5}, {"seats": 4, "years_bands": []}])
def test_who_waits_gets_a_seat_that_is_added_or_opened_to_them(by, change):
    room = make_recruiting_room(by=by, seats=4, cells=False)
    cell = make_cell(room, "Young", seats=4, years_bands=["0-5"])
    is_full = change["seats"] == 5
    if is_full:
        for _ in range(4):
            make_participant(room, cell)
    waiting = make_candidate(room, make_member(years_band="0-5" if is_full else "31+"), state="waiting")

    planning.save_cell(room=room, by=by, cell=cell, name="Young", **{"years_bands": ["0-5"], **change})

    waiting.refresh_from_db()
    assert waiting.state == "seated"


@pytest.mark.parametrize(
    "typed", [{"name": "Some"}, {"seats": 11}, {"years_bands": ["0-5"]}, {"specialties": ["own"]}]
)
def test_a_cell_of_a_published_room_never_narrows(published, by, typed):
    if "specialties" in typed:
        typed["specialties"] = [make_specialty().code]

    with pytest.raises(Fixed):
        planning.save_cell(
            room=published, by=by, cell=published.cells.get(), **{"name": "All", "seats": 12, **typed}
        )


def test_a_published_room_has_60_seats_at_most(published, by):
    for _ in range(5):
        make_member()
    with pytest.raises(Unfit, match="4 to 60"):
        planning.save_cell(room=published, by=by, name="Old", seats=49)


def test_cells_of_a_published_room_stay(published, by):
    with pytest.raises(Fixed):
        planning.delete_cell(cell=published.cells.get(), by=by)


def test_a_cell_of_another_room_is_not_found(draft, by):
    with pytest.raises(Cell.DoesNotExist):
        planning.save_cell(room=draft, by=by, cell=make_room().cells.get(), name="Mine", seats=4)


# The screener


def screen(room, by, text="Do you treat adults?", options=(("Yes", False), ("No", True)), **more):
    return planning.save_screener_question(room=room, by=by, text=text, options=options, **more)


def shown(room):
    return [
        (question.place, question.text, [(option.text, option.is_out) for option in question.options.all()])
        for question in room.screener.all()
    ]


def test_a_screener_is_written_moved_and_shortened(draft, by):
    first, second = screen(draft, by, "One?"), screen(draft, by, "Two?")
    third = screen(draft, by, "Three?", [("A", False), ("  ", True), ("B", False)])
    screen(draft, by, "First?", [("Yes", True), ("No", False)], question=first)
    planning.move_screener_question(question=third, by=by, up=True)
    planning.move_screener_question(question=first, by=by, up=True)
    planning.delete_screener_question(question=first, by=by)

    assert shown(draft) == [
        (0, "Three?", [("A", False), ("B", False)]),
        (1, "Two?", [("Yes", False), ("No", True)]),
    ]
    assert second.pk


def test_five_questions_are_the_most(draft, by):
    for _ in range(5):
        question = screen(draft, by)

    with pytest.raises(planning.TooManyQuestions):
        screen(draft, by)
    assert screen(draft, by, "Changed?", question=question).text == "Changed?"


@pytest.mark.parametrize(
    "options",
    [
        [],
        [("Yes", False)],
        [("Yes", False), (" ", True)],
        [("Yes", False), ("yes", True)],
        [("Yes", True), ("No", True)],
        [(f"Option {number}", False) for number in range(9)],
        [("Yes", False), ("x" * 121, False)],
    ],
)
def test_options_that_make_no_question_are_refused(draft, by, options):
    with pytest.raises(Unfit) as refusal:
        screen(draft, by, options=options)

    assert refusal.value.field == "options"


def test_a_question_says_something(draft, by):
    with pytest.raises(Unfit) as refusal:
        screen(draft, by, "")

    assert refusal.value.field == "text"


@pytest.mark.parametrize("act", ["screener", "delete screener", "move screener"])
def test_the_screener_of_a_published_room_is_fixed(published, by, act):
    make_screener(published)

    with pytest.raises(Fixed):
        ACTS[act](published, by)


# The agreement


def test_a_draft_has_one_version_of_its_agreement(draft, by):
    planning.write_agreement(room=draft, by=by, text="Keep it here.\r\n\r\nAll of it.")

    agreement = draft.agreements.get()
    assert (agreement.version, agreement.text) == (1, "Keep it here.\n\nAll of it.")


def test_a_draft_without_one_gets_the_first(by):
    room = make_room(by, agreement="")

    assert planning.write_agreement(room=room, by=by, text="Keep it here.").version == 1


def test_a_published_room_gets_a_new_version_and_keeps_the_old(published, by):
    old = published.agreements.get()

    planning.write_agreement(room=published, by=by, text="Keep it here.")

    assert list(published.agreements.values_list("version", "text")) == [(1, old.text), (2, "Keep it here.")]


def test_the_same_words_are_no_new_version(published, by):
    agreement = published.agreements.get()

    assert planning.write_agreement(room=published, by=by, text=f"{agreement.text}\n") == agreement
    assert deeds(published) == []


@pytest.mark.parametrize("words", ["", " \n ", "x" * 20_001])
def test_an_agreement_says_something_and_not_too_much(draft, by, words):
    with pytest.raises(Unfit):
        planning.write_agreement(room=draft, by=by, text=words)
