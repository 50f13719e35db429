"""Model fields whose content is unreadable in a database dump."""

import json

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from sermo import crypto


class EncryptedTextField(models.BinaryField):
    """Text stored encrypted (see `sermo.crypto`). It cannot be searched; keep a keyed hash beside it for that."""

    def get_db_prep_value(self, value, connection, prepared=False):
        sealed = None if value is None else crypto.encrypt(self.to_plain(value).encode())
        return super().get_db_prep_value(sealed, connection, prepared)

    def from_db_value(self, value, expression, connection):
        return None if value is None else self.from_plain(crypto.decrypt(bytes(value)).decode())

    def to_plain(self, value) -> str:
        return value

    def from_plain(self, text: str):
        return text

    def get_lookup(self, name):
        return super().get_lookup(name) if name == "isnull" else None

    def value_to_string(self, obj):
        raise TypeError("Encrypted fields are not serialized.")


class EncryptedJSONField(EncryptedTextField):
    """Any JSON value, stored encrypted as one blob."""

    def to_plain(self, value) -> str:
        return json.dumps(value, cls=DjangoJSONEncoder)

    def from_plain(self, text: str):
        return json.loads(text)
