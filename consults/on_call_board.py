"""Who is on call for what: handles of those who show theirs, numbers of the others, and no number that tells of one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import (
    BooleanField,
    Count,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    TimeField,
    Value,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, NullIf

from accounts.models import Kind, Member, NoticeChoice, Specialty, User, Way
from consults.models import Duty
from consults.models.on_call import LONGEST_SHIFT

FEWEST_COUNTED = 3  # colleagues who do not show themselves are not counted below it
MOST_HANDLES = 8  # named in one specialty
AHEAD = timedelta(hours=24)
LONGEST_STRETCH = LONGEST_SHIFT + timedelta(hours=1)  # of a weekly shift in the night when clocks go back


@dataclass(frozen=True)
class Crowd:
    """How many are on call for a specialty, besides the reader."""

    handles: tuple[str, ...] = ()  # of those who show themselves
    hidden: int = 0
    is_self: bool = False

    @property
    def figure(self) -> str:
        """The number, unless it would tell of a single colleague who does not show themselves."""
        if 0 < self.hidden < FEWEST_COUNTED:
            return f"{len(self.handles)}+" if self.handles else f"Fewer than {FEWEST_COUNTED}"
        return str(len(self.handles) + self.hidden)

    @property
    def others(self) -> str:
        """Those without a handle, in words."""
        if not self.hidden:
            return ""
        number = self.hidden if self.hidden >= FEWEST_COUNTED else f"fewer than {FEWEST_COUNTED}"
        return f"{number} more" if self.handles else f"{number} colleagues"

    @property
    def words(self) -> str:
        """The number as it stands in a sentence."""
        named = len(self.handles)
        if 0 < self.hidden < FEWEST_COUNTED:
            return f"{named + 1} or {named + FEWEST_COUNTED - 1} colleagues" if named else self.others
        number = named + self.hidden
        return f"{number} colleague{'' if number == 1 else 's'}" if number else "nobody"

    @property
    def shown(self) -> tuple[str, ...]:
        return self.handles[:MOST_HANDLES]

    @property
    def unnamed(self) -> int:
        """Who show themselves and are not named here for want of room."""
        return len(self.handles) - len(self.shown)

    def __bool__(self):
        return bool(self.handles or self.hidden)


@dataclass(frozen=True)
class Place:
    """One specialty on the board."""

    specialty: str
    name: str
    now: Crowd
    ahead: Crowd
    is_own: bool = False


def board(user: User, *, now: datetime) -> list[Place]:
    """Specialties for which somebody is on call in the next 24 hours, and one's own, which comes first. One query."""
    member = user.as_member
    found = {place.specialty: place for place in _places(user, now=now)}
    own = member.specialty if member else None
    if own and own.pk not in found:
        found[own.pk] = Place(own.pk, own.name, Crowd(), Crowd(), is_own=True)
    return sorted(found.values(), key=lambda place: (not place.is_own, not place.now, place.name))


def on_call_for(user: User, specialties: list[Specialty], *, now: datetime) -> dict[Specialty, Crowd]:
    """Who is on call now for some specialties. One query."""
    codes = [specialty.pk for specialty in specialties]
    found = {place.specialty: place.now for place in _places(user, now=now, specialties=codes)}
    return {specialty: found.get(specialty.pk, Crowd()) for specialty in specialties}


def named_to(user: User) -> QuerySet[Member]:
    """Members who may be named to a reader, by handle, as on call for their specialty.

    They agreed to it, their handle shows that specialty anyway, and the reader may meet them.
    """
    met = Member.objects.visible_to(user).filter(on_call_wishes__shows_handle=True)
    return met.alias(of_face=of_face()).filter(of_face=F("specialty__name"))


def of_face(path: str = "") -> Coalesce:
    """The specialty, or group of specialties, that the handle of the member at a path shows."""
    return Coalesce(
        NullIf(KeyTextTransform("specialty", f"{path}face"), Value("")),
        F(f"{path}specialty__group"),
        output_field=TextField(),
    )


def _places(user: User, *, now: datetime, specialties: list[str] | None = None) -> list[Place]:
    """Handles are of those whom `named_to` leaves.

    Who is in their quiet hours is not on call now, and who switched pages off is not at all.
    """
    member = user.as_member
    latest = now + AHEAD + LONGEST_STRETCH  # no stretch is longer, which bounds how far an index is read
    rows = Duty.objects.filter(ends_at__gt=now, ends_at__lte=latest, starts_at__lt=now + AHEAD)
    rows = rows.filter(member__standing=Member.Standing.PHYSICIAN, member__user__is_active=True)
    rows = rows.exclude(
        Exists(NoticeChoice.objects.filter(member=OuterRef("member"), kind=Kind.ON_CALL, way=Way.OFF))
    )
    if specialties is not None:
        rows = rows.filter(specialty__in=specialties)
    named = named_to(user).filter(pk=OuterRef("member"), specialty=OuterRef("specialty"))
    own = ExpressionWrapper(Q(member=member), BooleanField()) if member else Value(False)
    rows = rows.alias(is_self=own, is_named=Exists(named))
    rows = rows.alias(clock=_wall_clock("member__notice_settings__time_zone", now))
    running, other = Q(starts_at__lte=now) & ~_quiet("member__notice_settings"), Q(is_self=False)
    rows = rows.values("specialty", "specialty__name").annotate(
        now_handles=_handles(other & running & Q(is_named=True)),
        now_all=Count("member", distinct=True, filter=other & running),
        now_self=Count("member", filter=running & Q(is_self=True)),
        handles=_handles(other & Q(is_named=True)),
        all=Count("member", distinct=True, filter=other),
        any_self=Count("member", filter=Q(is_self=True)),
    )
    return [
        Place(
            row["specialty"],
            row["specialty__name"],
            _crowd(row["now_handles"], row["now_all"], row["now_self"]),
            _crowd(row["handles"], row["all"], row["any_self"]),
            is_own=bool(member) and row["specialty"] == member.specialty_id,
        )
        for row in rows.order_by("specialty__name")
    ]


def _wall_clock(zone: str, now: datetime) -> Func:
    """The time of day at a moment by the clock of a zone; NULL where none is known."""
    local = Func(F(zone), Value(now), function="timezone", output_field=DateTimeField())
    return Cast(local, TimeField())


def _quiet(settings: str) -> Q:
    """Whether `clock` stands in the quiet hours at a path; see `NoticeSettings.after_quiet_hours`."""
    begin, end = F(f"{settings}__quiet_from"), F(f"{settings}__quiet_to")
    is_set = Q(**{f"{settings}__quiet_from__isnull": False})
    by_day = Q(**{f"{settings}__quiet_from__lt": end}) & Q(clock__gte=begin, clock__lt=end)
    by_night = Q(**{f"{settings}__quiet_from__gt": end}) & (Q(clock__gte=begin) | Q(clock__lt=end))
    return is_set & (by_day | by_night)


def _handles(which: Q) -> ArrayAgg:
    return ArrayAgg("member__handle", distinct=True, filter=which, default=Value([]))


def _crowd(handles: list[str], everybody: int, own: int) -> Crowd:
    return Crowd(tuple(handles), everybody - len(handles), bool(own))
