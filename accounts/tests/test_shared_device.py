"""A session on a device that others use: when it ends, what keeps it, and what does not."""

import time
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from accounts.services import sessions
from accounts.tests.factories import make_member
from conftest import client_of
from sermo.sessions import UNTIL, SessionStore
from sermo.tests.people import PASSWORD

pytestmark = pytest.mark.django_db
COOKIE = "shared_device"


@pytest.fixture
def member():
    return make_member("left_atrium", email="ada@example.org", password=PASSWORD)


def log_in(member, **more):
    client = Client()
    answer = client.post("/accounts/login/", {"login": member.user.email, "password": PASSWORD, **more})
    assert answer.status_code == 302
    return client


def later(minutes, seconds=0):
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes, seconds=seconds), tick=False)


def is_in(client, address="/settings/"):
    return client.get(address).status_code == 200


def test_the_tick_says_what_it_does(client):
    page = client.get("/accounts/login/").content.decode()

    assert "Others use this device" in page
    assert "after 30 minutes in which you do nothing" in page


def test_the_cookie_goes_with_the_browser_and_is_never_remembered(member):
    client = log_in(member, shared="on", remember="on")

    cookie = client.cookies["sessionid"]
    assert (cookie["max-age"], cookie["expires"]) == ("", "")
    assert client.session.get_expire_at_browser_close()


def test_others_last_as_ever(member):
    client = log_in(member, remember="on")

    assert UNTIL not in client.session
    assert COOKIE not in client.cookies
    assert client.cookies["sessionid"]["max-age"] == 14 * 24 * 3600
    with later(31):
        assert is_in(client)


def test_it_ends_30_minutes_after_the_last_request_at_the_server(member):
    client = log_in(member, shared="on")

    with later(20):
        assert is_in(client)
    with later(49):
        assert is_in(client)
    with later(79, 30):
        answer = client.get("/settings/")
    assert answer.url == "/accounts/login/?next=/settings/"


def test_the_row_itself_runs_out_whatever_the_cookie_says(member):
    client = log_in(member, shared="on")

    left = Session.objects.get(pk=client.session.session_key).expire_date - timezone.now()

    assert timedelta(minutes=29) < left <= timedelta(minutes=30)


def test_saving_a_session_for_another_reason_keeps_nobody_logged_in(member):
    client = log_in(member, shared="on")
    before = Session.objects.get().expire_date

    with later(10):
        store = SessionStore(client.session.session_key)
        store["word"] = "kept"
        store.save()

    assert Session.objects.get().expire_date == before


def test_whoever_comes_too_late_is_told_why_once(member):
    client = log_in(member, shared="on")

    with later(31):
        page = client.get("/settings/", follow=True).content.decode()
        again = client.get("/accounts/login/").content.decode()

    assert "nothing was done here for 30 minutes" in page
    assert "nothing was done here" not in again


def test_who_logs_out_is_told_nothing_of_it(member):
    client = log_in(member, shared="on")

    client.post("/accounts/logout/")

    assert client.cookies[COOKIE].value == ""
    assert "nothing was done" not in client.get("/accounts/login/").content.decode()


def test_a_script_that_comes_too_late_gets_a_bare_401_so_that_what_was_typed_stays(member):
    client = log_in(member, shared="on")

    with later(31):
        answer = client.get("/notifications/", headers={"HX-Request": "true"})

    assert answer.status_code == 401


def test_the_second_factor_comes_in_between_and_changes_nothing(member):
    secret = generate_totp_secret()
    TOTP.activate(member.user, secret)
    client = log_in(member, shared="on")
    assert "_auth_user_id" not in client.session

    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    client.post("/accounts/2fa/authenticate/", {"code": code})

    assert client.session["_auth_user_id"]
    assert sessions.seconds_left(client.session) > 1_700
    assert client.session.get_expire_at_browser_close()
    assert Authenticator.objects.filter(user=member.user).exists()


def test_a_passkey_logs_in_with_the_tick_beside_it(member, rf):
    from django.contrib.auth import login

    request = rf.post("/accounts/2fa/webauthn/login/", {"shared": "on", "credential": "{}"})
    request.session = SessionStore()
    login(request, member.user, backend="accounts.backends.SermoBackend")

    assert sessions.seconds_left(request.session) > 1_700
    assert 'name="shared" value=""' in Client().get("/accounts/login/").content.decode()


POLLED = {
    "accounts:notice_count",
    "accounts:export_state",
    "accounts:shared_left",
    "on_call:inbox",
    "focusgroups:live_lines",
    "admin:focusgroups_room_live_lines",
}


def views_of(patterns, prefix=""):
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            space = f"{pattern.namespace}:" if pattern.namespace else prefix
            yield from views_of(pattern.url_patterns, space)
        elif pattern.name:
            yield f"{prefix}{pattern.name}", pattern.callback


def test_what_open_pages_ask_by_themselves_is_known():
    found = {
        name for name, view in views_of(get_resolver().url_patterns) if getattr(view, "is_polled", False)
    }

    assert found == POLLED


@pytest.mark.parametrize("name", ["accounts:notice_count", "accounts:export_state", "accounts:shared_left"])
def test_polling_keeps_nobody_logged_in(member, name):
    client = log_in(member, shared="on")

    for minutes in (10, 20, 29):
        with later(minutes):
            client.get(reverse(name), headers={"HX-Request": "true"})

    with later(31):
        assert client.get("/settings/").status_code == 302


def test_staying_is_one_click(member):
    client = log_in(member, shared="on")

    with later(29):
        said = client.post(reverse("accounts:shared_stay"), headers={"Accept": "application/json"}).json()
    with later(50):
        assert is_in(client)

    assert said == {"seconds": 1800}


@pytest.mark.parametrize(
    ("next_page", "leads_to"), [("/settings/", "/settings/"), ("//elsewhere.example/", "/")]
)
def test_without_a_script_staying_leads_back(member, next_page, leads_to):
    client = log_in(member, shared="on")

    assert client.post(reverse("accounts:shared_stay"), {"next": next_page}).url == leads_to


def test_how_long_it_lasts_is_asked_by_whoever_is_logged_in(member):
    assert Client().get(reverse("accounts:shared_left")).status_code == 302
    assert client_of(member).get(reverse("accounts:shared_left")).json() == {"seconds": None}
    assert log_in(member, shared="on").get(reverse("accounts:shared_left")).json()["seconds"] > 1_700


def test_the_page_says_it_on_shared_devices_alone(member):
    words = "you are logged out 30 minutes after you last did something"

    assert words in log_in(member, shared="on").get("/settings/").content.decode()
    assert words not in log_in(member).get("/settings/").content.decode()


def test_a_request_costs_one_write_in_a_while_and_none_right_after(member, django_assert_num_queries):
    client = log_in(member, shared="on")
    client.get("/settings/")
    before = Session.objects.get().session_data

    client.get("/settings/")

    assert Session.objects.get().session_data == before


def with_password(page, live_server):
    make_member("left_atrium", email="ada@example.org", password=PASSWORD)
    page.goto(f"{live_server.url}/accounts/login/?next=/settings/")
    page.get_by_label("E-mail").fill("ada@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Others use this device").check()
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url("**/settings/")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_two_minutes_before_the_end_one_is_warned_and_may_stay(browser_page, live_server, settings):
    settings.SHARED_DEVICE_MINUTES = 2
    page = browser_page(viewport={"width": 390, "height": 844})
    with_password(page, live_server)

    page.get_by_text("You are logged out in two minutes.").wait_for()
    page.get_by_role("button", name="Stay logged in").click()

    page.get_by_text("You stay logged in.").wait_for()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_at_the_end_no_page_stays_open(browser_page, live_server, settings):
    settings.SHARED_DEVICE_MINUTES = 1 / 15
    page = browser_page(viewport={"width": 1280, "height": 800})
    with_password(page, live_server)

    page.wait_for_url("**/accounts/login/?next=/settings/", timeout=20_000)

    assert "You were logged out" in page.content()


@pytest.mark.parametrize("shared", ["", "on"])
def test_a_health_check_costs_nothing_more_on_a_shared_device(member, shared, django_assert_max_num_queries):
    client = log_in(member, shared=shared)

    with django_assert_max_num_queries(2):  # whose session it is, as ever
        assert client.get("/healthz").status_code == 200
