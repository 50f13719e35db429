"""Exchanging names within a connection: the names are the verified ones of that moment."""

from accounts.models import Connection, Member
from accounts.services import ties
from verification.services.byline import display_name_for


def reveal(*, connection: Connection, member: Member) -> Connection:
    """Agree that both learn each other's verified name, kept with the connection once both have agreed.

    Raises accounts.services.ties.ReadOnly, NotConnected, NoVerifiedName.
    """
    if not member.may_write:
        raise ties.ReadOnly
    names = {one.pk: display_name_for(one) for one in (connection.requester, connection.addressee)}
    return ties.reveal(connection=connection, member=member, names=names)
