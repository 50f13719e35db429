"""Who may decide: a moderator, and never where they take part."""

from collections.abc import Callable

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q

from accounts.models import Member, User
from accounts.roles import is_moderator
from questions.models import ABOUT_PHYSICIANS, Flag, Importance, Post, Question, Vote
from sermo.errors import RuleBroken

also_taken: list[Callable[..., Q]] = []  # of apps above; each takes what `part_taken` does, but no None


class NotAModerator(RuleBroken):
    message = "Moderators decide this."


class AboutPhysicians(RuleBroken):
    message = "A firm wrote this under its name. Choose a rule that the post itself breaks."


class TakesPart(RuleBroken):
    message = "You take part in this discussion, or reported something in it. Another moderator decides."


def part_taken(member: Member | None, question) -> Q:
    """Whether a member asked, wrote, voted, rated or reported in a discussion, for `filter` and `annotate`.

    Apps above add what they know of. `question` is its id or an expression for it. Whoever moderates without a
    membership takes part nowhere.
    """
    if member is None:
        return Q(pk__in=[])
    taken = Q(
        Exists(Post.objects.filter(question=question, author=member))
        | Exists(Vote.objects.filter(post__question=question, voter=member))
        | Exists(Importance.objects.filter(question=question, rater=member))
        | Exists(Flag.objects.filter(post__question=question, reporter=member))
    )
    for more in also_taken:
        taken |= more(member, question)
    return taken


def with_part_taken(rows, user: User):
    """Add `is_party` to rows that hang on a post: whether this moderator takes part in its discussion."""
    taken = part_taken(user.as_member, OuterRef("post__question"))
    return rows.annotate(is_party=ExpressionWrapper(taken, output_field=BooleanField()))


def check_no_part(user: User, question_id: int) -> None:
    """Raises TakesPart."""
    member = user.as_member
    if member and Question.objects.filter(part_taken(member, question_id), pk=question_id).exists():
        raise TakesPart


def check_reason(post: Post, reason: str) -> None:
    """Raises AboutPhysicians where a firm wrote the post and the rule is about who writes."""
    if post.is_by_firm and reason in ABOUT_PHYSICIANS:
        raise AboutPhysicians


def check_moderator(user: User) -> None:
    """Raises NotAModerator."""
    if not is_moderator(user):
        raise NotAModerator


def check_may_decide(user: User, post: Post) -> None:
    """Raises NotAModerator, TakesPart."""
    check_moderator(user)
    check_no_part(user, post.question_id)
