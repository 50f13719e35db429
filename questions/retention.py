"""What discussions forget."""

from django.conf import settings

from questions.services import limits
from questions.services.moderation import undoing
from sermo.retention import register

register(
    "questions.put_aside",
    what="What stood in a post before a moderator changed or removed it",
    kept=f"{settings.APPEAL_WITHIN_DAYS} days, until an open appeal is decided; "
    f"what could identify a patient {settings.UNDO_HOURS} hours",
    why="So long the act can be undone or appealed.",
    enforce=undoing.forget_before,
    left=lambda at: undoing.put_aside_too_long(at).count(),
)
register(
    "questions.write_counts",
    what="How much a member wrote on a day",
    kept="until the second day after",
    why="Limits are counted by the day.",
    enforce=limits.forget_days,
    left=lambda at: limits.days_over(at).count(),
)
