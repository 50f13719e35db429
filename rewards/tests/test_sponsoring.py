"""A firm pays for a poll: said and reserved before the first vote, or not at all."""

from threading import Thread
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, transaction

from accounts.tests.factories import make_user
from polls.models import Receipt, Sponsor
from polls.tests.factories import make_poll, make_voter, vote
from rewards.models import Sponsorship, Transaction
from rewards.services import ledger, sponsoring
from rewards.services.deposits import FormUsed
from rewards.tests.factories import balance, make_firm
from verification.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def poll(physician):
    return make_poll(asker=physician)


@pytest.fixture
def firm(db):
    return make_firm("Halden", kind="device", balance=100_000)


def agree(poll, firm, **said):
    said = {"honorarium": 2_500, "quota": 10, "key": uuid4(), **said}
    return sponsoring.agree(poll=poll, firm=firm, **said)


def money(firm):
    """Cents of its balance, and what is reserved of them."""
    return balance(ledger.firm_balance(firm)), balance(ledger.reserved_of(firm))


def test_the_poll_says_who_pays_and_all_of_it_is_reserved(poll, firm):
    made = agree(poll, firm)

    label = Sponsor.objects.get(poll=poll)
    assert (label.name, label.kind, label.honorarium, label.quota, label.taken) == (
        "Halden",
        "device",
        2_500,
        10,
        0,
    )
    assert (made.poll_id, made.is_blinded, made.ended_at) == (poll.pk, True, None)
    assert money(firm) == (75_000, 25_000)


def test_a_firm_that_shows_no_name_is_called_by_its_kind(poll):
    agree(poll, make_firm(kind="research", shows_name=False))

    assert Sponsor.objects.get().name == "A research agency"


def test_the_same_form_twice_is_one_agreement(poll, firm):
    key = uuid4()

    assert agree(poll, firm, key=key) == agree(poll, firm, key=key)
    assert money(firm) == (75_000, 25_000)


def test_the_same_form_for_another_agreement_is_refused(poll, firm, physician):
    key = uuid4()
    agree(poll, firm, key=key)

    for said in ({"quota": 9}, {"honorarium": 2_400}, {"is_blinded": False}):
        with pytest.raises(FormUsed):
            agree(poll, firm, key=key, **said)
    with pytest.raises(FormUsed):
        agree(poll, make_firm(), key=key)
    with pytest.raises(FormUsed):
        agree(make_poll(asker=physician), firm, key=key)
    assert money(firm) == (75_000, 25_000)


def test_a_poll_has_one_sponsor(poll, firm):
    agree(poll, firm)

    with pytest.raises(sponsoring.SponsoredBefore):
        agree(poll, make_firm())


def test_nothing_is_agreed_after_the_first_vote(poll, firm):
    vote(poll, make_voter(), 0)

    with pytest.raises(sponsoring.BegunOrOver):
        agree(poll, firm)
    assert not Sponsor.objects.exists()


def test_nor_for_a_poll_that_is_over(physician, firm):
    with pytest.raises(sponsoring.BegunOrOver):
        agree(make_poll(asker=physician, is_over=True), firm)


@pytest.mark.parametrize(
    "said", [{"honorarium": 0}, {"quota": 0}, {"honorarium": -5}, {"quota": sponsoring.MOST + 1}]
)
def test_numbers_are_in_bounds(poll, firm, said):
    with pytest.raises(sponsoring.OutOfBounds):
        agree(poll, firm, **said)


def test_a_firm_pays_what_it_has(poll, firm):
    with pytest.raises(ledger.NotEnough):
        agree(poll, firm, quota=41)
    assert money(firm) == (100_000, 0)


def test_a_firm_that_is_gone_pays_nothing(poll):
    with pytest.raises(sponsoring.FirmNotActive):
        agree(poll, make_firm(is_active=False))


def test_withdrawn_before_the_first_vote_it_leaves_nothing(poll, firm):
    key = uuid4()
    made = agree(poll, firm, key=key)

    sponsoring.withdraw(sponsorship=made)
    sponsoring.withdraw(sponsorship=made)

    assert money(firm) == (100_000, 0)
    assert not Sponsor.objects.exists()
    with pytest.raises(sponsoring.Withdrawn):
        agree(poll, firm, key=key)
    assert agree(poll, firm, quota=5).label.quota == 5


def test_what_voters_were_told_does_not_change(poll, firm):
    made = agree(poll, firm)
    vote(poll, make_voter(), 0)

    with pytest.raises(sponsoring.BegunOrOver):
        sponsoring.withdraw(sponsorship=made)
    assert Sponsorship.objects.exists()


def test_staff_leave_an_event_and_their_subject_stands_in_the_ledger(poll, firm):
    staff = make_user(is_staff=True)
    made = agree(poll, firm, by=staff)
    sponsoring.withdraw(sponsorship=made, by=staff)

    said = Event.objects.filter(kind="finance_sponsorship").order_by("pk")
    assert [(event.to_state, event.object) for event in said] == [
        ("agreed", f"poll:{poll.pk}"),
        ("withdrawn", f"poll:{poll.pk}"),
    ]
    of_staff = Transaction.objects.filter(by=said[0].actor).order_by("pk")
    assert [row.kind for row in of_staff] == ["reserve", "release"]


@pytest.mark.django_db(transaction=True)
def test_a_vote_waits_for_an_agreement_under_way(poll, firm):
    """A receipt is written without a lock of the tally; it needs the row of its poll."""
    waited = []

    def write():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '200ms'")
            Receipt.objects.create(poll=poll, member=voter, kind="voted")
        except OperationalError:
            waited.append(True)
        finally:
            connection.close()

    voter = make_voter()
    with transaction.atomic():
        agree(poll, firm)
        thread = Thread(target=write)
        thread.start()
        thread.join()

    assert waited
