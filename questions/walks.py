"""Pages of a list whose order moves while it is read.

By key alone, a discussion that rises while somebody pages down is missed, and one that sinks comes twice. So the
cursor of such a list says when the reader began and what was shown since: a few numbers in the cursor itself, more of
them in the cache. Whatever matches from the first page to the last comes exactly once, wherever it moves: what sank
is left out, what rose stands at the end, and what is new waits for a new look at the first page.

Without the cache, or beyond the most that is remembered, the key alone leads on: what keeps its place still comes
exactly once. Lists by the moment of opening never move and need none of this.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from sermo.paging import Page

STEADY = ("opened_at", "pk")
LONGEST_CURSOR = 600  # characters
MOST_IN_CURSOR = 40  # ids
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SINCE = re.compile(r"[0-9a-z]{1,12}")
LARGEST_STEP = 500  # rows taken at once


@dataclass(frozen=True)
class Place:
    """Where a reader stands: since when, after which key, and what was shown (None: not known any more)."""

    since: datetime
    key: str
    shown: list[int] | None


class Rows(Protocol):
    """The rows of a list in its order, each with `pk`."""

    order: tuple[str, ...]

    def take(self, size: int, *, after: str | None, since: datetime | None) -> list[tuple[Any, str]]:
        """So many rows after a key, opened no later than `since`, each with the key that leads on after it."""

    def missed(self, shown: list[int], size: int, *, since: datetime) -> list[Any]:
        """So many of the first rows that were not shown."""


def walk(rows: Rows, *, after: str | None, size: int) -> Page:
    """The next `size` discussions after a cursor; a cursor that nobody could have got is the first page."""
    if tuple(term.removeprefix("-") for term in rows.order) == STEADY:
        return _cut(rows.take(size + 1, after=after, since=None), size)
    place = _read(after) if after else None
    if place is None:
        place = Place(timezone.now(), "", [])
        found = _cut(rows.take(size + 1, after=None, since=None), size)
    elif place.shown is None:
        found = _cut(rows.take(size + 1, after=place.key, since=place.since), size)
    else:
        return _go_on(rows, place, size)
    return Page(found.rows, _write(place, found.rows, found.next) if found.next else None)


def _cut(found: list[tuple[Any, str]], size: int) -> Page:
    return Page([row for row, _ in found[:size]], found[size - 1][1] if len(found) > size else None)


def _go_on(rows, place, size) -> Page:
    found = _below(rows, place, size + 1)
    keyed = found[:size]
    shown = [row for row, _ in found]
    if len(shown) <= size:
        known = [*place.shown, *(row.pk for row in shown)]
        shown += rows.missed(known, size + 1 - len(shown), since=place.since)
    key = keyed[-1][1] if keyed else place.key
    return Page(shown[:size], _write(place, shown[:size], key) if len(shown) > size else None)


def _below(rows, place, wanted) -> list[tuple[Any, str]]:
    """Rows after the key that were not shown."""
    shown, found, key = set(place.shown), [], place.key
    step = wanted
    while key and len(found) < wanted:
        some = rows.take(step, after=key, since=place.since)
        found += [(row, after) for row, after in some if row.pk not in shown]
        shown.update(row.pk for row, _ in some)
        key = some[-1][1] if len(some) == step else None
        step = min(2 * step, LARGEST_STEP)  # past much that was shown in few queries
    return found[:wanted]


# Cursors: moment, what was shown, key


def _write(place: Place, now_shown: list, key: str) -> str:
    since = _short((place.since - EPOCH) // MICROSECOND)
    if place.shown is None:
        return f"{since}._.{key}"
    ids = [*place.shown, *(row.pk for row in now_shown)]
    if len(ids) <= MOST_IN_CURSOR:
        return f"{since}.{'-'.join(map(_short, ids))}.{key}"
    if len(ids) > settings.WALK_REMEMBERS:
        return f"{since}._.{key}"
    token = secrets.token_hex(8)  # of this place: two tabs may go on from one place in two ways
    cache.set(_memory(token), ids, settings.WALK_KEPT_SECONDS)
    return f"{since}.{token}_{len(ids)}.{key}"


def _read(cursor: str) -> Place | None:
    parts = cursor.split(".")
    if len(cursor) > LONGEST_CURSOR or len(parts) != 3:
        return None
    try:
        if not SINCE.fullmatch(parts[0]):
            return None
        since = EPOCH + int(parts[0], 36) * MICROSECOND
        if "_" not in parts[1]:
            return Place(since, parts[2], [int(each, 36) for each in parts[1].split("-")])
        token, _, number = parts[1].partition("_")
        ids = cache.get(_memory(token)) if token else None
        return Place(since, parts[2], ids if ids is not None and len(ids) == int(number) else None)
    except (ValueError, OverflowError):
        return None


def _memory(token: str) -> str:
    return f"walk:{int(token, 16):016x}"


def _short(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = DIGITS[digit] + text
    return text or "0"
