"""Earmarks, and what becomes of them when a discussion closes."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from questions.models import Post, Question
from rewards.models.firms import Firm
from rewards.models.ledger import Transaction
from sermo.fields import EncryptedTextField

LEAST, MOST = 500, 2500  # cents of an author, and of each voter
MOST_SLOTS = 50  # voters one earmark pays


class Allowance(models.Model):
    """How many posts a firm may earmark on a day (UTC), fixed at 00:00 from the 30 days before."""

    firm = models.ForeignKey(Firm, on_delete=models.CASCADE, related_name="allowances")
    day = models.DateField()
    slots = models.PositiveIntegerField()

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["firm", "day"], name="allowance_once_a_day")]

    def __str__(self):
        return f"{self.firm_id}, {self.day}: {self.slots}"


class Earmark(models.Model):
    """A firm's promise to pay the author of a post, and some of those who judged it, when the discussion closes.

    Nobody outside the firm and the finance desk learns of it before. The money is reserved from the start. An open one
    becomes cancelled (by the firm, soon), refunded (nothing could be paid), held (its author is suspended), settled.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        CANCELLED = "cancelled", "Canceled"
        REFUNDED = "refunded", "Refunded"
        HELD = "held", "Held"
        SETTLED = "settled", "Settled"

    class Why(models.TextChoices):
        REMOVED = "removed", "The post was removed"
        OPTED_OUT = "opted_out", "Its author takes no money"
        AFFILIATED = "affiliated", "Its author is paid by the firm elsewhere"
        LEFT = "left", "Its author has left"
        REVOKED = "revoked", "Its author's membership ended"
        STILL_HELD = "still_held", "Its author stayed suspended"

    firm = models.ForeignKey(Firm, on_delete=models.PROTECT, related_name="earmarks")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="earmarks")
    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="earmarks")
    author_cents = models.PositiveIntegerField(validators=[MinValueValidator(LEAST), MaxValueValidator(MOST)])
    voter_cents = models.PositiveIntegerField(default=0)  # each; 0 with no slots
    voter_slots = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    why = models.CharField(max_length=10, choices=Why, blank=True)  # it was refunded
    votes_before = models.PositiveIntegerField(default=0)  # there were when it was placed
    was_public = models.BooleanField(default=False)  # the post stood under the real name when it was placed
    placed_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    key = models.UUIDField(unique=True)  # of the form it was placed with
    reserved = models.OneToOneField(Transaction, on_delete=models.PROTECT, related_name="+")
    ended = models.OneToOneField(Transaction, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        default_permissions = ("add", "view")
        constraints = [
            models.UniqueConstraint(fields=["firm", "post"], name="earmark_one_per_firm_and_post"),
            models.CheckConstraint(
                condition=Q(author_cents__range=(500, 2500)), name="earmark_author_amount_in_bounds"
            ),
            models.CheckConstraint(
                condition=Q(voter_cents=0, voter_slots=0)
                | Q(voter_cents__range=(500, 2500), voter_slots__range=(1, 50)),
                name="earmark_voter_pool_in_bounds",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "cancelled", "refunded", "held", "settled"]),
                name="earmark_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "held"], ended_at=None, ended=None)
                | Q(
                    state__in=["cancelled", "refunded", "settled"],
                    ended_at__isnull=False,
                    ended__isnull=False,
                ),
                name="earmark_ends_once",
            ),
            models.CheckConstraint(
                condition=Q(state="refunded") & ~Q(why="") | ~Q(state="refunded") & Q(why=""),
                name="earmark_refunded_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("placed_at")), name="earmark_ends_after_start"
            ),
        ]
        indexes = [
            models.Index(fields=["question"], condition=Q(state__in=["open", "held"]), name="earmark_due"),
            models.Index(fields=["placed_at"], name="earmark_placed"),
        ]

    def __str__(self):
        return f"earmark {self.pk}"

    @property
    def total_cents(self) -> int:
        return self.author_cents + self.voter_cents * self.voter_slots


class DrawDay(models.Model):
    """The key of one day's draws (UTC). Its SHA-256 is published a day before, the key itself when the day is over."""

    day = models.DateField(primary_key=True)
    key = EncryptedTextField()  # 64 hexadecimal digits
    commitment = models.CharField(max_length=64)
    committed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"draws of {self.day}"


class Settlement(models.Model):
    """That a closed discussion was settled, once, and what was paid in it. All of it is public to its readers."""

    question = models.OneToOneField(
        Question, on_delete=models.PROTECT, primary_key=True, related_name="settlement"
    )
    settled_at = models.DateTimeField(default=timezone.now)
    paid_cents = models.PositiveIntegerField(default=0)  # to authors, voters and charities, so far
    payees = models.PositiveIntegerField(default=0)
    firms = ArrayField(models.CharField(max_length=140), default=list)  # as they are shown, in their order

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"settlement of {self.question_id}"


class Pool(models.Model):
    """The draw of one earmark's voters, as published: all tickets in their order, and those that won, as drawn."""

    settlement = models.ForeignKey(Settlement, on_delete=models.PROTECT, related_name="pools")
    number = models.PositiveSmallIntegerField()  # 1, 2, ... in the discussion; a part of what is drawn by
    earmark = models.OneToOneField(Earmark, on_delete=models.PROTECT, related_name="pool")
    draw_day = models.ForeignKey(DrawDay, on_delete=models.PROTECT, related_name="pools")
    seed = models.CharField(max_length=64)
    cents = models.PositiveIntegerField()  # each
    slots = models.PositiveSmallIntegerField()
    tickets = ArrayField(models.CharField(max_length=64), default=list)
    winners = ArrayField(models.CharField(max_length=64), default=list)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["settlement", "number"], name="pool_number_once"),
            models.CheckConstraint(
                condition=Q(winners__len__lte=F("slots")), name="pool_pays_no_more_than_its_slots"
            ),
        ]

    def __str__(self):
        return f"pool {self.number} of {self.settlement_id}"
