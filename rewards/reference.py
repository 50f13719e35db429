"""The thresholds of each year, and the charities that money may go to at first.

rewards/data/README.md says where the figures come from and what was not looked up.
"""

import csv
from functools import cache
from pathlib import Path

from django.db import transaction

from rewards.models import Charity, YearRule

DATA = Path(__file__).parent / "data"


@transaction.atomic
def load(stdout) -> None:
    """Add what is new. What the finance desk changed, or offers no longer, stays as it left it.

    A year is known by its number, a charity by its EIN or its name.
    """
    years = _add_years()
    charities = _add_charities()
    stdout.write(
        f"rewards: {len(_rows('years.csv'))} years ({years} new), "
        f"{len(_rows('charities.csv'))} charities ({charities} new)"
    )


def year_rules() -> list[YearRule]:
    """The shipped rules, not saved: what holds in a database that has none yet."""
    return [
        YearRule(
            year=int(row["year"]),
            tax_cents=int(row["tax_cents"]),
            single_cents=int(row["single_cents"]),
            total_cents=int(row["total_cents"]),
            layout=row["layout"],
        )
        for row in _rows("years.csv")
    ]


def _add_years() -> int:
    known = set(YearRule.objects.values_list("year", flat=True))
    return len(YearRule.objects.bulk_create(rule for rule in year_rules() if rule.year not in known))


def _add_charities() -> int:
    names, numbers = set(), set()
    for name, ein in Charity.objects.values_list("name", "ein"):
        names.add(name)
        numbers.add(ein)
    new = [
        Charity(name=row["name"], ein=row["ein"])
        for row in _rows("charities.csv")
        if row["name"] not in names and row["ein"] not in numbers
    ]
    return len(Charity.objects.bulk_create(new))


@cache
def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
