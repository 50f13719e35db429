"""Who may watch, on pages that everybody sees."""

from django import template
from django.conf import settings

from observers import watching

register = template.Library()

MOST = 8  # firms on the landing page


@register.simple_tag
def blocks_of(firm):
    """How many shut a firm out, as far as it may know."""
    return watching.block_rate(firm)


@register.inclusion_tag("watchers/_landing.html")
def who_may_watch():
    """The firms under contract, and that none of them is ahead of members."""
    watchers = watching.directory()
    return {
        "watchers": watchers[:MOST],
        "total": len(watchers),
        "delay": settings.OBSERVER_DELAY_MINUTES,
        "least": settings.OBSERVER_LEAST,
    }
