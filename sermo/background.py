"""Starting tasks from what a request wrote."""

from django.db import transaction


def nudge(task, *args) -> None:
    """Start a task once the transaction stands. Without a broker that is logged, and the request goes on.

    For what must happen all the same, rows say what is to do and a sweep finds them.
    """

    def start():
        task.delay(*args)

    transaction.on_commit(start, robust=True)
