"""Focus groups of the demonstration, written in rooms.toml: one of each state, as the services leave them."""

from focusgroups.demo.seeding import seed

__all__ = ["seed"]
