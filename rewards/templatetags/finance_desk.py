"""What the front page of the finance desk shows above its lists."""

from django import template

from rewards.desk import figures
from rewards.words import dollars

register = template.Library()
register.filter("dollars", dollars)


@register.inclusion_tag("admin/rewards/_waiting.html", takes_context=True)
def what_waits(context):
    """For who approves payouts; others of the staff with some list here see none of it."""
    if not context["request"].user.has_perm("rewards.approve_payout"):
        return {}
    return {"waiting": figures.waiting(), "standing": figures.standing()}
