"""How the tests' people use a browser."""

from django.conf import settings

from accounts.demo_logins import DEMO_PASSWORD
from conftest import client_of

PASSWORD = DEMO_PASSWORD


def log_in(page, site, email, password=PASSWORD):
    """Log in through the form, as anybody would."""
    page.goto(f"{site}/accounts/login/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(lambda url: "/accounts/login/" not in url)


def enter(page, site, who):
    """Be logged in from the start, where a test is not about logging in."""
    session = client_of(who).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}])
