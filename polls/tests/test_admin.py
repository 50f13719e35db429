"""What staff find in the administration: sponsors, and nothing of anybody's vote."""

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from accounts.tests.factories import make_user
from conftest import client_of
from polls.models import Sponsor
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


def test_nothing_is_deleted(poll, operator):
    sponsor = Sponsor.objects.create(
        poll=poll, name="Harrow Lane", kind="research", honorarium=1200, quota=50
    )

    assert operator.post(reverse("admin:polls_sponsor_delete", args=[sponsor.pk])).status_code == 403


def test_no_permission_speaks_of_votes():
    of_votes = ("Ballot", "Receipt", "Ticket", "Tally", "Sight")

    assert [apps.get_model("polls", name)._meta.default_permissions for name in of_votes] == [()] * 5
