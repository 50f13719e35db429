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
    rows = FirmSearch.objects.open_to(context["request"].firm)
    typed = Filters(q=filters.q, group=filters.group)
    return {
        "rows": [
            (row, f"{reverse('observers:list')}?{_of(row).query()}", _of(row) == typed) for row in rows[:MOST]
        ],
        "save_url": f"{reverse('observers:new_search')}?{typed.query()}" if typed.q else "",
    }


def _of(row: FirmSearch) -> Filters:
    return Filters(q=row.terms, group=row.group)
