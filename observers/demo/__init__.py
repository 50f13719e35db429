"""The demonstration of observers: each part fills what it shows, in this order."""

from importlib import import_module
from importlib.util import find_spec

from observers.models import Contract, Seat

PARTS = (
    *("seats", "figures", "products", "industry", "market", "reading", "searches", "watching", "safety"),
    "rooms",
)


def seed(stdout) -> None:
    """Each part writes its own once; a second run changes nothing."""
    for part in PARTS:
        if find_spec(f"{__name__}.{part}"):
            import_module(f"{__name__}.{part}").seed()
    stdout.write(f"observers: {Contract.objects.count()} firms under contract, {Seat.objects.count()} seats")
