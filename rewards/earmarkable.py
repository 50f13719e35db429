"""Whether a firm may earmark a post. What lies with its author reads the same whichever it is."""

from accounts.models import Member
from questions.models import Byline, Post, Question, openness
from rewards.models import Affiliation, Firm, Payee

CLOSED = "This discussion is closed."
TOO_NEW = "This post is too new to be earmarked. Try again later."
NEVER = "This post cannot be earmarked."


def reason(post: Post, firm: Firm) -> str:
    """Why not, fit to show to the firm; empty where it may. A caller holds the discussion, or asks only for a look."""
    question = post.question
    if not question.is_open:
        return CLOSED
    if question.peers_only or question.audience != Question.Audience.PHYSICIANS:
        return NEVER
    if post.is_removed or post.folded_at or post.byline.mode in (Byline.Mode.HOUSE, Byline.Mode.FIRM):
        return NEVER
    if not _takes_money_of(post.author, firm):
        return NEVER
    if max(post.posted_at, post.edited_at or post.posted_at) > openness.released_until():
        return TOO_NEW
    return "" if Post.objects.open_to(firm).filter(pk=post.pk).exists() else NEVER


def _takes_money_of(author: Member, firm: Firm) -> bool:
    if author.user_id is None or not author.may_read:
        return False
    payee = Payee.objects.filter(member=author).first()
    if payee and (not payee.may_be_earmarked or payee.takes == Payee.Takes.NOTHING):
        return False
    return not Affiliation.objects.filter(member=author, firm=firm, ended_at=None).exists()
