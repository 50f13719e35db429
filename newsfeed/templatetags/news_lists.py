"""Cards of news lists: their icons, drawn once on a page and referred to by each, and what they say of an article."""

import re
from datetime import timedelta
from functools import cache

from django import template
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from newsfeed.models import Article
from newsfeed.rows import ICONS, Shown
from sermo.templatetags.sermo import day, icon_shapes, moment

register = template.Library()


@register.simple_tag
@cache
def news_icons() -> SafeString:
    """The drawings that cards and their buttons refer to, as symbols of a sheet."""
    return format_html_join(
        "",
        '<symbol id="i-{}" viewBox="0 0 24 24">{}</symbol>',
        ((name, icon_shapes(name)) for name in ("bookmark", "message-square", *ICONS.values())),
    )


@register.filter
def tells_kind(row: Shown) -> bool:
    """Whether a card has a badge: not where the title begins with the same word ("Correction: ...")."""
    return bool(row.badge) and not re.match(rf"{re.escape(row.badge)}\b(?!-)", row.title, re.IGNORECASE)


@register.filter
def when(row: Shown) -> SafeString:
    """The day it came; of a safety alert, and of what came within a day, nearer."""
    is_near = row.kind == Article.Kind.ALERT or timezone.now() - row.shown_at < timedelta(days=1)
    return (moment if is_near else day)(row.shown_at)
