"""How a byline reads on a page."""

from dataclasses import dataclass, field

from accounts import faces
from accounts.models import Face, Member
from accounts.pictures import picture_url
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
    picture: str = ""  # where the tile's picture lies; without one, two letters stand there


def signature(mode: str, member: Member) -> Signature:
    """Sign for a member (with specialty and rank loaded) in one of the modes of a byline.

    Only beside the real name stands the specialty as verified; elsewhere as the small-cell guard lets it be shown.
    """
    if member.user_id is None:
        return Signature("former member", is_verified=False)
    if mode == Byline.Mode.PUBLIC:
        url = member.physician_url if member.may_read else ""
        specialty = member.specialty.name if member.specialty else ""
        return Signature(
            member.display_name,
            url,
            specialty,
            is_verified=member.may_read,
            picture=picture_url(member, Face.NAME),
        )
    shown = faces.shown_to_physicians(member)
    if mode == Byline.Mode.MASKED:
        return Signature("a colleague", specialty=shown.specialty, is_verified=member.may_read)
    rank = getattr(member, "rank", None)
    return Signature(
        member.handle,
        member.get_absolute_url() if member.may_read else "",
        shown.specialty,
        tier=rank.get_tier_display() if rank and rank.tier != rank.Tier.NEW else "",
        details=shown.byline_details if mode == Byline.Mode.PARTIAL else [],
        is_verified=member.may_read,
        picture=picture_url(member, Face.HANDLE),
    )
