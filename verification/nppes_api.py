"""The registry of providers as it stands today: one record, asked for by NPI (NPPES API, version 2.1).

For looking again at one claimant, never for search: the imported file finds people. An answer is checked by hand before
anything of it is believed.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings

from verification import asking, licenses
from verification import npi as npis
from verification.asking import Unavailable
from verification.names import PersonName

__all__ = ["Record", "Unavailable", "read"]

VERSION = "2.1"
SECONDS = 10.0  # for one try
MOST_BYTES = 1_000_000  # of a record; the largest have some ten kilobytes
ACTIVE = "A"


@dataclass(frozen=True)
class License:
    """One of up to fifteen specialties of a record, with the license given for it."""

    taxonomy: str
    number: str
    state: str
    is_primary: bool

    @property
    def number_key(self) -> str:
        return licenses.normal_number(self.state, self.number) if self.number else ""


@dataclass(frozen=True)
class Record:
    """A person's entry. `name` is the legal one; phone and fax are those of the practice, digits only, or empty."""

    npi: str
    name: PersonName
    other_names: tuple[PersonName, ...]
    is_active: bool
    updated_on: date | None
    licenses: tuple[License, ...]
    phone: str
    fax: str
    endpoints: tuple[str, ...]


def read(npi: str, *, tries: int = asking.TRIES, seconds: float = SECONDS) -> Record | None:
    """The record of a person, None where the registry has none under this NPI (it drops what was deactivated).

    `seconds` bounds each of the `tries`. Raises Unavailable for all that is no clear answer, a record of somebody else
    or of an organization among it.
    """
    if not npis.is_valid(npi):
        return None
    answer = asking.ask(
        "nppes",
        settings.NPPES_API_URL,
        {"version": VERSION, "number": npi},
        seconds=seconds,
        most_bytes=MOST_BYTES,
        tries=tries,
    )
    try:
        return _record_in(answer.data, npi)
    except _Unexpected as unexpected:
        raise Unavailable(f"unexpected_{unexpected}") from None


class _Unexpected(Exception):
    """The answer has not the documented shape; says which part, never what stood there."""


def _record_in(data: Any, npi: str) -> Record | None:
    """Errors come with status 200 too: {"Errors": [{description, field, number}]}. One of them is an answer."""
    answer = _a(dict, data, "answer")
    if "Errors" in answer:
        errors = _rows(answer, "Errors")
        if errors and all(_says_deactivated(each, npi) for each in errors):
            return None
        raise _Unexpected("errors")
    results = _a(list, answer.get("results"), "results")
    if not results:
        return None
    if len(results) != 1:
        raise _Unexpected("count")
    found = _a(dict, results[0], "result")
    if str(found.get("number")) != npi:  # a number in some answers, text in others
        raise _Unexpected("number")
    if found.get("enumeration_type") != "NPI-1":
        raise _Unexpected("type")
    basic = _a(dict, found.get("basic"), "basic")
    place = _practice(found)
    return Record(
        npi=npi,
        name=_name(basic, "basic"),
        other_names=tuple(_name(each, "other_names") for each in _rows(found, "other_names")),
        is_active=_text(basic, "status") == ACTIVE,
        updated_on=_day(_text(basic, "last_updated")),
        licenses=tuple(_license(each) for each in _rows(found, "taxonomies")),
        phone=_digits(_text(place, "telephone_number")),
        fax=_digits(_text(place, "fax_number")),
        endpoints=tuple(text for each in _rows(found, "endpoints") if (text := _text(each, "endpoint"))),
    )


def _says_deactivated(error: dict, npi: str) -> bool:
    """Whether an error says that the NPI was deactivated: then the registry shows nothing of it any more."""
    said = _text(error, "description").lower()
    return _text(error, "field") == "number" and f"deactivated npi {npi}" in said


def _practice(found: dict) -> dict:
    places = _rows(found, "addresses")
    return next((each for each in places if _text(each, "address_purpose").upper() == "LOCATION"), {})


def _license(row: dict) -> License:
    return License(
        taxonomy=_text(row, "code"),
        number=_text(row, "license"),
        state=_text(row, "state").upper()[:2],
        is_primary=row.get("primary") is True,
    )


def _name(row: dict, part: str) -> PersonName:
    name = PersonName(_text(row, "last_name"), _text(row, "first_name"), _text(row, "middle_name"))
    if part == "basic" and not name.last:
        raise _Unexpected("name")
    return name


def _rows(row: dict, name: str) -> list[dict]:
    """A list of objects that may be missing."""
    return [_a(dict, each, name) for each in _a(list, row.get(name) or [], name)]


def _text(row: dict, name: str) -> str:
    """Text that may be missing, trimmed. The registry writes two dashes where it has none."""
    value = row.get(name)
    if value is None:
        return ""
    text = _a(str, value, name).replace("\0", "").strip()[:1000]
    return "" if text == "--" else text


def _a(kind: type, value: Any, part: str):
    if not isinstance(value, kind):
        raise _Unexpected(part)
    return value


def _digits(text: str) -> str:
    digits = "".join(sign for sign in text if sign in "0123456789")
    return digits[1:] if len(digits) == 11 and digits[0] == "1" else digits


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
