"""What polls forget."""

from polls.services import closing
from sermo.retention import register

register(
    "polls.unshown",
    what="Votes by dimension that were never shown, of closed polls",
    kept="until the poll closes",
    why="Few enough to say who voted what; they were only kept to be shown among more.",
    enforce=closing.forget_unshown,
    left=lambda at: len(closing.still_unshown(at)),
)
