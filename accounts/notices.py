"""How notices of this app read: connections."""

from django.db.models import Q
from django.urls import reverse

from accounts.models import Block, Connection, Kind, Notice, User
from accounts.notice_kinds import Line, register

State = Connection.State


def read_connections(notices: list[Notice], user: User) -> dict[int, Line]:
    """What became of a connection, while it still stands and no block parts the two handles."""
    own = user.as_member
    hidden = Block.objects.parting_handles(own)
    rows = (
        Connection.objects.filter(pk__in={notice.target for notice in notices})
        .filter(Q(requester=own) | Q(addressee=own))
        .exclude(Q(requester__in=hidden) | Q(addressee__in=hidden))
        .select_related("requester", "addressee")
    )
    known = {row.pk: row for row in rows}
    found = {}
    for notice in notices:
        connection = known.get(notice.target)
        if connection and (line := _line(connection, notice.key.split(":")[-2], own)):
            found[notice.pk] = line
    return found


def _line(connection, what, own):
    other = connection.other(own)
    if not other.may_read or other.user_id is None:
        return None
    if what == "requested" and connection.state == State.REQUESTED and connection.addressee_id == own.pk:
        return Line("asks to connect", reverse("accounts:connections"), name=other.handle)
    if connection.state != State.ACCEPTED:
        return None
    url = other.get_absolute_url()
    if what == "requested":
        return Line("asked to connect", url, name=other.handle)
    if what == "accepted":
        return Line("accepted your request to connect", url, name=other.handle)
    if connection.requester_name is None:
        return None
    return Line("and you now see each other's names", url, name=other.handle)


register(Kind.CONNECTION, read=read_connections)
