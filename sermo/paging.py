"""Lists by key: the next page starts after the last row seen, so no page costs more than the first."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

LONGEST_CURSOR = 200  # characters
LARGEST_NUMBER = 2**63
UNFIT = (
    ValueError,
    TypeError,
    OverflowError,
    ValidationError,
)  # what a key of other types raises in a filter


@dataclass(frozen=True)
class Page:
    """Some rows of a list and, where more follow, the cursor to ask for them with."""

    rows: list
    next: str | None

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)


def page(rows: QuerySet, *, order: tuple[str, ...], after: str | None, size: int) -> Page:
    """Take `size` rows of a query after a cursor, in an order such as ("-hot", "-pk").

    The last name of the order must be unique and none may be null. A cursor that nobody could have got from here
    is taken as the first page.
    """
    rows = rows.order_by(*order)
    key = key_of(after, order)
    if key is not None:
        with suppress(*UNFIT):
            rows = rows.filter(beyond(order, key))
    found = list(rows[: size + 1])
    return Page(found[:size], cursor_of(found[size - 1], order) if len(found) > size else None)


def cut(found: list, size: int, key: Callable[[Any], Iterable]) -> Page:
    """A page of `size` rows out of those found, one more than fit where others follow; `key` gives a row's own."""
    return Page(found[:size], cursor_after(key(found[size - 1])) if len(found) > size else None)


def _name(term: str) -> str:
    return term.removeprefix("-")


def beyond(order: tuple[str, ...], key: list[Any]) -> Q:
    """Rows after the key: the first term beyond it, or equal there and beyond in the rest."""
    term, value = order[0], key[0]
    further = Q(**{f"{_name(term)}__{'lt' if term.startswith('-') else 'gt'}": value})
    if len(order) == 1:
        return further
    return further | (Q(**{_name(term): value}) & beyond(order[1:], key[1:]))


def cursor_of(row: Any, order: tuple[str, ...]) -> str:
    """The cursor that leads on after this row."""
    return cursor_after(getattr(row, _name(term)) for term in order)


def cursor_after(key: Iterable) -> str:
    """The cursor that leads on after the row with these values of an order."""
    values = [_plain(value) for value in key]
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _plain(value):
    if hasattr(value, "isoformat"):
        return {"t": value.isoformat()}
    if isinstance(value, Decimal):
        return {"d": str(value)}
    return value


def key_of(cursor: str | None, order: tuple[str, ...]) -> list | None:
    """The values of the last row seen, one for each term of the order; None for what is no cursor."""
    if not cursor or len(cursor) > LONGEST_CURSOR:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(values, list) or len(values) != len(order):
            return None
        return [_rich(value) for value in values]
    except (binascii.Error, ValueError, TypeError, InvalidOperation):
        return None


def _rich(value):
    if isinstance(value, dict):
        moment = parse_datetime(value["t"]) if "t" in value else Decimal(value["d"]) if "d" in value else None
        if moment is None or (isinstance(moment, Decimal) and not _is_small(moment)):
            raise ValueError("not a cursor")
        return moment
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("not a cursor")
    if isinstance(value, int | float) and not abs(value) < LARGEST_NUMBER:  # also infinite, and not a number
        raise ValueError("not a cursor")
    return value


def _is_small(number: Decimal) -> bool:
    """Whether a column could hold it."""
    return number.is_finite() and abs(number) < LARGEST_NUMBER and number.as_tuple().exponent >= -30
