"""News of the demonstration, all of it invented, written in news.toml."""

from newsfeed.demo import members, seeding

__all__ = ["seed"]


def seed(stdout) -> None:
    """Write all of it once; a second run changes nothing."""
    seeding.seed(stdout)
    members.seed(stdout)
