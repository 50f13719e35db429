"""Taking one's data along, and leaving."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


def new_export_key() -> str:
    return secrets.token_urlsafe(16)


class Export(models.Model):
    """A worker's job: everything about one person as a zip, kept for a week."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Being made"
        DONE = "done", "Ready"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Failed"
        GONE = "gone", "Deleted"

    key = models.CharField(max_length=22, unique=True, default=new_export_key, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exports")
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    parts = models.PositiveSmallIntegerField(default=0)
    parts_done = models.PositiveSmallIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)  # bytes
    asked_at = models.DateTimeField(default=timezone.now)
    beat_at = models.DateTimeField(null=True, blank=True)  # when the worker last gave a sign
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(state__in=["waiting", "running"]), name="export_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running", "done", "stopped", "failed", "gone"]),
                name="export_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(parts_done__lte=models.F("parts")), name="export_done_at_most_all"
            ),
        ]
        indexes = [models.Index(fields=["user", "-asked_at"], name="export_latest")]

    def __str__(self):
        return f"export {self.pk}"

    @property
    def file_name(self):
        """Where the zip lies in the private storage, encrypted."""
        return f"exports/{self.key[:2]}/{self.key}"

    @property
    def is_active(self):
        return self.state in (self.State.WAITING, self.State.RUNNING)

    @property
    def is_ready(self):
        return self.state == self.State.DONE

    @property
    def percent(self):
        return 100 * self.parts_done // self.parts if self.parts else 0

    @property
    def kept_until(self):
        """When a finished file is deleted, or None."""
        return self.finished_at + timedelta(days=settings.EXPORT_KEEP_DAYS) if self.is_ready else None
