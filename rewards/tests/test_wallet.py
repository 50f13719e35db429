"""The wallet: what a member reads of their money, and what they do with it."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member, NoticeThread
from accounts.tests.factories import make_user
from conftest import client_of
from polls.tests.factories import make_poll
from questions.models import Question
from questions.tests.factories import make_question
from questions.tests.test_views import words
from rewards import wallet
from rewards.models import (
    Account,
    Award,
    Entry,
    Payout,
    PayoutMethod,
    Slot,
    TaxForm,
    Transaction,
)
from rewards.providers import base
from rewards.services import donating, ledger, payouts, sponsoring, taxes
from rewards.tests.factories import fund, make_charity, make_earmark, make_firm, make_payee, owed
from rewards.words import cents_of, dollars

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]

CHECK = {"name": "Ann Example", "street": "1 Main St", "city": "Springfield", "state": "IL", "zip": "62701"}


@pytest.fixture
def payee(physician):
    """The payee of the physician, ready to be paid by check."""
    payee = make_payee(physician)
    PayoutMethod.objects.create(payee=payee, method="check", details=CHECK)
    TaxForm.objects.create(subject=payee.subject, form={"name": "Ann Example"})
    return payee


@pytest.fixture
def firm():
    return make_firm("Corvane")


def pay(payee, firm, cents, cause="author", question=None, **fields):
    """An earmark settled, as far as a wallet knows of it."""
    question = question or make_question(payee.member)
    post = question.posts.get(kind="opening")
    earmark = make_earmark(post, firm, author_cents=max(cents, 500), **fields)
    account = ledger.payable_to(payee)
    paid = ledger.post(
        kind="settle", key=f"test:{uuid4()}", entries={ledger.reserved_of(firm): -cents, account: cents}
    )
    return Award.objects.create(
        payee=payee,
        firm=firm,
        cause=cause,
        earmark=earmark,
        question=question,
        post=post,
        cents=cents,
        entry=paid.entries.get(account=account),
    )


def many_lines(payee, firm, count):
    """Lines of a focus group; in bulk, since the ledger takes its time."""
    question, account, reserved = (
        make_question(payee.member),
        ledger.payable_to(payee),
        ledger.reserved_of(firm),
    )
    entries = {ledger.firm_balance(firm): -count, reserved: count}
    ledger.post(kind="reserve", key=f"test:{uuid4()}", entries=entries)
    moved = Transaction.objects.bulk_create(
        Transaction(kind="honorarium", key=f"test:{uuid4()}") for _ in range(count)
    )
    Entry.objects.bulk_create(Entry(transaction=row, account=reserved, amount=-1) for row in moved)
    credits = Entry.objects.bulk_create(Entry(transaction=row, account=account, amount=1) for row in moved)
    fields = {"payee": payee, "firm": firm, "cause": "group", "question": question, "cents": 1}
    Award.objects.bulk_create(Award(entry=entry, **fields) for entry in credits)


def ask(payee, cents):
    return payouts.ask(payee=payee, cents=cents, submission=uuid4())


def read(client, name="wallet", *args):
    return words(client.get(reverse(f"rewards:{name}", args=args)))


# The door


PRIVATE = [
    "/rewards/",
    "/rewards/lines/",
    "/rewards/payouts/ask/",
    "/rewards/donate/",
    "/rewards/statement/2026/",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_money_is_for_members(client, applicant_client, address):
    assert client.get(address)["Location"].startswith("/accounts/login/")
    assert applicant_client.get(address).status_code == 302
    assert client_of(make_user()).get(address).status_code == 403


def test_who_never_earned_reads_how_money_comes(physician_client):
    page = read(physician_client)

    assert "Nothing earned yet" in page
    assert "Balance $0.00" in page
    assert not Account.objects.exists(), "reading makes no account"


def test_of_others_nothing_is_shown(payee, firm, colleague, colleague_client):
    pay(payee, firm, 2_500, question=make_question(payee.member, title="Which of the two anticoagulants?"))
    make_payee(colleague)

    page = read(colleague_client)

    assert "anticoagulants" not in page
    assert "Balance $0.00" in page


# Lines


def test_what_an_author_got_is_a_line_with_firm_days_and_balance(payee, firm, physician_client):
    question = make_question(payee.member, title="Which of the two anticoagulants?")
    Question.objects.filter(pk=question.pk).update(
        status="closed",
        close_reason="asker",
        opened_at="2026-11-01T12:00Z",
        closed_at="2026-11-19T12:00Z",
    )
    pay(payee, firm, 2_500, question=question, placed_at=datetime(2026, 11, 2, 12, tzinfo=UTC))

    answer = physician_client.get("/rewards/")

    assert "Which of the two anticoagulants?" in words(answer)
    assert "Corvane: author’s share, earmarked Nov 2, closed Nov 19." in words(answer)
    assert "+$25.00 balance then $25.00" in words(answer)
    assert question.get_absolute_url() in answer.content.decode()


def test_who_was_drawn_can_check_the_draw(payee, firm, physician_client):
    award = pay(payee, firm, 500, cause="voter")

    answer = physician_client.get("/rewards/")

    assert "Corvane: voter draw, blind to your vote" in words(answer)
    assert reverse("rewards:draw", args=[award.question_id]) in answer.content.decode()


def test_a_discussion_that_went_out_of_sight_lends_no_title(payee, firm, physician_client):
    award = pay(
        payee, firm, 500, question=make_question(payee.member, title="Which of the two anticoagulants?")
    )
    Question.objects.filter(pk=award.question_id).update(status="removed", closed_at=timezone.now())

    answer = physician_client.get("/rewards/")

    assert "A discussion you can no longer open" in words(answer)
    assert "anticoagulants" not in answer.content.decode()


def test_what_is_taken_back_says_what_it_was(payee, firm, physician_client):
    award = pay(payee, firm, 500)
    ledger.reverse(earlier=award.entry.transaction)

    page = read(physician_client)

    assert "Taken back. Corvane: author’s share" in page
    assert "−$5.00 balance then $0.00" in page


def test_a_gift_names_the_charity(payee, physician_client):
    fund(payee, 2_000)
    donating.donate(payee=payee, charity=make_charity("Open Clinic"), cents=1_500, submission=uuid4())

    page = read(physician_client)

    assert "Given to Open Clinic" in page
    assert "−$15.00 balance then $5.00" in page


def test_lines_go_on_by_key_and_miss_nothing(payee, firm, physician_client, settings):
    settings.REWARD_LINES_PER_PAGE = 3
    many_lines(payee, firm, 8)

    first = physician_client.get("/rewards/")
    seen = [line for _, lines in first.context["months"] for line in lines]
    address = first.context["more_url"]
    while address:
        part = physician_client.get(address, headers={"HX-Request": "true"})
        assert [month for month, _ in part.context["months"]] == [None], "its heading stands there already"
        seen += [line for _, lines in part.context["months"] for line in lines]
        address = part.context["more_url"]

    assert [line.balance for line in seen] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert "<html" not in part.content.decode()


def test_earlier_lines_are_a_page_without_scripts(payee, firm, physician_client, settings):
    settings.REWARD_LINES_PER_PAGE = 3
    many_lines(payee, firm, 5)

    page = words(physician_client.get(physician_client.get("/rewards/").context["more_url"]))

    assert "Earlier lines" in page
    assert "balance then $0.02" in page
    assert "balance then $0.03" not in page


def test_no_page_counts_what_else_was_booked(payee, firm, physician_client, settings):
    """The numbers of one's own entries would, by their gaps."""
    settings.REWARD_LINES_PER_PAGE = 3
    many_lines(payee, firm, 5)

    cursor = parse_qs(urlsplit(physician_client.get("/rewards/").context["more_url"]).query)["after"][0]

    assert cursor.startswith("gAAAA")  # sealed
    first = physician_client.get(f"/rewards/lines/?after={cursor[:-9]}AAAAAAA==")
    assert first.context["months"] == physician_client.get("/rewards/").context["months"]


def everything(payee, firm, count):
    """A wallet with lines and payouts of every kind."""
    many_lines(payee, firm, count)
    pay(payee, firm, 2_500)
    pay(payee, firm, 2_000, cause="voter")
    payouts.cancel(payout=ask(payee, 1_000))
    ask(payee, 1_500)
    donating.donate(payee=payee, charity=make_charity(), cents=100, submission=uuid4())


@pytest.mark.parametrize("count", [5, pytest.param(2_000, marks=pytest.mark.scale)])
def test_the_wallet_takes_at_most_eight_queries(
    payee, firm, physician_client, django_assert_max_num_queries, count
):
    everything(payee, firm, count)

    with django_assert_max_num_queries(8):
        answer = physician_client.get("/rewards/")

    assert answer.status_code == 200


def test_months_are_those_of_the_payer():
    evening = datetime(2026, 11, 1, 3, 30, tzinfo=UTC)  # still October where the payer is
    line = wallet.Line(at=evening, title="", detail="", cents=1, balance=1, part=wallet.EARNED)

    assert wallet.by_month([line]) == [(date(2026, 10, 1), [line])]
    assert wallet.by_month([line], after="2026-10") == [(None, [line])]


def test_who_reads_the_wallet_has_read_what_was_told_of_it(payee, physician_client):
    fund(payee, 2_000)
    payouts.settle(ask(payee, 2_000), base.Outcome(base.PAID, "check 12"))
    thread = NoticeThread.objects.get(member=payee.member, about="rewards")
    assert thread.unread

    physician_client.get("/rewards/")

    thread.refresh_from_db()
    assert thread.unread == 0


# Where it stands


def test_polls_taken_are_promised_for_the_night(payee, firm, physician, physician_client):
    for _ in range(2):
        agreed = sponsoring.agree(poll=make_poll(), firm=firm, honorarium=750, quota=10, key=uuid4())
        Slot.objects.create(sponsorship=agreed, member=physician)

    assert "Promised $15.00" in read(physician_client)


def test_of_a_poll_taken_even_who_has_no_account_is_told(firm, colleague, colleague_client):
    agreed = sponsoring.agree(poll=make_poll(), firm=firm, honorarium=750, quota=10, key=uuid4())
    Slot.objects.create(sponsorship=agreed, member=colleague)

    assert "Promised $7.50" in read(colleague_client)


def test_the_year_counts_what_was_paid_and_given_and_is_the_sum_of_the_tax_office(payee, physician):
    fund(payee, 300_000)
    payouts.settle(_approved(ask(payee, 150_000)), base.Outcome(base.PAID))
    payouts.cancel(payout=ask(payee, 1_000))
    ask(payee, 2_000)
    earlier = _approved(ask(payee, 3_000))
    payouts.settle(earlier, base.Outcome(base.PAID))
    Payout.objects.filter(pk=earlier.pk).update(
        requested_at="2025-12-01T12:00Z", ended_at="2026-01-05T12:00Z", paid_on="2025-12-31"
    )
    donating.donate(payee=payee, charity=make_charity(), cents=49_999, submission=uuid4())
    undone = donating.donate(payee=payee, charity=make_charity(), cents=700, submission=uuid4())
    ledger.reverse(earlier=undone)

    before = wallet.standing_of(physician)
    donating.donate(payee=payee, charity=make_charity(), cents=1, submission=uuid4())
    after = wallet.standing_of(physician)

    assert before.received == 199_999 == taxes.total(payee.subject, before.year) - 1
    assert after.received == taxes.total(payee.subject, after.year)
    assert (before.is_reportable, after.is_reportable) == (False, True)


def _approved(payout):
    """Whatever its sum asks for."""
    Payout.objects.filter(pk=payout.pk).update(state="approved")
    return Payout.objects.get(pk=payout.pk)


def test_what_is_missing_for_a_payout_is_listed(physician, physician_client):
    fund(make_payee(physician), 400)

    page = read(physician_client)

    assert "Before your first payout" in page
    assert "$6.00 to go" in page
    assert "Ask for a payout" not in page


# Payouts


def test_asking_takes_the_whole_balance_unless_told_otherwise(payee, physician_client):
    fund(payee, 12_345)
    page = physician_client.get("/rewards/payouts/ask/")
    form = {"amount": "123.45", "submission": page.context["form"]["submission"].value()}
    assert 'value="123.45"' in page.content.decode()

    for _ in range(2):
        answer = physician_client.post("/rewards/payouts/ask/", form)
        assert answer["Location"] == "/rewards/"

    assert Payout.objects.get().cents == 12_345
    assert owed(payee) == 0
    page = read(physician_client)
    assert "On its way $123.45" in page
    assert "Payout: Check by mail" in page
    assert "−$123.45 balance then $0.00" in page


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        ("", "Write an amount"),
        ("ten", "Write dollars and cents"),
        ("10.005", "Write dollars and cents"),
        ("9.99", "At least $10.00."),
        ("20.01", "Your balance is $20.00."),
    ],
)
def test_an_amount_that_cannot_be_is_refused_beside_the_field(payee, physician_client, amount, message):
    fund(payee, 2_000)

    answer = physician_client.post("/rewards/payouts/ask/", {"amount": amount, "submission": uuid4()})

    assert answer.status_code == 422
    assert message in words(answer)
    assert f'value="{amount}"' in answer.content.decode() or not amount
    assert owed(payee) == 2_000


def test_without_a_way_to_be_paid_the_page_says_what_to_do(physician, physician_client):
    payee = make_payee(physician)
    fund(payee, 2_000)

    page = words(physician_client.get("/rewards/payouts/ask/"))
    answer = physician_client.post("/rewards/payouts/ask/", {"amount": "20", "submission": uuid4()})

    assert "Say how you want to be paid" in page
    assert answer.status_code == 422
    assert "Say first how you want to be paid." in words(answer)
    assert owed(payee) == 2_000


def test_what_waits_can_be_cancelled_by_its_member_alone(payee, physician_client, colleague_client):
    fund(payee, 2_000)
    address = reverse("rewards:cancel", args=[ask(payee, 2_000).key])

    assert colleague_client.post(address).status_code == 404
    assert physician_client.get(address).status_code == 405
    physician_client.post(address)

    assert owed(payee) == 2_000
    assert "Payout back on your balance: Check by mail" in read(physician_client)


def test_what_was_sent_cannot_be_cancelled(payee, physician_client):
    fund(payee, 2_000)
    payout = ask(payee, 2_000)
    Payout.objects.filter(pk=payout.pk).update(state="submitted", tries=1)

    assert "Cancel" not in read(physician_client)
    answer = physician_client.post(reverse("rewards:cancel", args=[payout.key]), follow=True)

    assert "This payout is on its way already, or over." in words(answer)
    assert owed(payee) == 0


def test_a_late_payout_says_so_with_its_days(payee, physician_client):
    fund(payee, 2_000)
    payout = ask(payee, 2_000)
    promised = timezone.localdate() - timedelta(days=14)
    Payout.objects.filter(pk=payout.pk).update(promised_on=promised)

    late = wallet.days_late(Payout.objects.get(pk=payout.pk))

    assert 8 <= late <= 10
    assert f"{late} business days late." in read(physician_client)


def test_a_paid_one_says_how_long_it_took(payee, physician_client):
    fund(payee, 2_000)
    payout = ask(payee, 2_000)
    payouts.settle(payout, base.Outcome(base.PAID, "check 12"))
    Payout.objects.filter(pk=payout.pk).update(
        requested_at="2026-03-02T15:00Z",
        promised_on="2026-03-16",
        paid_on="2026-03-19",
        ended_at="2026-04-02T15:00Z",  # when it was heard
    )

    assert "Paid Mar 19, 13 business days after you asked, 3 business days late" in read(physician_client)


# Giving


def test_giving_twice_with_one_form_gives_once(payee, physician_client):
    fund(payee, 2_000)
    charity = make_charity("Open Clinic")
    form = {"amount": "20", "charity": charity.pk, "submission": uuid4()}

    for _ in range(2):
        assert physician_client.post("/rewards/donate/", form).status_code == 302

    assert owed(payee) == 0
    assert Account.objects.get(charity=charity).balance == 2_000


@pytest.mark.parametrize(
    ("amount", "offered", "message"),
    [
        ("0", True, "At least $0.01."),
        ("20.01", True, "Your balance is $20.00."),
        ("5", False, "Choose a charity that is offered."),
    ],
)
def test_a_gift_that_cannot_be_is_refused(payee, physician_client, amount, offered, message):
    fund(payee, 2_000)
    make_charity()
    charity = make_charity(is_active=offered)

    answer = physician_client.post(
        "/rewards/donate/", {"amount": amount, "charity": charity.pk, "submission": uuid4()}
    )

    assert answer.status_code == 422
    assert message in words(answer)
    assert owed(payee) == 2_000


def test_a_form_sent_again_for_something_else_is_refused(payee):
    fund(payee, 2_000)
    charity, submission = make_charity(), uuid4()
    donating.donate(payee=payee, charity=charity, cents=500, submission=submission)

    with pytest.raises(donating.GivenBefore):
        donating.donate(payee=payee, charity=charity, cents=600, submission=submission)
    with pytest.raises(donating.NothingGiven):
        donating.donate(payee=payee, charity=charity, cents=0, submission=uuid4())
    charity.is_active = False
    with pytest.raises(donating.NotOffered):
        donating.donate(payee=payee, charity=charity, cents=1, submission=uuid4())


# Statements


def test_a_statement_names_no_number_of_the_books(payee, physician_client):
    answer = physician_client.get(f"/rewards/statement/{taxes.year_of(timezone.now())}/")

    assert payee.member.handle in words(answer)
    assert str(payee.subject) not in answer.content.decode()


def test_a_statement_adds_up(payee, firm, physician_client):
    everything(payee, firm, 5)
    year = taxes.year_of(timezone.now())

    answer = physician_client.get(f"/rewards/statement/{year}/")
    sums = answer.context["sums"]

    assert (sums.before, sums.earned, sums.sent, sums.given) == (0, 4_505, 1_500, 100)
    assert sums.left == sums.earned - sums.sent - sums.given == owed(payee)
    assert sums.received == 100
    assert len(sums.lines) == 11
    assert f"Rewards in {year}" in words(answer)
    assert "At the start $0.00" in words(answer)
    assert f"Now {dollars(sums.left)}" in words(answer)


def test_a_line_belongs_to_the_year_it_was_written_in_where_the_payer_is(payee, physician_client):
    fund(payee, 2_000)
    year = taxes.year_of(timezone.now())

    last, this = (
        physician_client.get(f"/rewards/statement/{each}/").context["sums"] for each in (year - 1, year)
    )

    assert (len(last.lines), last.left) == (0, 0)
    assert (len(this.lines), this.left) == (1, 2_000)


@pytest.mark.parametrize("year", [1999, 2999, 99999999])
def test_there_is_no_statement_of_a_year_without_rewards(physician_client, year):
    assert physician_client.get(f"/rewards/statement/{year}/").status_code == 404


def test_what_went_straight_to_a_charity_is_told_beside_the_sums(payee, firm, physician_client):
    award = pay(payee, firm, 900)
    Award.objects.filter(pk=award.pk).update(charity=make_charity())

    page = read(physician_client, "statement", taxes.year_of(timezone.now()))

    assert "firms paid $9.00 straight to the charity you chose" in page


# The way there


def test_the_wallet_leads_to_the_draws(physician_client):
    assert f'href="{reverse("rewards:draws")}"' in physician_client.get("/rewards/").content.decode()


def test_the_menu_leads_to_rewards(physician_client):
    assert 'href="/rewards/"' in physician_client.get("/").content.decode()


@pytest.mark.parametrize(
    ("typed", "cents"), [("25", 2_500), ("25.5", 2_550), ("$1,250.00", 125_000), (" 0.07 ", 7)]
)
def test_amounts_are_read_as_people_type_them(typed, cents):
    assert cents_of(typed) == cents


@pytest.mark.parametrize("typed", ["", "-5", "1.234", "1,25", "1e3", "٣", "5 dollars"])
def test_what_is_no_amount_is_none(typed):
    with pytest.raises(ValueError, match="not an amount"):
        cents_of(typed)


def test_suspended_members_read_why(payee):
    Member.objects.filter(pk=payee.member_id).update(standing=Member.Standing.SUSPENDED)

    assert client_of(payee.member).get("/rewards/").status_code == 403
