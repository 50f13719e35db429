"""How notices of focus groups read. None names a room or says what one is about: they stand beside all others."""

from django.urls import reverse

from accounts.models import Kind, Notice, User
from accounts.notice_kinds import Line, register
from focusgroups.models import Room
from focusgroups.services import telling

WORDS = {
    telling.INVITED: "You are asked into a focus group",
    telling.SEAT: "A seat came free: you are in a focus group now",
    telling.OPENED: "Your focus group has opened",
    telling.SECTION: "A new section of your focus group has opened",
    telling.REMINDER: "Your focus group waits for your answers",
    telling.CHANGED: "Times of your focus group have changed",
    telling.AGREEMENT: "The agreement of your focus group has a new version",
    telling.QUOTE: "Words of yours may be quoted, if you say yes within seven days",
    telling.PROBE: "A moderator of your focus group asks you something",
    telling.CLOSED: "Your focus group has closed",
    telling.CANCELED: "Your focus group was canceled",
}
TO_THE_HOPEFUL = {
    telling.CLOSED: "A focus group has closed before a seat came free for you",
    telling.CANCELED: "A focus group that you were asked into was canceled",
}
LOST = {
    telling.REMOVED: "A moderator ended your part in a focus group. What you earned there stays yours",
    telling.DROPPED: "Your seat in a focus group was given on. What you earned there stays yours",
}


def read_groups(notices: list[Notice], user: User) -> dict[int, Line]:
    """News of rooms that the reader is asked into or takes part in now, and that others have ended. One query."""
    rooms = Room.objects.visible_to(user).in_bulk({_room_of(notice) for notice in notices})
    found = {}
    for notice in notices:
        room, deed = rooms.get(_room_of(notice)), _deed_of(notice)
        if room:
            found[notice.pk] = Line(WORDS[deed], _url(room, deed))
        elif deed in TO_THE_HOPEFUL:
            found[notice.pk] = Line(TO_THE_HOPEFUL[deed], reverse("focusgroups:list"))
    return found


def _room_of(notice: Notice) -> int:
    return int(notice.key.split(":")[1])


def _deed_of(notice: Notice) -> str:
    return notice.key.split(":")[2]


def _url(room: Room, deed: str) -> str:
    return reverse("focusgroups:quotes", args=[room.pk]) if deed == telling.QUOTE else room.get_absolute_url()


def read_losses(notices: list[Notice], user: User) -> dict[int, Line]:
    return {notice.pk: Line(LOST[_deed_of(notice)], reverse("focusgroups:list")) for notice in notices}


register(Kind.GROUP, read=read_groups, recipients=telling.next_members)
register(Kind.MODERATION, read=read_losses, prefix="group")
