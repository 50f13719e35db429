"""Where a member stands among colleagues."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Member, Specialty


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
    hides_place = models.BooleanField(default=False, db_default=False)  # on leaderboards, where others look

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


class BoardPlace(models.Model):
    """One row of a leaderboard, drawn anew each day: overall or of one specialty, of all time or of one month.

    `place` numbers the rows without a gap, so a board is paged by it; `standing`, equal for equal points, is shown.
    """

    month = models.DateField(null=True)  # its first day; none: all time
    specialty = models.ForeignKey(Specialty, on_delete=models.CASCADE, null=True, related_name="+")
    place = models.PositiveIntegerField()
    standing = models.PositiveIntegerField()
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="board_places")
    points = models.DecimalField(max_digits=12, decimal_places=4)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["month", "specialty", "place"], name="board_place_once", nulls_distinct=False
            ),
            models.UniqueConstraint(
                fields=["month", "specialty", "member"], name="board_member_once", nulls_distinct=False
            ),
        ]

    def __str__(self):
        return f"{self.standing}: {self.member_id}"


class PairFlag(models.Model):
    """Two members who vote for each other more than chance would have it. A moderator decides what it means."""

    class Verdict(models.TextChoices):
        OPEN = "open", "Open"
        INNOCENT = "innocent", "Nothing to it"
        DISCOUNTED = "discounted", "Their votes for each other count nothing"

    low = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    high = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    votes_up = models.PositiveIntegerField()  # low for high, in 30 days
    votes_down = models.PositiveIntegerField()  # high for low
    flagged_at = models.DateTimeField(default=timezone.now)
    verdict = models.CharField(max_length=10, choices=Verdict, default=Verdict.OPEN)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        default_permissions = ("view", "change")
        constraints = [
            models.UniqueConstraint(fields=["low", "high"], name="pair_flag_once"),
            models.CheckConstraint(condition=Q(low__lt=F("high")), name="pair_flag_low_before_high"),
            models.CheckConstraint(
                condition=Q(verdict="open", decided_at=None)
                | (Q(verdict__in=["innocent", "discounted"]) & Q(decided_at__isnull=False)),
                name="pair_flag_decided_with_moment",
            ),
        ]

    def __str__(self):
        return f"pair {self.low_id} and {self.high_id}"
