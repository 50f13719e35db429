"""The desk of focus groups. Each module adds its pages to `base`; `rooms` draws up their addresses.

Modules of pages are imported here; apps above this one add theirs when they are ready.
"""

from focusgroups.desk import (  # noqa: F401 - they add pages
    board,
    guide,
    live,
    log,
    outcome,
    overview,
    people,
    permissions,
    preview,
    setup,
    stream,
)
from focusgroups.desk.rooms import RoomAdmin

__all__ = ["RoomAdmin"]
