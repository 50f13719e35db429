"""What members say of their ties to a maker, where the books may not say it for them."""

from django.db import transaction
from django.utils import timezone

from accounts.models import Member
from observers import conflicts
from observers.models import Declaration
from rewards.models import Firm
from sermo.errors import RuleBroken


class PaidHere(RuleBroken):
    message = "This firm has paid you through this site in the last 12 months. Only you are told so here."


@transaction.atomic
def declare(*, member: Member, firm: Firm, is_paid: bool) -> Declaration:
    """Say whether a firm pays one; what was said before is replaced, and the lines follow at once.

    Raises PaidHere where the books say otherwise.
    """
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if not is_paid and conflicts.was_paid(member, firm):
        raise PaidHere
    declared, _ = Declaration.objects.update_or_create(
        member=member, firm=firm, defaults={"is_paid": is_paid, "declared_at": timezone.now()}
    )
    conflicts.count_of(member, firm)
    return declared
