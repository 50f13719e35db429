"""Medical schools, state boards and mail domains, from the data shipped with the app."""

import csv
import re
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from verification.models import MailDomain, MedicalSchool, StateBoard

DATA = Path(__file__).parent / "data"
_NOT_A_FORMER_NAME = re.compile(r"(now|merged with|became)\b", re.IGNORECASE)
_SCHOOL_FIELDS = (
    *("city", "state", "status", "accreditation", "year_from", "year_basis", "year_closed", "former_names"),
    *("history_note", "source"),
)
_BOARD_FIELDS = (
    *("licenses", "role", "url", "license_number_pattern", "pattern_basis", "roster_access", "roster_url"),
    *("roster_format", "roster_columns"),
)


def load(stdout) -> None:
    """Bring schools, boards and domains up to the shipped data. Rows are added and updated, never dropped."""
    stdout.write(
        f"medical schools: {load_schools()}, state boards: {load_boards()}, mail domains: {load_domains()}"
    )


@transaction.atomic
def load_schools() -> int:
    """How many schools are shipped. Their ids stay what they were."""
    rows = _rows("medical_schools.csv")
    MedicalSchool.objects.bulk_create(
        [_school(row) for row in rows],
        update_conflicts=True,
        unique_fields=["name", "degree"],
        update_fields=_SCHOOL_FIELDS,
    )
    schools = {(school.name, school.degree): school for school in MedicalSchool.objects.all()}
    moved = []
    for row in rows:
        school, parent = schools[row["name"], row["degree"]], schools.get((row["campus_of"], row["degree"]))
        if school.campus_of_id != (parent and parent.pk):
            school.campus_of = parent
            moved.append(school)
    MedicalSchool.objects.bulk_update(moved, ["campus_of"])
    return len(rows)


def load_boards() -> int:
    """How many boards are shipped."""
    rows = _rows("state_boards.csv")
    StateBoard.objects.bulk_create(
        [StateBoard(**row) for row in rows],
        update_conflicts=True,
        unique_fields=["state", "board"],
        update_fields=_BOARD_FIELDS,
    )
    return len(rows)


def load_domains() -> int:
    """How many mail domains are shipped. One that is known here already stays as reviewers left it."""
    rows = _rows("mail_domains.csv")
    MailDomain.objects.bulk_create(
        [MailDomain(state=MailDomain.State.ACCEPTED, reviewed_at=timezone.now(), **row) for row in rows],
        ignore_conflicts=True,
    )
    return len(rows)


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _school(row: dict[str, str]) -> MedicalSchool:
    return MedicalSchool(
        **{
            name: row[name]
            for name in ("name", "city", "state", "degree", "status", "accreditation", "source")
        },
        year_from=int(row["year_from"]) if row["year_from"] else None,
        year_basis=row["year_basis"],
        year_closed=int(row["year_closed"]) if row["year_closed"] else None,
        former_names=former_names(row["former_names_or_successor"]),
        history_note=row["former_names_or_successor"],
    )


def former_names(text: str) -> list[str]:
    """The former names in a school's history, without what it merged with, became or is now."""
    parts = (part.strip().removeprefix("Earlier ") for part in text.split(";"))
    return [part for part in parts if part and not _NOT_A_FORMER_NAME.match(part)]
