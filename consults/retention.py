"""What image cases forget."""

from django.conf import settings

from consults.services import drafts, files, withdrawing
from consults.services.masking import STAGED_FOR
from sermo.retention import register

register(
    "consults.staged",
    what="Pictures as they came, and masked ones of cases that nobody goes on with",
    kept=f"{STAGED_FOR // drafts.HOUR} hours as they came (looked after each hour); masked {drafts.KEPT_FOR.days} days",
    why="What is not masked may show a patient.",
    enforce=drafts.purge_expired,
    left=lambda at: sum(rows.count() for rows in drafts.expired(at)),
    is_hourly=True,
)
register(
    "consults.removed",
    what="Pictures of discussions that a moderator removed",
    kept=f"{settings.APPEAL_WITHIN_DAYS} days, until an open appeal is decided",
    why="From then on the removal cannot be taken back.",
    enforce=withdrawing.shred_removed,
    left=lambda at: withdrawing.removed_for_good(at).count(),
)
register(
    "consults.files",
    what="Files of pictures that no row needs",
    kept="1 day",
    why="Left by a crash; without their keys they are noise.",
    enforce=files.sweep,
    left=lambda at: files.count_strays(),
)
