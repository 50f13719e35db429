"""A case on its way to its readers: typed, photographed, and perhaps waiting for a moderator."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from accounts.roles import is_moderator

MOST_DRAFTS = 5  # of one member, those that wait among them


class CaseDraftQuerySet(models.QuerySet):
    def own(self, member: Member | None):
        return self.filter(member=member) if member else self.none()

    def on_desk(self, user):
        """What waits for a moderator, for moderators, who never look at cases of their own."""
        if not is_moderator(user):
            return self.none()
        rows = self.filter(state=CaseDraft.State.WAITING)
        return rows.exclude(member=user.as_member) if user.as_member else rows


class CaseDraft(models.Model):
    """What one member has written of a case that nobody else can read yet.

    `fields` are the values of the form by name, as typed. While it waits, its pictures are masked and their originals
    destroyed. Published, the draft goes and its pictures hang on the case.
    """

    class State(models.TextChoices):
        WRITING = "writing", "In writing"
        WAITING = "waiting", "Waiting for a moderator"
        RETURNED = "returned", "Sent back"

    key = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)  # also the submission
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="case_drafts")
    fields = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State, default=State.WRITING)
    saved_at = models.DateTimeField(default=timezone.now)
    submitted_at = models.DateTimeField(null=True)
    consent = models.ForeignKey("Consent", on_delete=models.PROTECT, null=True, related_name="drafts")
    hits = models.JSONField(default=dict)  # why it waits, see services.triage.Hits
    answer = models.CharField(max_length=500, blank=True)  # what a moderator said who sent it back
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    objects = CaseDraftQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["writing", "waiting", "returned"]), name="case_draft_state_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="waiting") | Q(submitted_at__isnull=False, consent__isnull=False),
                name="case_draft_waits_with_moment_and_consent",
            ),
            models.CheckConstraint(
                condition=~Q(state="returned") | ~Q(answer=""), name="case_draft_returned_with_words"
            ),
        ]
        indexes = [
            models.Index(fields=["submitted_at"], condition=Q(state="waiting"), name="case_draft_queue")
        ]

    def __str__(self):
        return f"case draft {self.key}"

    def get_absolute_url(self):
        return reverse("consults:write", args=[self.key])

    @property
    def is_waiting(self):
        return self.state == self.State.WAITING

    @property
    def title(self):
        return self.fields.get("title") or "Case without a title"
