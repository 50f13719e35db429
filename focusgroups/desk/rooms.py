"""The desk of focus groups: the list of rooms, a new one, and the door to every page of one."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from accounts.admin import ReadOnlyAdmin
from accounts.doors import recently_authenticated
from focusgroups.desk import base
from focusgroups.desk.forms import RoomForm
from focusgroups.models import Participant, Room, Section
from focusgroups.services import planning
from sermo.paging import page
from sermo.uploads import limited

SIZE = 50  # rooms on a page
OVER = Q(closed_at__isnull=False) | Q(canceled_at__isnull=False)
LISTS = {  # which rooms, by the name in the address
    "": ("Current", ~OVER),
    "drafts": ("Drafts", Q(published_at=None) & ~OVER),
    "over": ("Closed", OVER),
    "all": ("All", Q()),
}


@admin.register(Room)
class RoomAdmin(ReadOnlyAdmin):
    """Rooms as those who run them see them. Nothing here is a row's form: every page is a step of running a room."""

    def has_add_permission(self, request):
        return request.user.has_perm("focusgroups.add_room")

    def get_queryset(self, request):
        return Room.objects.run_by(request.user)

    def get_urls(self):
        view = self.admin_site.admin_view
        own = [
            path("", view(self.changelist_view), name="focusgroups_room_changelist"),
            path("add/", view(self.add_view), name="focusgroups_room_add"),
        ]
        for one in base.PAGES:
            is_first = one.name == "overview"
            name = "change" if is_first else one.name.replace("-", "_")
            below = "<int:pk>/" if is_first else f"<int:pk>/{one.name}/"
            routes = [base.Route("", name, one.view), *one.routes]
            own += [
                path(
                    f"{below}{route.address}",
                    limited(view(self._door(one, route)), route.largest)
                    if route.largest
                    else view(self._door(one, route)),
                    name=f"focusgroups_room_{route.name}",
                )
                for route in routes
            ]
        return own

    def _door(self, one: base.Page, route: base.Route):
        """Rooms that others run, and pages that are not open, are not found; only then is it asked who it is."""

        def door(request, pk, **named):
            room = get_object_or_404(self.get_queryset(request), pk=pk)
            if not one.is_open(room):
                raise Http404

            def view(request, **named):
                return route.view(request, room, **named)

            return (recently_authenticated(view) if route.is_guarded else view)(request, **named)

        door.is_polled = getattr(route.view, "is_polled", False)
        return door

    def changelist_view(self, request, extra_context=None):
        if not self.has_view_permission(request):
            raise PermissionDenied
        chosen = request.GET.get("list", "")
        label, which = LISTS.get(chosen, LISTS[""])
        rooms = with_figures(self.get_queryset(request).filter(which))
        found = page(rooms, order=("-pk",), after=request.GET.get("after"), size=SIZE)
        address = reverse("admin:focusgroups_room_changelist")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Focus groups",
            "rows": [line(room) for room in found],
            "more": f"?list={chosen}&after={found.next}" if found.next else "",
            "lists": [
                {
                    "label": words,
                    "address": f"{address}?list={name}" if name else address,
                    "is_current": words == label,
                }
                for name, (words, _) in LISTS.items()
            ],
            "shows_current": which is LISTS[""][1],
            "may_add": self.has_add_permission(request),
        }
        return TemplateResponse(request, "admin/focusgroups/list.html", context)

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = RoomForm(request.POST or None)
        if form.is_bound and form.is_valid():
            is_done, room = base.tried(
                form, lambda: planning.create(by=request.user, title=form.cleaned_data["title"])
            )
            if is_done:
                return HttpResponseRedirect(base.address(room, "overview"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "New focus group",
            "form": form,
        }
        return TemplateResponse(request, "admin/focusgroups/new.html", context, status=base.status_of(form))


def with_figures(rooms: QuerySet[Room]) -> QuerySet[Room]:
    """Rooms with what their line in the list says: seats taken, and how far a draft has come."""
    taken = Participant.objects.filter(room=OuterRef("pk"), left_at=None).order_by().values("room")
    sections = Section.objects.filter(room=OuterRef("pk")).order_by().values("room")
    return rooms.annotate(
        taken=_number(taken), section_count=_number(sections), open_count=_number(sections.released())
    )


def _number(rows: QuerySet) -> Coalesce:
    counted = rows.annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def line(room: Room) -> dict:
    """A room as the list shows it."""
    return {
        "room": room,
        "address": base.address(room, "overview"),
        "tone": base.TONES.get(room.state, ""),
        "next": next_of(room),
    }


def next_of(room: Room) -> str:
    """What a room waits for, in a few words."""
    state = room.state
    if state == Room.State.DRAFT:
        if room.starts_at is None:
            return "Say when it runs"
        return "Check and publish" if room.section_count else "Write the guide"
    if state == Room.State.RECRUITING:
        free = room.seats - room.taken
        return f"Fill {free} free seat{'s' if free > 1 else ''}" if free > 0 else "It begins by itself"
    if state == Room.State.RUNNING:
        if room.is_over:
            return "It is being closed"
        days = (room.in_its_zone(timezone.now()).date() - room.in_its_zone(room.starts_at).date()).days + 1
        return f"Day {days}: {room.open_count} of {room.section_count} sections open"
    return "Look at the outcome" if state == Room.State.CLOSED else ""
