"""What is left of log-ins that are over: sessions, the devices they were on, and counts of tries."""

from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone


def forget_sessions() -> int:
    """Delete sessions that have run out. Returns how many."""
    return over(timezone.now()).delete()[0]


def over(at: datetime) -> QuerySet[Session]:
    return Session.objects.filter(expire_date__lt=at)


def forget_devices() -> int:
    """Delete where somebody was logged in, with its network address, once they are no more. Returns how many."""
    return devices_without_session(timezone.now()).delete()[0]


def devices_without_session(at: datetime) -> QuerySet[UserSession]:
    live = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gte=at)
    return UserSession.objects.filter(~Exists(live), created_at__lt=at)


def forget_tries() -> int:
    """Delete counts of tries that limit nothing any more. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sermo_throttle WHERE expires < %s", [timezone.now()])
        return cursor.rowcount


def tries_over(at: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sermo_throttle WHERE expires < %s", [at])
        return cursor.fetchone()[0]
