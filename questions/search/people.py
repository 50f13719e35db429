"""Members found by their handles: those whose page the reader may see."""

import re

from accounts.models import Member, User
from questions.search import spelling
from questions.search.language import MEMBERS, Filter, Typed

HANDLE = re.compile(r"@?[A-Za-z][\w.-]{2,23}")
BESIDE = 4  # members shown above the posts
ALONE = 20  # where one searches for members only


def wanted(typed: Typed) -> str:
    """The beginning of a handle, or "" where the search is not one for members."""
    if any(one != Filter("kind", MEMBERS) for one in typed.filters) or not HANDLE.fullmatch(typed.words):
        return ""
    return typed.words.removeprefix("@").lower()


def find(typed: Typed, user: User) -> list[Member]:
    """Members whose handle begins so, by handle. Nobody is found by fewer than three letters."""
    start = wanted(typed)
    if not start:
        return []
    rows = Member.objects.visible_to(user).filter(handle__lower__startswith=start)
    rows = rows.select_related("specialty", "rank").order_by("handle__lower", "pk")
    return list(rows[: ALONE if typed.is_for_members else BESIDE])


def near(typed: Typed, user: User) -> list[Member]:
    """Members with a handle spelled almost so."""
    start = wanted(typed)
    return spelling.near_handles(start, user) if start else []
