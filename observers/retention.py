"""What is forgotten of what firms were shown."""

from django.conf import settings

from observers.services import charting
from sermo.retention import register

register(
    "observers.answered",
    what="Of whom a cell was made that a firm was shown, by numbers that lead back to nobody",
    kept=f"{settings.OBSERVER_REMEMBER_DAYS} days",
    why="So long two cells could be compared to learn about one person.",
    enforce=charting.forget,
    left=lambda at: charting.answered_long_ago(at).count(),
)
