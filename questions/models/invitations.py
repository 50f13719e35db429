"""Who is asked into a discussion that only invited colleagues read."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Member
from questions.models.questions import Question

MOST_INVITED = 10


class InvitationQuerySet(models.QuerySet):
    def standing(self):
        """Those by which one may read: not declined, and not past their time."""
        sent = Q(state=Invitation.State.SENT, due_at__gt=Now())
        return self.filter(sent | Q(state=Invitation.State.ACCEPTED))

    def due(self):
        """Those whose time has passed and that nobody answered."""
        return self.filter(state=Invitation.State.SENT, due_at__lte=Now())


class Invitation(models.Model):
    """One colleague asked into one discussion. `due_at` is when an unanswered one ends.

    `agrees` says whether this colleague lets all physicians read what they wrote there, once they were asked.
    """

    class State(models.TextChoices):
        SENT = "sent", "Sent"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        EXPIRED = "expired", "Not answered in time"

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="invitations")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="invitations")
    state = models.CharField(max_length=8, choices=State, default=State.SENT)
    sent_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    asked_to_open_at = models.DateTimeField(null=True)
    agrees = models.BooleanField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["question", "member"], name="invitation_once"),
            models.CheckConstraint(
                condition=Q(state__in=["sent", "accepted", "declined", "expired"]),
                name="invitation_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["sent", "expired"], answered_at=None)
                | Q(state__in=["accepted", "declined"], answered_at__isnull=False),
                name="invitation_answered_with_moment",
            ),
            models.CheckConstraint(condition=Q(due_at__gt=F("sent_at")), name="invitation_due_after_sent"),
            models.CheckConstraint(
                condition=Q(agrees=None) | Q(asked_to_open_at__isnull=False),
                name="invitation_agrees_when_asked",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="sent"), name="invitation_due"),
        ]

    def __str__(self):
        return f"invitation {self.pk}"
