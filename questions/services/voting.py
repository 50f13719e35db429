"""Corroborating and disputing, marking comments helpful, rating importance."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Member
from questions import ranking
from questions.hot import bayesian_importance
from questions.models import Importance, Post, Question, Reason, Vote, WriteCount
from questions.models.votes import SHORTEST_REASON
from questions.services import committing, limits, telling
from questions.services.moderation import acts
from questions.services.writing import PostIsGone, lock_open, touch
from sermo.errors import RuleBroken


class OwnPost(RuleBroken):
    message = "Colleagues judge this one: it is your own."


class ReasonMissing(RuleBroken):
    message = f"A dispute says why: choose a reason and explain it in {SHORTEST_REASON} characters or more."


class NotForVerdicts(RuleBroken):
    message = "Answers and observations are corroborated or disputed; a comment can only be marked helpful."


@transaction.atomic
def cast_vote(*, post: Post, voter: Member, value: int, reason: str = "", explanation: str = "") -> Vote:
    """Corroborate (+1) or dispute (-1) a post; a second vote replaces the first. On a comment +1 means helpful.

    Raises NotOpen, circles.NotAccepted, PostIsGone, OwnPost, committing.AnswerFirst, ReasonMissing, NotForVerdicts,
    and the refusals of `limits`.
    """
    value, explanation = Vote.Value(value), explanation.strip()
    question = lock_open(post.question, by=voter)
    post = _lock_judged(post, question, voter)
    if not post.takes_verdicts and (post.kind != Post.Kind.COMMENT or value != Vote.Value.CORROBORATE):
        raise NotForVerdicts
    if value == Vote.Value.CORROBORATE:
        reason = explanation = ""
    elif reason not in Vote.Reason.values or len(explanation) < SHORTEST_REASON:
        raise ReasonMissing
    vote = Vote.objects.filter(post=post, voter=voter).first()
    was = vote.value if vote else None
    if vote is None:
        limits.count_write(voter, WriteCount.What.VOTE)
        vote = Vote(post=post, voter=voter, author_id=post.author_id)
    else:
        limits.check_not_held(voter)
        vote.changed_at = timezone.now()
    vote.value, vote.reason, vote.explanation = value, reason, explanation
    vote.save()
    _count(question, post, was=was, now=value)
    if value == Vote.Value.CORROBORATE and was != value:
        telling.of_milestone(post)
    _fold_if_disputed(question, post)
    return vote


def _fold_if_disputed(question: Question, post: Post) -> None:
    """What a firm opened is folded while two thirds of enough votes dispute it, unless a moderator opened it again."""
    if not question.industry or post.kind != Post.Kind.OPENING or post.folded_at:
        return
    if _is_disputed(post.corroborate_count, post.dispute_count) and not acts.is_opened_by_hand(post):
        post.folded_at, post.fold_reason = timezone.now(), Reason.SPAM
        post.save(update_fields=["folded_at", "fold_reason"])


def _is_disputed(corroborated: int, disputed: int) -> bool:
    votes = corroborated + disputed
    return votes >= settings.INDUSTRY_FOLD_VOTES and 3 * disputed >= 2 * votes


@transaction.atomic
def withdraw_vote(*, post: Post, voter: Member) -> None:
    """Take one's vote back, while the discussion is open. Without one nothing happens.

    Raises NotOpen, PostIsGone, committing.AnswerFirst.
    """
    question = lock_open(post.question)
    post = _lock_judged(post, question, voter)
    vote = Vote.objects.filter(post=post, voter=voter).first()
    if vote:
        vote.delete()
        _count(question, post, was=vote.value, now=None)
        _fold_if_disputed(question, post)


def _lock_judged(post: Post, question: Question, voter: Member) -> Post:
    post = Post.objects.select_for_update().get(pk=post.pk)
    if post.is_removed:
        raise PostIsGone
    if post.author_id == voter.pk:
        raise OwnPost
    if post.kind != Post.Kind.OPENING:
        committing.check_open(question=question, member=voter)
    post.question = question
    return post


def _count(question: Question, post: Post, *, was: int | None, now: int | None) -> None:
    """Carry one vote's change into the counters of the locked post and discussion, and into its author's points."""
    if was == now:
        return
    for value, step in ((was, -1), (now, +1)):
        if value == Vote.Value.CORROBORATE:
            post.corroborate_count += step
        elif value == Vote.Value.DISPUTE:
            post.dispute_count += step
    post.save(update_fields=["corroborate_count", "dispute_count"])
    question.vote_count += (now is not None) - (was is not None)
    touch(question, timezone.now(), "vote_count")
    ranking.recompute_points(post.author_id)


@transaction.atomic
def rate_importance(*, question: Question, rater: Member, value: int) -> Importance:
    """Say how much a discussion matters, 1 to 5; rating again replaces.

    Raises NotOpen, circles.NotAccepted, OwnPost, ValueError, and the refusals of `limits`.
    """
    if value not in range(1, 6):
        raise ValueError("Importance is 1 to 5.")
    question = lock_open(question, by=rater)
    if question.asker_id == rater.pk:
        raise OwnPost
    earlier = Importance.objects.filter(question=question, rater=rater).first()
    if earlier is None:
        limits.count_write(rater, WriteCount.What.VOTE)
    else:
        limits.check_not_held(rater)
    question.importance_sum += value - (earlier.value if earlier else 0)
    question.importance_count += 0 if earlier else 1
    rating, _ = Importance.objects.update_or_create(
        question=question,
        rater=rater,
        defaults={"value": value, "asker_id": question.asker_id, "rated_at": timezone.now()},
    )
    question.importance = bayesian_importance(question.importance_sum, question.importance_count)
    touch(question, None, "importance_sum", "importance_count", "importance")
    ranking.recompute_points(question.asker_id)
    return rating
