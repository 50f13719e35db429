"""What staff find in the administration: sponsors, and nothing of anybody's vote."""

from threading import Thread

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.db import OperationalError, connection, transaction
from django.urls import reverse

from accounts.tests.factories import make_user
from conftest import client_of
from polls.admin import SponsorForm
from polls.models import Receipt, Sponsor
from polls.tests.factories import make_poll, make_voter, vote

pytestmark = pytest.mark.django_db

ADD = "admin:polls_sponsor_add"


@pytest.fixture
def poll(physician):
    return make_poll(asker=physician)


@pytest.fixture
def operator(db):
    user = make_user(is_staff=True, is_superuser=True)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    return client_of(user)


def typed(poll, **fields):
    said = {"poll": poll.pk, "name": "Harrow Lane", "kind": "research", "honorarium": 1200, "quota": 50}
    return {**said, **fields}


def test_of_polls_nothing_but_sponsors_is_there():
    found = {model for model in admin.site._registry if model._meta.app_label == "polls"}

    assert found == {Sponsor}


def test_staff_name_a_sponsor_before_the_first_vote(poll, operator):
    response = operator.post(reverse(ADD), typed(poll))

    assert response.status_code == 302, response.content.decode()[:2000]
    assert (Sponsor.objects.get().poll, Sponsor.objects.get().honorarium) == (poll, 1200)


def test_and_not_afterwards(poll, operator):
    vote(poll, make_voter(), 0)

    response = operator.post(reverse(ADD), typed(poll))
    assert "Its sponsor cannot be named any more" in response.content.decode()
    assert not Sponsor.objects.exists()


def test_what_voters_were_told_does_not_change(poll, operator):
    sponsor = Sponsor.objects.create(
        poll=poll, name="Harrow Lane", kind="research", honorarium=1200, quota=50
    )
    address = reverse("admin:polls_sponsor_change", args=[sponsor.pk])
    assert operator.post(address, typed(poll, honorarium=1500)).status_code == 302
    vote(poll, make_voter(), 0)
    operator.post(address, typed(poll, honorarium=1))

    assert Sponsor.objects.get().honorarium == 1500


def test_the_poll_of_a_sponsor_stays(poll, operator, physician):
    sponsor = Sponsor.objects.create(
        poll=poll, name="Harrow Lane", kind="research", honorarium=1200, quota=50
    )
    other = make_poll(asker=physician)

    operator.post(reverse("admin:polls_sponsor_change", args=[sponsor.pk]), typed(other))

    assert [one.poll for one in Sponsor.objects.all()] == [poll]


def test_a_sponsor_is_deleted_before_the_first_vote_alone(operator, physician):
    free, begun = make_poll(asker=physician), make_poll(asker=physician)
    for poll in (free, begun):
        Sponsor.objects.create(poll=poll, name="Harrow Lane", kind="research", honorarium=1200, quota=50)
    vote(begun, make_voter(), 0)

    for poll, status in ((free, 302), (begun, 403)):
        address = reverse("admin:polls_sponsor_delete", args=[poll.pk])
        assert operator.post(address, {"post": "yes"}).status_code == status

    assert [one.poll for one in Sponsor.objects.all()] == [begun]


@pytest.mark.django_db(transaction=True)
def test_a_vote_waits_for_a_sponsor_that_was_looked_at(poll):
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
        assert SponsorForm(typed(poll)).is_valid()
        thread = Thread(target=write)
        thread.start()
        thread.join()

    assert waited


def test_no_permission_speaks_of_votes():
    of_votes = ("Ballot", "Receipt", "Ticket", "Tally", "Sight")

    assert [apps.get_model("polls", name)._meta.default_permissions for name in of_votes] == [()] * 5
