"""When a poll closed, as the firm that put it reads it, and as others do."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from conftest import client_of
from observers import keys
from observers.services import asking
from observers.tests.factories import let_pass, make_seat
from observers.tests.test_industry import let_close_pass, put
from polls.models import Poll, Tally
from polls.services import closing
from polls.tests.factories import make_poll
from rewards.tests.factories import make_firm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]


def day(moment):
    return f"{moment:%b} {moment.day}"


def page_of(client):
    return " ".join(client.get(reverse("observers:polls")).content.decode().split())


def test_a_poll_that_was_closed_early_says_when(seat, seat_client):
    with time_machine.travel(timezone.now() - timedelta(days=4)):
        poll = Poll.objects.get(pk=put(seat).pk)
        assert f'data-label="Closes">{day(poll.closes_at)}<' in page_of(seat_client)
    with time_machine.travel(timezone.now() - timedelta(days=2)):
        asking.close(seat=seat, question=poll.question)

    poll.refresh_from_db()
    page = page_of(seat_client)

    assert f'data-label="Closed">{day(poll.closed_at)}<' in page
    assert day(poll.closes_at) not in page


def test_one_whose_time_is_up_is_closed_before_that_is_written_down(seat, seat_client):
    poll = put(seat)
    Poll.objects.filter(pk=poll.pk).update(
        opened_at=timezone.now() - timedelta(days=7), closes_at=timezone.now() - timedelta(seconds=30)
    )

    page = page_of(seat_client)

    assert 'data-label="Closed">' in page
    assert '<span class="badge">Closed</span>' in page


# As any firm reads it


def pages_of(client, firm, poll):
    """Of a poll: the page of its discussion, and that of its result."""
    args = [keys.question_key(firm, poll.pk)]
    return [client.get(reverse(f"observers:{name}", args=args)).text for name in ("question", "results")]


def is_told(pages):
    """Whether both say that it is closed, with numbers; or neither does, and there are none."""
    discussion, result = pages
    said = {
        "Closed " in discussion,
        "60 voted" in discussion,
        "60 voted" in result,
        "Open until" not in discussion,
        "The poll is open" not in result,
    }
    assert len(said) == 1
    return said.pop()


@pytest.fixture
def poll(physician):
    poll = make_poll(asker=physician)
    let_pass(poll.question)
    Tally.objects.filter(poll=poll).update(voters=60, counts=[20, 20, 20])
    return poll


@pytest.mark.parametrize(("minutes", "is_known"), [(0, False), (50, False), (76, True)])
def test_a_close_before_its_day_reaches_firms_as_late_as_posts(
    seat_client, firm, poll, physician, minutes, is_known
):
    closing.close_poll(poll=poll, by=physician)
    let_close_pass(poll, timedelta(minutes=minutes))

    assert is_told(pages_of(seat_client, firm, poll)) is is_known


def test_a_close_on_its_day_is_known_at_once(seat_client, firm, poll):
    Poll.objects.filter(pk=poll.pk).update(
        opened_at=timezone.now() - timedelta(days=7), closes_at=timezone.now() - timedelta(seconds=1)
    )
    assert is_told(pages_of(seat_client, firm, poll)) is False

    closing.close_if_due(poll_id=poll.pk)

    assert is_told(pages_of(seat_client, firm, poll)) is True


def test_who_pays_a_poll_knows_at_once_that_it_closed_and_no_other_firm(seat, seat_client):
    poll = Poll.objects.get(pk=put(seat).pk)
    let_pass(poll.question)
    Tally.objects.filter(poll=poll).update(voters=60, counts=[40, 20])
    other = make_seat(make_firm(name="Other Firm"), name="N. Other")

    asking.close(seat=seat, question=poll.question)

    assert is_told(pages_of(seat_client, seat.firm, poll)) is True
    assert is_told(pages_of(client_of(other.user), other.firm, poll)) is False
