"""Exchanging names within a connection."""

import pytest
from django.db import connection as database

from accounts.models import Connection, Face, Member, Notice
from accounts.services import ties
from accounts.tests.factories import make_member
from conftest import client_of
from verification.models import Claim
from verification.models.claims import State
from verification.services import revealing, states
from verification.tests.factories import make_claim, make_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(provider, physician, colleague):
    """Two connected physicians with verified names."""
    make_claim(physician, provider, state=State.VERIFIED)
    make_claim(colleague, make_provider("Bramblewood", "Tobias"), state=State.VERIFIED)
    asked = ties.request_connection(requester=physician, addressee=colleague)
    return ties.accept(connection=asked, by=colleague)


def names(pair):
    pair.refresh_from_db()
    return pair.requester_name, pair.addressee_name


def test_names_are_written_only_once_both_have_agreed(pair, physician, colleague):
    revealing.reveal(connection=pair, member=physician)
    assert names(pair) == (None, None)

    revealing.reveal(connection=pair, member=colleague)

    assert names(pair) == ("Ottoline Quillfeather, MD", "Tobias Bramblewood, MD")


def test_names_cannot_be_read_in_the_database(pair, physician, colleague):
    revealing.reveal(connection=pair, member=physician)
    revealing.reveal(connection=pair, member=colleague)

    with database.cursor() as cursor:
        cursor.execute("SELECT requester_name FROM accounts_connection")
        assert b"Quillfeather" not in bytes(cursor.fetchone()[0])


def test_each_sees_the_others_name_on_the_list_and_on_no_page(pair, physician, colleague, third):
    physician.school, physician.training = "Miskatonic Medical School", "Hidden Hospital"
    physician.visibility = {"school": "connections", "training": "me"}
    physician.save()
    list_of = lambda member: client_of(member).get("/connections/").content.decode()  # noqa: E731
    revealing.reveal(connection=pair, member=physician)
    assert "Quillfeather" not in list_of(colleague)
    assert "Miskatonic" not in list_of(colleague)

    revealing.reveal(connection=pair, member=colleague)

    assert "Ottoline Quillfeather, MD" in list_of(colleague)
    assert "Miskatonic" in list_of(colleague)
    assert "Hidden Hospital" not in list_of(colleague)
    assert "Quillfeather" not in list_of(third)
    page = client_of(colleague).get(physician.get_absolute_url()).content.decode()
    assert "Quillfeather" not in page
    assert "Miskatonic" not in page


@pytest.mark.parametrize("by", [0, 1])
def test_taking_back_erases_both_names(pair, physician, colleague, by):
    for member in (physician, colleague):
        revealing.reveal(connection=pair, member=member)

    ties.unreveal(connection=pair, member=(physician, colleague)[by])

    assert names(pair) == (None, None)
    pair.refresh_from_db()
    assert (pair.requester_reveals, pair.addressee_reveals).count(True) == 1


@pytest.mark.parametrize("how", ["end", "block"])
def test_the_end_of_the_connection_erases_names_and_agreements(pair, physician, colleague, how):
    for member in (physician, colleague):
        revealing.reveal(connection=pair, member=member)

    if how == "end":
        ties.end(connection=pair, by=physician)
    else:
        ties.block(blocker=physician, blocked=colleague, blocked_face=Face.HANDLE)

    assert names(pair) == (None, None)
    assert not pair.requester_reveals
    assert not pair.addressee_reveals


def test_a_connection_made_anew_starts_without_agreement(pair, physician, colleague):
    revealing.reveal(connection=pair, member=physician)
    ties.end(connection=pair, by=physician)
    asked = ties.request_connection(requester=colleague, addressee=physician)
    ties.accept(connection=asked, by=physician)

    revealing.reveal(connection=asked, member=colleague)

    assert names(pair) == (None, None)


def test_without_a_verified_name_there_is_nothing_to_exchange(pair, physician):
    Claim.objects.filter(user=physician.user).update(state=State.LAPSED)

    with pytest.raises(ties.NoVerifiedName):
        revealing.reveal(connection=pair, member=physician)
    page = client_of(physician).post(f"/verify/reveal/{pair.pk}/", {"reveal": "1"})
    assert page.status_code == 422
    assert ties.NoVerifiedName.message in page.content.decode()


def test_a_lapse_between_the_two_agreements_is_not_told_by_the_exchange(pair, physician, colleague):
    revealing.reveal(connection=pair, member=physician)
    Claim.objects.filter(user=physician.user).update(state=State.LAPSED)
    Member.objects.filter(pk=physician.pk).update(standing="read_only")

    revealing.reveal(connection=pair, member=colleague)

    assert names(pair) == ("Ottoline Quillfeather, MD", "Tobias Bramblewood, MD")


@pytest.mark.parametrize("agreed", [1, 2])
def test_a_revocation_erases_what_was_offered_and_exchanged(pair, physician, colleague, reviewer, agreed):
    for member in (physician, colleague)[:agreed]:
        revealing.reveal(connection=pair, member=member)

    claim = Claim.objects.get(user=physician.user)
    Claim.objects.filter(pk=claim.pk).update(state=State.SUSPENDED)
    states.move(claim=claim, to=State.REVOKED, as_=states.REVIEWER, by=reviewer)

    assert names(pair) == (None, None)
    assert not pair.requester_reveals
    assert not pair.addressee_reveals


def test_agreeing_asks_that_it_is_still_them_and_taking_back_does_not(pair, physician):
    physician.user.set_password("murmur-at-the-left-border")
    physician.user.save()
    address, stale = f"/verify/reveal/{pair.pk}/", client_of(physician)

    assert "reauthenticate" in stale.get(address).url
    assert "reauthenticate" in stale.post(address, {"reveal": "1"}).url
    pair.refresh_from_db()
    assert not pair.requester_reveals

    revealing.reveal(connection=pair, member=physician)
    assert "Take your name back" in stale.get(address).content.decode()
    assert stale.post(address, {"reveal": "0"}).url == "/connections/"
    pair.refresh_from_db()
    assert not pair.requester_reveals


def test_only_the_connected_exchange_names(pair, third, physician, colleague):
    with pytest.raises(ties.NotConnected):
        ties.reveal(connection=pair, member=third, names={third.pk: "Bo Reed, MD"})
    assert client_of(third).get(f"/verify/reveal/{pair.pk}/").status_code == 404
    Connection.objects.update(state="requested")
    assert client_of(physician).get(f"/verify/reveal/{pair.pk}/").status_code == 404
    with pytest.raises(ties.NotConnected):
        revealing.reveal(connection=pair, member=physician)


def test_the_lapsed_offer_no_name_and_may_take_it_back(pair, physician):
    revealing.reveal(connection=pair, member=physician)
    physician.standing = "read_only"
    physician.save()

    with pytest.raises(ties.ReadOnly):
        revealing.reveal(connection=pair, member=physician)
    client_of(physician).post(f"/verify/reveal/{pair.pk}/", {"reveal": "0"})

    pair.refresh_from_db()
    assert not pair.requester_reveals


def test_only_the_exchange_is_told_not_the_offer_nor_the_end(pair, physician, colleague):
    Notice.objects.all().delete()

    revealing.reveal(connection=pair, member=physician)
    assert not Notice.objects.exists()
    revealing.reveal(connection=pair, member=colleague)
    assert Notice.objects.get().member == physician
    ties.unreveal(connection=pair, member=colleague)
    ties.end(connection=pair, by=colleague)

    assert Notice.objects.count() == 1


def test_the_page_says_that_it_cannot_be_unseen_and_works(pair, physician, colleague):
    address = f"/verify/reveal/{pair.pk}/"
    page = client_of(physician).get(address).content.decode()
    assert "cannot be unseen" in page
    assert "Ottoline Quillfeather, MD" in page

    client_of(physician).post(address, {"reveal": "1"})
    offered = client_of(colleague).get(address).content.decode()
    assert "left_atrium offers to exchange names" in offered
    assert "Quillfeather" not in offered
    client_of(colleague).post(address, {"reveal": "1"})

    assert names(pair)[0] == "Ottoline Quillfeather, MD"


def test_a_member_without_this_connection_cannot_tell_that_it_exists(pair):
    stranger = client_of(make_member())

    assert stranger.get(f"/verify/reveal/{pair.pk}/").status_code == 404
    assert stranger.get("/verify/reveal/999999/").status_code == 404
