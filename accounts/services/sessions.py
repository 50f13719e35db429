"""Where somebody is logged in, and ending that."""

import time

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from sermo.sessions import UNTIL

EXACT_SECONDS = 15  # how exactly a shared device is known to be used: a write per page would be too dear


def live_sessions(user: User) -> QuerySet[UserSession]:
    """The sessions of a log-in that have not run out, the one last seen first."""
    live = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    return UserSession.objects.filter(user=user, session_key__in=live).order_by("-last_seen_at", "-pk")


def end_session(*, user: User, session_id: int, but: str) -> bool:
    """Log out one device of somebody, unless it is the session with the key `but`, from which one logs out.

    False where it is not theirs or has ended already.
    """
    session = UserSession.objects.filter(user=user, pk=session_id).exclude(session_key=but).first()
    if session is None:
        return False
    session.end()
    return True


def end_other_sessions(*, user: User, but: str) -> int:
    """Log out all devices of somebody except the session with the key `but`. Returns how many."""
    others = UserSession.objects.filter(user=user).exclude(session_key=but)
    for session in others:
        session.end()
    return len(others)


def note_seen(*, session_key: str) -> None:
    UserSession.objects.filter(session_key=session_key).update(last_seen_at=timezone.now())


# On a device that others use


def begin_shared(session: SessionBase) -> None:
    """Let a session end SHARED_DEVICE_MINUTES after its last request, and its cookie with the browser."""
    session.set_expiry(0)
    _extend(session)


def note_presence(session: SessionBase) -> None:
    """Somebody is there: a session on a shared device lasts anew. Others are left alone."""
    left = seconds_left(session)
    if left is not None and left < settings.SHARED_DEVICE_MINUTES * 60 - EXACT_SECONDS:
        _extend(session)


def seconds_left(session: SessionBase) -> int | None:
    """How long a session on a shared device still lasts if nobody comes; None for any other."""
    until = session.get(UNTIL)
    return None if until is None else max(0, int(until - time.time()))


def _extend(session: SessionBase) -> None:
    session[UNTIL] = time.time() + settings.SHARED_DEVICE_MINUTES * 60
