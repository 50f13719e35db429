"""Polls of the demonstration, written in polls.toml, and the votes of its physicians."""

from polls.demo.seeding import seed

__all__ = ["seed"]
