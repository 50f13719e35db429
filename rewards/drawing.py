"""The draw of paid voters, as anybody can repeat it.

All texts are ASCII, all results 64 lower-case hexadecimal digits. The key of a day is such a text itself, and is used
as that text, not as the bytes it stands for. Of a discussion with number Q (as in its address), drawn on a day with
key K:

    commitment = SHA-256(K)                                      published at least a day before
    seed       = HMAC-SHA-256(key K, "seed:Q")
    ticket     = HMAC-SHA-256(key K, "ticket:Q:V")               V: the voter's draw name, a UUID as 8-4-4-4-12
    place      = SHA-256("seed:N:ticket"), both in full          N: the number of the pool in the discussion, 1, 2, ...

The tickets of a pool in the order of their places are the order drawn; as many as there are slots win. Neither what
somebody voted, nor when, nor who they are enters anywhere: a draw name is random and serves for nothing else, not for
the books, so that whoever reads those can tell no ticket.
"""

import hashlib
import hmac
from collections.abc import Iterable
from uuid import UUID


def commitment(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def seed(key: str, question_id: int) -> str:
    return _hmac(key, f"seed:{question_id}")


def ticket(key: str, question_id: int, draw_name: UUID) -> str:
    return _hmac(key, f"ticket:{question_id}:{draw_name}")


def order(seed: str, pool_number: int, tickets: Iterable[str]) -> list[str]:
    """All tickets of a pool, the first drawn first, in whichever order they are given."""

    def place(ticket: str) -> str:
        return hashlib.sha256(f"{seed}:{pool_number}:{ticket}".encode()).hexdigest()

    return sorted(tickets, key=place)


def _hmac(key: str, text: str) -> str:
    return hmac.digest(key.encode(), text.encode(), hashlib.sha256).hex()
