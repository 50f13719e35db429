"""Keeping members and rooms as they are until a transaction ends.

Whoever loses their standing or leaves the site holds their own member and then wants the rooms they are in. So the
order of all is: audit trail, one's own member, room, candidates, participants, what was said; and whoever holds a room
waits for no member: those that somebody else holds are left alone.
"""

from collections.abc import Iterable

from django.db import connection

from accounts.models import Member
from focusgroups.models import Room

HOLD = """
SELECT id FROM accounts_member WHERE id = ANY(%s) AND user_id IS NOT NULL ORDER BY id FOR KEY SHARE
"""


def hold_member(member_id: int | None) -> Member | None:
    """A member as they are now, whose standing nobody changes meanwhile; none where they have left."""
    if member_id is None or not _held(HOLD, [member_id]):
        return None
    return Member.objects.select_related("user").get(pk=member_id)


def free_members(members: Iterable[int]) -> list[int]:
    """Those of them whom nobody is about to change. They stay so until the transaction ends; waits for nobody."""
    return _held(f"{HOLD} SKIP LOCKED", list(members))


def hold_room(room_id: int) -> Room:
    return Room.objects.select_for_update().get(pk=room_id)


def hold_rooms(rooms: Iterable[int]) -> list[Room]:
    """Several, in the one order in which everybody does who needs more than one."""
    return list(Room.objects.select_for_update().filter(pk__in=set(rooms)).order_by("pk"))


def _held(query: str, members: list[int]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(query, [members])
        return [member for (member,) in cursor.fetchall()]
