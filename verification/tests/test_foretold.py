from datetime import timedelta

import pytest
from django.utils import timezone

from verification.models import Decision
from verification.models.claims import State
from verification.services import foretold
from verification.tests.factories import make_claim

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def decided(provider, reviewer):
    """Writes down decisions that waited for so long, the last of them first."""
    claim = make_claim(provider=provider, state=State.VERIFIED)
    now = timezone.now()

    def write(*waited):
        Decision.objects.bulk_create(
            Decision(
                claim=claim,
                reviewer=reviewer,
                outcome="approve",
                reason="document_fits",
                note="",
                waited=each,
                at=now - number * HOUR,
            )
            for number, each in enumerate(waited)
        )

    return write


def test_nine_decisions_are_too_few_to_say(decided):
    decided(*[HOUR] * 9)

    assert not foretold.foretell().is_known
    assert foretold.foretell().words == "Too few claims were decided so far to say how long it takes."


def test_the_middle_and_nine_of_ten(decided):
    decided(*[number * HOUR for number in range(1, 21)])

    said = foretold.foretell()

    assert (said.of, said.half, said.most) == (20, 10 * HOUR, 18 * HOUR)
    assert said.words == "Half of the last 20 were decided within 10 hours, nine of ten within 18 hours."


def test_only_the_last_fifty_count(decided):
    decided(*[HOUR] * 50, *[900 * HOUR] * 40)

    assert foretold.foretell().most == HOUR


def test_decisions_that_nobody_waited_for_do_not_count(decided):
    decided(*[None] * 20, *[2 * HOUR] * 10)

    assert foretold.foretell().of == 10


def test_two_times_that_read_alike_are_said_once(decided):
    decided(*[timedelta(minutes=20)] * 12)

    assert foretold.foretell().words == "Nine of ten of the last 12 decisions came within an hour."


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(), "an hour"),
        (timedelta(minutes=60), "an hour"),
        (timedelta(minutes=61), "2 hours"),
        (timedelta(hours=48), "48 hours"),
        (timedelta(hours=49), "3 days"),
        (timedelta(days=9), "9 days"),
    ],
)
def test_a_time_is_never_said_shorter_than_it_was(time, words):
    assert foretold.spell(time) == words
