"""Every page and mail of signing up, logging in and guarding an account, drawn for real."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.services.members import create_member

pytestmark = pytest.mark.django_db

PASSWORD = "long-enough-phrase"
VISITOR_PAGES = ["account_login", "account_signup", "account_reset_password"]
OWN_PAGES = [
    "account_email",
    "account_change_password",
    "account_logout",
    "accounts:security",
    "accounts:pictures",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "account_reauthenticate",
]
FACTOR_PAGES = [
    "accounts:security",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_reauthenticate",
]


def make_user(email):
    user = get_user_model().objects.create_user(email=email, password=PASSWORD)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    create_member(user=user, handle=email.split("@")[0])
    return user


def log_in(client, user):
    answer = client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302
    return client


@pytest.fixture
def newcomer():
    return make_user("new_attending@example.org")


@pytest.fixture
def newcomer_client(newcomer):
    """A log-in that has just been confirmed again, as pages that change its protection ask for."""
    client = log_in(Client(), newcomer)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


@pytest.fixture
def guarded_client(newcomer_client, newcomer):
    """Somebody who has set up an authenticator app and recovery codes since logging in."""
    TOTP.activate(newcomer, generate_totp_secret())
    RecoveryCodes.activate(newcomer)
    return newcomer_client


def assert_ours(page):
    """Whether a page is drawn in our frame and keeps to its own content security policy."""
    assert page.status_code == 200, page.headers.get("Location")
    html = page.content.decode()
    nonce = re.search(r"'nonce-([^']+)'", page["Content-Security-Policy"])[1]

    assert '<div class="verify stack">' in html
    assert html.count("<h1") == 1
    assert not re.search(r"\sstyle=|<style|<[^>]*\son[a-z]+=", html)
    assert "data:image" not in html
    for tag in re.findall(r"<script\b[^>]*>", html):
        assert f'nonce="{nonce}"' in tag or "application/json" in tag, tag
    for button in re.findall(r"<(?:button|a)\b[^>]*class=\"button[^>]*>", html):
        assert "btn" not in button
    return html


@pytest.mark.parametrize("name", VISITOR_PAGES)
def test_a_page_before_log_in_is_drawn_in_our_look(client, name):
    assert_ours(client.get(reverse(name)))


@pytest.mark.parametrize("name", OWN_PAGES)
def test_a_page_of_ones_account_is_drawn_in_our_look(newcomer_client, name):
    assert_ours(newcomer_client.get(reverse(name)))


@pytest.mark.parametrize("name", FACTOR_PAGES)
def test_a_page_of_the_second_factor_is_drawn_in_our_look(guarded_client, name):
    assert_ours(guarded_client.get(reverse(name)))


def test_the_secret_is_shown_as_an_inline_drawing(newcomer_client):
    html = assert_ours(newcomer_client.get(reverse("mfa_activate_totp")))

    assert re.search(r'<div class="qr"[^>]*><svg', html)
    assert "<?xml" not in html


def test_the_second_factor_is_asked_for_in_our_look(newcomer, client):
    TOTP.activate(newcomer, generate_totp_secret())
    client.post(reverse("account_login"), {"login": newcomer.email, "password": PASSWORD})

    html = assert_ours(client.get(reverse("mfa_authenticate")))

    assert 'id="mfa_webauthn_authenticate"' in html
    assert 'form="logout-from-stage"' in html


def test_a_key_can_be_renamed_and_removed(newcomer_client, newcomer):
    key = Authenticator.objects.create(
        user=newcomer, type=Authenticator.Type.WEBAUTHN, data={"name": "Blue key", "credential": {}}
    )

    assert "Blue key" in assert_ours(newcomer_client.get(reverse("accounts:security")))
    assert_ours(newcomer_client.get(reverse("mfa_edit_webauthn", args=[key.pk])))
    assert_ours(newcomer_client.get(reverse("mfa_remove_webauthn", args=[key.pk])))


def test_a_wrong_password_is_said_on_top_of_the_form(client, newcomer):
    page = client.post(reverse("account_login"), {"login": newcomer.email, "password": "wrong-password-1"})

    assert "<b>Not sent.</b>" in assert_ours(page)


def test_the_sign_up_page_shows_the_name_as_colleagues_will_see_it(client):
    html = assert_ours(client.get(reverse("account_signup")))

    assert '<b data-preview-of="handle">' in html
    assert '<div class="sr" aria-hidden="true"><input type="text" name="website"' in html


def test_signing_up_sends_a_code_and_asks_for_it(client):
    typed = {"email": "fresh@example.org", "handle": "fresh_attending", "password1": PASSWORD}

    page = client.post(reverse("account_signup"), typed, follow=True)

    html = assert_ours(page)
    assert "fresh@example.org" in html
    assert 'aria-current="step"><span>E-mail</span>' in html
    letter = mail.outbox[-1]
    code = re.search(r"^    (\S+)$", letter.body, re.M)[1]
    assert letter.subject == f"{code} is your Sermo code"
    assert "\n--\nSermo, a private network for licensed physicians\n" in letter.body
    assert "&" not in letter.body


def test_a_forgotten_password_is_reset_by_a_code(client, newcomer):
    page = client.post(reverse("account_reset_password"), {"email": newcomer.email}, follow=True)
    assert_ours(page)
    code = re.search(r"^    (\S+)$", mail.outbox[-1].body, re.M)[1]

    page = client.post(reverse("account_confirm_password_reset_code"), {"code": code}, follow=True)

    assert "Choose a new password" in assert_ours(page)


def test_an_unknown_address_gets_a_letter_that_gives_nothing_away(client):
    page = client.post(reverse("account_reset_password"), {"email": "nobody@example.org"}, follow=True)

    assert_ours(page)
    assert "No account has that address." in mail.outbox[-1].body


def test_a_changed_password_is_told_by_mail(newcomer_client):
    typed = {"oldpassword": PASSWORD, "password1": "another-long-phrase", "password2": "another-long-phrase"}

    newcomer_client.post(reverse("account_change_password"), typed)

    letter = mail.outbox[-1]
    assert letter.subject == "Your Sermo password was changed"
    assert "If this was not you" in letter.body


def test_logging_in_says_nothing_and_logging_out_says_so(newcomer):
    client = Client()
    log_in(client, newcomer)

    page = client.post(reverse("account_logout"), follow=True)

    assert "You are logged out." in page.content.decode()
    assert "signed in as" not in page.content.decode()
