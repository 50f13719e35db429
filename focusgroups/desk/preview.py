"""A room as participants will find it. Nothing of it can be sent."""

from dataclasses import replace

from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone

from focusgroups import reading
from focusgroups.desk import base


def preview(request, room):
    """The first section; without any there is nothing to see yet."""
    first = room.sections.order_by("place").first()
    if first is None:
        return base.show(request, room, "preview", "preview_empty.html", title="Preview")
    return _section(request, room, first)


def preview_section(request, room, place):
    return _section(request, room, get_object_or_404(room.sections, place=place))


def _section(request, room, section):
    """In the dress of the site, on the clock of the room, under a strip that leads back to the desk."""
    made = reading.preview_page(
        room, section, address=lambda one: base.address(room, "preview_section", one.place)
    )
    for one in made.asked:
        one.stimuli = [
            replace(picture, url=base.address(room, "stimulus", row["key"]))
            for picture, row in zip(one.stimuli, one.prompt.stimulus_rows, strict=True)
        ]
    context = {
        "page": made,
        "room": room,
        "below": "focusgroups/section.html",
        "desk_address": base.address(room, "overview"),
        "guide_address": f"{base.address(room, 'guide')}#section-{section.pk}",
    }
    with timezone.override(room.zone):
        return TemplateResponse(request, "admin/focusgroups/preview.html", context).render()


base.add_page(
    base.Page(
        "preview",
        "Preview",
        500,
        preview,
        routes=(base.Route("<int:place>/", "preview_section", preview_section),),
    )
)
