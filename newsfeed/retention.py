"""What the news forget."""

from newsfeed.services import digests
from sermo.retention import register

register(
    "newsfeed.digests",
    what="Which articles a member's digests had",
    kept=f"{digests.KEPT.days} days",
    why="No article comes twice; older ones do not come at all.",
    enforce=digests.forget_old,
    left=lambda at: digests.old(at).count(),
)
