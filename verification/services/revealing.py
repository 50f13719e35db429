"""Exchanging names within a connection: the names are the verified ones of that moment."""

from accounts.models import Connection, Member
from accounts.services import ties
from verification.services.byline import display_name_for, once_verified_name_of


def reveal(*, connection: Connection, member: Member) -> Connection:
    """Agree that both learn each other's verified name, kept with the connection once both have agreed.

    Raises accounts.services.ties.ReadOnly, NotConnected, NoVerifiedName.
    """
    if not member.may_write:
        raise ties.ReadOnly
    other = connection.other(member)
    names = {member.pk: display_name_for(member), other.pk: once_verified_name_of(other)}
    return ties.reveal(connection=connection, member=member, names=names)
