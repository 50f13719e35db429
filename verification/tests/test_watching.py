"""The nightly look at the audit trail, and every way in which it can be broken."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Mail
from accounts.tests.factories import make_user
from verification import tasks
from verification.models import Event
from verification.services import events

pytestmark = pytest.mark.django_db
FIELDS = {
    "at": "at + interval '1 second'",
    "kind": "'forged'",
    "case_number": "'V-2222-2222'",
    "subject": "gen_random_uuid()",
    "actor": "gen_random_uuid()",
    "from_state": "'verified'",
    "to_state": "'verified'",
    "reason": "'other'",
    "evidence": "'[\"forged\"]'",
    "address_hash": "'0'",
    "object": "'post:1'",
    "key": "'forged'",
    "prev_hash": "repeat('1', 64)",
    "hash": "repeat('2', 64)",
}


@pytest.fixture
def trail():
    for number in range(4):
        events.record(kind=f"step {number}", object=f"post:{number + 7}")
    return list(Event.objects.order_by("pk"))


def forge(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_every_column_is_covered():
    assert {field.name for field in Event._meta.fields} == {*FIELDS, "id"}


@pytest.mark.parametrize("column", FIELDS)
def test_a_change_of_any_column_is_found_at_its_row(trail, column):
    forge(f"UPDATE verification_event SET {column} = {FIELDS[column]} WHERE id = %s", trail[1].pk)

    assert events.first_broken() == trail[1]
    with pytest.raises(CommandError, match=f"The chain breaks at event {trail[1].pk} of ") as refusal:
        call_command("check_chain")
    assert refusal.value.returncode == 1


def test_a_first_event_that_is_gone_is_found(trail):
    forge("DELETE FROM verification_event WHERE id = %s", trail[0].pk)

    assert events.first_broken() == trail[1]


def test_two_that_changed_places_are_found(trail):
    forge("UPDATE verification_event SET id = 0 WHERE id = %s", trail[2].pk)

    assert events.first_broken() is not None


def test_one_whose_hash_was_made_anew_breaks_the_next(trail):
    forged = trail[1]
    forged.kind = "forged"
    forge(
        "UPDATE verification_event SET kind = 'forged', hash = %s WHERE id = %s", forged.digest(), forged.pk
    )

    assert events.first_broken() == trail[2]


def test_a_trail_that_holds_is_no_news(trail, capsys):
    make_user(is_superuser=True)

    assert tasks.check_chain() is True
    call_command("check_chain")

    assert "4 events, the chain holds." in capsys.readouterr().out
    assert not Mail.objects.exists()


def test_an_empty_trail_holds():
    assert tasks.check_chain() is True


def test_a_broken_one_is_mailed_to_every_superuser_each_night(trail, caplog):
    bosses = {make_user(is_superuser=True).email for _ in range(2)}
    make_user(is_superuser=True, is_active=False)
    make_user(is_staff=True)
    forge("UPDATE verification_event SET reason = 'other' WHERE id = %s", trail[3].pk)

    for night in (1, 2):
        assert tasks.check_chain() is False
        assert Mail.objects.count() == 2 * night

    assert {mail.user.email for mail in Mail.objects.all()} == bosses
    mail = Mail.objects.first()
    assert mail.subject == "The audit trail is broken"
    assert f"Event {trail[3].pk}" in mail.text
    assert "chain_broken" in caplog.text
