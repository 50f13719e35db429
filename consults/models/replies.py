"""What colleagues take a case for, how sure they were, and what it turned out to be."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Member
from consults.models.cases import Case
from questions.models import Post, Vote
from questions.models.votes import SHORTEST_REASON

CONFIDENCES = (50, 60, 70, 80, 90, 100)  # percent


class Diagnosis(models.Model):
    """One diagnosis on the board of a case. `key` is its name in the form in which spellings are equal.

    A synonym points at what it was merged into, which was never merged itself: chains are one link long.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="diagnoses")
    name = models.CharField(max_length=120)
    key = models.CharField(max_length=120)
    code = models.CharField(max_length=8, blank=True)  # ICD-10-CM, with its dot
    merged_into = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="synonyms")
    named_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        verbose_name_plural = "diagnoses"
        constraints = [
            models.UniqueConstraint(fields=["case", "key"], name="diagnosis_once_per_case"),
            models.UniqueConstraint(fields=["id", "case"], name="diagnosis_with_case"),
            models.CheckConstraint(condition=~Q(key="") & ~Q(name=""), name="diagnosis_has_a_name"),
            models.CheckConstraint(
                condition=Q(merged_into=None) | ~Q(merged_into=F("id")), name="diagnosis_not_its_own_synonym"
            ),
        ]

    def __str__(self):
        return f"diagnosis {self.pk}"

    @property
    def root_id(self):
        """What it counts as."""
        return self.merged_into_id or self.pk


class DiagnosisVote(models.Model):
    """One physician's verdict on one diagnosis, as on an answer; a change of mind edits the row."""

    diagnosis = models.ForeignKey(Diagnosis, on_delete=models.CASCADE, related_name="votes")
    voter = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    value = models.SmallIntegerField(choices=Vote.Value)
    reason = models.CharField(max_length=10, choices=Vote.Reason, blank=True)
    explanation = models.TextField(max_length=500, blank=True)
    cast_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["diagnosis", "voter"], name="diagnosis_vote_once"),
            models.CheckConstraint(condition=Q(value__in=[1, -1]), name="diagnosis_vote_value_is_known"),
            models.CheckConstraint(
                condition=Q(value=1, reason="", explanation="")
                | (
                    Q(value=-1, reason__in=["evidence", "unsafe", "outdated", "incomplete"])
                    & Q(explanation__length__gte=SHORTEST_REASON)
                ),
                name="diagnosis_dispute_gives_reason",
            ),
        ]

    def __str__(self):
        return f"diagnosis vote {self.pk}"


class Reply(models.Model):
    """What an answer to a case says beside its words: a diagnosis, and how sure its author was.

    Neither changes once it is written. The forecast is a member's first diagnosis of a case, given before they saw
    others': it alone is scored, once the case has an outcome that was confirmed. Whether it `was_right` nobody but
    its author is ever told.
    """

    post = models.OneToOneField(Post, on_delete=models.CASCADE, primary_key=True, related_name="reply")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="replies")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="replies")
    diagnosis = models.ForeignKey(Diagnosis, on_delete=models.PROTECT, null=True, related_name="replies")
    confidence = models.PositiveSmallIntegerField(null=True)  # percent
    is_forecast = models.BooleanField(default=False)
    was_right = models.BooleanField(null=True)

    class Meta:
        default_permissions = ()
        verbose_name_plural = "replies"
        constraints = [
            models.UniqueConstraint(
                fields=["case", "member"], condition=Q(is_forecast=True), name="reply_one_forecast"
            ),
            models.CheckConstraint(
                condition=Q(diagnosis=None, confidence=None)
                | Q(diagnosis__isnull=False, confidence__in=[50, 60, 70, 80, 90, 100]),
                name="reply_diagnosis_with_confidence",
            ),
            models.CheckConstraint(
                condition=Q(is_forecast=False) | Q(diagnosis__isnull=False),
                name="reply_forecast_has_diagnosis",
            ),
            models.CheckConstraint(
                condition=Q(was_right=None) | Q(is_forecast=True), name="reply_only_forecasts_are_scored"
            ),
        ]
        indexes = [
            models.Index(fields=["member"], condition=Q(was_right__isnull=False), name="reply_scored"),
        ]

    def __str__(self):
        return f"reply {self.pk}"


class Solution(models.Model):
    """What a case turned out to be, and how that is known. A teaching case has it from the start.

    When it was solved, and by whom, the discussion knows: its `solved_at`, its credits, its outcome.
    """

    class Confirmed(models.TextChoices):
        PATHOLOGY = "pathology", "Pathology"
        IMAGING = "imaging", "Imaging or a laboratory test"
        RESPONSE = "response", "Response to treatment"
        EXPERT = "expert", "An expert’s opinion"
        UNKNOWN = "unknown", "Not confirmed"

    SCORES = (Confirmed.PATHOLOGY, Confirmed.IMAGING, Confirmed.RESPONSE, Confirmed.EXPERT)

    case = models.OneToOneField(Case, on_delete=models.CASCADE, primary_key=True, related_name="final")
    diagnosis = models.ForeignKey(Diagnosis, on_delete=models.PROTECT, related_name="+")
    confirmed = models.CharField(max_length=9, choices=Confirmed)
    stated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed__in=["pathology", "imaging", "response", "expert", "unknown"]),
                name="solution_confirmed_is_known",
            ),
        ]

    def __str__(self):
        return f"solution of case {self.pk}"
