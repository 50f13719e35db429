"""Cases of the demonstration, written in cases.toml with pictures that are drawn."""

from consults.demo.seeding import seed

__all__ = ["seed"]
