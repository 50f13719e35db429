"""Money on its way out: what was asked for, who approved it, and what providers say of it."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from rewards.models.firms import Charity
from rewards.models.ledger import Transaction
from rewards.models.payees import Method, Payee
from sermo.fields import EncryptedJSONField


class PayoutBatch(models.Model):
    """Checks, bank transfers or gift cards that the finance desk took away in one file."""

    method = models.CharField(max_length=7, choices=Method)
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.UUIDField()  # subject
    payouts_count = models.PositiveIntegerField()
    cents = models.PositiveBigIntegerField()

    class Meta:
        default_permissions = ("view",)
        verbose_name_plural = "payout batches"

    def __str__(self):
        return f"batch {self.pk}"


class PayoutQuerySet(models.QuerySet):
    def under_way(self):
        return self.filter(state__in=Payout.UNDER_WAY)


class Payout(models.Model):
    """One payment to a member, or of a charity's balance to the charity.

    `key` is what a provider knows it by and never changes: asking again moves no second cent. It is committed as
    submitted before the provider is called, so whatever is submitted and has no `reference` may or may not be out.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", "Asked for"
        APPROVED = "approved", "Approved"
        SUBMITTED = "submitted", "Sent to the provider"
        IN_DOUBT = "in_doubt", "In doubt"
        PAID = "paid", "Paid"
        FAILED = "failed", "Failed"
        RETURNED = "returned", "Came back"
        REVERSED = "reversed", "Back on the balance"

    UNDER_WAY = (State.REQUESTED, State.APPROVED, State.SUBMITTED, State.IN_DOUBT)

    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    submission = models.UUIDField(unique=True)  # of the form it was asked for with
    subject = models.UUIDField(null=True)
    payee = models.ForeignKey(Payee, on_delete=models.SET_NULL, null=True, related_name="payouts")
    charity = models.ForeignKey(Charity, on_delete=models.PROTECT, null=True, related_name="payouts")
    method = models.CharField(max_length=7, choices=Method)
    provider = models.CharField(max_length=12)  # see rewards.providers
    details = EncryptedJSONField(
        null=True
    )  # of the method when it was asked for; forgotten 90 days after the end
    cents = models.PositiveIntegerField()
    state = models.CharField(max_length=9, choices=State, default=State.REQUESTED)
    requested_at = models.DateTimeField(default=timezone.now)
    promised_on = models.DateField()
    sent_at = models.DateTimeField(null=True)  # to the provider, last
    tries = models.PositiveSmallIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)  # paid, or back on the balance
    paid_on = models.DateField(
        null=True
    )  # when the money went, in the payer's time zone: the day its tax year goes by
    reference = models.CharField(max_length=120, blank=True)  # the provider's name for it
    problem = models.CharField(max_length=200, blank=True)  # in words, without names or numbers of accounts
    late_told_at = models.DateTimeField(null=True)
    batch = models.ForeignKey(PayoutBatch, on_delete=models.PROTECT, null=True, related_name="payouts")
    held = models.OneToOneField(Transaction, on_delete=models.PROTECT, related_name="+")
    settled = models.OneToOneField(Transaction, on_delete=models.PROTECT, null=True, related_name="+")
    put_back = models.OneToOneField(Transaction, on_delete=models.PROTECT, null=True, related_name="+")

    objects = PayoutQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        permissions = [("approve_payout", "Can approve payouts")]
        constraints = [
            models.CheckConstraint(condition=Q(cents__gt=0), name="payout_is_something"),
            models.CheckConstraint(
                condition=Q(subject__isnull=False, charity=None) | Q(subject=None, charity__isnull=False),
                name="payout_has_one_receiver",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "requested",
                        "approved",
                        "submitted",
                        "in_doubt",
                        "paid",
                        "failed",
                        "returned",
                        "reversed",
                    ]
                ),
                name="payout_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(method__in=["bank", "check", "paypal", "gift", "charity"]),
                name="payout_by_a_known_method",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="paid",
                    ended_at__isnull=False,
                    paid_on__isnull=False,
                    settled__isnull=False,
                    put_back=None,
                )
                | Q(state="reversed", ended_at__isnull=False, put_back__isnull=False)
                | Q(
                    state__in=["requested", "approved", "submitted", "in_doubt", "failed"],
                    ended_at=None,
                    settled=None,
                    put_back=None,
                )
                | Q(state="returned", ended_at__isnull=False, settled__isnull=False, put_back=None),
                name="payout_ends_once",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("requested_at")),
                name="payout_ends_after_start",
            ),
            models.UniqueConstraint(
                fields=["provider", "reference"],
                condition=~Q(reference="") & Q(provider__in=["stripe", "paypal", "pretend"]),
                name="payout_reference_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["state", "requested_at"],
                condition=Q(state__in=["requested", "approved", "submitted", "in_doubt", "failed"]),
                name="payout_open",
            ),
            models.Index(fields=["ended_at"], condition=Q(state="paid"), name="payout_paid"),
            models.Index(F("subject"), F("id").desc(), name="payout_by_subject"),
        ]

    def __str__(self):
        return f"payout {self.pk}"


class PayoutStep(models.Model):
    """A state a payout came into, when, and by whom."""

    payout = models.ForeignKey(Payout, on_delete=models.CASCADE, related_name="steps")
    state = models.CharField(max_length=9, choices=Payout.State)
    at = models.DateTimeField(default=timezone.now)
    by = models.UUIDField(null=True)  # subject of staff; none: the site itself, or the payee
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        default_permissions = ("view",)
        ordering = ["pk"]

    def __str__(self):
        return f"{self.state} {self.payout_id}"


class Approval(models.Model):
    """That one of the finance desk approved a payout; large sums take two."""

    payout = models.ForeignKey(Payout, on_delete=models.CASCADE, related_name="approvals")
    by = models.UUIDField()  # subject
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["payout", "by"], name="approval_once_per_person")]

    def __str__(self):
        return f"approval {self.pk}"


class ProviderEvent(models.Model):
    """A signed message of a provider that was taken in. It is kept so that a second copy does nothing."""

    provider = models.CharField(max_length=12)
    event = models.CharField(max_length=120)
    kind = models.CharField(max_length=80)
    received_at = models.DateTimeField(default=timezone.now)
    payout = models.ForeignKey(Payout, on_delete=models.SET_NULL, null=True, related_name="events")

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["provider", "event"], name="provider_event_once")]

    def __str__(self):
        return f"{self.provider} {self.event}"


class Reconciliation(models.Model):
    """A comparison of a provider's own list with ours; `differences` is what neither explains."""

    provider = models.CharField(max_length=12)
    since = models.DateTimeField()
    at = models.DateTimeField(default=timezone.now)
    matched = models.PositiveIntegerField(default=0)
    ours_cents = models.BigIntegerField(default=0)
    theirs_cents = models.BigIntegerField(default=0)
    settled = models.PositiveIntegerField(default=0)  # payouts in doubt that it settled
    differences = models.JSONField(default=list)  # {what, key, reference, ours, theirs}

    class Meta:
        default_permissions = ("view",)

    def __str__(self):
        return f"reconciliation {self.pk}"


class PretendTransfer(models.Model):
    """What the development provider has "sent": a provider of its own, so that it can be asked again."""

    key = models.UUIDField(primary_key=True)
    cents = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"pretended {self.key}"
