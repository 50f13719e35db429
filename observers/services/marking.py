"""Earmarks from the console: what `rewards` promises and reserves, for a post the firm can read, within its plan."""

from uuid import UUID

from django.db import transaction

from observers.models import Contract, Seat, SeatEarmark
from observers.services.contracting import hold_contract
from questions.models import Post
from rewards.models import Earmark, Firm
from rewards.services import allowances, draws, earmarking


class PlanUsedUp(earmarking.NoSlotToday):
    message = "No slot today. Your plan's earmarks of today are placed; there are new ones at 00:00 UTC."


@transaction.atomic
def place(
    *,
    seat: Seat,
    post: Post,
    author_cents: int,
    voter_cents: int = 0,
    voter_slots: int = 0,
    key: UUID,
    note: str = "",
) -> Earmark:
    """Earmark a post for the firm of a seat. The same `key` for the same is the earmark it made before.

    `note` is by what the firm knows it again. Raises contracting.NotContracted, PlanUsedUp, and what
    `rewards.services.earmarking.place` raises: NotEarmarkable also for what is not open to the firm.
    """
    contract = hold_contract(seat.firm)
    if (
        not Earmark.objects.filter(key=key).exists()
        and allowances.placed_on(draws.today(), seat.firm) >= contract.plan.earmarks_a_day
    ):
        raise PlanUsedUp
    earmark = earmarking.place(
        firm=seat.firm,
        post=post,
        author_cents=author_cents,
        voter_cents=voter_cents,
        voter_slots=voter_slots,
        key=key,
    )
    SeatEarmark.objects.get_or_create(earmark=earmark, defaults={"seat": seat, "note": note})
    return earmark


def cancel(*, seat: Seat, earmark: Earmark) -> Earmark:
    """Take an earmark of the seat's firm back. Raises earmarking.TooLateToCancel, Busy, Earmark.DoesNotExist."""
    earmark = Earmark.objects.select_related("firm", "post").get(pk=earmark.pk, firm=seat.firm)
    return earmarking.cancel(earmark=earmark)


def slots_left(firm: Firm, contract: Contract) -> int:
    """How many posts a firm may still earmark today: by the day's allowance, and by its plan."""
    most = min(allowances.of(firm, draws.today()), contract.plan.earmarks_a_day)
    return max(0, most - allowances.placed_on(draws.today(), firm))
