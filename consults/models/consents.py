"""What a physician attests about a patient's consent. The patient's name is stored nowhere."""

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from sermo.fields import EncryptedTextField


class ConsentQuerySet(models.QuerySet):
    def own(self, member: Member | None):
        return self.filter(member=member) if member else self.none()

    def standing(self):
        """Attested, not withdrawn, not past its day."""
        today = timezone.now().date()
        return self.filter(Q(expires_on=None) | Q(expires_on__gte=today), revoked_at=None).exclude(
            attested_at=None
        )


class Consent(models.Model):
    """One consent, for the pictures of one patient. It always covers a consult among physicians.

    A signed one may be prepared before, with a form to print and a code by which the patient can take it back.
    """

    class Kind(models.TextChoices):
        SIGNED = "signed", "The patient signed"
        DEIDENTIFIED = "deidentified", "Not required: nothing identifies the patient"
        INSTITUTION = "institution", "Approved by the institution"

    class Signer(models.TextChoices):
        PATIENT = "patient", "The patient"
        GUARDIAN = "guardian", "A parent or guardian"

    class Medium(models.TextChoices):
        PAPER = "paper", "On paper"
        SCREEN = "screen", "On this screen"

    class RevokedBy(models.TextChoices):
        PHYSICIAN = "physician", "the physician"
        PATIENT = "patient", "the patient"

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="consents")
    kind = models.CharField(max_length=12, choices=Kind)
    statement = models.CharField(max_length=200, blank=True)  # why none is required, or the approval
    signer = models.CharField(max_length=8, choices=Signer, blank=True)
    medium = models.CharField(max_length=6, choices=Medium, blank=True)
    form_version = models.CharField(max_length=10, blank=True)
    signed_on = models.DateField(null=True)
    note = models.CharField(max_length=60, blank=True)  # the physician's own, to tell it from others
    for_teaching = models.BooleanField(default=False)
    for_observers = models.BooleanField(default=False)
    for_stories = models.BooleanField(
        default=False, db_default=False
    )  # told to the public, once it is solved
    expires_on = models.DateField(null=True)  # the last day it holds
    reminded_on = models.DateField(null=True)
    code = EncryptedTextField(null=True)
    code_hash = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001 - unique where there is one
    made_at = models.DateTimeField(default=timezone.now)
    attested_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=9, choices=RevokedBy, blank=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="signed", statement="", code_hash__isnull=False)
                & (
                    Q(attested_at=None)
                    | (~Q(signer="") & ~Q(medium="") & ~Q(form_version="") & Q(signed_on__isnull=False))
                )
                | (
                    Q(kind__in=["deidentified", "institution"], signer="", code_hash=None)
                    & Q(attested_at__isnull=False)
                    & ~Q(statement="")
                ),
                name="consent_attests_what_its_kind_needs",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by="")
                | Q(revoked_at__isnull=False, revoked_by__in=["physician", "patient"]),
                name="consent_revoked_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(for_stories=False) | Q(kind="signed"), name="consent_for_stories_is_signed"
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_on"],
                condition=Q(revoked_at=None, expires_on__isnull=False),
                name="consent_expiring",
            )
        ]

    def __str__(self):
        return f"consent {self.pk}"

    def get_absolute_url(self):
        return reverse("consults:consent", args=[self.pk])

    @property
    def is_standing(self):
        if self.attested_at is None or self.revoked_at is not None:
            return False
        return self.expires_on is None or self.expires_on >= timezone.now().date()
