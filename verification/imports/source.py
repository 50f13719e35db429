"""Reading a registry file from start to end without ever holding more than a block of it.

A file is a CSV, a ZIP around one, or standard input. Lines come out as bytes, and records are lines joined
while a quotation is open, so that a line break inside a value does not break the row.
"""

import hashlib
import re
import sys
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from verification.imports.refusals import ImportRefused

BLOCK = 1 << 20  # bytes read at a time
LONGEST_LINE = 8 << 20  # bytes; a file without line breaks is no CSV
LONGEST_RECORD = 20  # lines a value may run over before its quotation counts as never closed
UNBALANCED = -1

DAMAGED = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)

_FILE_DATE = re.compile(r"(20[0-9]{2})([01][0-9])([0-3][0-9])(?![0-9])")


class RegistryFile:
    """One file to import.

    `size` is the bytes of text to read (None for standard input), `stored_size` those of the file itself;
    `bytes_read` counts along while lines are taken.
    """

    def __init__(self, path: str):
        self.path = path
        self.bytes_read = 0
        self._hash = hashlib.sha256()
        self._hashing = True
        self._member: str | None = None
        self.size: int | None = None
        self.stored_size: int | None = None
        if path == "-":
            self.name = "standard input"
            self.file_date = None
            return
        if Path(path).is_dir():
            raise ImportRefused(f"{path} is a folder, not a file.")
        try:
            size = Path(path).stat().st_size
            if self.is_stored:
                self.stored_size = self.size = size
                if zipfile.is_zipfile(path):
                    self._choose_member()
        except (OSError, zipfile.BadZipFile) as error:
            reason = getattr(error, "strerror", None) or error
            raise ImportRefused(f"{path} cannot be read: {reason}.") from error
        self.name = self._member or Path(path).name
        self.file_date = _date_in(self.name) or _date_in(Path(path).name)

    def _choose_member(self) -> None:
        with zipfile.ZipFile(self.path) as archive:
            tables = [
                info
                for info in archive.infolist()
                if info.filename.lower().endswith(".csv") and "fileheader" not in info.filename.lower()
            ]
        main = [
            info for info in tables if Path(info.filename).name.lower().startswith("npidata_pfile")
        ] or tables
        if len(main) != 1:
            found = ", ".join(info.filename for info in tables) or "none"
            raise ImportRefused(f"{self.path} should hold one CSV table; found: {found}.")
        self._member, self.size = main[0].filename, main[0].file_size

    @property
    def sha256(self) -> str:
        """Of the bytes as stored; complete once all lines were taken or `hash_now` was called."""
        return self._hash.hexdigest()

    def hash_now(self) -> str:
        """Read the stored file once just for its hash. Not for standard input, which comes only once."""
        with Path(self.path).open("rb") as stored:
            self._hash = hashlib.file_digest(stored, "sha256")
        self._hashing = False
        return self.sha256

    @property
    def is_stored(self) -> bool:
        """Whether the file can be read more than once: not standard input, not a pipe."""
        return self.path != "-" and Path(self.path).is_file()

    @property
    def must_hash_first(self) -> bool:
        """A ZIP is not read from end to end, so its hash cannot be taken along the way."""
        return self._member is not None

    def lines(self) -> Iterator[bytes]:
        """The lines without line feeds. Raises ImportRefused for what is no CSV text or a broken ZIP."""
        try:
            with self._open() as read:
                yield from self._split(read)
        except DAMAGED as error:
            raise ImportRefused(f"{self.path} is a damaged or unreadable ZIP: {error}.") from error
        except OSError as error:
            raise ImportRefused(f"{self.path} cannot be read: {error.strerror or error}.") from error

    def _split(self, read: Callable[[int], bytes]) -> Iterator[bytes]:
        rest = b""
        while block := read(BLOCK):
            if not self.bytes_read:
                self._refuse_other_formats(block)
                block = block.removeprefix(b"\xef\xbb\xbf")
            self.bytes_read += len(block)
            if b"\r\n" in block:
                block = block.replace(b"\r\n", b"\n")
            *whole, rest = (rest + block).split(b"\n") if rest else block.split(b"\n")
            if len(rest) > LONGEST_LINE:
                raise ImportRefused(
                    f"{self.name} has a line of more than {LONGEST_LINE >> 20} MB: it is no CSV."
                )
            yield from whole
        if rest:
            yield rest

    def _refuse_other_formats(self, start: bytes) -> None:
        if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise ImportRefused(f"{self.name} is UTF-16; save it as UTF-8.")
        if start[:4] == b"PK\3\4":
            raise ImportRefused(f"{self.name} is a ZIP; name the file instead of piping it.")

    @contextmanager
    def _open(self) -> Iterator[Callable[[int], bytes]]:
        if self._member:
            with zipfile.ZipFile(self.path) as archive, archive.open(self._member) as stream:
                yield stream.read
        elif self.path == "-":
            with _hashed_along(sys.stdin.buffer.read, self._hash) as read:
                yield read
        else:
            with Path(self.path).open("rb", buffering=0) as stream:
                if self._hashing:
                    with _hashed_along(stream.read, self._hash) as read:
                        yield read
                else:
                    yield stream.read


@contextmanager
def _hashed_along(read: Callable[[int], bytes], digest) -> Iterator[Callable[[int], bytes]]:
    """`read`, each block hashed in a second thread while the first parses it (hashing holds no lock)."""
    pending: Future | None = None

    def read_and_hash(size: int) -> bytes:
        nonlocal pending
        block = read(size)
        if pending:
            pending.result()
        pending = helper.submit(digest.update, block)
        return block

    with ThreadPoolExecutor(max_workers=1) as helper:
        yield read_and_hash


def records(
    lines: Iterable[bytes], *, starts_record: Callable[[bytes], object], first_number: int = 2
) -> Iterator[tuple[int, bytes, int]]:
    """(number of the first line, record, quotation marks in it) for each row of a CSV.

    A quotation that is never closed gives (number, line, UNBALANCED) for the row it stands in, and reading
    goes on with the next line that `starts_record`, so one stray mark never swallows the file.
    """
    numbered = enumerate(lines, first_number)
    taken_back: deque[tuple[int, bytes]] = deque()
    while item := (taken_back.popleft() if taken_back else next(numbered, None)):
        number, line = item
        quotes = line.count(b'"')
        if not quotes & 1:
            yield number, line, quotes
            continue
        held = [item]
        while quotes & 1:
            item = taken_back.popleft() if taken_back else next(numbered, None)
            if item is None or len(held) == LONGEST_RECORD or starts_record(item[1]):
                break
            held.append(item)
            quotes += item[1].count(b'"')
        if not quotes & 1:
            yield number, b"\n".join(text for _, text in held), quotes
            continue
        yield number, line, UNBALANCED
        if item is not None:
            taken_back.appendleft(item)
        if item is None or not starts_record(item[1]):
            taken_back.extendleft(reversed(held[1:]))


def _date_in(name: str) -> date | None:
    """The last YYYYMMDD in a file's name: the day its content was taken."""
    found = None
    for year, month, day in _FILE_DATE.findall(name):
        try:
            found = date(int(year), int(month), int(day))
        except ValueError:
            continue
    return found
