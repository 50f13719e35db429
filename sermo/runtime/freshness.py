"""Whether the last run prepared exactly this checkout and this database, so that the next may serve at once.

Preparing costs a whole start of Django to find out that nothing is to be done. Two cheap looks replace it: the
sources' sizes and times of change, and the migrations recorded in the embedded database, asked through its own psql.
"""

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from sermo.runtime import addresses
from sermo.runtime.postgres import Postgres

NOT_SOURCES = {"var", "__pycache__", "tests", "test-results"}
SETTINGS = ("DEMO", "DEBUG", "SITE_URL", "DJANGO_SETTINGS_MODULE")  # what else decides what is prepared


def is_fresh(var_dir: Path, sources: str, server: Postgres, env: Mapping[str, str]) -> bool:
    if not (var_dir / "static" / "staticfiles.json").exists():
        return False
    try:
        return json.loads(note_of(var_dir).read_text()) == marks(sources, server, env)
    except (OSError, ValueError):
        return False


def note_prepared(var_dir: Path, sources: str, server: Postgres, env: Mapping[str, str]) -> None:
    found = marks(sources, server, env)
    if found["database"]:
        note_of(var_dir).write_text(json.dumps(found))


def forget(var_dir: Path) -> None:
    note_of(var_dir).unlink(missing_ok=True)


def note_of(var_dir: Path) -> Path:
    return var_dir / "fresh.json"


def marks(sources: str, server: Postgres, env: Mapping[str, str]) -> dict[str, str]:
    return {
        "sources": sources,
        "settings": " ".join(f"{name}={env.get(name, '')}" for name in SETTINGS),
        "database": database_mark(server),
    }


def checkout_mark(checkout: Path) -> str:
    digest = hashlib.sha256()
    for folder, below, names in os.walk(checkout):
        below[:] = sorted(name for name in below if name not in NOT_SOURCES and not name.startswith("."))
        for name in sorted(names):
            found = os.stat(os.path.join(folder, name), follow_symlinks=False)
            digest.update(os.fsencode(f"{folder}/{name}\0{found.st_size}\0{found.st_mtime_ns}\0"))
    return digest.hexdigest()


def database_mark(server: Postgres) -> str:
    """A hash of the recorded migrations with their moments; empty where there are none, or no psql to ask."""
    question = (
        "SELECT string_agg(format('%s.%s %s', app, name, applied), ',' ORDER BY id) FROM django_migrations"
    )
    command = [
        server.binaries / "psql",
        "-XAtq",
        "-h",
        server.socket_dir,
        "-U",
        addresses.USER,
        "-c",
        question,
    ]
    try:
        answer = subprocess.run(
            [*map(str, command), addresses.DATABASE],
            capture_output=True,
            env={**server.env, "HOME": os.devnull},
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    said = answer.stdout.strip()
    return hashlib.sha256(said).hexdigest() if answer.returncode == 0 and said else ""
