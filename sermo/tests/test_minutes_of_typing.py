"""How long an honest applicant types on a phone, from sign-up to a claim that a reviewer can decide."""

import json

import pytest

from sermo.tests.test_main_job import answer_the_questions, claim_identity, send_a_document, sign_up, site
from verification.models import Claim
from verification.models.claims import State

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["site"]

# 36 words a minute, five letters each: the mean of 37,000 people on phones (Palin et al., MobileHCI 2019).
LETTERS_PER_SECOND = 36 * 5 / 60
SECONDS_PER_TAP = 2  # to find the field, the option or the button, and touch it
COUNT = """
addEventListener("input", ({ target }) => {
  const typed = JSON.parse(sessionStorage.typed ?? "{}");
  const isChosen = target.matches("select, [type=radio], [type=file]");
  typed[location.pathname + " " + target.name] = isChosen ? 0 : target.value.length;
  sessionStorage.typed = JSON.stringify(typed);
}, true);
addEventListener("pointerdown", () => { sessionStorage.taps = Number(sessionStorage.taps ?? 0) + 1; }, true);
"""


def test_under_three_minutes_on_a_phone(browser_page, site):
    page = browser_page(viewport={"width": 390, "height": 844})
    page.add_init_script(COUNT)

    sign_up(page, site)
    claim_identity(page)
    answer_the_questions(page)
    send_a_document(page)

    typed = json.loads(page.evaluate("sessionStorage.typed"))
    letters, fields = sum(typed.values()), len(typed)
    taps = int(page.evaluate("sessionStorage.taps")) + fields  # a field is touched before it is typed into
    seconds = letters / LETTERS_PER_SECOND + taps * SECONDS_PER_TAP
    print(f"{letters} letters, {taps} taps: {seconds:.0f} s")
    assert letters > 60  # it did count
    assert taps > 15
    assert seconds < 180
    assert Claim.objects.get().state == State.CHALLENGED
    assert Claim.objects.in_queue().count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
