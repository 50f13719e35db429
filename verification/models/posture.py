"""What a network of physicians owes when something goes wrong, and what it forgets in time."""

from datetime import date, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from sermo.fields import EncryptedTextField

CLOCK_DAYS = 60  # from discovery to the last notice at the latest: 45 CFR 164.404(b)


class Incident(models.Model):
    """Something that may have shown data to whom it was not for, from its discovery until it is closed.

    Steps are taken in their order, each once: detected, contained, assessed, notified (or found to need no notice),
    closed. The clock runs from the day it was discovered.
    """

    class Kind(models.TextChoices):
        ACCESS = "access", "Somebody read what was not for them"
        ACCOUNT = "account", "An account was taken over"
        IMPOSTOR = "impostor", "Somebody was verified who is not that physician"
        IDENTIFIER = "identifier", "A patient could be recognized"
        LOSS = "loss", "Data or a device was lost"
        OTHER = "other", "Something else"

    class Verdict(models.TextChoices):
        BREACH = "breach", "A breach: people are told"
        LOW_RISK = "low_risk", "Low probability of compromise: nobody needs to be told"
        NONE = "none", "Nothing was disclosed"

    title = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind)
    detected_at = models.DateTimeField()
    opened_at = models.DateTimeField(default=timezone.now)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    contained_at = models.DateTimeField(null=True)
    assessed_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=8, choices=Verdict, blank=True)
    affected = models.PositiveIntegerField("people affected", null=True)
    notified_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [("keep_incidents", "Can keep the record of incidents")]
        ordering = ["-detected_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(opened_at__gte=F("detected_at")), name="incident_found_before"
            ),
            models.CheckConstraint(
                condition=Q(assessed_at=None) | Q(contained_at__isnull=False), name="incident_contained_first"
            ),
            models.CheckConstraint(
                condition=Q(assessed_at=None, verdict="")
                | (Q(assessed_at__isnull=False, affected__isnull=False) & ~Q(verdict="")),
                name="incident_assessed_with_a_verdict",
            ),
            models.CheckConstraint(
                condition=Q(notified_at=None) | Q(verdict="breach"), name="incident_notice_of_a_breach"
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None)
                | Q(verdict="breach", notified_at__isnull=False)
                | Q(verdict__in=["low_risk", "none"]),
                name="incident_closed_once_told",
            ),
        ]

    def __str__(self):
        return self.title

    @property
    def due_on(self) -> date:
        """The last day of the clock (UTC)."""
        return (self.detected_at + timedelta(days=CLOCK_DAYS)).date()


class IncidentNote(models.Model):
    """What was found or done, in the order in which it was written. Never changed."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="notes")
    step = models.CharField(max_length=9, blank=True)  # the step that was taken with it
    text = EncryptedTextField()
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ("view",)
        ordering = ["at", "pk"]

    def __str__(self):
        return f"note {self.pk}"


class RetentionRun(models.Model):
    """That one rule of the retention table was carried out, and what it took away."""

    rule = models.CharField(max_length=40)
    at = models.DateTimeField(default=timezone.now)
    removed = models.PositiveIntegerField(default=0)
    left_over = models.PositiveIntegerField(
        default=0
    )  # past its time and still there: never, unless it failed
    failure = models.CharField(max_length=200, blank=True)

    class Meta:
        default_permissions = ("view",)
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["rule", "-at"], name="retention_run_by_rule")]

    def __str__(self):
        return f"{self.rule}: {self.removed}"
