"""Asking members into a room: whom its rule reaches, drawn fairly, and within what each lets themselves be told."""

import re
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Lower, Random
from django.utils import timezone

from accounts.models import Kind, Member, NoticeChoice, User, Way
from focusgroups.models import Candidate, Cell, Room
from focusgroups.services import telling
from focusgroups.services.holding import NotPublished, hold, note
from focusgroups.services.locking import free_members
from focusgroups.signals import seats_sought
from focusgroups.smallness import LEAST
from questions.models import MemberRank
from sermo.errors import RuleBroken

MOST_AT_ONCE = 500
LATELY = timedelta(days=30)
BETWEEN = re.compile(r"[\s,;]+")


class NobodyLeft(RuleBroken):
    message = "The rule reaches nobody who was not asked yet. Widen it, or ask by handle."


class BadNumber(RuleBroken):
    message = f"Ask 1 to {MOST_AT_ONCE} members at a time."


class TooFewNamed(RuleBroken):
    message = f"Name at least {LEAST} members at a time, so that nobody can be told by when they join."


class CannotBeAsked(RuleBroken):
    """Says neither who nor why: that somebody was asked, shut invitations off or has a conflict is theirs to know."""

    message = (
        "At least one of these cannot be asked into this group, or was asked before. Nobody was asked. Look whether "
        "all handles are spelled right."
    )


# Whom


def reach(room: Room) -> QuerySet[Member]:
    """The members whom a room's rule reaches and who can be asked now: for whom there is a cell, too."""
    members = askable(room).filter(_one_of_cells(room))
    if room.specialties:
        members = members.filter(specialty__in=room.specialties)
    if room.states:
        members = members.filter(state__in=room.states)
    if room.years_bands:
        members = members.filter(years_band__in=room.years_bands)
    if not room.tiers:
        return members
    of_tier = Q(rank__tier__in=room.tiers)
    if MemberRank.Tier.NEW in room.tiers:
        of_tier |= Q(rank=None)
    return members.filter(of_tier)


def askable(room: Room) -> QuerySet[Member]:
    """Physicians who may write, want to hear of focus groups, were not asked before and do not run the room.

    Asks by seats_sought who else may not be asked.
    """
    members = Member.objects.filter(standing=Member.Standing.PHYSICIAN, user__is_active=True)
    off = NoticeChoice.objects.filter(kind=Kind.GROUP, way=Way.OFF)
    asked = Candidate.objects.filter(room=room, member__isnull=False)
    members = (
        members.exclude(pk__in=off.values("member"))
        .exclude(pk__in=asked.values("member"))
        .exclude(user__in=room.moderators.values("user"))
    )
    for some in _shut_out(room, members):
        members = members.exclude(pk__in=some)
    return members


def shut_out(room: Room, members: QuerySet[Member]) -> set[int]:
    """Those of some members who may have no seat of a room, as things are now."""
    return {
        pk
        for some in _shut_out(room, members)
        for pk in members.filter(pk__in=some).values_list("pk", flat=True)
    }


def is_shut_out(room: Room, member_id: int) -> bool:
    return bool(shut_out(room, Member.objects.filter(pk=member_id)))


def _shut_out(room: Room, members: QuerySet[Member]) -> list:
    answers = seats_sought.send(sender=Room, room=room, members=members)
    return [answer for _, answer in answers if answer is not None]


def _one_of_cells(room: Room) -> Q:
    """Those for whom some cell is; the same rule as `Cell.is_for`."""
    found = Q(pk__in=[])
    for cell in room.cells.all():
        if not (fits := _fits(cell)):
            return Q()
        found |= fits
    return found


def _fits(cell: Cell) -> Q:
    fits = Q()
    if cell.specialties:
        fits &= Q(specialty__in=cell.specialties)
    if cell.years_bands:
        fits &= Q(years_band__in=cell.years_bands)
    return fits


def reached(room: Room, cells: Iterable[Cell]) -> tuple[int, list[int]]:
    """How many the rule reaches, in all and for each of some cells. One query and those of `reach`."""
    counts = [Count("pk", filter=_fits(cell) or Q(pk__isnull=False)) for cell in cells]
    found = reach(room).aggregate(Count("pk"), **{f"cell_{place}": each for place, each in enumerate(counts)})
    return found.pop("pk__count"), list(found.values())


# Asking


@transaction.atomic
def invite(*, room: Room, by: User, number: int) -> list[Candidate]:
    """Ask so many of those the rule reaches, or as many as there are.

    Drawn by lot among those asked least often in the last 30 days. Raises holding.NotYours, holding.Over,
    holding.NotPublished, BadNumber, NobodyLeft.
    """
    room = _hold(room, by)
    if not 1 <= number <= MOST_AT_ONCE:
        raise BadNumber
    lately = Candidate.objects.filter(member=OuterRef("pk"), invited_at__gt=timezone.now() - LATELY)
    lately = lately.order_by().values("member").annotate(number=Count("pk")).values("number")
    drawn = reach(room).annotate(lately=Coalesce(Subquery(lately), 0)).order_by("lately", Random())
    made = _ask(room, drawn.values_list("pk", flat=True)[:number])
    if not made:
        raise NobodyLeft
    note("invite", room, by)
    return made


@transaction.atomic
def invite_by_handle(*, room: Room, by: User, handles: Iterable[str]) -> list[Candidate]:
    """Ask members named by handle, whatever the rule says; there must be a cell for them. All of them or nobody, and
    five at least: of fewer a moderator would know who took the next seat.

    Raises holding.NotYours, holding.Over, holding.NotPublished, TooFewNamed, BadNumber, CannotBeAsked.
    """
    room = _hold(room, by)
    named = {handle.lower() for handle in (each.strip().strip("@") for each in handles) if handle}
    if len(named) < LEAST:
        raise TooFewNamed
    if len(named) > MOST_AT_ONCE:
        raise BadNumber
    found = askable(room).filter(_one_of_cells(room)).alias(lowered=Lower("handle"))
    found = dict(found.filter(lowered__in=named).values_list("handle", "pk"))
    if len(found) < len(named):
        raise CannotBeAsked
    made = _ask(room, found.values())
    note("invite", room, by)
    return made


def handles_in(typed: str) -> list[str]:
    """Handles typed with or without @, with spaces, commas or line breaks between them."""
    return [handle for handle in BETWEEN.split(typed) if handle.strip("@")]


def _hold(room: Room, by: User) -> Room:
    room = hold(room, by)
    if room.published_at is None:
        raise NotPublished
    return room


def _ask(room: Room, members: Iterable[int]) -> list[Candidate]:
    """Whoever changes at this very moment (their standing, or they leave) is left out."""
    members = free_members(members)
    now = timezone.now()
    Candidate.objects.bulk_create(
        [Candidate(room=room, member_id=member, invited_at=now) for member in members]
    )
    told = telling.of_invitation(room, members)
    asked = Candidate.objects.filter(room=room, member__in=members)
    asked.filter(member__in=told).update(is_told=True)
    return list(asked.order_by("pk"))
