"""What helps a question along: whom it was put to, what it refers to, what became of it."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Member
from questions.models.posts import Post
from questions.models.questions import Question


class Asked(models.Model):
    """A member to whom a new discussion was put, and why this one."""

    class Why(models.TextChoices):
        PAST = "past", "Corroborated on this before"
        INTEREST = "interest", "Shares the topic"
        NEWCOMER = "newcomer", "New to the topic"

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="asked")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="asked")
    why = models.CharField(max_length=8, choices=Why)
    reached = models.BooleanField(default=False)  # told at once; else by digest
    asked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        verbose_name_plural = "asked"
        constraints = [
            models.UniqueConstraint(fields=["question", "member"], name="asked_once"),
            models.CheckConstraint(
                condition=Q(why__in=["past", "interest", "newcomer"]), name="asked_reason_is_known"
            ),
        ]
        indexes = [models.Index(F("member"), F("asked_at").desc(), name="asked_of_member")]

    def __str__(self):
        return f"asked {self.pk}"


class FollowUp(models.Model):
    """The question to an asker, some days after the solution, what became of the patient. Answers are pinned."""

    class Days(models.IntegerChoices):
        WEEK = 7, "a week"
        MONTH = 30, "a month"
        QUARTER = 90, "three months"

    class Finding(models.TextChoices):
        CONFIRMED = "confirmed", "As the credited answers said"
        PARTLY = "partly", "Partly as they said"
        OTHERWISE = "otherwise", "Otherwise"
        UNKNOWN = "unknown", "Not known"

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="follow_ups")
    days = models.PositiveSmallIntegerField(choices=Days)
    due_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    finding = models.CharField(max_length=9, choices=Finding, blank=True)
    text = models.CharField(max_length=500, blank=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["question", "days"], name="follow_up_once"),
            models.CheckConstraint(condition=Q(days__in=[7, 30, 90]), name="follow_up_days_are_known"),
            models.CheckConstraint(
                condition=Q(finding__in=["", "confirmed", "partly", "otherwise", "unknown"]),
                name="follow_up_finding_is_known",
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None, finding="", text="")
                | (Q(answered_at__isnull=False) & ~Q(finding="")),
                name="follow_up_answer_has_finding",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(asked_at=None, answered_at=None), name="follow_up_due"
            )
        ]

    def __str__(self):
        return f"follow-up {self.pk}"


class Reference(models.Model):
    """A paper, trial or page that a post refers to, in the order of its text."""

    class Kind(models.TextChoices):
        PMID = "pmid", "PubMed"
        DOI = "doi", "DOI"
        NCT = "nct", "ClinicalTrials.gov"
        URL = "url", "Link"

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="references")
    kind = models.CharField(max_length=4, choices=Kind)
    value = models.CharField(max_length=400)
    place = models.PositiveSmallIntegerField()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["post", "kind", "value"], name="reference_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["pmid", "doi", "nct", "url"]), name="reference_kind_is_known"
            ),
        ]
        indexes = [models.Index(fields=["kind", "value"], name="reference_of_work")]

    def __str__(self):
        return f"reference {self.pk}"


class Lexeme(models.Model):
    """In how many posts a word stem occurs, counted nightly: the rare ones tell which questions are alike."""

    word = models.CharField(max_length=100, primary_key=True)
    documents = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self):
        return self.word
