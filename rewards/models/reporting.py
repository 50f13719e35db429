"""What is reported about payments: to the tax office, and by manufacturers to Open Payments."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from rewards.models.awards import Award
from rewards.models.firms import Firm
from sermo.fields import EncryptedJSONField, EncryptedTextField


class YearRule(models.Model):
    """The thresholds of one calendar year, in cents, as data: see rewards/data/years.csv for their sources."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    tax_cents = models.PositiveIntegerField()  # Form 1099-NEC from this sum on
    single_cents = models.PositiveIntegerField()  # Open Payments: a single payment below is left out,
    total_cents = (
        models.PositiveIntegerField()
    )  # unless the year's payments of one firm to one physician exceed this
    layout = models.CharField(
        max_length=40
    )  # of the Open Payments file, rewards/data/open_payments/<layout>.csv

    class Meta:
        default_permissions = ("view",)
        ordering = ["-year"]

    def __str__(self):
        return str(self.year)


class TaxFiling(models.Model):
    """What was filed on Form 1099-NEC for one payee and year; where the books say something else, it is corrected."""

    year = models.PositiveSmallIntegerField()
    subject = models.UUIDField()
    cents = models.PositiveBigIntegerField()
    filed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["year", "subject"], name="tax_filing_once_a_year")]

    def __str__(self):
        return f"filing {self.year}"


class Report(models.Model):
    """One firm's Open Payments report of a year: first physicians read it for 45 days, then it may be exported."""

    firm = models.ForeignKey(Firm, on_delete=models.PROTECT, related_name="reports")
    year = models.PositiveSmallIntegerField()
    opened_on = models.DateField()
    closes_on = models.DateField()
    exported_at = models.DateTimeField(null=True)
    rows = models.PositiveIntegerField(default=0)
    cents = models.PositiveBigIntegerField(default=0)

    class Meta:
        default_permissions = ("add", "view")
        constraints = [
            models.UniqueConstraint(fields=["firm", "year"], name="report_once_a_year"),
            models.CheckConstraint(condition=Q(closes_on__gt=F("opened_on")), name="report_is_read_first"),
        ]

    def __str__(self):
        return f"report {self.year} of {self.firm_id}"


class OpenPayment(models.Model):
    """One payment of a firm, with all that a report may need of it (42 CFR 403.904), should the firm be covered.

    `recipient` is {npi, first_name, middle_name, last_name, degree, city, state, zip, taxonomy, license_state,
    license_number}, as verified when it was paid, encrypted as a whole; where the firm was not covered then, it is null
    and read when the firm's report is opened. While the firm does not know whom it paid, up to the end of June of the
    following year, an indirect payment is not reported (403.904(i)(1)); `unblinded_on` is the day it learned.
    """

    class Unblinded(models.TextChoices):
        PUBLIC = "public", "The post stands under the real name"
        SPONSOR = "sponsor", "The firm knew who took part"
        FINANCE = "finance", "The finance desk noted it"

    class Dispute(models.TextChoices):
        NONE = "", "No dispute"
        OPEN = "open", "Disputed"
        CORRECTED = "corrected", "Corrected"
        KEPT = "kept", "Kept as it was"

    award = models.OneToOneField(Award, on_delete=models.PROTECT, related_name="open_payment")
    firm = models.ForeignKey(Firm, on_delete=models.PROTECT, related_name="open_payments")
    subject = models.UUIDField(db_index=True)
    year = models.PositiveSmallIntegerField()
    paid_on = models.DateField()
    cents = models.PositiveIntegerField()
    form = models.CharField(max_length=60)
    nature = models.CharField(max_length=120)
    products = ArrayField(models.CharField(max_length=100), default=list)
    charity_name = models.CharField(max_length=120, blank=True)
    recipient = EncryptedJSONField(null=True)
    is_blind = models.BooleanField(default=True)
    unblinded_on = models.DateField(null=True)
    unblinded_by = models.CharField(max_length=8, choices=Unblinded, blank=True)
    dispute = models.CharField(max_length=9, choices=Dispute, blank=True)
    disputed_at = models.DateTimeField(null=True)
    dispute_words = EncryptedTextField(null=True)
    dispute_answer = EncryptedTextField(null=True)
    answered_at = models.DateTimeField(null=True)
    excluded = models.BooleanField(default=False)  # after a dispute was found right

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(is_blind=True, unblinded_on=None, unblinded_by="")
                | (Q(is_blind=False, unblinded_on__isnull=False) & ~Q(unblinded_by="")),
                name="open_payment_unblinded_on_a_day",
            ),
            models.CheckConstraint(
                condition=Q(dispute="", disputed_at=None) | (~Q(dispute="") & Q(disputed_at__isnull=False)),
                name="open_payment_disputed_at_a_moment",
            ),
        ]
        indexes = [models.Index(fields=["firm", "year", "subject"], name="open_payment_by_firm")]

    def __str__(self):
        return f"open payment {self.pk}"
