from datetime import UTC, datetime
from decimal import Decimal

import pytest

from accounts.models import Member
from accounts.tests.factories import make_member
from sermo.paging import cursor_of, key_of, page


class Row:
    moment = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
    mean = Decimal("3.2500")
    hot = 12.5
    pk = 7


def test_a_cursor_keeps_moments_decimals_and_numbers_exactly():
    order = ("-moment", "mean", "-hot", "pk")

    assert key_of(cursor_of(Row, order), order) == [Row.moment, Row.mean, Row.hot, Row.pk]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "%%%",
        "bm90IGpzb24",
        "WzFd",
        "e30",
        "W251bGxd",
        "W3sidCI6Im5vIn1d",
        "W" * 5000,
        "W0luZmluaXR5LDFd",
        "WzFlOTk5LDFd",
    ],
)
def test_a_cursor_from_elsewhere_is_no_cursor(cursor):
    assert key_of(cursor, ("-hot", "pk")) is None


def test_equal_keys_are_told_apart_by_the_last_name(db):
    made = [make_member(standing="physician") for _ in range(5)]

    first = page(Member.objects.all(), order=("standing", "pk"), after=None, size=3)
    second = page(Member.objects.all(), order=("standing", "pk"), after=first.next, size=3)

    assert [row.pk for row in [*first, *second]] == [member.pk for member in made]
    assert second.next is None
