import csv
import io
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Notice
from accounts.tests.factories import make_member, make_user
from conftest import client_of
from questions.models import Byline, Question
from questions.tests.factories import corroborate, make_answer, make_question
from rewards import sunshine, sunshine_file
from rewards.models import Award, Firm, OpenPayment, Report
from rewards.services import ledger, open_payments, settling
from rewards.tests.factories import make_charity, make_draw_day, make_earmark, make_firm, make_payee
from sermo.errors import RuleBroken
from verification.models import Event
from verification.tests.factories import make_claim, make_provider

pytestmark = pytest.mark.django_db

SUMMER = datetime(2026, 7, 1, 12, tzinfo=UTC)
LAST_OF_2025 = datetime(2026, 1, 1, 4, 59, 59, tzinfo=UTC)  # where the payer is
FIRST_OF_2026 = datetime(2026, 1, 1, 5, tzinfo=UTC)
OPENED = date(2027, 1, 4)
CLOSES = date(2027, 2, 18)  # 45 days later


def noon(day):
    return datetime(day.year, day.month, day.day, 17, tzinfo=UTC)


@pytest.fixture(autouse=True)
def quiet(nobody_told):
    pass


@pytest.fixture
def firm(db):
    return make_firm(
        "Aurora Pharma", balance=1_000_000, is_covered=True, registration_id="100000012345", products=["Xylo"]
    )


@pytest.fixture
def desk(db):
    return make_user(is_staff=True)


@pytest.fixture
def opened(colleague):
    """A discussion to be paid in."""
    return make_question(colleague, title="Does Xylo prolong the QT interval?")


def pay(firm, member, cents=1_500, *, at=SUMMER, known=True, cause="group", **fields):
    """An award with its entry, and its row."""
    payee = make_payee(member)
    account, kept = ledger.payable_to(payee), ledger.firm_balance(firm)
    entries = {kept: -cents, account: cents}
    row = ledger.post(kind="honorarium", key=f"t:{uuid4()}", entries=entries)
    award = Award.objects.create(
        payee=payee,
        firm=firm,
        cause=cause,
        cents=cents,
        entry=row.entries.get(account=account),
        awarded_at=at,
        **fields,
    )
    payment = noted(award)
    if known and payment.is_blind:
        day = payment.paid_on
        OpenPayment.objects.filter(pk=payment.pk).update(
            is_blind=False, unblinded_on=day, unblinded_by="finance"
        )
        payment.refresh_from_db()
    return payment


def pay_author(
    firm, post, cents=1_500, *, cause="author", member=None, was_public=False, is_gone=False, **fields
):
    """What settling an earmark makes."""
    earmark = make_earmark(post, firm, was_public=was_public)
    payee = make_payee(member or post.author)
    account = ledger.payable_to(payee)
    row = ledger.post(
        kind="settle", key=f"t:{uuid4()}", entries={ledger.firm_balance(firm): -cents, account: cents}
    )
    award = Award.objects.create(
        payee=payee,
        firm=firm,
        cause=cause,
        earmark=earmark,
        question=None if is_gone else post.question,
        post=None if is_gone else post,
        cents=cents,
        entry=row.entries.get(account=account),
        **fields,
    )
    return noted(award, award.post)


def noted(award, post=None):
    open_payments.note_all([(award, post)])
    return OpenPayment.objects.select_related("award__entry__transaction").get(award=award)


def open_report(firm, year=2026, day=OPENED):
    with time_machine.travel(noon(day), tick=False):
        return open_payments.open_report(firm, year)


def export(report, day=CLOSES + timedelta(days=1), by=None):
    with time_machine.travel(noon(day), tick=False):
        return open_payments.export(report=report, by=by)


def amounts(made):
    rows = csv.DictReader(io.StringIO(made.text))
    return [row["TOTAL_AMOUNT_OF_PAYMENT_USDOLLARS"] for row in rows]


def verified(member, **fields):
    """With a verified claim, as the registry has them."""
    make_claim(member, make_provider(school=None, year=None, **fields), state="verified")
    return member


# Noting


def test_a_payment_of_a_covered_firm_keeps_who_got_it_as_verified(firm, physician, opened):
    verified(physician)
    answer = make_answer(opened, physician, source="xylo, at that dose, does.")
    charity = make_charity("Clean Water")

    payment = pay_author(firm, answer, charity=charity, awarded_at=FIRST_OF_2026)

    payment.refresh_from_db()
    claim = physician.user.claims.get()
    known = payment.recipient
    assert known["npi"] == claim.registry["npi"]
    assert (known["first_name"], known["last_name"], known["degree"]) == ("OTTOLINE", "QUILLFEATHER", "MD")
    assert (known["city"], known["state"], known["zip"]) == ("LANSING", "MI", "48937")
    assert (known["taxonomy"], known["license_state"]) == ("207RC0000X", "MI")
    assert known["license_number"].startswith("4301")
    assert (payment.year, payment.paid_on, payment.cents) == (2026, date(2026, 1, 1), 1_500)
    assert (payment.form, payment.nature) == ("Cash or cash equivalent", "Honoraria")
    assert (payment.products, payment.charity_name) == (["Xylo"], "Clean Water")
    assert (payment.is_blind, payment.unblinded_on, payment.subject) == (True, None, physician.payee.subject)


def test_noted_twice_is_once(firm, physician):
    payment = pay(firm, physician)

    assert noted(payment.award) == payment
    assert OpenPayment.objects.count() == 1


def test_a_firm_that_comes_to_report_reports_what_it_paid_before(physician, physician_client):
    firm = make_firm("Borealis", registration_id="100000000007")
    verified(physician)
    payment = pay(firm, physician)
    page = physician_client.get(reverse("rewards:open_payments")).content.decode()
    assert payment.recipient is None
    assert "Nothing to report" in page
    assert physician_client.get(reverse("rewards:dispute", args=[payment.pk])).status_code == 404
    assert sunshine.reported(Report(firm=firm, year=2026)) == []

    Firm.objects.update(is_covered=True)
    report = open_report(firm := Firm.objects.get())

    payment.refresh_from_db()
    assert payment.recipient["last_name"] == "QUILLFEATHER"
    assert amounts(export(report)) == ["15.00"]
    Firm.objects.update(is_covered=False)
    with pytest.raises(open_payments.NotCovered):
        export(report)


def test_the_year_of_a_payment_is_the_payers(firm, physician):
    late, early = pay(firm, physician, at=LAST_OF_2025), pay(firm, physician, at=FIRST_OF_2026)

    assert (late.year, late.paid_on) == (2025, date(2025, 12, 31))
    assert (early.year, early.paid_on) == (2026, date(2026, 1, 1))


@pytest.mark.parametrize(
    ("mode", "cause", "is_blind"),
    [("public", "author", False), ("public", "voter", True), ("partial", "author", True)],
)
def test_only_the_author_under_a_real_name_is_known_to_the_firm(
    firm, physician, third, opened, mode, cause, is_blind
):
    answer = make_answer(opened, physician)
    Byline.objects.filter(pk=answer.byline_id).update(mode=mode)
    answer.refresh_from_db()

    payment = pay_author(firm, answer, cause=cause, member=third if cause == "voter" else None)

    assert payment.is_blind is is_blind
    assert payment.unblinded_by == ("" if is_blind else "public")
    assert payment.unblinded_on == (None if is_blind else payment.paid_on)


def test_a_firm_that_read_the_name_knows_it_whatever_came_after(firm, physician, opened):
    """Its author hides the name before the close, or leaves, after which an award says no post."""
    answer = make_answer(opened, physician)
    Byline.objects.filter(pk=answer.byline_id).update(mode="masked")
    answer.refresh_from_db()

    hidden = pay_author(firm, answer, was_public=True)
    gone = pay_author(make_firm(is_covered=True), answer, was_public=True, is_gone=True)

    assert [(each.is_blind, each.unblinded_by) for each in (hidden, gone)] == [(False, "public")] * 2


def test_a_voter_of_such_a_post_stays_unknown(firm, physician, third, opened):
    answer = make_answer(opened, physician)

    assert pay_author(firm, answer, cause="voter", member=third, was_public=True).is_blind


def test_closing_takes_no_more_statements_for_more_voters(firm, colleague, third):
    """Each of them verified, whose identity is kept with the payment."""
    make_draw_day()
    spent = []
    for number in (2, 12):
        answer = make_answer(make_question(colleague), third)
        for _ in range(number):
            corroborate(answer, verified(make_member()))
        make_earmark(answer, firm, voter_cents=500, voter_slots=12)
        Question.objects.filter(pk=answer.question_id).update(
            status="closed", closed_at=timezone.now(), close_reason="author"
        )
        with CaptureQueriesContext(connection) as queries:
            settling.settle(question_id=answer.question_id)
        spent.append(len(queries))
        assert OpenPayment.objects.filter(award__question=answer.question_id).count() == number + 1

    assert spent[0] >= spent[1]


def test_each_report_of_a_year_is_told(firm, physician):
    for payer in (firm, make_firm(is_covered=True)):
        pay(payer, physician)
        open_report(payer)

    assert Notice.objects.filter(kind="reward", member=physician).count() == 2


def test_a_member_without_a_claim_or_who_left_is_kept_without_a_name(firm, physician):
    payment = pay(firm, physician)

    assert payment.recipient == {}


# What is reported


def fates(firm, year):
    rows = sunshine.read(OpenPayment.objects.filter(firm=firm, year=year)).order_by("pk")
    sums, rule = sunshine.sums_of(rows), sunshine.taxes.rule_of(year)
    return [str(sunshine.fate_of(row, sums, rule, sunshine.taxes.today())) for row in rows]


@pytest.mark.parametrize(("at", "single"), [(LAST_OF_2025, 1_346), (FIRST_OF_2026, 1_382)])
def test_a_single_payment_is_reported_from_the_cent_of_its_year_on(firm, physician, colleague, at, single):
    year = pay(firm, physician, single, at=at).year
    pay(firm, colleague, single - 1, at=at)

    assert fates(firm, year) == ["reported", "small"]
    assert [row.cents for row in sunshine.reported(Report(firm=firm, year=year))] == [single]


@pytest.mark.parametrize(("at", "total"), [(LAST_OF_2025, 13_454), (FIRST_OF_2026, 13_813)])
def test_small_payments_are_reported_once_the_year_is_above_its_total(firm, physician, colleague, at, total):
    for member, cents in ((physician, total - 600), (colleague, total - 599)):
        year = pay(firm, member, cents, at=at).year
        pay(firm, member, 600, at=at)

    report = Report(firm=firm, year=year)

    assert fates(firm, year) == ["reported", "small", "reported", "reported"]
    assert sorted(line.cents for line in open_payments.rows_for(report)) == [total - 600, total + 1]


def test_sums_keep_members_firms_and_years_apart(firm, physician, colleague):
    other = make_firm(is_covered=True)
    for at in (LAST_OF_2025, FIRST_OF_2026):
        for payer in (firm, other):
            for member in (physician, colleague):
                pay(payer, member, 1_000, at=at)

    assert {*fates(firm, 2025), *fates(firm, 2026), *fates(other, 2026)} == {"small"}


def test_blind_undone_and_excluded_payments_neither_are_reported_nor_count(firm, physician):
    pay(firm, physician, 14_000, known=False)
    undone = pay(firm, physician, 14_000)
    ledger.reverse(earlier=undone.award.entry.transaction)
    excluded = pay(firm, physician, 14_000)
    OpenPayment.objects.filter(pk=excluded.pk).update(excluded=True)
    pay(firm, physician, 600)

    with time_machine.travel(noon(date(2027, 6, 30))):
        assert fates(firm, 2026) == ["blind", "undone", "excluded", "small"]
    with time_machine.travel(noon(date(2027, 7, 1))):
        assert fates(firm, 2026)[0] == "unknown"


@pytest.mark.parametrize(
    ("moment", "fate"),
    [
        (datetime(2027, 7, 1, 3, 59, 59, tzinfo=UTC), "reported"),  # June 30 where the payer is
        (datetime(2027, 7, 1, 4, tzinfo=UTC), "unknown"),
    ],
)
def test_a_firm_that_learns_whom_it_paid_by_june_30_reports_it(firm, physician, desk, moment, fate):
    payment = pay(firm, physician, known=False)

    with time_machine.travel(moment, tick=False):
        open_payments.unblind(payment=payment, by=desk)
        known = open_payments.unblind(payment=payment, why="sponsor")

    assert (known.unblinded_by, known.is_blind) == ("finance", False)
    assert fates(firm, 2026) == [fate]
    assert Event.objects.get(kind="finance_op_unblind").object == f"open_payment:{payment.pk}"


def test_payments_of_a_kind_leave_as_one_line_with_the_day_of_the_first(firm, physician):
    pay(firm, physician, 2_000, at=SUMMER)
    pay(firm, physician, 3_000, at=SUMMER - timedelta(days=30))
    pay(firm, physician, 4_000, charity=make_charity("Clean Water"))

    lines = open_payments.rows_for(Report(firm=firm, year=2026))

    assert sorted((line.cents, line.payments, line.charity_name) for line in lines) == [
        (4_000, 1, "Clean Water"),
        (5_000, 2, ""),
    ]
    assert max(lines, key=lambda line: line.payments).first_paid_on == date(2026, 6, 1)


def test_a_line_holds_as_many_payments_as_its_field_can_count(firm, physician, monkeypatch):
    monkeypatch.setattr(sunshine, "MOST_PAYMENTS", 2)
    for _ in range(5):
        pay(firm, physician)

    lines = open_payments.rows_for(Report(firm=firm, year=2026))

    assert [line.payments for line in lines] == [2, 2, 1]
    assert sum(line.cents for line in lines) == 7_500


# The preview, and the file


def test_a_report_is_read_for_45_days_and_only_those_in_it_are_told(firm, physician, colleague, third):
    pay(firm, physician)
    pay(firm, colleague, 600)
    pay(firm, third, known=False)

    report = open_report(firm)
    again = open_report(firm, day=date(2027, 1, 20))

    assert (report.opened_on, report.closes_on) == (OPENED, CLOSES)
    assert again == report
    assert again.closes_on == CLOSES
    assert list(Notice.objects.filter(kind="reward").values_list("member", flat=True)) == [physician.pk]
    assert Event.objects.filter(kind="finance_op_open").count() == 1


def test_a_report_is_of_a_year_that_is_over_and_of_a_firm_that_reports(firm):
    with (
        time_machine.travel(datetime(2027, 1, 1, 4, 59, tzinfo=UTC)),
        pytest.raises(open_payments.YearNotOver),
    ):
        open_payments.open_report(firm, 2026)
    with pytest.raises(open_payments.NotCovered):
        open_report(make_firm())


def test_nothing_leaves_before_the_preview_is_over(firm, physician, desk):
    verified(physician)
    pay(firm, physician)
    report = open_report(firm)

    with pytest.raises(open_payments.PreviewNotOver):
        export(report, CLOSES)
    made = export(report, by=desk)

    assert (made.name, made.lines, made.cents) == ("open-payments-2026-100000012345.csv", 1, 1_500)
    report.refresh_from_db()
    assert (report.rows, report.cents, report.exported_at is not None) == (1, 1_500, True)
    assert Event.objects.get(kind="finance_op_export").object == f"report:{report.pk}"


def test_the_file_holds_what_its_layout_says(firm, physician):
    verified(physician, practice_zip="489371234")
    pay(firm, physician, 120_050, charity=make_charity("Clean Water"))
    report = open_report(firm)

    rows = list(csv.DictReader(io.StringIO(export(report).text)))

    (row,) = rows
    said = {name: value for name, value in row.items() if value}
    license_number = said.pop("COVERED_RECIPIENT_LICENSE_NUMBER1")
    npi = said.pop("COVERED_RECIPIENT_NPI")
    assert len(npi) == 10
    assert license_number.startswith("4301")
    assert said == {
        "APPLICABLE_MANUFACTURER_OR_APPLICABLE_GPO_NAME": "Aurora Pharma",
        "APPLICABLE_MANUFACTURER_OR_APPLICABLE_GPO_ID": "100000012345",
        "CONSOLIDATED_REPORT_INDICATOR": "N",
        "RESUBMISSION_FILE_INDICATOR": "N",
        "COVERED_RECIPIENT_TYPE": "Covered Recipient Physician",
        "COVERED_RECIPIENT_FIRST_NAME": "OTTOLINE",
        "COVERED_RECIPIENT_LAST_NAME": "QUILLFEATHER",
        "RECIPIENT_CITY": "LANSING",
        "RECIPIENT_STATE": "MI",
        "RECIPIENT_ZIP_CODE": "48937-1234",
        "RECIPIENT_COUNTRY": "United States",
        "COVERED_RECIPIENT_PRIMARY_TYPE_1": "Medical Doctor",
        "COVERED_RECIPIENT_SPECIALTY_1": "207RC0000X",
        "COVERED_RECIPIENT_LICENSE_STATE_CODE1": "MI",
        "RELATED_PRODUCT_INDICATOR": "No",
        "APPLICABLE_MANUFACTURER_OR_APPLICABLE_GPO_MAKING_PAYMENT_NAME": "Aurora Pharma",
        "APPLICABLE_MANUFACTURER_OR_APPLICABLE_GPO_MAKING_PAYMENT_ID": "100000012345",
        "TOTAL_AMOUNT_OF_PAYMENT_USDOLLARS": "1200.50",
        "DATE_OF_PAYMENT": "07/01/2026",
        "NUMBER_OF_PAYMENTS_INCLUDED_IN_TOTAL_AMOUNT": "1",
        "FORM_OF_PAYMENT_OR_TRANSFER_OF_VALUE": "Cash or cash equivalent",
        "NATURE_OF_PAYMENT_OR_TRANSFER_OF_VALUE": sunshine_file.IN_FULL[open_payments.SERVICES],
        "THIRD_PARTY_PAYMENT_RECIPIENT_INDICATOR": "Entity",
        "NAME_OF_THIRD_PARTY_ENTITY_RECEIVING_PAYMENT_OR_TRANSFER_OF_VALUE": "Clean Water",
        "CHARITY_INDICATOR": "Yes",
        "THIRD_PARTY_EQUALS_COVERED_RECIPIENT_INDICATOR": "No",
        "DELAY_IN_PUBLICATION_INDICATOR": "No",
        "PROGRAM_YEAR": "2026",
    }


def test_values_are_cut_to_their_columns_and_begin_no_formula(firm):
    line = sunshine.Line({"first_name": "=Anna" * 9, "last_name": "X"}, "f", "n", "", date(2026, 7, 1), 5, 1)

    text = sunshine_file.as_csv([line], firm=firm, year=2026, layout="general-2023")

    (row,) = csv.DictReader(io.StringIO(text))
    assert row["COVERED_RECIPIENT_FIRST_NAME"] == "'=Anna=Anna=Anna=Ann"


def test_a_payment_that_became_known_late_leaves_once_it_could_be_read_as_long(firm, physician, third):
    pay(firm, verified(physician))
    late = pay(firm, verified(third), 2_000, known=False)
    report = open_report(firm)
    known_on = date(2027, 2, 1)
    with time_machine.travel(noon(known_on), tick=False):
        open_payments.unblind(payment=late)

    first = export(report)
    before, after = (export(report, known_on + timedelta(days=days)) for days in (45, 46))

    assert Notice.objects.filter(kind="reward", member=third).count() == 1
    assert [amounts(each) for each in (first, before)] == [["15.00"], ["15.00"]]
    assert sorted(amounts(after)) == ["15.00", "20.00"]


def test_lines_without_a_name_are_counted_and_left_out(firm, physician):
    pay(firm, physician)

    made = export(open_report(firm))

    assert (made.lines, made.unnamed, made.cents) == (0, 1, 0)


# Disputes


@pytest.fixture
def disputed(firm, physician):
    verified(physician)
    pay(firm, physician, 2_000)
    payment = pay(firm, physician, 3_000)
    open_report(firm)
    return open_payments.dispute(payment=payment, words="I never got this.")


def test_a_disputed_payment_holds_the_report_back_until_it_is_answered(firm, disputed, desk):
    report = Report.objects.get()
    open_payments.dispute(payment=disputed, words="I never got this.")

    with pytest.raises(open_payments.DisputeOpen):
        export(report)
    for _ in range(2):
        open_payments.answer(payment=disputed, outcome="kept", words="It was paid on July 1.", by=desk)

    assert amounts(export(report)) == ["50.00"]
    disputed.refresh_from_db()
    assert (disputed.dispute, disputed.dispute_answer) == ("kept", "It was paid on July 1.")
    assert Event.objects.filter(kind="finance_op_answer", reason="kept").count() == 1


def test_a_dispute_found_right_takes_the_payment_out(disputed, desk):
    open_payments.answer(payment=disputed, outcome="corrected", words="You are right.", by=desk)

    assert amounts(export(Report.objects.get())) == ["20.00"]


def test_a_dispute_may_correct_who_got_it_in_all_of_the_report(disputed, desk):
    who = {"last_name": "NEWLYWED"}
    open_payments.answer(payment=disputed, outcome="corrected", words="Mended.", by=desk, recipient=who)

    made = export(Report.objects.get())

    assert amounts(made) == ["50.00"]
    assert {row.recipient["last_name"] for row in OpenPayment.objects.all()} == {"NEWLYWED"}
    assert OpenPayment.objects.filter(excluded=True).count() == 0


def test_what_cannot_be_disputed_or_answered_says_why(firm, physician, third, desk, disputed):
    def refusal(act, **given):
        with pytest.raises(RuleBroken) as refused:
            act(**given)
        return type(refused.value)

    answer, dispute = open_payments.answer, open_payments.dispute
    said = {"outcome": "kept", "words": "No."}
    blind = pay(firm, third, known=False)

    assert refusal(dispute, payment=blind, words="No.") == open_payments.NothingToDispute
    assert refusal(dispute, payment=blind, words=" ") == open_payments.NoWords
    assert refusal(answer, payment=blind, by=desk, **said) == open_payments.NotDisputed
    assert refusal(answer, payment=disputed, by=physician.user, **said) == open_payments.OwnPayment
    answer(payment=disputed, by=desk, **said)
    assert refusal(answer, payment=disputed, by=desk, outcome="kept", words="Yes.") == (
        open_payments.AnsweredBefore
    )
    assert refusal(dispute, payment=disputed, words="Again.") == open_payments.AnsweredBefore
    export(Report.objects.get())
    other = OpenPayment.objects.filter(subject=physician.payee.subject, dispute="").get()
    assert refusal(dispute, payment=other, words="No.") == open_payments.AlreadyReported


# The pages


def test_members_read_what_becomes_of_each_payment(firm, physician):
    pay(firm, physician)
    pay(firm, physician, 600)
    hidden = make_firm("Hidden Devices", kind="device", is_covered=True, shows_name=False)
    pay(hidden, physician, known=False)
    with time_machine.travel(noon(OPENED), tick=False):
        open_payments.open_report(firm, 2026)
        client = client_of(physician)
        page = client.get(reverse("rewards:open_payments")).content.decode()

    assert "Aurora Pharma will report it for 2026." in page
    assert "Not reported: below $13.82, and all of the year together not above $138.13." in page
    assert "Not reported while blind, until June 30, 2027" in page
    assert "read it until February 18, 2027" in page
    assert "A device maker" in page
    assert "Hidden Devices" not in page


def test_a_firm_that_hides_its_name_has_it_once_it_reports(physician):
    hidden = make_firm("Hidden Devices", kind="device", is_covered=True, shows_name=False)
    pay(hidden, physician)

    assert "Hidden Devices" in client_of(physician).get(reverse("rewards:open_payments")).content.decode()


def test_a_payment_is_disputed_on_its_page_with_what_was_typed_kept(disputed, physician):
    other = OpenPayment.objects.exclude(pk=disputed.pk).get()
    client, url = client_of(physician), reverse("rewards:dispute", args=[other.pk])

    assert "QUILLFEATHER" in client.get(url).content.decode()
    empty = client.post(url, {"words": ""})
    flagged = client.post(url, {"words": "My patient John Smith, MRN 00123456, born 3/4/1961"})
    answer = client.post(url, {"words": "The license is another one."}, follow=True)

    assert (empty.status_code, flagged.status_code) == (422, 422)
    assert "MRN 00123456" in flagged.content.decode()
    assert "The license is another one." in answer.content.decode()
    assert "<textarea" not in answer.content.decode()
    other.refresh_from_db()
    assert other.dispute == "open"


def test_blind_payments_have_no_form_and_refuse_one(firm, physician):
    payment = pay(firm, physician, known=False)
    client, url = client_of(physician), reverse("rewards:dispute", args=[payment.pk])

    page = client.get(url).content.decode()
    answer = client.post(url, {"words": "But it is wrong."})

    assert "<textarea" not in page
    assert open_payments.NothingToDispute.message in page
    assert answer.status_code == 422
    assert open_payments.NothingToDispute.message in answer.content.decode()


def test_nobody_else_comes_to_a_payment(firm, physician, colleague_client, applicant_client, client):
    payment = pay(firm, physician)
    urls = [reverse("rewards:open_payments"), reverse("rewards:dispute", args=[payment.pk])]

    assert [colleague_client.get(url).status_code for url in urls] == [200, 404]
    assert colleague_client.post(urls[1], {"words": "Mine."}).status_code == 404
    assert [applicant_client.get(url).status_code for url in urls] == [302, 302]
    assert [client.get(url).status_code for url in urls] == [302, 302]
    assert "Nothing to report" in colleague_client.get(urls[0]).content.decode()


def test_the_page_costs_the_same_at_any_length(
    firm, physician, physician_client, settings, django_assert_max_num_queries
):
    settings.REWARD_LINES_PER_PAGE = 5
    for _ in range(6):
        pay(firm, physician)
    pay(make_firm(is_covered=True), physician)
    url = reverse("rewards:open_payments")

    with django_assert_max_num_queries(14) as spent:
        page = physician_client.get(url)

    assert page.content.decode().count("list-row") == 5
    assert len([each for each in spent if "rewards_" in each["sql"]]) <= 6
    rest = physician_client.get(f"{url}{page.context['more_url']}").content.decode()
    assert rest.count("list-row") == 2


# The command


def test_the_command_opens_reports_and_writes_their_files(firm, physician, tmp_path):
    verified(physician)
    pay(firm, physician)
    make_firm("Borealis", is_covered=True)
    make_firm("Not covered")
    said = io.StringIO()

    with time_machine.travel(noon(OPENED), tick=False):
        call_command("export_open_payments", 2026, open=True, firm=["Aurora Pharma"], stdout=said)
    with (
        time_machine.travel(noon(CLOSES + timedelta(days=1)), tick=False),
        pytest.raises(CommandError, match="1 done, 1 refused"),
    ):
        call_command("export_open_payments", 2026, into=str(tmp_path), stdout=said)

    lines = said.getvalue().splitlines()
    assert lines[0] == "  1 of 1, Aurora Pharma: 1 lines, may be read until 2027-02-18"
    assert lines[2].startswith("  1 of 2, Aurora Pharma: 1 lines, $15.00, in ")
    assert lines[3].startswith("  2 of 2, Borealis: refused. Its report was not opened")
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "QUILLFEATHER" in path.read_text()


def test_the_command_knows_only_firms_that_report(firm):
    with pytest.raises(CommandError, match="No firm that reports is called Nobody"):
        call_command("export_open_payments", 2026, firm=["Nobody"])
