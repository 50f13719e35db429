"""Starting tasks from what a request wrote, and working off what rows say is due."""

from collections.abc import Callable, Iterable

import structlog
from django.db import transaction

log = structlog.get_logger(__name__)


def nudge(task, *args) -> None:
    """Start a task once the transaction stands. Without a broker that is logged, and the request goes on.

    For what must happen all the same, rows say what is to do and a sweep finds them.
    """

    def start():
        task.delay(*args)

    transaction.on_commit(start, robust=True)


def each_alone(act: Callable[[int], int], ids: Iterable[int], *, failed: str) -> int:
    """Do `act`, which keeps to transactions of its own, for each id; the sum of what it returned.

    A fault at one keeps no other from its turn: it is logged as `failed`, by its id and its kind and never its words,
    which may hold what nobody should read there. What its transaction would have written does not stand, so the next
    round finds it due again.
    """
    done = 0
    for each in list(ids):
        try:
            done += act(each)
        except Exception as error:
            log.error(failed, id=each, error=type(error).__name__)
    return done
