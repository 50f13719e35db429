"""What members do with the news: follow, read, keep, log, mark as their own."""

import secrets
from datetime import date

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Member, Specialty
from newsfeed.models.articles import Article
from newsfeed.models.sources import Source
from questions.models import Question


class SourceFollow(models.Model):
    """A member wants what a source publishes in their own feed."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="sources_followed")
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="followers")
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["member", "source"], name="source_follow_once")]

    def __str__(self):
        return f"source follow {self.pk}"


class LessOf(models.Model):
    """A member wants less of a source, or of a specialty, in their own feed."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="news_less_of")
    source = models.ForeignKey(Source, on_delete=models.CASCADE, null=True, related_name="+")
    specialty = models.ForeignKey(Specialty, on_delete=models.PROTECT, null=True, related_name="+")
    since = models.DateTimeField(default=timezone.now)
    had_followed = models.BooleanField(default=False)  # the source, which taking it back follows again

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["member", "source"], name="less_of_source_once"),
            models.UniqueConstraint(fields=["member", "specialty"], name="less_of_specialty_once"),
            models.CheckConstraint(
                condition=Q(source=None, specialty__isnull=False) | Q(source__isnull=False, specialty=None),
                name="less_of_one_thing",
            ),
        ]

    def __str__(self):
        return f"less of {self.pk}"


class ReadMark(models.Model):
    """That a member opened an article. Nobody else sees that, or counts it."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="news_read")
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="+")
    read_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["member", "article"], name="news_read_once")]

    def __str__(self):
        return f"read {self.pk}"


class SavedArticle(models.Model):
    """An article on a member's reading list."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="news_saved")
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="+")
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["member", "article"], name="news_saved_once")]
        indexes = [models.Index(F("member"), F("saved_at").desc(), F("id").desc(), name="news_saved_newest")]

    def __str__(self):
        return f"saved article {self.pk}"


def new_feed_key() -> str:
    return secrets.token_urlsafe(24)


class FeedKey(models.Model):
    """The secret in the address of a member's private feed. A new one closes the old address."""

    member = models.OneToOneField(Member, on_delete=models.CASCADE, primary_key=True, related_name="news_key")
    key = models.CharField(max_length=40, unique=True, default=new_feed_key, editable=False)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"feed key of {self.member_id}"


def today() -> date:
    return timezone.localdate()


class LogEntry(models.Model):
    """A line of a member's learning log: what they read or answered, how long it took, what it changed.

    The site gives no credit; the log is for claims that the member makes elsewhere.
    """

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="learning_log")
    article = models.ForeignKey(Article, on_delete=models.PROTECT, null=True, related_name="+")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, null=True, related_name="+")
    done_on = models.DateField(default=today)
    minutes = models.PositiveSmallIntegerField()
    reflection = models.CharField(max_length=1000, blank=True)
    logged_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["member", "article"], name="learning_log_article_once"),
            models.UniqueConstraint(fields=["member", "question"], name="learning_log_question_once"),
            models.CheckConstraint(condition=Q(minutes__range=(1, 600)), name="learning_log_minutes"),
            models.CheckConstraint(
                condition=Q(article=None, question__isnull=False) | Q(article__isnull=False, question=None),
                name="learning_log_of_one_thing",
            ),
        ]
        indexes = [models.Index(F("member"), F("done_on").desc(), F("id").desc(), name="learning_log_newest")]

    def __str__(self):
        return f"learning log {self.pk}"


class OwnPaper(models.Model):
    """A member says, under their real name, that they are an author. Shown only while they show that name."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="own_papers")
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="own_papers")
    marked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["member", "article"], name="own_paper_once")]

    def __str__(self):
        return f"own paper {self.pk}"
