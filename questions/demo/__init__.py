"""Discussions of the demonstration, hand-written in the .toml files beside this, one file a specialty."""

from questions.demo import people, seeding

__all__ = ["seed"]


def seed(stdout) -> None:
    seeding.seed(stdout)
    people.seed(stdout)
