"""What members decided about words that looked like identifiers. Counts only, never the words."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.people import Member


class IdentifierDecision(models.Model):
    """A text went out although the check found something: what kinds of things, how many, and why."""

    class Why(models.TextChoices):
        NOT_PATIENT = "not_patient", "Not about a patient"
        PUBLISHED = "published", "A published author, trial or guideline"
        INSTITUTION = "institution", "A public office or institution"
        MISREAD = "misread", "No identifier at all"

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="identifier_decisions")
    place = models.CharField(max_length=20)  # "question", "answer", "comment", "profile", ...
    stops = models.JSONField(default=dict)  # {"phone": 1}: what must go, and stayed for a reason
    doubts = models.JSONField(default=dict)  # {"capitalized": 2}: what the author said is no patient's
    why = models.CharField(max_length=11, choices=Why, blank=True)
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(stops={}) | ~Q(why=""), name="identifier_stop_stays_for_a_reason"
            )
        ]
        indexes = [models.Index(fields=["member", "-decided_at"], name="identifier_decision_of")]

    def __str__(self):
        return f"identifier decision {self.pk}"
