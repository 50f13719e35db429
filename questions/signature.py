"""How a byline reads on a page."""

from dataclasses import dataclass, field

from accounts.models import Member
from questions.models import Byline


@dataclass(frozen=True)
class Signature:
    """Name, link and facts of a byline. Tier and handle belong together; a real name leads to neither."""

    name: str
    url: str = ""
    specialty: str = ""
    tier: str = ""
    details: list[str] = field(default_factory=list)
    is_verified: bool = True


def signature(mode: str, member: Member) -> Signature:
    """Sign for a member (with specialty and rank loaded) in one of the modes of a byline."""
    if member.user_id is None:
        return Signature("former member", is_verified=False)
    specialty = member.specialty.name if member.specialty else ""
    if mode == Byline.Mode.MASKED:
        return Signature("a colleague", specialty=specialty, is_verified=member.may_read)
    if mode == Byline.Mode.PUBLIC:
        url = member.physician_url if member.may_read else ""
        return Signature(member.display_name, url, specialty, is_verified=member.may_read)
    details = []
    if mode == Byline.Mode.PARTIAL:
        details = [detail for detail in (member.region, member.get_years_band_display()) if detail]
    rank = getattr(member, "rank", None)
    tier = rank.get_tier_display() if rank and rank.tier != rank.Tier.NEW else ""
    url = member.get_absolute_url() if member.may_read else ""
    return Signature(member.handle, url, specialty, tier, details, is_verified=member.may_read)
