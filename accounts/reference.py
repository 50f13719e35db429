"""Specialties and staff groups, from the data shipped with the app."""

import csv
from pathlib import Path

from django.utils.text import slugify

from accounts.models import Specialty
from accounts.roles import ensure_groups

SOURCE = Path(__file__).parent / "data" / "specialties.csv"


def load(stdout) -> None:
    """Bring specialties and groups up to the shipped data. Codes are added and renamed, never dropped."""
    ensure_groups()
    with SOURCE.open(encoding="utf-8", newline="") as lines:
        rows = [_specialty(row) for row in csv.DictReader(lines)]
    Specialty.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name", "group", "slug", "is_choice", "is_physician"],
    )
    stdout.write(f"specialties: {len(rows)} codes, {sum(row.is_choice for row in rows)} to choose from")


def _specialty(row: dict[str, str]) -> Specialty:
    return Specialty(
        code=row["code"],
        name=row["specialty"],
        group=row["subspecialty_of"] or row["specialty"],
        slug=slugify(row["specialty"]),
        is_choice=row["pick_list"] == "yes",
        is_physician=row["physician_code"] == "yes",
    )
