"""Addresses as firms see them: nothing in them tells a number that firms share, and no two firms share one.

A key is one AES block of kind and number, under a key of the firm. What the block holds besides is zero, and shows
on the way back whether the key is of this firm and of this kind.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from rewards.models import Firm
from sermo.crypto import keyed_digest

QUESTION, POST, SEARCH, INVITATION, ROOM = b"q", b"p", b"s", b"i", b"r"
PURPOSE = "observers.keys"
NUMBER = 8  # bytes of a number; the other seven are zero
LENGTH = 22  # characters of a key


def question_key(firm: Firm, pk: int) -> str:
    return _key(firm, QUESTION, pk)


def question_pk(firm: Firm, key: str) -> int | None:
    """The discussion a key of this firm leads to, by number; None for any other text."""
    return _pk(firm, QUESTION, key)


def post_key(firm: Firm, pk: int) -> str:
    return _key(firm, POST, pk)


def post_pk(firm: Firm, key: str) -> int | None:
    return _pk(firm, POST, key)


def search_key(firm: Firm, pk: int) -> str:
    return _key(firm, SEARCH, pk)


def search_pk(firm: Firm, key: str) -> int | None:
    return _pk(firm, SEARCH, key)


def room_key(firm: Firm, pk: int) -> str:
    return _key(firm, ROOM, pk)


def room_pk(firm: Firm, key: str) -> int | None:
    return _pk(firm, ROOM, key)


def invitation_key(pk: int) -> str:
    """Of the site and no firm: whose it is, the view asks."""
    return _key(None, INVITATION, pk)


def invitation_pk(key: str) -> int | None:
    return _pk(None, INVITATION, key)


def _key(firm: Firm | None, kind: bytes, pk: int) -> str:
    block = kind + bytes(7) + pk.to_bytes(NUMBER)
    encryptor = _cipher(_secret(firm)).encryptor()
    return urlsafe_b64encode(encryptor.update(block) + encryptor.finalize()).rstrip(b"=").decode()


def _pk(firm: Firm | None, kind: bytes, key: str) -> int | None:
    if len(key) != LENGTH or not key.isascii():
        return None
    try:
        sealed = urlsafe_b64decode(key + "==")
    except ValueError:
        return None
    if len(sealed) != 16:
        return None
    decryptor = _cipher(_secret(firm)).decryptor()
    block = decryptor.update(sealed) + decryptor.finalize()
    pk = int.from_bytes(block[-NUMBER:])
    # One text a number: characters that decoding passes over, and spare bits of the last, make no second key.
    return pk if block.startswith(kind + bytes(7)) and _key(firm, kind, pk) == key else None


def _secret(firm: Firm | None) -> bytes:
    return keyed_digest(str(firm.pk) if firm else "", PURPOSE)


@lru_cache(200)
def _cipher(secret: bytes) -> Cipher:
    return Cipher(algorithms.AES(secret), modes.ECB())  # noqa: S305 - one block, never two of one message
