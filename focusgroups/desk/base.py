"""What all pages of a room's desk share: the gate, the tabs, and how a form or a button becomes a deed of a service.

A page lies below the address of its room and is handed that room by `focusgroups.desk.rooms`, which lets in whoever
runs it and nobody else. Apps above this one add pages (`add_page`), or panels on the overview (`add_panel`), from their
`ready()` or admin module: the addresses are drawn up after both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse

from focusgroups.models import Room
from sermo.errors import RuleBroken

View = Callable[..., HttpResponseBase]  # (request, room, **what its address names)


def always(room: Room) -> bool:
    return True


def is_draft(room: Room) -> bool:
    return room.state == Room.State.DRAFT


def is_published(room: Room) -> bool:
    return room.published_at is not None


@dataclass(frozen=True)
class Route:
    """An address below that of a page. Whoever comes to one that is guarded first confirms that it is still them.

    To one with a `largest` files come, of at most so many bytes each.
    """

    address: str
    name: str
    view: View
    is_guarded: bool = False
    largest: int = 0


@dataclass(frozen=True)
class Page:
    """A page of a room. Those of one `tab` stand side by side under it.

    `name` is its address below the room's, and that of its route: "admin:focusgroups_room_" and the name. A page with a
    `step` is a part of setting a room up: what `focusgroups.readiness` finds missing of that step is put right there.
    """

    name: str
    label: str
    place: int
    view: View
    routes: tuple[Route, ...] = ()
    tab: str = ""  # the label of a tab that several pages share
    is_open: Callable[[Room], bool] = always
    leads: Callable[[Room], bool] = always  # whether it is what the tab opens, if no page before it is
    step: str = ""
    said: Callable[[Room], str] | None = (
        None  # what stands there so far, as the overview of a draft sums it up
    )


@dataclass(frozen=True)
class Panel:
    """A part of the overview. What `draw` returns is HTML, or nothing where there is nothing to say."""

    place: int
    draw: Callable[[HttpRequest, Room], str]


PAGES: list[Page] = []
PANELS: list[Panel] = []


def add_page(page: Page) -> Page:
    if page.name in {each.name for each in PAGES}:
        raise ValueError(f"a room has a page {page.name!r} already")
    PAGES.append(page)
    PAGES.sort(key=lambda each: each.place)
    return page


def add_panel(panel: Panel) -> Panel:
    PANELS.append(panel)
    PANELS.sort(key=lambda each: each.place)
    return panel


def step_page(step: str) -> Page:
    """Where something of a step is put right; what no page is there for, on the basics."""
    return next((page for page in PAGES if page.step == step), None) or page_named("basics")


def page_named(name: str) -> Page | None:
    return next((page for page in PAGES if page.name == name), None)


# Addresses


def address(room: Room, name: str, *args: Any) -> str:
    """Where a page of a room is; `overview` is the room itself."""
    route = "change" if name == "overview" else name.replace("-", "_")
    return reverse(f"admin:focusgroups_room_{route}", args=[room.pk, *args])


def list_address() -> str:
    return reverse("admin:focusgroups_room_changelist")


def address_if_any(room: Room, name: str) -> str:
    """Where a page is that an app may not have brought along, or that is not open."""
    page = page_named(name)
    if page is None or not page.is_open(room):
        return ""
    try:
        return address(room, name)
    except NoReverseMatch:
        return ""


def tabs_of(room: Room, current: Page) -> list[dict]:
    """The tabs of a room: label, address, and whether the page shown is one of theirs."""
    tabs: dict[str, dict] = {}
    for page in PAGES:
        if not page.is_open(room):
            continue
        label = page.tab or page.label
        tab = tabs.setdefault(label, {"label": label, "pages": []})
        tab["pages"].append(page)
    return [
        {
            "label": tab["label"],
            "address": address(room, next((p for p in tab["pages"] if p.leads(room)), tab["pages"][0]).name),
            "is_current": current in tab["pages"],
        }
        for tab in tabs.values()
    ]


def beside(room: Room, current: Page) -> list[dict]:
    """The pages that share a tab with one, itself among them; none where it has the tab to itself."""
    pages = [page for page in PAGES if current.tab and page.tab == current.tab and page.is_open(room)]
    if len(pages) < 2:
        return []
    return [
        {"label": page.label, "address": address(room, page.name), "is_current": page is current}
        for page in pages
    ]


def next_step_after(room: Room, current: Page) -> Page | None:
    """The part of setting a draft up that comes after one."""
    if not current.step or not is_draft(room):
        return None
    return next(
        (page for page in PAGES if page.step and page.place > current.place and page.is_open(room)), None
    )


# Showing


def show(
    request: HttpRequest, room: Room, page: str, template: str, *, title: str = "", status: int = 200, **more
) -> TemplateResponse:
    """A page of a room, within the desk."""
    current = page_named(page)
    following = next_step_after(room, current)
    context = {
        **admin.site.each_context(request),
        "opts": Room._meta,
        "room": room,
        "state_tone": TONES.get(room.state, ""),
        "tabs": tabs_of(room, current),
        "beside": beside(room, current),
        "page": current,
        "page_address": address(room, page),
        "following": {"label": following.label, "address": address(room, following.name)}
        if following
        else None,
        "title": room.title,
        "heading": title,
        **more,
    }
    return TemplateResponse(request, f"admin/focusgroups/{template}", context, status=status)


TONES = {Room.State.RUNNING: "solved", Room.State.RECRUITING: "case", Room.State.CANCELED: "urgent"}


def in_zone(room: Room, moment: datetime | None) -> str:
    """A moment as the clocks of a room's zone show it: "Wed, Nov 18, 2026, 9:00 am EST"."""
    if moment is None:
        return ""
    local = room.in_its_zone(moment)
    half = "am" if local.hour < 12 else "pm"
    clock = f"{local.hour % 12 or 12}:{local:%M} {half} {local:%Z}"
    return f"{local:%a, %b} {local.day}, {local.year}, {clock}"


def day_of(room: Room, moment: datetime | None) -> str:
    """Of what the books of the site tell under another name, the day alone: who leaves is credited in that moment."""
    return f"{room.in_its_zone(moment):%b %-d, %Y}" if moment else ""


# Doing


def done(request: HttpRequest, words: str, to: str) -> HttpResponseRedirect:
    messages.success(request, words)
    return HttpResponseRedirect(to)


def tried(
    form: forms.Form, deed: Callable[[], Any], places: Mapping[type[RuleBroken] | str, str] | None = None
) -> tuple[bool, Any]:
    """Whether a service did what a valid form asks for, and what it returned.

    What it refused stands in the form: beside the field it names itself, or the one that `places` has for the refusal
    or for that name.
    """
    try:
        return True, deed()
    except RuleBroken as refusal:
        places = places or {}
        name = getattr(refusal, "field", None) or next(
            (places[kind] for kind in type(refusal).__mro__ if kind in places), None
        )
        name = places.get(name, name)
        form.add_error(name if name in form.fields else None, str(refusal))
        return False, None


def pressed(
    request: HttpRequest, deed: Callable[[], Any], *, to: str, words: str | Callable[[Any], str] = ""
) -> HttpResponseBase:
    """What a button does that has no form: a GET that strays there leads back."""
    if request.method != "POST":
        return HttpResponseRedirect(to)
    try:
        result = deed()
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(to)
    said = words(result) if callable(words) else words
    if said:
        messages.success(request, said)
    return HttpResponseRedirect(to)


def deleted(
    request: HttpRequest, row: Any, deed: Callable[[Any], Any], *, to: str, words: str = "Deleted."
) -> HttpResponseBase:
    """What a button does that deletes a row of the room; pressed once more, when there is none, it just leads back."""
    if row is None:
        return HttpResponseRedirect(to)
    return pressed(request, lambda: deed(row), to=to, words=words)


def is_late(request: HttpRequest, may: bool) -> bool:
    """Whether a page is opened for what may not be done any more. What was sent goes to its service all the same: sent
    twice it is done once, and a refusal stands beside what was typed."""
    return not may and request.method != "POST"


def status_of(form: forms.Form) -> int:
    """Of a page that shows a form: what could not be taken is sent back as it was typed."""
    return 422 if form.is_bound and form.errors else 200
