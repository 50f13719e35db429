"""The saved searches of a firm beside its lists."""

from django import template
from django.urls import reverse

from observers.listing import Filters
from observers.models import FirmSearch

register = template.Library()

MOST = 12


@register.inclusion_tag("observers/searches/_rail.html", takes_context=True)
def saved_searches(context):
    """What the firm follows, and a way to follow what the list shows now. One query."""
    filters = context.get("filters") or Filters()
    rows = [(row, Filters.of(row)) for row in FirmSearch.objects.open_to(context["request"].firm)[:MOST]]
    shown = filters.as_saved
    return {
        "rows": [
            (row, f"{reverse('observers:list')}?{saved.query()}", saved == shown) for row, saved in rows
        ],
        "save_url": f"{reverse('observers:new_search')}?{shown.query()}" if shown.q else "",
    }
