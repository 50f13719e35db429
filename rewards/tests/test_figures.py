"""The pay clock and the counter: true medians of true payouts, and nobody in them."""

from collections import Counter
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest

from questions.tests.test_views import words
from rewards import business_days, figures
from rewards.models import Account, Payout
from rewards.services import ledger, taxes
from rewards.tests.factories import fund, make_charity, make_payee

pytestmark = pytest.mark.django_db


@pytest.fixture
def payee(physician):
    return make_payee(physician)


def make_payout(payee, asked_on, paid_on=None, *, cents=1_000, promised_on=None, **fields):
    """A payout asked for and paid at noon of these days."""
    fund(payee, cents)
    sending, paid = ledger.house(Account.Kind.SENDING), ledger.house(Account.Kind.PAID)
    payable = ledger.payable_to(payee)
    held = ledger.post(kind="payout", key=f"test:{uuid4()}", entries={payable: -cents, sending: cents})
    fields = {"subject": payee.subject, "payee": payee, "state": "submitted", **fields}
    if paid_on:
        settled = ledger.post(kind="paid", key=f"test:{uuid4()}", entries={sending: -cents, paid: cents})
        fields |= {"state": "paid", "settled": settled, "ended_at": _noon(paid_on), "paid_on": paid_on}
    return Payout.objects.create(
        submission=uuid4(),
        method="check",
        provider="manual",
        cents=cents,
        held=held,
        requested_at=_noon(asked_on),
        promised_on=promised_on or business_days.add(asked_on, 10),
        **fields,
    )


def _noon(day):
    return datetime(day.year, day.month, day.day, 12, tzinfo=taxes.zone())


def _ago(days):
    return business_days.today() - timedelta(days=days)


@pytest.mark.parametrize(
    ("days", "median", "ninth"),
    [([], None, None), ([4], 4, 4), ([1, 3], 1, 3), ([1, 2, 9], 2, 9), (list(range(1, 11)), 5, 9)],
)
def test_a_share_is_the_least_number_that_so_many_did_not_exceed(days, median, ninth):
    assert (figures.at_share(Counter(days), 50), figures.at_share(Counter(days), 90)) == (median, ninth)


def test_the_clock_counts_business_days_of_what_was_paid(payee):
    for days in (3, 5, 20):
        make_payout(payee, _ago(30), _ago(30 - days))
    make_payout(payee, _ago(120), _ago(100))

    found = figures.clock()

    took = sorted(business_days.between(_ago(30), _ago(30 - days)) for days in (3, 5, 20))
    assert (found.paid, found.median, found.ninth) == (3, took[1], took[2])


def test_late_is_what_was_paid_late_and_what_still_waits(payee):
    make_payout(payee, _ago(40), _ago(35))
    make_payout(payee, _ago(40), _ago(20), promised_on=_ago(30))
    make_payout(payee, _ago(40), promised_on=_ago(10))
    make_payout(payee, _ago(2))

    found = figures.clock()

    assert (found.paid, found.overdue, found.due, found.on_time, found.percent) == (2, 1, 3, 1, 33)
    assert [(row.promised_on, row.paid_on) for row in found.late] == [(_ago(10), None), (_ago(30), _ago(20))]
    assert found.late[0].days == business_days.between(_ago(10), business_days.today())
    assert found.late_count == 2


def test_paid_on_the_promised_day_is_on_time(payee):
    make_payout(payee, _ago(40), _ago(30), promised_on=_ago(30))

    assert figures.clock().percent == 100


def test_charities_and_what_came_back_are_left_out(payee):
    charity = make_charity()
    made = make_payout(payee, _ago(9), _ago(8))
    Payout.objects.filter(pk=made.pk).update(subject=None, payee=None, charity=charity)
    returned = make_payout(payee, _ago(9), _ago(8))
    Payout.objects.filter(pk=returned.pk).update(state="returned")

    assert figures.clock().due == 0
    assert figures.clock().percent is None


def test_the_figures_are_drawn_once_in_ten_minutes(payee, django_assert_num_queries):
    figures.clock()
    make_payout(payee, _ago(9), _ago(8))

    with django_assert_num_queries(0):
        assert figures.clock().paid == 0


def test_everybody_may_read_the_clock_and_nobody_is_named(client, payee):
    made = make_payout(payee, _ago(40), _ago(20), promised_on=_ago(30), cents=123_457)

    page = words(client.get("/rewards/clock/"))

    assert "On time 0% 0 of 1 paid or overdue" in page
    assert "The only one that missed the promised day." in page
    assert payee.member.handle not in page
    assert "1,234.57" not in page
    assert str(made.key) not in page


def test_a_clock_without_payouts_says_so(client):
    assert "No payout yet" in words(client.get("/rewards/clock/"))


@pytest.fixture
def last_month():
    """Its last day."""
    return business_days.today().replace(day=1) - timedelta(days=1)


def test_the_landing_page_counts_last_month(client, payee, colleague, last_month):
    first = last_month.replace(day=1)
    make_payout(payee, first - timedelta(days=7), first, cents=1_000)
    make_payout(payee, first, last_month, cents=2_000)
    make_payout(make_payee(colleague), first, last_month, cents=4_050)
    make_payout(payee, first, last_month + timedelta(days=1), cents=8_000)
    make_payout(payee, first - timedelta(days=9), first - timedelta(days=1), cents=16_000)

    page = words(client.get("/"))

    assert f"Paid to physicians in {last_month:%B %Y}" in page
    assert "Paid $70.50 without fees To 2 physicians" in page
    assert f"Median {business_days.between(first, last_month)} business days" in page


def test_of_a_month_without_payouts_the_landing_page_says_nothing(client, payee):
    make_payout(payee, business_days.today(), business_days.today())

    assert "Paid to physicians" not in words(client.get("/"))


def test_what_was_heard_of_later_counts_on_the_day_it_was_paid(payee, monkeypatch):
    monkeypatch.setattr(business_days, "today", lambda: date(2026, 12, 5))
    for paid_on in (date(2026, 11, 1), date(2026, 11, 30)):
        made = make_payout(payee, date(2026, 10, 1), paid_on)
        Payout.objects.filter(pk=made.pk).update(ended_at=_noon(date(2026, 12, 4)))
    for paid_on in (date(2026, 10, 31), date(2026, 12, 1)):
        make_payout(payee, date(2026, 10, 1), paid_on)

    assert figures.last_month().cents == 2_000


def test_a_month_has_no_hole_at_the_change_of_clocks(payee, monkeypatch):
    monkeypatch.setattr(business_days, "today", lambda: date(2026, 12, 5))
    for hour, day in ((0, 1), (23, 30)):
        made = make_payout(payee, date(2026, 10, 1), date(2026, 11, day))
        ended_at = datetime(2026, 11, day, hour, 59 * bool(hour), tzinfo=taxes.zone())
        Payout.objects.filter(pk=made.pk).update(ended_at=ended_at)

    assert figures.last_month().cents == 2_000


def test_what_is_under_way_and_not_late_says_nothing_yet(payee):
    make_payout(payee, _ago(3), promised_on=_ago(-7))

    assert figures.clock().due == 0
