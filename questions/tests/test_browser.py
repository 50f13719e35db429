"""Discussions as physicians use them, in a real browser."""

import pytest
from playwright.sync_api import expect

from accounts.tests.factories import make_member
from questions.models import Draft, Post, Vote
from questions.tests.factories import make_answer, make_question
from sermo.tests.people import PASSWORD, log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def asker():
    return make_member("nephron_loop", specialty="Nephrology")


@pytest.fixture
def reader():
    return make_member("left_atrium", email="reader@example.org", password=PASSWORD)


@pytest.fixture
def page(browser_page, live_server, reader):
    page = browser_page()
    log_in(page, live_server.url, "reader@example.org")
    return page


def test_voting_disputing_and_changing_one_s_mind_without_a_reload(page, live_server, asker, reader):
    answer = make_answer(make_question(asker))
    page.goto(live_server.url + answer.question.get_absolute_url())
    page.evaluate("window.sameDocument = true")
    verdict = page.locator(f"#verdict-{answer.pk}")

    verdict.get_by_role("button", name="Corroborate").click()
    expect(verdict).to_contain_text("You corroborated this.")

    verdict.locator("summary.against").click()
    verdict.get_by_label("Unsafe for this patient").check()
    verdict.get_by_label("In a sentence").fill("Too short")
    verdict.get_by_role("button", name="Dispute with this reason").click()
    expect(verdict.get_by_role("alert")).to_contain_text("20 characters")
    expect(verdict.get_by_label("In a sentence")).to_have_value("Too short")

    verdict.get_by_label("In a sentence").fill("The jejunum bled twice on that dose.")
    verdict.get_by_role("button", name="Dispute with this reason").click()
    expect(verdict).to_contain_text("You disputed this.")

    assert page.evaluate("window.sameDocument") is True
    assert Vote.objects.get().value == -1


def test_answering_puts_the_answer_in_place_and_focuses_it(page, live_server, asker):
    question = make_question(asker)
    page.goto(live_server.url + question.get_absolute_url())
    page.evaluate("window.sameDocument = true")

    page.get_by_label("Your answer").last.fill("**Occlude**, if a heart team will take the patient.")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview strong")).to_have_text("Occlude")
    page.get_by_role("button", name="Write").click()
    page.get_by_role("button", name="Post answer").click()

    answer = page.locator(f"#post-{question.pk}, article.post").first
    expect(answer).to_contain_text("if a heart team will take the patient")
    assert page.evaluate("window.sameDocument") is True
    expect(page.get_by_label("Your answer").last).to_have_value("")


def test_what_was_typed_survives_the_end_of_the_session(page, live_server, asker):
    question = make_question(asker)
    page.goto(live_server.url + question.get_absolute_url())

    page.get_by_label("Your answer").last.fill("Half an answer that nobody must lose.")
    expect(page.locator("[data-draft-status]")).to_contain_text("Draft saved")
    page.context.clear_cookies()
    log_in(page, live_server.url, "reader@example.org")
    page.goto(live_server.url + question.get_absolute_url())

    expect(page.get_by_label("Your answer").last).to_have_value("Half an answer that nobody must lose.")
    assert Draft.objects.count() == 1


def test_more_questions_are_added_below(page, live_server, asker):
    for number in range(23):
        make_question(asker, title=f"Question number {number} of many?")
    page.goto(f"{live_server.url}/questions/")
    expect(page.locator(".question-row")).to_have_count(20)

    page.get_by_role("link", name="Show more questions").click()

    expect(page.locator(".question-row")).to_have_count(23)


def test_everything_works_without_javascript(browser_page, live_server, asker, reader):
    answer = make_answer(make_question(asker))
    page = browser_page(java_script_enabled=False)
    log_in(page, live_server.url, "reader@example.org")

    page.goto(f"{live_server.url}/questions/ask/")
    page.get_by_label("Title").fill("Which dose would you use on dialysis?")
    page.get_by_label("Details").fill("In the 70s, three sessions a week, bleeding last year.")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Which dose would you use on dialysis?")

    page.goto(live_server.url + answer.question.get_absolute_url())
    page.locator(f"#verdict-{answer.pk}").get_by_role("button", name="Corroborate").click()
    expect(page.locator(f"#verdict-{answer.pk}")).to_contain_text("You corroborated this.")
    page.get_by_label("Your answer").last.fill("Occlude, if they will take the patient.")
    page.get_by_role("button", name="Post answer").click()
    expect(page.get_by_text("Occlude, if they will take the patient.")).to_be_visible()
    assert Post.objects.filter(kind="answer").count() == 2


def test_an_asker_on_a_phone_marks_the_solution(browser_page, live_server, asker, reader):
    question = make_question(reader)
    make_answer(question, asker)
    page = browser_page(viewport={"width": 390, "height": 844})
    log_in(page, live_server.url, "reader@example.org")
    page.goto(live_server.url + question.get_absolute_url())

    page.get_by_role("link", name="Mark as solved").click()
    page.get_by_label("nephron_loop").check()
    page.get_by_label("What happened").fill("Occluded, no bleed since.")
    page.get_by_role("button", name="Mark as solved").click()

    expect(page.get_by_text("Credited with the solution")).to_be_visible()
    expect(page.locator("h1")).to_be_visible()
