"""The token that a voter's browser holds, and its hashes.

A token is 32 random bytes, made with a form and kept in no table. Its hashes differ by purpose and contain the voter
and the poll: without the token nobody can connect them, to each other or to a member, and with it only the same member
can.
"""

import hashlib
import secrets


def new_token() -> str:
    return secrets.token_urlsafe(32)


def ticket_key(token: str, poll_id: int, member_id: int) -> bytes:
    return _hash("ticket", token, poll_id, member_id)


def ballot_key(token: str, poll_id: int, member_id: int) -> bytes:
    return _hash("ballot", token, poll_id, member_id)


def _hash(purpose: str, token: str, poll_id: int, member_id: int) -> bytes:
    return hashlib.sha256(f"{purpose}:{poll_id}:{member_id}:{token}".encode()).digest()
