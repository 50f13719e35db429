"""Between two members: connecting, following, blocking, and telling each other one's name."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils import timezone

from accounts.models import Block, Connection, Face, Follow, Kind, Member
from accounts.services import notices
from sermo.errors import RuleBroken

State = Connection.State
MOST_COUNTED = 1_000  # followers


class NoSuchMember(RuleBroken):
    message = "There is no such member, or their page is not open to you."


class NotOneself(RuleBroken):
    message = "This is your own page."


class ReadOnly(RuleBroken):
    message = "Your license needs a new check before you can connect. Reading stays open."


class AskedLately(RuleBroken):
    message = "You have asked this member before."


class NotWaiting(RuleBroken):
    message = "This request is not open any more."


class NotConnected(RuleBroken):
    message = "You are not connected."


class NoNamePage(RuleBroken):
    message = "Your name has no page: your posts are signed with your handle."


class NoVerifiedName(RuleBroken):
    message = "A name can be exchanged once your license is verified."


@dataclass(frozen=True)
class Tie:
    """What one member may know of their tie to another's handle."""

    state: str = ""  # "requested" by oneself, "received" from the other, "connected", or ""
    connection_id: int | None = None
    asked_at: datetime | None = None
    follows: bool = False
    alerts: bool = False


# Connections


@transaction.atomic
def request_connection(*, requester: Member, addressee: Member) -> Connection:
    """Ask a member to connect. Two who ask each other are connected, also where one had refused the other.

    A member asks another once in CONNECTION_RETRY_DAYS, whatever became of the last request: neither the moment nor
    the words tell a refusal. Raises NotOneself, ReadOnly, NoSuchMember, AskedLately.
    """
    if requester.pk == addressee.pk:
        raise NotOneself
    requester, addressee = _lock(requester, addressee)
    if not requester.may_write:
        raise ReadOnly
    _check_can_be_met(requester, addressee)
    now = timezone.now()
    known = Connection.objects.between(requester, addressee).first()
    if known is None:
        known = Connection(requester=requester, addressee=addressee)
    elif known.state == State.ACCEPTED:
        return known
    elif known.requester_id == addressee.pk and known.is_waiting:
        return _accept(known, now)
    else:
        _check_may_ask_again(known, requester, addressee, now)
    _ask(known, requester, addressee, now)
    _tell_of_request(known)
    return known


def _check_can_be_met(viewer: Member, member: Member) -> None:
    """Only verified physicians are met at all, and a block between the handles looks as if there were nobody."""
    is_met = member.may_read and member.user_id is not None
    if not is_met or member.pk in Block.objects.parting_handles(viewer):
        raise NoSuchMember


def _check_may_ask_again(known: Connection, requester: Member, addressee: Member, now: datetime) -> None:
    last = known.last_asked_at(requester)
    if last is None:
        return
    again = last + (known.lapses_at - known.requested_at)
    if now < again:
        raise AskedLately(
            f"You asked {addressee.handle} on {_day(last)}. You can ask again from {_day(again)}."
        )


def _ask(known: Connection, requester: Member, addressee: Member, now: datetime) -> None:
    if known.pk is None or known.requester_id != requester.pk:
        known.addressee_asked_at = known.requested_at if known.pk else None
    known.requester, known.addressee = requester, addressee
    known.state, known.requested_at, known.answered_at = State.REQUESTED, now, None
    known.save()


def _tell_of_request(connection: Connection) -> None:
    """Not where a block parts the handles: then the request is not shown to its addressee either."""
    if Connection.objects.received_by(connection.addressee).filter(pk=connection.pk).exists():
        _tell(connection, "requested", connection.requested_at, [connection.addressee_id])


def _accept(connection: Connection, now: datetime) -> Connection:
    connection.state, connection.answered_at = State.ACCEPTED, now
    connection.save(update_fields=["state", "answered_at"])
    _note_answered(connection)
    _tell(connection, "accepted", now, [connection.requester_id])
    return connection


def _note_answered(connection: Connection) -> None:
    """Whoever has answered a request has seen it."""
    notices.seen(connection.addressee, _about(connection))


@transaction.atomic
def accept(*, connection: Connection, by: Member) -> Connection:
    """Agree to a request, also to one refused before. Twice is as good as once. Raises ReadOnly, NotWaiting."""
    connection = _lock_connection(connection, NotWaiting)
    if not connection.addressee.may_write or connection.addressee_id != by.pk:
        raise ReadOnly if connection.addressee_id == by.pk else NotWaiting
    if connection.state == State.ACCEPTED:
        return connection
    if not connection.is_waiting:
        raise NotWaiting
    return _accept(connection, timezone.now())


@transaction.atomic
def refuse(*, connection: Connection, by: Member) -> None:
    """Decline a request. The one who asked is not told and sees no difference. Raises NotWaiting."""
    connection = _lock_connection(connection, NotWaiting)
    if connection.addressee_id != by.pk or not connection.is_waiting:
        raise NotWaiting
    connection.state, connection.answered_at = State.REFUSED, timezone.now()
    connection.save(update_fields=["state", "answered_at"])
    _note_answered(connection)


@transaction.atomic
def withdraw(*, connection: Connection, by: Member) -> None:
    """Take back one's own request; to its sender a refused one is still open. Raises NotWaiting."""
    connection = _lock_connection(connection, NotWaiting)
    if connection.requester_id != by.pk or not connection.is_waiting:
        raise NotWaiting
    connection.state = State.WITHDRAWN
    connection.save(update_fields=["state"])


@transaction.atomic
def end(*, connection: Connection, by: Member) -> None:
    """End a connection, with the names exchanged in it. The other is not told. Raises NotConnected."""
    connection = _lock_connection(connection, NotConnected)
    if by.pk not in (connection.requester_id, connection.addressee_id):
        raise NotConnected
    if connection.state == State.ENDED:
        return
    if connection.state != State.ACCEPTED:
        raise NotConnected
    _end(connection)


def _end(connection: Connection) -> None:
    connection.state = State.ENDED
    _erase_names(connection)
    connection.requester_reveals = connection.addressee_reveals = False
    connection.save()


def are_connected(one: Member, other: Member) -> bool:
    return Connection.objects.accepted().between(one, other).exists()


def connected_ids(member: Member) -> QuerySet:
    """The ids of a member's connections, for use inside a query."""
    return Connection.objects.accepted().others(member)


# Names


@transaction.atomic
def reveal(*, connection: Connection, member: Member, names: dict[int, str]) -> Connection:
    """Agree that the two of a connection learn each other's name; once both have, the names are kept with it.

    `names` has the verified name of both by member id, "" for one who has none. Whoever agrees now may write; whoever
    agreed before only has to be a member still: to wait for a lapsed license here would tell of it.
    Raises ReadOnly, NotConnected, NoVerifiedName.
    """
    connection = _lock_connection(connection, NotConnected)
    if member.pk not in (connection.requester_id, connection.addressee_id):
        raise NotConnected
    if connection.state != State.ACCEPTED:
        raise NotConnected
    other = connection.other(member)
    own = connection.other(other)
    if not own.may_write:
        raise ReadOnly
    if not names.get(own.pk):
        raise NoVerifiedName
    _tick(connection, own, True)
    both = connection.reveals(other) and other.may_read and names.get(other.pk)
    if both and connection.requester_name is None:
        connection.requester_name = names[connection.requester_id]
        connection.addressee_name = names[connection.addressee_id]
        _tell(connection, "revealed", timezone.now(), [other.pk])
    connection.save()
    return connection


@transaction.atomic
def unreveal(*, connection: Connection, member: Member) -> Connection:
    """Take one's agreement back: both names are erased. What was seen was seen. Raises NotConnected."""
    connection = _lock_connection(connection, NotConnected)
    if member.pk not in (connection.requester_id, connection.addressee_id):
        raise NotConnected
    _tick(connection, member, False)
    _erase_names(connection)
    connection.save()
    return connection


def forget_names(member: Member) -> None:
    """Erase what was exchanged or offered in all connections of somebody who was not who they said."""
    Connection.objects.of(member).update(
        requester_reveals=False, addressee_reveals=False, requester_name=None, addressee_name=None
    )


def _tick(connection: Connection, member: Member, reveals: bool) -> None:
    if connection.requester_id == member.pk:
        connection.requester_reveals = reveals
    else:
        connection.addressee_reveals = reveals


def _erase_names(connection: Connection) -> None:
    connection.requester_name = connection.addressee_name = None


# Blocks


@transaction.atomic
def block(*, blocker: Member, blocked: Member, blocked_face: str, blocker_face: str = Face.HANDLE) -> Block:
    """Hide the pages of two faces from each other. Twice is as good as once.

    Between two handles it also ends connection, request and follows. Where a name is one of the faces it does not:
    what changed beside the handle at the same moment would tell whose name it is. Raises NotOneself, NoNamePage.
    """
    if blocker.pk == blocked.pk:
        raise NotOneself
    blocker, blocked = _lock(blocker, blocked)
    if blocker_face == Face.NAME and blocker.byline_mode != Member.BylineMode.PUBLIC:
        raise NoNamePage
    made, _ = Block.objects.get_or_create(
        blocker=blocker, blocker_face=blocker_face, blocked=blocked, blocked_face=blocked_face
    )
    if blocker_face == blocked_face == Face.HANDLE:
        known = Connection.objects.between(blocker, blocked).first()
        if known:
            _end(known)
        Follow.objects.filter(follower=blocker, followed=blocked).delete()
        Follow.objects.filter(follower=blocked, followed=blocker).delete()
    return made


def unblock(*, block: Block, by: Member) -> None:
    """Lift one's own block; what it ended stays ended."""
    Block.objects.filter(pk=block.pk, blocker=by).delete()


# Following


@transaction.atomic
def follow(*, follower: Member, followed: Member, alerts: bool = False) -> Follow:
    """Follow a handle; the one followed sees a number and no more. Raises NotOneself, NoSuchMember."""
    if follower.pk == followed.pk:
        raise NotOneself
    follower, followed = _lock(follower, followed)
    if follower.user_id is None:
        raise NoSuchMember
    _check_can_be_met(follower, followed)
    made, _ = Follow.objects.get_or_create(follower=follower, followed=followed, defaults={"alerts": alerts})
    return made


def unfollow(*, follower: Member, handle: str) -> None:
    """Follow a handle no more, also one whose page is not open any more."""
    Follow.objects.filter(follower=follower, followed__handle__lower=handle.lower()).delete()


def set_alerts(*, follower: Member, followed: Member, alerts: bool) -> None:
    """Choose to be told of each new discussion at once, or only in lists and the digest."""
    Follow.objects.filter(follower=follower, followed=followed).update(alerts=alerts)


def follower_count(member: Member) -> int:
    """How many follow a handle, counted to 1,000."""
    return Follow.objects.filter(followed=member)[:MOST_COUNTED].count()


# What a page shows of a tie


def between(reader: Member, member: Member) -> Tie:
    """One member's tie to another, in one query."""
    shape = JSONObject(id="pk", state="state", requester="requester_id")
    connection = Connection.objects.between(reader, member).values(shape=shape)[:1]
    row = (
        Member.objects.filter(pk=member.pk)
        .annotate(
            connection=Subquery(connection),
            asked_at=Subquery(Connection.objects.between(reader, member).values("requested_at")[:1]),
            is_lasting=Exists(Connection.objects.lasting().between(reader, member)),
            follow=Subquery(
                Follow.objects.filter(follower=reader, followed=OuterRef("pk")).values("alerts")[:1]
            ),
        )
        .values("connection", "asked_at", "is_lasting", "follow")
        .first()
    )
    return _tie(reader, row)


def _tie(reader: Member, row: dict) -> Tie:
    known = row["connection"] or {}
    state = _seen_state(reader, known, row["is_lasting"])
    return Tie(
        state=state,
        connection_id=known["id"] if state else None,
        asked_at=row["asked_at"] if state else None,
        follows=row["follow"] is not None,
        alerts=bool(row["follow"]),
    )


def _seen_state(reader: Member, known: dict, is_lasting: bool) -> str:
    if known.get("state") == State.ACCEPTED:
        return "connected"
    if not known or not is_lasting:
        return ""
    if known["requester"] == reader.pk:
        return "requested" if known["state"] in Connection.WAITING_TO_REQUESTER else ""
    return "received" if known["state"] == State.REQUESTED else ""


# Locks, days, notices


def _lock(one: Member, other: Member) -> tuple[Member, Member]:
    """Lock two members, always in the order of their ids, so that crossing requests wait and never deadlock."""
    rows = Member.objects.select_for_update(no_key=True).filter(pk__in=[one.pk, other.pk]).order_by("pk")
    locked = {row.pk: row for row in rows}
    return locked[one.pk], locked[other.pk]


def _lock_connection(connection: Connection, gone: type[RuleBroken]) -> Connection:
    """The connection as it stands once both its members are locked. Raises `gone` where one of them just left."""
    members = Member(pk=connection.requester_id), Member(pk=connection.addressee_id)
    _lock(*members)
    found = Connection.objects.select_related("requester", "addressee").filter(pk=connection.pk).first()
    if found is None:
        raise gone
    return found


def _day(moment: datetime) -> str:
    day = timezone.localdate(moment)
    return f"{day:%b} {day.day}, {day.year}"


def _about(connection: Connection) -> str:
    return f"connection:{connection.pk}"


def _tell(connection: Connection, what: str, when: datetime, members: list[int]) -> None:
    about = _about(connection)
    notices.tell(
        members=members,
        kind=Kind.CONNECTION,
        target=connection.pk,
        about=about,
        key=f"{about}:{what}:{when:%Y%m%d}",
    )
