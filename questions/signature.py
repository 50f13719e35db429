"""How a byline reads on a page."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from django.db.models import F, TextField
from django.db.models.functions import Cast

from accounts import faces
from accounts.models import Face, Member, Specialty
from accounts.pictures import picture_url
from questions.models import Byline, MemberRank


@dataclass(frozen=True)
class Signature:
    """Name, link and facts of a byline. Tier and handle belong together; a real name leads to neither."""

    name: str
    url: str = ""
    specialty: str = ""
    tier: str = ""
    details: tuple[str, ...] = ()
    is_verified: bool = True
    firm: bool = False
    picture: str = ""  # where the tile's picture lies; without one, two letters stand there


class Signer(NamedTuple):
    """All of a member that any byline shows, as one query of rows brings it: see `signer_columns`."""

    mode: str
    user_id: int | None
    handle: str
    standing: str
    byline_mode: str
    display_name: str
    physician_key: str
    face: str  # JSON
    handle_picture: str
    name_picture: str
    specialty: str | None
    group: str | None
    tier: str | None


def signer_columns(mode, member: str) -> list:
    """What `values_list` is to select for a Signer: the mode of the byline, and fields of a member at a path."""
    fields = Signer._fields[1:7]
    return [
        mode,
        *(F(f"{member}__{name}") for name in fields),
        Cast(f"{member}__face", TextField()),
        *(
            F(f"{member}__{name}")
            for name in ("handle_picture", "name_picture", "specialty__name", "specialty__group")
        ),
        F(f"{member}__rank__tier"),
    ]


@lru_cache(4_000)
def signed(signer: Signer) -> Signature:
    """The signature for what a query brought."""
    member = Member(
        user_id=signer.user_id,
        handle=signer.handle,
        standing=signer.standing,
        byline_mode=signer.byline_mode,
        display_name=signer.display_name,
        physician_key=signer.physician_key,
        face=json.loads(signer.face),
        handle_picture=signer.handle_picture,
        name_picture=signer.name_picture,
    )
    member.specialty = Specialty(name=signer.specialty, group=signer.group) if signer.specialty else None
    if signer.tier:
        member.rank = MemberRank(tier=signer.tier)
    return signature(signer.mode, member)


def signature(mode: str, member: Member) -> Signature:
    """Sign for a member (with specialty and rank loaded) in one of the modes of a byline.

    Only beside the real name stands the specialty as verified; elsewhere as the small-cell guard lets it be shown.
    """
    if mode == Byline.Mode.HOUSE:
        return Signature("Sermo", is_verified=False)
    if mode == Byline.Mode.FIRM:
        return Signature(member.display_name, is_verified=False, firm=True)
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
        details=tuple(shown.byline_details) if mode == Byline.Mode.PARTIAL else (),
        is_verified=member.may_read,
        picture=picture_url(member, Face.HANDLE),
    )
