"""The desk of focus groups is in `focusgroups.desk`."""

from focusgroups.desk import RoomAdmin

__all__ = ["RoomAdmin"]
