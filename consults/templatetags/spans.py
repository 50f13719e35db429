"""How long things took, in words."""

from django import template

from consults import words

register = template.Library()


@register.filter
def span(seconds: float | None) -> str:
    return "" if seconds is None else words.span(seconds)


@register.filter
def until(since, moment) -> str:
    """From one moment to another: `opened_at|until:solved_at`."""
    return "" if since is None or moment is None else words.span((moment - since).total_seconds())
