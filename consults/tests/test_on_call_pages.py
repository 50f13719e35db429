"""The pages of on call: who gets in, what they show of whom, what their forms do and keep, and what they cost."""

import uuid
from datetime import datetime, time, timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Block, NoticeChoice, NoticeSettings
from accounts.tests.factories import make_member, make_specialty, make_user
from conftest import client_of
from consults.models import Call, Duty, OnCallWishes, Paging, Shift
from consults.on_call_board import Crowd
from consults.services import calls, paging, shifts
from consults.tests.factories import make_case
from consults.tests.on_call import DERM, make_paging, on_duty
from questions.models import Byline, Question, QuestionSpecialty
from sermo.tests.test_accessibility import faults_by_look

pytestmark = pytest.mark.django_db

BOARD, SHIFTS = reverse("on_call:board"), reverse("on_call:shifts")
POSTS = [
    reverse("on_call:available"),
    reverse("on_call:end"),
    *(reverse(f"on_call:{name}", args=[1]) for name in ("accept", "decline", "stop", "end_shift")),
    *(reverse(f"on_call:{name}") for name in ("add_once", "add_weekly", "wishes")),
]


def text_of(client, address=BOARD) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def show_handle(member):
    OnCallWishes.objects.update_or_create(member=member, defaults={"shows_handle": True})
    return member


def derm_case(asker=None, **fields):
    return make_case(asker or make_member(specialty=DERM), images=0, **fields)


def page_to(member, case=None, *, state="sent", step=0, started_ago=2, **fields):
    """A page to a member, started some minutes ago."""
    started_at = timezone.now() - timedelta(minutes=started_ago)
    fields = {"step": step, "next_at": started_at + timedelta(minutes=5), **fields}
    made = make_paging(case or derm_case(), started_at=started_at, **fields)
    decided_at = None if state in Call.OPEN else timezone.now()
    return Call.objects.create(
        paging=made, member=member, step=step, state=state, sent_at=started_at, decided_at=decided_at
    )


@pytest.fixture
def third_client(third):
    return client_of(third)


# Doors


@pytest.mark.parametrize("address", [BOARD, SHIFTS, reverse("on_call:inbox"), *POSTS])
def test_nobody_but_physicians_comes_in(client, applicant_client, address):
    outside = client_of(make_user())  # as observers are: a log-in without a membership
    for send in ("get", "post"):
        if send == "post" and address in (BOARD, SHIFTS, reverse("on_call:inbox")):
            continue
        assert "/accounts/login/" in getattr(client, send)(address)["Location"]
        assert getattr(applicant_client, send)(address)["Location"] == reverse("verification:start")
        assert getattr(outside, send)(address).status_code == 403


@pytest.mark.parametrize("address", POSTS)
def test_a_get_of_what_only_a_post_may_do_changes_nothing(third_client, address):
    assert third_client.get(address)["Location"] == BOARD
    assert not Shift.objects.exists()


def test_who_may_only_read_sees_the_board_and_cannot_be_on_call():
    reader = make_member(standing="read_only", specialty=DERM)
    client = client_of(reader)

    assert "Your license needs a new check" in text_of(client)
    assert reverse("on_call:available") not in text_of(client)
    assert client.post(reverse("on_call:available")).status_code == 403


def test_moderators_without_a_membership_see_the_board_alone(staff, moderator):
    staff.groups.add(*moderator.user.groups.all())
    moderator.user.authenticator_set.update(user=staff)

    page = text_of(client_of(staff))

    assert "On call now" in page
    assert "Pages to you" not in page


def test_pages_pagings_and_shifts_of_others_do_not_exist(third_client, colleague):
    call = page_to(colleague)
    shift = on_duty(member=colleague).shifts.get()

    for name, pk in (
        *((name, call.pk) for name in ("accept", "decline", "hand_over")),
        ("stop", call.paging_id),
        ("end_shift", shift.pk),
    ):
        assert third_client.post(reverse(f"on_call:{name}", args=[pk])).status_code == 404
    assert Call.objects.get().state == "sent"


# One's own state


def test_available_now_lasts_four_hours_and_twice_is_once(third, third_client):
    for _ in range(2):
        assert third_client.post(reverse("on_call:available"))["Location"] == BOARD

    shift = Shift.objects.get()
    page = text_of(third_client)
    until = timezone.localtime(shift.ends_at)
    assert "You are available until <time datetime" in page
    assert f"{until.hour % 12 or 12}:{until:%M}" in page
    assert "3 h 59 min</span> left" in page
    assert 'aria-pressed="true"' in page

    for _ in range(2):
        assert third_client.post(reverse("on_call:end"))["Location"] == BOARD
    assert "You are not on call" in text_of(third_client)


def test_without_a_specialty_one_is_told_what_to_do_first():
    client = client_of(make_member(specialty=None))

    assert "You are on call for your specialty." in text_of(client)
    assert "Choose your specialty" in client.post(reverse("on_call:available"), follow=True).content.decode()


def test_times_are_those_of_one_s_own_clock(third, third_client):
    NoticeSettings.objects.create(member=third, time_zone="Pacific/Honolulu")
    on_duty(datetime.fromisoformat("2050-01-03T20:30:00+00:00"), member=third)
    Shift.objects.update(starts_at=datetime.fromisoformat("2050-01-03T20:00:00+00:00"))

    assert "times are Hawaii time" in text_of(third_client)
    assert "Mon, <time" in text_of(third_client)
    assert "10:00 am" in text_of(third_client)
    assert "10:00 am to 6:00 pm</small>" in text_of(third_client, SHIFTS)


def test_quiet_hours_and_pages_switched_off_are_said(third, third_client):
    now = timezone.now()
    wishes = NoticeSettings.objects.create(
        member=third,
        time_zone="UTC",
        quiet_from=(now - timedelta(hours=1)).time(),
        quiet_to=(now + timedelta(hours=1)).time(),
    )
    assert "Your quiet hours last until" in text_of(third_client)

    NoticeChoice.objects.create(member=third, kind="on_call", way="off")
    assert "You are not paged." in text_of(third_client)
    assert wishes.time_zone == "UTC"


# The board


def test_the_board_names_who_shows_a_handle_and_counts_the_others(third_client):
    shown = show_handle(on_duty())
    hidden = [on_duty() for _ in range(3)]

    page = text_of(third_client)

    assert shown.handle in page
    assert not any(member.handle in page for member in hidden)
    assert '<dd class="value">4 <small>on call' in page
    assert "3 more" in page


@pytest.mark.parametrize("number", [1, 2])
def test_so_few_that_they_could_be_known_are_not_counted(third_client, number):
    for _ in range(number):
        on_duty()

    page = text_of(third_client)

    assert "Fewer than 3 <small>on call" in page
    assert "Next 24 h: fewer than 3 colleagues" in page


def test_numbers_in_words():
    assert Crowd().words == "nobody"
    assert Crowd(("a",)).words == "1 colleague"
    assert Crowd(hidden=1).words == Crowd(hidden=2).words == "fewer than 3 colleagues"
    assert Crowd(hidden=3).words == "3 colleagues"
    assert Crowd(("a", "b"), 1).words == "3 or 4 colleagues"
    assert Crowd(("a", "b"), 1).figure == "2+"
    assert Crowd(("a", "b"), 3).figure == "5"
    assert Crowd(("a", "b"), 3).words == "5 colleagues"


def test_who_must_not_be_met_or_told_by_their_specialty_is_not_named(third, third_client):
    blocker, withheld, named = (show_handle(on_duty()) for _ in range(3))
    Block.objects.create(blocker=blocker, blocked=third, blocker_face="handle", blocked_face="handle")
    withheld.face = {"specialty": "Another group"}
    withheld.save()

    page = text_of(third_client)

    assert named.handle in page
    assert blocker.handle not in page
    assert withheld.handle not in page
    assert "1+ <small>" in page


def test_oneself_is_not_counted_among_the_others(third, third_client):
    on_duty(member=third)

    page = text_of(third_client)

    assert "No one else" in page
    assert "Next 24 h: only you" in page


def test_who_cannot_be_paged_now_is_not_on_call_now(third_client):
    now = timezone.now()
    asleep, off, left = on_duty(), on_duty(), on_duty()
    NoticeSettings.objects.create(
        member=asleep,
        time_zone="UTC",
        quiet_from=(now - timedelta(hours=1)).time(),
        quiet_to=(now + timedelta(hours=1)).time(),
    )
    NoticeChoice.objects.create(member=off, kind="on_call", way="off")
    left.standing = "suspended"
    left.save()

    page = text_of(third_client)

    assert "No one now" in page
    assert "Next 24 h: fewer than 3" in page


def test_the_longest_stretch_of_a_week_is_counted(third_client):
    """In the autumn night a weekly shift is an hour longer than a day."""
    on_duty(timezone.now() + timedelta(hours=24, minutes=20))
    Duty.objects.update(ends_at=F("starts_at") + timedelta(hours=25))

    assert "Next 24 h: fewer than 3" in text_of(third_client)


def test_a_shift_that_begins_within_a_day_stands_under_the_next_24_hours(third_client):
    show_handle(on_duty(timezone.now() + timedelta(hours=20)))
    show_handle(on_duty(timezone.now() + timedelta(hours=40), member=make_member(specialty="Neurology")))

    page = text_of(third_client)

    assert "Next 24 h: 1 colleague" in page
    assert "Neurology" not in page


# Pages received


def test_an_open_page_comes_first_with_its_case_and_the_time_left(third, third_client):
    past = page_to(third, state="declined")
    call = page_to(third, derm_case(title="A ring that grows slowly and does not itch", urgency="now"))

    page = text_of(third_client)

    assert page.index(str(call.paging.case.question.title)) < page.index("Earlier pages")
    assert page.index("Earlier pages") < page.rindex(past.paging.case.question.title)
    assert "Sent <time" in page
    assert "2 min ago" in page
    assert 'data-left="17' in page or 'data-left="18' in page
    assert "the next on call is paged, too" in page
    for name in ("accept", "decline", "hand_over"):
        assert reverse(f"on_call:{name}", args=[call.pk]) in page


def test_what_is_most_urgent_comes_first_then_what_waits_longest(third, third_client):
    titles = []
    for urgency, minutes in [("whenever", 9), ("now", 1), ("now", 3), ("today", 5)]:
        case = derm_case(title=f"A ring that grows slowly, page {minutes} of many")
        page_to(third, case, urgency=urgency, started_ago=minutes)
        titles.append(case.question.title)

    page = text_of(third_client)

    assert sorted(titles, key=page.index) == [titles[place] for place in (2, 1, 3, 0)]


def test_opening_the_board_marks_one_s_own_pages_seen(third, third_client, colleague):
    own, other = page_to(third), page_to(colleague)
    text_of(third_client)

    own.refresh_from_db()
    other.refresh_from_db()
    assert (own.state, other.state) == ("seen", "sent")
    assert own.seen_at


def test_a_page_of_a_case_one_may_not_read_any_more_is_gone(third, third_client):
    removed, withdrawn = page_to(third), page_to(third)
    Question.objects.filter(pk=removed.paging.case_id).update(status="removed")
    withdrawn.paging.case.withdrawn_at = timezone.now()
    withdrawn.paging.case.withdrawn = "author"
    withdrawn.paging.case.save()

    assert "Nobody waits for you." in text_of(third_client)
    assert third_client.post(reverse("on_call:accept", args=[removed.pk])).status_code == 404


def test_accepting_leads_to_the_case_and_twice_is_once(third, third_client):
    call = page_to(third)
    address = reverse("on_call:accept", args=[call.pk])

    for _ in range(2):
        assert third_client.post(address)["Location"] == call.paging.case.get_absolute_url()

    call.refresh_from_db()
    assert call.state == "accepted"
    page = text_of(third_client, call.paging.case.get_absolute_url())
    assert "You accepted this page. Your answer is awaited. <a href=" in page
    assert "Your answer is awaited." in text_of(third_client)


def test_what_lasts_for_days_is_said_in_days_and_does_not_tick(third, third_client):
    left = timedelta(days=2, hours=23, minutes=1)
    own = page_to(third, step=30, next_at=timezone.now() + left)
    page_to(make_member(specialty=DERM), derm_case(third), step=30, next_at=timezone.now() + left)

    page = text_of(third_client)

    assert 'In <b class="num">2 days 23 h</b> the search ends.' in page
    end = timezone.localtime(own.paging.next_at)
    assert f"On {end:%a}, <time datetime" in page
    assert (
        f">{end:%b} {end.day}, {end.hour % 12 or 12}:{end:%M} {'am' if end.hour < 12 else 'pm'}</time>"
        in page
    )
    assert "</time>, the search ends." in page


def test_a_page_that_a_colleague_took_is_refused_in_words(third, third_client):
    call = page_to(third)
    Paging.objects.update(state="accepted", next_at=None)
    Call.objects.update(state="expired", decided_at=timezone.now())

    answer = third_client.post(reverse("on_call:accept", args=[call.pk]), follow=True).content.decode()

    assert calls.TakenByAnother.message in answer
    assert "It ended without you" in answer


def test_passing_twice_is_once(third, third_client):
    call = page_to(third)

    for _ in range(2):
        assert third_client.post(reverse("on_call:decline", args=[call.pk]))["Location"] == BOARD

    call.refresh_from_db()
    assert call.state == "declined"
    assert "You passed" in text_of(third_client)


def test_a_page_is_handed_over_by_handle_or_to_the_next_in_line(third, third_client):
    shown, hidden = show_handle(on_duty()), on_duty()
    call = page_to(third)
    address = reverse("on_call:hand_over", args=[call.pk])
    page = text_of(third_client, address)

    assert shown.handle in page
    assert hidden.handle not in page
    assert "Who can take it now: 2 or 3 colleagues." in page
    refused = third_client.post(address, {"to": hidden.pk})
    assert refused.status_code == 422
    assert "cannot be paged any more" in refused.content.decode()

    for _ in range(2):
        assert third_client.post(address, {"to": shown.pk})["Location"] == BOARD
    assert Call.objects.get(state="handed").handed_to == shown
    assert third_client.get(address)["Location"] == BOARD


def test_a_page_is_handed_by_handle_to_whom_the_board_may_name_only(third, third_client):
    withheld = show_handle(on_duty(member=make_member(specialty=DERM, face={"specialty": "Another group"})))
    call = page_to(third)
    address = reverse("on_call:hand_over", args=[call.pk])

    assert withheld.handle not in text_of(third_client, address)
    with pytest.raises(calls.CannotTake):
        calls.hand_over(call=call, member=third, to=withheld)
    assert third_client.post(address, {"to": "next"})["Location"] == BOARD
    assert Call.objects.get(state="handed").handed_to == withheld


def test_who_cannot_take_a_page_is_not_counted_among_those_who_can(third, third_client):
    for _ in range(3):
        on_duty()
    call = page_to(third)
    passed = {"state": "declined", "sent_at": call.sent_at, "decided_at": timezone.now()}
    Call.objects.create(paging=call.paging, member=on_duty(), step=0, **passed)

    page = text_of(third_client, reverse("on_call:hand_over", args=[call.pk]))

    assert "Who can take it now: 3 colleagues." in page


def test_with_nobody_else_on_call_a_page_stays_where_it_is(third, third_client):
    call = page_to(third)
    page = text_of(third_client, reverse("on_call:hand_over", args=[call.pk]))
    assert "Nobody else on call can take it now." in page
    assert 'name="to"' not in page

    refused = third_client.post(reverse("on_call:hand_over", args=[call.pk]), {"to": "next"})

    assert refused.status_code == 422
    assert calls.NobodyElse.message in refused.content.decode()
    assert Call.objects.get().state in Call.OPEN


def test_the_inbox_alone_answers_whoever_has_it_with_nothing(third, third_client):
    page_to(third)
    address, headers = reverse("on_call:inbox"), {"HX-Request": "true"}
    fragment = third_client.get(address, headers=headers).content.decode()
    known = fragment.split('data-known="')[1].split('"')[0]

    assert "<html" not in fragment
    assert third_client.get(f"{address}?known={known}", headers=headers).status_code == 204
    page_to(third)
    assert third_client.get(f"{address}?known={known}", headers=headers).status_code == 200
    assert third_client.get(address)["Location"] == BOARD


def test_home_and_the_cases_say_that_one_is_paged(third, third_client, colleague_client):
    page_to(third)
    old = page_to(third)
    Call.objects.filter(pk=old.pk).update(sent_at=timezone.now() - timedelta(days=30))

    for address in (reverse("home"), reverse("consults:list")):
        assert "You are paged.</b> A case waits for you." in text_of(third_client, address)
        assert "You are paged." not in text_of(colleague_client, address)
    Call.objects.update(state="declined", decided_at=timezone.now())
    assert "You are paged." not in text_of(third_client, reverse("home"))


# Shifts


def shift_fields(prefix, **typed):
    typed = {"from_time": "19:00", "to_time": "07:00", "submission": str(uuid.uuid4()), **typed}
    return {f"{prefix}-{name}": value for name, value in typed.items()}


def test_a_weekly_shift_is_added_once_by_one_s_own_clock(third, third_client):
    NoticeSettings.objects.create(member=third, time_zone="America/Chicago")
    fields = shift_fields("weekly", weekday="0")

    for _ in range(2):
        assert third_client.post(reverse("on_call:add_weekly"), fields)["Location"] == SHIFTS

    shift = Shift.objects.get()
    assert (shift.weekday, shift.from_time, shift.time_zone) == (0, time(19), "America/Chicago")
    page = text_of(third_client, SHIFTS)
    assert "Every Monday" in page
    assert "7:00 pm to 7:00 am the next day" in page


def test_a_single_shift_may_end_on_the_next_day(third, third_client):
    NoticeSettings.objects.create(member=third, time_zone="America/Chicago")
    day = timezone.localdate() + timedelta(days=3)
    fields = shift_fields("once", day=day.isoformat())

    for _ in range(2):
        assert third_client.post(reverse("on_call:add_once"), fields)["Location"] == SHIFTS

    shift = Shift.objects.get()
    assert shift.ends_at - shift.starts_at in (timedelta(hours=n) for n in (11, 12, 13))
    page = text_of(third_client, SHIFTS)
    assert page.count("7:00 pm to 7:00 am the next day") == 2  # the button says it, too


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("add_once", {"day": "2020-01-01"}, "This time is over."),
        ("add_once", {"day": "soon"}, "Write a date as"),
        ("add_once", {"day": "2049-01-01"}, shifts.TooFarAhead.message),
        ("add_once", {"day": "2049-01-01", "from_time": "noon"}, "Write a time as"),
        ("add_once", {"day": ""}, "Choose a day."),
        ("add_once", {"day": "2049-01-01", "from_time": ""}, "Choose a time."),
        ("add_weekly", {"weekday": "9"}, "Choose a day of the week."),
        ("add_weekly", {"weekday": ""}, "Choose a day of the week."),
    ],
)
def test_a_refused_shift_keeps_what_was_typed(third_client, name, fields, said):
    prefix = name.removeprefix("add_")

    refused = third_client.post(reverse(f"on_call:{name}"), shift_fields(prefix, **fields))

    assert refused.status_code == 422
    assert said.replace("’", "&#x27;") in refused.content.decode()
    assert 'value="07:00"' in refused.content.decode()
    assert not Shift.objects.exists()


def test_the_same_shift_is_not_taken_twice(third_client):
    day = (timezone.localdate() + timedelta(days=3)).isoformat()
    for name, fields in [("weekly", {"weekday": "0"}), ("once", {"day": day})]:
        address = reverse(f"on_call:add_{name}")
        assert third_client.post(address, shift_fields(name, **fields))["Location"] == SHIFTS

        refused = third_client.post(address, shift_fields(name, **fields))

        assert refused.status_code == 422
        assert "You have this shift already." in refused.content.decode()
        assert third_client.post(address, shift_fields(name, **fields, from_time="20:00")).status_code == 302
    assert Shift.objects.count() == 4


def test_from_nine_to_nine_is_said_to_be_24_hours_and_the_button_names_the_times(third, third_client):
    fields = shift_fields("weekly", weekday="0", from_time="09:00", to_time="09:00")
    third_client.post(reverse("on_call:add_weekly"), fields)

    page = text_of(third_client, SHIFTS)

    assert "<small>9:00 am to 9:00 am the next day, 24 hours</small>" in page
    assert 'End<span class="sr">: Every Monday, 9:00 am to 9:00 am the next day, 24 hours</span>' in page
    assert "from 9:00 am to 9:00 am lasts 24 hours" in page


def test_the_next_shift_is_said_with_the_day_it_ends(third, third_client):
    start = datetime.fromisoformat("2050-01-03T13:30:00+00:00")
    on_duty(start, member=third, hours=24)

    page = text_of(third_client)

    assert "8:00 am</time> to Tue <time" in page


def test_a_shift_is_ended_and_twice_is_once(third, third_client):
    shift = on_duty(member=third).shifts.get()

    for _ in range(2):
        assert third_client.post(reverse("on_call:end_shift", args=[shift.pk]))["Location"] == SHIFTS

    shift.refresh_from_db()
    assert shift.ended_at
    assert "No shift yet." in text_of(third_client, SHIFTS)


def test_limits_are_saved_or_refused_with_what_was_typed(third, third_client):
    fields = {"pages_a_shift": "5", "pages_a_week": "15", "shows_handle": "on"}
    assert third_client.post(reverse("on_call:wishes"), fields)["Location"] == SHIFTS
    saved = OnCallWishes.objects.get(member=third)
    assert (saved.pages_a_shift, saved.pages_a_week) == (5, 15)
    assert saved.shows_handle
    assert not saved.takes_overflow

    refused = third_client.post(reverse("on_call:wishes"), {**fields, "pages_a_shift": "21"})
    assert refused.status_code == 422
    assert 'value="21"' in refused.content.decode()


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"pages_a_shift": "21"}, "pages_a_shift", "1 to 20."),
        ({"pages_a_shift": ""}, "pages_a_shift", "1 to 20."),
        ({"pages_a_shift": "some"}, "pages_a_shift", "1 to 20."),
        ({"pages_a_week": "0"}, "pages_a_week", "1 to 100."),
        ({"pages_a_shift": "9", "pages_a_week": "4"}, "pages_a_shift", "No more than in a week: 1 to 4."),
    ],
)
def test_wrong_limits_are_refused_beside_their_field_in_own_words(third, third_client, typed, field, said):
    fields = {"pages_a_shift": "3", "pages_a_week": "10", **typed}

    refused = third_client.post(reverse("on_call:wishes"), fields)

    assert refused.status_code == 422
    assert refused.context["wishes"].errors == {field: [said]}
    assert not OnCallWishes.objects.exists()


# Paging for one's own case


@pytest.fixture
def case(third):
    return derm_case(third, urgency="now", care_under_way=True)


def page_address(case):
    return reverse("consults:page", args=[case.pk, case.question.slug])


def test_only_the_asker_pages_and_only_for_what_is_open(case, third_client, colleague_client):
    assert colleague_client.get(page_address(case)).status_code == 404
    assert colleague_client.post(page_address(case)).status_code == 404
    assert third_client.get(page_address(case)).status_code == 200

    Question.objects.filter(pk=case.pk).update(solved_at=timezone.now())
    assert third_client.get(page_address(case))["Location"] == case.get_absolute_url()
    refused = third_client.post(page_address(case), {"specialty": make_specialty(DERM).pk, "urgency": "now"})
    assert refused.status_code == 422
    assert paging.SolvedAlready.message in refused.content.decode()


def test_that_nobody_is_on_call_is_said_and_does_not_hinder(case, third_client):
    page = text_of(third_client, page_address(case))
    assert "Nobody is on call for Dermatology now." in page
    assert "After 15 min" in page
    assert 'value="now" class="" required id="id_urgency_0" checked' in page or page.count("checked") == 2

    fields = {"specialty": make_specialty(DERM).pk, "urgency": "today"}
    for _ in range(2):
        assert third_client.post(page_address(case), fields)["Location"] == case.get_absolute_url()
    assert Paging.objects.get().urgency == "today"
    assert "Sent to nobody yet" in text_of(third_client, case.get_absolute_url())


def test_a_specialty_that_is_being_paged_says_so_and_is_not_paged_again(case, third, third_client):
    NoticeSettings.objects.create(member=third, time_zone="UTC")
    other = make_specialty("Nephrology")
    QuestionSpecialty.objects.create(question=case.question, specialty=other, place=2)
    first = make_paging(case, urgency="today")
    since = f"{first.started_at.hour % 12 or 12}:{first.started_at:%M}"
    said = f"Dermatology has been paged since {since}"

    page = text_of(third_client, page_address(case))
    assert f"Being paged since {since}" in page
    assert ": Today</small>" in page
    assert page.count(" disabled") == 1
    assert "Page a specialty" in text_of(third_client, case.get_absolute_url())

    refused = third_client.post(page_address(case), {"specialty": first.specialty_id, "urgency": "now"})
    assert refused.status_code == 422
    assert said in refused.context["form"].errors["specialty"][0]
    same = third_client.post(
        page_address(case), {"specialty": first.specialty_id, "urgency": "today"}, follow=True
    )
    assert said in same.content.decode()
    assert "Paging Dermatology." not in same.content.decode()
    assert Paging.objects.get().urgency == "today"

    make_paging(case, specialty=other)
    assert "Page a specialty" not in text_of(third_client, case.get_absolute_url())
    assert third_client.get(page_address(case))["Location"] == case.get_absolute_url()
    first.state, first.next_at = "stopped", None
    first.save()
    assert "Page a specialty" in text_of(third_client, case.get_absolute_url())


def test_who_is_on_call_is_said_before_anything_is_sent(case, third_client):
    on_duty()

    page = text_of(third_client, page_address(case))

    assert "Nobody is on call" not in page
    assert "On call now: fewer than 3 colleagues" in page


@pytest.mark.parametrize("fields", [{}, {"urgency": "now", "specialty": "207RC0000X"}, {"urgency": "soon"}])
def test_what_cannot_be_paged_is_refused_with_what_was_chosen(case, third_client, fields):
    assert third_client.post(page_address(case), fields).status_code == 422
    assert not Paging.objects.exists()


def test_the_asker_sees_how_a_page_goes_beside_the_case_and_on_the_board(case, third, third_client):
    shown = show_handle(make_member(specialty=DERM))
    first = page_to(shown, case, state="accepted", started_ago=30)
    Paging.objects.update(
        state="accepted", next_at=None, first_heard_at=first.paging.started_at + timedelta(minutes=4)
    )
    for state in ("sent", "seen"):
        Call.objects.create(paging=first.paging, member=make_member(), step=0, state=state, seen_at=None)
    Call.objects.filter(state="seen").update(seen_at=first.sent_at + timedelta(seconds=70))

    for address in (case.get_absolute_url(), BOARD):
        page = text_of(third_client, address)
        assert "Sent to 3, seen by 2 (after 1 min), accepted by" in page
        assert "by a colleague after 4 min." in page
        assert reverse("on_call:stop", args=[first.paging_id]) in page
        assert shown.handle not in page


@pytest.mark.parametrize(
    ("shows", "mode", "signs", "said"),
    [
        (False, "anonymous", None, "a colleague"),
        (True, "anonymous", None, "a colleague"),
        (True, "anonymous", "anonymous", "a handle"),
        (True, "public", None, "a colleague"),
        (True, "anonymous", "masked", "a colleague"),
        (False, "anonymous", "anonymous", "a handle"),
        (True, "public", "public", "Ada Young"),
    ],
)
def test_who_accepted_is_told_under_the_face_they_show_there(case, third_client, shows, mode, signs, said):
    name = "Ada Young" if mode == "public" else ""
    member = make_member(specialty=DERM, byline_mode=mode, display_name=name)
    OnCallWishes.objects.create(member=member, shows_handle=shows)
    page_to(member, case, state="accepted")
    Paging.objects.update(state="accepted", next_at=None, first_heard_at=timezone.now())
    if signs:
        Byline.objects.create(question=case.question, member=member, mode=signs)

    page = text_of(third_client)

    assert (member.handle in page) == (said == "a handle")
    assert ("Ada Young" in page) == (said == "Ada Young")
    assert ("by a colleague" in page) == (said == "a colleague")


def test_a_handle_that_hides_its_specialty_does_not_stand_beside_it(case, third_client):
    member = make_member(specialty=DERM, face={"specialty": "Another group"})
    page_to(member, case, state="accepted")
    Paging.objects.update(state="accepted", next_at=None, first_heard_at=timezone.now())
    Byline.objects.create(question=case.question, member=member, mode="anonymous")

    page = text_of(third_client)

    assert "accepted by a colleague" in page
    assert member.handle not in page


def test_who_answered_is_credited_not_who_had_accepted(case, third_client):
    accepted, answered = (make_member(specialty=DERM) for _ in range(2))
    first = page_to(accepted, case, state="accepted", started_ago=30)
    started = first.paging.started_at
    Call.objects.create(
        paging=first.paging, member=answered, step=0, state="answered", decided_at=timezone.now()
    )
    Paging.objects.update(
        state="answered", next_at=None, first_heard_at=started, ended_at=started + timedelta(minutes=9)
    )
    for member in (accepted, answered):
        Byline.objects.create(question=case.question, member=member, mode="anonymous")

    page = text_of(third_client)

    assert "accepted within a minute, answered by <a" in page
    assert f">{answered.handle}</a> after 9 min." in page
    assert accepted.handle not in page
    Call.objects.filter(state="answered").delete()
    said = "Sent to 1, seen by 1, accepted within a minute, answered after 9 min."
    assert said in text_of(third_client)


def test_an_answered_page_stays_answered_once_its_colleague_has_left(case, third_client):
    call = page_to(make_member(specialty=DERM), case, started_ago=30)
    heard = call.paging.started_at + timedelta(minutes=3)
    Paging.objects.update(state="answered", next_at=None, first_heard_at=heard, ended_at=heard)
    call.delete()

    page = text_of(third_client, case.get_absolute_url())

    assert "Answered after 3 min." in page
    assert "Sent to nobody" not in page


def test_paging_is_stopped_where_one_pressed_it(case, third, third_client, colleague):
    call = page_to(colleague, case)
    address = reverse("on_call:stop", args=[call.paging_id])

    assert third_client.post(address)["Location"] == case.get_absolute_url()
    assert third_client.post(address, {"to": "board"})["Location"] == BOARD

    assert Paging.objects.get().state == "stopped"
    assert "Stopped" in text_of(third_client, case.get_absolute_url())


def test_the_page_of_the_case_marks_its_page_seen_and_offers_to_take_it(third, third_client):
    call = page_to(third)

    page = text_of(third_client, call.paging.case.get_absolute_url())

    assert "You are paged for this case" in page
    assert reverse("on_call:accept", args=[call.pk]) in page
    call.refresh_from_db()
    assert call.state == "seen"


def test_no_page_is_offered_for_a_private_consult(third, third_client):
    case = derm_case(third, audience="invited")

    assert "Page a specialty" not in text_of(third_client, case.get_absolute_url())
    assert third_client.get(page_address(case))["Location"] == case.get_absolute_url()


@pytest.mark.parametrize("fields", [{"intent": "teaching"}, {"status": "closed"}])
def test_no_page_is_offered_for_what_asks_nobody(third, third_client, fields):
    if "status" in fields:
        fields = {**fields, "closed_at": timezone.now() + timedelta(minutes=1)}
    case = derm_case(third, **{name: value for name, value in fields.items() if name == "intent"})
    if "status" in fields:
        Question.objects.filter(pk=case.pk).update(close_reason="author", **fields)

    assert "Page a specialty" not in text_of(third_client, case.get_absolute_url())


# What it costs


def reads_of(client, address) -> list[str]:
    """The queries of a page but for the beginning and end of what is written together."""
    with CaptureQueriesContext(
        connection,
    ) as queries:
        text_of(client, address)
    return [one["sql"] for one in queries if "SAVEPOINT" not in one["sql"]]


@pytest.mark.parametrize("number", [1, 4])
def test_board_and_inbox_cost_at_most_eight_queries_at_any_size(third, third_client, number):
    for _ in range(number):
        on_duty(member=make_member(specialty="Nephrology"))
        show_handle(on_duty())
        page_to(third)
        page_to(show_handle(make_member()), derm_case(third), state="accepted")
    on_duty(member=third)

    assert len(reads_of(third_client, BOARD)) <= 8  # the first look, which marks pages seen
    assert len(reads_of(third_client, BOARD)) <= 6


def test_the_strip_on_other_pages_asks_nothing(third, third_client):
    before = len(reads_of(third_client, reverse("consults:list")))
    page_to(third)

    # the case itself, which now stands in the list, costs what any case does
    assert "open_calls" not in "".join(reads_of(third_client, reverse("consults:list")))
    third_client.get(reverse("home"))  # the news of a member is chosen at the first look
    assert len(reads_of(third_client, reverse("home"))) <= 7
    assert before <= 8


# In a browser


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_one_becomes_available_is_paged_without_reloading_and_accepts(
    browser_page, live_server, third, settings
):
    page = browser_page(viewport={"width": 390, "height": 844})
    cookie = client_of(third).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page.goto(f"{live_server.url}{BOARD}")
    page.get_by_role("button", name="Available now").click()
    expect(page.get_by_role("heading", name="You are available until")).to_be_visible()

    page_to(third)
    page.evaluate(
        "() => { document.activeElement.blur(); document.dispatchEvent(new Event('visibilitychange')) }"
    )
    expect(page.get_by_role("button", name="Accept")).to_be_visible()
    expect(page.locator("#calls-said")).to_have_text("You are paged: 1 waiting.")
    found = faults_by_look(page)
    page.goto(f"{live_server.url}{SHIFTS}")
    found += faults_by_look(page)
    page.goto(f"{live_server.url}{BOARD}")
    page.get_by_role("button", name="Accept").click()
    expect(page.locator("h1")).to_contain_text("Annular rash")
    assert Call.objects.get().state == "accepted"
    assert found == []
