"""Where a member stands among colleagues."""

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, NullIf
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


class Board(models.Model):
    """One leaderboard: overall or of one specialty as handles show it, of all time or of one month (UTC).

    It tells of the deeds dated before the day it was drawn (UTC), as they stood at the draw.
    """

    month = models.DateField(null=True)  # its first day; none: all time
    specialty = models.ForeignKey(Specialty, on_delete=models.CASCADE, null=True, related_name="+")
    size = models.PositiveIntegerField()
    drawn_on = models.DateField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["month", "specialty"], name="board_once", nulls_distinct=False),
            models.CheckConstraint(
                condition=Q(month=None) | Q(month__day=1), name="board_month_is_its_first_day"
            ),
        ]

    def __str__(self):
        return f"board {self.pk}"


class BoardPlaceQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Places of members in good standing who do not hide, through the gate between members (a block).

        A place on a specialty's board is gone as soon as the handle shows another specialty.
        """
        shown = Coalesce(
            NullIf(KeyTextTransform("specialty", "member__face"), Value("")),
            "member__specialty__group",
            output_field=models.TextField(),
        )
        return self.annotate(shown=shown).filter(
            Q(board__specialty=None) | Q(shown=F("board__specialty__name")),
            member__in=Member.objects.visible_to(user),
            member__standing=Member.Standing.PHYSICIAN,
            member__rank__hides_place=False,
        )


class BoardPlace(models.Model):
    """One row of a leaderboard.

    `place` numbers the rows without a gap, so a board is paged by it; `standing`, equal for equal points, is shown.
    """

    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="places", db_index=False)
    place = models.PositiveIntegerField()
    standing = models.PositiveIntegerField()
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="board_places")
    points = models.DecimalField(max_digits=12, decimal_places=4)

    objects = BoardPlaceQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["board", "place"], name="board_place_once"),
            models.UniqueConstraint(fields=["board", "member"], name="board_member_once"),
        ]

    def __str__(self):
        return f"{self.standing}: {self.member_id}"


class TierBar(models.Model):
    """The points that lifted a member into a tier when tiers were last drawn; none: nobody could reach it.

    One row for all, and for Top one more per specialty with members enough.
    """

    specialty = models.ForeignKey(Specialty, on_delete=models.CASCADE, null=True, related_name="+")
    active = models.PositiveIntegerField()  # members the shares are taken of
    trusted = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    expert = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    top = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    drawn_on = models.DateField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["specialty"], name="tier_bar_once", nulls_distinct=False),
        ]

    def __str__(self):
        return f"tier bar {self.pk}"


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
