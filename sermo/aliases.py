"""Aliases of two words, from lists that hold no names: steady for whom they are made, and telling nothing of them."""

from functools import cache
from pathlib import Path

from sermo.crypto import keyed_digest

DATA = Path(__file__).with_name("data")


def alias_of(value: str, purpose: str) -> str:
    """The two words that stand for a value of a purpose, such as "Quiet harbor"."""
    digest = keyed_digest(value, purpose)
    first, second = words("first"), words("second")
    number = int.from_bytes(digest[:8]) % (len(first) * len(second))
    return f"{first[number // len(second)]} {second[number % len(second)]}".capitalize()


@cache
def words(which: str) -> tuple[str, ...]:
    """The words that can stand "first", or "second"."""
    lines = (DATA / f"alias_{which}.txt").read_text("utf-8").splitlines()
    return tuple(word for line in lines if not line.startswith("#") for word in line.split())
