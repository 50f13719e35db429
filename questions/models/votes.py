"""What members think of a post, and of how much a discussion matters."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.utils import timezone

from accounts.models import Member
from questions.models.posts import Post
from questions.models.questions import Question

models.TextField.register_lookup(Length)

SHORTEST_REASON = 20  # characters


class Vote(models.Model):
    """One physician's verdict on one post; a change of mind edits the row. `author` is the post's author."""

    class Value(models.IntegerChoices):
        CORROBORATE = 1, "Corroborate"
        DISPUTE = -1, "Dispute"

    class Reason(models.TextChoices):
        EVIDENCE = "evidence", "Evidence says otherwise"
        UNSAFE = "unsafe", "Unsafe for this patient"
        OUTDATED = "outdated", "Out of date"
        INCOMPLETE = "incomplete", "Leaves out something that matters"

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="votes")
    voter = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="votes")
    author = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="votes_received")
    value = models.SmallIntegerField(choices=Value)
    reason = models.CharField(max_length=10, choices=Reason, blank=True)
    explanation = models.TextField(max_length=500, blank=True)
    cast_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["post", "voter"], name="vote_once_per_physician"),
            models.CheckConstraint(condition=~Q(voter=F("author")), name="vote_never_on_own_post"),
            models.CheckConstraint(condition=Q(value__in=[1, -1]), name="vote_corroborates_or_disputes"),
            models.CheckConstraint(
                condition=Q(reason__in=["", "evidence", "unsafe", "outdated", "incomplete"]),
                name="vote_reason_is_known",
            ),
            models.CheckConstraint(
                condition=Q(value=1, reason="", explanation="")
                | (Q(value=-1) & ~Q(reason="") & Q(explanation__length__gte=SHORTEST_REASON)),
                name="vote_dispute_gives_reason",
            ),
        ]
        indexes = [models.Index(fields=["author", "voter", "cast_at"], name="vote_by_author_and_voter")]

    def __str__(self):
        return f"vote {self.pk}"


class Importance(models.Model):
    """How much a discussion matters to one physician, 1 (little) to 5 (changes what I do)."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="ratings")
    rater = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="ratings")
    asker = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="ratings_received")
    value = models.PositiveSmallIntegerField()
    rated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        verbose_name_plural = "importance ratings"
        constraints = [
            models.UniqueConstraint(fields=["question", "rater"], name="importance_once_per_physician"),
            models.CheckConstraint(condition=~Q(rater=F("asker")), name="importance_never_on_own_question"),
            models.CheckConstraint(condition=Q(value__range=(1, 5)), name="importance_from_one_to_five"),
        ]

    def __str__(self):
        return f"importance {self.pk}"
