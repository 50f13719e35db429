"""Solved cases told to the public."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from consults.models.cases import Case
from consults.models.consents import Consent
from consults.models.images import new_key
from questions.models import Question


def allowed_cases() -> models.QuerySet[Case]:
    """Those that stand, and whose patient, by a signature that holds, allowed a story."""
    consents = Consent.objects.standing().filter(kind=Consent.Kind.SIGNED, for_stories=True)
    rows = Case.objects.filter(Exists(consents.filter(pk=OuterRef("consent"))), withdrawn_at=None)
    return rows.exclude(question__status=Question.Status.REMOVED)


def tellable_cases() -> models.QuerySet[Case]:
    """Those of them that all physicians may read, and whose outcome stands: they may be told to everybody."""
    is_known = Q(intent=Case.Intent.TEACHING) | Q(question__solved_at__isnull=False)
    return allowed_cases().filter(is_known, question__audience=Question.Audience.PHYSICIANS)


class StoryQuerySet(models.QuerySet):
    def tellable(self):
        return self.filter(Exists(tellable_cases().filter(pk=OuterRef("case"))))

    def ended(self):
        """Those whose consent or case ended."""
        return self.filter(~Exists(allowed_cases().filter(pk=OuterRef("case"))))

    def told(self):
        """What anybody may read: looked at, and its case may still be told."""
        return self.tellable().filter(state=Story.State.TOLD)


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
