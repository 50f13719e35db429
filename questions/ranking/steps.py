"""What each tier takes, for one member."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q

from accounts import faces
from accounts.models import Member
from questions.models import MemberRank, TierBar
from questions.ranking.daily import EVENTS_FOR_CONTRIBUTOR

Tier = MemberRank.Tier


@dataclass(frozen=True)
class Step:
    """A tier, the points that lifted a member into it at the last draw, and how many of them are lacking.

    Without points the tier was out of everybody's reach.
    """

    tier: str
    points: Decimal | None
    lacks: Decimal = Decimal(0)
    among: str = ""  # the specialty whose first three these points are, where that is the shorter way


@dataclass(frozen=True)
class Standing:
    """A member's way through the tiers, as of 00:00 UTC of a day."""

    steps: list[Step]
    events_lacking: int
    active: int
    drawn_on: date | None


def standing_of(member: Member, rank: MemberRank) -> Standing:
    """One query. The member's specialty must be loaded."""
    shown = faces.shown_to_physicians(member).specialty
    mine = Q(specialty__is_choice=True, specialty__name=shown)
    bars = TierBar.objects.filter(Q(specialty=None) | mine).select_related("specialty")
    of_all, of_specialty = None, None
    for bar in bars:
        of_all, of_specialty = (of_all, bar) if bar.specialty_id else (bar, of_specialty)
    return Standing(
        steps=_steps(rank, of_all, of_specialty),
        events_lacking=max(0, EVENTS_FOR_CONTRIBUTOR - rank.events),
        active=of_all.active if of_all else 0,
        drawn_on=of_all.drawn_on if of_all else None,
    )


def _steps(rank: MemberRank, of_all: TierBar | None, of_specialty: TierBar | None) -> list[Step]:
    if of_all is None:
        return []
    top, among = of_all.top, ""
    if of_specialty and (top is None or of_specialty.top < top):
        top, among = of_specialty.top, of_specialty.specialty.name
    wanted = ((Tier.TRUSTED, of_all.trusted, ""), (Tier.EXPERT, of_all.expert, ""), (Tier.TOP, top, among))
    return [
        Step(tier.label, points, max(Decimal(0), (points or 0) - rank.points), among)
        for tier, points, among in wanted
    ]
