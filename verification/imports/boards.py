"""Rosters of state boards: whether a license is in force, until when, and under which discipline.

All states share one live table, so a roster is not swapped in but upserted: staged in a temporary table, compared with
the rows of its state, and written in one transaction. A killed import leaves the live rows as they were.
"""

import time
from collections import Counter
from datetime import date

from django.db import connection, transaction
from django.utils import timezone

from accounts.places import STATES
from verification import licenses, licenses_status
from verification.imports.cleaning import NULL, clean, iso_date
from verification.imports.frame import Importer, Options, counts, execute
from verification.imports.parsing import Parser, column_key, find_columns
from verification.imports.refusals import ImportRefused
from verification.imports.roster_files import RosterFile, SocrataFeed
from verification.imports.roster_maps import MAPS, PLAIN, RosterMap, discipline_of, status_of
from verification.imports.staging import TemporaryTable
from verification.models import ImportRun, LicenseStatus
from verification.signals import board_loaded

COLUMNS = [
    *("state", "number_key", "degree", "last_name", "first_name", "status", "issued_on", "expires_on"),
    *("discipline", "source", "as_of"),
]
KEY = COLUMNS[:3]
SAID = COLUMNS[3:9]  # what a change of is news; where and when it was read is none
MOST_SOURCE = 40  # characters, as long as a claim keeps it
FIRST_YEAR, LAST_YEAR = "1901", "2099"  # in which a license may expire
UNKNOWN_SHOWN = 5  # of a board's words that no table has


class BoardImporter(Importer):
    """LicenseStatus of one state, from a file or, without one, from the state's open data."""

    source = "board"
    tables = [TemporaryTable(LicenseStatus)]
    columns = [COLUMNS]
    one_of = "a state's roster"

    def __init__(self, state: str, path: str | None, options: Options, out):
        if state not in dict(STATES):
            raise ImportRefused(f"{state} is no state or territory we know.")
        super().__init__(path or "-", options, out)
        self.board = state
        self.file = RosterFile(path, state) if path else SocrataFeed(state)
        self.label = f"{state} roster"
        self.covers = {"MD", "DO"}

    def parser(self, header: list[str]) -> "BoardParser":
        return BoardParser(header, self.board, self.file)

    def merge(self) -> None:
        """One row for each license: that which expires last, then the later line, with the discipline of all.

        Colorado has a row for each disciplinary case.
        """
        table = f'"{self.tables[0].new}"'
        execute("DROP TABLE IF EXISTS merging")
        execute(
            f"""
            CREATE TEMPORARY TABLE merging AS
            SELECT line_no, number_key, degree,
                   row_number() OVER (
                       PARTITION BY number_key, degree ORDER BY expires_on DESC NULLS LAST, line_no DESC
                   ) AS place
            FROM {table}
            WHERE (number_key, degree) IN (SELECT number_key, degree FROM {table} GROUP BY 1, 2 HAVING count(*) > 1)
            """  # noqa: S608
        )
        execute(
            f"""
            UPDATE {table} AS kept SET discipline = left(said.all, 200)
            FROM merging AS best, (
                SELECT number_key, degree, string_agg(DISTINCT discipline, '; ') AS all FROM {table}
                WHERE discipline <> '' GROUP BY 1, 2
            ) AS said
            WHERE best.place = 1 AND (kept.line_no, kept.degree) = (best.line_no, best.degree)
              AND (said.number_key, said.degree) = (best.number_key, best.degree)
            """  # noqa: S608
        )
        with connection.cursor() as cursor:  # a line can stand for two licenses
            cursor.execute("SELECT count(DISTINCT line_no) FROM merging WHERE place > 1")
            self.tally.merged += cursor.fetchone()[0]
        execute(
            f"DELETE FROM {table} AS kept USING merging AS worse WHERE worse.place > 1"  # noqa: S608
            " AND (kept.line_no, kept.degree) = (worse.line_no, worse.degree)"
        )
        execute("DROP TABLE merging")
        self.find_what_is_covered()

    def find_what_is_covered(self) -> None:
        """The four states publish both degrees together. A file made by hand speaks of the degrees it has alone, since
        where two boards license a state, each has a file of its own.
        """
        if self.parser_used.roster is PLAIN:
            with connection.cursor() as cursor:
                cursor.execute(f'SELECT DISTINCT degree FROM "{self.tables[0].new}"')  # noqa: S608
                self.covers = {degree for (degree,) in cursor.fetchall()}

    def read(self, progress) -> None:
        """In a transaction of its own, so that a file refused half-way leaves a caller's transaction usable."""
        with transaction.atomic():
            super().read(progress)

    def read_rows(self, parser, lines, writers, progress) -> None:
        self.parser_used = parser
        super().read_rows(parser, lines, writers, progress)

    def check_drop(self) -> None:
        if not self.guarded_count(self.tables[0].new):
            raise ImportRefused(f"{self.file.name} has no license of a physician. Nothing was changed.")
        super().check_drop()

    def guarded_count(self, table: str) -> int:
        return counts(table, self.of_board)[0]

    @property
    def of_board(self) -> str:
        """The rows a file speaks of, as a condition. Both parts come from lists of ours."""
        degrees = ", ".join(f"'{degree}'" for degree in sorted(self.covers)) or "NULL"
        return f"state = '{self.board}' AND degree IN ({degrees})"

    def summary(self) -> str:
        """Licenses by what their words mean; the commonest words that no table has become a note."""
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT status, count(DISTINCT number_key) FROM "{self.tables[0].new}" GROUP BY status'  # noqa: S608
            )
            words = cursor.fetchall()
        found, unknown = Counter(), Counter()
        for status, number in words:
            meant = licenses_status.standing(self.board, status)
            found[meant] += number
            if meant == licenses_status.UNKNOWN:
                unknown[status or "(nothing)"] += number
        if unknown:
            listed = ", ".join(f"{word} ({number:,})" for word, number in unknown.most_common(UNKNOWN_SHOWN))
            self.tally.notes.append(f"status words nobody has explained to us: {listed}")
        return (
            f"{found.total():,} licenses by their words: {found['in_force']:,} in force, {found['expired']:,} expired,"
            f" {found['ended']:,} ended, {found['unknown']:,} unknown"
        )

    def put_live(self) -> float:
        """Write the rows of the state: new and changed ones, and without those the roster has no more."""
        started, new = time.monotonic(), f'"{self.tables[0].new}"'
        with transaction.atomic():
            live = f'"{self.tables[0].live}"'
            self.changed = self.find_changed(live, new)
            execute(
                f"""
                INSERT INTO {live} ({", ".join(COLUMNS)}) SELECT {", ".join(COLUMNS)} FROM {new}
                ON CONFLICT ({", ".join(KEY)}) DO UPDATE
                SET {", ".join(f"{name} = excluded.{name}" for name in COLUMNS[3:])}
                """  # noqa: S608
            )
            execute(
                f"""
                DELETE FROM {live} AS live WHERE {self.of_board} AND NOT EXISTS (
                    SELECT FROM {new} AS new WHERE (new.number_key, new.degree) = (live.number_key, live.degree)
                )
                """  # noqa: S608
            )
            ImportRun.objects.filter(pk=self.run_id).update(
                file_date=self.file.file_date
            )  # of a feed known by now
            self.mark_loaded()
            transaction.on_commit(self.announce, robust=True)
        self.drop_staging()
        numbers = {number for number, _ in self.changed}
        self.tally.notes.append(f"{len(numbers):,} licenses new, changed or gone")
        return time.monotonic() - started

    def find_changed(self, live: str, new: str) -> list[tuple[str, str]]:
        """(normal number, degree) of every license of which the roster says something else than the live rows."""
        differs = " OR ".join(f"live.{name} IS DISTINCT FROM new.{name}" for name in SAID)
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT number_key, degree FROM {new} AS new
                FULL JOIN (SELECT * FROM {live} WHERE {self.of_board}) AS live USING (state, number_key, degree)
                WHERE {differs} ORDER BY 1, 2
                """  # noqa: S608
            )
            return cursor.fetchall()

    def announce(self) -> None:
        board_loaded.send(
            sender=ImportRun,
            run=ImportRun.objects.get(pk=self.run_id),
            state=self.board,
            changed=self.changed,
        )


class BoardParser(Parser):
    """Makes rows of LicenseStatus."""

    def __init__(self, header: list[str], state: str, file):
        self.state, self.roster = state, _map_for(header, state)
        keys = [
            *self.roster.columns,
            *(key for key in self.roster.optional if _has(header, self.roster, key)),
        ]
        places = find_columns(header, {key: self.roster.spellings(key) for key in keys}, file.name)
        self.keys, self.places = list(places), list(places.values())
        self.width = len(header)
        is_feed = isinstance(file, SocrataFeed)
        self.source = clean(file.name if is_feed else f"{state} roster file")[:MOST_SOURCE]
        self.file = file

    def starts_record(self, line: bytes) -> object:
        return False  # a line begins with whatever a state puts first

    def is_wanted(self, record: bytes) -> object:
        return self.roster.keeps is None or self.roster.keeps.search(record)

    def row(self, number: int, record: bytes, quotes: int) -> tuple[str] | None:
        cells = self.split(record)
        if not any(cells):
            self.skip()
            return None
        if len(cells) != self.width:
            self.reject(number, "", "wrong number of columns")
            return None
        values = {key: clean(cells[place]) for key, place in zip(self.keys, self.places, strict=True)}
        degrees = self.roster.degrees(values)
        is_plain = self.roster is PLAIN
        if not degrees and not is_plain:
            self.skip()
            return None
        if fault := self.fault(values, degrees):
            self.reject(number, values["number"], fault)
            return None
        said = "\t".join(
            (
                values["last_name"][:60],
                values.get("first_name", "")[:60],
                status_of(values)[:60],
                self.day(values.get("issued", "")),
                self.last_day(values.get("expires", "")),
                discipline_of(values)[:200],
                self.source,
                self.as_of(values.get("as_of", "")),
                str(number),
            )
        )
        key = licenses.normal_number(self.state, values["number"])
        return ("\n".join(f"{self.state}\t{key}\t{degree}\t{said}" for degree in degrees),)

    def fault(self, values: dict[str, str], degrees: tuple[str, ...]) -> str:
        key = licenses.normal_number(self.state, values["number"])
        if not key:
            return "no license number"
        if len(key) > 40:
            return "license number too long"
        if not values["last_name"]:
            return "no last name"
        if not degrees:
            return "degree is neither MD nor DO"
        if (values.get("state") or self.state).upper() != self.state:
            return "of another state"
        return ""

    def day(self, text: str) -> str:
        """Days come with a time of midnight from the API."""
        if not text:
            return NULL
        if (day := iso_date(text.split("T")[0].split(" ")[0])) is None:
            self.warn("dates unreadable, left blank")
            return NULL
        return day

    def last_day(self, text: str) -> str:
        """Until when a license runs. A year that none has stands for no date: 1900 for unknown, 9999 for never."""
        day = self.day(text)
        return day if FIRST_YEAR <= day[:4] <= LAST_YEAR else NULL

    def as_of(self, text: str) -> str:
        """The day a row was true: its own, else the file's, else today; as the site counts days, none is to come."""
        today = timezone.localdate().isoformat()
        own = self.day(text) if text else NULL
        if own != NULL:
            return min(own, today)
        return min(self.file.file_date.isoformat(), today) if isinstance(self.file.file_date, date) else today


def _map_for(header: list[str], state: str) -> RosterMap:
    """The plain columns where a file has them, else the state's own."""
    if state not in MAPS or all(_has(header, PLAIN, key) for key in PLAIN.columns):
        return PLAIN
    return MAPS[state]


def _has(header: list[str], roster: RosterMap, key: str) -> bool:
    present = {column_key(name) for name in header}
    return any(column_key(spelled) in present for spelled in roster.spellings(key))
