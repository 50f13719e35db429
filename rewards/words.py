"""Money in words, and words in money."""

import re

from polls.words import dollars

__all__ = ["cents_of", "dollars", "signed", "whole"]

TYPED = re.compile(r"\$?\s*(\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.(\d{1,2}))?", re.ASCII)


def cents_of(text: str) -> int:
    """Cents of an amount as somebody types it: "25", "25.5", "$1,250.00". Raises ValueError, also for half a cent."""
    found = TYPED.fullmatch(text.strip())
    if not found:
        raise ValueError(f"not an amount of money: {text!r}")
    whole, part = found.groups()
    return int(whole.replace(",", "")) * 100 + int((part or "").ljust(2, "0"))


def signed(cents: int) -> str:
    """What came with a plus, what went with a minus: "+$25.00", "−$120.00"."""
    return f"{'−' if cents < 0 else '+'}{dollars(abs(cents))}"


def whole(cents: int) -> str:
    """A sum that may, rarely, be below zero: "$25.00", "−$5.00"."""
    return signed(cents) if cents < 0 else dollars(cents)
