"""Cases of the demonstration, written in cases.toml with pictures that are drawn, and who is on call."""

from consults.demo import on_call, private, seeding


def seed(stdout) -> None:
    """Write all of it once; a second run changes nothing."""
    seeding.seed(stdout)
    on_call.seed(stdout)
    private.seed(stdout)
