"""Who pays for a focus group, on its page of the desk; and what the finance desk sees of it."""

import pytest
from django.apps import apps
from django.urls import reverse
from django.utils import timezone

from conftest import client_of
from focusgroups.desk.permissions import allow_moderators
from focusgroups.models import Room, Sponsor
from focusgroups.tests.factories import make_moderator, make_participant, make_room, make_section
from focusgroups.tests.test_desk_setup import confirmed
from rewards.desk import room_pages
from rewards.models import Award, RoomSponsorship
from rewards.services import ledger, rooms
from rewards.tests.factories import balance, make_firm
from rewards.tests.test_desk import make_finance, text_of
from rewards.tests.test_rooms import agree, complete, money
from verification.models import Event

pytestmark = pytest.mark.django_db
NAMES = ["sponsor", "sponsor_choose", "sponsor_reserve", "sponsor_withdraw"]


@pytest.fixture
def moderator(db):
    allow_moderators(apps.get_app_config("focusgroups"), using="default")
    return make_moderator()


@pytest.fixture
def desk(moderator):
    return confirmed(moderator)


@pytest.fixture
def firm(db):
    return make_firm("Halden Therapeutics", balance=100_000)


@pytest.fixture
def room(moderator):
    """A draft of four seats, $50.00 each."""
    room = make_room(moderator, seats=4)
    make_section(room, honorarium=5_000)
    return room


def at(name, room):
    return reverse(f"admin:focusgroups_room_{name}", args=[room.pk])


def publish(room):
    Room.objects.filter(pk=room.pk).update(published_at=timezone.now())


def choose(desk, room, to, **said):
    form = room_pages.SponsorForm()["submission"].value()
    said = {"firm": to.pk, "is_blinded": "no", "submission": form, **said}
    return desk.post(at("sponsor_choose", room), said)


def test_whoever_runs_a_group_chooses_who_pays(desk, room, firm, moderator):
    shown = desk.get(at("sponsor", room)).text
    assert "Up to $200.00 are promised" in shown
    assert at("sponsor_choose", room) in shown
    assert "Reserve $200.00" in desk.get(at("sponsor_choose", room)).text

    done = choose(desk, room, firm, is_blinded="yes")

    assert done["Location"] == at("sponsor", room)
    assert money(firm) == (80_000, 20_000)
    assert Sponsor.objects.get(room=room).is_blinded
    text = text_of(desk.get(at("sponsor", room)))
    assert "Halden Therapeutics" in text
    assert "Pharmaceutical company, named when the group ends" in text
    assert Event.objects.filter(kind="room_sponsor_agreed", object=f"room:{room.pk}").exists()


def test_one_form_sent_twice_chooses_once(desk, room, firm):
    key = "7d2a2c6e-0d4c-4a33-9f0e-0d0c5b8a1f11"
    choose(desk, room, firm, submission=key)
    twice = choose(desk, room, firm, submission=key)

    assert twice.status_code in (302, 404)
    assert money(firm) == (80_000, 20_000)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"firm": ""}, "Choose a firm that is active here."),
        ({"firm": "0"}, "Choose a firm that is active here."),
        ({"is_blinded": "perhaps"}, "Choose one of the two."),
    ],
)
def test_what_cannot_be_taken_is_said_beside_it_and_nothing_is_lost(desk, room, firm, said, words):
    answer = choose(desk, room, firm, **said)

    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not RoomSponsorship.objects.exists()


def test_a_firm_without_the_money_is_refused_beside_its_name(desk, room):
    poor = make_firm(balance=19_999)

    answer = choose(desk, room, poor, is_blinded="yes")

    assert answer.status_code == 422
    assert ledger.NotEnough.message in answer.context["form"].errors["firm"]
    assert f'value="{poor.pk}" selected' in answer.text
    assert balance(ledger.firm_balance(poor)) == 19_999


def test_a_firm_that_is_gone_is_not_offered(desk, room):
    gone = make_firm("Gone Labs", is_active=False)

    assert "Gone Labs" not in desk.get(at("sponsor_choose", room)).text
    assert choose(desk, room, gone).status_code == 422


def test_nothing_is_offered_where_nothing_is_promised(desk, moderator):
    room = make_room(moderator)

    shown = desk.get(at("sponsor", room)).text
    assert "Nothing is promised" in shown
    assert at("sponsor_choose", room) not in shown


def test_what_is_missing_is_reserved_and_what_is_too_much_given_back(desk, room, firm):
    agree(room, firm)
    section = make_section(room, honorarium=1_000)
    assert "$40.00 are missing" in text_of(desk.get(at("sponsor", room)))

    assert "$40.00 more are reserved" in text_of(desk.get(at("sponsor_reserve", room)))
    desk.post(at("sponsor_reserve", room))
    assert money(firm)[1] == 24_000

    section.delete()
    assert "Give back what is too much" in text_of(desk.get(at("sponsor", room)))
    desk.post(at("sponsor_reserve", room))
    assert money(firm) == (80_000, 20_000)


def test_what_the_firm_has_not_is_refused_with_422(desk, room, firm):
    agree(room, firm)
    make_section(room, honorarium=30_000)

    answer = desk.post(at("sponsor_reserve", room))

    assert answer.status_code == 422
    assert ledger.NotEnough.message in text_of(answer)
    assert money(firm)[1] == 20_000


def test_a_draft_may_lose_its_sponsor_again(desk, room, firm):
    agree(room, firm)
    assert "$200.00 go back" in text_of(desk.get(at("sponsor_withdraw", room)))

    desk.post(at("sponsor_withdraw", room))

    assert money(firm) == (100_000, 0)
    assert not Sponsor.objects.exists()


def test_once_published_nobody_chooses_or_withdraws(desk, room, firm):
    agree(room, firm)
    publish(room)

    shown = desk.get(at("sponsor", room)).text
    for name in ("sponsor_choose", "sponsor_withdraw"):
        assert at(name, room) not in shown
        assert desk.get(at(name, room)).status_code == 404
        assert desk.post(at(name, room)).status_code == 404
    assert money(firm)[1] == 20_000


def test_the_page_tells_how_the_money_stands_and_nobody_who_got_it(desk, room, firm):
    agree(room, firm)
    publish(room)
    participant = make_participant(room)
    complete(participant, room.sections.get())

    text = text_of(desk.get(at("sponsor", room)))

    assert "Credited</dt><dd>$50.00" in text
    assert "Left</dt><dd>$150.00" in text
    assert participant.alias not in text
    assert participant.member.handle not in text


def test_a_sponsor_is_a_step_of_setting_up(desk, room, firm):
    overview = desk.get(at("change", room)).text
    assert at("sponsor", room) in overview
    assert "Choose the sponsor who pays." in overview

    agree(room, firm)

    assert "Halden Therapeutics, $200.00 reserved" in desk.get(at("change", room)).text


@pytest.mark.parametrize("name", NAMES)
def test_rooms_of_others_are_not_found(name, room, firm):
    agree(room, firm)
    other = confirmed(make_moderator())

    assert other.get(at(name, room)).status_code == 404
    assert other.post(at(name, room)).status_code == 404
    assert money(firm)[1] == 20_000


@pytest.mark.parametrize("name", NAMES[1:])
def test_money_moves_only_for_who_has_just_shown_who_they_are(name, room, firm, moderator):
    if name != "sponsor_choose":
        agree(room, firm)

    answer = client_of(moderator).post(at(name, room), {"firm": firm.pk, "is_blinded": "no"})

    assert answer.status_code == 302
    assert "/accounts/" in answer["Location"] or "reauthenticate" in answer["Location"]
    assert money(firm)[1] == (0 if name == "sponsor_choose" else 20_000)


# The finance desk


def test_the_finance_desk_reads_sums_and_neither_title_nor_participants(room, firm):
    agree(room, firm)
    publish(room)
    participant = make_participant(room)
    complete(participant, room.sections.get())
    finance = confirmed(make_finance())

    for address in (
        reverse("admin:rewards_roomsponsorship_changelist"),
        reverse("admin:rewards_roomsponsorship_change", args=[room.pk]),
    ):
        text = text_of(finance.get(address))
        assert "$200.00" in text
        assert "$50.00" in text
        assert "$150.00" in text
        for secret in (room.title, participant.alias, participant.member.handle):
            assert secret not in text


def test_moderators_do_not_see_the_finance_desk(desk, room, firm):
    agree(room, firm)

    assert desk.get(reverse("admin:rewards_roomsponsorship_changelist")).status_code == 403


def test_the_page_asks_little(desk, room, firm, django_assert_max_num_queries):
    agree(room, firm)
    publish(room)
    for _ in range(4):
        complete(make_participant(room), room.sections.get())
    assert Award.objects.count() == 4
    desk.get(at("sponsor", room))

    with django_assert_max_num_queries(22):
        assert desk.get(at("sponsor", room)).status_code == 200
    assert rooms.standing_of(rooms.sponsorship_of(room)).left == 0
