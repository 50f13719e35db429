"""Everything encrypted with FIELD_KEYS, brought under the newest of them while the site reads and writes on.

Columns are found by their class, files by walking the private storage. What is under the newest key already is passed
over, so a run that was killed is simply run again. docs/keys.md says when.
"""

import ctypes
import errno
import json
import os
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from django.apps import apps
from django.core.files.storage import storages
from django.db import connection
from django.db.models import Field, Model

from sermo import crypto
from sermo.fields import EncryptedTextField

BATCH = 500  # rows read at once
TURNS = 5  # in which a row that the site keeps writing to is tried
BEGINS = "gAAAAA"  # how every token begins
WITH_TOKENS = {"mfa.authenticator": "data"}  # JSON in which `accounts.adapter.MFAAdapter` has put some
OWN_KEYS = {
    "cases"
}  # folders of files that each have a key of their own, which stands in an encrypted column
WORKPLACE = ".rotating"  # beside the folders of the private storage; empty but during a run
LENGTH = struct.Struct(">I")  # before each block of a long file, see `accounts.leaving.exporting`

Tell = Callable[[str], None]


@dataclass
class Tally:
    """What came of one column or folder, in values or files."""

    name: str
    newest: int = 0  # under the newest key before this run
    renewed: int = 0
    left: int = 0  # still under an older key
    unreadable: int = 0  # under no key of FIELD_KEYS, or altered

    def __str__(self):
        said = [
            f"{number} {words}"
            for number, words in (
                (self.renewed, "renewed"),
                (self.newest, "under the newest key already"),
                (self.left, "under an older key"),
                (self.unreadable, "UNREADABLE with any key"),
            )
            if number
        ]
        return f"{self.name}: {', '.join(said) or 'empty'}"


@dataclass(frozen=True)
class Column:
    """A column with something encrypted in it: whole, or as strings within JSON."""

    model: type[Model]
    field: Field

    @property
    def name(self) -> str:
        return f"{self.model._meta.label}.{self.field.name}"

    @property
    def is_whole(self) -> bool:
        return isinstance(self.field, EncryptedTextField)

    def rows(self, after: Any, most: int) -> list[tuple[Any, Any]]:
        """The next rows in the order of the primary key, as (key, value as stored)."""
        table, key, column = self._names()
        some = f"{column} IS NOT NULL" + (f" AND {key} > %s" if after is not None else "")
        return self._asked(
            f"SELECT {key}, {self._read(column)} FROM {table} WHERE {some} ORDER BY {key} LIMIT %s",  # noqa: S608 - names of our models
            [*([after] if after is not None else []), most],
        )

    def row(self, pk: Any) -> list[tuple[Any, Any]]:
        table, key, column = self._names()
        return self._asked(
            f"SELECT {key}, {self._read(column)} FROM {table} WHERE {key} = %s AND {column} IS NOT NULL",  # noqa: S608 - ditto
            [pk],
        )

    def put(self, pk: Any, old: Any, new: Any) -> bool:
        """Write a value where the old one still stands; each row by itself, so that no two locks are ever held."""
        table, key, column = self._names()
        kind = "bytea" if self.is_whole else "jsonb"
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET {column} = %s::{kind} WHERE {key} = %s AND {column} = %s::{kind}",  # noqa: S608 - ditto
                [new, pk, old],
            )
            return cursor.rowcount == 1

    def renewed(self, value: Any) -> Any:
        """The value under the newest key; the same one where it is that already. Raises InvalidToken."""
        if self.is_whole:
            return renewed(value)
        said = json.loads(value)
        changed = _renewed_within(said)
        return value if changed == said else json.dumps(changed)

    def _names(self) -> tuple[str, str, str]:
        meta, quote = self.model._meta, connection.ops.quote_name
        return quote(meta.db_table), quote(meta.pk.column), quote(self.field.column)

    def _read(self, column: str) -> str:
        return column if self.is_whole else f"{column}::text"

    def _asked(self, sql: str, values: list) -> list[tuple[Any, Any]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return [(pk, bytes(value) if self.is_whole else value) for pk, value in cursor.fetchall()]


def renewed(token: bytes) -> bytes:
    """A token under the newest key; the same one where it is that already. Raises InvalidToken."""
    return token if crypto.is_of_newest_key(token) else crypto.rotate(token)


def _renewed_within(said: Any) -> Any:
    if isinstance(said, dict):
        return {name: _renewed_within(one) for name, one in said.items()}
    if isinstance(said, list):
        return [_renewed_within(one) for one in said]
    if isinstance(said, str) and said.startswith(BEGINS):
        return renewed(said.encode()).decode()
    return said


def columns() -> list[Column]:
    """Every column of every app that holds something encrypted."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        inside = WITH_TOKENS.get(model._meta.label_lower)
        if model._meta.proxy:
            continue
        found += [
            Column(model, field)
            for field in model._meta.local_concrete_fields
            if isinstance(field, EncryptedTextField) or field.name == inside
        ]
    return found


def reencrypt(*, tell: Tell = lambda line: None, only_count: bool = False, batch: int = BATCH) -> list[Tally]:
    """Bring all columns and files under the newest key; with `only_count`, change nothing and say what is left.

    Returns a tally of each column and each folder of files. Nothing is lost at whatever moment it is ended.
    """
    tallies = [_do_column(column, tell, only_count, batch) for column in columns()]
    return [*tallies, *_do_files(tell, only_count)]


def _do_column(column: Column, tell: Tell, only_count: bool, batch: int) -> Tally:
    tally, after, seen = Tally(column.name), None, 0
    while rows := column.rows(after, batch):
        for pk, value in rows:
            _do_row(column, pk, value, tally, only_count)
        after, seen = rows[-1][0], seen + len(rows)
        if len(rows) == batch:
            tell(f"{column.name}: {seen} so far")
    tell(str(tally))
    return tally


def _do_row(column: Column, pk: Any, value: Any, tally: Tally, only_count: bool) -> None:
    """One value. Where the site wrote it meanwhile, what it wrote is looked at anew."""
    for _ in range(TURNS):
        try:
            new = column.renewed(value)
        except crypto.InvalidToken:
            tally.unreadable += 1
            return
        if new == value:
            tally.newest += 1
            return
        if only_count:
            break
        if column.put(pk, value, new):
            tally.renewed += 1
            return
        now = column.row(pk)
        if not now:  # gone, or emptied
            return
        value = now[0][1]
    tally.left += 1


# Files


def _do_files(tell: Tell, only_count: bool) -> list[Tally]:
    place = Path(storages["private"].location)
    if not place.exists():
        return []
    if not only_count:
        _empty_workplace(place)
    folders = sorted(
        one for one in place.iterdir() if one.is_dir() and one.name not in {*OWN_KEYS, WORKPLACE}
    )
    tallies = [_do_folder(folder, tell, only_count) for folder in folders]
    if not only_count:
        _empty_workplace(place)
    return tallies


def _do_folder(folder: Path, tell: Tell, only_count: bool) -> Tally:
    tally, began = Tally(f"files in {folder.name}/"), time.time()
    for number, file in enumerate(_files_below(folder), start=1):
        try:
            _do_file(file, folder.parent / WORKPLACE, tally, only_count)
        except FileNotFoundError:
            continue  # deleted by the site since the folder was read
        except (crypto.InvalidToken, struct.error):
            if _is_being_written(file, began):
                continue  # by the site, so under the newest key
            tally.unreadable += 1
        if number % BATCH == 0:
            tell(f"{tally.name}: {number} so far")
    tell(str(tally))
    return tally


def _files_below(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names)


def _is_being_written(file: Path, began: float) -> bool:
    try:
        return file.stat().st_mtime >= began - 60
    except FileNotFoundError:
        return True


def _do_file(file: Path, workplace: Path, tally: Tally, only_count: bool) -> None:
    for _ in range(TURNS):
        with file.open("rb") as sealed:
            is_blocks = sealed.read(len(BEGINS)) != BEGINS.encode()
            if not any(not crypto.is_of_newest_key(token) for token in _tokens(sealed, is_blocks)):
                tally.newest += 1
                return
            if only_count:
                for token in _tokens(sealed, is_blocks):
                    crypto.decrypt(token)
                break
            if _replace(file, sealed, is_blocks, workplace):
                tally.renewed += 1
                return
    tally.left += 1


def _tokens(sealed: BinaryIO, is_blocks: bool) -> Iterator[bytes]:
    """The tokens of a file from its start: a single one, or blocks that each say their length."""
    sealed.seek(0)
    if not is_blocks:
        yield sealed.read()
        return
    while head := sealed.read(LENGTH.size):
        (length,) = LENGTH.unpack(head)
        token = sealed.read(length)
        if len(token) < length:
            raise crypto.InvalidToken
        yield token


def _replace(file: Path, sealed: BinaryIO, is_blocks: bool, workplace: Path) -> bool:
    """Put a renewed copy in the place of the file that was opened; False where another has taken that place.

    Old and new change places in one step, which fails where the old one was deleted: a file that the site deletes
    at this very moment never comes back. Raises FileNotFoundError then.
    """
    workplace.mkdir(mode=0o700, exist_ok=True)
    copy = workplace / uuid4().hex
    try:
        with os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            for token in _tokens(sealed, is_blocks):
                new = renewed(token)
                out.write(LENGTH.pack(len(new)) + new if is_blocks else new)
            out.flush()
            os.fsync(out.fileno())
        was = os.fstat(sealed.fileno())
        os.utime(copy, ns=(was.st_atime_ns, was.st_mtime_ns))  # sweeps go by the age of a file
        _exchange(copy, file)
        if copy.exists() and copy.stat().st_ino != was.st_ino:
            _exchange(copy, file)
            return False
        return True
    finally:
        copy.unlink(missing_ok=True)


def _exchange(one: Path, other: Path) -> None:
    """Let two files change places in one step. Raises FileNotFoundError where either is gone.

    Where the system cannot (only Linux is asked), the first takes the place of the second right after a look that
    it is there; what is deleted in between comes back, and is left to the daily sweeps.
    """
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if swap is not None:
        here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
        if swap(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0:
            return
        failed = ctypes.get_errno()
        if failed not in (errno.EINVAL, errno.ENOSYS):
            raise OSError(failed, os.strerror(failed))
    other.stat()
    os.replace(one, other)


def _empty_workplace(place: Path) -> None:
    """Remove what a killed run left of files it had renewed."""
    workplace = place / WORKPLACE
    if workplace.exists():
        for copy in workplace.iterdir():
            copy.unlink(missing_ok=True)
        workplace.rmdir()
