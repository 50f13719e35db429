"""Keeps count of identifiers that authors let stand, never of the words."""

from dataclasses import dataclass, field

from accounts.models import IdentifierDecision, Member


@dataclass
class Kept:
    """What stands in a text although the check found it: how many of each kind, and why."""

    stops: dict[str, int] = field(default_factory=dict)
    doubts: dict[str, int] = field(default_factory=dict)
    why: str = ""


def record(*, member: Member, place: str, kept: Kept) -> IdentifierDecision | None:
    """Note one decision; none where nothing was kept."""
    if not kept.stops and not kept.doubts:
        return None
    return IdentifierDecision.objects.create(
        member=member, place=place, stops=kept.stops, doubts=kept.doubts, why=kept.why if kept.stops else ""
    )
