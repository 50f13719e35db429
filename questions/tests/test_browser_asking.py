"""Asking, as physicians do it, in a real browser."""

import pytest
from playwright.sync_api import expect

from accounts.tests.factories import make_member, make_specialty
from questions.models import Draft, Lexeme, Post, Question, Tag
from questions.tests.factories import make_answer, make_question
from sermo.tests.people import enter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def reader():
    return make_member("left_atrium")


@pytest.fixture
def page(browser_page, live_server, reader):
    page = browser_page()
    enter(page, live_server.url, reader)
    return page


@pytest.fixture
def asked_before():
    make_specialty("Nephrology")
    Tag.objects.create(slug="dialysis", name="dialysis")
    Lexeme.objects.create(word="apixaban", documents=2)
    return make_question(
        make_member("nephron_loop", specialty="Nephrology"), "Apixaban on dialysis, which dose?"
    )


def test_similar_questions_appear_while_typing_and_what_was_typed_is_kept(
    page, live_server, asked_before, reader
):
    page.goto(f"{live_server.url}/questions/ask/")
    title = page.get_by_label("Title")

    title.press_sequentially("Apixaban dose")
    page.wait_for_timeout(700)
    expect(page.locator("#similar")).not_to_contain_text("Already asked?")
    title.press_sequentially(" on dialysis, how much?")
    expect(page.locator("#similar")).to_contain_text(asked_before.title)

    page.get_by_role("button", name="This answers mine").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(asked_before.title)
    assert Draft.objects.get(member=reader).fields["title"] == "Apixaban dose on dialysis, how much?"


def test_a_suggestion_is_one_click_and_sends_nothing(page, live_server, asked_before):
    page.goto(f"{live_server.url}/questions/ask/")
    page.get_by_label("Title").press_sequentially("Hemodialysis or peritoneal dialysis at home?")

    page.get_by_role("button", name="Nephrology", exact=True).click()
    page.get_by_role("button", name="dialysis", exact=True).click()

    expect(page.get_by_role("button", name="Nephrology, remove")).to_be_visible()
    expect(page.get_by_label("Tags")).to_have_value("dialysis")
    assert not Question.objects.exclude(pk=asked_before.pk).exists()


def test_enter_in_a_field_posts_and_presses_no_other_button(page, live_server, asked_before):
    page.goto(f"{live_server.url}/questions/ask/")
    page.get_by_label("Title").press_sequentially("Apixaban on dialysis and after a bleed?")
    expect(page.locator("#similar")).to_contain_text(asked_before.title)
    page.get_by_label("Details").fill("In the 70s, three sessions a week. What would you do?")

    page.get_by_label("Tags").press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Apixaban on dialysis and after a bleed?")
    assert Post.objects.filter(kind=Post.Kind.OPENING).count() == 2


def test_an_edit_is_saved_as_a_draft_while_one_writes(page, live_server, asked_before, reader):
    answer = make_answer(asked_before, reader)
    page.goto(f"{live_server.url}/posts/{answer.pk}/edit/")

    page.get_by_label("Text").fill("Occlude, unless the heart team is a two hours' drive away.")
    page.wait_for_timeout(2600)

    assert Draft.objects.get(place=f"edit:{answer.pk}").fields["source"].startswith("Occlude, unless")
