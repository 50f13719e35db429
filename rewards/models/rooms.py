"""Which firm pays for a focus group."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from focusgroups.models import Sponsor
from rewards.models.firms import Firm
from rewards.models.ledger import Transaction


class RoomSponsorship(models.Model):
    """That a firm pays for a focus group. How much is reserved for it stands in the label (focusgroups.Sponsor), since
    moderators and the publish check read it there.

    What is reserved grows with what is promised; what nobody earned goes back when the group is over.
    """

    label = models.OneToOneField(
        Sponsor, on_delete=models.PROTECT, primary_key=True, related_name="sponsorship"
    )
    firm = models.ForeignKey(Firm, on_delete=models.PROTECT, related_name="room_sponsorships")
    agreed_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)  # what was left went back
    reserved = models.OneToOneField(Transaction, on_delete=models.PROTECT, related_name="+")
    released = models.OneToOneField(Transaction, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        default_permissions = ("view",)
        verbose_name = "sponsored focus group"
        constraints = [
            models.CheckConstraint(
                condition=Q(released=None) | Q(ended_at__isnull=False),
                name="room_sponsorship_released_at_its_end",
            ),
        ]

    def __str__(self):
        return f"focus group {self.pk}"

    @property
    def room_id(self) -> int:
        return self.pk

    @property
    def heeds_affiliations(self) -> bool:
        """Whether somebody with a seat is paid nothing while they say that the firm pays them elsewhere.

        Under a blinded sponsor they are paid: what a section pays would tell whether it is the firm they named.
        """
        return not self.label.is_blinded
