"""Whether a license is still in force: what was looked at, and when."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from sermo.fields import EncryptedTextField
from verification.models.claims import Claim


class LicenseCheck(models.Model):
    """One look at a license that is held. Never changed afterwards, but for the look of staff at what a member said.

    Of those that members answer themselves, staff look some up (`wants_look`), drawn by lot or after a report.
    """

    class Source(models.TextChoices):
        BOARD = "board", "Roster of the board"
        MEMBER = "member", "Confirmed by the member"
        REVIEWER = "reviewer", "Looked up by a reviewer"
        DOCUMENT = "document", "New document"

    class Finding(models.TextChoices):
        IN_FORCE = "in_force", "In force"
        EXPIRED = "expired", "Expired"
        ENDED = "ended", "Suspended or revoked"
        NOT_FOUND = "not_found", "Not found"

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="license_checks")
    source = models.CharField(max_length=8, choices=Source)
    finding = models.CharField(max_length=9, choices=Finding)
    status = models.CharField("in the board's words", max_length=60, blank=True)
    expires_on = models.DateField(null=True)
    as_of = models.DateField(default=timezone.localdate)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    note = EncryptedTextField(null=True)  # of whoever looked it up, for reviewers
    wants_look = models.BooleanField(default=False)
    looked_at = models.DateTimeField(null=True)
    looked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        default_permissions = ("view",)
        ordering = ["at", "pk"]
        indexes = [
            models.Index(
                fields=["at"], condition=Q(wants_look=True, looked_at=None), name="license_check_to_look_up"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(source__in=["board", "member", "reviewer", "document"]),
                name="license_check_source_is_known",
            ),
            models.CheckConstraint(
                condition=Q(finding__in=["in_force", "expired", "ended", "not_found"]),
                name="license_check_finding_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(source="member") | Q(by=None), name="license_check_of_a_member_by_nobody"
            ),
            models.CheckConstraint(
                condition=Q(looked_at=None, looked_by=None)
                | Q(looked_at__isnull=False, looked_by__isnull=False),
                name="license_check_looked_at_by_somebody",
            ),
        ]

    def __str__(self):
        return f"{self.get_finding_display()}, {self.as_of}"
