"""What is reported to the tax office: for whom, of which year, and from which sum on.

A year is a calendar year where the payer is (TAX_TIME_ZONE). A payment belongs to the year in which it was made: a
payout to that of the day it was paid on, whenever that was heard, a gift out of the balance to that of its giving.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from accounts.models import User
from rewards import reference
from rewards.models import Account, Entry, Payout, TaxFiling, TaxForm, Transaction, YearRule
from sermo.crypto import keyed_hash
from sermo.csv_cells import harmless
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
    "filed_before",
)
ACCOUNT = "rewards.1099"  # what account numbers are hashed for

YEARS = """
SELECT DISTINCT extract(year FROM moved.day)::int
  FROM (SELECT (t.at AT TIME ZONE %(zone)s)::date FROM rewards_entry e
          JOIN rewards_account a ON a.id = e.account_id AND a.subject = %(subject)s
          JOIN rewards_transaction t ON t.id = e.transaction_id
         UNION ALL
        SELECT paid_on FROM rewards_payout WHERE subject = %(subject)s AND state = 'paid'
         UNION ALL
        SELECT (awarded_at AT TIME ZONE %(zone)s)::date FROM rewards_award WHERE payee_id = %(subject)s
       ) AS moved (day)
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


def days(year: int) -> tuple[date, date]:
    """Its first day and its last."""
    return date(year, 1, 1), date(year, 12, 31)


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


def paid_in(year: int) -> QuerySet[Payout]:
    """The payouts to members that count in a year."""
    return Payout.objects.filter(state=Payout.State.PAID, paid_on__range=days(year), subject__isnull=False)


def given_in(year: int) -> QuerySet[Entry]:
    """What members gave away out of their balances in a year, as it left their accounts."""
    first, end = span(year)
    return Entry.objects.filter(
        account__kind=Account.Kind.PAYABLE,
        transaction__kind=Transaction.Kind.DONATION,
        transaction__reversed_by=None,
        transaction__at__gte=first,
        transaction__at__lt=end,
    )


def _totals(year: int, **whose: UUID) -> dict[UUID, int]:
    paid = paid_in(year).filter(**whose)
    given = given_in(year).filter(**{f"account__{name}": value for name, value in whose.items()})
    sums = dict(paid.order_by().values_list("subject").annotate(Sum("cents")))
    for subject, cents in given.order_by().values_list("account__subject").annotate(Sum("amount")):
        sums[subject] = sums.get(subject, 0) - cents
    return sums


def is_reportable(subject: UUID, year: int) -> bool:
    """Whether the year's sum reaches the one from which Form 1099-NEC is due."""
    return total(subject, year) >= rule_of(year).tax_cents


# Form 1099-NEC


@dataclass(frozen=True)
class Correction:
    """A payee of a filed year of whom the books now say something else than what was filed."""

    subject: UUID
    filed: int | None  # cents; none: they were under the threshold, so nothing was filed
    cents: int

    @property
    def account(self) -> str:
        return account_number(self.subject)


def account_number(subject: UUID) -> str:
    """What stands on a form for a payee: nothing leads from it to the books, nor to draw tickets."""
    return keyed_hash(str(subject), ACCOUNT)[:12]


@transaction.atomic
def file_1099(year: int, *, by: User | None = None) -> str:
    """A table of all whose year is reportable, with their tax numbers in clear; it leaves an event.

    Who certified no W-9 stands in it without name or number, so that the finance desk can ask. The first table of a
    year that is over is what counts as filed. Later ones stay what they are, and name in `filed_before` what was
    filed otherwise; such lines go to the tax office with `file_corrections`.
    """
    events.record(kind="finance_1099", by=by, object=f"year:{year}")
    now, filed = _reportable(year), filed_in(year)
    if not filed and year < today().year:
        _note_filed(year, now)
        filed = now
    corrected = {each.subject: each for each in _differing(year, now, filed)}
    lines = now | {subject: each.cents for subject, each in corrected.items()}
    return _table(year, lines, corrected)


@transaction.atomic
def file_corrections(year: int, *, by: User | None = None) -> str:
    """A table like that of `file_1099` of the corrections alone, which count as filed from now on."""
    events.record(kind="finance_1099_corrected", by=by, object=f"year:{year}")
    found = {each.subject: each for each in corrections(year)}
    lines = {subject: each.cents for subject, each in found.items()}
    _note_filed(year, lines)
    return _table(year, lines, found)


def corrections(year: int) -> list[Correction]:
    """Of a year that was filed, whom the books now say something else of; also who was under the threshold then."""
    return _differing(year, _reportable(year), filed_in(year))


def filed_in(year: int) -> dict[UUID, int]:
    return dict(TaxFiling.objects.filter(year=year).values_list("subject", "cents"))


def _reportable(year: int) -> dict[UUID, int]:
    least = rule_of(year).tax_cents
    return {subject: cents for subject, cents in totals(year).items() if cents >= least}


def _differing(year: int, now: dict[UUID, int], filed: dict[UUID, int]) -> list[Correction]:
    """What was filed and falls below the threshold is corrected to its sum, be it nothing."""
    if not filed:
        return []
    sums = now if filed.keys() <= now.keys() else totals(year) | now
    found = (Correction(subject, filed.get(subject), sums.get(subject, 0)) for subject in sorted(filed | now))
    return [each for each in found if each.filed != each.cents]


def _note_filed(year: int, sums: dict[UUID, int]) -> None:
    TaxFiling.objects.bulk_create(
        [
            TaxFiling(year=year, subject=subject, cents=cents, filed_at=timezone.now())
            for subject, cents in sums.items()
        ],
        update_conflicts=True,
        unique_fields=["year", "subject"],
        update_fields=["cents", "filed_at"],
    )


def _table(year: int, lines: dict[UUID, int], corrected: dict[UUID, Correction]) -> str:
    forms = {each.subject: each.form for each in TaxForm.objects.filter(pk__in=lines)}
    written = io.StringIO()
    table = csv.writer(written, quoting=csv.QUOTE_ALL)
    table.writerow(COLUMNS)
    for subject, cents in sorted(lines.items()):
        before = in_dollars(corrected[subject].filed or 0) if subject in corrected else ""
        table.writerow([*_line(year, subject, cents, forms.get(subject)), before])
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
    return [str(year), *said, in_dollars(cents), account_number(subject), "yes" if form else "missing"]


def in_dollars(cents: int) -> str:
    """As tables of other offices want it: 1250.00."""
    return f"{cents // 100}.{cents % 100:02}"
