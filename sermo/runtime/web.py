"""The web server, `python -m sermo.runtime.web ADDRESS PORT`: granian with the site loaded once.

Importing the site costs seconds of one core. Granian's workers are forked, so it is done here, before there
are any: the second worker costs nothing, a worker that died is back at once, and their memory is shared.
"""

import gc
import multiprocessing
import sys

from granian import Granian
from granian.constants import Interfaces

WORKERS = 2
# A request leaves few cycles, and a look of the collector at all that a worker keeps takes 0.1 s.
COLLECT_AFTER = (20_000, 20, 50)
TARGET = "sermo.wsgi:application"


def main(address: str, port: int) -> None:
    server = Granian(
        TARGET,
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=WORKERS,
        blocking_threads=1,
        websockets=False,
        log_level="warning",
        respawn_failed_workers=True,
        workers_kill_timeout=5,
    )
    if not can_fork():
        server.serve()
        return
    application = load()
    server.serve(target_loader=lambda: application, wrap_loader=False)


def can_fork() -> bool:
    """Linux can; on macOS system libraries break after a fork, and granian takes what Python prefers."""
    if sys.platform != "linux":
        return False
    multiprocessing.set_start_method("fork")
    return True


def load():
    """The WSGI application with all its URLs and views, and no connection that a fork would share."""
    from django.core.cache import close_caches
    from django.db import connections
    from django.urls import get_resolver

    from sermo.wsgi import application

    get_resolver().url_patterns  # noqa: B018 - reading it imports every view
    connections.close_all()
    close_caches()
    gc.collect()
    gc.freeze()  # what all share is not looked at again by any worker's collector, which would copy the pages
    gc.set_threshold(*COLLECT_AFTER)
    return application


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
