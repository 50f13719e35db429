"""The demonstration's firms under contract, and the seat that can be tried."""

import pytest

from accounts.roles import OBSERVERS, ensure_groups
from accounts.tests.factories import make_user
from observers.demo import seats
from observers.models import Contract, Plan, Seat
from observers.services import seating
from rewards.demo import FIRMS
from rewards.models import Firm

pytestmark = pytest.mark.django_db


def test_it_is_written_once_and_every_seat_may_watch():
    ensure_groups()
    observer = make_user(seats.OBSERVER)
    for facts in FIRMS:
        Firm.objects.create(**facts)

    seats.seed()
    seats.seed()

    assert (Plan.objects.count(), Contract.objects.count(), Seat.objects.count()) == (3, 4, 7)
    assert all(seating.may_watch(seat.user) for seat in Seat.objects.active())
    assert not Seat.objects.exclude(user__groups__name=OBSERVERS).exists()
    seat = Seat.objects.get(user=observer)
    assert (seat.number, seat.name, seat.is_admin, seat.firm.kind) == (3, "M. Ruiz", True, "pharma")
    for contract in Contract.objects.select_related("plan", "firm"):
        assert contract.firm.seats.count() <= contract.plan.seats
        assert all(each.purpose in contract.purposes for each in contract.firm.seats.all())
        assert contract.firm.seats.filter(is_admin=True).exists()
