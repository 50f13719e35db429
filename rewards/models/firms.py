"""Who pays: firms, the charities money may go to, and which members a firm pays elsewhere."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Member

is_ein = RegexValidator(r"^\d{2}-\d{7}$", "An EIN looks like 12-3456789.")


class FirmQuerySet(models.QuerySet):
    def active(self):
        return self.filter(is_active=True)


class Firm(models.Model):
    """A firm that pays for discussions. Its money stands in the ledger; who its people are is the observers' matter.

    `is_covered` is whether it is an applicable manufacturer or GPO under 42 CFR 403.902, whose payments are reported
    under `registration_id`. `shows_name` is whether members read its name or only its kind where it paid.
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

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    shows_name = models.BooleanField("named where it paid", default=True)
    is_covered = models.BooleanField("reports to Open Payments", default=False)
    registration_id = models.CharField("Open Payments registration ID", max_length=12, blank=True)
    products = models.JSONField(
        default=list, blank=True
    )  # names of its own that may be reported with a payment
    is_active = models.BooleanField("active", default=True)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = FirmQuerySet.as_manager()

    class Meta:
        default_permissions = ("add", "change", "view")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="firm_has_name"),
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
                name="firm_kind_is_known",
            ),
            models.CheckConstraint(
                condition=Q(is_covered=False) | ~Q(registration_id=""), name="firm_covered_has_registration"
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def shown_as(self) -> str:
        """How members read it where it paid, within a sentence: its name, or what kind of firm it is."""
        if self.shows_name:
            return self.name
        if self.kind == self.Kind.OTHER:
            return "a firm"
        kind = self.get_kind_display().lower()
        return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


class Charity(models.Model):
    """Where members may send what they earn."""

    name = models.CharField(max_length=120, unique=True)
    ein = models.CharField("EIN", max_length=10, unique=True, validators=[is_ein])
    is_active = models.BooleanField("offered", default=True)

    class Meta:
        default_permissions = ("add", "change", "view")
        verbose_name_plural = "charities"
        ordering = ["name"]

    def __str__(self):
        return self.name


class Affiliation(models.Model):
    """That a member works for a firm or is paid by it elsewhere, so that it pays nothing here."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="affiliations")
    firm = models.ForeignKey(Firm, on_delete=models.PROTECT, related_name="affiliations")
    declared_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["member", "firm"], condition=Q(ended_at=None), name="affiliation_declared_once"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("declared_at")),
                name="affiliation_ends_after_start",
            ),
        ]

    def __str__(self):
        return f"affiliation {self.pk}"
