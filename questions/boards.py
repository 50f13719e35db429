"""Leaderboards as members read them. They are drawn by `ranking.recount_ranks`."""

from datetime import date

from django.db import transaction

from accounts.models import Member, Specialty
from questions.models import Board, BoardPlace, MemberRank


def find(*, specialty: Specialty | None = None, month: date | None = None) -> Board | None:
    """The board of a specialty, or of all, and of a month, or of all time; None where none is drawn."""
    wanted = {"month": month, "specialty": specialty}
    return Board.objects.filter(
        **{name: value for name, value in wanted.items() if value},
        **{f"{name}__isnull": True for name, value in wanted.items() if not value},
    ).first()


def specialties_with_boards():
    """The specialties that enough active members show."""
    drawn = Board.objects.filter(month=None).exclude(specialty=None).values("specialty")
    return Specialty.objects.filter(pk__in=drawn).order_by("name")


def own_place(*, board: Board, member: Member) -> BoardPlace | None:
    return BoardPlace.objects.filter(board=board, member=member).first()


@transaction.atomic
def choose_hiding(*, member: Member, hides: bool) -> None:
    """Take a member off every board at once, or back on with the next draw. Points and tier stay as they are.

    Places go before the rank is locked: the daily draw takes them in this order too.
    """
    if hides:
        BoardPlace.objects.filter(member=member).delete()
    MemberRank.objects.update_or_create(member=member, defaults={"hides_place": hides})
