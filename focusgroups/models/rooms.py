"""Rooms: who is sought, what is asked and when. All moments are UTC; the days of a room are in its own zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member, User

FEWEST_SEATS, MOST_SEATS = 4, 60
FEWEST_DAYS, MOST_DAYS = 2, 60
MOST_SECTIONS, MOST_PROMPTS = 30, 40  # of a room; prompts of one section
MOST_CENTS = 200_000  # for one section: beyond is a slip of the hand


def _list_of(length: int) -> ArrayField:
    return ArrayField(models.CharField(max_length=length), default=list, blank=True)


class RoomQuerySet(models.QuerySet):
    def run_by(self, user: User) -> "RoomQuerySet":
        """Those that a moderator runs: the ones it was put in charge of; all of them for a superuser."""
        from accounts.roles import is_moderator

        if user.is_superuser:
            return self
        if not (user.is_staff and is_moderator(user)):
            return self.none()
        return self.filter(pk__in=RoomModerator.objects.filter(user=user).values("room"))

    def visible_to(self, user: User) -> "RoomQuerySet":
        """Those that somebody takes part in, and is told of: published ones, never one that was left or lost."""
        from focusgroups.models.people import Candidate, Participant

        member = user.as_member if user.is_authenticated else None
        if member is None or not member.may_read:
            return self.none()
        seated = Participant.objects.seated().filter(member=member)
        asked = Candidate.objects.standing().filter(member=member)
        return self.filter(
            Q(pk__in=seated.values("room")) | Q(pk__in=asked.values("room"), closed_at=None),
            published_at__isnull=False,
        )

    def entered_by(self, user: User) -> "RoomQuerySet":
        """Those whose inside somebody may see: with a seat in it, from the next request after it was lost never."""
        from focusgroups.models.people import Participant

        seated = Participant.objects.seated().filter(member=user.as_member if user.is_authenticated else None)
        return self.visible_to(user).filter(pk__in=seated.values("room"))


class Room(models.Model):
    """A focus group. Whom it seeks is a specialty, a state, a years band and a tier of each list; an empty one narrows
    nothing. From its publishing on, only its end moves, and what is not released yet.
    """

    class Watching(models.TextChoices):
        NOBODY = "nobody", "Nobody"
        FIGURES = "figures", "Figures only: how many answered what"
        WORDS = "words", "Answers and replies, by alias and quota cell"

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        RECRUITING = "recruiting", "Recruiting"
        RUNNING = "running", "Running"
        CLOSED = "closed", "Closed"
        CANCELED = "canceled", "Canceled"

    title = models.CharField(max_length=120)
    about = models.TextField(max_length=2_000, blank=True)  # what participants are told before they say yes
    seats = models.PositiveSmallIntegerField(
        default=12, validators=[MinValueValidator(FEWEST_SEATS), MaxValueValidator(MOST_SEATS)]
    )
    minutes_a_day = models.PositiveSmallIntegerField(
        default=15, validators=[MinValueValidator(1), MaxValueValidator(240)]
    )
    time_zone = models.CharField(max_length=64, default="America/New_York")
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    pay_on = models.DateField(null=True, blank=True)  # by when honoraria are paid out
    thanks = models.PositiveIntegerField(
        default=0, validators=[MaxValueValidator(20_000)]
    )  # cents for whoever answered more than three questions of the screener, and is not sought
    watching = models.CharField(max_length=7, choices=Watching, default=Watching.FIGURES)

    specialties = _list_of(10)
    states = _list_of(2)
    years_bands = _list_of(5)
    tiers = _list_of(11)

    created_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    canceled_at = models.DateTimeField(null=True, editable=False)
    canceled_why = models.CharField(max_length=300, blank=True, editable=False)  # what members are told of it

    objects = RoomQuerySet.as_manager()

    class Meta:
        default_permissions = ("add", "change", "view")
        verbose_name = "focus group"
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="room_has_title"),
            models.CheckConstraint(
                condition=Q(seats__range=(FEWEST_SEATS, MOST_SEATS)), name="room_seats_in_bounds"
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="room_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(published_at=None) | Q(starts_at__isnull=False, ends_at__isnull=False),
                name="room_published_with_dates",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(published_at__isnull=False), name="room_closed_once_published"
            ),
            models.CheckConstraint(
                condition=Q(canceled_at=None) | Q(closed_at__isnull=False) | Q(published_at=None),
                name="room_canceled_is_closed",
            ),
            models.CheckConstraint(
                condition=Q(canceled_at=None) | ~Q(canceled_why=""), name="room_canceled_with_reason"
            ),
            models.CheckConstraint(
                condition=Q(watching__in=["nobody", "figures", "words"]), name="room_watching_is_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["ends_at"],
                condition=Q(published_at__isnull=False, closed_at=None),
                name="room_to_be_closed",
            )
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("focusgroups:room", args=[self.pk])

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def state(self) -> "Room.State":
        if self.canceled_at:
            return self.State.CANCELED
        if self.closed_at:
            return self.State.CLOSED
        if self.published_at is None:
            return self.State.DRAFT
        return self.State.RUNNING if timezone.now() >= self.starts_at else self.State.RECRUITING

    @property
    def is_over(self) -> bool:
        """Whether nobody writes any more; its end may not have been written down yet."""
        return bool(self.closed_at or self.canceled_at) or bool(
            self.published_at and timezone.now() >= self.ends_at
        )

    def newest_agreement(self) -> "Agreement | None":
        return self.agreements.order_by("-version").first()

    def in_its_zone(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)


class RoomModerator(models.Model):
    """That a moderator runs a room."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="moderators")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    is_owner = models.BooleanField(default=False)  # set it up; one of each room

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["room", "user"], name="room_moderator_once"),
            models.UniqueConstraint(fields=["room"], condition=Q(is_owner=True), name="room_one_owner"),
        ]

    def __str__(self):
        return f"moderator {self.pk}"


class Sponsor(models.Model):
    """Who pays for a room and how much is reserved for it. Rewards writes it; participants read it before they say yes.

    Of a blinded one they read the kind alone until the room closes, and for good where it is called off.
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

    room = models.OneToOneField(Room, on_delete=models.CASCADE, primary_key=True, related_name="sponsor")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind)
    is_blinded = models.BooleanField("blinded until the end", default=False)
    budget = models.PositiveIntegerField()  # cents reserved for honoraria and thanks

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="room_sponsor_has_name")]

    def __str__(self):
        return f"sponsor of room {self.pk}"

    @property
    def is_still_blinded(self) -> bool:
        return self.is_blinded and (self.room.closed_at is None or self.room.canceled_at is not None)

    @property
    def shown(self) -> str:
        """As participants read it now."""
        if not self.is_still_blinded:
            return self.name
        kind = self.get_kind_display()
        return kind if self.room.canceled_at else f"{kind}, named when the group ends"


class Cell(models.Model):
    """A quota: so many seats for members of these specialties and years bands. Cells of a room are asked in order;
    an empty list narrows nothing."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="cells")
    place = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)  # what moderators, watchers and transcripts call it
    seats = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(MOST_SEATS)])
    specialties = _list_of(10)
    years_bands = _list_of(5)

    class Meta:
        default_permissions = ()
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(
                fields=["room", "place"], name="cell_place_once", deferrable=models.Deferrable.DEFERRED
            ),
            models.UniqueConstraint(fields=["room", "name"], name="cell_name_once"),
            models.CheckConstraint(condition=Q(seats__range=(1, MOST_SEATS)), name="cell_seats_in_bounds"),
            models.CheckConstraint(condition=~Q(name=""), name="cell_has_name"),
        ]

    def __str__(self):
        return self.name

    def is_for(self, member: Member) -> bool:
        is_of_specialty = not self.specialties or member.specialty_id in self.specialties
        return is_of_specialty and (not self.years_bands or member.years_band in self.years_bands)


class Agreement(models.Model):
    """A version of what participants agree to. Never changed once a room is published: another version follows it."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="agreements")
    version = models.PositiveSmallIntegerField(default=1)
    text = models.TextField(max_length=20_000)
    written_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        ordering = ["version"]
        constraints = [
            models.UniqueConstraint(fields=["room", "version"], name="agreement_version_once"),
            models.CheckConstraint(condition=~Q(text=""), name="agreement_has_text"),
        ]

    def __str__(self):
        return f"agreement {self.version} of room {self.room_id}"

    @property
    def paragraphs(self) -> list[str]:
        """Its lines that say anything: points are often written without empty lines between them."""
        return [line for line in self.text.splitlines() if line.strip()]


class ScreenerQuestion(models.Model):
    """One of at most five questions before a seat. `place` counts from 0."""

    MOST = 5

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="screener")
    place = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=200)
    key = models.UUIDField(
        null=True, unique=True, editable=False
    )  # of the form it was added with, sent once or twice

    class Meta:
        default_permissions = ()
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(
                fields=["room", "place"],
                name="screener_place_once",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(condition=Q(place__lt=5), name="screener_at_most_five"),
            models.CheckConstraint(condition=~Q(text=""), name="screener_question_has_text"),
        ]

    def __str__(self):
        return self.text


class ScreenerOption(models.Model):
    """An answer to a question of the screener; one that ends it is of somebody who is not sought."""

    question = models.ForeignKey(ScreenerQuestion, on_delete=models.CASCADE, related_name="options")
    place = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=120)
    is_out = models.BooleanField("not sought", default=False)

    class Meta:
        default_permissions = ()
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(
                fields=["question", "place"],
                name="screener_option_place_once",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(condition=~Q(text=""), name="screener_option_has_text"),
        ]

    def __str__(self):
        return self.text
