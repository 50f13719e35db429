"""Success stories on pages for everybody."""

from django import template

from consults.models import Story
from consults.services import stories

register = template.Library()
SHOWN = 3


@register.inclusion_tag("consults/_stories.html")
def success_stories():
    """The newest stories, the same for every visitor. One query."""
    rows = Story.objects.told().only("key", "title", "html", "checked_at").order_by("-checked_at", "-pk")
    return {"stories": [(story, stories.excerpt_of(story)) for story in rows[:SHOWN]]}
