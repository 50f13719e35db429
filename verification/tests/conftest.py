from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.tests.factories import make_specialty
from verification import reference
from verification.models import MedicalSchool
from verification.tests import calls as recorded_calls
from verification.tests.factories import (
    CARDIOLOGY,
    make_applicant,
    make_provider,
    make_reviewer,
)

SCHOOLS = MedicalSchool._meta.db_table


@pytest.fixture(scope="session")
def shipped_schools(django_db_setup, django_db_blocker):
    """The rows of the shipped schools, with the first ids there are: loading them takes longer than most tests."""
    with django_db_blocker.unblock(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT setval(pg_get_serial_sequence('{SCHOOLS}', 'id'), 1, false)")
        reference.load_schools()
        with cursor.copy(f"COPY {SCHOOLS} TO STDOUT") as rows:
            shipped = b"".join(rows)
        transaction.set_rollback(True)
    return shipped


@pytest.fixture
def schools(db, shipped_schools):
    with connection.cursor() as cursor, cursor.copy(f"COPY {SCHOOLS} FROM STDIN") as rows:
        rows.write(shipped_schools)


@pytest.fixture
def specialties(db):
    make_specialty("Cardiovascular Disease", CARDIOLOGY)
    for name in ("Dermatology", "Neurology", "Nephrology", "Urology", "Pediatrics", "Psychiatry"):
        make_specialty(name)


@pytest.fixture
def provider(schools, specialties):
    """Someone in the registry, with seven facts."""
    return make_provider(number="4301977598")


@pytest.fixture
def seeker(db):
    """An applicant who has claimed nothing yet."""
    return make_applicant()


@pytest.fixture
def reviewer(db):
    return make_reviewer()


@pytest.fixture
def second_reviewer(db):
    return make_reviewer()


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    """Documents of tests go into a folder of their own."""
    private = {**settings.STORAGES["private"], "OPTIONS": {"location": tmp_path, "base_url": None}}
    settings.STORAGES = {**settings.STORAGES, "private": private}
    return tmp_path


@pytest.fixture
def calls(settings):
    """What was said to telephones and faxes in this test, as (kind, number, words)."""
    settings.CALL_PROVIDER = recorded_calls.name(recorded_calls.Recorder)
    recorded_calls.SAID.clear()
    return recorded_calls.SAID


@pytest.fixture
def at_noon(monkeypatch):
    """It is noon in Michigan, and the clock can be moved: `at_noon(hours=9)`."""
    moment = [datetime(2026, 3, 4, 17, 0, tzinfo=UTC)]
    monkeypatch.setattr(timezone, "now", lambda: moment[0])

    def move(**by):
        moment[0] += timedelta(**by)

    return move
