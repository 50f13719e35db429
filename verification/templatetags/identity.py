"""What pages of lower apps may say of an identity: its badge to all members, the rest to its owner alone."""

from django import template

from accounts import handles
from accounts.models import Member
from verification.models import Claim
from verification.services import badge as badges

register = template.Library()


@register.simple_tag
def badge_of(member: Member) -> badges.Badge:
    """What the mark beside a handle stands for, as much as may be told to anybody."""
    return badges.badge_of(member)


@register.simple_tag
def handle_gives_name_away(member: Member) -> bool:
    """Whether the handle holds a part of the name on the license, while posts are not signed with that name anyway."""
    if member.byline_mode == Member.BylineMode.PUBLIC:
        return False
    claim = Claim.objects.filter(user=member.user_id).order_by("-started_at").first()
    return bool(claim) and handles.contains_name(member.handle, claim.typed["first"], claim.typed["last"])
