"""The rooms of a member, as their list shows them."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from accounts.models import Member, User
from focusgroups.models import Answer, Candidate, Completion, Message, Participant, Section

MOST_OVER = 50  # the newest of those that are over
TOLD_FOR = timedelta(days=30)  # that a room was canceled
State, Leaving = Candidate.State, Participant.Leaving


@dataclass(frozen=True)
class Groups:
    asked: list[Candidate]
    waiting: list[Candidate]
    seats: list[Participant]  # in rooms that recruit or run
    over: list[Participant]
    left: list[Participant]  # rooms still open, where what was said can be taken back
    canceled: list[Candidate]  # lately, before a seat was theirs
    lost: list[Participant]  # lately, by a moderator; nothing of the room is shown

    @property
    def is_empty(self) -> bool:
        return not any(getattr(self, each.name) for each in fields(self))

    @property
    def accrued(self) -> int:
        """Cents of completed sections that are not final yet."""
        return sum(seat.earned - seat.final for seat in (*self.seats, *self.over, *self.left, *self.lost))


def groups_of(user: User) -> Groups:
    """Six queries, for any number of rooms."""
    member = user.as_member
    if member is None:
        return Groups([], [], [], [], [], [], [])
    now = timezone.now()
    open_rooms = Q(room__published_at__isnull=False, room__closed_at=None, room__ends_at__gt=now)
    asked = Candidate.objects.standing().filter(open_rooms, member=member).annotate(fee=_fee())
    asked = list(asked.select_related("room__sponsor", "cell").order_by("-invited_at", "-pk"))
    seats = _with_money(Participant.objects.seated().filter(member=member))
    over = seats.exclude(open_rooms).order_by("-room__ends_at", "-pk")
    canceled = Candidate.objects.filter(
        member=member, state=State.LAPSED, room__canceled_at__gt=now - TOLD_FOR, seat=None
    )
    gone = Participant.objects.filter(still_listed(now), member=member)
    return Groups(
        asked=[row for row in asked if row.state == State.INVITED],
        waiting=[row for row in asked if row.state == State.WAITING],
        seats=list(seats.filter(open_rooms).order_by("room__ends_at", "pk")),
        over=list(over[:MOST_OVER]),
        left=list(_with_money(gone.exclude(left_as=Leaving.REMOVED)).order_by("-left_at")),
        canceled=list(canceled.select_related("room").order_by("-room__canceled_at")),
        lost=list(_with_money(gone.filter(left_as=Leaving.REMOVED)).order_by("-left_at")),
    )


def left_open(member: Member) -> QuerySet[Participant]:
    """Seats that somebody left or lost, of rooms that are open: what they said there they can take back."""
    return Participant.objects.filter(_left_open(timezone.now()), member=member).select_related(
        "room", "member"
    )


def still_listed(now: datetime | Now) -> Q:
    """Of seats that were left or lost, those that stand on the list of whoever had them."""
    return _left_open(now) | Q(left_as=Leaving.REMOVED, left_at__gt=now - TOLD_FOR)


def _left_open(now: datetime | Now) -> Q:
    return Q(left_at__isnull=False, room__closed_at=None, room__ends_at__gt=now)


def _with_money(seats: QuerySet[Participant]) -> QuerySet[Participant]:
    own = Completion.objects.filter(participant=OuterRef("pk")).order_by().values("participant")
    final = own.filter(final_at__isnull=False)
    return seats.select_related("room").annotate(
        earned=Coalesce(Subquery(own.annotate(sum=Sum("cents")).values("sum")), 0),
        final=Coalesce(Subquery(final.annotate(sum=Sum("cents")).values("sum")), 0),
        fee=_fee(),
    )


def _fee() -> Coalesce:
    """Cents of all sections of a room that are announced."""
    sections = Section.objects.announced().filter(room=OuterRef("room")).order_by().values("room")
    return Coalesce(Subquery(sections.annotate(sum=Sum("honorarium")).values("sum")), 0)


def earned_by(seat: Participant) -> int:
    return seat.completions.aggregate(sum=Coalesce(Sum("cents"), 0))["sum"]


def said_by(seat: Participant) -> int:
    """How many answers and messages of somebody there are to take back."""
    own = {"participant": seat, "withdrawn_at": None}
    return Answer.objects.filter(**own).count() + Message.objects.filter(**own).count()
