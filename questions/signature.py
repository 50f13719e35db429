"""How a byline reads on a page."""

from dataclasses import dataclass, field

from accounts.models import Member


@dataclass(frozen=True)
class Signature:
    """Name, link and facts of a byline. Tier and handle belong together; a real name leads to neither."""

    name: str
    url: str = ""
    specialty: str = ""
    tier: str = ""
    details: list[str] = field(default_factory=list)


def signature(mode: str, member: Member) -> Signature:
    """Sign for a member (with specialty and rank loaded) in one of the three modes."""
    if member.user_id is None:
        return Signature("former member")
    specialty = member.specialty.name if member.specialty else ""
    if mode == Member.BylineMode.PUBLIC:
        return Signature(member.display_name, member.physician_url, specialty)
    details = []
    if mode == Member.BylineMode.PARTIAL:
        details = [detail for detail in (member.region, member.get_years_band_display()) if detail]
    rank = getattr(member, "rank", None)
    tier = rank.get_tier_display() if rank and rank.tier != rank.Tier.NEW else ""
    return Signature(member.handle, member.get_absolute_url(), specialty, tier, details)
