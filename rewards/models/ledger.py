"""The ledger: accounts, and transactions of entries that never change.

Amounts are whole US cents. A positive entry is money that comes to an account, a negative one money that leaves it;
the entries of a transaction sum to zero. The database keeps that true, not this code (migration 0002): rows are never
updated or deleted, entries join only a transaction of the same commit, balances move only by entries, and no account
that holds somebody's money goes below zero. A person stands here only as the random `subject` of a Payee.
"""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from rewards.models.firms import Charity, Firm


class Account(models.Model):
    """One pot of money. Deposits, refunds and paid are the world outside; fee is the house's own."""

    class Kind(models.TextChoices):
        DEPOSITS = "deposits", "Received from firms"
        FIRM = "firm", "Balance of a firm"
        RESERVED = "reserved", "Reserved by a firm"
        PAYABLE = "payable", "Owed to a member"
        CHARITY = "charity", "Owed to a charity"
        SENDING = "sending", "On its way"
        PAID = "paid", "Paid out"
        REFUNDS = "refunds", "Paid back to firms"
        FEE = "fee", "The house"

    OF_FIRMS = (Kind.FIRM, Kind.RESERVED)
    HOLDING = (Kind.FIRM, Kind.RESERVED, Kind.PAYABLE, Kind.CHARITY, Kind.SENDING)  # never below zero

    kind = models.CharField(max_length=8, choices=Kind)
    firm = models.ForeignKey(Firm, on_delete=models.PROTECT, null=True, related_name="accounts")
    charity = models.ForeignKey(Charity, on_delete=models.PROTECT, null=True, related_name="accounts")
    subject = models.UUIDField(null=True)
    balance = models.BigIntegerField(default=0, editable=False)  # cents; written by a trigger alone

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(
                        kind__in=["firm", "reserved"],
                        firm__isnull=False,
                        charity__isnull=True,
                        subject__isnull=True,
                    )
                    | Q(kind="payable", firm__isnull=True, charity__isnull=True, subject__isnull=False)
                    | Q(kind="charity", firm__isnull=True, charity__isnull=False, subject__isnull=True)
                    | Q(
                        kind__in=["deposits", "sending", "paid", "refunds", "fee"],
                        firm__isnull=True,
                        charity__isnull=True,
                        subject__isnull=True,
                    )
                ),
                name="account_kind_fits_owner",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["firm", "reserved", "payable", "charity", "sending"])
                | Q(balance__gte=0),
                name="account_never_overdrawn",
            ),
            models.UniqueConstraint(
                fields=["kind", "firm"], condition=Q(firm__isnull=False), name="account_once_per_firm"
            ),
            models.UniqueConstraint(
                fields=["charity"], condition=Q(charity__isnull=False), name="account_once_per_charity"
            ),
            models.UniqueConstraint(
                fields=["subject"], condition=Q(subject__isnull=False), name="account_once_per_subject"
            ),
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(firm=None, charity=None, subject=None),
                name="account_of_the_house_once",
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.firm or self.charity or ''}".strip()


class Transaction(models.Model):
    """One movement of money. `key` makes what is asked twice happen once; `by` is the subject of the staff concerned.

    `xact` is the database transaction it was written in, by which entries cannot be added to it later.
    """

    class Kind(models.TextChoices):
        TOP_UP = "top_up", "Top-up"
        WITHDRAWAL = "withdrawal", "Paid back to the firm"
        RESERVE = "reserve", "Reserved"
        RELEASE = "release", "Reservation released"
        SETTLE = "settle", "Earmark settled"
        HONORARIUM = "honorarium", "Honorarium"
        DONATION = "donation", "Donated"
        PAYOUT = "payout", "Payout asked for"
        PAID = "paid", "Paid out"
        RETURNED = "returned", "Payout returned"
        LATE = "late", "For a late payment"
        LEFT = "left", "Left behind, given to charity"
        FEE = "fee", "Fee"
        REVERSAL = "reversal", "Reversed"

    kind = models.CharField(max_length=10, choices=Kind)
    key = models.CharField(max_length=100, unique=True)
    at = models.DateTimeField(default=timezone.now)
    by = models.UUIDField(null=True)
    note = models.CharField(max_length=200, blank=True)
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="reversed_by")
    xact = models.BigIntegerField(default=0, editable=False)  # written by a trigger

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=~Q(key=""), name="transaction_has_key"),
            models.CheckConstraint(
                condition=Q(kind="reversal", reverses__isnull=False)
                | (~Q(kind="reversal") & Q(reverses=None)),
                name="transaction_reversal_reverses",
            ),
        ]
        indexes = [models.Index(fields=["at"], name="transaction_at")]

    def __str__(self):
        return f"{self.get_kind_display()} {self.pk}"


class Entry(models.Model):
    """What one transaction did to one account, in cents, and the balance it left there."""

    transaction = models.ForeignKey(
        Transaction, on_delete=models.PROTECT, related_name="entries", db_index=False
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="entries", db_index=False)
    amount = models.BigIntegerField()
    balance_after = models.BigIntegerField(default=0, editable=False)  # written by a trigger

    class Meta:
        default_permissions = ("view",)
        verbose_name_plural = "entries"
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="entry_moves_something"),
            models.UniqueConstraint(fields=["transaction", "account"], name="entry_once_per_account"),
        ]
        indexes = [models.Index(F("account"), F("id").desc(), name="entry_by_account")]

    def __str__(self):
        return f"entry {self.pk}"
