"""Polls: what is asked, of whom, and until when."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from accounts.places import REGION_OF
from questions.models import MemberRank, Question

FEWEST_OPTIONS, MOST_OPTIONS = 2, 10
SCALE = 5  # points of a scale
MOST_DAYS = 30


class Trend(models.Model):
    """The same poll asked again every month, so that its results can be read over time."""

    creator = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="trends")
    waves = models.PositiveSmallIntegerField()  # how often it is asked in all
    days = models.PositiveSmallIntegerField()  # each wave is open
    next_at = models.DateTimeField(null=True)  # none: no further wave
    stopped = models.CharField(max_length=200, blank=True)  # why it ended before its last wave

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(waves__range=(2, 24)), name="trend_waves_in_bounds"),
            models.CheckConstraint(condition=Q(days__range=(1, 28)), name="trend_days_in_bounds"),
        ]

    def __str__(self):
        return f"trend {self.pk}"


class Poll(models.Model):
    """A poll on a discussion: one of its own kind, or any other that has one attached.

    Who it is open to is a specialty, a state and a tier of each list; an empty list narrows nothing. Once there is a
    receipt, nothing here changes any more but its end.
    """

    class Kind(models.TextChoices):
        SINGLE = "single", "One choice"
        MULTIPLE = "multiple", "Several choices"
        RANKED = "ranked", "Rank the options"
        SCALE = "scale", "A scale from 1 to 5"

    class Shown(models.TextChoices):
        VOTED = "voted", "Whoever voted"
        CLOSED = "closed", "Nobody before it closes"

    class CloseReason(models.TextChoices):
        TIME = "time", "on its date"
        CREATOR = "creator", "early, by its author"
        MODERATOR = "moderator", "early, by a moderator"
        DISCUSSION = "discussion", "with its discussion"

    question = models.OneToOneField(Question, on_delete=models.CASCADE, primary_key=True, related_name="poll")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.SINGLE)
    prompt = models.CharField(max_length=200, blank=True)  # of an attached poll; else the title asks
    shown = models.CharField(max_length=6, choices=Shown, default=Shown.VOTED)
    may_change = models.BooleanField(default=False)
    may_add = models.BooleanField(default=False)
    low_label = models.CharField(max_length=40, blank=True)
    high_label = models.CharField(max_length=40, blank=True)
    opened_at = models.DateTimeField(default=timezone.now)
    closes_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    close_reason = models.CharField(max_length=10, choices=CloseReason, blank=True)

    specialties = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    states = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    tiers = ArrayField(models.CharField(max_length=11), default=list, blank=True)
    invited = models.PositiveIntegerField(default=0)  # members it was open to when it opened

    trend = models.ForeignKey(Trend, on_delete=models.PROTECT, null=True, related_name="polls")
    wave = models.PositiveSmallIntegerField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["single", "multiple", "ranked", "scale"]), name="poll_kind_is_known"
            ),
            models.CheckConstraint(condition=Q(shown__in=["voted", "closed"]), name="poll_shown_is_known"),
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opened_at")), name="poll_closes_after_opened"
            ),
            models.CheckConstraint(
                condition=Q(close_reason__in=["", "time", "creator", "moderator", "discussion"]),
                name="poll_close_reason_is_known",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, close_reason="")
                | (Q(closed_at__isnull=False) & ~Q(close_reason="")),
                name="poll_closed_with_moment_and_reason",
            ),
            models.CheckConstraint(
                condition=Q(may_add=False) | Q(kind__in=["single", "multiple"]),
                name="poll_added_options_can_be_chosen",
            ),
            models.CheckConstraint(
                condition=Q(trend=None, wave=None) | Q(trend__isnull=False, wave__isnull=False),
                name="poll_wave_of_trend",
            ),
            models.UniqueConstraint(fields=["trend", "wave"], name="poll_wave_once"),
        ]
        indexes = [
            models.Index(fields=["closes_at"], condition=Q(closed_at=None), name="poll_due"),
            models.Index(F("opened_at").desc(), F("question").desc(), name="poll_new"),
        ]

    def __str__(self):
        return f"poll {self.pk}"

    def get_absolute_url(self):
        return reverse("polls:poll", args=[self.pk])

    @property
    def is_over(self):
        """Whether it takes no vote any more; its end may not have been written down yet."""
        return self.closed_at is not None or timezone.now() >= self.closes_at

    @property
    def keeps_ballots(self):
        """Whether single ballots are needed: to be changed, or to count rankings."""
        return self.may_change or self.kind == self.Kind.RANKED

    @property
    def is_narrowed(self):
        return bool(self.specialties or self.states or self.tiers)

    @property
    def is_for_some(self):
        """Whether only some members may take it, by its own lists or as readers of its discussion."""
        return self.is_narrowed or self.question.audience != Question.Audience.PHYSICIANS

    def is_for(self, member: Member) -> bool:
        """Whether a member belongs to those it is open to, as they are now. `member.rank` is looked up if need be."""
        if self.specialties and member.specialty_id not in self.specialties:
            return False
        if self.states and member.state not in self.states:
            return False
        return not self.tiers or tier_of(member) in self.tiers

    def members(self):
        """Those it is open to who may write now; the same rule as `is_for`."""
        rows = Member.objects.filter(standing=Member.Standing.PHYSICIAN, user__is_active=True)
        if self.specialties:
            rows = rows.filter(specialty__in=self.specialties)
        if self.states:
            rows = rows.filter(state__in=self.states)
        if not self.tiers:
            return rows
        of_tier = Q(rank__tier__in=self.tiers)
        if MemberRank.Tier.NEW in self.tiers:
            of_tier |= Q(rank=None)
        return rows.filter(of_tier)


def tier_of(member: Member) -> str:
    rank = getattr(member, "rank", None)
    return rank.tier if rank else MemberRank.Tier.NEW


def facts_of(member: Member) -> dict[str, str]:
    """The value a member counts under in each dimension of a breakdown; empty where it is not known."""
    return {
        "specialty": member.specialty.group if member.specialty else "",
        "region": REGION_OF.get(member.state, ""),
        "years": member.years_band,
    }


class Option(models.Model):
    """One of the two to ten things to choose from; of a scale its points. `place` counts from 0 and never changes."""

    poll = models.ForeignKey(Poll, on_delete=models.CASCADE, related_name="options")
    place = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=120)
    is_added = models.BooleanField(default=False)  # by a reader
    added_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, related_name="+")
    after_votes = models.PositiveIntegerField(default=0)  # whose voters could not choose it yet

    class Meta:
        default_permissions = ("view",)
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(fields=["poll", "place"], name="option_place_once"),
            models.UniqueConstraint("poll", Lower("text"), name="option_text_once"),
            models.UniqueConstraint(
                fields=["poll", "added_by"], condition=Q(added_by__isnull=False), name="option_one_per_reader"
            ),
            models.CheckConstraint(condition=Q(place__lt=MOST_OPTIONS), name="option_place_in_bounds"),
            models.CheckConstraint(condition=~Q(text=""), name="option_has_text"),
            models.CheckConstraint(
                condition=Q(is_added=True) | Q(added_by=None, after_votes=0),
                name="option_added_by_reader_is_marked",
            ),
        ]

    def __str__(self):
        return f"option {self.place} of poll {self.poll_id}"


class Sponsor(models.Model):
    """Who pays for a poll, how much, and for how many votes: what is said before its first question.

    Rewards writes it, pays, and counts in `taken` the paid votes that were given.
    """

    class Kind(models.TextChoices):
        PHARMA = "pharma", "Pharmaceutical company"
        DEVICE = "device", "Device maker"
        RESEARCH = "research", "Research agency"
        FINANCE = "finance", "Financial firm"
        GOVERNMENT = "government", "Government agency"
        ACADEMIC = "academic", "Academic institution"
        SOCIETY = "society", "Medical society"
        OTHER = "other", "Other firm"

    poll = models.OneToOneField(Poll, on_delete=models.CASCADE, primary_key=True, related_name="sponsor")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind)
    honorarium = models.PositiveIntegerField()  # cents for each vote
    quota = models.PositiveIntegerField()  # votes that are paid
    taken = models.PositiveIntegerField(default=0, db_default=0)  # of them, so far

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(quota__gt=0), name="sponsor_quota_is_positive"),
            models.CheckConstraint(condition=Q(taken__lte=F("quota")), name="sponsor_within_quota"),
            models.CheckConstraint(condition=~Q(name=""), name="sponsor_has_name"),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "pharma",
                        "device",
                        "research",
                        "finance",
                        "government",
                        "academic",
                        "society",
                        "other",
                    ]
                ),
                name="sponsor_kind_is_known",
            ),
        ]

    def __str__(self):
        return f"sponsor of poll {self.poll_id}"
