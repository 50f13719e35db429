"""What stands between the reader and the member of a page."""

from django import template

from accounts.models import Member
from accounts.services import ties

register = template.Library()


@register.simple_tag(takes_context=True)
def tie_to(context, member: Member) -> ties.Tie | None:
    """The reader's tie to a member; None on one's own page and for staff without a membership."""
    reader = context["request"].user.as_member
    return ties.between(reader, member) if reader and reader.pk != member.pk else None


@register.simple_tag
def follower_count(member: Member) -> int:
    return ties.follower_count(member)
