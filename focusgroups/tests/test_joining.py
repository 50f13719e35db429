"""The pages on the way into a room and out of it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import NoticeSettings
from accounts.tests.factories import make_member, make_user
from conftest import client_of
from focusgroups.models import Candidate, Participant, Room
from focusgroups.services import recruiting, seating
from focusgroups.tests.factories import (
    make_agreement,
    make_answer,
    make_candidate,
    make_cell,
    make_completion,
    make_live_hour,
    make_moderator,
    make_participant,
    make_recruiting_room,
    make_room,
    make_running_room,
    make_screener,
    make_section,
)

pytestmark = pytest.mark.django_db
PAGES = ("room", "screener", "agreement", "decline", "leave", "withdraw")


def page(name, room):
    return reverse(f"focusgroups:{name}", args=[room.pk])


def words(response):
    return " ".join(response.content.decode().split())


@pytest.fixture
def room():
    return make_recruiting_room(title="Heparin in clinics")


@pytest.fixture
def asked(room):
    return make_candidate(room)


@pytest.fixture
def client(asked):
    return client_of(asked.member)


class TestInvitation:
    def test_it_says_all_that_one_says_yes_to(self, room, client):
        said = words(client.get(page("room", room)))

        assert room.title in said
        assert room.about in said
        assert "$100.00" in said
        assert "2 sections, $50.00 each" in said
        assert "Aldgate Labs (pharmaceutical company)." in said
        assert "see how many answered what" in said
        assert "15 <small>min a day" in said
        assert "12 free now" in said
        assert f"{room.pay_on:%b} {room.pay_on.day}" in said
        assert "“All”" in said
        assert "agreement (version 1)" in said

    def test_a_blinded_sponsor_is_a_kind_of_firm(self, client, room):
        room.sponsor.is_blinded = True
        room.sponsor.save()

        said = words(client.get(page("room", room)))

        assert "Pharmaceutical company, named when the group ends" in said
        assert "Aldgate" not in said

    @pytest.mark.parametrize(
        ("watching", "expected"),
        [
            ("nobody", "Nobody but participants and moderators reads along."),
            ("figures", "They read no word of it"),
            ("words", "read answers, replies and live hours while the group runs"),
        ],
    )
    def test_who_reads_along_is_said(self, room, client, watching, expected):
        Room.objects.filter(pk=room.pk).update(watching=watching)

        assert expected in words(client.get(page("room", room)))

    @pytest.mark.parametrize("watching", ["figures", "words"])
    def test_where_no_firm_pays_nobody_of_one_reads_along(self, room, client, watching):
        Room.objects.filter(pk=room.pk).update(watching=watching)
        room.sponsor.delete()

        said = words(client.get(page("room", room)))

        assert "No firm pays for it." in said
        assert "Nobody but participants and moderators reads along." in said
        assert "the firm that pays" not in said

    def test_moments_stand_on_ones_own_clock_and_the_rooms(self, room, asked, client):
        NoticeSettings.objects.create(member=asked.member, time_zone="America/Los_Angeles")
        room.starts_at = room.starts_at.replace(month=12, day=10, hour=17, minute=0)
        room.ends_at = room.starts_at + timedelta(days=5)
        room.save()

        said = words(client.get(page("room", room)))

        assert "9:00 am PST" in said
        assert "12:00 pm EST" in said
        assert "The group keeps Eastern time; yours stands first." in said

    def test_a_clock_that_is_ones_own_is_not_named(self, room, client):
        assert "The group keeps" not in words(client.get(page("room", room)))

    def test_an_alias_is_said_to_be_of_the_group_alone(self, room, client):
        said = words(client.get(page("room", room)))

        assert "an alias of two words that is drawn for this group alone" in said
        assert "nowhere else" not in said

    def test_fees_of_sections_are_said_one_by_one(self, room, client):
        make_section(room, title="The long one", honorarium=12_500, opens_at=room.starts_at)

        said = words(client.get(page("room", room)))

        assert "for 3 sections" in said
        assert "$125.00" in said
        assert "$225.00" in said

    def test_live_hours_are_said(self, room, client):
        make_live_hour(room, title="An hour together", starts_at=room.starts_at)

        assert "An hour together, <time" in words(client.get(page("room", room)))

    def test_free_seats_of_other_cells_are_not_promised(self, room, client):
        room.cells.update(seats=1)
        make_participant(room)

        said = words(client.get(page("room", room)))

        assert "None free for you now" in said
        assert "you are on the waiting list, and the next" in said

    def test_a_vacated_seat_says_what_it_does_not_pay(self):
        room = make_running_room(cells=False, sections=3)
        make_cell(room, "All", seats=1)
        leaver = make_participant(room)
        make_completion(leaver, room.sections.first())
        seating.leave(participant=leaver)
        client = client_of(make_candidate(room).member)

        for name in ("room", "agreement"):
            assert "You would take over a seat: 1 section" in words(client.get(page(name, room)))

    def test_without_a_cell_for_them_no_way_leads_on(self, client, room):
        room.cells.update(specialties=["nobody's"])

        said = words(client.get(page("room", room)))

        assert "other specialties" in said
        assert page("agreement", room) not in said

    def test_it_is_kept_by_no_browser(self, client, room):
        assert client.get(page("room", room))["Cache-Control"] == "private, no-store"

    def test_it_takes_few_queries(self, client, room, django_assert_max_num_queries):
        make_screener(room)
        for _ in range(10):
            make_participant(room)
        client.get(page("room", room))

        with django_assert_max_num_queries(20):
            client.get(page("room", room))


class TestScreener:
    def test_one_question_after_the_other_and_then_the_agreement(self, room, client):
        first, second = make_screener(room, ["Yes", "-No"], ["Few", "Many"])

        shown = client.get(page("screener", room))
        after = client.post(page("screener", room), _choice(first, 0), follow=True)
        done = client.post(page("screener", room), _choice(second, 1), follow=True)

        assert "Question 1 of 2" in words(shown)
        assert "Question 2 of 2" in words(after)
        assert done.redirect_chain[-1][0] == page("agreement", room)

    def test_screen_out_is_told_at_once_with_the_thanks(self, room, client):
        Room.objects.filter(pk=room.pk).update(thanks=1_500)
        questions = make_screener(room, *[["Yes"]] * 3, ["-No"])
        for question in questions:
            response = client.post(page("screener", room), _choice(question, 0), follow=True)

        assert "This group is not for you" in words(response)
        assert "You get $15.00 as thanks" in words(response)
        assert room.title not in words(response)
        assert client.get(page("room", room)).status_code == 404
        assert client.get(page("agreement", room)).status_code == 404

    def test_who_was_asked_three_questions_or_less_reads_that_there_are_none(self, room, client):
        Room.objects.filter(pk=room.pk).update(thanks=1_500)
        (question,) = make_screener(room, ["-No"])

        response = client.post(page("screener", room), _choice(question, 0), follow=True)

        assert "$15.00" not in words(response)
        assert "from the 4th question on" in words(response)

    def test_once_the_thanks_are_used_up_that_is_said(self, room, client, monkeypatch):
        Room.objects.filter(pk=room.pk).update(thanks=1_500)
        questions = make_screener(room, *[["Yes"]] * 3, ["-No"])
        assert "36 left" in words(client.get(page("screener", room)))
        assert "36 thanks left" in words(client.get(page("room", room)))
        monkeypatch.setattr("focusgroups.services.screening.THANKED", 0)

        assert "as thanks" not in words(client.get(page("screener", room)))
        for question in questions:
            response = client.post(page("screener", room), _choice(question, 0), follow=True)

        assert "$15.00" not in words(response)
        assert "are used up" in words(response)

    def test_a_room_without_thanks_speaks_of_none(self, room, client):
        (question,) = make_screener(room, ["-No"])

        response = client.post(page("screener", room), _choice(question, 0), follow=True)

        assert "Thanks are paid" not in words(response)

    def test_nothing_chosen_is_said_beside_the_question(self, room, client):
        (question,) = make_screener(room)

        response = client.post(page("screener", room), {"question": question.pk})

        assert response.status_code == 422
        assert "Choose one answer." in words(response)

    def test_an_option_of_another_question_is_none(self, room, client):
        first, second = make_screener(room, ["Yes"], ["Few"])

        response = client.post(
            page("screener", room), {"question": first.pk, "option": second.options.get().pk}
        )

        assert response.status_code == 422

    def test_a_second_tap_goes_on_and_another_answer_is_refused(self, room, client):
        first, _ = make_screener(room, ["Yes", "No"], ["Few"])
        client.post(page("screener", room), _choice(first, 0))

        again = client.post(page("screener", room), _choice(first, 0))
        other = client.post(page("screener", room), _choice(first, 1))

        assert again.status_code == 302
        assert other.status_code == 422
        assert "What you said then stands." in words(other)

    @pytest.mark.parametrize("sent", ["", "x", "99999999", "²"])
    def test_a_question_that_does_not_exist_leads_back(self, room, client, sent):
        make_screener(room)

        assert client.post(page("screener", room), {"question": sent}).status_code == 302

    def test_the_agreement_waits_for_it(self, room, client):
        make_screener(room)

        assert client.get(page("agreement", room))["Location"] == page("screener", room)


class TestAgreement:
    def test_accepting_it_leads_into_the_room(self, room, asked, client):
        agreement = room.agreements.get()
        assert agreement.text in words(client.get(page("agreement", room)))

        response = client.post(page("agreement", room), {"accepts": "on", "read": agreement.pk})

        seat = Participant.objects.get(member=asked.member)
        assert response["Location"] == page("room", room)
        assert f"In this group you are {seat.alias}." in words(client.get(reverse("focusgroups:list")))

    def test_who_may_have_no_seat_is_told_no_cause(self, room, asked, client, monkeypatch):
        monkeypatch.setattr(recruiting, "shut_out", lambda room, members: {asked.member_id})

        response = client.post(
            page("agreement", room), {"accepts": "on", "read": room.agreements.get().pk}, follow=True
        )

        asked.refresh_from_db()
        assert "There is no seat for you in this group." in words(response)
        assert asked.state == "lapsed"
        assert client.get(page("agreement", room)).status_code == 404

    def test_without_a_tick_nobody_joins(self, room, client):
        response = client.post(page("agreement", room), {"read": room.agreements.get().pk})

        assert response.status_code == 422
        assert "Nobody joins without." in words(response)
        assert not Participant.objects.exists()

    @pytest.mark.parametrize("read", ["old", "", "x", "99999999"])
    def test_one_that_changed_meanwhile_is_to_be_read_first(self, room, client, read):
        sent = room.agreements.get().pk if read == "old" else read
        make_agreement(room, "A wholly new text.")

        response = client.post(page("agreement", room), {"accepts": "on", "read": sent})

        assert response.status_code == 422
        assert "A wholly new text." in words(response)
        assert "changed a moment ago" in words(response)
        assert "checked" not in words(response)
        assert not Participant.objects.exists()

    def test_where_all_seats_are_taken_it_leads_onto_the_waiting_list(self, room, client):
        room.cells.update(seats=1)
        make_participant(room)
        assert "join the waiting list" in words(client.get(page("agreement", room)))

        client.post(page("agreement", room), {"accepts": "on", "read": room.agreements.get().pk})

        assert "You are next." in words(client.get(page("room", room)))

    def test_a_seat_accepts_a_new_version_and_reads_it_again(self, room):
        seat = make_participant(room)
        client = client_of(seat.member)
        assert "You accepted it." in words(client.get(page("agreement", room)))
        newer = make_agreement(room, "A wholly new text.")

        assert "The agreement was changed." in words(client.get(page("agreement", room)))
        client.post(page("agreement", room), {"accepts": "on", "read": newer.pk})

        assert seating.needs_agreement(seat) is None


class TestDeclining:
    def test_it_ends_the_invitation(self, room, asked, client):
        response = client.post(page("decline", room), follow=True)

        asked.refresh_from_db()
        assert asked.state == Candidate.State.DECLINED
        assert "You are not asked into this group again." in words(response)
        assert client.get(page("room", room)).status_code == 404

    def test_a_look_declines_nothing(self, room, asked, client):
        assert client.get(page("decline", room))["Location"] == page("room", room)

        asked.refresh_from_db()
        assert asked.state == Candidate.State.INVITED


class TestLeaving:
    @pytest.fixture
    def seat(self):
        return make_participant(make_running_room(title="Heparin in clinics"))

    @pytest.fixture
    def client(self, seat):
        return client_of(seat.member)

    def test_what_stays_is_said_first(self, seat, client):
        make_completion(seat, seat.room.sections.first())
        make_answer(seat, seat.room.sections.first().prompts.first())

        said = words(client.get(page("leave", seat.room)))

        assert "$50.00 you earned stay yours" in said
        assert "What you said (1 answer or message) stays under your alias" in said

    @pytest.mark.parametrize("takes_back", [True, False])
    def test_it_ends_the_seat_on_the_next_request(self, seat, client, takes_back):
        answer = make_answer(seat, seat.room.sections.first().prompts.first())
        assert client.get(page("room", seat.room)).status_code == 200

        client.post(page("leave", seat.room), {"takes_back": "on"} if takes_back else {})

        answer.refresh_from_db()
        assert (answer.source == "") == takes_back
        assert client.get(page("room", seat.room)).status_code == 404
        assert client.get(page("leave", seat.room)).status_code == 404

    def test_who_left_takes_back_what_they_said_until_it_closes(self, seat, client):
        answer = make_answer(seat, seat.room.sections.first().prompts.first())
        seating.leave(participant=seat)
        assert page("withdraw", seat.room) in words(client.get(reverse("focusgroups:list")))

        client.post(page("withdraw", seat.room))

        answer.refresh_from_db()
        assert answer.source == ""
        Room.objects.filter(pk=seat.room_id).update(closed_at=timezone.now())
        assert client.get(page("withdraw", seat.room)).status_code == 404

    def test_a_seat_takes_back_everything_and_stays(self, seat, client):
        make_answer(seat, seat.room.sections.first().prompts.first())

        response = client.post(page("withdraw", seat.room))

        assert response["Location"] == page("room", seat.room)
        assert client.get(page("room", seat.room)).status_code == 200

    def test_a_removed_one_finds_nothing_but_why(self, seat, client):
        moderator = seat.room.moderators.get().user
        seating.remove(participant=seat, by=moderator, reason="Named a patient twice.")

        for name in set(PAGES) - {"withdraw"}:
            assert client.get(page(name, seat.room)).status_code == 404
            assert client.post(page(name, seat.room)).status_code == 404
        said = words(client.get(reverse("focusgroups:list")))
        assert "Named a patient twice." in said
        assert seat.room.title not in said

    def test_a_removed_one_takes_all_back_without_reading_the_room(self, seat, client):
        answer = make_answer(seat, seat.room.sections.first().prompts.first())
        moderator = seat.room.moderators.get().user
        Room.objects.filter(pk=seat.room_id).update(starts_at=timezone.now() - timedelta(days=50))
        seating.remove(participant=seat, by=moderator, reason="Named a patient twice.")
        Participant.objects.update(left_at=timezone.now() - timedelta(days=40))
        assert page("withdraw", seat.room) in words(client.get(reverse("focusgroups:list")))

        said = words(client.get(page("withdraw", seat.room)))
        response = client.post(page("withdraw", seat.room))

        answer.refresh_from_db()
        assert answer.source == ""
        assert seat.room.title not in said
        assert response["Location"] == reverse("focusgroups:list")

    def test_the_menu_leads_to_the_list_while_words_can_be_taken_back(self, seat, client):
        seating.leave(participant=seat)
        assert reverse("focusgroups:list") in client.get("/").text

        Room.objects.filter(pk=seat.room_id).update(closed_at=timezone.now())

        assert reverse("focusgroups:list") not in client.get("/").text


class TestDoors:
    @pytest.mark.parametrize("name", PAGES)
    def test_nothing_is_there_for_anybody_else(self, room, asked, name, client):
        draft = make_room()
        make_candidate(draft, asked.member)
        for other in (
            make_member(),
            make_member(standing="applicant", specialty=None),
            make_candidate(make_recruiting_room()).member,
            make_participant(make_recruiting_room()).member,
            make_candidate(room, state="declined").member,
            make_candidate(room, state="lapsed").member,
            make_moderator(),
        ):
            stranger = client_of(other)
            for answer in (stranger.get(page(name, room)), stranger.post(page(name, room))):
                assert answer.status_code == 404
                assert room.title not in answer.content.decode()
        assert client.get(page(name, draft)).status_code == 404

    @pytest.mark.parametrize("name", PAGES)
    def test_nothing_is_there_for_a_visitor(self, room, name):
        assert Client().get(page(name, room)).status_code == 404
        assert Client().post(page(name, room)).status_code == 404

    @pytest.mark.parametrize("name", PAGES)
    @pytest.mark.parametrize("is_written_down", [True, False])
    def test_nothing_is_there_once_it_is_over(self, room, client, name, is_written_down):
        now = timezone.now()
        Room.objects.filter(pk=room.pk).update(
            starts_at=now - timedelta(days=9), ends_at=now, closed_at=now if is_written_down else None
        )

        assert client.get(page(name, room)).status_code == 404

    def test_a_number_beyond_all_numbers_is_not_found(self, client):
        for name in PAGES:
            assert client.get(reverse(f"focusgroups:{name}", args=[2**70])).status_code == 404


class TestList:
    def test_days_are_those_of_the_room(self):
        starts_at = datetime(2031, 3, 5, 20, tzinfo=UTC)
        room = make_recruiting_room(
            time_zone="Pacific/Auckland", starts_at=starts_at, ends_at=starts_at + timedelta(days=5)
        )
        client = client_of(make_candidate(room).member)

        assert "Mar 6, 2031" in words(client.get(reverse("focusgroups:list")))

    def test_every_room_stands_where_it_belongs(self):
        member = make_member()
        make_candidate(make_recruiting_room(title="Asked one"), member)
        make_candidate(make_recruiting_room(title="Waiting one"), member, state="waiting")
        running = make_participant(make_running_room(title="Running one"), member=member)
        make_completion(running, running.room.sections.first())
        ended = make_participant(make_running_room(title="Ended one"), member=member)
        make_completion(ended, ended.room.sections.first(), is_final=True)
        Room.objects.filter(pk=ended.room_id).update(closed_at=timezone.now())
        left = make_participant(make_running_room(title="Left one"), member=member)
        seating.leave(participant=left)
        now = timezone.now()
        canceled = make_recruiting_room(
            title="Canceled one", closed_at=now, canceled_at=now, canceled_why="The firm gave up."
        )
        make_candidate(canceled, member, state="lapsed", decided_at=now)
        make_candidate(make_recruiting_room(title="Declined one"), member, state="declined")

        said = words(client_of(member).get(reverse("focusgroups:list")))

        order = ["You are asked", "Asked one", "Your groups", "Running one", "You wait", "Waiting one"]
        order += ["You have left", "Left one", "Canceled", "The firm gave up.", "Over", "Ended one"]
        places = [said.index(words_) for words_ in order]
        assert places == sorted(places)
        assert "Declined one" not in said
        assert "$50.00 of what you completed is not final yet" in said

    def test_without_any_it_says_how_one_is_asked(self, physician_client):
        assert "No focus group yet" in words(physician_client.get(reverse("focusgroups:list")))

    def test_it_is_for_physicians(self, applicant_client):
        assert applicant_client.get(reverse("focusgroups:list")).status_code == 302
        assert client_of(make_user()).get(reverse("focusgroups:list")).status_code == 403

    @pytest.mark.parametrize("number", [1, 6])
    def test_it_costs_the_same_at_any_length(self, number, django_assert_max_num_queries):
        member = make_member()
        for _ in range(number):
            make_candidate(make_recruiting_room(), member)
            make_participant(make_running_room(), member=member)
        client = client_of(member)
        client.get(reverse("focusgroups:list"))

        with django_assert_max_num_queries(12):
            client.get(reverse("focusgroups:list"))


def _choice(question, place):
    return {"question": question.pk, "option": question.options.get(place=place).pk}
