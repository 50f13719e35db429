"""How the pages of the finance desk say what they hold: titles, figures, buttons, and refusals beside their field."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst

from questions.models import Post, Question
from questions.tests.factories import corroborate, make_answer, make_question
from rewards import demo
from rewards.desk import figures
from rewards.models import Allowance, Earmark
from rewards.services import draws, earmarking
from rewards.tests.factories import fund, make_earmark, make_firm, make_payee
from rewards.tests.test_desk import (
    MODELS,
    act,
    confirmed,
    make_finance,
    make_payment,
    make_payout,
    opening_of,
    page,
    text_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(db):
    return confirmed(make_finance())


@pytest.fixture
def answer(physician, colleague):
    """One of two days ago."""
    answer, long_ago = make_answer(make_question(physician), colleague), timezone.now() - timedelta(days=2)
    Question.objects.update(opened_at=long_ago)
    Post.objects.update(posted_at=long_ago)
    answer.refresh_from_db()
    return answer


# Earmarks that can be cancelled


def test_the_button_to_cancel_stands_while_an_earmark_may_be_cancelled(desk, answer):
    earmark = make_earmark(answer)
    shown, button = page("earmark", "change", earmark.pk), act("earmark", "cancel", earmark.pk)
    assert button in text_of(desk.get(shown))

    corroborate(answer)

    assert button not in text_of(desk.get(shown))
    assert "not possible any more" in text_of(desk.get(button))


def test_the_page_of_an_earmark_takes_few_queries(desk, answer, django_assert_max_num_queries):
    """One of an opening looks for ratings and votes in a poll, too."""
    for post in (answer, answer.question.posts.get(kind="opening")):
        earmark = make_earmark(post)

        with django_assert_max_num_queries(10):
            desk.get(page("earmark", "change", earmark.pk))


def test_the_demonstration_has_an_earmark_that_can_be_cancelled(answer):
    corroborate(answer)
    history = demo.History(timezone.now() + timedelta(hours=1))
    history.firms = [make_firm()]

    with demo.at(history.now - timedelta(minutes=20)):
        history._earmark_unjudged()

    placed = Earmark.objects.get()
    assert (placed.post, placed.votes_before) == (answer, 1)
    with demo.at(history.now):
        assert earmarking.may_be_cancelled(placed)


# What pages are called


def test_lists_are_called_by_what_they_hold(desk):
    names = {model._meta.model_name: model._meta.verbose_name_plural for model in admin.site._registry}

    for model in MODELS:
        assert desk.get(page(model)).context["title"] == capfirst(names[model])


def test_a_page_is_called_by_its_row(desk, physician):
    firm = make_firm("Halden Pharma")
    earmark = make_earmark(opening_of(physician), firm)

    for model, row, title in (("firm", firm, "Halden Pharma"), ("earmark", earmark, f"Earmark {earmark.pk}")):
        shown = desk.get(page(model, "change", row.pk))
        assert (shown.context["title"], shown.context["subtitle"]) == (title, "")


# Figures


def test_sums_of_all_accounts_are_not_named_for_one(desk):
    make_firm(balance=123_400)

    shown = text_of(desk.get(reverse("admin:app_list", args=["rewards"])))

    assert '<td class="n">$1,234.00</td>' in shown
    assert "Balances of firms" in shown
    assert "Balance of a firm" not in shown


def test_each_cell_below_a_row_knows_its_head_for_narrow_screens(desk):
    firm = make_firm(balance=123_400)

    shown = text_of(desk.get(page("firm", "change", firm.pk)))

    assert '<td class="n" data-label="Amount">$1,234.00</td>' in shown
    assert '<td data-label="Account">Balance</td>' in shown


def test_one_payout_is_said_as_one(physician):
    payee = make_payee(physician)
    fund(payee, 50_000)

    make_payout(payee)
    assert figures.payouts_said() == "1 payout is under way, $250.00 in all."
    make_payout(payee)
    assert figures.payouts_said() == "2 payouts are under way, $500.00 in all."


# Refusals


def refused_at(response):
    """Fields that are refused, after a look that each says so itself and that the page opens at one."""
    assert response.status_code == 422
    errors, shown = response.context["form"].errors, text_of(response)
    for name, words in errors.items():
        assert f'<ul class="errorlist" id="id_{name}_error"><li>{words[0]}</li></ul>' in shown
    assert "autofocus" in shown
    return set(errors)


def test_what_is_refused_of_an_earmark_stands_beside_its_field(desk, answer):
    rich, poor = make_firm(balance=50_000), make_firm(balance=500)
    Allowance.objects.bulk_create(Allowance(firm=firm, day=draws.today(), slots=2) for firm in (rich, poor))
    make_earmark(answer, rich)
    other = make_answer(answer.question)
    typed = {"firm": rich.pk, "post": answer.pk, "author_cents": "10", "submission": str(uuid4())}

    for change, field in [
        ({"post": "999999999"}, "post"),
        ({"post": str(other.pk)}, "post"),  # too new
        ({}, "post"),  # earmarked before
        ({"firm": poor.pk}, "firm"),
        ({"author_cents": "4.99"}, "author_cents"),
    ]:
        assert refused_at(desk.post(act("earmark", "place"), {**typed, **change})) == {field}


def test_a_sum_that_is_not_there_is_refused_beside_the_amount(desk):
    typed = {"cents": "50.01", "note": "Back", "submission": str(uuid4())}

    assert refused_at(desk.post(act("firm", "pay-back", make_firm(balance=5_000).pk), typed)) == {"cents"}


def test_a_poll_that_is_not_there_is_refused_beside_its_number(desk):
    typed = {"firm": make_firm().pk, "poll": "999999999", "honorarium": "12", "quota": "50"}

    answer = desk.post(act("sponsorship", "agree"), {**typed, "submission": str(uuid4())})

    assert refused_at(answer) == {"poll"}


def test_a_dispute_kept_and_corrected_is_refused_beside_the_outcome(desk, physician):
    firm = make_firm(balance=5_000, is_covered=True)
    payment = make_payment(physician, firm, dispute="open", disputed_at=timezone.now())
    typed = {"outcome": "kept", "words": "It stays.", "last_name": "Quilfeather"}

    assert refused_at(desk.post(act("openpayment", "answer", payment.pk), typed)) == {"outcome"}


def test_what_concerns_no_field_stands_above_the_form(desk):
    firm = make_firm(balance=0, is_active=False)
    typed = {"cents": "5", "note": "Wire", "submission": str(uuid4())}

    answer = desk.post(act("firm", "top-up", firm.pk), typed)

    assert set(answer.context["form"].errors) == {"__all__"}
    assert "This firm is not active" in text_of(answer)
