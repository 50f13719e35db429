"""Who read what: one row for each post that a seat had before it, and how often by day."""

from django.db import models
from django.db.models import Q

from accounts.models import Member
from observers.models.contracts import Purpose, Seat
from questions.models import Post, Question
from rewards.models import Firm


class Way(models.TextChoices):
    OPENED = "opened", "Read"
    FOUND = "found", "Found in a list or a search"
    EXPORTED = "exported", "Exported"


class Read(models.Model):
    """That a seat had a post before it. Written once and never changed; the database refuses anything else.

    The table is split by month (migration 0002): its key there is (id, at). Rows are written by `services.reading`.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    firm = models.ForeignKey(Firm, on_delete=models.PROTECT, related_name="+", db_index=False)
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="+", db_index=False)
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="+", db_index=False)
    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="+", db_index=False)
    way = models.CharField(max_length=8, choices=Way)
    purpose = models.CharField(max_length=10, choices=Purpose)

    class Meta:
        default_permissions = ("view",)

    def __str__(self):
        return f"read {self.pk}"


class ReadDay(models.Model):
    """How often a firm had a post before it on a day (UTC), in one way. Written in the same statement as the reads."""

    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="read_days", db_index=False)
    author = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="read_days", db_index=False)
    firm = models.ForeignKey(Firm, on_delete=models.PROTECT, related_name="read_days")
    day = models.DateField()
    way = models.CharField(max_length=8, choices=Way)
    purpose = models.CharField(max_length=10, choices=Purpose)
    reads = models.PositiveIntegerField()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["post", "firm", "day", "way", "purpose"], name="read_day_once"),
            models.CheckConstraint(condition=Q(reads__gt=0), name="read_day_is_something"),
        ]
        indexes = [
            models.Index(fields=["author", "-day", "firm"], name="read_day_by_author"),
            models.Index(fields=["author", "firm", "post", "day"], name="read_day_by_author_and_firm"),
        ]

    def __str__(self):
        return f"reads of {self.post_id} on {self.day}"
