"""The file of general payments that a firm sends to Open Payments. Its columns are data: rewards/data/README.md."""

import csv
import io
from collections.abc import Iterable
from functools import cache

from rewards.models import Firm
from rewards.reference import DATA
from rewards.services import taxes
from rewards.sunshine import MOST_PRODUCTS, Line
from sermo.csv_cells import harmless

PRIMARY_TYPES = {"MD": "Medical Doctor", "DO": "Doctor of Osteopathy"}
IN_FULL = {
    "Compensation for services other than consulting": (
        "Compensation for services other than consulting, including serving as faculty or as a speaker at a venue "
        "other than a continuing education program"
    ),
}
COPIED = ("npi", "first_name", "middle_name", "last_name", "city", "state", "taxonomy")


def as_csv(lines: Iterable[Line], *, firm: Firm, year: int, layout: str) -> str:
    """The whole file; a value longer than its column is cut."""
    columns = columns_of(layout)
    written = io.StringIO()
    table = csv.writer(written, quoting=csv.QUOTE_ALL)
    table.writerow(name for name, _, _ in columns)
    for line in lines:
        values = _values(line, firm, year)
        table.writerow(_cell(values, source, length) for _, source, length in columns)
    return written.getvalue()


@cache
def columns_of(layout: str) -> list[tuple[str, str, int]]:
    """(name, source, length) of each column. A source with "=" in front is said as it stands."""
    with (DATA / "open_payments" / f"{layout}.csv").open(encoding="utf-8", newline="") as lines:
        return [(row["column"], row["source"], int(row["length"])) for row in csv.DictReader(lines)]


def _cell(values: dict[str, str], source: str, length: int) -> str:
    said = source[1:] if source.startswith("=") else values[source] if source else ""
    return harmless(said)[:length]


def _values(line: Line, firm: Firm, year: int) -> dict[str, str]:
    known = line.recipient
    products = [*line.products, *[""] * MOST_PRODUCTS]
    return {
        **{name: known.get(name, "") for name in COPIED},
        **{f"product_{place}": products[place - 1] for place in range(1, MOST_PRODUCTS + 1)},
        "firm": firm.name,
        "registration_id": firm.registration_id,
        "zip": _zip(known.get("zip", "")),
        "primary_type": PRIMARY_TYPES.get(known.get("degree", ""), ""),
        "license_state": known.get("license_state", ""),
        "license_number": known.get("license_number", ""),
        "dollars": taxes.in_dollars(line.cents),
        "date": f"{line.first_paid_on:%m/%d/%Y}",
        "payments": str(line.payments),
        "form": line.form,
        "nature": IN_FULL.get(line.nature, line.nature),
        "third_party": "Entity" if line.charity_name else "No Third Party Payment",
        "charity_name": line.charity_name,
        "is_charity": "Yes" if line.charity_name else "No",
        "has_product": "Yes" if line.products else "No",
        "year": str(year),
    }


def _zip(digits: str) -> str:
    return f"{digits[:5]}-{digits[5:]}" if len(digits) == 9 and digits.isdigit() else digits
