"""Readers as prepared queries know them: what kind of reader somebody is, apart from who it is."""

from typing import NamedTuple

from accounts.models import Member, User
from accounts.roles import MODERATORS, is_moderator


class ReaderShape(NamedTuple):
    """All that decides the form of a gate. Two readers of one shape differ in `values_of` alone."""

    moderates: bool
    standing: str | None  # None: no member
    has_specialty: bool


def shape_of(user: User) -> ReaderShape:
    member = user.as_member
    return ReaderShape(
        is_moderator(user), member and member.standing, bool(member) and member.specialty_id is not None
    )


def values_of(user: User) -> dict:
    """The values that `stand_in` takes, for one reader."""
    member = user.as_member
    return {
        "reader": member.pk if member else None,
        "reader_specialty": member.specialty_id if member else None,
    }


def stand_in(shape: ReaderShape, reader: int | None, reader_specialty: str | None) -> User:
    """Somebody of this shape, for a gate to ask. Raises ValueError where shape and values do not belong together."""
    if (reader is not None, reader_specialty is not None) != (
        shape.standing is not None,
        shape.has_specialty,
    ):
        raise ValueError("A reader of another shape.")
    user = User()
    user.group_names = [MODERATORS] if shape.moderates else []
    if shape.standing:
        user.member = Member(pk=reader, standing=shape.standing, specialty_id=reader_specialty)
    return user
