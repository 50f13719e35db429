"""Drugs and devices that discussions are searched for at first.

observers/data/products.csv holds United States brand names of common use with their generic names. No maker is in it:
makers are firms of this site, and staff link them in the administration.
"""

import csv
from pathlib import Path

from django.db import transaction

from observers import products
from observers.models import Product

FILE = Path(__file__).parent / "data" / "products.csv"


def load(stdout) -> None:
    """Add what is new; what staff changed stays as they left it."""
    added = _add()
    stdout.write(f"observers: {Product.objects.count()} products ({added} new)")
    if added:
        products.sweep()


@transaction.atomic
def _add() -> int:
    known = set(Product.objects.values_list("slug", flat=True))
    with FILE.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["slug"] not in known]
    return len(Product.objects.bulk_create(_product(row) for row in rows))


def _product(row: dict[str, str]) -> Product:
    return Product(
        slug=row["slug"],
        name=row["name"],
        generic=row["generic"],
        kind=row["kind"],
        words=row["words"].split("|"),
    )
