"""Where a member stands among colleagues."""

from django.db import models
from django.db.models import F, Q

from accounts.models import Member


class MemberRank(models.Model):
    """A member's points and tier. Both can be computed anew from the rows (`recount`); see questions.ranking."""

    class Tier(models.TextChoices):
        NEW = "new", "New"
        CONTRIBUTOR = "contributor", "Contributor"
        TRUSTED = "trusted", "Trusted"
        EXPERT = "expert", "Expert"
        TOP = "top", "Top"

    member = models.OneToOneField(Member, on_delete=models.CASCADE, primary_key=True, related_name="rank")
    points = models.DecimalField(max_digits=12, decimal_places=4, default=0)
    events = models.PositiveIntegerField(default=0)
    tier = models.CharField(max_length=11, choices=Tier, default=Tier.NEW)
    as_of = models.DateField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(tier__in=["new", "contributor", "trusted", "expert", "top"]),
                name="rank_tier_is_known",
            )
        ]
        indexes = [models.Index(F("points").desc(), F("member"), name="rank_by_points")]

    def __str__(self):
        return f"{self.member_id}: {self.points}"
