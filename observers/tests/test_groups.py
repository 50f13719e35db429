"""Focus groups in the console: who is let in, what may be read there, that it is logged, and the back room."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.apps import apps
from django.template import Context, Template
from django.urls import reverse
from django.utils import timezone

from accounts.leaving.ledger import Person
from conftest import client_of
from focusgroups.desk.permissions import allow_moderators
from focusgroups.models import Message, Prompt, Room
from focusgroups.services import recruiting
from focusgroups.services.holding import NotYours
from focusgroups.tests.factories import (
    make_answer,
    make_cell,
    make_live_hour,
    make_message,
    make_moderator,
    make_participant,
    make_prompt,
    make_room,
    make_section,
)
from focusgroups.tests.test_desk_setup import confirmed
from observers import groups, keys, marks, personal
from observers.models import BackRoomNote, RoomRead, RoomWatch
from observers.services import back_room, blocking
from observers.tests.factories import make_contract, make_seat
from polls.tests.factories import make_voter
from rewards.services import rooms
from rewards.tests.factories import make_firm

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def firm(db):
    firm = make_firm("Halden Therapeutics", balance=10_000_000)
    make_contract(firm)
    return firm


@pytest.fixture
def moderator(db):
    allow_moderators(apps.get_app_config("focusgroups"), using="default")
    return make_moderator()


@pytest.fixture
def room(firm, moderator):
    """A room that runs, paid for by the firm, whose watchers read words. Its title is unlike any other text."""
    return make_watched(firm, moderator)


def make_watched(firm, moderator, watching="words", *, cells=True, **fields):
    now = timezone.now()
    fields = {"title": "Velorin panel", "starts_at": now - 2 * DAY, "ends_at": now + 8 * DAY, **fields}
    room = make_room(moderator, seats=12, watching=watching, cells=cells, **fields)
    make_section(room, title="First day", opens_at=now - DAY)
    rooms.agree(room=room, firm=firm, key=uuid4())
    Room.objects.filter(pk=room.pk).update(published_at=now - 3 * DAY)
    return Room.objects.get(pk=room.pk)


@pytest.fixture
def seat(firm):
    return make_seat(firm)


@pytest.fixture
def watch(room, seat, moderator):
    return back_room.let_watch(room=room, seat=seat, by=moderator)


@pytest.fixture
def watcher(watch, seat):
    """A browser of who was let in."""
    return client_of(seat.user)


@pytest.fixture
def prompt(room):
    return make_prompt(room.sections.get(), text="Which dose first?")


def at(name, room, firm, *args):
    return reverse(f"observers:{name}", args=[keys.room_key(firm, room.pk), *args])


def addresses(room, firm):
    """All addresses of one room in the console."""
    return [at("group", room, firm), at("group_talk", room, firm), at("group_prompt", room, firm, 1, 1)]


def statuses(client, room, firm):
    read = [client.get(address).status_code for address in addresses(room, firm)]
    note = client.post(at("group_note", room, firm), {"text": "Hello", "submission": uuid4()})
    return {*read, note.status_code}


# Doors


def test_whoever_was_let_in_reads(watcher, room, firm, prompt):
    assert "Velorin panel" in watcher.get(reverse("observers:groups")).text
    assert [watcher.get(address).status_code for address in addresses(room, firm)] == [200] * 3


def test_a_seat_that_was_not_let_in_finds_nothing(room, firm, prompt):
    other = client_of(make_seat(firm).user)

    assert statuses(other, room, firm) == {404}
    assert "Velorin" not in other.get(reverse("observers:groups")).text


def test_nor_does_another_firm_by_either_key(watcher, room, firm, prompt):
    stranger = make_seat()
    other = client_of(stranger.user)

    assert statuses(other, room, firm) == {404}
    assert statuses(other, room, stranger.firm) == {404}


def test_nor_who_has_no_seat(watcher, room, firm, prompt, physician_client, client, moderator):
    for who in (physician_client, client, client_of(moderator)):
        assert statuses(who, room, firm) == {404}
    assert not RoomRead.objects.exists()


def test_nor_does_a_participant_by_the_console(watcher, room, firm, prompt):
    assert statuses(client_of(make_participant(room).member), room, firm) == {404}


def test_a_seat_that_has_ended_finds_nothing_from_the_next_request_on(watcher, room, firm, prompt, seat):
    assert watcher.get(at("group", room, firm)).status_code == 200
    seat.ended_at = timezone.now()
    seat.save()

    assert statuses(watcher, room, firm) == {404}


def test_nor_where_the_contract_has_ended(watcher, room, firm, prompt):
    firm.contracts.update(ended_at=timezone.now())

    assert statuses(watcher, room, firm) == {404}


def test_nor_whoever_was_taken_out_again(watcher, room, firm, prompt, seat, moderator):
    back_room.stop_watching(room=room, seat=seat, by=moderator)
    back_room.stop_watching(room=room, seat=seat, by=moderator)

    assert statuses(watcher, room, firm) == {404}


def test_nor_where_nobody_watches(watcher, room, firm, prompt):
    Room.objects.update(watching="nobody")

    assert statuses(watcher, room, firm) == {404}
    assert "Velorin" not in watcher.get(reverse("observers:groups")).text


@pytest.mark.parametrize("fields", [{"published_at": None}, {"canceled": True}])
def test_drafts_and_canceled_groups_are_not_there(watcher, room, firm, prompt, fields):
    if fields.pop("canceled", False):
        now = timezone.now()
        fields = {"canceled_at": now, "closed_at": now, "canceled_why": "Too few"}
    Room.objects.update(**fields)

    assert statuses(watcher, room, firm) == {404}


@pytest.mark.parametrize("watching", ["figures", "words"])
@pytest.mark.parametrize("is_written_down", [True, False])
def test_once_it_is_over_nothing_is_read_any_more(firm, moderator, seat, watching, is_written_down):
    """Participants were told that it is read while it runs. What leaves it then is a file with a reason and a mark."""
    room = make_watched(firm, moderator, watching)
    prompt = make_prompt(room.sections.get(), "single", text="Which dose first?", options=["Half", "Whole"])
    answers = answered(room, prompt, 6)
    back_room.let_watch(room=room, seat=seat, by=moderator)
    client = client_of(seat.user)
    assert "Half" in client.get(at("group", room, firm)).text
    RoomRead.objects.all().delete()
    now = timezone.now()
    Room.objects.update(**({"closed_at": now} if is_written_down else {"ends_at": now}))

    page = client.get(at("group", room, firm)).text

    assert [client.get(address).status_code for address in addresses(room, firm)] == [200, 404, 404]
    assert "The group is over." in page
    for words in ("Which dose first?", "Half", "First day", *(each.participant.alias for each in answers)):
        assert words not in page
    assert "Nothing more" in client.get(reverse("observers:groups")).text
    assert not RoomRead.objects.exists()


def test_a_second_factor_is_needed(watcher, room, firm, seat):
    seat.user.authenticator_set.all().delete()

    answer = watcher.get(at("group", room, firm))
    assert answer.status_code in (302, 404)
    assert "Velorin" not in answer.text


def test_where_figures_are_read_the_words_are_not_there(firm, moderator, seat):
    room = make_watched(firm, moderator, "figures")
    make_prompt(room.sections.get())
    back_room.let_watch(room=room, seat=seat, by=moderator)
    client = client_of(seat.user)

    words = addresses(room, firm)[1:]
    assert [client.get(address).status_code for address in words] == [404, 404]
    assert not RoomRead.objects.exists()  # nothing was
    assert client.get(at("group", room, firm)).status_code == 200


def test_a_key_tells_no_number_and_is_of_one_firm(room, firm):
    key = keys.room_key(firm, room.pk)

    assert keys.room_pk(firm, key) == room.pk
    assert keys.room_pk(make_firm(), key) is None
    assert keys.question_pk(firm, key) is None
    assert keys.room_pk(firm, "nonsense") is None


def test_each_page_of_a_group_has_the_mark_of_its_copy(watcher, room, firm, prompt, seat):
    mark = marks.copy_mark(seat)

    for address in addresses(room, firm):
        assert mark in watcher.get(address).text


# What may be read


def answered(room, prompt, number, **fields):
    return [make_answer(make_participant(room), prompt, **fields) for _ in range(number)]


def test_words_stand_by_alias_cell_and_day(watcher, room, firm, prompt):
    answers = answered(room, prompt, 5, source="Low dose first.")
    make_message(room, participant=answers[0].participant, answer=answers[1], source="I wait a day.")
    make_message(room, moderator=None, kind="probe", prompt=prompt, source="And in the frail?")

    text = watcher.get(at("group_prompt", room, firm, 1, 1)).text

    for answer in answers:
        assert answer.participant.alias in text
    assert "Low dose first." in text
    assert "I wait a day." in text
    assert "And in the frail?" in text
    assert "All" in text
    for answer in answers:
        member = answer.participant.member
        assert member.handle not in text
        assert f"{timezone.localtime(answer.posted_at):%H:%M}" not in text
    assert str(answers[0].posted_at.year) in text


def test_handles_and_names_that_somebody_wrote_are_hidden(watcher, room, firm, prompt):
    participant = make_participant(room)
    handle = participant.member.handle
    make_answer(participant, prompt, f"Ask me, @{handle}, or {handle} as such.")

    assert handle not in watcher.get(at("group_prompt", room, firm, 1, 1)).text


def test_what_is_private_hidden_or_taken_back_is_not_read(watcher, room, firm, prompt):
    now = timezone.now()
    secret = "Never to be read"
    make_answer(make_participant(room), prompt, secret, is_private=True)
    make_answer(make_participant(room), prompt, secret, hidden_at=now, hidden_why="Off topic")
    make_answer(make_participant(room), prompt, "", withdrawn_at=now)
    shown = make_answer(make_participant(room), prompt, "Shown to all")
    make_message(room, participant=shown.participant, kind="note", source=secret)
    make_message(room, to=shown.participant, kind="probe", prompt=prompt, source=secret)
    make_message(
        room,
        participant=shown.participant,
        answer=shown,
        source=secret,
        hidden_at=now,
        hidden_why="Off topic",
    )

    for address in addresses(room, firm):
        text = watcher.get(address).text
        assert secret not in text
    assert "Shown to all" in watcher.get(at("group_prompt", room, firm, 1, 1)).text


def test_prompts_for_moderators_alone_have_no_words_and_no_figures(watcher, room, firm):
    private = make_prompt(room.sections.get(), "single", is_private=True)
    for _ in range(6):
        make_answer(make_participant(room), private, "", is_private=False)

    text = watcher.get(at("group", room, firm)).text
    assert "Answers go to the moderators alone." in text
    assert "Chosen by" not in text
    assert watcher.get(at("group_prompt", room, firm, 1, 1)).status_code == 404


def test_sections_stand_there_once_they_are_open(watcher, room, firm):
    later = make_section(room, title="Second day", opens_at=timezone.now() + DAY)
    make_prompt(later, text="What next?")

    text = watcher.get(at("group", room, firm)).text
    assert "First day" in text
    assert "Second day" not in text
    assert "What next?" not in text
    assert watcher.get(at("group_prompt", room, firm, 2, 1)).status_code == 404


def test_a_cell_of_fewer_than_five_is_not_named(firm, moderator, seat):
    room = make_watched(firm, moderator, cells=False)
    cells = [make_cell(room, name) for name in ("Intensivists", "Rural surgeons", "Residents")]
    prompt = make_prompt(room.sections.get())
    for cell, number in zip(cells, (6, 4, 4), strict=True):
        for _ in range(number):
            make_answer(make_participant(room, cell), prompt)
    back_room.let_watch(room=room, seat=seat, by=moderator)
    client = client_of(seat.user)

    text = "".join(client.get(address).text for address in addresses(room, firm))

    assert "Intensivists" in text
    assert "Rural surgeons" not in text
    assert "Residents" not in text
    assert text.count("<span>smaller cells</span>") == 8


def test_live_hours_and_probes_of_all_stand_beside(watcher, room, firm, moderator):
    hour, participant = make_live_hour(room, title="Evening hour"), make_participant(room)
    make_message(room, participant=participant, kind="live", live_hour=hour, source="Good evening")
    probe = make_message(room, moderator=moderator, kind="probe", source="What surprised you?")
    make_message(room, participant=participant, parent=probe, source="The price")

    text = watcher.get(at("group_talk", room, firm)).text

    for words in ("Good evening", "Evening hour", "What surprised you?", "The price", participant.alias):
        assert words in text
    assert moderator.email not in text


def test_talk_goes_on_where_a_page_ends(watcher, room, firm, monkeypatch):
    monkeypatch.setattr(groups, "LINES", 2)
    hour, participant = make_live_hour(room), make_participant(room)
    for number in range(3):
        make_message(room, participant=participant, kind="live", live_hour=hour, source=f"Line {number}")

    first = watcher.get(at("group_talk", room, firm))
    assert "Line 0" not in first.text
    more = re.search(r'href="(\?after=[^"]+)"', first.text).group(1)

    assert "Line 0" in watcher.get(at("group_talk", room, firm) + more).text
    assert more.startswith("?after=gAAAA")  # sealed


# Figures


def figures(room):
    return groups.parts_of(room)[0].asked


def test_figures_of_a_choice(room):
    prompt = make_prompt(room.sections.get(), "single", options=["Heparin", "Enoxaparin"])
    first, second = prompt.options.all()
    for option, number in ((first, 6), (second, 5)):
        for _ in range(number):
            make_answer(make_participant(room), prompt, "", chosen=[option.pk])

    [asked] = figures(room)
    assert (asked.number, asked.choices) == ("11", [("Heparin", "6"), ("Enoxaparin", "5")])


def test_small_numbers_and_what_they_follow_from_are_not_shown(room):
    prompt = make_prompt(room.sections.get(), "single", options=["A", "B", "C", "D"])
    for option, number in zip(prompt.options.all(), (4, 6, 7, 0), strict=True):
        for _ in range(number):
            make_answer(make_participant(room), prompt, "", chosen=[option.pk])

    [asked] = figures(room)
    assert asked.choices == [("A", "not shown"), ("B", "not shown"), ("C", "7"), ("D", "0")]


def test_figures_under_five_are_said_to_be_few(room):
    prompt = make_prompt(room.sections.get(), "single", options=["Heparin", "Enoxaparin"])
    for _ in range(4):
        make_answer(make_participant(room), prompt, "")

    [asked] = figures(room)
    assert (asked.number, asked.choices) == ("fewer than 5", [])


def test_figures_of_rankings_scales_and_words(room):
    section = room.sections.get()
    ranked = make_prompt(section, "ranked", options=["A", "B"])
    scale = make_prompt(section, "scale", low_label="Never", high_label="Always")
    words = make_prompt(section)
    first = ranked.options.first()
    for _ in range(5):
        participant = make_participant(room)
        make_answer(participant, ranked, "")
        make_answer(participant, scale, "", points=5)
        make_answer(participant, words)

    of_ranked, of_scale, of_words = figures(room)
    assert of_ranked.choices == [("A", "5"), ("B", "0")]
    assert [text for text, _ in of_scale.choices] == ["1, Never", "2", "3", "4", "5, Always"]
    assert of_scale.choices[-1] == ("5, Always", "5")
    assert (of_words.number, of_words.choices) == ("5", [])
    assert first.text == "A"


def test_private_answers_are_in_no_figure(room):
    prompt = make_prompt(room.sections.get(), "single")
    for _ in range(4):
        make_answer(make_participant(room), prompt, "")
    make_answer(make_participant(room), prompt, "", is_private=True)

    assert figures(room)[0].number == "fewer than 5"


def test_a_group_of_figures_shows_no_word_and_no_alias(firm, moderator, seat):
    room = make_watched(firm, moderator, "figures")
    prompt = make_prompt(room.sections.get(), "single", options=["Heparin", "Enoxaparin"], asks_why=True)
    answers = answered(room, prompt, 6, source="Because it is cheap")
    back_room.let_watch(room=room, seat=seat, by=moderator)

    text = client_of(seat.user).get(at("group", room, firm)).text

    assert "Heparin" in text
    assert "Because it is cheap" not in text
    for answer in answers:
        assert answer.participant.alias not in text


# The log


def test_each_seat_is_logged_once_a_day_and_purpose(watcher, room, firm, seat, prompt):
    for address in addresses(room, firm) * 2:
        watcher.get(address)

    read = RoomRead.objects.get()
    assert (read.room, read.seat_id, read.day, read.purpose) == (
        *(room, seat.pk, timezone.now().date(), seat.purpose),
    )


def test_it_is_logged_before_anything_is_sent(watcher, room, firm, monkeypatch):
    def broken(room):
        raise RuntimeError

    monkeypatch.setattr(groups, "parts_of", broken)
    with pytest.raises(RuntimeError):
        watcher.get(at("group", room, firm))
    assert RoomRead.objects.count() == 1


def readers(room):
    shown = Template("{% load group_readers %}{% group_readers room %}").render(Context({"room": room}))
    return " ".join(shown.split())


def test_participants_are_shown_on_which_days_they_were_read(room, seat, firm):
    assert "Nobody of the sponsor has read here so far." in readers(room)
    now = timezone.now()
    back_room.note_read(seat=seat, room=room, purpose="market", at=now - DAY)
    back_room.note_read(seat=seat, room=room, purpose="market", at=now)
    back_room.note_read(seat=make_seat(firm), room=room, purpose="market", at=now)

    assert "Halden Therapeutics: 2 people read here, on" in readers(room)
    assert seat.name not in readers(room)


def test_a_blinded_sponsor_is_not_named_by_its_readers(firm, moderator, seat):
    room = make_room(moderator, title="Blind")
    make_section(room)
    rooms.agree(room=room, firm=firm, is_blinded=True, key=uuid4())
    back_room.note_read(seat=seat, room=room, purpose="market")

    assert "Halden" not in readers(room)
    assert "Pharmaceutical company, named when the group ends: 1 person read here" in readers(room)


def test_where_nobody_watches_nothing_is_said(firm, moderator):
    assert readers(make_watched(firm, moderator, "nobody")) == ""


# The back room


def note(client, room, firm, **said):
    said = {"text": "Ask about the price.", "about": "", "submission": uuid4(), **said}
    return client.post(at("group_note", room, firm), said)


def test_a_note_reaches_the_moderators_and_no_participant(watcher, room, firm, prompt, moderator, seat):
    answer = note(watcher, room, firm, about="1.1")

    assert answer.status_code == 302
    kept = BackRoomNote.objects.get()
    assert (kept.room, kept.seat_id, kept.prompt, kept.text) == (
        room,
        seat.pk,
        prompt,
        "Ask about the price.",
    )
    shown = confirmed(moderator).get(reverse("admin:focusgroups_room_back_room", args=[room.pk])).text
    assert "Ask about the price." in shown
    assert "Which dose first?" in shown
    assert "Ask about the price." in watcher.get(at("group", room, firm)).text
    assert not Message.objects.exists()


def test_one_form_is_one_note(watcher, room, firm):
    key = uuid4()
    note(watcher, room, firm, submission=key)
    note(watcher, room, firm, submission=key)
    other = note(watcher, room, firm, submission=key, text="Something else")

    assert BackRoomNote.objects.count() == 1
    assert other.status_code == 422
    assert back_room.NoteUsed.message in other.text


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"text": " "}, "Write what the moderators should know."),
        ({"text": "x" * 1_001}, "At most 1000 characters; this has 1001."),
        ({"about": "7.7"}, "Choose one of the questions that are open."),
        ({"text": "Ask about John Miller, MRN 4471220, born 03/14/1951"}, "must go"),
    ],
)
def test_what_cannot_be_taken_is_said_and_nothing_is_lost(watcher, room, firm, said, words):
    answer = note(watcher, room, firm, **said)

    assert answer.status_code == 422
    assert words in answer.text
    assert said.get("text", "Ask about the price.").strip() in answer.text
    assert not BackRoomNote.objects.exists()


def test_nothing_is_noted_about_what_is_not_open(room, seat, watch):
    later = make_prompt(make_section(room, opens_at=timezone.now() + DAY))
    elsewhere = make_prompt(make_section(make_room()))

    for prompt in (later, elsewhere):
        with pytest.raises(back_room.NotAsked):
            back_room.pass_note(seat=seat, room=room, text="Hm", key=uuid4(), prompt=prompt)


def test_nor_once_it_is_over(watcher, room, firm):
    Room.objects.update(closed_at=timezone.now())

    assert note(watcher, room, firm).status_code == 422
    assert "The group is over." in watcher.get(at("group", room, firm)).text
    assert not BackRoomNote.objects.exists()


def test_a_seat_passes_so_many_notes_a_day(room, seat, watch, monkeypatch):
    monkeypatch.setattr(back_room, "MOST_A_DAY", 2)
    for _ in range(2):
        back_room.pass_note(seat=seat, room=room, text="Hm", key=uuid4())

    with pytest.raises(back_room.TooMany):
        back_room.pass_note(seat=seat, room=room, text="Hm", key=uuid4())
    BackRoomNote.objects.update(at=timezone.now() - DAY)
    back_room.pass_note(seat=seat, room=room, text="Hm", key=uuid4())


def test_who_was_not_let_in_passes_none(room, firm):
    with pytest.raises(back_room.NotWatching):
        back_room.pass_note(seat=make_seat(firm), room=room, text="Hm", key=uuid4())


# Letting in


def test_moderators_let_seats_of_the_sponsor_in_and_out(room, seat, moderator, firm):
    desk = confirmed(moderator)
    page, act = (
        reverse("admin:focusgroups_room_back_room", args=[room.pk]),
        reverse("admin:focusgroups_room_back_room_seat", args=[room.pk, seat.number]),
    )
    assert seat.name in desk.get(page).text

    desk.post(act, {"watches": "yes"})
    desk.post(act, {"watches": "yes"})
    assert RoomWatch.objects.get().by == moderator
    assert client_of(seat.user).get(at("group", room, firm)).status_code == 200

    desk.post(act, {"watches": "no"})
    assert not RoomWatch.objects.exists()
    desk.post(act, {})
    assert desk.get(act).status_code == 302
    assert not RoomWatch.objects.exists()


def test_seats_of_a_firm_that_was_to_pay_before_are_no_seats_of_the_sponsor(firm, moderator):
    """Both have a seat of the same number: one that was let in, and one that was not."""
    room = make_room(moderator, seats=12, watching="words")
    make_section(room)
    rooms.agree(room=room, firm=firm, key=uuid4())
    before = make_seat(firm, name="Dana Reyes")
    back_room.let_watch(room=room, seat=before, by=moderator)
    rooms.withdraw(room=room)
    other = make_firm("Northgate", balance=10_000_000)
    make_contract(other)
    rooms.agree(room=room, firm=other, key=uuid4())
    now = make_seat(other, name="Kim Park")
    desk = confirmed(moderator)

    page = desk.get(reverse("admin:focusgroups_room_back_room", args=[room.pk])).text

    assert "Kim Park" in page
    assert "Dana Reyes" not in page
    assert "End it" not in page
    assert now.number == before.number


def test_only_of_the_sponsor_under_contract(room, firm, moderator):
    stranger = make_seat()
    with pytest.raises(back_room.NotOfSponsor):
        back_room.let_watch(room=room, seat=stranger, by=moderator)
    seat = make_seat(firm)
    firm.contracts.update(ended_at=timezone.now())
    with pytest.raises(back_room.NoSeat):
        back_room.let_watch(room=room, seat=seat, by=moderator)
    assert not RoomWatch.objects.exists()


def test_only_by_who_runs_the_room(room, seat):
    with pytest.raises(NotYours):
        back_room.let_watch(room=room, seat=seat, by=make_moderator())


@pytest.mark.parametrize("name", ["back_room", "back_room_seat"])
def test_the_back_room_of_others_is_not_found(name, room, seat):
    args = [room.pk, seat.number] if name == "back_room_seat" else [room.pk]
    other = confirmed(make_moderator())

    assert other.get(reverse(f"admin:focusgroups_room_{name}", args=args)).status_code == 404
    assert (
        other.post(reverse(f"admin:focusgroups_room_{name}", args=args), {"watches": "yes"}).status_code
        == 404
    )


def test_a_seat_of_another_firm_cannot_be_named(room, moderator, seat):
    make_seat(make_firm())

    address = reverse("admin:focusgroups_room_back_room_seat", args=[room.pk, seat.number + 5])
    assert confirmed(moderator).post(address, {"watches": "yes"}).status_code == 404


# Whom to ask


def test_who_shut_the_firm_out_is_not_asked_into_what_it_may_watch(room, firm, moderator):
    shy, open_one = make_voter(), make_voter()
    blocking.block_firm(member=shy, firm=firm)

    assert set(recruiting.askable(room)) & {shy, open_one} == {open_one}
    Room.objects.update(watching="nobody")
    assert set(recruiting.askable(Room.objects.get())) & {shy, open_one} == {shy, open_one}


# Around


def test_the_menu_leads_there_once_somebody_may_watch(firm, room, moderator):
    seat = make_seat(firm)
    client, address = client_of(seat.user), reverse("observers:groups")
    assert f'href="{address}"' not in client.get(reverse("observers:balance")).text

    back_room.let_watch(room=room, seat=seat, by=moderator)

    assert f'href="{address}"' in client.get(reverse("observers:balance")).text


def test_a_firm_reads_what_it_reserved_for_groups(watcher, room):
    text = watcher.get(reverse("observers:balance")).text

    assert "Reserved for focus groups" in text
    assert "Reserved for a focus group" in text


def test_pages_ask_as_little_for_many_as_for_few(watcher, room, firm, django_assert_max_num_queries):
    section = room.sections.get()
    prompts = [make_prompt(section, "single") for _ in range(6)] + [make_prompt(section)]
    for _ in range(12):
        participant = make_participant(room)
        for prompt in prompts:
            answer = make_answer(participant, prompt)
        make_message(room, participant=participant, answer=answer)
    watcher.get(at("group", room, firm))

    for address in (
        at("group", room, firm),
        at("group_prompt", room, firm, 1, 7),
        at("group_talk", room, firm),
    ):
        with django_assert_max_num_queries(16):
            assert watcher.get(address).status_code == 200


def test_what_a_person_at_a_seat_did_is_exported(watcher, room, firm, seat):
    note(watcher, room, firm)
    watcher.get(at("group", room, firm))
    person = Person.of(seat.user)

    found = {
        entry.model: [entry.row(row) for row in entry.rows(person)]
        for entry in personal.ENTRIES
        if entry.model in ("observers.RoomWatch", "observers.BackRoomNote", "observers.RoomRead")
    }
    assert [len(rows) for rows in found.values()] == [1, 1, 1]
    assert found["observers.BackRoomNote"][0]["text"] == "Ask about the price."
    assert Prompt.objects.count() == 0
