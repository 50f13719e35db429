import pytest
from cryptography.fernet import Fernet

from sermo import crypto


def test_only_the_newest_key_writes_and_all_read(settings):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.FIELD_KEYS = [old]
    token = crypto.encrypt(b"1234567893")

    settings.FIELD_KEYS = [new, old]
    assert crypto.decrypt(token) == b"1234567893"
    rotated = crypto.rotate(token)

    settings.FIELD_KEYS = [new]
    assert crypto.decrypt(rotated) == b"1234567893"
    with pytest.raises(crypto.InvalidToken):
        crypto.decrypt(token)


def test_an_altered_token_is_refused(settings):
    token = bytearray(crypto.encrypt(b"secret"))
    token[20] ^= 1

    with pytest.raises(crypto.InvalidToken):
        crypto.decrypt(bytes(token))


def test_hashes_differ_by_purpose_and_key(settings):
    one = crypto.keyed_hash("1234567893", "npi")

    assert one == crypto.keyed_hash("1234567893", "npi")
    assert one != crypto.keyed_hash("1234567893", "license")
    settings.HASH_KEY = bytes(32)
    assert one != crypto.keyed_hash("1234567893", "npi")
