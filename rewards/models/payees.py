"""Whom money is owed to, where it is sent, and what the tax office must know."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Member
from rewards.models.firms import Charity
from sermo.fields import EncryptedJSONField


class Payee(models.Model):
    """The way from a member to the subject under which the ledger knows them, and what they chose about money.

    `subject` is random and stands in the books. `draw_name` is random too, stands nowhere else, and is what draw
    tickets are made from, so that whoever reads the books can tell no ticket. After leaving the row stays for
    LEFT_DAYS, found by the hash of the link in the farewell mail; then it goes.
    """

    class Takes(models.TextChoices):
        SELF = "self", "Pay me"
        CHARITY = "charity", "Give it to a charity"
        NOTHING = "nothing", "I take no money from firms"

    subject = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    draw_name = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    member = models.OneToOneField(Member, on_delete=models.SET_NULL, null=True, related_name="payee")
    takes = models.CharField(max_length=7, choices=Takes, default=Takes.SELF)
    charity = models.ForeignKey(Charity, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    may_be_earmarked = models.BooleanField(default=True)
    left_at = models.DateTimeField(null=True)
    claim_hash = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001 - none is not equal

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(takes__in=["self", "charity", "nothing"]), name="payee_takes_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(takes="charity") | Q(charity__isnull=False), name="payee_names_the_charity"
            ),
            models.CheckConstraint(
                condition=Q(left_at=None, claim_hash=None) | Q(left_at__isnull=False),
                name="payee_claims_after_leaving",
            ),
        ]

    def __str__(self):
        return f"payee {self.subject}"


class Method(models.TextChoices):
    """How money leaves; which provider does it is a setting (PAYOUT_PROVIDERS)."""

    BANK = "bank", "Bank transfer"
    CHECK = "check", "Check by mail"
    PAYPAL = "paypal", "PayPal"
    GIFT = "gift", "Gift card"
    CHARITY = "charity", "Charity"


class PayoutMethod(models.Model):
    """Where a member's money goes. `details` depends on the method, see `rewards.methods`; encrypted as a whole."""

    payee = models.OneToOneField(
        Payee, on_delete=models.CASCADE, primary_key=True, related_name="payout_method"
    )
    method = models.CharField(max_length=7, choices=Method)
    details = EncryptedJSONField()
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(method__in=["bank", "check", "paypal", "gift"]), name="payout_method_is_known"
            )
        ]

    def __str__(self):
        return f"payout method of {self.payee_id}"


class TaxForm(models.Model):
    """Form W-9 as certified by its payee, kept apart from everything else and under the subject alone.

    `form` is {name, business_name, classification, street, city, state, zip, tin_kind: "ssn" or "ein", tin: nine
    digits}, encrypted as a whole. It outlives the account as long as tax law wants (TAX_KEEP_YEARS).
    """

    subject = models.UUIDField(primary_key=True, editable=False)
    form = EncryptedJSONField()
    certified_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return "tax form"
