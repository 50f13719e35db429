"""Whom a page may reach, and in which order."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.utils import timezone

from accounts.models import Block, Face, Kind, Member, NoticeChoice, NoticeSettings, Way
from accounts.services import ties
from accounts.tests.factories import make_member, make_specialty
from consults.models import Call, Duty, OnCallWishes
from consults.services import routing
from consults.tests.factories import make_case
from consults.tests.on_call import answered, make_paging, on_duty, past
from questions.models import Byline, Post, Subscription
from questions.tests.factories import make_answer

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 4, 17, tzinfo=UTC)  # in New York
DERM = "Dermatology"


@pytest.fixture
def paging(db):
    return make_paging(started_at=NOON)


def reached(paging, moment=NOON):
    return [one.member for one in routing.candidates(paging, moment)]


def test_who_is_on_duty_for_the_specialty_may_be_paged(paging):
    on = on_duty(NOON)
    on_duty(NOON, member=make_member(specialty="Nephrology"))
    make_member(specialty=DERM)

    assert reached(paging) == [on.pk]


@pytest.mark.parametrize("hours", [-1, 8])
def test_nobody_is_paged_before_or_after_their_shift(paging, hours):
    on_duty(NOON, hours=8)

    assert reached(paging, NOON + timedelta(hours=hours)) == []


def test_the_end_of_a_shift_is_off_shift_and_its_start_is_on(paging):
    on = on_duty(NOON, hours=8)
    duty = Duty.objects.get(member=on)

    assert reached(paging, duty.starts_at) == [on.pk]
    assert reached(paging, duty.ends_at) == []


@pytest.mark.parametrize("standing", ["applicant", "read_only", "suspended"])
def test_only_physicians_in_good_standing_are_paged(paging, standing):
    on_duty(NOON, member=make_member(specialty=DERM, standing=standing))

    assert reached(paging) == []


def test_a_closed_log_in_is_not_paged(paging):
    member = on_duty(NOON)
    member.user.is_active = False
    member.user.save()

    assert reached(paging) == []


def test_the_asker_is_not_paged_for_their_own_case():
    asker = on_duty(NOON)
    paging = make_paging(case=make_case(asker, images=0), started_at=NOON)

    assert reached(paging) == []


@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize(("mode", "face"), [("anonymous", Face.HANDLE), ("public", Face.NAME)])
def test_a_block_between_the_faces_stops_a_page_whoever_blocked(paging, turn, mode, face):
    on = on_duty(NOON)
    asker = paging.case.question.asker
    Byline.objects.filter(question=paging.case_id).update(mode=mode)
    (blocker, own), (blocked, other) = [(asker, face), (on, Face.HANDLE)][::turn]
    Block.objects.create(blocker=blocker, blocked=blocked, blocker_face=own, blocked_face=other)

    assert reached(paging) == []


def test_a_block_of_the_face_that_does_not_ask_stops_nothing(paging):
    """Silence would tell whose name the handle is."""
    on = on_duty(NOON)
    Block.objects.create(
        blocker=on, blocked=paging.case.question.asker, blocker_face=Face.HANDLE, blocked_face=Face.NAME
    )

    assert reached(paging) == [on.pk]


@pytest.mark.parametrize(
    ("quiet_from", "quiet_to", "zone", "is_reached"),
    [
        (time(11), time(13), "America/New_York", False),
        (time(22), time(13), "America/New_York", False),  # over night
        (time(12), time(13), "America/New_York", False),
        (time(11), time(12), "America/New_York", True),
        (time(11), time(13), "America/Los_Angeles", True),
        (time(8), time(10), "America/Los_Angeles", False),
    ],
)
def test_quiet_hours_win_over_a_shift(paging, quiet_from, quiet_to, zone, is_reached):
    on = on_duty(NOON)
    NoticeSettings.objects.create(member=on, quiet_from=quiet_from, quiet_to=quiet_to, time_zone=zone)

    assert bool(reached(paging)) == is_reached


def test_a_case_among_connections_pages_connections_alone():
    case = make_case(images=0, audience="connections")
    paging = make_paging(case=case, started_at=NOON)
    on_duty(NOON)
    friend = on_duty(NOON)
    ties.request_connection(requester=friend, addressee=case.question.asker)
    ties.request_connection(requester=case.question.asker, addressee=friend)

    assert reached(paging) == [friend.pk]


def test_a_case_within_a_specialty_pages_nobody_of_another():
    case = make_case(images=0, audience="specialty")  # cardiology
    on_duty(NOON)

    assert reached(make_paging(case=case, started_at=NOON)) == []


def test_who_muted_the_discussion_or_switched_pages_off_is_not_paged(paging):
    muted, off = on_duty(NOON), on_duty(NOON)
    Subscription.objects.create(member=muted, question=paging.case.question, level=Subscription.Level.MUTED)
    NoticeChoice.objects.create(member=off, kind=Kind.ON_CALL, way=Way.OFF)

    assert reached(paging) == []


def test_nobody_is_called_twice_in_one_paging(paging):
    on = on_duty(NOON)
    Call.objects.create(paging=paging, member=on, step=0)

    assert reached(paging) == []


@pytest.mark.parametrize(
    ("state", "running", "is_reached"),
    [
        ("declined", "unheard", False),
        ("handed", "answered", False),
        ("sent", "open", False),
        ("accepted", "accepted", False),
        ("accepted", "stopped", True),
        ("expired", "unheard", True),
    ],
)
def test_who_passed_a_case_on_or_was_paged_for_it_otherwise_is_left_alone(paging, state, running, is_reached):
    on = on_duty(NOON)
    other = make_paging(case=paging.case, specialty="Nephrology", state=running, next_at=None)
    decided_at = None if state == "sent" else NOON
    Call.objects.create(paging=other, member=on, step=0, state=state, decided_at=decided_at, sent_at=NOON)

    assert bool(reached(paging)) == is_reached


def test_who_answered_the_case_is_not_paged_for_it(paging):
    on = on_duty(NOON)
    answer = make_answer(paging.case.question, on)
    assert reached(paging) == []

    Post.objects.filter(pk=answer.pk).update(removed_at=NOON, removed_by="author")
    assert reached(paging) == [on.pk]


def test_pages_of_a_shift_are_counted_over_shifts_that_overlap(paging):
    on = on_duty(NOON - timedelta(hours=6), hours=7)
    on_duty(NOON, hours=4, member=on)
    past(on, NOON - timedelta(hours=5), 2)
    assert [one.budget for one in routing.candidates(paging, NOON)] == [pytest.approx(1 / 3)]

    past(on, NOON - timedelta(hours=1), 1)
    assert reached(paging) == []
    assert reached(paging, NOON + timedelta(hours=2)) == []  # the first shift is over, the stretch is one

    OnCallWishes.objects.create(member=on, pages_a_shift=4)
    assert reached(paging) == [on.pk]


def test_a_new_shift_has_pages_of_its_own_and_a_week_has_an_end(paging):
    on = on_duty(NOON)
    past(on, NOON - timedelta(days=1), 9)
    assert reached(paging) == [on.pk]

    past(on, NOON - timedelta(days=2), 1)
    assert reached(paging) == []
    assert reached(make_paging(), NOON + timedelta(days=7)) == []  # off shift by then


def test_who_practices_something_else_by_now_is_not_paged(paging):
    on = on_duty(NOON)
    Member.objects.filter(pk=on.pk).update(specialty=make_specialty("Nephrology"))

    assert reached(paging) == []


# In which order


def test_wilson_equals_values_computed_by_hand():
    assert routing.wilson(0, 0) == 0
    assert routing.wilson(0, 10) == pytest.approx(0, abs=1e-9)
    assert routing.wilson(1, 1) == pytest.approx(0.20655, abs=1e-4)
    assert routing.wilson(8, 10) == pytest.approx(0.49016, abs=1e-4)
    assert routing.wilson(80, 100) == pytest.approx(0.71117, abs=1e-4)


def make_candidate(member, solved=0, answers=0, **fields):
    return routing.Candidate(member, member, (solved, answers), **fields)


def test_the_score_is_record_times_availability_times_budget():
    one = make_candidate(1, 8, 10, availability=0.5, budget=0.5)

    assert one.score == pytest.approx(0.49016 / 4, abs=1e-4)


def without_newcomers(settings):
    settings.ON_CALL_NEWCOMERS_PERCENT = 0


def test_the_best_comes_first_and_a_repeated_run_decides_alike(settings):
    without_newcomers(settings)
    found = [make_candidate(1, 1, 4), make_candidate(2, 8, 10), make_candidate(3, 0, 0), make_candidate(4)]

    order = [one.member for one in routing.ranked(found, "7:0")]

    assert order[:2] == [2, 1]
    assert order == [one.member for one in routing.ranked(reversed(found), "7:0")]


def test_of_the_equal_each_comes_first_at_times():
    found = [make_candidate(number) for number in range(4)]

    firsts = {routing.ranked(found, f"{seed}:0")[0].member for seed in range(60)}

    assert firsts == {0, 1, 2, 3}


def test_every_fifth_page_goes_first_to_a_newcomer():
    found = [make_candidate(1, 9, 10), *(make_candidate(number) for number in range(2, 8))]

    firsts = [routing.ranked(found, f"{seed}:0")[0].member for seed in range(3000)]

    assert 0.18 < sum(first != 1 for first in firsts) / 3000 < 0.22
    assert set(firsts) == set(range(1, 8))


def test_the_record_counts_credited_and_standing_answers_of_the_handle_in_the_specialty(paging):
    member = on_duty()
    derm, other = make_specialty(DERM), make_specialty("Nephrology")
    answered(member, derm, credited=True)
    answered(member, derm)
    answered(member, derm, mode="public", credited=True)
    answered(member, derm, removed_at=timezone.now())
    answered(member, other, credited=True)

    assert [one.record for one in routing.candidates(paging, timezone.now())] == [(1, 2)]


def test_who_lets_pages_lapse_is_less_available(paging):
    keen, deaf = on_duty(NOON), on_duty(NOON)
    past(keen, NOON - timedelta(days=20), 3, state="accepted")
    past(deaf, NOON - timedelta(days=20), 3, state="expired")

    assert [one.availability for one in routing.candidates(paging, NOON)] == [1.0, 0.25]


def test_top_answerers_are_paged_on_duty_if_they_wish_and_else_told(paging):
    derm = paging.specialty
    taker = on_duty(NOON, member=make_member(specialty="Nephrology"))
    unwilling = on_duty(NOON, member=make_member(specialty="Nephrology"))
    off_shift, without_credit = make_member(), on_duty(NOON, member=make_member())
    for member in (taker, off_shift):
        OnCallWishes.objects.create(member=member, takes_overflow=True)
    for member in (taker, unwilling, off_shift, without_credit):
        answered(member, derm, credited=member is not without_credit)

    paged, told = routing.top_answerers(paging, NOON)

    assert [one.member for one in paged] == [taker.pk]
    assert set(told) == {unwilling.pk, off_shift.pk}


def test_routing_takes_few_queries_at_any_number(paging, django_assert_max_num_queries):
    for _ in range(6):
        past(on_duty(NOON), NOON - timedelta(days=1), 1)

    with django_assert_max_num_queries(9):
        assert len(routing.candidates(paging, NOON)) == 6
