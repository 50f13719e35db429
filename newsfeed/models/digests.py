"""Which digests were made."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Mail, Member


class Digest(models.Model):
    """That the digest of a member for one local day was made, together with its mail; empty ones have none.

    `number` counts what it told of: questions, followed discussions, articles.
    """

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="digests")
    day = models.DateField()  # on the member's own calendar
    made_at = models.DateTimeField(default=timezone.now)
    since = models.DateTimeField()  # what came after it is new
    mail = models.OneToOneField(Mail, on_delete=models.SET_NULL, null=True, related_name="digest")
    number = models.PositiveSmallIntegerField(default=0)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["member", "day"], name="digest_once_a_day"),
            models.CheckConstraint(condition=Q(mail=None) | Q(number__gt=0), name="digest_sent_is_not_empty"),
        ]

    def __str__(self):
        return f"digest {self.pk}"
