"""How many accounts are made from one network address in a day."""

import pytest
from django.test import Client

from accounts.forms import TOO_MANY_ACCOUNTS
from accounts.models import User
from accounts.tests.factories import make_user
from accounts.tests.test_views import SIGNUP

pytestmark = pytest.mark.django_db
SIGN_UP = "/accounts/signup/"


def sign_up(number, address="192.0.2.7", **typed):
    data = {**SIGNUP, "email": f"person{number}@example.org", "handle": f"quiet_murmur_{number}", **typed}
    return Client(REMOTE_ADDR=address).post(SIGN_UP, data)


@pytest.fixture
def cheap_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def test_ten_accounts_a_day_are_made_from_one_address(cheap_passwords):
    for number in range(10):
        assert sign_up(number).status_code == 302

    refused = sign_up(10)

    assert refused.status_code == 429
    assert TOO_MANY_ACCOUNTS in refused.content.decode()
    assert User.objects.count() == 10
    assert sign_up(10, address="192.0.2.8").status_code == 302


def test_what_was_typed_wrong_is_not_counted(cheap_passwords):
    for number in range(12):
        assert sign_up(number, password1="short").status_code == 200

    assert sign_up(12).status_code == 302


def test_an_address_that_has_an_account_counts_like_any_other(cheap_passwords):
    known = [make_user().email for _ in range(11)]
    for number in range(10):
        assert sign_up(number, email=known[number]).status_code == 302

    assert sign_up(10, email=known[10]).status_code == 429
    assert sign_up(11).status_code == 429
