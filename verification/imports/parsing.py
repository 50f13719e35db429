"""From records to rows, without the database, so that it can run in a process of its own (see helper.py)."""

import csv
import re
from collections import Counter
from dataclasses import dataclass, field

from verification.imports.refusals import ImportRefused

Record = tuple[int, bytes, int]  # line number, record, quotation marks in it


@dataclass
class Parsed:
    """What became of a batch of records. `rows` has COPY text for each table, rows ended by line feeds.

    `merged` counts records that merely repeat an earlier one and got no row of their own.
    """

    rows: list[str]
    kept: int = 0
    skipped: int = 0
    merged: int = 0
    rejects: list[tuple[int, str, str]] = field(default_factory=list)  # line number, NPI as filed, reason
    warnings: Counter = field(default_factory=Counter)


class Parser:
    """Turns the records of one file into rows. A subclass writes `row`, and what else differs.

    `tables` is how many tables it has rows for. Rejects, skipped records and warnings go to `self.parsed`.
    """

    tables = 1

    def starts_record(self, line: bytes) -> object:
        """Whether a line is certainly the beginning of a row; only asked where a quotation stays open."""
        raise NotImplementedError

    def is_wanted(self, record: bytes) -> object:
        """A quick look at a raw record, before it is parsed."""
        return True

    def row(self, number: int, record: bytes, quotes: int) -> tuple[str, ...] | None:
        """COPY text for each table, each row with `number` as its last value; None for a record not loaded.

        Several rows for one table are joined by line feeds, none is an empty text.
        """
        raise NotImplementedError

    def parse(self, batch: list[Record]) -> Parsed:
        """All rows of a batch."""
        self.parsed = Parsed([])
        found = [row for record in batch if (row := self.row(*record)) is not None]
        self.parsed.kept = len(found)
        self.parsed.rows = [
            "".join([text + "\n" for text in texts if text])
            for texts in (zip(*found, strict=True) if found else [()] * self.tables)
        ]
        return self.parsed

    def reject(self, number: int, npi: str, reason: str) -> None:
        self.parsed.rejects.append((number, npi, reason))

    def skip(self) -> None:
        self.parsed.skipped += 1

    def warn(self, what: str) -> None:
        self.parsed.warnings[what] += 1

    def split(self, record: bytes) -> list[str]:
        """The values of a record. Reads what is not UTF-8 as Windows-1252, with a warning."""
        try:
            return split(record)
        except UnicodeDecodeError:
            self.warn("not UTF-8, read as Windows-1252")
            return split(record, "cp1252", "replace")


def split(record: bytes, encoding: str = "utf-8", errors: str = "strict") -> list[str]:
    """The values of a record of CSV text; none if it is none. Raises UnicodeDecodeError."""
    try:
        return next(csv.reader((record.decode(encoding, errors),)), [])
    except csv.Error:
        return []


def raw_npi(record: bytes) -> str:
    """What stands where the NPI should, for the list of rejects."""
    return re.sub(r"[^ -~]", "?", record[:60].split(b",", 1)[0].decode("ascii", "replace").strip('"'))


def find_columns(header: list[str], wanted: dict, file_name: str) -> dict:
    """Positions of columns. `wanted` has, by the caller's keys, the spellings a column may have.

    Raises ImportRefused listing the first spelling of every column that is missing.
    """
    places = {column_key(name): place for place, name in reversed(list(enumerate(header)))}
    found, missing = {}, []
    for key, spellings in wanted.items():
        place = next((places[name] for name in map(column_key, spellings) if name in places), None)
        if place is None:
            missing.append(spellings[0])
        else:
            found[key] = place
    if missing:
        raise ImportRefused(f"{file_name} lacks the columns: {', '.join(missing)}.")
    return found


def column_key(name: str) -> str:
    """Header names compared without case, punctuation and spacing."""
    return " ".join(re.sub(r"[^a-z0-9]+", " ", name.lower()).split())
