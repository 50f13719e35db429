"""Sessions in the database, found by a query that is written once."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from sermo.prepared import columns_of, instance_of, prepared


class SessionStore(db.SessionStore):
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
