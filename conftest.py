"""The cast of the tests, by role."""

import os
import time
from contextlib import nullcontext, suppress
from datetime import timedelta
from unittest.mock import patch

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.utils import OperationalError
from django.test import Client, override_settings
from django.utils import timezone
from django.utils.crypto import get_random_string

from accounts.roles import MODERATORS
from accounts.tests.factories import make_member, make_user
from sermo import sandbox
from sermo.sessions import SessionStore
from sermo.testing import nursery
from sermo.testing.copies import quick_copies
from sermo.testing.savepoints import savepoints_together
from sermo.testing.schema import quick_migrations


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings):
    """Before test databases are made: how they are built, and spoken to."""
    with quick_migrations(), savepoints_together(), quick_copies():
        yield


@pytest.fixture(autouse=True, scope="session")
def plain_static_files():
    """Addresses of static files without a manifest, which only `collectstatic` writes."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}):
        yield


@pytest.fixture(autouse=True)
def fresh_throttles():
    """Each test starts with nothing counted against its address."""
    caches["default"].clear()


@pytest.fixture
def quick_sandbox(monkeypatch):
    """Pictures are drawn by children that are forked, not started; see `sermo.testing.nursery`."""
    monkeypatch.setattr(sandbox, "subprocess", nursery)


@pytest.fixture(autouse=True, scope="module")
def quick_sandbox_above(request):
    """In the apps, which know the sandbox by what it returns; for worlds that a module makes once, too."""
    is_above = not request.path.is_relative_to(request.config.rootpath / "sermo")
    with patch.object(sandbox, "subprocess", nursery) if is_above else nullcontext():
        yield


@pytest.fixture(autouse=True, scope="session")
def generous_limits():
    """A cast of three writes more than three new members may; what the limits are is tested by itself."""
    with override_settings(DAILY_WRITES=dict.fromkeys(settings.DAILY_WRITES, 10_000)):
        yield


@pytest.fixture(autouse=True, scope="session")
def no_pace():
    """Nobody who could measure it waits here for an answer; that it comes no sooner is tested by itself."""
    with override_settings(NEUTRAL_SECONDS=0):
        yield


@pytest.fixture
def nobody_told(monkeypatch):
    """For tests of other things than notices: what the makers of discussions write is told to nobody.

    What a test itself writes, through a page or a service, is told as ever.
    """
    monkeypatch.setattr("questions.tests.factories.makers_tell", False)


FROM_CODE = {"django_content_type", "auth_permission"}  # which no test changes
OF_GROUPS = ("auth_group", "auth_group_permissions")  # which the migrations fill


GROUPS: dict[str, list[str]] = {}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """After test databases are made: what a flush leaves there is not sought anew after each.

    It puts the groups back with what they may, as they were: to have all apps say it again took longer than a test.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in OF_GROUPS:
            cursor.execute(f"SELECT row::text FROM {table} AS row")  # noqa: S608 - our own names
            GROUPS[table] = [row for (row,) in cursor.fetchall()]
    if os.environ["SERMO_TEST_POSTGRES"] == "own":  # it ends with the session, and its databases with it
        connection.creation.destroy_test_db = lambda *args, **options: connection.close()


@pytest.fixture(autouse=True, scope="session")
def flush_past_triggers():
    """Let the flush between tests, and nothing else, empty tables whose triggers refuse it.

    It deletes from the tables that hold something: a TRUNCATE would give every table and index a new file. A request
    that a closing browser left behind may deadlock with it, and is over a moment later.
    """
    ways = DatabaseOperations.sql_flush, DatabaseOperations.execute_sql_flush

    def sql_flush(self, style, tables, **options):
        filled = " UNION ALL ".join(
            f"SELECT '{table}' WHERE EXISTS (SELECT FROM {self.quote_name(table)})"  # noqa: S608 - our own names
            for table in sorted({*tables} - {*FROM_CODE, *OF_GROUPS})
        )
        with self.connection.cursor() as cursor:
            cursor.execute(filled)
            tables = [*OF_GROUPS, *(table for (table,) in cursor.fetchall())]
        return [
            *(f"DELETE FROM {self.quote_name(table)}" for table in tables),  # noqa: S608 - ditto
            *(
                f"INSERT INTO {table} SELECT (row::{table}).* FROM unnest(ARRAY{rows}) AS row"  # noqa: S608 - ditto
                for table, rows in GROUPS.items()
                if rows
            ),
        ]

    def execute_sql_flush(self, statements):
        past = [
            "SET session_replication_role = replica",
            *statements,
            "SET session_replication_role = origin",
        ]
        for _ in range(3):
            with suppress(OperationalError):
                return ways[1](self, past)
            time.sleep(0.5)
        return ways[1](self, past)

    DatabaseOperations.sql_flush, DatabaseOperations.execute_sql_flush = sql_flush, execute_sql_flush
    with patch("django.core.management.commands.flush.emit_post_migrate_signal"):
        yield
    DatabaseOperations.sql_flush, DatabaseOperations.execute_sql_flush = ways


@pytest.fixture
def physician(db):
    return make_member("left_atrium")


@pytest.fixture
def colleague(db):
    return make_member("nephron_loop", specialty="Nephrology")


@pytest.fixture
def third(db):
    return make_member("papular", specialty="Dermatology")


@pytest.fixture
def applicant(db):
    return make_member("new_attending", standing="applicant", specialty=None)


@pytest.fixture
def moderator(db):
    member = make_member("plainspoken", specialty="Family Medicine")
    member.user.groups.add(Group.objects.get_or_create(name=MODERATORS)[0])
    Authenticator.objects.create(user=member.user, type=Authenticator.Type.TOTP, data={})
    return member


@pytest.fixture
def staff(db):
    return make_user(is_staff=True)


def client_of(who):
    """A browser in which somebody is logged in: what `force_login` leaves, in two queries instead of fifteen."""
    user, now = getattr(who, "user", who), timezone.now()
    known = {
        SESSION_KEY: user._meta.pk.value_to_string(user),
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
    session = Session.objects.create(
        session_key=get_random_string(32),
        session_data=SessionStore().encode(known),
        expire_date=now + timedelta(seconds=settings.SESSION_COOKIE_AGE),
    )
    type(user).objects.filter(pk=user.pk).update(last_login=now)
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return client


@pytest.fixture
def physician_client(physician):
    return client_of(physician)


@pytest.fixture
def colleague_client(colleague):
    return client_of(colleague)


@pytest.fixture
def applicant_client(applicant):
    return client_of(applicant)
