"""A physician's own payments of firms that report to Open Payments, as pages show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Member
from rewards import sunshine
from rewards.models import OpenPayment, Report, YearRule
from rewards.services import open_payments, taxes
from rewards.sunshine import Fate
from rewards.words import dollars

NEWEST_FIRST = ("-paid_on", "-pk")
COUNTS = (Fate.REPORTED, Fate.SMALL)  # in a report, or in its sums


@dataclass(frozen=True)
class Row:
    """A payment, its firm as it may be named, and what becomes of it."""

    payment: OpenPayment
    firm: str
    fate: Fate
    words: str
    may_dispute: bool

    @property
    def amount(self) -> str:
        return dollars(self.payment.cents)

    @property
    def why_not(self) -> str:
        """Why a payment cannot be disputed that nobody has disputed."""
        refusal = open_payments.AlreadyReported if self.fate in COUNTS else open_payments.NothingToDispute
        return refusal.message


@dataclass(frozen=True)
class Preview:
    """A firm's report of a year that may be read now, before it leaves."""

    firm: str
    year: int
    closes_on: date


class Reader:
    """Reads one member's rows; what all of them share is asked for once."""

    def __init__(self, subject: UUID | None):
        self.own = sunshine.read(OpenPayment.objects.filter(subject=subject))
        self.sums = sunshine.sums_of(self.own) if subject else {}
        named = {(firm, year) for _, firm, year in self.sums}
        reports = Report.objects.filter(firm__in={firm for firm, _ in named}).select_related("firm")
        self.reports = {
            (each.firm_id, each.year): each for each in reports if (each.firm_id, each.year) in named
        }
        self.rules: dict[int, YearRule] = {}
        self.today = taxes.today()

    def rows(self) -> QuerySet[OpenPayment]:
        return self.own.select_related("firm", "award__firm", "award__room__label__room")

    def shown(self, payments: Iterable[OpenPayment]) -> list[Row]:
        return [self.row(payment) for payment in payments]

    def row(self, payment: OpenPayment) -> Row:
        year = payment.year
        if year not in self.rules:
            self.rules[year] = taxes.rule_of(year)
        fate = sunshine.fate_of(payment, self.sums, self.rules[year], self.today)
        counts = fate in COUNTS
        firm = payment.firm.name if counts else payment.award.payer
        report = self.reports.get((payment.firm_id, year))
        may_dispute = counts and not payment.dispute and not open_payments.has_left(payment, report)
        return Row(payment, firm, fate, self._words(payment, fate, firm, report), may_dispute)

    def previews(self) -> list[Preview]:
        """Those that have not ended, the first to end first. A firm is named that knows whom it paid."""
        running = [each for each in self.reports.values() if self.today <= each.closes_on]
        found = [Preview(each.firm.name, each.year, each.closes_on) for each in running]
        return sorted(found, key=lambda each: (each.closes_on, each.firm))

    def _words(self, payment: OpenPayment, fate: Fate, firm: str, report: Report | None) -> str:
        rule = self.rules[payment.year]
        if fate == Fate.REPORTED and open_payments.has_left(payment, report):
            return f"Reported by {firm} for {payment.year}."
        return {
            Fate.REPORTED: f"{firm} will report it for {payment.year}.",
            Fate.SMALL: (
                f"Not reported: below {dollars(rule.single_cents)}, and all of the year together not above "
                f"{dollars(rule.total_cents)}."
            ),
            Fate.BLIND: (
                f"Not reported while blind, until June 30, {payment.year + 1}: the firm does not know who you are."
            ),
            Fate.UNKNOWN: (
                f"Not reported: the firm did not know who you are by June 30, {payment.year + 1}."
            ),
            Fate.EXCLUDED: "Not reported, after your dispute.",
            Fate.UNDONE: "Not reported: it was taken back.",
        }[fate]


def reader_of(member: Member) -> Reader:
    payee = getattr(member, "payee", None)
    return Reader(payee.subject if payee else None)
