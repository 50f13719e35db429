"""On call in the demonstration."""

import pytest
from django.utils import timezone

from accounts.models import Mail
from accounts.tests.factories import make_member, make_specialty
from consults.demo import on_call
from consults.models import Call, Case, Duty, Paging, Shift

pytestmark = pytest.mark.django_db


class Said(list):
    write = list.append


def test_somebody_is_on_call_and_pages_wait_and_are_accepted_and_twice_is_once():
    for practice in on_call.PRACTICES:
        make_specialty(practice)
    cardio = make_member(specialty="Cardiovascular Disease", email=on_call.CARDIO)
    emergency = make_member(specialty="Emergency Medicine", email=on_call.EMERGENCY)
    for _ in range(8):
        make_member(specialty="Cardiovascular Disease")
    said = Said()

    on_call.seed(said)
    on_call.seed(said)

    assert said[1:] == ["on call: here already"]
    waiting = Call.objects.get(member=cardio)
    assert (waiting.state, waiting.paging.state) == ("sent", "open")
    accepted, looking = Paging.objects.filter(case__question__asker=cardio).order_by("pk")
    assert (accepted.state, accepted.calls.get().member) == ("accepted", emergency)
    assert (looking.state, looking.calls.count()) == ("open", 1)
    assert Duty.objects.at(timezone.now()).filter(specialty=cardio.specialty).count() >= 2
    assert Case.objects.count() == 2
    assert Shift.objects.filter(sort="weekly").exists()
    assert not Mail.objects.exists()
