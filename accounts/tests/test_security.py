"""The security page, the devices that are logged in, and the doors that ask whether it is still you."""

import re
import time
from datetime import timedelta

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY as RECORDS
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.usersessions.models import UserSession
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import path, reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.doors import recently_authenticated
from accounts.services import sessions
from accounts.tests.factories import make_member
from conftest import client_of
from sermo.tests.people import log_in as log_in_by_hand
from sermo.urls import urlpatterns as site_urls
from verification.services import states

PASSWORD = "correct-horse-battery"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:139.0) Gecko/20100101 Firefox/139.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1"
PAGE = "/settings/security/"
END = "/settings/security/end-session/"


@recently_authenticated
def payout(request):
    """What only somebody who has just confirmed it is them may do."""
    return HttpResponse(f"{request.method} {request.POST.get('amount', '')}".strip())


urlpatterns = [path("payout/", payout), *site_urls]  # the site with one guarded page more


@pytest.fixture
def member(db):
    return make_member("left_atrium", email="ada@example.org", password=PASSWORD)


@pytest.fixture
def guarded(settings):
    settings.ROOT_URLCONF = __name__


def log_in(member, agent=FIREFOX):
    client = Client(headers={"User-Agent": agent})
    answer = client.post("/accounts/login/", {"login": member.user.email, "password": PASSWORD})
    assert answer.url == "/"
    return client


def confirm(client):
    """Prove once more that it is them; returns the answer."""
    return client.post("/accounts/reauthenticate/", {"password": PASSWORD})


def grow_older(client, seconds):
    """Let the time pass since a browser's owner last proved who they are."""
    session = client.session
    for record in session[RECORDS]:
        record["at"] -= seconds
    session.save()


def session_of(client):
    return UserSession.objects.get(session_key=client.session.session_key)


def is_logged_in(client):
    return client.get(PAGE).status_code == 200


def make_key(member, name="Blue key", **data):
    credential = {"clientExtensionResults": {"credProps": {"rk": True}}}
    return Authenticator.objects.create(
        user=member.user,
        type=Authenticator.Type.WEBAUTHN,
        data={"name": name, "credential": credential, **data},
    )


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


# The page


def test_the_page_shows_everything_that_protects_an_account(member):
    client = log_in(member)
    TOTP.activate(member.user, generate_totp_secret())
    codes = RecoveryCodes.activate(member.user)
    codes.validate_code(codes.generate_codes()[0])
    make_key(member)

    words = text_of(client.get(PAGE))

    assert "ada@example.org" in words
    assert "Changing it logs out every device" in words
    assert "Blue key" in words
    assert "1 set up" in words
    assert "not used yet" in words
    assert "In use since" in words
    assert "9 unused" in words
    assert "Firefox on Windows" in words
    assert "127.0.0.1" in words
    assert "This one" in words


def test_the_page_of_an_account_without_factors_offers_them(member):
    html = log_in(member).get(PAGE).content.decode()

    for name in ("mfa_add_webauthn", "mfa_activate_totp", "account_change_password", "account_email"):
        assert reverse(name) in html
    assert reverse("mfa_generate_recovery_codes") not in html
    assert "Log out everywhere else" not in html


def test_a_key_is_shown_with_its_days_and_the_ways_to_rename_and_remove_it(member):
    client = log_in(member)
    key = make_key(member, "Phone")
    Authenticator.objects.filter(pk=key.pk).update(last_used_at=timezone.now() - timedelta(hours=3))
    other = make_key(make_member(), "Another's")

    page = client.get(PAGE)

    assert "Passkey, added" in text_of(page)
    assert "last used 3 h ago" in text_of(page)
    assert reverse("mfa_remove_webauthn", args=[key.pk]) in page.content.decode()
    assert "Another&#x27;s" not in page.content.decode()
    assert reverse("mfa_remove_webauthn", args=[other.pk]) not in page.content.decode()


def test_the_page_costs_the_same_for_many_devices_and_keys(member, django_assert_max_num_queries):
    client, *_ = [log_in(member) for _ in range(6)]
    for number in range(6):
        make_key(member, f"Key {number}")
    RecoveryCodes.activate(member.user)

    with django_assert_max_num_queries(8):
        client.get(PAGE)


def test_staff_without_a_membership_have_the_page(staff):
    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})

    html = client_of(staff).get(PAGE).content.decode()

    assert "Security" in html
    assert reverse("verification:byline") not in html


def test_staff_who_lack_a_second_factor_reach_the_page_that_sets_it_up(staff):
    client = client_of(staff)

    page = client.get("/admin/", follow=True)

    assert page.redirect_chain == [("/accounts/2fa/", 302), (PAGE, 302)]
    assert page.status_code == 200
    assert "Your role needs a second factor." in page.content.decode()


@pytest.mark.parametrize("name", ["mfa_index", "mfa_list_webauthn", "usersessions_list"])
def test_the_addresses_of_before_lead_to_the_page(member, name):
    assert log_in(member).get(reverse(name)).url == PAGE


@pytest.mark.parametrize(
    "name", ["account_email", "account_change_password", "mfa_add_webauthn", "mfa_activate_totp"]
)
def test_the_pages_behind_it_count_as_security(member, name):
    client = log_in(member)
    confirm(client)

    html = client.get(reverse(name)).content.decode()

    assert f'<a href="{PAGE}" aria-current="true">Security</a>' in html


def test_a_visitor_is_sent_to_log_in(client, db):
    assert client.get(PAGE).url == f"/accounts/login/?next={PAGE}"
    assert client.post(END, {"session": "all"}).url.startswith("/accounts/login/")


# Devices


def test_a_device_is_logged_out_at_once_and_twice_is_no_fault(member):
    here, there = log_in(member), log_in(member, SAFARI)
    session = session_of(there)

    for _ in range(2):
        assert here.post(END, {"session": session.pk}).url == PAGE

    assert not is_logged_in(there)
    assert is_logged_in(here)
    assert "iPhone" not in here.get(PAGE).content.decode()


def test_another_s_device_cannot_be_logged_out(member, colleague):
    colleague.user.set_password(PASSWORD)
    colleague.user.save()
    theirs = log_in(colleague)

    answer = log_in(member).post(END, {"session": session_of(theirs).pk})

    assert answer.url == PAGE
    assert is_logged_in(theirs)


def test_this_device_is_not_ended_by_mistake(member):
    client = log_in(member)

    client.post(END, {"session": session_of(client).pk})

    assert is_logged_in(client)


def test_everything_else_is_logged_out_in_one_step(member, colleague):
    here, others = log_in(member), [log_in(member), log_in(member, SAFARI)]
    colleague.user.set_password(PASSWORD)
    colleague.user.save()
    stranger = log_in(colleague)

    here.post(END, {"session": "all"})

    assert [is_logged_in(client) for client in (*others, here, stranger)] == [False, False, True, True]
    assert UserSession.objects.filter(user=member.user).count() == 1


@pytest.mark.parametrize("session", ["", "none", "-1", "9" * 30, "٣"])
def test_nonsense_ends_nothing(member, session):
    client = log_in(member)

    assert client.post(END, {"session": session}).url == PAGE
    assert is_logged_in(client)


def test_ending_a_session_takes_a_post_with_a_token(member):
    client = log_in(member)
    assert client.get(END).status_code == 405

    client.handler.enforce_csrf_checks = True
    assert client.post(END, {"session": "all"}).status_code == 403


def test_sessions_that_ran_out_are_not_shown(member):
    here, old = log_in(member), log_in(member, SAFARI)
    old.session.delete()

    assert "iPhone" not in here.get(PAGE).content.decode()
    assert sessions.live_sessions(member.user).count() == 1


def test_a_changed_password_ends_every_session(member):
    here, there = log_in(member), log_in(member, SAFARI)
    new = "another-horse-battery"

    here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})

    assert not is_logged_in(here)
    assert not is_logged_in(there)
    fresh = Client()
    fresh.post("/accounts/login/", {"login": member.user.email, "password": new})
    assert text_of(fresh.get(PAGE)).count("since just now") == 1


def test_a_suspension_ends_every_session(member):
    clients = [log_in(member), log_in(member, SAFARI)]

    states.end_sessions(member.user)

    assert not any(is_logged_in(client) for client in clients)


# When a device was last seen


def test_a_device_is_noted_as_seen_once_in_a_quarter_of_an_hour(member, django_assert_num_queries):
    client = log_in(member)
    long_ago = timezone.now() - timedelta(hours=5)
    UserSession.objects.update(last_seen_at=long_ago)

    client.get("/about/rules/")
    assert session_of(client).last_seen_at == long_ago  # just logged in, which says enough

    grow_older(client, 901)
    client.get(PAGE)
    seen = session_of(client).last_seen_at
    assert timezone.now() - seen < timedelta(minutes=1)
    client.get(PAGE)
    assert session_of(client).last_seen_at == seen


def test_looking_at_a_page_without_a_session_notes_nothing(client, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/healthz")


# Is it still you?


@pytest.mark.parametrize(
    "address", ["/payout/", "/accounts/2fa/webauthn/add/", "/accounts/2fa/totp/activate/"]
)
def test_an_old_session_confirms_and_comes_back_to_where_it_was(member, guarded, address):
    client = log_in(member)
    confirm(client)
    assert client.get(address).status_code == 200
    grow_older(client, 901)

    sent = client.get(address)
    assert sent.url == f"/accounts/reauthenticate/?next={address.replace('/', '%2F')}"
    assert client.get(sent.url).status_code == 200
    back = client.post(sent.url, {"password": PASSWORD, "next": address})

    assert back.url == address
    assert client.get(address).status_code == 200


def test_a_wrong_password_opens_nothing(member, guarded):
    client = log_in(member)

    page = client.post("/accounts/reauthenticate/", {"password": "wrong", "next": "/payout/"})

    assert page.status_code == 200
    assert client.get("/payout/").status_code == 302


def test_within_a_quarter_of_an_hour_nobody_is_asked_again(member, guarded):
    client = log_in(member)
    confirm(client)

    grow_older(client, 890)
    assert client.get("/payout/").content == b"GET"

    grow_older(client, 20)
    assert client.get("/payout/").status_code == 302


def test_what_was_sent_is_done_once_it_is_confirmed(member, guarded):
    client = log_in(member)

    sent = client.post("/payout/", {"amount": "25"})
    done = client.post(sent.url, {"password": PASSWORD, "next": "/payout/"})

    assert done.content == b"POST 25"


def test_nobody_is_led_to_another_site_afterwards(member):
    client = log_in(member)

    back = client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "https://evil.example/"})

    assert back.url == "/"


def test_a_visitor_of_a_guarded_page_logs_in(client, db, guarded):
    assert client.get("/payout/").url == "/accounts/login/?next=/payout/"
    assert client.get("/payout/", headers={"HX-Request": "true"}).status_code == 401


def test_a_script_is_told_to_take_the_whole_page_there(member, guarded):
    client = log_in(member)
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/settings/?tab=money"}

    answer = client.post("/payout/", {"amount": "25"}, headers=headers)

    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/accounts/reauthenticate/?next=%2Fsettings%2F%3Ftab%3Dmoney"
    confirm(client)
    assert client.post("/payout/", {"amount": "25"}, headers=headers).content == b"POST 25"


def test_with_an_app_its_code_confirms_as_well(member, guarded):
    client = log_in(member)
    secret = generate_totp_secret()
    TOTP.activate(member.user, secret)

    offered = client.get("/accounts/reauthenticate/?next=/payout/").content.decode()
    assert "/accounts/2fa/reauthenticate/?next=%2Fpayout%2F" in offered
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    back = client.post("/accounts/2fa/reauthenticate/", {"code": code, "next": "/payout/"})

    assert back.url == "/payout/"
    assert client.get("/payout/").status_code == 200


def test_with_a_key_the_key_is_offered_to_confirm(member, guarded):
    client = log_in(member)
    make_key(member)

    page = client.get("/accounts/reauthenticate/?next=/payout/").content.decode()

    assert "/accounts/2fa/webauthn/reauthenticate/?next=%2Fpayout%2F" in page


def test_without_a_password_the_key_alone_is_asked_for(member, guarded):
    client = log_in(member)
    make_key(member)
    member.user.set_unusable_password()
    member.user.save()
    client.force_login(member.user)

    assert client.get("/payout/").url == "/accounts/2fa/webauthn/reauthenticate/?next=%2Fpayout%2F"


def test_the_address_changes_only_after_confirming(member):
    client = log_in(member)
    typed = {"email": "new@example.org", "action_add": ""}

    assert client.get("/accounts/email/").status_code == 200
    sent = client.post("/accounts/email/", typed)
    assert sent.url == "/accounts/reauthenticate/?next=%2Faccounts%2Femail%2F"
    assert not [letter for letter in mail.outbox if letter.to == ["new@example.org"]]

    client.post(sent.url, {"password": PASSWORD, "next": "/accounts/email/"})
    assert mail.outbox[-1].to == ["new@example.org"]  # the code that makes it the new one


@pytest.mark.parametrize("name", ["mfa_deactivate_totp", "mfa_generate_recovery_codes"])
def test_factors_change_only_after_confirming(member, name):
    client = log_in(member)
    TOTP.activate(member.user, generate_totp_secret())
    RecoveryCodes.activate(member.user)

    assert client.post(reverse(name)).url.startswith("/accounts/reauthenticate/")
    assert client.get(reverse(name)).url.startswith("/accounts/reauthenticate/")
    assert member.user.authenticator_set.count() == 2


def test_a_key_is_removed_only_after_confirming(member):
    client = log_in(member)
    key = make_key(member)
    address = reverse("mfa_remove_webauthn", args=[key.pk])

    assert client.post(address).url.startswith("/accounts/reauthenticate/")
    assert Authenticator.objects.filter(pk=key.pk).exists()

    confirm(client)
    assert client.post(address, follow=True).redirect_chain[-1][0] == PAGE
    assert not Authenticator.objects.filter(pk=key.pk).exists()


# A passkey in a browser


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_passkey_is_added_and_logs_in_and_confirms_alone(browser_page, live_server):
    member = make_member("left_atrium", email="ada@example.org", password=PASSWORD)
    page, site = browser_page(viewport={"width": 390, "height": 844}), live_server.url
    fit_with_a_key(page)

    log_in_by_hand(page, site, "ada@example.org", PASSWORD)
    page.goto(f"{site}{PAGE}")
    page.get_by_role("link", name="Add a key").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill("This laptop")
    expect(page.get_by_label("It logs me in alone")).to_be_checked()
    page.get_by_role("button", name="Add the key").click()
    expect(page.locator("h1")).to_have_text("Recovery codes")

    page.goto(f"{site}{PAGE}")
    expect(page.get_by_text("This laptop", exact=True).first).to_be_visible()
    expect(page.get_by_text("Passkey, added")).to_be_visible()
    expect(page.get_by_text("10 unused")).to_be_visible()

    page.context.clear_cookies()
    page.goto(f"{site}/accounts/login/?next={PAGE}")
    page.get_by_role("button", name="Log in with a passkey").click()
    page.wait_for_url(lambda url: "/accounts/login/" not in url)
    page.goto(f"{site}{PAGE}")
    expect(page.get_by_text("last used just now")).to_be_visible()

    page.get_by_role("link", name="Remove This laptop").click()
    page.get_by_role("link", name="Use a passkey or security key").click()
    page.get_by_role("button", name="Use a passkey or security key").click()
    page.get_by_role("button", name="Remove the key").click()
    expect(page.locator("h1")).to_have_text("Security")
    assert not member.user.authenticator_set.filter(type=Authenticator.Type.WEBAUTHN).exists()


def fit_with_a_key(page):
    """Give the browser a built-in authenticator that always agrees."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
