"""Breaking the glass: who stands behind a handle, seen by two people for a reason, and told to whom it concerns."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Member
from sermo.fields import EncryptedTextField


class Unmasking(models.Model):
    """A request to see the verified name behind a handle. A second person grants or refuses it.

    One that nobody decided ends (`end`, `ended_at`): its asker takes it back, or its days run out. The name is
    shown to the one who asked, until `open_until`, and stands nowhere here. The member is told on
    `tell_on`, which is later only where a court forbids it.
    """

    class Basis(models.TextChoices):
        COURT = "court", "Court order or subpoena"
        HARM = "harm", "Danger to somebody's life or health"
        FRAUD = "fraud", "Impostor, or a license that is not theirs"
        LAW = "law", "Another duty by law"

    class End(models.TextChoices):
        WITHDRAWN = "withdrawn", "Withdrawn"
        RUN_OUT = "run_out", "Ran out"

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="unmaskings")
    basis = models.CharField(max_length=5, choices=Basis)
    reason = EncryptedTextField(null=True)  # none: forgotten in time, or with the member
    reference = EncryptedTextField("file number", null=True)  # of a court: it may name the parties
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    barred_until = models.DateField(null=True)  # by a court: the member is not told before
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    is_granted = models.BooleanField(default=False)
    end = models.CharField(max_length=9, choices=End, blank=True, db_default="")  # without a decision
    ended_at = models.DateTimeField(null=True)
    why = EncryptedTextField(null=True)  # of who decided
    open_until = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    tell_on = models.DateField(null=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("ask_unmasking", "Can ask for the name behind a handle"),
            ("grant_unmasking", "Can grant that a name is seen"),
        ]
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(decided_by=F("asked_by")), name="unmasking_takes_two"),
            models.CheckConstraint(
                condition=Q(decided_at=None, decided_by=None, is_granted=False)
                | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="unmasking_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(is_granted=False, open_until=None, seen_at=None, tell_on=None)
                | Q(is_granted=True, open_until__isnull=False, tell_on__isnull=False),
                name="unmasking_seen_once_granted",
            ),
            models.CheckConstraint(
                condition=Q(barred_until=None) | Q(basis="court"), name="unmasking_silent_by_a_court_alone"
            ),
            models.CheckConstraint(
                condition=Q(end="", ended_at=None)
                | Q(end__in=["withdrawn", "run_out"], ended_at__isnull=False, decided_at=None),
                name="unmasking_ended_or_decided",
            ),
            models.UniqueConstraint(
                fields=["member", "asked_by"],
                condition=Q(decided_at=None, ended_at=None),
                name="unmasking_asked_once",
            ),
        ]

    def __str__(self):
        return f"unmasking {self.pk}"

    @property
    def is_waiting(self):
        return self.decided_at is None and self.ended_at is None
