"""Answering a case on a phone, and judging what others said."""

import pytest
from django.conf import settings
from playwright.sync_api import expect

from accounts.tests.factories import make_member
from conftest import client_of
from consults.models import DiagnosisVote, Reply
from consults.tests.factories import make_case
from consults.tests.test_replies import reply
from questions.models import Draft
from sermo.tests.test_accessibility import faults_by_look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


def test_a_reply_by_thumb_opens_the_board_where_others_are_judged(browser_page, live_server):
    case, member = make_case(images=0), make_member("left_atrium")
    reply(case, diagnosis="Erythema migrans", code="A69.20", comment="On sight.")
    page, faults, name = browser_page(**PHONE), [], settings.SESSION_COOKIE_NAME
    value = client_of(member).cookies[name].value
    page.context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.goto(live_server.url + case.get_absolute_url())
    form = page.locator("#your-answer")

    expect(page.get_by_text("Erythema")).to_have_count(0)
    form.get_by_label("Diagnosis").fill("Tinea corporis")
    form.get_by_role("button", name="Post answer").click()
    expect(form.get_by_role("alert")).to_contain_text("Say how sure you are")
    expect(form.get_by_label("Diagnosis")).to_have_value("Tinea corporis")
    choices = form.locator(".sure label").all()
    assert min(label.bounding_box()["height"] for label in choices) >= 44
    assert min(label.bounding_box()["width"] for label in choices) >= 44
    form.get_by_text("70%", exact=True).click()
    form.get_by_role("button", name="Post answer").click()

    page.wait_for_url("**?post=*")
    board = page.get_by_role("region", name="Differential")
    expect(board.get_by_role("row")).to_have_count(2)  # on a phone its head is not shown
    assert Reply.objects.get(member=member).is_forecast
    assert not Draft.objects.exists()
    other = board.get_by_role("row").filter(has_text="Erythema migrans")
    other.get_by_role("button", name="Corroborate").click()
    expect(other.get_by_text("You corroborated this.")).to_be_visible()
    assert DiagnosisVote.objects.get().voter == member
    other.locator("summary", has_text="Dispute").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not faults_by_look(page)
    other.get_by_text("Unsafe for this patient").click()
    other.get_by_label("In a sentence").fill("No.")
    other.get_by_label("In a sentence").evaluate("box => (box.style.height = '9rem')")  # as by its corner
    other.get_by_role("button", name="Dispute with this reason").click()
    expect(other.get_by_role("alert")).to_contain_text("A dispute says why")
    assert [one for one in faults if "422" not in one] == []
