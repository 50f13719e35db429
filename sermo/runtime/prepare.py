"""Bring everything behind the pages up to date: `python -m sermo.runtime.prepare`, started by the supervisor.

Migrates, loads reference data, seeds the demo once, collects static files; each only where something changed.
What was done stands in VAR_DIR/prepared.json, tied to the very database it was done to.
"""

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from sermo.runtime.trouble import Trouble

PATIENCE = 15  # seconds for a database or a broker named in the environment to answer


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sermo.settings")
    import django

    django.setup()
    wait_for_database()
    wait_for_redis()
    migrate()
    done = Done.of_this_database()
    load_reference(done)
    seed_demo(done)
    collect_static(done)


def wait_for_database() -> None:
    from django.db import connection
    from django.db.utils import OperationalError

    answer(connection.ensure_connection, OperationalError, "The database (DATABASE_URL)")


def wait_for_redis() -> None:
    import redis
    from django.conf import settings

    client = redis.Redis.from_url(settings.CACHES["default"]["LOCATION"], socket_connect_timeout=3)
    answer(client.ping, redis.RedisError, "Redis (REDIS_URL)")


def answer(ask, refusal: type[Exception], who: str) -> None:
    """Ask until there is an answer. Raises Trouble when PATIENCE is over."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            ask()
            return
        except refusal as error:
            if time.monotonic() > deadline:
                first_line = next(iter(str(error).splitlines()), "no reason given")
                raise Trouble(f"{who} does not answer: {first_line}") from error
            time.sleep(0.3)


def migrate() -> None:
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        say("Migrating the database")
        call_command("migrate", interactive=False, verbosity=1)


class Done(dict):
    """What was prepared before, as fingerprints by subject; forgotten when the database is another one."""

    @classmethod
    def of_this_database(cls) -> "Done":
        from django.conf import settings

        done = cls()
        done.path = Path(settings.VAR_DIR) / "prepared.json"
        with contextlib.suppress(OSError, ValueError):
            done.update(json.loads(done.path.read_text()))
        identity = database_identity()
        if done.get("database") != identity:
            done.clear()
            done["database"] = identity
        return done

    def note(self, subject: str, mark: str) -> None:
        self[subject] = mark
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(self, indent=1))
        draft.replace(self.path)


def database_identity() -> str:
    """The microsecond of its first migration: no two databases share it, and a restored one keeps it."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT applied FROM django_migrations ORDER BY id LIMIT 1")
        return cursor.fetchone()[0].isoformat()


def load_reference(done: Done) -> None:
    from django.conf import settings
    from django.core.management import call_command

    mark = fingerprint(reference_files(settings.LOCAL_APPS))
    if done.get("reference") != mark:
        say("Loading reference data")
        call_command("seed_reference")
        done.note("reference", mark)


def reference_files(apps: Iterable[str]) -> dict[str, Path]:
    """What `seed_reference` reads, by the project's convention: reference.py and data/ of each app."""
    folders = [Path(import_module(app).__path__[0]) for app in apps]
    found = [path for folder in folders for path in (folder / "reference.py", *folder.glob("data/**/*"))]
    return {str(path): path for path in found if path.is_file()}


def seed_demo(done: Done) -> None:
    from django.conf import settings
    from django.core.management import call_command

    if settings.DEMO and "demo" not in done:
        say("Seeding the demo")
        call_command("seed_demo")
        done.note("demo", datetime.now(UTC).isoformat(timespec="seconds"))


def collect_static(done: Done) -> None:
    from django.conf import settings
    from django.core.management import call_command

    if settings.DEBUG:
        return  # served from their sources
    mark = fingerprint(static_files())
    if done.get("static") != mark or not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        say("Collecting static files")
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        done.note("static", mark)


def static_files() -> dict[str, Path]:
    """Every static file by its public name, wherever its finder keeps it."""
    from django.contrib.staticfiles.finders import get_finders

    listed = (finder.list(["CVS", ".*", "*~"]) for finder in get_finders())
    return {name: Path(storage.path(name)) for finder in listed for name, storage in finder}


def fingerprint(files: dict[str, Path]) -> str:
    """A hash of names and contents; by times of change a fresh checkout of the same files would differ."""
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        digest.update(f"{name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    try:
        main()
    except Trouble as trouble:
        sys.exit(str(trouble))
