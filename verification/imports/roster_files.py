"""A board's roster as lines of CSV, whatever it came as: a CSV, JSON that Socrata exported, or its API page by page.

JSON is turned into CSV on the way, row by row, so that all that follows (rejects by line, COPY, refusals) is one thing.
"""

import hashlib
import json
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from django.conf import settings

from verification import asking
from verification.imports.refusals import ImportRefused
from verification.imports.roster_maps import MAPS, PLAIN, api_name
from verification.imports.source import BLOCK, RegistryFile

PAGE = 10_000  # rows asked for at a time
PAGE_SECONDS = 120.0
PAGE_BYTES = 64 << 20
LONGEST_ROW = 1 << 20  # characters of JSON; a description of the columns may be ten times as long
_SPACE = " \t\r\n,"


class RosterFile(RegistryFile):
    """A CSV, or JSON as an array of objects or as {"meta": ..., "data": [[...]]}, plain or from standard input."""

    def __init__(self, path: str, state: str):
        super().__init__(path)
        self.state = state

    def _split(self, read: Callable[[int], bytes]) -> Iterator[bytes]:
        start = read(BLOCK)
        again = _with_start(start, read)
        if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"[", b"{"):
            return (yield from super()._split(again))
        self._refuse_other_formats(start)
        return (yield from self._from_json(again))

    def _from_json(self, read: Callable[[int], bytes]) -> Iterator[bytes]:
        """The values under the names our map of the state has, or under those of the plain file."""
        names = _names_in_json(self.state)
        yield _line(names)
        for row in _json_rows(self._text(read), self.name):
            yield _line([row.get(name) for name in names])

    def _text(self, read: Callable[[int], bytes]) -> Iterator[str]:
        decode = getincrementaldecoder("utf-8-sig")("replace").decode
        while block := read(BLOCK):
            self.bytes_read += len(block)
            yield decode(block)


class SocrataFeed:
    """The API of a state's open data, read page by page in a fixed order. Stands in for a file."""

    size = stored_size = None
    is_stored = must_hash_first = False

    def __init__(self, state: str):
        if state not in MAPS:
            raise ImportRefused(
                f"The roster of {state} is not published where we could read it. Name a CSV file."
            )
        self.state, self.url = state, settings.BOARD_URLS[state]
        self.name = _short(self.url)
        self.bytes_read, self.file_date = 0, None
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def lines(self) -> Iterator[bytes]:
        """Raises ImportRefused where it does not answer, or changes while it is read."""
        names = _names_in_json(self.state)
        yield _line(names)
        changed_at = None
        for answer in self._pages():
            seen = answer.headers.get("x-soda2-truth-last-modified") or answer.headers.get("last-modified")
            if changed_at and seen != changed_at:
                raise ImportRefused(f"{self.name} changed while it was read. Run the import again.")
            changed_at = seen
            self.file_date = _day_of(seen)
            self._hash.update(answer.body)
            self.bytes_read += len(answer.body)
            for row in answer.data:
                if not isinstance(row, dict):
                    raise self._unexpected()
                yield _line([row.get(name) for name in names])

    def _pages(self) -> Iterator[asking.Answer]:
        roster, offset = MAPS[self.state], 0
        wanted = {"$order": ":id", "$limit": PAGE}
        if roster.select:
            wanted["$select"] = ",".join(_names_in_json(self.state))
        if roster.filter:
            wanted["$where"] = roster.filter
        headers = {"X-App-Token": settings.SOCRATA_APP_TOKEN} if settings.SOCRATA_APP_TOKEN else {}
        while True:
            try:
                answer = asking.ask(
                    f"board_{self.state.lower()}",
                    self.url,
                    {**wanted, "$offset": offset},
                    seconds=PAGE_SECONDS,
                    most_bytes=PAGE_BYTES,
                    headers=headers,
                )
            except asking.Unavailable as failure:
                raise ImportRefused(f"{self.name} cannot be read: {failure.cause}.") from None
            if not isinstance(answer.data, list):
                raise self._unexpected()
            yield answer
            if len(answer.data) < PAGE:
                return
            offset += PAGE

    def _unexpected(self) -> ImportRefused:
        return ImportRefused(f"{self.name} answered with something other than rows.")


def _names_in_json(state: str) -> list[str]:
    if state in MAPS:
        return [api_name(state, key) for key in (*MAPS[state].columns, *MAPS[state].optional)]
    return [PLAIN.spellings(key)[0] for key in (*PLAIN.columns, *PLAIN.optional)]


def _short(url: str) -> str:
    """Host and data set, as a source is named: data.texas.gov/tm3v-pfq9."""
    parts = urlsplit(url)
    return f"{parts.netloc}/{parts.path.rsplit('/', 1)[-1].removesuffix('.json')}"


def _day_of(header: str | None) -> date | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC).date() if header else None
    except (ValueError, TypeError):
        return _iso_day(header)


def _iso_day(text: str) -> date | None:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None


def _with_start(start: bytes, read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    blocks = [start]
    return lambda size: blocks.pop() if blocks else read(size)


def _line(values: Iterable) -> bytes:
    return ",".join([_cell(value) for value in values]).encode()


def _cell(value) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    text = value if isinstance(value, str) else str(value)
    if "\n" in text or "\r" in text:
        text = " ".join(text.splitlines())
    return '"' + text.replace('"', '""') + '"'


def _json_rows(blocks: Iterator[str], name: str) -> Iterator[dict]:
    """Each row as an object, while the text comes in. Raises ImportRefused for what is no such JSON, or cut off."""
    text = _Text(blocks, name)
    if text.next_sign() == "[":
        yield from _objects(text, text.items())
        return
    text.skip("{")
    columns: list[str] | None = None
    while text.next_sign() == '"':
        key = text.value()
        text.skip(":")
        if key != "data":
            columns = _columns_in(text.value()) if key == "meta" else columns
        elif columns is None:
            raise ImportRefused(f"{name} has rows and does not say what their columns are.")
        else:
            for row in text.items():
                if not isinstance(row, list) or len(row) != len(columns):
                    raise ImportRefused(f"{name} has a row that does not fit its columns.")
                yield dict(zip(columns, row, strict=True))
            return
    raise ImportRefused(f"{name} is JSON without rows.")


def _objects(text: "_Text", rows: Iterator) -> Iterator[dict]:
    for row in rows:
        if not isinstance(row, dict):
            raise ImportRefused(f"{text.name} is JSON, but its rows are no objects.")
        yield row


def _columns_in(meta) -> list[str] | None:
    try:
        return [str(column["fieldName"]) for column in meta["view"]["columns"]]
    except (KeyError, TypeError):
        return None


class _Text:
    """JSON text of which a part at a time is held."""

    def __init__(self, blocks: Iterator[str], name: str):
        self.blocks, self.name = blocks, name
        self.held, self.place = "", 0
        self.decode = json.JSONDecoder().raw_decode

    def next_sign(self) -> str:
        """The next sign that is neither space nor comma, without taking it."""
        while True:
            while self.place < len(self.held):
                if self.held[self.place] not in _SPACE:
                    return self.held[self.place]
                self.place += 1
            self.more()

    def skip(self, sign: str) -> None:
        if self.next_sign() != sign:
            raise ImportRefused(f"{self.name} is no JSON that we can read.")
        self.place += 1

    def value(self):
        """The next whole value."""
        self.next_sign()
        while True:
            try:
                found, end = self.decode(self.held, self.place)
            except (json.JSONDecodeError, RecursionError):
                if len(self.held) - self.place > 10 * LONGEST_ROW:
                    raise ImportRefused(f"{self.name} is no JSON that we can read.") from None
                self.more()
                continue
            if end == len(self.held) and not isinstance(found, dict | list | str):
                self.more()  # a number may go on
                continue
            self.place = end
            return found

    def items(self) -> Iterator:
        self.skip("[")
        while self.next_sign() != "]":
            yield self.value()

    def more(self) -> None:
        block = next(self.blocks, None)
        if block is None:
            raise ImportRefused(f"{self.name} ends in the middle.")
        self.held, self.place = self.held[self.place :] + block, 0
