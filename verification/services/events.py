"""Writing the audit trail."""

from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from verification.models import Claim, Event, Subject

CHAIN = 7_300_001  # number of the advisory lock under which the next link is added
FIRST = "0" * 64


def subject_of(user: User) -> Subject:
    """The random id that stands for a person in immutable rows, made when first needed."""
    return Subject.objects.get_or_create(user=user)[0]


def _ids_of(*people: User | None) -> list:
    """The random ids of people, asked for together; None for nobody."""
    known = dict(
        Subject.objects.filter(user__in=[each.pk for each in people if each]).values_list("user", "pk")
    )
    return [(known.get(each.pk) or subject_of(each).pk) if each else None for each in people]


@transaction.atomic
def record(
    *, kind: str, claim: Claim | None = None, by: User | None = None, key: str | None = None, **said: Any
) -> Event:
    """Add one event to the chain. An act with a `key` leaves one event however often it is recorded.

    `said` may hold from_state, to_state, reason, evidence (a list of codes), address_hash, and for what is no claim
    the `object` ("post:12").
    """
    actor, subject = _ids_of(by, claim.user if claim else None)
    lock_chain()
    if key and (known := Event.objects.filter(key=key).first()):
        return known
    event = Event(
        at=timezone.now(),
        kind=kind,
        case_number=claim.case_number if claim else "",
        subject=subject,
        actor=actor,
        key=key,
        **said,
    )
    _link([event], _head())
    event.save(force_insert=True)
    return event


@transaction.atomic
def record_many(events: Iterable[Event]) -> None:
    """Add many events in their order, for loading data."""
    lock_chain()
    events = list(events)
    _link(events, _head())
    Event.objects.bulk_create(events, batch_size=1000)


def first_broken() -> Event | None:
    """The first event whose hash or link does not fit, or None when the whole chain holds."""
    expected = FIRST
    for event in Event.objects.order_by("pk").iterator(chunk_size=2000):
        if event.prev_hash != expected or event.digest() != event.hash:
            return event
        expected = event.hash
    return None


def lock_chain() -> None:
    """Let nobody else add to the chain until the transaction ends. Whoever locks discussions too does this first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN])


def _head() -> str:
    return Event.objects.order_by("-pk").values_list("hash", flat=True).first() or FIRST


def _link(events: list[Event], head: str) -> None:
    for event in events:
        event.prev_hash = head
        event.hash = head = event.digest()
