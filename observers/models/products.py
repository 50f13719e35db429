"""Drugs and devices: where they are discussed, what makers say of them, and what a safety desk must look at."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from observers.models.contracts import Seat
from questions.models import Post
from rewards.models import Firm


class Product(models.Model):
    """A drug or a device, with the words by which a text is known to speak of it."""

    class Kind(models.TextChoices):
        DRUG = "drug", "Drug"
        DEVICE = "device", "Device"

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=80)
    generic = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.DRUG)
    maker = models.ForeignKey(
        Firm, on_delete=models.PROTECT, null=True, blank=True, related_name="made_products"
    )
    words = ArrayField(models.CharField(max_length=60))  # lower case, as `sermo.text.searchable` writes them

    class Meta:
        default_permissions = ("add", "change", "view")
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=Q(words__len__gte=1), name="product_has_words")]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("products:product", args=[self.slug])


class Mention(models.Model):
    """That a post speaks of a product."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="mentions")
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="mentions")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["post", "product"], name="mention_once")]
        indexes = [models.Index(fields=["product", "-post"], name="mention_by_product")]

    def __str__(self):
        return f"mention of {self.product_id} in {self.post_id}"


class CompanyQuestion(models.Model):
    """What a physician asked a maker's medical information desk on a product's page, and the answer, for all to read.

    The firm knows the asker by no name at all; `key` is the address it answers at.
    """

    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="company_questions")
    firm = models.ForeignKey(Firm, on_delete=models.PROTECT, related_name="company_questions")
    asker = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="company_questions")
    text = models.CharField(max_length=1000)
    asked_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    answer = models.TextField(blank=True)
    html = models.TextField(blank=True)  # of the answer, sanitized
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(Seat, on_delete=models.PROTECT, null=True, related_name="+")
    edited_at = models.DateTimeField(null=True)  # the answer, by the firm
    removed_at = models.DateTimeField(null=True)
    submission = models.UUIDField(unique=True, editable=False)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_at=None, answered_by=None, answer="")
                | Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(answer=""),
                name="company_question_answered_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None) | Q(answered_at__gte=F("asked_at")),
                name="company_question_answered_after_asked",
            ),
            models.CheckConstraint(
                condition=Q(edited_at=None) | Q(answered_at__isnull=False, edited_at__gte=F("answered_at")),
                name="company_question_edited_after_answered",
            ),
        ]
        indexes = [
            models.Index(fields=["product", "-asked_at"], name="company_question_by_product"),
            models.Index(
                fields=["firm", "due_at"],
                condition=Q(answered_at=None, removed_at=None),
                name="company_question_waiting",
            ),
        ]

    def __str__(self):
        return f"company question {self.pk}"

    @property
    def silent_until(self):
        """Until when the firm corrects its answer without a trace, as a member does a post."""
        return self.answered_at + timedelta(minutes=settings.SILENT_EDIT_MINUTES)


class CompanyRevision(models.Model):
    """What a firm's answer said before an edit that was not silent, and from which seat that was."""

    question = models.ForeignKey(CompanyQuestion, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    answer = models.TextField()
    replaced_at = models.DateTimeField(default=timezone.now)
    replaced_by = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["question", "number"], name="company_revision_number_once"),
            models.CheckConstraint(condition=~Q(answer=""), name="company_revision_says_something"),
        ]

    def __str__(self):
        return f"revision {self.number} of company question {self.question_id}"


class AdverseEvent(models.Model):
    """That a maker read a post on its product, and what its seat said of it: the four criteria, or that it is none."""

    class Outcome(models.TextChoices):
        EVENT = "event", "Adverse event"
        NONE = "none", "No adverse event"

    firm = models.ForeignKey(Firm, on_delete=models.PROTECT, related_name="adverse_events")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="adverse_events")
    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="adverse_events")
    read_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=5, choices=Outcome, blank=True)
    has_reporter = models.BooleanField(default=False)
    has_patient = models.BooleanField(default=False)
    has_event = models.BooleanField(default=False)
    has_product = models.BooleanField(default=False)
    said_at = models.DateTimeField(null=True)
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["firm", "product", "post"], name="adverse_event_once"),
            models.CheckConstraint(
                condition=Q(outcome="", said_at=None, seat=None)
                | ~Q(outcome="") & Q(said_at__isnull=False, seat__isnull=False),
                name="adverse_event_said_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["firm", "read_at"], condition=Q(outcome=""), name="adverse_event_waiting")
        ]

    def __str__(self):
        return f"adverse event {self.pk}"


class Declaration(models.Model):
    """What a member says of their ties to a maker, where the ledger may not say it for them."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="declarations")
    firm = models.ForeignKey(Firm, on_delete=models.CASCADE, related_name="+")
    is_paid = models.BooleanField()
    declared_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["member", "firm"], name="declaration_once")]

    def __str__(self):
        return f"declaration {self.pk}"


class Conflict(models.Model):
    """The line under a post on a product: what ties its author to the maker, as far as that may be said here."""

    class Said(models.TextChoices):
        PAID = "paid", "was paid by its maker through this site in the last 12 months"
        DECLARED = "declared", "declares to be paid by its maker"
        ASKED = "asked", "has not declared yet"

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="conflicts")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    said = models.CharField(max_length=8, choices=Said)
    band = models.CharField(max_length=20, blank=True)  # "under $100"
    as_of = models.DateField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["post", "product"], name="conflict_once")]

    def __str__(self):
        return f"conflict of {self.post_id}"
