import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from verification.models import Event, Subject
from verification.services import events
from verification.tests.factories import make_claim

pytestmark = pytest.mark.django_db


@pytest.fixture
def claim(provider, seeker):
    return make_claim(seeker, provider)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE verification_event SET reason = 'other'",
        "DELETE FROM verification_event",
        "TRUNCATE verification_event",
        "TRUNCATE verification_event CASCADE",
    ],
)
def test_the_database_refuses_to_change_what_was_written(claim, statement):
    events.record(kind="started", claim=claim)

    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert Event.objects.count() == 1


def test_each_event_carries_the_hash_of_the_one_before(claim):
    first = events.record(kind="started", claim=claim)
    second = events.record(kind="state", claim=claim, to_state="matched", evidence=["questions"])

    assert first.prev_hash == events.FIRST
    assert second.prev_hash == first.hash
    assert Event.objects.get(pk=second.pk).digest() == second.hash
    assert events.first_broken() is None


def test_a_changed_event_breaks_the_chain(claim):
    events.record(kind="started", claim=claim)
    changed = events.record(kind="state", claim=claim, to_state="matched")
    events.record(kind="state", claim=claim, to_state="challenged")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE verification_event SET to_state = 'verified' WHERE id = %s", [changed.pk])

    assert events.first_broken() == changed
    with pytest.raises(CommandError, match=f"event {changed.pk}"):
        call_command("check_chain")


def test_a_removed_event_breaks_the_chain(claim):
    for number in range(3):
        events.record(kind=f"step {number}", claim=claim)
    middle, last = Event.objects.order_by("pk")[1:]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM verification_event WHERE id = %s", [middle.pk])

    assert events.first_broken() == last


def test_two_events_cannot_follow_the_same_one(claim):
    first = events.record(kind="started", claim=claim)

    with pytest.raises(IntegrityError, match="event_chain_is_a_line"):
        Event.objects.create(at=first.at, kind="forged", prev_hash=first.prev_hash, hash="0" * 63 + "1")


def test_an_act_with_a_key_leaves_one_event(claim):
    first = events.record(kind="holder_warned", claim=claim, key="holder_warned 1")
    again = events.record(kind="holder_warned", claim=claim, key="holder_warned 1")

    assert again == first
    assert Event.objects.count() == 1


def test_an_event_names_people_by_their_subjects(claim, reviewer):
    event = events.record(kind="identity_viewed", claim=claim, by=reviewer)

    assert event.subject == Subject.objects.get(user=claim.user).pk
    assert event.actor == Subject.objects.get(user=reviewer).pk
    assert str(event.subject) != str(claim.user_id)


def test_many_events_are_chained_like_single_ones(claim):
    events.record(kind="started", claim=claim)
    moment = Event.objects.get().at
    events.record_many(Event(at=moment, kind="loaded", case_number=f"V-{number}") for number in range(5))
    events.record(kind="state", claim=claim)

    assert events.first_broken() is None
    assert Event.objects.count() == 7


def test_check_chain_says_how_many_events_hold(claim, capsys):
    events.record(kind="started", claim=claim)

    call_command("check_chain")

    assert "1 events, the chain holds." in capsys.readouterr().out
