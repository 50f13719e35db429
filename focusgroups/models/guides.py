"""The discussion guide of a room: sections that open one after the other, and what each asks."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from focusgroups.models.rooms import MOST_CENTS, Room

FEWEST_OPTIONS, MOST_OPTIONS = 2, 12
FEWEST_POINTS, MOST_POINTS = 3, 11


class SectionQuerySet(models.QuerySet):
    def announced(self) -> "SectionQuerySet":
        """Those with a time: of a published room participants are told of no others."""
        return self.filter(opens_at__isnull=False)

    def released(self) -> "SectionQuerySet":
        return self.filter(opens_at__lte=timezone.now())


class Section(models.Model):
    """A part of the guide. It opens at a moment and is paid once all its required prompts are answered.

    Answers are due at `due_at`, or when the room ends; late ones are taken until then.
    """

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="sections")
    place = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=120)
    intro = models.TextField(max_length=2_000, blank=True)
    opens_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    honorarium = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(MOST_CENTS)])  # cents
    closed_at = models.DateTimeField(null=True, editable=False)  # from then on completions are paid at once
    key = models.UUIDField(
        null=True, unique=True, editable=False
    )  # of the form it was added with, sent once or twice

    objects = SectionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(
                fields=["room", "place"], name="section_place_once", deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(condition=~Q(title=""), name="section_has_title"),
            models.CheckConstraint(
                condition=Q(honorarium__lte=MOST_CENTS), name="section_honorarium_in_bounds"
            ),
            models.CheckConstraint(
                condition=Q(due_at=None) | Q(opens_at=None) | Q(due_at__gt=F("opens_at")),
                name="section_due_after_it_opens",
            ),
        ]

    def __str__(self):
        return self.title

    @property
    def is_released(self) -> bool:
        return self.opens_at is not None and self.opens_at <= timezone.now()

    @property
    def is_due(self) -> bool:
        """Whether answers are overdue."""
        return self.due_at is not None and self.due_at <= timezone.now()


class Prompt(models.Model):
    """One question of a section. What a participant sees of others' answers waits for their own."""

    class Kind(models.TextChoices):
        OPEN = "open", "Open: in their own words"
        SINGLE = "single", "One choice"
        MULTIPLE = "multiple", "Several choices"
        RANKED = "ranked", "Rank the options"
        SCALE = "scale", "A scale"

    CHOSEN = (Kind.SINGLE, Kind.MULTIPLE, Kind.RANKED)

    section = models.ForeignKey(Section, on_delete=models.CASCADE, related_name="prompts")
    place = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.OPEN)
    text = models.CharField(max_length=500)
    help = models.CharField(max_length=300, blank=True)
    asks_why = models.BooleanField("asks for the reason, too", default=False)  # of a choice or a scale
    is_private = models.BooleanField("answers go to moderators only", default=False)
    is_required = models.BooleanField("needed to complete the section", default=True)
    most = models.PositiveSmallIntegerField(null=True, blank=True)  # choices of several; none: all
    points = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(FEWEST_POINTS), MaxValueValidator(MOST_POINTS)],
    )  # of a scale, from 1
    low_label = models.CharField(max_length=40, blank=True)
    high_label = models.CharField(max_length=40, blank=True)
    key = models.UUIDField(
        null=True, unique=True, editable=False
    )  # of the form it was added with, as of a section

    class Meta:
        default_permissions = ()
        ordering = ["section__place", "place"]
        constraints = [
            models.UniqueConstraint(
                fields=["section", "place"], name="prompt_place_once", deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["open", "single", "multiple", "ranked", "scale"]),
                name="prompt_kind_is_known",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="prompt_has_text"),
            models.CheckConstraint(
                condition=Q(kind="scale", points__range=(FEWEST_POINTS, MOST_POINTS))
                | (~Q(kind="scale") & Q(points=None)),
                name="prompt_scale_has_points",
            ),
            models.CheckConstraint(
                condition=Q(most=None) | Q(kind="multiple", most__gt=0), name="prompt_most_of_several"
            ),
        ]

    def __str__(self):
        return self.text

    @property
    def has_options(self) -> bool:
        return self.kind in self.CHOSEN


class PromptOption(models.Model):
    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="options")
    place = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=200)

    class Meta:
        default_permissions = ()
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(
                fields=["prompt", "place"],
                name="prompt_option_place_once",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(condition=~Q(text=""), name="prompt_option_has_text"),
        ]

    def __str__(self):
        return self.text


class Stimulus(models.Model):
    """An image, or one page of a PDF, to be looked at and not taken away: each look has a watermark of who looks."""

    key = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="stimuli")
    place = models.PositiveSmallIntegerField()
    description = models.CharField(max_length=300)  # for who cannot see it
    file = models.CharField(max_length=120)  # a name in the private storage
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        verbose_name_plural = "stimuli"
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(
                fields=["prompt", "place"],
                name="stimulus_place_once",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(condition=~Q(description=""), name="stimulus_has_description"),
        ]

    def __str__(self):
        return f"stimulus {self.key}"


class LiveHour(models.Model):
    """A time at which participants and moderators write to one another at once; archived like the rest."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="live_hours")
    title = models.CharField(max_length=120)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="live_hour_ends_after_it_starts"
            ),
            models.CheckConstraint(condition=~Q(title=""), name="live_hour_has_title"),
        ]

    def __str__(self):
        return self.title

    @property
    def is_on(self) -> bool:
        return self.starts_at <= timezone.now() < self.ends_at
