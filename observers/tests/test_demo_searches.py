"""Saved searches of the demonstration."""

import pytest

from observers.demo import searches
from observers.models import Chart, FirmSearch
from observers.tests.factories import make_contract, make_seat
from rewards.demo import FIRMS
from rewards.tests.factories import make_firm

pytestmark = pytest.mark.django_db


def test_they_are_saved_and_counted_once():
    for facts in FIRMS:
        firm = make_firm(name=facts["name"])
        make_contract(firm)
        make_seat(firm)

    searches.seed()
    searches.seed()

    assert FirmSearch.objects.count() == sum(map(len, searches.SEARCHES.values()))
    assert set(Chart.objects.values_list("state", flat=True)) == {"done"}
