"""Discussions as physicians use them, in a real browser."""

import pytest
from playwright.sync_api import expect

from accounts.tests.factories import make_member
from questions.models import Draft, Post, Vote
from questions.tests.factories import make_answer, make_question
from sermo.tests.people import PASSWORD, enter, log_in

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
    enter(page, live_server.url, reader)
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


LOGGED_OUT = (
    "Not sent. You were logged out; your text is still here. Log in in another tab, then send it again."
)
TEXT = "Typed in one go, and sent before any draft was saved."


@pytest.mark.parametrize("lost", ["every cookie", "the session"])
def test_an_answer_sent_without_a_session_stays_and_is_sent_after_logging_in(page, live_server, asker, lost):
    question = make_question(asker)
    page.goto(live_server.url + question.get_absolute_url())
    page.get_by_label("Your answer").last.fill(TEXT)
    page.context.clear_cookies(**({"name": "sessionid"} if lost == "the session" else {}))

    page.get_by_role("button", name="Post answer").click()
    toast = page.locator(".toast")
    expect(toast).to_contain_text(LOGGED_OUT)
    expect(toast.get_by_role("link", name="Log in")).to_have_attribute("href", "/accounts/login/")
    expect(page.get_by_label("Your answer").last).to_have_value(TEXT)
    assert not Post.objects.filter(kind="answer").exists()

    log_in(page.context.new_page(), live_server.url, "reader@example.org")
    page.get_by_role("button", name="Post answer").click()
    expect(page.locator("article.post")).to_contain_text(TEXT)
    expect(page.get_by_label("Your answer").last).to_have_value("")
    assert Post.objects.get(kind="answer").source == TEXT
    assert not Draft.objects.exists()


def test_a_question_sent_without_a_session_stays_and_is_sent_after_logging_in(page, live_server, reader):
    page.goto(f"{live_server.url}/questions/ask/")
    page.get_by_label("Title").fill("Which dose would you use on dialysis?")
    page.get_by_label("Details").fill(TEXT)
    page.context.clear_cookies()

    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.locator(".toast")).to_contain_text(LOGGED_OUT)
    expect(page.get_by_label("Details")).to_have_value(TEXT)

    log_in(page.context.new_page(), live_server.url, "reader@example.org")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Which dose would you use on dialysis?")
    assert not Draft.objects.exists()


def test_leaving_the_title_shows_what_must_go_from_it(page, live_server, reader):
    page.goto(f"{live_server.url}/questions/ask/")
    page.get_by_label("Title").fill("Would you call 412-555-0131 about the dose?")

    page.get_by_label("Details").focus()

    found = page.locator("#div_id_title [data-findings]")
    expect(found.locator("mark")).to_have_text("412-555-0131")
    expect(page.locator(".toast")).to_have_count(0)


def test_a_verdict_given_without_a_session_is_given_after_logging_in(page, live_server, asker):
    answer = make_answer(make_question(asker))
    page.goto(live_server.url + answer.question.get_absolute_url())
    verdict = page.locator(f"#verdict-{answer.pk}")
    page.context.clear_cookies()

    verdict.get_by_role("button", name="Corroborate").click()
    expect(page.locator(".toast")).to_contain_text("Not sent. You were logged out. Log in in another tab")
    log_in(page.context.new_page(), live_server.url, "reader@example.org")
    verdict.get_by_role("button", name="Corroborate").click()

    expect(verdict).to_contain_text("You corroborated this.")
    assert Vote.objects.get().value == 1


def test_an_answer_refused_as_forged_stays_and_says_so(page, live_server, asker):
    question = make_question(asker)
    page.goto(live_server.url + question.get_absolute_url())
    page.get_by_label("Your answer").last.fill(TEXT)

    page.get_by_role("button", name="Post answer").evaluate(
        """button => {  // in one go: a draft saved between the two would find a good token again
            document.querySelectorAll("[name=csrfmiddlewaretoken]").forEach(one => one.value = "x");
            button.click();
        }"""
    )

    expect(page.locator(".toast")).to_contain_text(
        "Not sent. This page is out of date; copy your text, reload and send it again."
    )
    expect(page.get_by_label("Your answer").last).to_have_value(TEXT)


def test_a_refused_answer_is_saved_as_a_draft(page, live_server, asker):
    question = make_question(asker)
    page.goto(live_server.url + question.get_absolute_url())

    page.get_by_label("Your answer").last.fill("Too few")
    page.get_by_role("button", name="Post answer").click()

    expect(page.get_by_role("alert")).to_contain_text("at least 10 characters")
    expect(page.locator("[data-draft-status]")).to_contain_text("Draft saved")
    assert Draft.objects.get().fields["source"] == "Too few"


def test_enter_among_the_reasons_of_a_dispute_never_corroborates(page, live_server, asker):
    answer = make_answer(make_question(asker))
    page.goto(live_server.url + answer.question.get_absolute_url())
    verdict = page.locator(f"#verdict-{answer.pk}")

    verdict.locator("summary.against").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(verdict.get_by_role("alert")).to_contain_text("20 characters")
    expect(verdict.get_by_label("Unsafe for this patient")).to_be_checked()
    assert not Vote.objects.exists()


def test_a_link_to_a_wrong_specialty_leads_to_the_box_one_sees(page, live_server):
    page.goto(f"{live_server.url}/questions/ask/")
    page.get_by_role("button", name="Cardiovascular Disease, remove").click()
    page.get_by_role("button", name="Post", exact=True).click()

    page.locator(".note.error").get_by_role("link", name="Specialties").click()
    page.keyboard.type("Cardiovascular Disease")

    expect(page.get_by_role("button", name="Cardiovascular Disease, remove")).to_be_visible()


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
    enter(page, live_server.url, reader)

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


def test_enter_in_a_line_without_javascript_posts(browser_page, live_server, reader):
    page = browser_page(java_script_enabled=False)
    enter(page, live_server.url, reader)
    page.goto(f"{live_server.url}/questions/ask/")
    page.get_by_label("Title").fill("Which dose would you use on dialysis?")
    page.get_by_label("Details").fill("In the 70s, three sessions a week, bleeding last year.")

    page.get_by_label("Tags").press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Which dose would you use on dialysis?")


def test_a_refused_dispute_without_javascript_stays_in_sight(browser_page, live_server, asker, reader):
    answer = make_answer(make_question(asker))
    page = browser_page(java_script_enabled=False)
    enter(page, live_server.url, reader)
    page.goto(live_server.url + answer.question.get_absolute_url())
    verdict = page.locator(f"#verdict-{answer.pk}")

    verdict.locator("summary.against").click()
    verdict.get_by_label("Out of date").check()
    verdict.get_by_label("In a sentence").fill("Too short")
    verdict.get_by_role("button", name="Dispute with this reason").click()

    expect(verdict.get_by_role("alert")).to_be_in_viewport()
    expect(verdict.get_by_label("In a sentence")).to_have_value("Too short")


def test_an_asker_on_a_phone_marks_the_solution(browser_page, live_server, asker, reader):
    question = make_question(reader)
    make_answer(question, asker)
    page = browser_page(viewport={"width": 390, "height": 844})
    enter(page, live_server.url, reader)
    page.goto(live_server.url + question.get_absolute_url())

    page.get_by_role("link", name="Mark as solved").click()
    page.get_by_label("nephron_loop").check()
    page.get_by_label("What happened").fill("Occluded, no bleed since.")
    page.get_by_role("button", name="Mark as solved").click()

    expect(page.get_by_text("Credited with the solution")).to_be_visible()
    expect(page.locator("h1")).to_be_visible()
