"""The news as physicians read them, in a real browser."""

import pytest
from playwright.sync_api import expect

from accounts.tests.factories import make_member
from newsfeed.models import LessOf, SavedArticle
from newsfeed.tests.factories import make_article, make_source
from sermo.tests.people import PASSWORD, enter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_saving_and_seeing_less_without_leaving_the_page(browser_page, live_server):
    reader = make_member("left_atrium", email="reader@example.org", password=PASSWORD)
    article = make_article(make_source("Cornea"), "An invented finding", specialties=[reader.specialty])
    page = browser_page()
    enter(page, live_server.url, reader)
    page.goto(f"{live_server.url}/news/")
    page.evaluate("window.sameDocument = true")
    card = page.locator(".card")

    card.get_by_role("button", name="Save").click()
    expect(card.get_by_role("button", name="Saved")).to_be_focused()
    assert SavedArticle.objects.get().article == article

    card.get_by_role("link", name="Less of this").click()
    card.get_by_role("link", name="Cancel").click()
    card.get_by_role("link", name="Less of this").click()
    expect(card.get_by_role("button", name="Less of Cornea")).to_be_focused()
    card.get_by_role("button", name="Less of Cornea").click()
    expect(card).to_contain_text("Cornea leaves your feed.")
    assert LessOf.objects.get().member == reader

    card.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back.")).to_be_focused()
    expect(card).to_contain_text("An invented finding")
    assert not LessOf.objects.exists()
    assert page.evaluate("window.sameDocument")
