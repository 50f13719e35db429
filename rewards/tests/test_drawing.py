"""The draw: what is published is enough to repeat it, and no key is used that nobody had the hash of before."""

import hashlib
import hmac
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import time_machine

from rewards import drawing
from rewards.models import DrawDay
from rewards.services import draws
from rewards.tests.factories import make_draw_day

KEY = "00ff" * 16
DRAW_NAME = UUID("01234567-89ab-4def-8123-456789abcdef")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def mac(key, text):
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def test_all_is_made_from_the_texts_that_are_documented():
    assert drawing.commitment(KEY) == sha(KEY)
    assert drawing.seed(KEY, 7) == mac(KEY, "seed:7")
    assert drawing.ticket(KEY, 7, DRAW_NAME) == mac(KEY, "ticket:7:01234567-89ab-4def-8123-456789abcdef")


def test_the_order_is_that_of_the_hashes_however_tickets_come():
    seed, tickets = drawing.seed(KEY, 7), [drawing.ticket(KEY, 7, UUID(int=number)) for number in range(20)]
    by_hand = sorted(tickets, key=lambda ticket: sha(f"{seed}:2:{ticket}"))

    assert drawing.order(seed, 2, tickets) == drawing.order(seed, 2, reversed(tickets)) == by_hand
    assert drawing.order(seed, 1, tickets) != by_hand


def test_every_ticket_is_drawn_about_as_often():
    tickets = [drawing.ticket(KEY, 7, UUID(int=number)) for number in range(10)]
    first = [drawing.order(drawing.seed(KEY, question), 1, tickets)[0] for question in range(2_000)]

    assert all(140 < first.count(ticket) < 260 for ticket in tickets)  # 200 each, four and a half deviations


@pytest.mark.django_db
class TestKeys:
    @pytest.fixture(autouse=True)
    def noon(self):
        with time_machine.travel(NOON, tick=False):
            yield

    def test_keys_are_kept_a_week_ahead_and_never_made_for_today(self):
        assert draws.keep_ahead() == 7
        assert draws.keep_ahead() == 0

        days = DrawDay.objects.order_by("day")
        assert [row.day.day for row in days] == list(range(21, 28))
        assert all(row.commitment == sha(row.key) for row in days)
        assert len({row.key for row in days}) == 7

    def test_what_is_drawn_today_is_drawn_with_today_s_key(self):
        today = make_draw_day(date(2026, 11, 20))
        for day in (19, 21):
            make_draw_day(date(2026, 11, day))

        assert draws.of_today() == today

    @pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=1)])
    def test_a_key_whose_hash_did_not_stand_before_its_day_draws_nothing(self, late):
        make_draw_day(date(2026, 11, 20), ahead=-late)

        assert draws.of_today() is None

    def test_neither_a_day_that_is_over_nor_one_to_come_draws_anything(self):
        for day in (19, 21):
            make_draw_day(date(2026, 11, day))

        assert draws.of_today() is None

    def test_a_key_is_shown_once_its_day_is_over(self):
        row = make_draw_day(date(2026, 11, 20), key=KEY)

        assert draws.published_key(row) == ""
        with time_machine.travel(datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC), tick=False):
            assert draws.published_key(row) == ""
        with time_machine.travel(datetime(2026, 11, 21, tzinfo=UTC), tick=False):
            assert draws.published_key(row) == KEY
