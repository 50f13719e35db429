import csv
import io
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from uuid import uuid4

import pytest
import time_machine

from accounts.tests.factories import make_user
from rewards import reference
from rewards.models import Account, Charity, Payout, TaxForm, YearRule
from rewards.providers.base import RETURNED, Outcome
from rewards.services import ledger, payouts, taxes
from rewards.tests.factories import fund, make_charity, make_payee
from verification.models import Event

pytestmark = pytest.mark.django_db

LAST_OF_2025 = datetime(2026, 1, 1, 4, 59, 59, 999999, tzinfo=UTC)  # where the payer is
FIRST_OF_2026 = datetime(2026, 1, 1, 5, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def payee(physician):
    return make_payee(physician)


def pay_out(payee, cents, at=SUMMER, state="paid"):
    fund(payee, cents)
    account, sending = ledger.payable_to(payee), ledger.house(Account.Kind.SENDING)
    held = ledger.post(kind="payout", key=f"t:{uuid4()}", entries={account: -cents, sending: cents})
    paid = ledger.house(Account.Kind.PAID)
    ends = {}
    if state != "submitted":
        settled = ledger.post(kind="paid", key=f"t:{uuid4()}", entries={sending: -cents, paid: cents})
        ends = {"ended_at": at, "paid_on": taxes.day_of(at), "settled": settled}
    return Payout.objects.create(
        submission=uuid4(),
        subject=payee.subject,
        payee=payee,
        method="check",
        provider="manual",
        cents=cents,
        state=state,
        requested_at=at - timedelta(days=3),
        promised_on=date(2026, 12, 1),
        held=held,
        **ends,
    )


def give(payee, cents):
    fund(payee, cents)
    charity = Charity.objects.first() or make_charity()
    entries = {ledger.payable_to(payee): -cents, ledger.held_for(charity): cents}
    return ledger.post(kind="donation", key=f"t:{uuid4()}", entries=entries)


def load():
    out = StringIO()
    reference.load(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("at", "cents", "year", "is_due"),
    [
        (LAST_OF_2025, 59_999, 2025, False),
        (LAST_OF_2025, 60_000, 2025, True),
        (FIRST_OF_2026, 199_999, 2026, False),
        (FIRST_OF_2026, 200_000, 2026, True),
    ],
)
def test_a_1099_is_due_from_the_cent_of_the_year_on(payee, at, cents, year, is_due):
    pay_out(payee, cents, at)

    assert taxes.year_of(at) == year
    assert taxes.total(payee.subject, year) == cents
    assert taxes.is_reportable(payee.subject, year) is is_due


def test_a_payout_belongs_to_the_year_it_was_paid_in_where_the_payer_is(payee):
    pay_out(payee, 1_000, LAST_OF_2025)
    pay_out(payee, 2_000, FIRST_OF_2026)

    assert [taxes.total(payee.subject, year) for year in (2024, 2025, 2026, 2027)] == [0, 1_000, 2_000, 0]


def test_what_is_heard_in_january_of_december_belongs_to_december(payee):
    payout = pay_out(payee, 1_000, FIRST_OF_2026)
    Payout.objects.filter(pk=payout.pk).update(paid_on=date(2025, 12, 30))

    assert [taxes.total(payee.subject, year) for year in (2025, 2026)] == [1_000, 0]
    assert 2025 in taxes.years_with_money(payee.subject)


def test_gifts_out_of_the_balance_count_and_nothing_else_does(payee, colleague):
    with time_machine.travel(LAST_OF_2025, tick=False):
        give(payee, 300)
    with time_machine.travel(SUMMER):
        pay_out(payee, 150_000)
        pay_out(payee, 9_000, state="submitted")
        pay_out(payee, 8_000, state="returned")
        fund(payee, 7_000)
        give(payee, 50_000)
        ledger.reverse(earlier=give(payee, 6_000))
        pay_out(make_payee(colleague), 5_000)

    assert taxes.total(payee.subject, 2025) == 300
    assert taxes.total(payee.subject, 2026) == 200_000
    assert taxes.totals(2026) == {payee.subject: 200_000, colleague.payee.subject: 5_000}


def test_a_year_without_a_rule_goes_by_the_latest_before_it():
    assert taxes.rule_of(2026).tax_cents == 200_000  # shipped, though no row is there yet

    load()
    YearRule.objects.create(
        year=2028, tax_cents=210_000, single_cents=1, total_cents=2, layout="general-2023"
    )

    due = {year: taxes.rule_of(year).tax_cents for year in (2019, 2025, 2026, 2027, 2028, 2031)}
    assert due == {2019: 60_000, 2025: 60_000, 2026: 200_000, 2027: 200_000, 2028: 210_000, 2031: 210_000}


def test_years_with_money_are_those_in_which_something_moved_or_was_paid(payee, third):
    with time_machine.travel(SUMMER):
        pay_out(payee, 1_000, LAST_OF_2025)

    assert taxes.years_with_money(payee.subject) == [2026, 2025]
    assert taxes.years_with_money(make_payee(third).subject) == []


def test_the_1099_table_holds_those_due_with_their_numbers_and_leaves_an_event(payee, colleague, third):
    pay_out(payee, 200_000)
    pay_out(make_payee(colleague), 199_999)
    unknown = make_payee(third)
    pay_out(unknown, 200_050)
    form = {"name": "=Ana Ruiz", "business_name": "", "classification": "individual", "street": "1 Elm St"}
    place = {"city": "Lansing", "state": "MI", "zip": "48937", "tin_kind": "ssn", "tin": "078051120"}
    TaxForm.objects.create(subject=payee.subject, form={**form, **place})

    table = taxes.file_1099(2026, by=make_user(is_staff=True))

    assert str(payee.subject) not in table
    lines = [line.removeprefix('"').removesuffix('"').split('","') for line in table.splitlines()]
    own, strange = (taxes.account_number(each.subject) for each in (payee, unknown))

    assert sorted(lines[1:]) == sorted(
        [
            f"2026,'=Ana Ruiz,,individual,1 Elm St,Lansing,MI,48937,ssn,078051120,2000.00,{own},yes,".split(
                ","
            ),
            f"2026,,,,,,,,,,2000.50,{strange},missing,".split(","),
        ]
    )
    event = Event.objects.get(kind="finance_1099")
    assert event.object == "year:2026"
    assert event.actor


def lines_of(table):
    """By account number: the sum, and what was filed before."""
    rows = list(csv.DictReader(io.StringIO(table)))
    return {row["account_number"]: (row["nonemployee_compensation"], row["filed_before"]) for row in rows}


@time_machine.travel(datetime(2027, 2, 1, 12, tzinfo=UTC), tick=False)
def test_what_changes_a_filed_year_is_a_correction(payee, colleague, third):
    returning = pay_out(payee, 250_000)
    pay_out(make_payee(colleague), 200_000)
    pay_out(make_payee(third), 199_000)
    own, same, late = (taxes.account_number(one.subject) for one in (payee, colleague.payee, third.payee))
    assert lines_of(taxes.file_1099(2026)) == {own: ("2500.00", ""), same: ("2000.00", "")}
    assert taxes.corrections(2026) == []

    payouts.settle(returning, Outcome(RETURNED))
    pay_out(third.payee, 5_000)

    found = {one.account: (one.filed, one.cents) for one in taxes.corrections(2026)}
    assert found == {own: (250_000, 0), late: (None, 204_000)}
    corrected = {own: ("0.00", "2500.00"), late: ("2040.00", "0.00")}
    for _ in range(2):
        assert lines_of(taxes.file_1099(2026)) == {same: ("2000.00", ""), **corrected}

    assert lines_of(taxes.file_corrections(2026)) == corrected
    assert taxes.corrections(2026) == []
    assert Event.objects.filter(kind="finance_1099_corrected", object="year:2026").count() == 1


@time_machine.travel(SUMMER, tick=False)
def test_a_year_that_goes_on_is_not_filed(payee):
    pay_out(payee, 250_000)

    taxes.file_1099(2026)

    assert taxes.filed_in(2026) == {}


def test_reference_is_loaded_once_and_leaves_alone_what_the_desk_changed():
    assert "2 years (2 new), 4 charities (4 new)" in load()
    YearRule.objects.filter(year=2026).update(tax_cents=1)
    Charity.objects.filter(ein="13-1685039").update(name="CARE USA", is_active=False)

    assert load().count("(0 new)") == 2

    assert taxes.rule_of(2026).tax_cents == 1
    assert not Charity.objects.get(ein="13-1685039").is_active
    assert Charity.objects.count() == 4


def test_shipped_years_are_those_that_were_announced():
    rules = {
        rule.year: (rule.tax_cents, rule.single_cents, rule.total_cents) for rule in reference.year_rules()
    }

    assert rules == {2025: (60_000, 1_346, 13_454), 2026: (200_000, 1_382, 13_813)}
    for row in reference._rows("charities.csv"):
        Charity(name=row["name"], ein=row["ein"]).full_clean()
