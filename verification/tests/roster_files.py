"""Rosters of boards for tests, as the four states write them, and one by hand for any other."""

import csv
import io
import json
from pathlib import Path

TX = {
    "license_type": "Physician",
    "first_name": "MAGNUS",
    "last_name": "FERNWICK",
    "year_of_birth": "1901",
    "license_number": "P6085",
    "license_issue_date": "2012-06-15T00:00:00.000",
    "license_expiration_date": "2028-02-28T00:00:00.000",
    "registration_status": "AC - Active",
    "disciplinary_status": "None",
    "license_status": "Full",
    "degree": "MD",
    "currently_licensed": "Y",
}
CO = {
    "lastName": "FERNWICK",
    "firstName": "MAGNUS",
    "licenseType": "DR",
    "licenseNumber": "0059538",
    "licenseFirstIssueDate": "07/01/2012",
    "licenseExpirationDate": "04/30/2028",
    "licenseStatusDescription": "Active",
    "programAction": "",
}
WA = {
    "CredentialNumber": "MD60123456",
    "LastName": "Fernwick",
    "FirstName": "Magnus",
    "CredentialType": "Physician And Surgeon License",
    "Status": "ACTIVE",
    "BirthYear": "1901",
    "FirstIssueDate": "20120615",
    "ExpirationDate": "20280228",
    "ActionTaken": "No",
}
IL = {
    "license_type": "MEDICAL BOARD",
    "description": "LICENSED PHYSICIAN AND SURGEON",
    "license_number": "036047447",
    "license_status": "ACTIVE",
    "first_name": "MAGNUS",
    "last_name": "FERNWICK",
    "suffix": "",
    "original_issue_date": "06/15/2012",
    "expiration_date": "07/31/2029",
    "ever_disciplined": "N",
}
PLAIN = {
    "number": "A123456",
    "degree": "MD",
    "last_name": "Fernwick",
    "first_name": "Magnus",
    "status": "License current",
    "issued": "2012-06-15",
    "expires": "2028-02-28",
    "discipline": "",
}
ROWS = {"TX": TX, "CO": CO, "WA": WA, "IL": IL, "CA": PLAIN}


def rows_of(state: str, *changes: dict) -> list[dict]:
    return [{**ROWS[state], **change} for change in changes]


def csv_text(rows: list[dict]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def csv_file(path: Path, rows: list[dict]) -> Path:
    path.write_text(csv_text(rows), encoding="utf-8")
    return path


def json_file(path: Path, rows: list[dict]) -> Path:
    """As the API answers: values that are missing have no key."""
    path.write_text(json.dumps([{name: value for name, value in row.items() if value} for row in rows]))
    return path


def big_texas(path: Path, number: int, *, changed: int = 0) -> Path:
    """A roster of so many physicians; of the first `changed` the license has ended."""
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(TX), lineterminator="\n")
        writer.writeheader()
        for place in range(number):
            words = {"license_status": "Suspended"} if place < changed else {}
            person = {
                "last_name": f"FERNWICK{place % 977}",
                "license_number": f"{'ABCDEFGH'[place % 8]}{place + 1:06d}",
            }
            writer.writerow({**TX, **person, **words, "degree": "DO" if place % 9 == 0 else "MD"})
    return path
