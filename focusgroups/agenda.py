"""The agenda of a room as a participant reads it: what is open, due, complete or to come, when, and what it earned."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from focusgroups.models import Answer, Completion, LiveHour, Participant, Prompt, Room, Section


@dataclass(frozen=True)
class When:
    """A moment on the reader's clock and, where that shows another time, on the room's."""

    moment: datetime
    own: ZoneInfo
    rooms: ZoneInfo

    @property
    def stamp(self) -> str:
        return f"{self.moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"

    @property
    def here(self) -> str:
        return _said(self.moment.astimezone(self.own))

    @property
    def there(self) -> str:
        """Nothing where the two clocks agree, and the time alone where the days do."""
        local, own = self.moment.astimezone(self.rooms), self.moment.astimezone(self.own)
        if local.utcoffset() == own.utcoffset():
            return ""
        return _time(local) if local.date() == own.date() else _said(local)


def _said(local: datetime) -> str:
    return f"{local:%a, %b} {local.day}, {_time(local)}"


def _time(local: datetime) -> str:
    return f"{local.hour % 12 or 12}:{local:%M} {'am' if local.hour < 12 else 'pm'} {local:%Z}"


@dataclass(frozen=True)
class Stop:
    """One section on the way. `cents` is what it earned, or earns once it is complete."""

    section: Section
    number: int
    url: str
    opens: When | None
    due: When | None
    needed: int
    answered: int
    is_complete: bool
    is_final: bool
    cents: int
    is_paid_before: bool = False  # to whoever had the seat before
    is_over: bool = False
    is_released: bool = True

    @property
    def state(self) -> str:
        if self.is_complete:
            return "complete"
        if not self.is_released:
            return "coming"
        if self.is_over:
            return "missed"
        return "overdue" if self.section.is_due else "open"

    @property
    def icon(self) -> str:
        icons = {"complete": "circle-check", "overdue": "triangle-alert", "open": "circle-dot"}
        return icons.get(self.state, "circle-dashed")

    @property
    def words(self) -> str:
        """Its state, without the time that belongs to it."""
        return {
            "complete": "Complete",
            "coming": "Opens",
            "missed": f"Not completed: {self.answered} of {self.needed} answered",
            "overdue": f"Overdue: {self.answered} of {self.needed} answered",
            "open": f"{self.answered} of {self.needed} answered",
        }[self.state]

    @property
    def when(self) -> When | None:
        if self.state == "coming":
            return self.opens
        return None if self.state in ("complete", "missed") else self.due


@dataclass(frozen=True)
class Agenda:
    stops: list[Stop]
    live_hours: list[tuple[LiveHour, When]]

    @property
    def released(self) -> list[Stop]:
        return [stop for stop in self.stops if stop.is_released]

    @cached_property
    def completed(self) -> int:
        return sum(stop.is_complete for stop in self.stops)

    @cached_property
    def accrued(self) -> int:
        return sum(stop.cents for stop in self.stops if stop.is_complete)

    @cached_property
    def final(self) -> int:
        return sum(stop.cents for stop in self.stops if stop.is_final)

    @cached_property
    def possible(self) -> int:
        return sum(stop.cents for stop in self.stops if not stop.is_over or stop.is_complete)

    @property
    def paid_before(self) -> int:
        return sum(stop.is_paid_before for stop in self.stops)

    def current(self) -> Stop | None:
        """The first open section that lacks answers, else the one opened last."""
        lacking = [stop for stop in self.released if not stop.is_complete]
        return next(iter(lacking), None) or (self.released[-1] if self.released else None)

    def stop_of(self, section: Section) -> Stop:
        return next(stop for stop in self.stops if stop.section.pk == section.pk)


def zone_of(name: str | None) -> ZoneInfo | timezone.tzinfo:
    """The clock a member lives by, as they said in their notice settings, else the site's."""
    return ZoneInfo(name) if name else timezone.get_default_timezone()


def agenda_of(participant: Participant, *, zone: ZoneInfo, paid_before: set[int] = frozenset()) -> Agenda:
    """Two queries."""
    own = Answer.objects.filter(
        prompt__section=OuterRef("pk"), participant=participant, withdrawn_at=None
    ).order_by()
    completions = Completion.objects.filter(section=OuterRef("pk"), participant=participant)
    rows = (
        _sections(participant.room)
        .announced()
        .annotate(
            own_required=_number(own.filter(prompt__is_required=True), "prompt__section"),
            own_all=_number(own, "prompt__section"),
            own_cents=Subquery(completions.values("cents")),
            own_final=Subquery(completions.values("final_at")),
        )
    )
    stops = [_stop(number, row, participant.room, zone, paid_before) for number, row in enumerate(rows, 1)]
    return Agenda(stops, _live_hours(participant.room, zone))


def agenda_of_preview(room: Room, *, address: Callable[[Section], str]) -> Agenda:
    """As it will be for who has just begun, with every section open. Two queries."""
    stops = [
        Stop(
            section=row,
            number=number,
            url=address(row),
            opens=_when(row.opens_at, room.zone, room),
            due=_when(row.due_at, room.zone, room),
            needed=row.required or row.all_prompts,
            answered=0,
            is_complete=False,
            is_final=False,
            cents=row.honorarium,
        )
        for number, row in enumerate(_sections(room), 1)
    ]
    return Agenda(stops, _live_hours(room, room.zone))


def _number(rows: QuerySet, by: str) -> Coalesce:
    return Coalesce(Subquery(rows.values(by).annotate(number=Count("pk")).values("number")), 0)


def _sections(room: Room) -> QuerySet[Section]:
    prompts = Prompt.objects.filter(section=OuterRef("pk")).order_by()
    return room.sections.order_by("place").annotate(
        required=_number(prompts.filter(is_required=True), "section"), all_prompts=_number(prompts, "section")
    )


def _stop(number: int, row: Section, room: Room, zone: ZoneInfo, paid_before: set[int]) -> Stop:
    is_complete = row.own_cents is not None
    is_paid_before = row.pk in paid_before
    return Stop(
        section=row,
        number=number,
        url=reverse("focusgroups:section", args=[room.pk, row.place]),
        opens=_when(row.opens_at, zone, room),
        due=_when(row.due_at, zone, room),
        needed=row.required or row.all_prompts,
        answered=row.own_required if row.required else row.own_all,
        is_complete=is_complete,
        is_final=row.own_final is not None,
        cents=row.own_cents if is_complete else (0 if is_paid_before else row.honorarium),
        is_paid_before=is_paid_before,
        is_over=room.is_over,
        is_released=row.is_released,
    )


def _when(moment: datetime | None, zone: ZoneInfo, room: Room) -> When | None:
    return When(moment, zone, room.zone) if moment else None


def _live_hours(room: Room, zone: ZoneInfo) -> list[tuple[LiveHour, When]]:
    return [(one, When(one.starts_at, zone, room.zone)) for one in room.live_hours.all()]
