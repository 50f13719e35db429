"""What members follow beside each other's handles: topics, and single discussions."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Member, Specialty
from questions.models.questions import Question, Tag


class TopicFollow(models.Model):
    """A member follows a tag or a specialty: for the list "following" and the digest, at once only if switched on."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="topics_followed")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, null=True, related_name="followers")
    specialty = models.ForeignKey(Specialty, on_delete=models.PROTECT, null=True, related_name="followers")
    alerts = models.BooleanField(default=False)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["member", "tag"], name="topic_follow_tag_once"),
            models.UniqueConstraint(fields=["member", "specialty"], name="topic_follow_specialty_once"),
            models.CheckConstraint(
                condition=Q(tag=None, specialty__isnull=False) | Q(tag__isnull=False, specialty=None),
                name="topic_follow_is_of_one_thing",
            ),
        ]
        indexes = [
            models.Index(fields=["tag", "member"], condition=Q(alerts=True), name="topic_follow_tag_alerts"),
            models.Index(
                fields=["specialty", "member"], condition=Q(alerts=True), name="topic_follow_specialty_alerts"
            ),
        ]

    def __str__(self):
        return f"topic follow {self.pk}"


class TopicMute(models.Model):
    """A member wants to see nothing of a tag or a specialty in lists, and to hear nothing of it."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="topics_muted")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, null=True, related_name="+")
    specialty = models.ForeignKey(Specialty, on_delete=models.PROTECT, null=True, related_name="+")
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["member", "tag"], name="topic_mute_tag_once"),
            models.UniqueConstraint(fields=["member", "specialty"], name="topic_mute_specialty_once"),
            models.CheckConstraint(
                condition=Q(tag=None, specialty__isnull=False) | Q(tag__isnull=False, specialty=None),
                name="topic_mute_is_of_one_thing",
            ),
        ]

    def __str__(self):
        return f"topic mute {self.pk}"


class Subscription(models.Model):
    """A member follows one discussion, or wants to hear no more of it."""

    class Level(models.TextChoices):
        DIGEST = "digest", "In lists and the digest"
        ALERTS = "alerts", "Told at once"
        MUTED = "muted", "Muted"

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="subscriptions")
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="subscriptions")
    level = models.CharField(max_length=6, choices=Level, default=Level.DIGEST)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["member", "question"], name="subscription_once"),
            models.CheckConstraint(
                condition=Q(level__in=["digest", "alerts", "muted"]), name="subscription_level_is_known"
            ),
        ]
        indexes = [models.Index(F("question"), F("member"), name="subscription_reverse")]

    def __str__(self):
        return f"subscription {self.pk}"
