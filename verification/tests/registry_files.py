"""Registry files for tests, written to disk in the real layouts, and ways to import them."""

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from verification import npi
from verification.tests.big_nppes import header

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
LOCATION = "Provider Business Practice Location Address"
LEIE_HEADER = (SAMPLES / "leie_sample.csv").read_text().splitlines()[0].split(",")
CLINICIANS_HEADER = (SAMPLES / "clinicians_sample.csv").read_text().splitlines()[0].split(",")


def number(serial: int) -> str:
    """The well-formed NPI of a serial number."""
    first_nine = f"29{serial:07d}"
    return first_nine + npi.check_digit(first_nine)


def person(serial: int = 1, **values: str) -> dict[str, str]:
    """A physician's NPPES row, by short names or header names (underscores for spaces are not understood)."""
    row = {
        "NPI": number(serial),
        "Entity Type Code": "1",
        "Provider Last Name (Legal Name)": "FERNWICK",
        "Provider First Name": "MAGNUS",
        "Provider Credential Text": "M.D.",
        f"{LOCATION} City Name": "TAMPA",
        f"{LOCATION} State Name": "FL",
        f"{LOCATION} Postal Code": "336015479",
        "Provider Enumeration Date": "06/15/2012",
        "Last Update Date": "04/16/2025",
        **slot(1, "207R00000X", "ME780618", "FL", "Y"),
    }
    short = {
        "npi": "NPI",
        "entity": "Entity Type Code",
        "last": "Provider Last Name (Legal Name)",
        "first": "Provider First Name",
        "middle": "Provider Middle Name",
        "credential": "Provider Credential Text",
        "other_last": "Provider Other Last Name",
        "city": f"{LOCATION} City Name",
        "state": f"{LOCATION} State Name",
        "street": "Provider Second Line Business Practice Location Address",
        "enumerated": "Provider Enumeration Date",
        "updated": "Last Update Date",
        "deactivated": "NPI Deactivation Date",
        "reactivated": "NPI Reactivation Date",
        "code": "Healthcare Provider Taxonomy Code_1",
        "license": "Provider License Number_1",
        "license_state": "Provider License Number State Code_1",
    }
    return row | {short.get(name, name): value for name, value in values.items()}


def slot(
    place: int, code: str, license_number: str = "", state: str = "", switch: str = "N"
) -> dict[str, str]:
    return {
        f"Healthcare Provider Taxonomy Code_{place}": code,
        f"Provider License Number_{place}": license_number,
        f"Provider License Number State Code_{place}": state,
        f"Healthcare Provider Primary Taxonomy Switch_{place}": switch,
    }


def stub(serial: int, day: str) -> dict[str, str]:
    """What the file keeps of a deactivated NPI."""
    return {"NPI": number(serial), "NPI Deactivation Date": day}


def nppes_file(path: Path, rows: list[dict[str, str]], columns: list[str] | None = None) -> Path:
    return _write(path, columns or header(), rows, quoting=csv.QUOTE_ALL)


def clinicians_file(path: Path, rows: list[dict[str, str]]) -> Path:
    return _write(path, CLINICIANS_HEADER, rows)


def leie_file(path: Path, rows: list[dict[str, str]]) -> Path:
    return _write(path, LEIE_HEADER, rows)


def _write(path: Path, columns: list[str], rows: list[dict[str, str]], **dialect) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, columns, restval="", lineterminator="\n", **dialect)
        writer.writeheader()
        writer.writerows(rows)
    return path


def load(command: str, path: Path | str, **options) -> str:
    """Run an import in this process; what it wrote."""
    out = StringIO()
    call_command(command, str(path), stdout=out, **options)
    return out.getvalue()


def start(*arguments: str | Path, program: Sequence[str] = ("manage.py",), **pipes) -> subprocess.Popen:
    """Run manage.py on the test database in a process of its own."""
    return subprocess.Popen(
        [sys.executable, *program, *map(str, arguments)],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": test_database_url()},
        preexec_fn=hear_interrupts,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True} | pipes,
    )


def hear_interrupts() -> None:
    """Of a session that a shell runs in the background, children are born deaf to a SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_database_url() -> str:
    url = urlsplit(os.environ["DATABASE_URL"])
    name = connection.settings_dict["NAME"]
    return urlunsplit(url._replace(path=f"{url.path.rsplit('/', 1)[0]}/{name}"))


test_database_url.__test__ = False
