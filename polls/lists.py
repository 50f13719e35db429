"""The list of polls: the open ones, then those that are over, each the newest first."""

from contextlib import suppress
from typing import NamedTuple

from django.db.models import F, IntegerField, Q, QuerySet, Value
from django.db.models.functions import Now

from accounts.models import User
from polls.models import Receipt
from polls.models.polls import tier_of
from polls.reading import IsAmong
from questions.models import Question
from questions.readers import shape_of, stand_in, values_of
from sermo.paging import UNFIT, Page, beyond, cut, key_of
from sermo.prepared import prepared

OPEN, OVER = range(2)
ORDER = ("part", "-poll__opened_at", "-pk")


class Place(NamedTuple):
    """Where a poll stands in the list."""

    pk: int
    part: int
    opened_at: object


def poll_ids(user: User, *, after: str | None, size: int) -> Page:
    """The numbers of the next polls of the list; a cursor that nobody could have got is the first page."""
    key, found = key_of(after, ORDER), None
    if key is not None:
        with suppress(*UNFIT):
            found = _places(user, size + 1, key)
    if found is None:
        found = _places(user, size + 1, None)
    page = cut(found, size, lambda place: (place.part, place.opened_at, place.pk))
    return Page([place.pk for place in page], page.next)


def next_to_take(user: User) -> int | None:
    """The newest poll that waits for a vote of this member; None where there is none."""
    member = user.as_member
    if member is None or not member.may_write:
        return None
    found = _waiting(shape_of(user), **values_of(user), state=member.state, tier=tier_of(member))
    return found[0][0] if found else None


def _places(user: User, wanted: int, key: list | None) -> list[Place]:
    """Open polls are few, as none is open longer than a month; those that are over come by their own index."""
    found = []
    if key is None or key[0] != OVER:
        found = _run(_open, user, wanted, key)
        key = None
    if len(found) < wanted:
        found += _run(_over, user, wanted - len(found), key)
    return found


def _run(query, user: User, wanted: int, key: list | None) -> list[Place]:
    cursor = {f"after_{place}": value for place, value in enumerate(key)} if key else {}
    return [Place(*row) for row in query((shape_of(user), wanted), **values_of(user), **cursor)]


def _readable(user: User) -> QuerySet:
    member = user.as_member
    rows = Question.objects.visible_to(user).listed().filter(has_poll=True, poll__isnull=False)
    return rows.besides_blocked(member).besides_muted(member)


IS_OPEN = Q(status=Question.Status.OPEN, poll__closed_at=None, poll__closes_at__gt=Now())


@prepared
def _open(shape, *, reader, reader_specialty, **cursor):
    reader_shape, size = shape
    rows = _readable(stand_in(reader_shape, reader, reader_specialty)).filter(IS_OPEN)
    return _taken(rows, OPEN, cursor, size)


@prepared
def _over(shape, *, reader, reader_specialty, **cursor):
    reader_shape, size = shape
    rows = _readable(stand_in(reader_shape, reader, reader_specialty)).exclude(IS_OPEN)
    return _taken(rows, OVER, cursor, size)


def _taken(rows: QuerySet, part: int, cursor: dict, size: int) -> QuerySet:
    cursor.pop("after_0", None)  # all of them stand in one part
    order = ORDER[1:]
    if cursor:
        rows = rows.filter(beyond(order, [cursor[name] for name in sorted(cursor)]))
    rows = rows.annotate(part=Value(part, output_field=IntegerField()))
    return rows.order_by(*order).values_list("pk", "part", "poll__opened_at")[:size]


@prepared
def _waiting(shape, *, reader, reader_specialty, state, tier):
    """The newest open poll that takes a vote of this member's: the same rule as `Poll.is_for`, and no receipt."""
    user = stand_in(shape, reader, reader_specialty)
    rows = _readable(user).filter(IS_OPEN).addressed_to(user.as_member)
    for field, value in (("specialties", reader_specialty), ("states", state), ("tiers", tier)):
        fits = Q(**{f"poll__{field}__len": 0})
        if value is not None:
            fits |= Q(IsAmong(Value(value), F(f"poll__{field}")))
        rows = rows.filter(fits)
    taken = Receipt.objects.filter(member=user.as_member).values("poll")
    return rows.exclude(pk__in=taken).order_by(*ORDER[1:]).values_list("pk")[:1]
