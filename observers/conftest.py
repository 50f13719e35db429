import pytest

from conftest import client_of
from observers.tests.factories import make_seat


@pytest.fixture
def seat(db):
    return make_seat()


@pytest.fixture
def firm(seat):
    return seat.firm


@pytest.fixture
def seat_client(seat):
    return client_of(seat.user)
