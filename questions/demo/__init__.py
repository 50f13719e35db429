"""Discussions of the demonstration, hand-written in the .toml files beside this, one file a specialty."""

from questions.demo import lists, loop, moderation, people, searches, seeding

__all__ = ["seed"]


def seed(stdout) -> None:
    seeding.seed(stdout)
    people.seed(stdout)
    loop.seed(stdout)
    moderation.seed(stdout)
    lists.seed(stdout)
    searches.seed(stdout)
