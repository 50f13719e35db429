"""No form of the console says what the framework says of a field that was left empty."""

from uuid import uuid4

import pytest
from django.conf import settings
from django.urls import reverse

from conftest import client_of
from observers import keys
from observers.models import AdverseEvent
from observers.services import adverse_events
from observers.tests.factories import let_pass, make_plan, make_seat
from observers.tests.product_makers import make_product
from observers.tests.test_seats import invite, token_in_mail
from questions.models import Post
from questions.tests.factories import make_question

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]


@pytest.fixture
def giver(db):
    return make_seat(is_admin=True)


@pytest.mark.parametrize("name", ["invite_seat", "purpose", "ask", "new_poll", "safety_log"])
def test_what_is_missing_is_said_in_words_of_its_own(giver, name):
    check(client_of(giver.user).post(reverse(f"observers:{name}"), {"submission": uuid4()}))


def test_so_it_is_of_an_earmark(giver, physician):
    post = let_pass(make_question(physician)).posts.get(kind=Post.Kind.OPENING)
    address = reverse("observers:earmark", args=[keys.post_key(giver.firm, post.pk)])

    check(client_of(giver.user).post(address, {"submission": uuid4()}))


def test_so_it_is_of_a_post_on_a_product(giver, physician):
    make_product(maker=giver.firm)
    question = let_pass(make_question(physician, title="Rash after velorin in the 70s?"))
    adverse_events.met(giver, question.posts.values_list("pk", flat=True))
    address = reverse("observers:safety_event", args=[AdverseEvent.objects.get().pk])

    check(client_of(giver.user).post(address, {"submission": uuid4()}))


def test_so_it_is_where_a_seat_is_taken(giver, client):
    make_plan(seats=9)
    invite(giver)

    check(client.post(reverse("observers:join", args=[token_in_mail()]), {"submission": uuid4()}))


def check(page):
    assert page.status_code == 422
    assert "note error" in page.text or 'class="error"' in page.text
    assert "This field is required" not in page.text


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_what_was_wrong_does_not_stay_beside_the_file_that_came(giver, physician, browser_page, live_server):
    make_product(maker=giver.firm)
    question = let_pass(make_question(physician, title="Rash after velorin in the 70s?"))
    adverse_events.met(giver, question.posts.values_list("pk", flat=True))
    session = client_of(giver.user).cookies[settings.SESSION_COOKIE_NAME].value
    page = browser_page()
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
    )
    page.goto(live_server.url + reverse("observers:safety_log"))
    page.click("text=Export as CSV")
    page.wait_for_selector(".note.error")

    page.fill("textarea[name=reason]", "For the yearly review of safety.")
    with page.expect_download():
        page.click("text=Export as CSV")

    assert page.locator(".error").count() == 0
