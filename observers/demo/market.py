"""Earmarks of the demonstration, as if placed from seats."""

from itertools import cycle

from observers.models import Seat, SeatEarmark
from rewards.models import Earmark

NOTES = ("", "Says what the label leaves open", "Ask for the series behind it")


def seed() -> None:
    """Say of each earmark of a demonstration firm which of its seats placed it, and what was noted."""
    seats = {}
    for seat in Seat.objects.order_by("firm", "number"):
        seats.setdefault(seat.firm_id, []).append(seat)
    earmarks = Earmark.objects.filter(firm__in=seats, placed_from=None).order_by("pk")
    for earmark, note in zip(earmarks, cycle(NOTES)):
        own = seats[earmark.firm_id]
        SeatEarmark.objects.create(earmark=earmark, seat=own[earmark.pk % len(own)], note=note)
