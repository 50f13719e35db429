"""The bars around every page, drawn once for all pages that show the same in them."""

from collections.abc import Callable
from typing import NamedTuple

from django import template

from accounts.models import Face
from accounts.pictures import own_picture_url
from accounts.roles import OBSERVERS, groups_of, is_moderator
from sermo.fragments import draw, draw_once, fill, late

register = template.Library()

# What finds the seat of somebody who reads for a firm: the app that gives seats adds it when it is loaded.
SEATS: list[Callable] = []


class Frame(NamedTuple):
    """All that the bars show of who is here and where."""

    here: str = ""  # the view, and its app
    app: str = ""
    is_signed_in: bool = False
    standing: str = ""  # "" for staff without a membership
    handle: str = ""
    email: str = ""  # of staff, who have no handle
    picture: str = ""
    is_staff: bool = False
    is_moderator: bool = False
    unread: int = 0
    is_own_page: bool = False
    has_groups: bool = False  # focus groups that ask for or have this member
    is_observer: bool = False  # who reads for a firm, and is no member
    seat: int = 0  # the number of theirs, in the console
    seat_name: str = ""
    gives_seats: bool = False
    questions_waiting: int = 0  # for the firm to answer
    events_waiting: int = 0
    watches_groups: bool = False

    @property
    def waiting(self) -> int:
        return self.questions_waiting + self.events_waiting

    @property
    def typed(self) -> str:
        """What was typed into the search: no two readers share that, so it comes last."""
        return late("typed")


@register.simple_tag(takes_context=True)
def top_bar(context):
    return _bar(context, "components/_topbar.html")


@register.simple_tag(takes_context=True)
def bottom_bars(context):
    """The foot of the page and the phone's bar."""
    return _bar(context, "components/_bottom_bars.html")


def _bar(context, name: str):
    frame = _frame(context)
    token = str(context["csrf_token"]) if frame.is_signed_in else ""
    html = (draw_once if frame.email else draw)(name, token, frame=frame)
    return fill(html, typed=_typed(context) if frame.here == "search" else "")


def _typed(context) -> str:
    return context["request"].GET.get("q", "")[:200]


def _frame(context) -> Frame:
    """The frame of this page, made once."""
    request = context.get("request")
    if request is None:
        return Frame()
    if not hasattr(request, "page_frame"):
        request.page_frame = _made(request)
    return request.page_frame


def _made(request) -> Frame:
    match, user = request.resolver_match, getattr(request, "user", None)
    place = (match.view_name, match.app_name) if match else ("", "")
    if user is None or not user.is_authenticated:
        return Frame(*place)
    member = user.as_member
    handle = member.handle if member else ""
    return Frame(
        *place,
        is_signed_in=True,
        standing=member.standing if member else "",
        handle=handle,
        email="" if member else user.email,
        picture=own_picture_url(member, Face.HANDLE) if member else "",
        is_staff=user.is_staff,
        is_moderator=is_moderator(user),
        unread=getattr(user, "unread_count", 0),
        is_own_page=place[0] == "accounts:member" and match.kwargs.get("handle") == handle,
        has_groups=getattr(user, "has_groups", False),
        is_observer=_is_observer(user),
        **(_seat(request) if member is None else {}),
    )


def _is_observer(user) -> bool:
    return user.as_member is None and not user.is_staff and OBSERVERS in groups_of(user)


def _seat(request) -> dict:
    """What the door of the console has put on the request; elsewhere who reads for a firm is asked after."""
    seat = getattr(request, "seat", None)
    if seat is None and _is_observer(request.user):
        seat = next(filter(None, (find(request.user) for find in SEATS)), None)
    if seat is None:
        return {}
    return {
        "seat": seat.number,
        "seat_name": seat.name,
        "gives_seats": seat.is_admin,
        "questions_waiting": seat.contract.questions_waiting,
        "events_waiting": seat.contract.events_waiting,
        "watches_groups": seat.contract.watches_groups,
    }
