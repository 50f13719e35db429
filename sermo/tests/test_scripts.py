"""What the site's scripts add to pages that work without them, in a real browser."""

import pytest
from django.urls import reverse

from accounts.tests.factories import make_member, make_user
from conftest import client_of
from questions.models import Draft

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def open_as(live_server, browser_page):
    """A function that opens an address as somebody, or as a visitor."""

    def open_page(path, who=None, **options):
        page = browser_page(**options)
        if who:
            session = client_of(who).cookies["sessionid"].value
            page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page.goto(live_server.url + path)
        return page

    return open_page


def test_the_chosen_theme_holds_on_the_next_page(open_as):
    page = open_as(reverse("account_login"), color_scheme="light")

    page.click("[data-theme-switch]")
    page.goto(page.url)

    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 18, 23)"


def test_a_name_is_previewed_while_it_is_typed(open_as):
    page = open_as(reverse("account_signup"))

    page.fill("#id_handle", "left_atrium")

    assert page.inner_text("[data-preview-of=handle]") == "left_atrium"
    assert page.inner_text("[data-preview-initials-of=handle]") == "LA"


def test_what_is_wrong_takes_the_focus(open_as):
    page = open_as(reverse("account_login"))

    page.click("main button.primary")
    page.wait_for_selector(".note.error")

    assert "note error" in page.evaluate("document.activeElement.className")


def test_what_is_wrong_goes_with_the_form_that_is_sent_and_stays_with_one_held_back(open_as):
    page = open_as(reverse("account_login"))
    page.click("main button.primary")
    page.wait_for_selector(".note.error")
    page.route("**/*", lambda route: route.fulfill(status=204))  # as where a file comes back

    page.evaluate("document.addEventListener('submit', (sent) => sent.preventDefault(), { once: true })")
    page.click("main button.primary")
    assert page.locator(".note.error").count() == 1

    page.click("main button.primary")
    page.wait_for_selector(".note.error", state="detached")


def test_a_slash_goes_to_the_search_box_unless_one_is_typing(open_as):
    page = open_as(reverse("questions:list"), make_member("left_atrium"))

    page.keyboard.press("/")
    page.keyboard.type("a/b")

    assert page.input_value("#top-search") == "a/b"


def test_the_menu_closes_on_escape(open_as):
    page = open_as(reverse("questions:list"), make_member("left_atrium"))
    page.click(".me summary")
    assert page.is_visible("text=Log out")

    page.keyboard.press("Escape")

    assert not page.is_visible(".me .menu")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_a_text_is_formatted_previewed_and_kept_as_a_draft(open_as):
    page = open_as(reverse("questions:ask"), make_member("left_atrium"))
    page.fill("#id_source", "Sodium 118")

    page.focus("#id_source")
    page.keyboard.press("Control+a")
    page.click("[data-format=bold]")
    assert page.input_value("#id_source") == "**Sodium 118**"

    page.click("[data-preview-button]")
    page.wait_for_selector(".composer .prose strong")
    assert not page.is_visible("#id_source")
    page.click("[data-write-button]")
    assert page.is_visible("#id_source")

    page.wait_for_selector("text=/Draft saved \\d+:\\d\\d [ap]m/")
    assert Draft.objects.get().fields["source"] == "**Sodium 118**"


def test_a_dropped_connection_is_said_and_the_text_stays(open_as):
    page = open_as(reverse("questions:ask"), make_member("left_atrium"))
    page.context.set_offline(True)

    page.fill("#id_source", "Sodium 118")
    page.wait_for_selector("text=Not saved. The connection dropped; your text is still here.")
    page.click("[data-preview-button]")

    page.wait_for_selector(".toast >> text=Not sent. The connection dropped; your text is saved.")
    assert page.input_value("#id_source") == "Sodium 118"


def test_a_page_works_without_scripts(open_as):
    page = open_as(reverse("questions:ask"), make_member("left_atrium"), java_script_enabled=False)

    assert not page.is_visible("[data-format=bold]")
    page.fill("#id_source", "**Sodium** 118")
    page.click("noscript button[name=preview]")

    assert page.inner_text("main strong") == "Sodium"


def test_staff_without_a_membership_have_a_bar_too(open_as):
    page = open_as("/", make_user(is_staff=True))

    assert page.locator(".topbar").is_visible()
    assert page.locator(".bottom-bar").count() == 0
