"""Discussions of the demonstration, hand-written in the .toml files beside this, one file a specialty."""

from questions.demo.seeding import seed

__all__ = ["seed"]
