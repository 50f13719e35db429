"""Where four states publish whom they license, and which of their columns say what. No year of birth is asked for.

TX, CO, WA and IL publish through Socrata, as an API and as exported files, under the same names of columns written in
different ways (`licensenumber`, `License Number`, `LicenseNumber`). Everybody else's roster comes as a CSV with the
PLAIN columns, made by hand.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from verification.licenses_status import BETWEEN

BOTH = ("MD", "DO")  # a board that does not say which numbers both in one series: the row stands under each
NEITHER = ()
_LETTERS = re.compile(r"[^A-Z]+")
_DIGITS = re.compile(r"[^0-9]+")


@dataclass(frozen=True)
class RosterMap:
    """How one roster is read.

    `columns` has by our names (number, last_name, first_name, degree, type, kind, status, registration, licensed,
    issued, expires, discipline, as_of, state) the words of a column's name; `optional` those that may be
    missing. `degrees` says from a row's values which licenses it is: one degree, BOTH, or NEITHER where it is no
    physician's. `filter` is what the API is asked for, `keeps` what a line of an exported file must contain.
    """

    columns: dict[str, str]
    degrees: Callable[[dict[str, str]], tuple[str, ...]]
    optional: dict[str, str] = field(default_factory=dict)
    filter: str = ""
    select: bool = True
    keeps: re.Pattern | None = None

    def spellings(self, key: str) -> tuple[str, str, str]:
        """A column's name as the API, as a file with separated words, and as one without has it."""
        words = {**self.columns, **self.optional}[key]
        return words.replace(" ", "_"), words, words.replace(" ", "")


def status_of(values: dict[str, str]) -> str:
    """The words of all columns that say how a license stands, each once, the most telling first: the end may be cut."""
    is_over = values.get("licensed", "").strip().upper() in ("N", "NO", "FALSE", "0")
    said = [
        "Not currently licensed" if is_over else "",
        values.get("status", ""),
        values.get("registration", ""),
    ]
    return BETWEEN.join(dict.fromkeys(each for each in said if each))


def discipline_of(values: dict[str, str]) -> str:
    """What a roster says of discipline; empty where it says that there is none."""
    said = values.get("discipline", "")
    words = _LETTERS.sub(" ", said.upper()).strip()
    if words in ("Y", "YES", "TRUE"):
        return "yes, the board has it"
    return "" if words in _NOTHING else said


_NOTHING = frozenset({"", "N", "NO", "NONE", "FALSE", "NA", "N A", "NO ACTION", "NO DISCIPLINE", "NULL"})


def _degree_in(text: str) -> tuple[str, ...]:
    """The degree a text names, BOTH where it names none: "M.D.", "MBBS" (licensed as MD) and "D.O."."""
    words = set(_LETTERS.sub(" ", text.upper().replace(".", "")).split())
    if "DO" in words:
        return ("DO",)
    return ("MD",) if words else BOTH


def _texas(values: dict[str, str]) -> tuple[str, ...]:
    kind = values.get("type", "").upper()
    other = (
        "ASSISTANT",
        "ACUPUNCT",
        "TRAINING",
        "PERMIT",
        "PERFUSION",
        "RESPIRATORY",
        "RADIOLOG",
        "PHYSICIST",
    )
    return NEITHER if any(word in kind for word in other) else _degree_in(values["degree"])


def _colorado(values: dict[str, str]) -> tuple[str, ...]:
    return BOTH if values["type"].strip().upper() in ("DR", "PHYSICIAN") else NEITHER


_WASHINGTON = {
    "PHYSICIAN AND SURGEON LICENSE": ("MD",),
    "OSTEOPATHIC PHYSICIAN AND SURGEON LICENSE": ("DO",),
}


def _washington(values: dict[str, str]) -> tuple[str, ...]:
    """Residency and fellowship licenses, permits and other professions have types of their own."""
    return _WASHINGTON.get(" ".join(values["type"].upper().split()), NEITHER)


def _illinois(values: dict[str, str]) -> tuple[str, ...]:
    """The medical board numbers physicians and surgeons from 036; controlled substances and chiropractors otherwise."""
    number = _DIGITS.sub("", values["number"]).zfill(9)
    is_physician = "MEDICAL" in values["type"].upper() and number.startswith("036") and len(number) == 9
    if not is_physician or "CONTROLLED" in values["kind"].upper():
        return NEITHER
    words = _LETTERS.sub(" ", values.get("degree", "").upper().replace(".", "")).split()
    return next(((degree,) for degree in BOTH if degree in words), BOTH)


MAPS = {
    "TX": RosterMap(
        columns={
            "number": "license number",
            "last_name": "last name",
            "first_name": "first name",
            "degree": "degree",
            "status": "license status",
            "registration": "registration status",
            "issued": "license issue date",
            "expires": "license expiration date",
            "discipline": "disciplinary status",
        },
        optional={"type": "license type", "licensed": "currently licensed"},
        degrees=_texas,
    ),
    "CO": RosterMap(
        columns={
            "number": "license number",
            "last_name": "last name",
            "first_name": "first name",
            "type": "license type",
            "status": "license status description",
            "issued": "license first issue date",
            "expires": "license expiration date",
        },
        optional={"discipline": "program action"},
        degrees=_colorado,
        filter="licensetype='DR'",
        select=False,  # a column that is not there fails the question, and there is no birth year to leave out
        keeps=re.compile(rb'(?i)(?:^|,)"?(?:DR|physician)"?(?:,|$)'),
    ),
    "WA": RosterMap(
        columns={
            "number": "credential number",
            "last_name": "last name",
            "first_name": "first name",
            "type": "credential type",
            "status": "status",
            "issued": "first issue date",
            "expires": "expiration date",
            "discipline": "action taken",
        },
        degrees=_washington,
        filter="upper(credentialtype) like '%PHYSICIAN AND SURGEON%'",
        keeps=re.compile(rb"(?i)physician\s+and\s+surgeon"),
    ),
    "IL": RosterMap(
        columns={
            "number": "license number",
            "last_name": "last name",
            "first_name": "first name",
            "type": "license type",
            "kind": "description",
            "status": "license status",
            "issued": "original issue date",
            "expires": "expiration date",
            "discipline": "ever disciplined",
        },
        optional={"degree": "suffix"},
        degrees=_illinois,
        filter="license_type='MEDICAL BOARD'",
        keeps=re.compile(rb"(?i)medical"),
    ),
}

JOINED = frozenset({"CO", "WA"})  # whose API writes names of columns without anything between the words


def api_name(state: str, key: str) -> str:
    """What a column is called in the API of a state."""
    separated, _, joined = MAPS[state].spellings(key)
    return joined if state in JOINED else separated


def _plain_degree(values: dict[str, str]) -> tuple[str, ...]:
    """MD or DO; anything else is a mistake of who made the file, so nothing is guessed."""
    degree = _LETTERS.sub("", values["degree"].upper())
    return (degree,) if degree in BOTH else NEITHER


PLAIN = RosterMap(
    columns={
        "number": "number",
        "degree": "degree",
        "last_name": "last name",
        "status": "status",
    },
    optional={
        "state": "state",
        "first_name": "first name",
        "issued": "issued",
        "expires": "expires",
        "discipline": "discipline",
        "as_of": "as of",
    },
    degrees=_plain_degree,
)
