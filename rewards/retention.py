"""What rewards forget."""

from django.conf import settings

from rewards.services import leaving, payouts
from sermo.retention import register

register(
    "rewards.payout_details",
    what="Where a payout went",
    kept=f"{settings.PAYOUT_DETAILS_DAYS} days after its end",
    why="Long enough for a payout to come back.",
    enforce=payouts.forget_details,
    left=lambda at: payouts.ended_long_ago(at).count(),
)
register(
    "rewards.tax_forms",
    what="W-9 of members who have left",
    kept=f"{settings.TAX_KEEP_YEARS} years after the year of the last payment",
    why="Tax law wants them so long.",
    enforce=leaving.forget_tax_forms,
    left=lambda at: leaving.old_tax_forms(at).count(),
)
