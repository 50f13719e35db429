"""About 1 %: how many posts firms may earmark, and what one firm learns of the others from it."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from questions.models import Post
from questions.tests.factories import copy_of, make_answer, make_question
from rewards.models import Allowance, Earmark
from rewards.services import allowances, draws
from rewards.tests.factories import make_earmark, make_firm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = NOON.date()


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def answer(physician, colleague):
    """The one post of the day before today; what it answers is older than 30 days."""
    answer = make_answer(make_question(physician), colleague)
    Post.objects.exclude(pk=answer.pk).update(posted_at=NOON - timedelta(days=90))
    return dated(answer, NOON - timedelta(days=1))


def dated(post, moment):
    Post.objects.filter(pk=post.pk).update(posted_at=moment)
    post.posted_at = moment
    return post


def with_posts(answer, number):
    Post.objects.bulk_create(
        Post(
            question_id=answer.question_id,
            kind="answer",
            author_id=answer.author_id,
            byline_id=answer.byline_id,
            source="x",
            html="x",
            posted_at=NOON - timedelta(days=2),
        )
        for _ in range(number - 1)
    )


@pytest.mark.parametrize(("posts", "slots"), [(1, 1), (199, 1), (200, 2), (299, 2), (300, 3)])
def test_one_percent_rounded_down_but_always_one(answer, posts, slots):
    with_posts(answer, posts)

    assert allowances.of(make_firm(), TODAY) == slots


def test_posts_of_today_and_of_more_than_30_days_ago_do_not_count(answer):
    with_posts(answer, 200)
    midnight = datetime(2026, 11, 20, tzinfo=UTC)
    first = Post.objects.order_by("pk").last()

    dated(first, midnight)
    assert allowances.free_on(TODAY) == 1
    dated(first, midnight - timedelta(days=30, microseconds=1))
    assert allowances.free_on(TODAY) == 1
    dated(first, midnight - timedelta(days=30))
    assert allowances.free_on(TODAY) == 2


def test_what_was_earmarked_in_30_days_is_taken_off(answer):
    with_posts(answer, 200)
    make_earmark(answer, placed_at=NOON - timedelta(days=29))

    assert allowances.free_on(TODAY) == 1


def test_used_up_means_no_slot_and_never_less(answer):
    firm = make_firm()
    make_earmark(answer, firm, placed_at=NOON - timedelta(days=1))
    make_earmark(copy_of(answer, submission=None), firm, placed_at=NOON - timedelta(days=1))

    assert allowances.of(firm, TODAY) == 0
    assert allowances.left(firm) == 0


def test_firms_that_take_all_they_get_stay_within_one_percent(answer):
    """Day after day: what was earmarked stays in the way for 30 days."""
    with_posts(answer, 400)
    firms = [make_firm() for _ in range(3)]
    placed = 0
    for day in range(3):
        with time_machine.travel(NOON + timedelta(days=day), tick=False):
            for firm in firms:
                while allowances.left(firm):
                    make_earmark(copy_of(answer, submission=None), firm)
                    placed += 1

    assert placed == 4


def test_slots_are_shared_out_evenly_and_the_rest_by_lot(answer):
    firms = list(range(1, 6))
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(60)]
    shares = [allowances.shared_out(12, firms, day) for day in days]

    assert all(sorted(share.values()) == [2, 2, 2, 3, 3] for share in shares)
    assert all(any(share[firm] == 3 for share in shares) for firm in firms)
    assert allowances.shared_out(12, firms, TODAY) == allowances.shared_out(12, firms[::-1], TODAY)


def test_the_day_is_fixed_whatever_happens_on_it(answer):
    """Neither another firm's earmark nor a firm that comes moves what a firm may do today."""
    with_posts(answer, 200)
    firm, other = make_firm(), make_firm()
    assert (allowances.left(firm), allowances.left(other)) == (1, 1)

    make_earmark(answer, other)
    newcomer = make_firm()

    assert (allowances.left(firm), allowances.left(other), allowances.left(newcomer)) == (1, 0, 0)
    allowances.fix(TODAY)
    assert Allowance.objects.filter(day=TODAY).count() == 2


def test_a_cancelled_earmark_keeps_its_slot_of_the_day_and_stands_in_no_later_one_s_way(answer):
    with_posts(answer, 200)
    firm = make_firm()
    Allowance.objects.create(firm=firm, day=TODAY, slots=1)
    earmark = make_earmark(answer, firm)
    assert allowances.left(firm) == 0

    Earmark.objects.filter(pk=earmark.pk).update(state="cancelled", ended_at=NOON, ended=earmark.reserved)

    assert allowances.left(firm) == 0
    assert allowances.free_on(TODAY + timedelta(days=1)) == 2


def test_firms_that_are_not_active_share_nothing(answer):
    gone = make_firm(is_active=False)

    assert allowances.of(make_firm(), draws.today()) == 1
    assert allowances.of(gone, draws.today()) == 0
