"""What participants of a focus group are told of those who watch it."""

from django import template

register = template.Library()


@register.inclusion_tag("watchers/_group_readers.html")
def group_readers(room):
    """On which days people of the sponsor read in a room, for its participants. One query."""
    from observers import groups

    return {"room": room, "reader": groups.readers_of(room)}
