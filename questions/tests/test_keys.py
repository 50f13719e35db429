"""Single keys on lists and discussions, in a real browser."""

import pytest
from playwright.sync_api import expect

from accounts.tests.factories import make_member
from questions.models import Vote
from questions.tests.factories import make_answer, make_question
from sermo.tests.people import enter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def asker():
    return make_member("nephron_loop", specialty="Nephrology")


@pytest.fixture
def page(browser_page, live_server):
    page = browser_page()
    enter(page, live_server.url, make_member("left_atrium"))
    return page


def focused(page):
    return page.evaluate("document.activeElement.closest('.post, .question-row')?.innerText ?? ''")


def test_j_and_k_go_through_a_list_and_enter_opens(page, live_server, asker):
    for number in range(3):
        make_question(asker, title=f"Question number {number} of three?")
    page.goto(f"{live_server.url}/questions/?sort=new")

    page.keyboard.press("j")
    page.keyboard.press("j")
    assert "Question number 1" in focused(page)
    page.keyboard.press("k")
    assert "Question number 2" in focused(page)

    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Question number 2 of three?")


def test_an_answer_is_corroborated_disputed_and_commented_by_keys(page, live_server, asker):
    question = make_question(asker)
    first, second = make_answer(question), make_answer(question, source="Another way to see it altogether.")
    page.goto(live_server.url + question.get_absolute_url())

    page.keyboard.press("u")  # nowhere yet: nothing happens
    for _ in range(2):
        page.keyboard.press("j")
    page.keyboard.press("u")
    expect(page.locator(f"#verdict-{first.pk}")).to_contain_text("You corroborated this.")

    page.keyboard.press("j")
    page.keyboard.press("d")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("udjk? The data point elsewhere.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(f"#verdict-{second.pk}")).to_contain_text("You disputed this.")
    assert sorted(Vote.objects.values_list("post", "value")) == [(first.pk, 1), (second.pk, -1)]

    page.keyboard.press("r")
    page.wait_for_url("**/comment/")


def test_r_outside_of_answers_goes_to_one_s_own(page, live_server, asker):
    page.goto(live_server.url + make_question(asker).get_absolute_url())

    page.keyboard.press("r")
    page.keyboard.type("jkr stays text.")

    expect(page.get_by_label("Your answer").last).to_have_value("jkr stays text.")


def test_the_list_of_keys_opens_and_turns_them_off_for_good(page, live_server, asker):
    for number in range(3):
        make_question(asker, title=f"Question number {number} of three?")
    page.goto(f"{live_server.url}/questions/?sort=new")

    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Single keys work in this browser").uncheck()
    dialog.get_by_role("button", name="Close").click()
    page.evaluate("document.activeElement.blur()")
    for key in ("j", "?", "/"):  # none of them does a thing
        page.keyboard.press(key)
    assert focused(page) == ""
    expect(dialog).to_be_hidden()
    assert page.evaluate("document.activeElement.tagName") == "BODY"

    page.reload()
    page.keyboard.press("j")
    assert focused(page) == ""
    page.get_by_role("link", name="Keys").click()
    dialog.get_by_label("Single keys work in this browser").check()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert focused(page) != ""


def test_the_keys_are_a_page_too(client, live_server):
    client.force_login(make_member().user)

    assert "corroborate the post one is at" in client.get("/keys/").content.decode()


def test_filters_open_on_a_phone_without_a_script(browser_page, live_server, asker):
    make_question(asker, kind="observation")
    page = browser_page(java_script_enabled=False, viewport={"width": 390, "height": 844})
    enter(page, live_server.url, make_member("left_atrium"))
    page.goto(f"{live_server.url}/questions/")
    expect(page.get_by_role("link", name="Observations")).to_be_hidden()

    page.get_by_role("link", name="Filter", exact=True).click()
    page.get_by_role("link", name="Observations").click()

    expect(page).to_have_url(f"{live_server.url}/questions/?kind=observation")
    expect(page.locator(".question-row")).to_have_count(1)
    expect(page.get_by_role("link", name="Without Observations")).to_be_visible()
