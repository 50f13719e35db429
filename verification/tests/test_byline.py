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
PASSWORD = "correct-horse-battery"


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
        byline.choose_byline(member=physician, mode="public", confirmed=True)


def test_going_public_writes_the_name_and_going_back_erases_it(member):
    byline.choose_byline(member=member, mode="public", confirmed=True)
    member.refresh_from_db()
    assert member.display_name == "Ottoline Quillfeather, MD"

    byline.choose_byline(member=member, mode="anonymous")
    member.refresh_from_db()
    assert member.display_name == ""


def test_the_page_shows_the_name_it_would_use(browser):
    assert "Ottoline Quillfeather, MD" in browser.get(ADDRESS).content.decode()


def test_choosing_on_the_page(browser, member):
    response = browser.post(ADDRESS, {"mode": "public", "confirmed": "on"})

    member.refresh_from_db()
    assert response.url == reverse("verification:byline")
    assert member.byline_mode == Member.BylineMode.PUBLIC


def test_a_made_up_mode_is_refused(browser, member):
    assert browser.post(ADDRESS, {"mode": "loud"}).status_code == 422


def test_a_name_cannot_be_typed(browser, member):
    browser.post(ADDRESS, {"mode": "public", "confirmed": "on", "display_name": "Somebody Else, MD"})

    member.refresh_from_db()
    assert member.display_name == "Ottoline Quillfeather, MD"


def test_a_physician_without_a_claim_is_refused_in_words(physician):
    client = Client()
    client.force_login(physician.user)

    response = client.post(ADDRESS, {"mode": "public", "confirmed": "on"})

    assert response.status_code == 422
    assert profiles.NotVerified.message in response.content.decode()
    assert make_provider.__doc__


# Going more public is confirmed, and it is still them


@pytest.mark.parametrize(
    ("was", "mode"), [("anonymous", "partial"), ("anonymous", "public"), ("partial", "public")]
)
def test_showing_more_than_now_needs_a_tick(browser, member, was, mode):
    byline.choose_byline(member=member, mode=was, confirmed=True)

    page = browser.post(ADDRESS, {"mode": mode})

    assert page.status_code == 422
    assert byline.ShowsMore.message in page.content.decode()
    member.refresh_from_db()
    assert member.byline_mode == was
    assert browser.post(ADDRESS, {"mode": mode, "confirmed": "on"}).status_code == 302


def test_showing_less_needs_none(browser, member):
    byline.choose_byline(member=member, mode="public", confirmed=True)

    assert browser.post(ADDRESS, {"mode": "partial"}).status_code == 302
    assert browser.post(ADDRESS, {"mode": "anonymous"}).status_code == 302


def test_the_same_again_needs_none(browser, member):
    byline.choose_byline(member=member, mode="public", confirmed=True)

    assert browser.post(ADDRESS, {"mode": "public"}).status_code == 302


def test_the_page_tells_what_follows_and_how_it_would_read(browser, member):
    member.face = {"specialty": "Cardiovascular Disease", "region": "Mountain", "years": "11+"}
    member.save()

    page = browser.get(ADDRESS).content.decode()

    assert "left_atrium, Cardiovascular Disease, Mountain, 11 years and more" in page
    assert "Nothing earlier is uncovered." in page
    assert "“a colleague”" in page


def test_the_page_says_when_partial_would_add_nothing(browser):
    assert "partial reads like anonymous" in browser.get(ADDRESS).content.decode()


def test_a_handle_with_a_part_of_the_name_is_warned_of(browser, member):
    member.handle = "dr_quillfeather"
    member.save()

    assert "Your handle holds a part of your name." in browser.get(ADDRESS).content.decode()


def test_whoever_has_a_password_confirms_it_first_and_comes_back(browser, member):
    member.user.set_password(PASSWORD)
    member.user.save()
    browser.force_login(member.user)

    asked = browser.get(ADDRESS)
    assert asked.url.startswith(reverse("account_reauthenticate"))
    assert asked.url.endswith("next=%2Fverify%2Fbyline%2F")

    back = browser.post(asked.url, {"password": PASSWORD})
    assert back.url == ADDRESS
    assert browser.get(ADDRESS).status_code == 200


def test_nothing_is_changed_before_it_is_confirmed(browser, member):
    member.user.set_password(PASSWORD)
    member.user.save()
    browser.force_login(member.user)

    asked = browser.post(ADDRESS, {"mode": "public", "confirmed": "on"})

    assert asked.url.startswith(reverse("account_reauthenticate"))
    member.refresh_from_db()
    assert member.byline_mode == Member.BylineMode.ANONYMOUS
