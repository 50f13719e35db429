"""Taking an act back: by a moderator within a day, or by an appeal."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import User
from questions import ranking
from questions.models import Appeal, Credit, Flag, Hold, ModerationAction, Post, Question, Reason, Report
from questions.services import closing, follow_ups
from questions.services.counting import recount_questions
from questions.services.moderation import acts, redacting, rights, telling
from questions.signals import post_put_back
from sermo.errors import RuleBroken
from verification.services import events, standing

Kind = ModerationAction.Kind
State = ModerationAction.State


class TooLateToUndo(RuleBroken):
    message = "This cannot be undone any more. Its author can appeal."


class IsAppealed(RuleBroken):
    message = "Its author has appealed. Decide the appeal instead."


class Forgotten(RuleBroken):
    message = "What it said before is not kept any more."


@transaction.atomic
def undo(*, action: ModerationAction, by: User, address_hash: str = "") -> ModerationAction:
    """Take an act back within a day: everything is as before, and the report open again. Twice is as good as once.

    What waits for a second moderator is withdrawn. Raises rights.NotAModerator, rights.TakesPart, TooLateToUndo,
    IsAppealed, and why it cannot be put back: redacting.ChangedSince, closing.TooLateToReopen,
    standing.EndedByAnother.
    """
    action = lock(action)
    rights.check_may_decide(by, action.post)
    if action.state == State.UNDONE:
        return action
    if not (action.is_waiting or action.may_be_undone):
        raise TooLateToUndo
    if Appeal.objects.filter(action=action).exists():
        raise IsAppealed
    if action.is_done:
        take_back(action, by)
        _fold_again(action)
        _open_again(action)
        telling.of_undoing(action)
    mark(action, by, address_hash)
    return action


def lock(action: ModerationAction) -> ModerationAction:
    """The act with all it may touch, locked in order: the membership it ended, the chain, discussion, post, report."""
    if action.kind in ModerationAction.NEEDS_SECOND and action.member.user_id:
        standing.lock(action.member)
    events.lock_chain()
    question = Question.objects.select_for_update().get(pk=action.post.question_id)
    post = Post.objects.select_for_update(of=("self",)).get(pk=action.post_id)
    post.question = question
    list(Report.objects.select_for_update().filter(post=post).order_by("pk"))
    rows = ModerationAction.objects.select_for_update(of=("self",)).select_related("member__user", "report")
    action = rows.get(pk=action.pk)
    action.post = post
    return action


def mark(action: ModerationAction, by: User, address_hash: str) -> None:
    """Write down that a locked act is undone. What it had put aside is not needed any more."""
    action.state, action.undone_by, action.undone_at = State.UNDONE, by, timezone.now()
    action.before = None
    action.save(update_fields=["state", "undone_by", "undone_at", "before"])
    acts.write_event(action, by, address_hash)


# What each kind takes back


def take_back(action: ModerationAction, by: User) -> None:
    """Put back what a locked act changed. Raises as `undo` says, Forgotten, standing.HeldByAnother."""
    BACK[Kind(action.kind)](action, by)


def _fold_again(action: ModerationAction) -> None:
    """What reports had folded before an act is folded again with them, unless it is folded anew."""
    if action.post.folded_at or not (action.before or {}).get("folded_at"):
        return
    action.post.folded_at = parse_datetime(action.before["folded_at"])
    action.post.fold_reason = action.before["fold_reason"]
    action.post.save(update_fields=["folded_at", "fold_reason"])


def _nothing_more(action: ModerationAction, by: User) -> None:
    """That it was taken back is told; words cannot be unsaid."""


def _unfold(action: ModerationAction, by: User) -> None:
    if not acts.folds_of(action.post).exclude(pk=action.pk).exists():
        acts.unfold(action.post)


def _redacted(action: ModerationAction, by: User) -> None:
    redacting.put_back(action.post.question, action.post, _kept(action))


def _removed(action: ModerationAction, by: User) -> None:
    """Bring a removed post back with its place in the discussion's counters and, where it is free, its credit."""
    post, question, before = action.post, action.post.question, _kept(action)
    if post.removed_by != Post.RemovedBy.MODERATOR:
        return
    post.removed_at, post.removed_by = None, ""
    post.save(update_fields=["removed_at", "removed_by"])
    if post.kind == Post.Kind.OPENING:
        question.status = before["status"]
        question.save(update_fields=["status"])
    for credit in before["credits"]:
        _credit_again(question, post, credit, before["solved_at"])
    recount_questions([question.pk])
    post_put_back.send(sender=Post, post=post)
    whole = post.kind == Post.Kind.OPENING
    ranking.recompute_points(
        *(question.posts.values_list("author", flat=True) if whole else [post.author_id])
    )


def _credit_again(question: Question, post: Post, credit: dict, solved_at: str) -> None:
    if question.credits.filter(place=credit["place"]).exists():
        return
    Credit.objects.create(
        question=question,
        post=post,
        place=credit["place"],
        credited_at=parse_datetime(credit["credited_at"]),
    )
    if question.solved_at is None:
        question.solved_at = parse_datetime(solved_at)
        question.save(update_fields=["solved_at"])
        follow_ups.plan(question)


def _closed(action: ModerationAction, by: User) -> None:
    question = action.post.question
    if question.status == Question.Status.CLOSED:
        closing.open_again(question)


def _held(action: ModerationAction, by: User) -> None:
    Hold.objects.filter(action=action, lifted_at=None).update(lifted_at=timezone.now())


def _ended(action: ModerationAction, by: User) -> None:
    """What ended later stands: of members without a claim only the acts tell which came last."""
    if later_end(action):
        raise standing.EndedByAnother
    standing.reinstate(member=action.member, by=by, was=_kept(action)["was"])


def later_end(action: ModerationAction) -> ModerationAction | None:
    """The next act that ended the same membership after this one, and stands."""
    ends = ModerationAction.objects.filter(member=action.member_id, kind__in=ModerationAction.NEEDS_SECOND)
    later = ends.filter(state=State.DONE, second_at__gt=action.second_at)
    return later.order_by("second_at", "pk").first()


def pass_on(action: ModerationAction) -> None:
    """Let the act that followed a taken back one give back what that had taken."""
    later = later_end(action) if action.kind in ModerationAction.NEEDS_SECOND else None
    if later and later.before and action.before:
        later.before["was"] = standing.passed_on(later=later.before["was"], earlier=action.before["was"])
        later.save(update_fields=["before"])


BACK = {
    Kind.DISMISS: _nothing_more,
    Kind.REDACT: _redacted,
    Kind.FOLD: _unfold,
    Kind.REMOVE: _removed,
    Kind.CLOSE: _closed,
    Kind.WARN: _nothing_more,
    Kind.HOLD: _held,
    Kind.SUSPEND: _ended,
    Kind.REVOKE: _ended,
}


def _kept(action: ModerationAction) -> dict:
    if action.before is None:
        raise Forgotten
    return action.before


def _open_again(action: ModerationAction) -> None:
    """Put the report that an act closed back on the desk, unless it was reported anew or another act stands on it."""
    report = action.report
    if report is None or report.closed_at is None:
        return
    others = report.actions.filter(state=State.DONE).exclude(pk=action.pk)
    if others.exists() or Report.objects.open().filter(post=action.post_id).exists():
        return
    report.outcome, report.closed_at, report.claimed_by, report.claimed_at = "", None, None, None
    report.save(update_fields=["outcome", "closed_at", "claimed_by", "claimed_at"])
    report.flags.update(state=Flag.State.OPEN)


# Forgetting


def forget_before() -> int:
    """Delete what acts put aside once nothing can be undone; return how many had something.

    What could identify a patient goes after a day, all else when no appeal can come any more; what an appeal waits
    on stays until that is decided.
    """
    return put_aside_too_long(timezone.now()).update(before=None)


def put_aside_too_long(at: datetime) -> QuerySet[ModerationAction]:
    a_day_ago = at - timedelta(hours=settings.UNDO_HOURS)
    appeals_over = at - timedelta(days=settings.APPEAL_WITHIN_DAYS)
    appealed = Appeal.objects.waiting().filter(action=OuterRef("pk"))
    identifying = Q(kind=Kind.REDACT, reason=Reason.IDENTITY, taken_at__lt=a_day_ago)
    over = Q(taken_at__lt=appeals_over) & (Q(second_at=None) | Q(second_at__lt=appeals_over))
    return ModerationAction.objects.filter(identifying | over, ~Exists(appealed), before__isnull=False)
