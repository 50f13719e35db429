"""Whom a member shuts out."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Member
from rewards.models import Firm


class FirmBlock(models.Model):
    """That a firm, or every firm of a kind, reads nothing a member writes or asks, as of now and of all before."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="firm_blocks")
    firm = models.ForeignKey(Firm, on_delete=models.CASCADE, null=True, related_name="blocks")
    sector = models.CharField(max_length=10, choices=Firm.Kind, blank=True)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(firm=None) & ~Q(sector="") | Q(firm__isnull=False, sector=""),
                name="firm_block_of_one_firm_or_sector",
            ),
            models.UniqueConstraint(
                fields=["member", "firm"], condition=Q(sector=""), name="firm_blocked_once"
            ),
            models.UniqueConstraint(
                fields=["member", "sector"], condition=Q(firm=None), name="sector_blocked_once"
            ),
        ]
        indexes = [models.Index(fields=["sector"], condition=Q(firm=None), name="firm_block_by_sector")]

    def __str__(self):
        return f"firm block {self.pk}"
