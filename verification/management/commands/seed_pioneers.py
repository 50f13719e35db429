import csv
from contextlib import nullcontext
from datetime import date
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.places import STATES
from sermo.errors import RuleBroken
from verification.models.claims import Degree
from verification.names import PersonName
from verification.services import pioneers

COLUMNS = (
    "email",
    "first",
    "middle",
    "last",
    "degree",
    "state",
    "license_number",
    "npi",
    "seen_by",
    "seen_on",
)
MAY_BE_EMPTY = ("middle", "license_number", "npi")


class BadLine(Exception):
    """What is wrong with a line, without what stands in it."""


class Command(BaseCommand):
    help = (
        f"Verify the first members from a staff list with the columns {', '.join(COLUMNS)}: the reviewer `seen_by`"
        " (an e-mail address) saw their document on the day `seen_on` (YYYY-MM-DD). Whoever has no confirmed account"
        " is listed by line, to be asked to sign up. Says lines and case numbers, never a name. Can be run again."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", metavar="FILE.csv")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would happen, and change nothing"
        )

    def handle(self, *, file, dry_run, **options):
        """Each line in a transaction of its own; one that is wrong keeps no other from being done."""
        done, known, missing, wrong = [], [], [], []
        with transaction.atomic() if dry_run else nullcontext():
            for line, row in _rows(Path(file)):
                try:
                    claim = pioneers.verify(pioneer=_pioneer(row))
                except pioneers.NotSignedUp:
                    missing.append(line)
                except (BadLine, RuleBroken) as refusal:
                    wrong.append(line)
                    self.stderr.write(f"line {line}: {refusal}")
                else:
                    (done if claim else known).append(line)
                    self.stdout.write(
                        f"line {line}: verified as {claim}" if claim else f"line {line}: verified before"
                    )
            if dry_run:
                transaction.set_rollback(True)
        if missing:
            lines = ", ".join(str(line) for line in missing)
            self.stdout.write(f"No confirmed account, to be asked to sign up: {_lines(missing)} {lines}.")
        self.stdout.write(
            f"{len(done)} verified, {len(known)} verified before, {len(missing)} without an account, "
            f"{len(wrong)} wrong{'; nothing was changed' if dry_run else ''}."
        )
        if wrong:
            raise CommandError(f"{len(wrong)} {_lines(wrong)} could not be used.")


def _lines(numbers) -> str:
    return "line" if len(numbers) == 1 else "lines"


def _rows(path: Path):
    """(number of the line, row by column). Raises CommandError where the file is not such a list."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The file cannot be read: {type(error).__name__}.") from None
    reader = csv.DictReader(text.splitlines())
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or [])]
    if missing:
        raise CommandError(f"Columns are missing: {', '.join(missing)}.")
    for row in reader:
        if any(row.get(column) for column in COLUMNS):
            yield reader.line_num, row


def _pioneer(row: dict) -> pioneers.Pioneer:
    said = {column: (row.get(column) or "").strip() for column in COLUMNS}
    empty = [column for column in COLUMNS if not said[column] and column not in MAY_BE_EMPTY]
    if empty:
        raise BadLine(f"Nothing stands in {', '.join(empty)}.")
    if None in row:
        raise BadLine("It has more cells than there are columns.")
    degree, state = said["degree"].upper(), said["state"].upper()
    if degree not in Degree.values:
        raise BadLine("The degree is neither MD nor DO.")
    if state not in dict(STATES):
        raise BadLine("The state is none of two letters, such as MI.")
    try:
        seen_on = date.fromisoformat(said["seen_on"])
    except ValueError:
        raise BadLine("The day is none such as 2026-11-23.") from None
    return pioneers.Pioneer(
        email=said["email"],
        name=PersonName(said["last"], said["first"], said["middle"]),
        degree=degree,
        state=state,
        license_number=said["license_number"],
        npi=said["npi"],
        seen_by=said["seen_by"],
        seen_on=seen_on,
    )
