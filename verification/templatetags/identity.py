"""What pages of lower apps may say of an identity to its owner, and to nobody else."""

from django import template

from accounts import handles
from accounts.models import Member
from verification.models import Claim

register = template.Library()


@register.simple_tag
def handle_gives_name_away(member: Member) -> bool:
    """Whether the handle holds a part of the name on the license, while posts are not signed with that name anyway."""
    if member.byline_mode == Member.BylineMode.PUBLIC:
        return False
    claim = Claim.objects.filter(user=member.user_id).order_by("-started_at").first()
    return bool(claim) and handles.contains_name(member.handle, claim.typed["first"], claim.typed["last"])
