"""Which payments of a covered firm are reported to Open Payments, and as which lines (42 CFR 403.904).

A payment is left out while its firm is not covered, when it was undone, when a dispute was found right, while the firm
does not know whom it paid, and for good if it did not learn that by June 30 of the year after (403.904(i)(1)). What is
left is summed up by member, firm and year: a single payment below the year's least is left out, unless the sum is above
the year's total (403.904(i)(2)).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from django.conf import settings
from django.db.models import DateField, Exists, F, Func, OuterRef, QuerySet, Sum

from rewards.models import OpenPayment, Report, Transaction, YearRule
from rewards.services import taxes

MOST_PRODUCTS = 5  # of one line
MOST_PAYMENTS = 999  # in one line; the field has three digits


class Fate(StrEnum):
    """What becomes of a payment in a report."""

    REPORTED = "reported"
    SMALL = "small"
    BLIND = "blind"  # the firm may still learn whom it paid
    UNKNOWN = "unknown"  # it did not in time
    EXCLUDED = "excluded"
    UNDONE = "undone"


@dataclass
class Line:
    """All payments of one kind from a firm to one physician in a year, as one row of the file."""

    recipient: dict[str, str]
    form: str
    nature: str
    charity_name: str
    first_paid_on: date
    cents: int = 0
    payments: int = 0
    products: list[str] = field(default_factory=list)


Sums = Mapping[tuple[UUID, int, int], int]


def learned_by(year: int) -> date:
    """The last day on which a firm may learn whom it paid, so that it counts."""
    return date(year + 1, 6, 30)


def read(rows: QuerySet[OpenPayment]) -> QuerySet[OpenPayment]:
    """Those of firms that report, with `is_undone`: the money went back to the firm."""
    undone = Transaction.objects.filter(reverses=OuterRef("award__entry__transaction"))
    return rows.filter(firm__is_covered=True).annotate(is_undone=Exists(undone))


def counted(rows: QuerySet[OpenPayment]) -> QuerySet[OpenPayment]:
    """Those of rows read that count, small ones among them."""
    in_time = Func(F("year") + 1, 6, 30, function="make_date", output_field=DateField())
    return rows.filter(is_blind=False, excluded=False, is_undone=False, unblinded_on__lte=in_time)


def sums_of(rows: QuerySet[OpenPayment]) -> Sums:
    """Cents that count, by member, firm and year."""
    groups = counted(rows).order_by().values_list("subject", "firm", "year").annotate(Sum("cents"))
    return {(subject, firm, year): cents for subject, firm, year, cents in groups}


def fate_of(row: OpenPayment, sums: Sums, rule: YearRule, today: date) -> Fate:
    """Of a row read by `read`; `sums` hold all its member's payments of its firm and year."""
    if row.is_undone:
        return Fate.UNDONE
    if row.excluded:
        return Fate.EXCLUDED
    if row.is_blind or row.unblinded_on > learned_by(row.year):
        return Fate.BLIND if row.is_blind and today <= learned_by(row.year) else Fate.UNKNOWN
    sum_of_year = sums[row.subject, row.firm_id, row.year]
    if row.cents < rule.single_cents and sum_of_year <= rule.total_cents:
        return Fate.SMALL
    return Fate.REPORTED


def reported(report: Report, *, before: date | None = None) -> list[OpenPayment]:
    """The payments of a report, the earliest first; with `before`, of those its physicians could read since then."""
    rows = read(OpenPayment.objects.filter(firm=report.firm_id, year=report.year))
    if before:
        rows = rows.filter(unblinded_on__lt=before)
    sums, rule, today = sums_of(rows), taxes.rule_of(report.year), taxes.today()
    ordered = counted(rows).order_by("subject", "paid_on", "pk")
    return [row for row in ordered if fate_of(row, sums, rule, today) == Fate.REPORTED]


def could_be_read_since(today: date) -> date:
    """Who learned of a payment before this day has had the whole preview."""
    return today - timedelta(days=settings.OPEN_PAYMENTS_PREVIEW_DAYS)


def lines_of(payments: Iterable[OpenPayment]) -> list[Line]:
    """One line for each member, form, nature and charity, with the member as last verified, in the order of names."""
    lines: dict[tuple, Line] = {}
    for row in payments:
        key = (row.subject, row.form, row.nature, row.charity_name)
        while (line := lines.get(key)) and line.payments == MOST_PAYMENTS:
            key = (*key, "more")
        if line is None:
            line = lines[key] = Line({}, row.form, row.nature, row.charity_name, row.paid_on)
        line.recipient = row.recipient or line.recipient
        line.cents += row.cents
        line.payments += 1
        new = [name for name in row.products if name not in line.products]
        line.products = [*line.products, *new][:MOST_PRODUCTS]
    return sorted(lines.values(), key=_by_name)


def _by_name(line: Line) -> tuple:
    known = line.recipient
    return known.get("last_name", ""), known.get("first_name", ""), known.get("npi", ""), line.first_paid_on
