"""The list of polls: first the open ones one may still take, then other open ones, then those that are over."""

from contextlib import suppress
from typing import NamedTuple

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Now

from accounts.models import Member, User
from polls.models import Receipt
from polls.models.polls import tier_of
from polls.reading import IsAmong
from questions.models import Question
from questions.readers import shape_of, stand_in, values_of
from sermo.paging import UNFIT, Page, beyond, cut, key_of
from sermo.prepared import prepared

TO_TAKE, OPEN, OVER = range(3)
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
    newest = _run(_open, user, 1, None, state=_state(user), tier=_tier(user))
    return newest[0].pk if newest and newest[0].part == TO_TAKE else None


def _places(user: User, wanted: int, key: list | None) -> list[Place]:
    """Open polls are few, as none is open longer than a month; those that are over come by their own index."""
    found = []
    if key is None or key[0] != OVER:
        found = _run(_open, user, wanted, key, state=_state(user), tier=_tier(user))
        key = None
    if len(found) < wanted:
        found += _run(_over, user, wanted - len(found), key)
    return found


def _run(query, user: User, wanted: int, key: list | None, **own) -> list[Place]:
    cursor = {f"after_{place}": value for place, value in enumerate(key)} if key else {}
    return [Place(*row) for row in query((shape_of(user), wanted), **values_of(user), **own, **cursor)]


def _state(user: User) -> str:
    return user.as_member.state if user.as_member else ""


def _tier(user: User) -> str:
    return tier_of(user.as_member) if user.as_member else ""


def _readable(user: User) -> QuerySet:
    member = user.as_member
    rows = Question.objects.visible_to(user).listed().filter(has_poll=True, poll__isnull=False)
    return rows.besides_blocked(member).besides_muted(member)


IS_OPEN = Q(status=Question.Status.OPEN, poll__closed_at=None, poll__closes_at__gt=Now())


@prepared
def _open(shape, *, reader, reader_specialty, state, tier, **cursor):
    reader_shape, size = shape
    user = stand_in(reader_shape, reader, reader_specialty)
    part = Case(
        When(_to_take(user.as_member, reader_specialty, state, tier), then=Value(TO_TAKE)),
        default=Value(OPEN),
        output_field=IntegerField(),
    )
    rows = _readable(user).filter(IS_OPEN).annotate(part=part)
    return _taken(rows, ORDER, cursor, size)


@prepared
def _over(shape, *, reader, reader_specialty, **cursor):
    reader_shape, size = shape
    rows = _readable(stand_in(reader_shape, reader, reader_specialty)).exclude(IS_OPEN)
    rows = rows.annotate(part=Value(OVER, output_field=IntegerField()))
    cursor.pop("after_0", None)  # all of them stand in one part
    return _taken(rows, ORDER[1:], cursor, size)


def _taken(rows: QuerySet, order: tuple[str, ...], cursor: dict, size: int) -> QuerySet:
    if cursor:
        rows = rows.filter(beyond(order, [cursor[name] for name in sorted(cursor)]))
    return rows.order_by(*order).values_list("pk", "part", "poll__opened_at")[:size]


def _to_take(member: Member | None, specialty, state, tier) -> Q:
    """Whether it takes a vote of this member's; the same rule as `Poll.is_for`, and no receipt."""
    if member is None or not member.may_write:
        return Q(pk__in=[])
    fits = Q()
    for field, value in (("specialties", specialty), ("states", state), ("tiers", tier)):
        one = Q(**{f"poll__{field}__len": 0})
        if value is not None:
            one |= Q(IsAmong(Value(value), F(f"poll__{field}")))
        fits &= one
    return fits & ~Q(pk__in=Receipt.objects.filter(member=member).values("poll"))
