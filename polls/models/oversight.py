"""What people look at: votes that may not be one person's, and words put right after voting began."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Member
from polls.models.polls import Option, Poll


class ConcernQuerySet(models.QuerySet):
    def decided(self):
        """Those decided once at least; an objection opens one again."""
        return self.exclude(state=Concern.State.OPEN, objection="")


class Concern(models.Model):
    """A vote that a person should look at. It counts all the same: which one it was in the result nobody can tell."""

    class Kind(models.TextChoices):
        SPEED = "speed", "Faster than the poll can be read"
        BROWSER = "browser", "From a browser that another member voted with"
        ADDRESS = "address", "Many votes from one address within an hour"

    class State(models.TextChoices):
        OPEN = "open", "Not looked at"
        DISMISSED = "dismissed", "Nothing wrong"
        UPHELD = "upheld", "Against the rules"

    poll = models.ForeignKey(Poll, on_delete=models.CASCADE, related_name="concerns")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="poll_concerns")
    kind = models.CharField(max_length=7, choices=Kind)
    raised_on = models.DateField()  # a day and no moment, which could be compared with others
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    reason = models.CharField(max_length=500, blank=True)  # of the latest decision
    objection = models.CharField(max_length=500, blank=True)  # the member's, which opens it once more
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    objects = ConcernQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["poll", "member", "kind"], name="concern_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["speed", "browser", "address"]), name="concern_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "dismissed", "upheld"]), name="concern_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at=None)
                | (~Q(state="open") & Q(decided_at__isnull=False) & ~Q(reason="")),
                name="concern_decided_with_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["raised_on", "id"], condition=Q(state="open"), name="concern_waiting")
        ]

    def __str__(self):
        return f"concern {self.pk}"


class Correction(models.Model):
    """A slip of the pen that a moderator put right after voting began; it stands under the poll for good."""

    poll = models.ForeignKey(Poll, on_delete=models.CASCADE, related_name="corrections")
    option = models.ForeignKey(
        Option, on_delete=models.CASCADE, null=True, related_name="+"
    )  # none: the question
    was = models.CharField(max_length=200)
    became = models.CharField(max_length=200)
    moderator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        ordering = ["made_at", "pk"]

    def __str__(self):
        return f"correction {self.pk}"
