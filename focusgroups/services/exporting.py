"""Files that leave a room: once it is over, with a reason, logged, and known by their words and marks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC

from django.db import transaction
from django.db.models import F, QuerySet, Value

from accounts.models import User
from focusgroups import tables, unnamed
from focusgroups.models import Room, RoomExport
from focusgroups.services import holding
from focusgroups.unnamed import Unnamed
from sermo import marks
from sermo.csv_cells import BYTE_ORDER_MARK, harmless, line_of
from sermo.errors import RuleBroken
from sermo.marks import Mark
from verification.models import Event
from verification.services import events

Kind = RoomExport.Kind
PURPOSE = "focusgroups.copy"
SPONSOR, MODERATORS = "sponsor", "moderators"  # versions, as the audit trail has them
ENDED = (".", "!", "?", "…")  # sentences


class StillOpen(RuleBroken):
    message = "Participants may take back what they said until the focus group closes. Files are made then."


class CalledOff(RuleBroken):
    message = "This focus group was called off. Nothing of it leaves it."


class NothingSaid(RuleBroken):
    message = "There is nothing in it."


class NotPromised(RuleBroken):
    message = (
        "Participants were told that the sponsor reads no word of theirs. Make the quotes, or the version for "
        "moderators."
    )


class ForModerators(RuleBroken):
    message = "Figures of each participant are for moderators alone."


@dataclass(frozen=True)
class File:
    """An export, its text, and what it is called."""

    export: RoomExport
    for_sponsor: bool
    text: str
    name: str
    content_type: str


def export(*, room: Room, by: User, kind: Kind | str, reason: str, for_sponsor: bool = False) -> File:
    """Make a file of a room that is over: for its moderators, or for its sponsor without what is private.

    Names that were typed into it are left out. Leaves a RoomExport and an event. Raises holding.NotYours and Unfit,
    StillOpen, CalledOff, NotPromised, ForModerators, NothingSaid.
    """
    kind = Kind(kind)
    has_words = kind != Kind.FIGURES and room.closed_at is not None
    # Slow, so before the trail is locked for everybody; what is hidden meanwhile is not in the file all the same.
    names = unnamed.all_of(room) if has_words else None
    return _export(room, by, kind, reason, for_sponsor, names)


@transaction.atomic
def _export(room: Room, by: User, kind: Kind, reason: str, for_sponsor: bool, names: Unnamed | None) -> File:
    room = holding.hold(room, by, even_over=True)
    if room.canceled_at:
        raise CalledOff
    if room.closed_at is None:
        raise StillOpen
    if for_sponsor and kind == Kind.FIGURES:
        raise ForModerators
    if for_sponsor and kind != Kind.QUOTES and room.watching != Room.Watching.WORDS:
        raise NotPromised
    reason = holding.text("reason", " ".join(reason.split()), 300, "Say what the file is for.")
    made = RoomExport.objects.create(
        room=room,
        kind=kind,
        mark=marks.new_phrase(_is_unfit),
        reason=reason,
        rows=0,
        by=by,
    )
    text = (_transcript if kind == Kind.TRANSCRIPT else _table)(made, for_sponsor, names)
    made.save(update_fields=["rows"])
    version = SPONSOR if for_sponsor else MODERATORS
    events.record(
        kind="room_export", by=by, object=f"room:{room.pk}", evidence=[kind.label, version, made.mark]
    )
    suffix, content_type = ("txt", "text/plain") if kind == Kind.TRANSCRIPT else ("csv", "text/csv")
    return File(
        made,
        for_sponsor,
        text,
        f"group-{room.pk}-{kind}-{version}.{suffix}",
        f"{content_type}; charset=utf-8",
    )


def _is_unfit(phrase: str) -> bool:
    most = RoomExport._meta.get_field("mark").max_length
    return len(phrase) > most or RoomExport.objects.filter(mark=phrase).exists()


def for_sponsors(rooms: Iterable[int]) -> set[str]:
    """The words of those files of some rooms that were made for the sponsor, from the audit trail. One query."""
    objects = [f"room:{number}" for number in set(rooms)]
    rows = Event.objects.filter(kind="room_export", object__in=objects).values_list("evidence", flat=True)
    return {mark for _, version, mark in rows if version == SPONSOR}


# The text of a file


def _transcript(made: RoomExport, for_sponsor: bool, names: Unnamed | None) -> str:
    lines, made.rows = tables.transcript(
        made.room, for_sponsor=for_sponsor, mark=copy_mark(made), names=names
    )
    if not made.rows:
        raise NothingSaid
    head = [made.room.title, "", _watermark(made, for_sponsor)]
    return BYTE_ORDER_MARK + "\n".join([*head, *lines, "", f"End of the export: {made.mark}", ""])


def _table(made: RoomExport, for_sponsor: bool, names: Unnamed | None) -> str:
    """Each row with the mark of its copy; the watermark above them, and its words once more below."""
    table = _table_of(made, for_sponsor, names)
    if not table.rows:
        raise NothingSaid
    made.rows, mark = len(table.rows), copy_mark(made)
    lines = [
        (_watermark(made, for_sponsor),),
        (*table.head, "Copy"),
        *((*row, mark) for row in table.rows),
        ("End of the export", "", made.mark),
    ]
    return BYTE_ORDER_MARK + "".join(line_of(harmless(str(cell)) for cell in line) for line in lines)


def _table_of(made: RoomExport, for_sponsor: bool, names: Unnamed | None) -> tables.Table:
    if made.kind == Kind.FIGURES:
        return tables.participants(made.room)
    table = tables.answers if made.kind == Kind.ANSWERS else tables.quotes
    return table(made.room, for_sponsor=for_sponsor, names=names)


def _watermark(made: RoomExport, for_sponsor: bool) -> str:
    day, reason = made.at.astimezone(UTC).date(), made.reason
    whose = "For the sponsor" if for_sponsor else "For moderators alone"
    return (
        f"{Kind(made.kind).label} of “{made.room.title}”. {whose}, made on {day}, copy {copy_mark(made)}, known by "
        f"the words “{made.mark}”. {reason}{'' if reason.endswith(ENDED) else '.'} Participants stand by an alias "
        f"of this group alone; a cell of fewer than five is not named. Nothing of it may be used to find out who "
        f"they are."
    )


# Where a copy is from


def copy_mark(made: RoomExport) -> str:
    """What stands in each row of a file, such as HOW-12-7F21."""
    return str(Mark(marks.letters_of(made.room.title), made.pk, marks.digits_of(str(made.pk), PURPOSE)))


def trace(text: str) -> QuerySet[RoomExport]:
    """The files that the words or the marks in a text lead to, newest first."""
    text = text.replace("\x00", "")
    marked = [
        mark.number
        for mark in marks.written_in(text)
        if marks.digits_of(str(mark.number), PURPOSE) == mark.digits
    ]
    named = RoomExport.objects.alias(text=Value(marks.spaced(text))).filter(text__icontains=F("mark"))
    found = {*marked, *named.values_list("pk", flat=True)}
    return RoomExport.objects.filter(pk__in=found).select_related("room", "by").order_by("-pk")
