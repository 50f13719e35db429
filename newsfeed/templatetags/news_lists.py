"""Icons of news lists: drawn once on a page, and referred to by each card."""

from functools import cache

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from newsfeed.rows import ICONS
from sermo.templatetags.sermo import icon_shapes

register = template.Library()


@register.simple_tag
@cache
def news_icons() -> SafeString:
    """The drawings that cards and their buttons refer to, as symbols of a sheet."""
    return format_html_join(
        "",
        '<symbol id="i-{}" viewBox="0 0 24 24">{}</symbol>',
        ((name, icon_shapes(name)) for name in ("bookmark", *ICONS.values())),
    )
