"""The pages to open a poll on, in a browser: axe, a phone's width, with and without a script."""

import re

import pytest
from django.conf import settings
from django.urls import reverse

from accounts.tests.factories import make_specialty
from conftest import client_of
from polls.models import Option, Poll
from polls.tests.factories import make_poll
from questions.tests.factories import make_question
from sermo.tests.test_accessibility import faults_by_look, open_details

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 390, "height": 844}


def entered(browser_page, site, member, **context):
    """A page of somebody's browser, logged in."""
    page = browser_page(**context)
    name = settings.SESSION_COOKIE_NAME
    value = client_of(member).cookies[name].value
    page.context.add_cookies([{"name": name, "value": value, "url": site}])
    return page


def test_the_pages_are_accessible(live_server, browser_page, physician, moderator):
    poll = make_poll(asker=physician, options=("Apixaban", "Warfarin"), may_add=True)
    scale = make_poll("scale", asker=physician)
    question = make_question(physician)
    writer = entered(browser_page, live_server.url, physician)
    reader = entered(browser_page, live_server.url, moderator)
    pages = [(writer, reverse("polls:new")), (writer, f"{reverse('polls:new')}?question={question.pk}")]
    pages += [(writer, reverse("polls:options", args=[one.pk])) for one in (poll, scale)]
    pages += [
        (reader, reverse(f"polls:{name}", args=[poll.pk])) for name in ("correct", "add_option", "poll")
    ]

    faults = []
    for page, address in pages:
        page.emulate_media(color_scheme="light")
        page.goto(f"{live_server.url}{address}")
        open_details(page)
        faults += faults_by_look(page)

    assert faults == []


@pytest.mark.parametrize("has_script", [True, False])
def test_a_poll_is_opened_with_and_without_a_script(live_server, browser_page, physician, has_script):
    make_specialty("Nephrology")
    page = entered(browser_page, live_server.url, physician, viewport=PHONE, java_script_enabled=has_script)
    page.goto(f"{live_server.url}{reverse('polls:new')}")
    page.get_by_label("What do you ask?").fill("Which one do you start with on dialysis?")
    page.get_by_text("Several").click()
    page.get_by_label("Option 1", exact=True).fill("Apixaban")
    page.get_by_text("More options").click()
    page.get_by_label("Option 7").fill("apixaban")
    page.get_by_text("14", exact=True).click()
    page.get_by_role("button", name="Post the poll").click()

    page.get_by_text("there already").first.wait_for()
    page.get_by_label("Option 7").fill("Warfarin")
    page.get_by_label("Option 2").fill("Neither")
    page.get_by_role("button", name="Post the poll").click()
    page.wait_for_url(re.compile(r"/polls/\d+/$"))

    assert Poll.objects.get().kind == "multiple"
    assert list(Option.objects.order_by("place").values_list("text", flat=True)) == [
        "Apixaban",
        "Neither",
        "Warfarin",
    ]
