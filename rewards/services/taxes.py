"""What is reported to the tax office: for whom, of which year, and from which sum on.

A year is a calendar year where the payer is (TAX_TIME_ZONE). A payment belongs to the year in which it was made: a
payout when it was paid, a gift out of the balance when it was given away.
"""

import csv
import io
from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from accounts.models import User
from newsfeed.learning import harmless
from rewards import reference
from rewards.models import Account, Entry, Payout, TaxForm, Transaction, YearRule
from verification.services import events

COLUMNS = (
    "tax_year",
    "recipient_name",
    "business_name",
    "classification",
    "street",
    "city",
    "state",
    "zip",
    "tin_kind",
    "tin",
    "nonemployee_compensation",
    "account_number",
    "form_w9",
)

YEARS = """
SELECT DISTINCT extract(year FROM moved.at AT TIME ZONE %(zone)s)::int
  FROM (SELECT t.at FROM rewards_entry e
          JOIN rewards_account a ON a.id = e.account_id AND a.subject = %(subject)s
          JOIN rewards_transaction t ON t.id = e.transaction_id
         UNION ALL
        SELECT ended_at FROM rewards_payout WHERE subject = %(subject)s AND state = 'paid'
         UNION ALL
        SELECT awarded_at FROM rewards_award WHERE payee_id = %(subject)s) AS moved (at)
 ORDER BY 1 DESC
"""


# Years


def zone() -> ZoneInfo:
    return ZoneInfo(settings.TAX_TIME_ZONE)


def day_of(moment: datetime) -> date:
    """The payer's day of a moment."""
    return moment.astimezone(zone()).date()


def today() -> date:
    return day_of(timezone.now())


def year_of(moment: datetime) -> int:
    return day_of(moment).year


def span(year: int) -> tuple[datetime, datetime]:
    """The first moment of a year, and that of the next."""
    return datetime(year, 1, 1, tzinfo=zone()), datetime(year + 1, 1, 1, tzinfo=zone())


def rule_of(year: int) -> YearRule:
    """The thresholds of a year; of one without its own, those of the latest before it (or the first there are)."""
    rules = list(YearRule.objects.all()) or reference.year_rules()
    earlier = [rule for rule in rules if rule.year <= year]
    return max(earlier, key=_year) if earlier else min(rules, key=_year)


def _year(rule: YearRule) -> int:
    return rule.year


def years_with_money(subject: UUID) -> list[int]:
    """The years in which something was earned, moved or paid, the latest first."""
    with connection.cursor() as cursor:
        cursor.execute(YEARS, {"subject": subject, "zone": settings.TAX_TIME_ZONE})
        return [year for (year,) in cursor.fetchall()]


# Sums


def total(payee_subject: UUID, year: int) -> int:
    """Cents a payee received in a year, what they gave away out of their balance included."""
    return _totals(year, subject=payee_subject).get(payee_subject, 0)


def totals(year: int) -> dict[UUID, int]:
    return _totals(year)


def _totals(year: int, **whose: UUID) -> dict[UUID, int]:
    first, end = span(year)
    paid = Payout.objects.filter(
        state=Payout.State.PAID, ended_at__gte=first, ended_at__lt=end, subject__isnull=False, **whose
    )
    given = Entry.objects.filter(
        account__kind=Account.Kind.PAYABLE,
        transaction__kind=Transaction.Kind.DONATION,
        transaction__reversed_by=None,
        transaction__at__gte=first,
        transaction__at__lt=end,
        **{f"account__{name}": value for name, value in whose.items()},
    )
    sums = dict(paid.order_by().values_list("subject").annotate(Sum("cents")))
    for subject, cents in given.order_by().values_list("account__subject").annotate(Sum("amount")):
        sums[subject] = sums.get(subject, 0) - cents
    return sums


def is_reportable(subject: UUID, year: int) -> bool:
    """Whether the year's sum reaches the one from which Form 1099-NEC is due."""
    return total(subject, year) >= rule_of(year).tax_cents


# Form 1099-NEC


@transaction.atomic
def file_1099(year: int, *, by: User | None = None) -> str:
    """A table of all whose year is reportable, with their tax numbers in clear; it leaves an event.

    Who certified no W-9 stands in it without name or number, so that the finance desk can ask.
    """
    events.record(kind="finance_1099", by=by, object=f"year:{year}")
    least = rule_of(year).tax_cents
    due = {subject: cents for subject, cents in sorted(totals(year).items()) if cents >= least}
    forms = {each.subject: each.form for each in TaxForm.objects.filter(pk__in=due)}
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(COLUMNS)
    for subject, cents in due.items():
        table.writerow(_line(year, subject, cents, forms.get(subject)))
    return written.getvalue()


def _line(year: int, subject: UUID, cents: int, form: Mapping[str, str] | None) -> list[str]:
    known = form or {}
    said = [
        harmless(str(known.get(name, "")))
        for name in (
            "name",
            "business_name",
            "classification",
            "street",
            "city",
            "state",
            "zip",
            "tin_kind",
            "tin",
        )
    ]
    return [str(year), *said, in_dollars(cents), str(subject), "yes" if form else "missing"]


def in_dollars(cents: int) -> str:
    """As tables of other offices want it: 1250.00."""
    return f"{cents // 100}.{cents % 100:02}"
