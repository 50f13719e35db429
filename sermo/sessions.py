"""Sessions in the database, found by a query that is written once.

One on a device that others use says itself when it ends, and is gone then whatever the browser does.
"""

from datetime import UTC, datetime

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from sermo.prepared import columns_of, instance_of, prepared

UNTIL = "shared_until"  # in a session on a shared device: when it ends, in seconds of Unix time


def ends_at(session: SessionBase) -> datetime | None:
    """When a session on a shared device ends if nobody comes (UTC); None for any other."""
    until = session.get(UNTIL)
    return None if until is None else datetime.fromtimestamp(until, UTC)


class SessionStore(db.SessionStore):
    def get_expiry_date(self, **kwargs) -> datetime:
        """When the row runs out. Saving it for another reason gives a shared device no minute more."""
        return ends_at(self) or super().get_expiry_date(**kwargs)

    def _get_session_from_db(self) -> Session | None:
        found = _live(None, key=self.session_key, now=timezone.now())
        if not found:
            self._session_key = None
            return None
        return instance_of(Session, found[0])


@prepared
def _live(shape: None, *, key: str, now) -> QuerySet:
    live = Session.objects.filter(session_key=key, expire_date__gt=now)
    return live.values_list(*columns_of(Session))
