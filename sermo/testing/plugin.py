"""pytest plugin: own servers for the session, and a Chromium for tests marked `browser`.

Named in pytest.ini with `-p`, since the servers must run, and the environment name them, before Django's
settings are read. With xdist the controller starts them; each worker takes databases and a VAR_DIR of its own.
"""

import atexit
import gc
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sermo.runtime import addresses, places
from sermo.testing.servers import CHECKOUT, SessionServers, clear_killed_sessions

pytest_plugins = ["sermo.testing.browsers"]

SERVERS = pytest.StashKey[SessionServers]()

# What a developer may have exported for `make run`; tests see the settings' own defaults.
NOT_FOR_TESTS = (
    "ALLOWED_HOSTS",
    "BIND",
    "DEBUG",
    "DEMO",
    "EMAIL_URL",
    "FIELD_KEYS",
    "HASH_KEY",
    "MIGRATE_DATABASE_URL",
    "PORT",
    "SECRET_KEY",
    "SITE_URL",
    "STORAGE_URL",
)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config, parser, args):
    options = parser.parse_known_args(args)
    if options.help or options.version:
        return (yield)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker:
        keep_bytecode()
        early_config.stash[SERVERS] = start_servers()
    take_own_share(worker_number(worker))
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session):
    """What is loaded until all tests are known is no garbage, and is not searched for it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish(session):
    """What has been loaded by now stays: garbage is sought among what the tests make, and less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def pytest_unconfigure(config):
    if servers := config.stash.get(SERVERS, None):
        servers.stop()


def keep_bytecode() -> None:
    """Where a shell forbids __pycache__, compile once into var/: a session has many processes, all with Django."""
    if sys.dont_write_bytecode:
        folder = str(places.server_base(CHECKOUT / "var") / "bytecode")
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        sys.dont_write_bytecode, sys.pycache_prefix = False, folder
        # What the children of `sermo.sandbox` load, who may read that folder and not write to it.
        subprocess.run(
            [
                sys.executable,
                "-c",
                "import pillow_heif, sermo.dicom, sermo.faces, sermo.images, sermo.redaction",
            ],
            cwd=CHECKOUT,
            check=False,
        )


def start_servers() -> SessionServers:
    for name in NOT_FOR_TESTS:
        os.environ.pop(name, None)
    # Playwright's event loop lives on the tests' own thread, which Django would take for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    clear_killed_sessions()
    servers = SessionServers()
    atexit.register(servers.stop)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, interrupt)
    servers.start()
    os.environ["SERMO_TEST_REDIS"] = os.environ["REDIS_URL"]
    os.environ["SERMO_TEST_VAR"] = os.environ["VAR_DIR"]
    os.environ["SERMO_TEST_POSTGRES"] = "own" if servers.has_own_postgres else "named"
    return servers


def interrupt(number, frame):
    """A SIGTERM ends a session as Ctrl-C does, with its servers."""
    raise KeyboardInterrupt


def take_own_share(number: int) -> None:
    """Databases and files of one process; the two databases REDIS_URL itself stands for are nobody's."""
    named = os.environ["SERMO_TEST_REDIS"]
    first = addresses.database_number(named) + 2 + 2 * number
    os.environ["REDIS_URL"] = addresses.with_database_number(named, first)
    var_dir = Path(os.environ["SERMO_TEST_VAR"]) / f"{number}"
    (var_dir / "static").mkdir(parents=True, exist_ok=True)  # where whitenoise looks
    os.environ["VAR_DIR"] = str(var_dir)


def worker_number(worker: str) -> int:
    """0 without xdist, 1 for gw0, and so on."""
    return int(worker.removeprefix("gw")) + 1 if worker else 0
