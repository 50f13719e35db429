"""What reviewers said about a claim, and disputes between two claims to one identity."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from sermo.fields import EncryptedTextField
from verification.models.claims import Claim

OPINIONS = 2  # of one mind settle a dispute


class Decision(models.Model):
    """One act of a reviewer on a claim, with the reason. Never changed afterwards."""

    class Outcome(models.TextChoices):
        APPROVE = "approve", "Approve"
        REJECT = "reject", "Reject"
        ASK = "ask", "Ask for more"
        UNLOCK = "unlock", "Unlock"
        KEEP = "keep", "Keep, or give back"
        SUSPEND = "suspend", "Suspend"
        REVOKE = "revoke", "Revoke"
        RETIRE = "retire", "Retire"

    class Reason(models.TextChoices):
        DOCUMENT_FITS = "document_fits", "Document and registry agree"
        COLLEAGUES_FIT = "colleagues_fit", "Three colleagues and registry agree"
        NAME_CHANGED = "name_changed", "Name differs, the change is documented"
        UNREADABLE = "unreadable", "Document unreadable or incomplete"
        OUTDATED = "outdated", "Document older than four years"
        MISMATCH = "mismatch", "Document and claim do not agree"
        NO_LICENSE = "no_license", "No active license found"
        NOT_PHYSICIAN = "not_physician", "Not licensed as a physician"
        EXCLUDED = "excluded", "Excluded from federal programs"
        NOT_OWN = "not_own", "Evidence that the license is someone else's"
        LICENSE_HOLDS = "license_holds", "The license is in force"
        RECORD_FITS = "record_fits", "What changed in the registry fits the member"
        LICENSE_ENDED = "license_ended", "The license was suspended or revoked"
        RETIRED = "retired", "Retired from practice"
        OTHER = "other", "Another reason, in the note"

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="decisions")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=7, choices=Outcome)
    reason = models.CharField(max_length=14, choices=Reason)
    note = EncryptedTextField()
    at = models.DateTimeField(default=timezone.now)
    waited = models.DurationField(
        null=True
    )  # of the claim for this decision, from which the next are foretold
    first_reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )  # who approved before, where a claim takes two

    class Meta:
        default_permissions = ("view",)
        ordering = ["at", "pk"]
        indexes = [
            models.Index(fields=["-at"], condition=Q(waited__isnull=False), name="decision_that_was_awaited")
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(reviewer=F("first_reviewer")), name="decision_second_is_by_another"
            ),
        ]

    def __str__(self):
        return f"{self.get_outcome_display()}, {self.get_reason_display()}"


class DisputeQuerySet(models.QuerySet):
    def unsettled(self):
        return self.filter(outcome="")

    def undecided(self):
        """Unsettled, and not yet found for the new claim by two reviewers: those only wait for its other disputes."""
        for_rival = models.Count("opinions", filter=Q(opinions__side="rival"))
        return self.unsettled().alias(for_rival=for_rival).filter(for_rival__lt=OPINIONS)


class Dispute(models.Model):
    """Two people proved the same identity. Two reviewers of one mind settle whose it is.

    A claim has two disputes where its NPI is held by one and its license number by another. It wins both or neither.
    """

    class Outcome(models.TextChoices):
        HOLDER = "holder", "The verified claim stays"
        RIVAL = "rival", "The new claim is right"
        WITHDRAWN = "withdrawn", "The new claim was withdrawn"

    holder_claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="disputes_held")
    rival_claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="disputes_raised")
    opened_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    outcome = models.CharField(max_length=9, choices=Outcome, blank=True)
    settled_at = models.DateTimeField(null=True)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["rival_claim", "holder_claim"],
                condition=Q(outcome=""),
                name="dispute_one_open_per_pair",
            ),
            models.CheckConstraint(
                condition=~Q(holder_claim=F("rival_claim")), name="dispute_between_two_claims"
            ),
            models.CheckConstraint(condition=Q(due_at__gt=F("opened_at")), name="dispute_due_after_opening"),
            models.CheckConstraint(
                condition=Q(outcome="", settled_at=None)
                | (Q(outcome__in=["holder", "rival", "withdrawn"]) & Q(settled_at__isnull=False)),
                name="dispute_settled_with_outcome",
            ),
        ]

    def __str__(self):
        return f"dispute {self.pk}"


class DisputeOpinion(models.Model):
    """One reviewer's view of a dispute."""

    class Side(models.TextChoices):
        HOLDER = "holder", "The verified claim stays"
        RIVAL = "rival", "The new claim is right"

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="opinions")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    side = models.CharField(max_length=6, choices=Side)
    note = EncryptedTextField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["dispute", "reviewer"], name="dispute_opinion_once_per_reviewer"),
            models.CheckConstraint(
                condition=Q(side__in=["holder", "rival"]), name="dispute_opinion_takes_a_side"
            ),
        ]

    def __str__(self):
        return f"opinion {self.pk}"
