"""Identity data at rest: encryption with FIELD_KEYS, look-up by keyed hashes with HASH_KEY.

The two sets of keys are independent of SECRET_KEY and of each other. The newest key of FIELD_KEYS (the first)
writes; all of them read, so a key can be retired once everything is written anew.
"""

import hashlib
import hmac
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

__all__ = [
    "InvalidToken",
    "decrypt",
    "encrypt",
    "is_of_newest_key",
    "keyed_digest",
    "keyed_hash",
    "rotate",
]


@cache
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(plain: bytes) -> bytes:
    """Encrypt and authenticate; the result is URL-safe ASCII, about 4/3 of the input plus 100 bytes."""
    return _ring(tuple(settings.FIELD_KEYS)).encrypt(plain)


def decrypt(token: bytes) -> bytes:
    """Undo `encrypt`. Raises InvalidToken when no key of FIELD_KEYS fits or the token was altered."""
    return _ring(tuple(settings.FIELD_KEYS)).decrypt(token)


def rotate(token: bytes) -> bytes:
    """Re-encrypt a token under the newest key."""
    return _ring(tuple(settings.FIELD_KEYS)).rotate(token)


def is_of_newest_key(token: bytes) -> bool:
    """Whether a token is whole and was made with the key that writes."""
    try:
        _ring(tuple(settings.FIELD_KEYS[:1])).decrypt(token)
    except InvalidToken:
        return False
    return True


def keyed_digest(value: str, purpose: str) -> bytes:
    """HMAC-SHA256 of a value under a key of its own for each purpose, as 32 bytes."""
    key = hmac.digest(settings.HASH_KEY, purpose.encode(), hashlib.sha256)
    return hmac.digest(key, value.encode(), hashlib.sha256)


def keyed_hash(value: str, purpose: str) -> str:
    """The same as 64 hex digits: equal values match, yet nothing can be looked up without the key."""
    return keyed_digest(value, purpose).hex()
