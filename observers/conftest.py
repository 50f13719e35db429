from unittest.mock import patch

import pytest

from conftest import client_of
from observers import suppression
from observers.tests.factories import make_seat


@pytest.fixture(autouse=True, scope="session")
def no_margins():
    """Thresholds of charts lie where they lie, but for the tests of margins."""
    with patch.object(suppression, "MARGIN", 1):
        yield


@pytest.fixture
def seat(db):
    return make_seat()


@pytest.fixture
def firm(seat):
    return seat.firm


@pytest.fixture
def seat_client(seat):
    return client_of(seat.user)
