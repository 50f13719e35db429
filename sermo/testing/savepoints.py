"""Savepoints sent with the statement that follows them, not by themselves.

Within a test's own transaction every `atomic` of a service is a savepoint, and a fifth of all a test sends to the
database is SAVEPOINT and RELEASE. Sent one by one each is a wait of its own. What is sent, and in which order, stays
the same, but for savepoints with nothing in them, which are not sent at all. Django's own log of queries shows all.
"""

from contextlib import contextmanager
from types import SimpleNamespace

from django.db.backends.postgresql import base
from django.db.backends.postgresql.base import Cursor, DatabaseWrapper
from psycopg import Error

DEFERRED = ("SAVEPOINT ", "RELEASE SAVEPOINT ")
ROLLBACK = "ROLLBACK TO SAVEPOINT "


class TogetherCursor(Cursor):
    def execute(self, query, params=None, **options):
        waiting = self.connection.__dict__.setdefault("savepoints_waiting", [])
        turns = isinstance(query, str) and query.startswith((*DEFERRED, ROLLBACK))
        if turns and self._put_off(query, waiting):
            self._query = SimpleNamespace(query=query.encode())  # for Django's log
            return self
        if not waiting:
            return super().execute(query, params, **options)
        if not isinstance(query, str):
            self.send_waiting()
            return super().execute(query, params, **options)
        before = waiting.copy()
        waiting.clear()
        ahead = "; ".join([*before, ""])
        try:
            super().execute(ahead + query, params, **options)
        except Error as error:
            if not error.sqlstate:  # nothing was sent
                waiting[:] = before
            raise
        for _ in before:
            self.nextset()
        self._query.query = self._query.query.removeprefix(ahead.encode())
        return self

    def _put_off(self, query: str, waiting: list[str]) -> bool:
        """Whether this one need not be sent now, if ever."""
        if query.startswith(DEFERRED[0]):
            waiting.append(query)
            return True
        begun = DEFERRED[0] + query.rsplit(" ", 1)[1]
        if query.startswith(ROLLBACK):
            if begun in waiting:
                del waiting[waiting.index(begun) + 1 :]
                return True
            waiting.clear()
            return False
        if waiting and waiting[-1] == begun:
            waiting.pop()
        else:
            waiting.append(query)
        return True

    def send_waiting(self) -> None:
        if waiting := self.connection.__dict__.get("savepoints_waiting"):
            together = "; ".join(waiting)
            waiting.clear()
            super().execute(together)

    def executemany(self, *arguments, **options):
        self.send_waiting()
        return super().executemany(*arguments, **options)

    def copy(self, *arguments, **options):
        self.send_waiting()
        return super().copy(*arguments, **options)

    def stream(self, *arguments, **options):
        self.send_waiting()
        return super().stream(*arguments, **options)


def forgetting(way):
    """The end of a transaction ends its savepoints."""

    def end(self):
        if self.connection is not None:
            self.connection.__dict__.pop("savepoints_waiting", None)
        return way(self)

    return end


@contextmanager
def savepoints_together():
    """For all connections made from here on."""
    ways = base.Cursor, DatabaseWrapper._commit, DatabaseWrapper._rollback
    base.Cursor = TogetherCursor
    DatabaseWrapper._commit, DatabaseWrapper._rollback = forgetting(ways[1]), forgetting(ways[2])
    try:
        yield
    finally:
        base.Cursor, DatabaseWrapper._commit, DatabaseWrapper._rollback = ways
