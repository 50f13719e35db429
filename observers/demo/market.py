"""Earmarks of the demonstration, as if placed from seats."""

from observers.models import Seat, SeatEarmark
from rewards.models import Earmark


def seed() -> None:
    """Say of each earmark of a demonstration firm which of its seats placed it."""
    seats = {}
    for seat in Seat.objects.order_by("firm", "number"):
        seats.setdefault(seat.firm_id, []).append(seat)
    for earmark in Earmark.objects.filter(firm__in=seats, placed_from=None).order_by("pk"):
        own = seats[earmark.firm_id]
        SeatEarmark.objects.create(earmark=earmark, seat=own[earmark.pk % len(own)])
