"""What is reported: Form 1099-NEC by year, and Open Payments by firm and year, with the disputes of physicians.

Names and numbers are in the files alone. A page shows a payment by its number, its firm and its day.
"""

from django import forms
from django.contrib import admin
from django.views.decorators.debug import sensitive_variables

from rewards.desk.base import Act, DeskAdmin, Table, badge, file_of, link, moment
from rewards.desk.forms import ActForm, ReportForm, SureForm, TaxYearForm, YearForm
from rewards.models import Firm, OpenPayment, Report, YearRule
from rewards.services import open_payments, taxes
from rewards.words import dollars

Dispute = OpenPayment.Dispute


@sensitive_variables()
def _file_1099(row, user, data):
    name = f"1099-nec-{data['year']}{'-preliminary' if data['is_preliminary'] else ''}.csv"
    return file_of(taxes.file_1099(data["year"], by=user), name)


@sensitive_variables()
def _file_corrections(row, user, data):
    made = taxes.file_corrections(data["year"], by=user)
    return file_of(made, f"1099-nec-{data['year']}-corrections.csv")


@admin.register(YearRule)
class YearRuleAdmin(DeskAdmin):
    """Thresholds come with the site, as data."""

    list_display = ["year", "tax", "single", "total", "layout"]
    fields = list_display
    ordering = ["-year"]
    acts = (
        Act(
            *("1099", "Export Form 1099-NEC", TaxYearForm, _file_1099, "approve_payout"),
            words="Everybody whose year reaches the sum of that year, with names and tax numbers. Keep the file safe "
            "and delete it once it is filed. The first file of a year that is over counts as filed.",
            of_list=True,
        ),
        Act(
            *("corrections", "Export corrections", YearForm, _file_corrections, "approve_payout"),
            words="Everybody of whom the books now say something else than what was filed, as payouts came back or "
            "were found to be paid. They count as filed with this file.",
            of_list=True,
        ),
    )

    def name_of(self, row):
        return f"Year {row}"

    def tables(self, request, row):
        lines = [
            (each.account, "none" if each.filed is None else dollars(each.filed), dollars(each.cents))
            for each in taxes.corrections(row.year)
        ]
        head = ("Account number on the form", "Filed", "Now")
        return [Table("Corrections to be filed", head, lines, numbers=(2, 3), empty="None.")]

    @admin.display(description="1099-NEC from")
    def tax(self, rule):
        return dollars(rule.tax_cents)

    @admin.display(description="Open Payments, single")
    def single(self, rule):
        return dollars(rule.single_cents)

    @admin.display(description="Open Payments, of a year")
    def total(self, rule):
        return dollars(rule.total_cents)


def _open(row, user, data) -> str:
    report = open_payments.open_report(data["firm"], data["year"], by=user)
    return f"Opened. Physicians read it until {report.closes_on}; after that it may be exported."


@sensitive_variables()
def _export(report, user, data):
    made = open_payments.export(report=report, by=user)
    return file_of(made.text, made.name)


@admin.register(Report)
class ReportAdmin(DeskAdmin):
    list_display = ["number", "firm", "year", "opened_on", "closes_on", "exported_at", "rows", "sum"]
    list_filter = ["year", "firm"]
    list_select_related = ["firm"]
    search_fields = ["pk"]
    search_help_text = "The number of a report"
    fields = ["firm", "year", "opened_on", "closes_on", "exported_at", "rows", "sum"]
    acts = (
        Act(
            *("open", "Open a preview", ReportForm, _open, "add_report"),
            words="Physicians are told, and have 45 days to read what will be reported about them and to dispute it.",
            of_list=True,
            beside={open_payments.NotCovered: "firm", open_payments.YearNotOver: "year"},
        ),
        Act(
            *("export", "Export", SureForm, _export, "approve_payout"),
            words="The file of the firm, with names and license numbers, once the preview is over and no dispute is "
            "open. Keep it safe, and delete it once it is handed over.",
        ),
    )

    def name_of(self, row):
        return f"Report of {row.firm}, {row.year}"

    @admin.display(description="in all")
    def sum(self, report):
        return dollars(report.cents)

    def tables(self, request, row):
        disputed = OpenPayment.objects.filter(firm=row.firm_id, year=row.year, dispute=Dispute.OPEN)
        lines = [
            (link(each), str(each.paid_on), dollars(each.cents), moment(each.disputed_at))
            for each in disputed.defer("recipient", "dispute_words", "dispute_answer").order_by("pk")[:100]
        ]
        return [
            Table(
                "Open disputes",
                ("Payment", "Paid on", "Amount", "Disputed"),
                lines,
                numbers=(3,),
                empty="None.",
            )
        ]


def right_field(label: str, longest: int) -> forms.CharField:
    return forms.CharField(label=f"{label}, if it is another", max_length=longest, required=False)


class AnswerForm(ActForm):
    outcome = forms.ChoiceField(
        label="The physician is",
        choices=[(Dispute.CORRECTED, "Right"), (Dispute.KEPT, "Not right: it stays")],
    )
    words = forms.CharField(
        label="What they read", max_length=1000, widget=forms.Textarea(attrs={"rows": 4, "cols": 60})
    )
    first_name = right_field("First name", 20)
    middle_name = right_field("Middle name", 20)
    last_name = right_field("Last name", 35)
    npi = forms.RegexField(r"^\d{10}$", label="NPI, if it is another", required=False)

    def clean(self):
        """What is right instead, as far as it was typed."""
        cleaned = super().clean()
        right = {name: cleaned.pop(name, "") for name in ("first_name", "middle_name", "last_name", "npi")}
        right = {name: value for name, value in right.items() if value}
        if right and cleaned.get("outcome") == Dispute.KEPT:
            self.add_error("outcome", "What stays as it is has nothing to be corrected.")
        return {**cleaned, "recipient": right or None}


@sensitive_variables()
def _answer(payment, user, data) -> str:
    open_payments.answer(payment=payment, by=user, **data)
    return "Answered."


def _unblind(payment, user, data) -> str:
    open_payments.unblind(payment=payment, by=user)
    return "Noted. The payment is reported from today on."


class FirmFilter(admin.SimpleListFilter):
    """Firms that report, which are few."""

    title = "firm"
    parameter_name = "of"

    def lookups(self, request, model_admin):
        return list(Firm.objects.filter(is_covered=True).values_list("pk", "name")[:200])

    def queryset(self, request, queryset):
        value = self.value() or ""
        return queryset.filter(firm=int(value)) if value.isascii() and value.isdecimal() else queryset


@admin.register(OpenPayment)
class OpenPaymentAdmin(DeskAdmin):
    list_display = ["number", "firm", "paid_on", "amount", "status", "known", "nature", "year"]
    list_filter = ["dispute", "is_blind", "excluded", FirmFilter]
    list_select_related = ["firm"]
    search_fields = ["pk"]
    search_help_text = "The number of a payment"
    fields = [
        *("firm", "year", "paid_on", "amount", "form", "nature", "products", "charity_name", "known"),
        *("status", "disputed_at", "dispute_words", "dispute_answer", "answered_at", "excluded"),
    ]
    acts = (
        Act(
            *("answer", "Answer the dispute", AnswerForm, _answer, "approve_payout"),
            is_open=lambda row: row.dispute == Dispute.OPEN,
            words="What they say stands among the facts of the payment. Who is right about who they are gets that "
            "corrected in all payments of the firm and year; otherwise the payment is left out.",
        ),
        Act(
            *("unblind", "The firm has learned whom it paid", SureForm, _unblind, "approve_payout"),
            is_open=lambda row: row.is_blind,
            words="From today on the payment is reported. This is not taken back.",
        ),
    )

    def get_queryset(self, request):
        return super().get_queryset(request).defer("recipient", "dispute_words", "dispute_answer")

    @admin.display(description="amount")
    def amount(self, row):
        return dollars(row.cents)

    @admin.display(description="the firm knows")
    def known(self, row):
        if not row.firm.is_covered:
            return "does not report"
        return "no" if row.is_blind else f"since {row.unblinded_on}"

    @admin.display(description="dispute")
    def status(self, row):
        return (
            badge(row.get_dispute_display(), "urgent")
            if row.dispute == Dispute.OPEN
            else row.get_dispute_display()
        )
