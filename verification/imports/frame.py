"""What every registry import shares: bookkeeping, refusals, reading into staging, the swap, the summary.

An importer says which tables it fills, how a record becomes rows, and how duplicates are merged; see
nppes.py. Whatever goes wrong before the swap, the live tables are untouched; a killed run is found and
cleared up after by the next one. One import of a source runs at a time, held by an advisory lock of the
database session, so imports need a direct connection (no pooler in transaction mode).
"""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, ClassVar

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from verification.imports import staging
from verification.imports.helper import parse_here, parse_in_helper
from verification.imports.parsing import Parsed, Parser, raw_npi, split
from verification.imports.progress import Progress
from verification.imports.refusals import ImportRefused, ImportStopped
from verification.imports.source import UNBALANCED, RegistryFile, records
from verification.imports.staging import StagedTable
from verification.models import ImportRun, Reject

LOCK_SPACE = 0x5345524D  # first half of the advisory lock's key; the second is the source
LOCK_PATIENCE = 4.0  # seconds: a killed import's session ends within two
REJECTS_KEPT = 10_000  # all are counted, the first so many are stored
BATCH = 500  # records parsed and handed to COPY at a time
BIG = 32 << 20  # bytes of text from which on a second process pays
SESSION_SETTINGS = {
    "client_connection_check_interval": "1s",  # a killed client's statement ends soon, and with it the lock
    "maintenance_work_mem": "256MB",  # for building indexes
    "statement_timeout": "0",
}


@dataclass
class Options:
    """What the command line asked for."""

    weekly: bool = False
    dry_run: bool = False
    again: bool = False
    max_drop: float = 5.0  # percent
    # What a refusal names as the way on: of the command, unless the desk says otherwise
    again_words: str = "--again loads it once more"
    max_drop_words: str = "--max-drop"


@dataclass
class Tally:
    """What became of the rows of one file."""

    read: int = 0
    kept: int = 0
    skipped: int = 0
    merged: int = 0
    rejects: Counter = field(default_factory=Counter)
    warnings: Counter = field(default_factory=Counter)
    reject_rows: list[tuple[int, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, parsed: Parsed) -> None:
        self.kept += parsed.kept + parsed.merged
        self.skipped += parsed.skipped
        self.merged += parsed.merged
        self.warnings.update(parsed.warnings)
        for reject in parsed.rejects:
            self.reject(*reject)

    def reject(self, line_no: int, npi: str, reason: str) -> None:
        self.rejects[reason] += 1
        if len(self.reject_rows) < REJECTS_KEPT:
            self.reject_rows.append((line_no, npi[:40], reason[:120]))

    @property
    def rejected(self) -> int:
        return self.rejects.total()


class Importer:
    """Base of the three imports. A subclass sets the class attributes and writes the first methods below."""

    source: ClassVar[str]
    # The first table gets its rows by COPY while the file is read, the others from spill files after that.
    tables: ClassVar[list[StagedTable]]
    columns: ClassVar[list[list[str]]]  # of each table, in the order of the written rows
    may_use_helper: ClassVar[bool] = False
    one_of = ""  # what to call the imports of which one runs at a time, where they are not all of one label
    board = ""  # the state, of an import of one state's rows

    def __init__(self, path: str, options: Options, out):
        self.options, self.out = options, out
        self.label = ImportRun.Source(self.source).label
        self.file = RegistryFile(path)
        self.tally = Tally()
        self.run_id = 0
        self.is_live = False

    # What a subclass writes

    def parser(self, header: list[str]) -> Parser:
        """What makes rows of the records. Raises ImportRefused listing columns the header lacks."""
        raise NotImplementedError

    def merge(self) -> None:
        """Leave one row for each key in the staging tables, counting `merged`."""
        raise NotImplementedError

    def guarded_count(self, table: str) -> int:
        """How many rows the --max-drop guard compares between the live and the staging table."""
        return counts(table, "true")[0]

    def summary(self) -> str:
        """What was loaded, in the words of the summary; asked while the staging tables still exist."""
        return f"{self.guarded_count(self.tables[0].new):,}"

    # The course of an import

    def run(self) -> Tally:
        """Import the file. Raises ImportRefused or ImportStopped; other errors are recorded, then raised."""
        with only_one(self.source, self.one_of or self.label), session_settings():
            staging.check_rights(self.tables)
            self.clear_leftovers()
            self.refuse_known_file()
            try:
                self.start()
                self.load()
            except KeyboardInterrupt:
                if self.is_live:
                    raise ImportStopped("Stopped after the swap: the new registry is live.") from None
                self.end(ImportRun.State.STOPPED, "Stopped by hand.")
                raise ImportStopped from None
            except Exception as error:
                self.end(ImportRun.State.FAILED, str(error))
                raise
        return self.tally

    def clear_leftovers(self) -> None:
        """What a killed run left behind: a row that says running, and half-filled staging tables."""
        killed = ImportRun.objects.filter(source=self.source, state=ImportRun.State.RUNNING)
        killed.update(
            state=ImportRun.State.KILLED, finished_at=timezone.now(), note="Found dead by the next run."
        )
        for table in self.tables:
            table.drop()

    def refuse_known_file(self) -> None:
        """Before reading, where that may pay: a ZIP, or a file exactly as large as one already loaded."""
        if not self.file.is_stored:
            return
        loaded = ImportRun.objects.filter(source=self.source, state=ImportRun.State.LOADED)
        if self.file.must_hash_first or loaded.filter(file_size=self.file.stored_size).exists():
            self.file.hash_now()
            self.refuse_hash()

    def refuse_hash(self) -> None:
        known = ImportRun.objects.filter(
            source=self.source, board=self.board, state=ImportRun.State.LOADED, sha256=self.file.sha256
        ).first()
        if known is None or self.options.again:
            return
        message = f"{self.file.name} was already loaded on {known.finished_at:%Y-%m-%d} (run {known.pk})."
        if self.options.dry_run:
            self.tally.notes.append(f"{message} A real run would refuse it.")
        else:
            raise ImportRefused(f"{message} Nothing was changed; {self.options.again_words}.")

    def start(self) -> None:
        if not self.options.dry_run:
            self.run_id = ImportRun.objects.create(
                source=self.source,
                weekly=self.options.weekly,
                board=self.board,
                file_name=self.file.name[:200],
                file_size=self.file.stored_size,
                file_date=self.file.file_date,
            ).pk
        for table in self.tables:
            table.create()

    def load(self) -> None:
        progress = Progress(self.out, self.label, self.file.size)
        swapped = None
        with progress:
            self.read(progress)
            reading = progress.seconds
            if not self.tally.notes:
                self.refuse_hash()
            progress.step("merging duplicates")
            self.merge()
            self.check_drop()
            loaded = self.summary()
            if self.options.dry_run:
                self.drop_staging()
            else:
                progress.step(
                    "upserting" if self.options.weekly or self.board else "building indexes, swapping"
                )
                swapped = self.put_live()
        self.report(loaded, reading, progress.seconds, swapped)

    def put_live(self) -> float:
        """The staging tables become the live ones; seconds the swap took."""
        for table in self.tables:
            table.finish()
        return staging.swap(self.tables, and_then=self.mark_loaded)

    def read(self, progress: Progress) -> None:
        """Fill the staging tables: the first by COPY while reading, the others through spill files."""
        with ExitStack() as stack:
            spills = [stack.enter_context(tempfile.TemporaryFile()) for _ in self.tables[1:]]
            lines = self.file.lines()
            header = next(lines, None)
            if header is None:
                raise ImportRefused(f"{self.file.name} is empty.")
            parser = self.parser(split(header, errors="replace"))
            with copy_into(self.tables[0], self.columns[0]) as write:
                self.read_rows(parser, lines, [write, *(spill.write for spill in spills)], progress)
            for table, columns, spill in zip(self.tables[1:], self.columns[1:], spills, strict=True):
                copy_spill(spill, table, columns)

    def read_rows(
        self, parser: Parser, lines: Iterator[bytes], writers: list[Callable], progress: Progress
    ) -> None:
        parse = parse_in_helper if self.may_use_helper and self.is_big else parse_here
        with closing(parse(parser, self.batches(parser, lines, progress))) as results:
            for parsed in results:
                self.tally.add(parsed)
                for rows, write in zip(parsed.rows, writers, strict=True):
                    if rows:
                        write(rows.encode())

    @property
    def is_big(self) -> bool:
        """Whether a second process pays. Of a pipe one cannot know; who pipes a registry pipes a big one."""
        return (self.file.size or BIG) >= BIG and (os.cpu_count() or 1) > 1

    def batches(self, parser: Parser, lines: Iterator[bytes], progress: Progress) -> Iterator[list]:
        """The records that are wanted, some at a time. Counts what is read and sorted out here."""
        tally, is_wanted, batch = self.tally, parser.is_wanted, []
        for record in records(lines, starts_record=parser.starts_record):
            tally.read += 1
            if record[2] == UNBALANCED:
                tally.reject(record[0], raw_npi(record[1]), "a quotation is never closed")
            elif is_wanted(record[1]):
                batch.append(record)
            else:
                tally.skipped += 1
            if len(batch) == BATCH:
                progress.show(tally.read, self.file.bytes_read)
                yield batch
                batch = []
        yield batch

    def check_drop(self) -> None:
        if self.options.weekly:
            return
        table = self.tables[0]
        before, after = self.guarded_count(table.live), self.guarded_count(table.new)
        drop = 100 * (before - after) / before if before else 0
        if drop > self.options.max_drop:
            raise ImportRefused(
                f"The file has {after:,} where the live registry has {before:,}: {drop:.1f} % fewer,"
                f" more than {self.options.max_drop_words} {self.options.max_drop:g}. The live registry is unchanged."
            )

    def mark_loaded(self) -> None:
        """The run's last entry, in the transaction that made its rows live."""
        transaction.on_commit(self.note_live)
        earlier = ImportRun.objects.filter(source=self.source, board=self.board).exclude(pk=self.run_id)
        earlier.filter(state=ImportRun.State.LOADED, sha256=self.file.sha256).update(
            state=ImportRun.State.REPLACED
        )
        Reject.objects.filter(run__in=earlier).delete()
        self.write_run(ImportRun.State.LOADED)
        Reject.objects.bulk_create(
            [
                Reject(run_id=self.run_id, line_no=line_no, npi_raw=npi, reason=reason)
                for line_no, npi, reason in self.tally.reject_rows
            ],
            batch_size=1_000,
        )

    def note_live(self) -> None:
        self.is_live = True

    def write_run(self, state: str, note: str = "") -> None:
        is_loaded = state == ImportRun.State.LOADED
        ImportRun.objects.filter(pk=self.run_id, state=ImportRun.State.RUNNING).update(
            state=state,
            finished_at=timezone.now(),
            sha256=self.file.sha256 if is_loaded else "",
            rows_read=self.tally.read,
            rows_kept=self.tally.kept - self.tally.merged if is_loaded else 0,
            rows_skipped=self.tally.skipped,
            rows_merged=self.tally.merged,
            rows_rejected=self.tally.rejected,
            reject_counts=dict(self.tally.rejects),
            warning_counts=dict(self.tally.warnings),
            note=note[:500],
        )

    def end(self, state: str, note: str) -> None:
        """Record how an import that changed nothing ended. Where the database is gone, the next run will."""
        if self.is_live:
            return
        try:
            with transaction.atomic():
                self.drop_staging()
                self.write_run(state, note)
        except Exception as error:
            self.out.write(f"{self.label}  could not clean up ({error}); the next run will.")

    def drop_staging(self) -> None:
        for table in self.tables:
            table.drop()

    def report(self, loaded: str, reading: float, whole: float, swapped: float | None) -> None:
        tally = self.tally
        seconds = f"{tally.read / whole:,.0f} rows/s, {self.file.bytes_read / 1e6 / whole:.1f} MB/s"
        lines = [
            f"{self.label}  {self.file.name}"
            + ("  DRY RUN: nothing was changed" if self.options.dry_run else ""),
            f"  read      {tally.read:,} rows, {self.file.bytes_read / 1e6:,.1f} MB in {whole:.1f} s"
            f" ({seconds}; reading alone {reading:.1f} s)",
            f"  loaded    {loaded}",
            f"  merged    {tally.merged:,} duplicates",
            f"  skipped   {tally.skipped:,}",
            f"  rejected  {tally.rejected:,}{listed(tally.rejects)}",
        ]
        if tally.warnings:
            lines.append(f"  warnings  {tally.warnings.total():,}{listed(tally.warnings)}")
        if swapped is not None:
            lines.append(f"  swap      {swapped * 1000:.0f} ms")
        self.out.write("\n".join([*lines, *(f"  note      {note}" for note in tally.notes)]))


def counts(table: str, *conditions: str) -> tuple[int, ...]:
    """Rows of a table that meet each condition, in one pass. Conditions come from this package, never from a file."""
    counted = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT {counted} FROM "{table}"')  # noqa: S608
        return cursor.fetchone()


def execute(statement: str) -> int:
    """Run a statement of this package; rows affected."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.rowcount


def listed(counts: Counter) -> str:
    by_count = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ": " + ", ".join(f"{number:,} {reason}" for reason, number in by_count) if counts else ""


@contextmanager
def copy_into(table: StagedTable, columns: list[str]) -> Iterator[Callable]:
    with connection.cursor() as cursor, cursor.copy(table.copy_statement(columns)) as copy:
        yield copy.write


def copy_spill(spill: IO[bytes], table: StagedTable, columns: list[str]) -> None:
    spill.seek(0)
    with copy_into(table, columns) as write:
        while block := spill.read(1 << 16):
            write(block)


@contextmanager
def only_one(source: str, label: str) -> Iterator[None]:
    """Hold the source's advisory lock. Raises ImportRefused while another import of it runs."""
    key = _lock_of(source)
    with connection.cursor() as cursor:
        deadline = time.monotonic() + LOCK_PATIENCE
        while not _try_lock(cursor, key):
            if time.monotonic() > deadline:
                raise ImportRefused(f"Another import of {label} is running. Nothing was changed.")
            time.sleep(0.2)
        try:
            yield
        finally:
            with suppress(DatabaseError):  # the session's end gives the lock back as well
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)


@contextmanager
def session_settings() -> Iterator[None]:
    """Settings an import needs of its database session, put back afterwards."""
    with connection.cursor() as cursor:
        for name, value in SESSION_SETTINGS.items():
            cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
    try:
        yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:
            for name in SESSION_SETTINGS:
                cursor.execute(f"RESET {name}")


def hold_until_commit(source: str) -> bool:
    """Take the same lock for the rest of the transaction an import is part of; False where another import has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", _lock_of(source))
        return cursor.fetchone()[0]


def _lock_of(source: str) -> list[int]:
    return [LOCK_SPACE, list(ImportRun.Source).index(source)]


def _try_lock(cursor, key: list[int]) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
    return cursor.fetchone()[0]
