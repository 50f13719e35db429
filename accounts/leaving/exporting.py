"""Everything about one person as a zip, made in small steps and never in clear on a disk.

A sealed file is a row of blocks, each encrypted by itself after its length in four bytes. Inside stand the number of
the block and whether it is the last, so that blocks can be neither exchanged nor cut off.
"""

import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from tempfile import TemporaryFile
from typing import BinaryIO

from cryptography.fernet import InvalidToken
from django.utils import timezone

from accounts.leaving.ledger import Entry, Person, declared, entries
from sermo import crypto

BATCH = 500  # rows between two signs of life
BLOCK = 512 * 1024  # bytes encrypted at once
LENGTH = struct.Struct(">I")
PLACE = struct.Struct(">I?")

README = """\
Your data at Sermo, {day}

Each file ending in .json is one table, as a list of rows. Moments are in UTC, amounts of money in US cents.
posts.md has your posts as you wrote them. Pictures and documents are JPEG.

Not in here: what belongs to others. Colleagues appear by the face you met them under; votes you received are counts;
who vouched for you, reviewers, and the other side of a dispute are left out. Fields left out are listed at the end.

Tables
{tables}

Left out, and why
{withheld}
"""

Step = Callable[[int], None]  # called with the rows done since the last call; may raise to end the work


class Sealed(io.RawIOBase):
    """A stream to write to that encrypts block by block into another; `close` writes the last block."""

    def __init__(self, target: BinaryIO):
        self.target, self.held, self.number = target, bytearray(), 0

    def writable(self):
        return True

    def write(self, data):
        self.held += data
        while len(self.held) > BLOCK:
            self._seal(self.held[:BLOCK], is_last=False)
            del self.held[:BLOCK]
        return len(data)

    def close(self):
        if not self.closed:
            self._seal(self.held, is_last=True)
        super().close()

    def _seal(self, block: bytes, *, is_last: bool):
        token = crypto.encrypt(PLACE.pack(self.number, is_last) + block)
        self.target.write(LENGTH.pack(len(token)) + token)
        self.number += 1


def unseal(sealed: BinaryIO) -> Iterator[bytes]:
    """What was written through `Sealed`, block by block. Raises InvalidToken where anything is altered or missing."""
    number, is_last = 0, False
    while not is_last:
        head = sealed.read(LENGTH.size)
        if len(head) < LENGTH.size:
            raise InvalidToken
        plain = crypto.decrypt(sealed.read(LENGTH.unpack(head)[0]))
        place, is_last = PLACE.unpack_from(plain)
        if place != number:
            raise InvalidToken
        yield plain[PLACE.size :]
        number += 1


def number_of_parts() -> int:
    """How often `pack` calls `part_done`."""
    return len(_exported()) + len(declared("files")) + 1


def pack(person: Person, *, step: Step, part_done: Callable[[], None]) -> BinaryIO:
    """A sealed zip of all that is exported of a person, in a temporary file that is the caller's to close.

    `step` is called at least every BATCH rows and after each file, `part_done` after each part; what they raise ends
    the work and leaves nothing behind.
    """
    target = TemporaryFile()  # noqa: SIM115 - handed to the caller
    try:
        with Sealed(target) as sealed, zipfile.ZipFile(sealed, "w", zipfile.ZIP_DEFLATED) as archive:
            counts = {}
            for entry in _exported():
                counts[entry.file] = _write_rows(archive, entry, person, step)
                part_done()
            for files in declared("files"):
                _write_files(archive, files(person), step)
                part_done()
            archive.writestr("README.txt", readme(counts))
            part_done()
        target.seek(0)
    except BaseException:
        target.close()
        raise
    return target


def readme(counts: dict[str, int]) -> str:
    """What is in an export, by the ledger itself."""
    tables = [f"  {entry.file}: {entry.title}, {counts[entry.file]} rows" for entry in _exported()]
    withheld = [
        f"  {entry.title}, {name}: {reason}" for entry in entries() for name, reason in entry.withheld.items()
    ]
    return README.format(
        day=f"{timezone.now():%Y-%m-%d}", tables="\n".join(tables), withheld="\n".join(withheld)
    )


def _exported() -> list[Entry]:
    return [entry for entry in entries() if entry.shown]


def _write_rows(archive: zipfile.ZipFile, entry: Entry, person: Person, step: Step) -> int:
    number = 0
    with archive.open(entry.file, "w", force_zip64=True) as out:
        out.write(b"[")
        for row in entry.rows(person).iterator(chunk_size=BATCH):
            said = json.dumps(entry.row(row), ensure_ascii=False, indent=1)
            out.write(f"{',' if number else ''}\n{said}".encode())
            number += 1
            if number % BATCH == 0:
                step(BATCH)
        out.write(b"\n]\n")
    if number % BATCH:
        step(number % BATCH)
    return number


def _write_files(archive: zipfile.ZipFile, files, step: Step) -> None:
    for name, chunks in files:
        with archive.open(name, "w", force_zip64=True) as out:
            for chunk in chunks:
                out.write(chunk)
                step(0)
