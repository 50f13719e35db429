"""Solved cases told to the public."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from consults.models.cases import Case
from consults.models.images import new_key


class StoryQuerySet(models.QuerySet):
    def told(self):
        """What anybody may read: checked, and its case still stands under a consent that covers it."""
        from consults.models.consents import Consent

        consents = Consent.objects.standing().filter(for_stories=True, pk=models.OuterRef("case__consent"))
        solved = Q(case__intent=Case.Intent.TEACHING) | Q(case__question__solved_at__isnull=False)
        told = self.filter(solved, models.Exists(consents), state=Story.State.TOLD, case__withdrawn_at=None)
        return told.exclude(case__question__status="removed")


class Story(models.Model):
    """How one case was solved, in its author's words, for everybody to read. It names no one and links to no case.

    Words are checked for identifiers when they are sent and looked at by a moderator before anybody reads them.
    """

    class State(models.TextChoices):
        CHECKING = "checking", "Waiting for a moderator"
        RETURNED = "returned", "Sent back"
        TOLD = "told", "Published"
        TAKEN_BACK = "taken", "Taken back"

    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="story")
    key = models.CharField(max_length=24, unique=True, default=new_key, editable=False)
    title = models.CharField(max_length=120)
    source = models.TextField()
    html = models.TextField()
    state = models.CharField(max_length=8, choices=State, default=State.CHECKING)
    written_at = models.DateTimeField(default=timezone.now)
    checked_at = models.DateTimeField(null=True)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    answer = models.CharField(max_length=500, blank=True)  # what a moderator said who sent it back

    objects = StoryQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        verbose_name_plural = "stories"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["checking", "returned", "told", "taken"]), name="story_state_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="told") | Q(checked_at__isnull=False), name="story_told_after_a_look"
            ),
        ]
        indexes = [models.Index(fields=["-checked_at"], condition=Q(state="told"), name="story_told")]

    def __str__(self):
        return f"story {self.pk}"

    def get_absolute_url(self):
        return reverse("consults:story", args=[self.key])
