"""What an act of a moderator begins with: the room locked, and the right to change it."""

from uuid import UUID, uuid5

from django.db.models import Model, QuerySet

from accounts.models import User
from focusgroups.models import Room
from sermo.errors import RuleBroken
from verification.services import events


class NotYours(RuleBroken):
    message = "Only its moderators run a focus group."


class Over(RuleBroken):
    message = "This focus group is over."


class NotPublished(RuleBroken):
    message = "This focus group is a draft: nobody was asked yet."


class Fixed(RuleBroken):
    message = "Members were asked on these terms. They cannot change any more."


class Unfit(RuleBroken):
    """Something typed that cannot stand; `field` names what it was typed for."""

    def __init__(self, field: str, message: str):
        super().__init__(message)
        self.field = field


def hold(room: Room, by: User, *, even_over: bool = False) -> Room:
    """Lock the audit trail and a room, in the caller's transaction. Raises NotYours, Over."""
    events.lock_chain()
    held = Room.objects.select_for_update().get(pk=room.pk)
    if not Room.objects.run_by(by).filter(pk=held.pk).exists():
        raise NotYours
    if held.is_over and not even_over:
        raise Over
    return held


def note(deed: str, room: Room, by: User) -> None:
    """Leave a deed of a moderator in the audit trail."""
    events.record(kind=f"room_{deed}", by=by, object=f"room:{room.pk}")


def text(field: str, typed: str, longest: int, needed: str = "") -> str:
    """What was typed, without spaces around it. Where it is `needed`, that says so to whom it is missing."""
    typed = typed.replace("\r\n", "\n").strip()
    if needed and not typed:
        raise Unfit(field, needed)
    if len(typed) > longest:
        raise Unfit(field, f"Use at most {longest:,} characters.")
    return typed


def key_of(submission: UUID | None, to: Model, *typed: str) -> UUID | None:
    """Of what a form adds to a row: the same when it is sent twice, another when it adds something else."""
    return uuid5(submission, "\n".join([str(to.pk), *typed])) if submission else None


def added_before(rows: QuerySet, key: UUID | None) -> Model | None:
    """What the same form has added, in a locked room."""
    return rows.filter(key=key).first() if key else None


def widens(old: list, new: list) -> bool:
    """Whether a list that narrows lets all in that it let in before; an empty one narrows nothing."""
    return not new or (bool(old) and set(new) >= set(old))


def swap(row: Model, rows: QuerySet, *, up: bool) -> Model | None:
    """Let a row and the one before or after it change places; return that one, if there is any."""
    before, after = rows.filter(place__lt=row.place), rows.filter(place__gt=row.place)
    other = before.order_by("-place").first() if up else after.order_by("place").first()
    if other is not None:
        row.place, other.place = other.place, row.place
        row.save(update_fields=["place"])
        other.save(update_fields=["place"])
    return other


def close_ranks(rows: QuerySet) -> None:
    """Number the places of rows from 0, as they stand."""
    for place, row in enumerate(rows.order_by("place")):
        if row.place != place:
            row.place = place
            row.save(update_fields=["place"])


def next_place(rows: QuerySet) -> int:
    last = rows.order_by("-place").values_list("place", flat=True).first()
    return 0 if last is None else last + 1
