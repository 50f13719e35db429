"""The audit trail of verification: append-only, hash-chained, and naming people only by random subjects."""

import hashlib
import json
import uuid

from django.conf import settings
from django.db import models


class Subject(models.Model):
    """Who a random id stands for. Deleting the row leaves the events and names nobody in them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="subject")

    class Meta:
        default_permissions = ()

    def __str__(self):
        return str(self.id)


class Event(models.Model):
    """Something that happened to a claim. Triggers refuse UPDATE, DELETE and TRUNCATE.

    Holds no answers, codes, names or document text. `key` makes an act that may be repeated leave one event.
    """

    at = models.DateTimeField()
    kind = models.CharField(max_length=24)
    case_number = models.CharField(max_length=11, blank=True, db_index=True)
    subject = models.UUIDField(null=True)
    actor = models.UUIDField(null=True)  # none: the site itself
    from_state = models.CharField(max_length=17, blank=True)
    to_state = models.CharField(max_length=17, blank=True)
    reason = models.CharField(max_length=24, blank=True)
    evidence = models.JSONField(default=list)
    address_hash = models.CharField(max_length=64, blank=True)
    object = models.CharField(max_length=40, blank=True, default="")  # "post:12", beside claims
    key = models.CharField(max_length=80, null=True, unique=True)  # noqa: DJ001 - none is not equal
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["prev_hash"], name="event_chain_is_a_line")]

    def __str__(self):
        return f"{self.kind} {self.case_number}".strip()

    def digest(self) -> str:
        """SHA-256 over all that this event says and the hash before it."""
        said = {
            "at": self.at.isoformat(),
            "subject": str(self.subject or ""),
            "actor": str(self.actor or ""),
            **{
                name: getattr(self, name)
                for name in (
                    "kind",
                    "case_number",
                    "from_state",
                    "to_state",
                    "reason",
                    "evidence",
                    "address_hash",
                    "key",
                )
            },
            "prev_hash": self.prev_hash,
        }
        if self.object:  # events of before it existed keep their hashes
            said["object"] = self.object
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
