"""Whether a firm may earmark a post: what the firm can read of it, and nothing that lies with its author.

Whether the author takes no money, is tied to the firm, suspended or gone is not asked: a refusal would tell it of
anybody. It is decided when the discussion closes, see `rewards.services.settling`.
"""

from questions.models import Byline, Post, openness
from rewards.models import Firm

CLOSED = "This discussion is closed."
TOO_NEW = "This post is too new to be earmarked. Try again later."
NEVER = "This post cannot be earmarked."


def reason(post: Post, firm: Firm) -> str:
    """Why not, fit to show to the firm; empty where it may. A caller holds the discussion, or asks only for a look."""
    question = post.question
    if not question.is_open:
        return CLOSED
    if post.byline.mode in (Byline.Mode.HOUSE, Byline.Mode.FIRM):
        return NEVER
    if max(post.posted_at, post.edited_at or post.posted_at) > openness.released_until():
        return TOO_NEW
    return "" if Post.objects.open_to(firm).filter(pk=post.pk).exists() else NEVER
