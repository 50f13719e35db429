"""The demonstration of observers: each part fills what it shows, in this order."""

from importlib import import_module
from importlib.util import find_spec

PARTS = ("seats", "products", "industry", "market", "searches", "reading", "watching")


def seed() -> None:
    for part in PARTS:
        if find_spec(f"{__name__}.{part}"):
            import_module(f"{__name__}.{part}").seed()
