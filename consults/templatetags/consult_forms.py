"""What the pages of a case in writing draw from its forms."""

from django import template

register = template.Library()


@register.filter
def drawn(rows) -> list[dict]:
    """The boxes of a formset as the page first shows them, in thousandths: what was typed, else what is kept."""
    return [box for row in rows if (box := _box(row))]


def _box(row) -> dict | None:
    if row.is_bound and row.errors and hasattr(row, "last"):
        box = row.box()
        return box and {name: getattr(box, name) for name in row.SIDES}
    try:
        sides = {name: round(float(row[name].value()) * 10) for name in row.SIDES}
    except (TypeError, ValueError):
        return None
    return None if getattr(row, "is_gone", row["gone"].value()) else sides
