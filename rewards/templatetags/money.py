"""Amounts, and what the site says of its own paying."""

from django import template

from rewards import figures, words

register = template.Library()
register.filter("dollars", words.dollars)
register.filter("whole", words.whole)


@register.inclusion_tag("rewards/_counter.html")
def paid_counter():
    """What was paid last month, the same for every visitor and drawn every ten minutes; nothing while it is nothing."""
    return {"paid": figures.last_month()}
