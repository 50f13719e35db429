"""axe on the pages of money, as a member, a visitor with a link and the finance desk see them."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse

from accounts.services.leaving import leave
from accounts.tests.factories import make_member
from questions.services import closing
from questions.tests.factories import corroborate, make_answer, make_question
from rewards import business_days
from rewards.models import Payee
from rewards.services import choosing, leaving
from rewards.tests.factories import fund, make_charity, make_draw_day, make_earmark, make_firm, make_payee
from rewards.tests.test_desk import confirmed, make_finance
from rewards.tests.test_draw_pages import drawn, judged
from rewards.tests.test_figures import make_payout
from sermo.crypto import keyed_hash
from sermo.tests.test_accessibility import faults_by_look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def enter_confirmed(page, site, user):
    session = confirmed(user).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}])


def faults_of(page, site, addresses):
    found = []
    for address in addresses:
        answer = page.goto(site + address)
        assert answer.status == 200, address
        found += [f"{address}: {fault}" for fault in faults_by_look(page)]
    return found


def test_pages_of_members_and_of_the_desk_have_no_faults(browser_page, live_server, nobody_told):
    firm, author = make_firm(is_covered=True), make_member("quietmurmur")
    answer = make_answer(make_question(make_member()), author)
    corroborate(answer, make_member())
    make_earmark(answer, firm, voter_cents=500, voter_slots=1)
    make_draw_day()
    make_charity()
    closing.close_question(question=answer.question, by=answer.question.asker)
    choosing.declare_affiliation(member=author, firm=make_firm())
    left = make_payee(make_member())
    fund(left, 1_500)
    leave(left.member.user)
    Payee.objects.filter(pk=left.pk).update(claim_hash=keyed_hash("a" * 43, leaving.PURPOSE))
    page = browser_page()

    enter_confirmed(page, live_server.url, author.user)
    names = (
        "wallet",
        "donate",
        "clock",
        "draws",
        "settings",
        "method",
        "w9",
        "affiliations",
        "open_payments",
    )
    found = faults_of(
        page,
        live_server.url,
        [
            *(reverse(f"rewards:{name}") for name in names),
            reverse("rewards:statement", args=[answer.question.opened_at.year]),
            reverse("rewards:draw", args=[answer.question_id]),
            reverse("rewards:left", args=["a" * 43]),
        ],
    )
    enter_confirmed(page, live_server.url, make_finance())
    desk = ("firm", "earmark", "payout", "account", "transaction")
    found += faults_of(
        page,
        live_server.url,
        ["/admin/rewards/", *(reverse(f"admin:rewards_{name}_changelist") for name in desk)],
    )

    assert not found


IS_CUT = "element => element.scrollWidth > element.clientWidth"


def test_on_a_phone_a_program_is_read_whole_and_no_figure_stands_beside_a_hole(
    browser_page, live_server, nobody_told
):
    voter = make_member()
    question = judged(make_question(make_member()), voter)
    drawn(question, [make_payee(voter)])
    last_month = business_days.today().replace(day=1) - timedelta(days=1)
    make_payout(make_payee(make_member()), last_month.replace(day=1), last_month)
    page = browser_page(viewport={"width": 390, "height": 844})

    page.goto(live_server.url)
    first, *_, last = (tile.bounding_box() for tile in page.locator(".stats .stat").all())
    enter_confirmed(page, live_server.url, voter.user)
    page.goto(live_server.url + reverse("rewards:draw", args=[question.pk]))

    assert last["width"] > 2 * first["width"]
    assert not page.locator("pre").evaluate(IS_CUT)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
