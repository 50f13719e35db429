"""One act of a moderator. What ends a membership is only proposed, and done by a second moderator."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from questions.models import Byline, Hold, ModerationAction, Post, Question, Reason, Report
from questions.services import closing, writing
from questions.services.moderation import desk, redacting, rights, telling, words
from sermo.errors import RuleBroken
from verification.models import Event
from verification.services import events, standing

Kind = ModerationAction.Kind
State = ModerationAction.State
Outcome = Report.Outcome
KEEPS_FOLD = (Kind.FOLD, Kind.REMOVE)
OPENED = "moderation_opened"  # in the chain, since `before` is forgotten
TO_THE_MEMBER = (Kind.WARN, Kind.HOLD, *ModerationAction.NEEDS_SECOND)


class NothingReported(RuleBroken):
    message = "No report of this post is open."


class DoneAlready(RuleBroken):
    message = "That has been done already."


class ChangedMeanwhile(RuleBroken):
    message = "Another moderator acted on this post meanwhile. Look again."


class HasLeft(RuleBroken):
    message = "Its author has left. Only the post can be acted on."


class TheSiteItself(HasLeft):
    message = "The site itself wrote this. Only the post can be acted on."


class AFirm(HasLeft):
    message = "A firm wrote this, and has no membership. Only the post can be acted on."


class DaysMissing(RuleBroken):
    message = "A hold lasts 1 to 30 days."


class WaitsAlready(RuleBroken):
    message = "Such a decision on this member waits for a second moderator already."


class NotWaiting(RuleBroken):
    message = "This does not wait for a second moderator any more."


class SamePerson(RuleBroken):
    message = "You proposed this. A second moderator decides it."


@dataclass
class Act:
    """What a deed works on: all rows locked, the action written."""

    action: ModerationAction
    question: Question
    post: Post
    report: Report | None
    by: User
    text: str | None = None
    title: str | None = None
    elsewhere: str = ""


@transaction.atomic
def act(
    *,
    post: Post,
    by: User,
    kind: str,
    reason: str,
    statement: str = "",
    days: int | None = None,
    text: str | None = None,
    title: str | None = None,
    elsewhere: str = "",
    seen: int | None = None,
    address_hash: str = "",
) -> ModerationAction:
    """Do one thing about a post or its author, for a reason, and close the open report of it if there is one.

    `statement` is what the author is told; empty, the standard words. `text` and `title` are what a redacted post says
    from now on, `elsewhere` names words that its poll or case alone says; `days` belong to a hold. `seen` is the newest
    act on the post that the moderator knew of: with it, two who act at once do not both. To suspend or revoke only
    proposes.
    Raises rights.NotAModerator, rights.TakesPart, rights.AboutPhysicians, desk.ClaimedByAnother, ChangedMeanwhile,
    NothingReported, DoneAlready, HasLeft, DaysMissing, WaitsAlready, redacting.NothingTakenOut, redacting.NotInPoll,
    redacting.OnlyTakingOut.
    """
    kind, reason = Kind(kind), Reason(reason)
    if kind == Kind.HOLD and days not in range(1, 31):
        raise DaysMissing
    events.lock_chain()
    question = Question.objects.select_for_update().get(pk=post.question_id)
    post = Post.objects.select_for_update(of=("self",)).select_related("author", "byline").get(pk=post.pk)
    post.question = question
    report = Report.objects.select_for_update(of=("self",)).open().filter(post=post).first()
    rights.check_may_decide(by, post)
    rights.check_reason(post, reason)
    _check_fits(kind, post, report, by, seen)
    action = ModerationAction.objects.create(
        kind=kind,
        report=report,
        post=post,
        member=post.author,
        moderator=by,
        reason=reason,
        statement=statement.strip() or words.standard(kind, reason, by_firm=post.is_by_firm),
        days=days if kind == Kind.HOLD else None,
        state=State.WAITING if kind in ModerationAction.NEEDS_SECOND else State.DONE,
    )
    write_event(action, by, address_hash)
    if action.is_waiting:
        return action
    action.before = DEEDS[kind](Act(action, question, post, report, by, text, title, elsewhere))
    if kind not in KEEPS_FOLD:
        action.before |= _open_what_was_folded(action, post, by)
    action.save(update_fields=["before"])
    if report:
        close_report(report, by, Outcome.DISMISSED if kind == Kind.DISMISS else Outcome.UPHELD)
    telling.of_act(action)
    return action


def _check_fits(kind: str, post: Post, report: Report | None, by: User, seen: int | None) -> None:
    newest = post.moderation.order_by("-pk").values_list("pk", flat=True).first()
    if seen is not None and newest and newest > seen:
        raise ChangedMeanwhile
    if report:
        desk.check_claim(report, by)
    if kind == Kind.DISMISS and report is None:
        raise NothingReported
    if kind in TO_THE_MEMBER and post.byline.mode == Byline.Mode.HOUSE:
        raise TheSiteItself
    if kind in TO_THE_MEMBER and post.byline.mode == Byline.Mode.FIRM:
        raise AFirm
    if kind in TO_THE_MEMBER and post.author.user_id is None:
        raise HasLeft
    ending = ModerationAction.objects.beside(post).filter(kind__in=ModerationAction.NEEDS_SECOND)
    if kind in ModerationAction.NEEDS_SECOND and ending.filter(state=State.WAITING).exists():
        raise WaitsAlready  # of what stands under this face: the refusal must not join it with the other


# What each kind does; returned is what undoing needs


def _nothing_more(act: Act) -> dict:
    return {}


def _redact(act: Act) -> dict:
    return redacting.redact(
        act.question, act.post, text=act.text or "", title=act.title, elsewhere=act.elsewhere
    )


def _fold(act: Act) -> dict:
    if _is_folded_by_hand(act.post) or act.post.is_removed:
        raise DoneAlready
    before = _fold_of(act.post)
    _set_fold(act.post, timezone.now(), act.action.reason)
    return before


def _open_what_was_folded(action: ModerationAction, post: Post, by: User) -> dict:
    """A moderator has looked: what reports or votes alone had folded is open again, and the chain says by which act."""
    if post.folded_at is None or _is_folded_by_hand(post):
        return {}
    before = _fold_of(post)
    unfold(post)
    events.record(kind=OPENED, by=by, object=f"post:{post.pk}", key=_key_of_opening(action.pk))
    return before


def is_opened_by_hand(post: Post) -> bool:
    """Whether an act that stands opened what had been folded."""
    standing_ones = post.moderation.filter(state=State.DONE).exclude(kind__in=KEEPS_FOLD)
    keys = [_key_of_opening(pk) for pk in standing_ones.values_list("pk", flat=True)]
    return Event.objects.filter(key__in=keys).exists()


def _key_of_opening(action: int) -> str:
    return f"{OPENED}:{action}"


def _is_folded_by_hand(post: Post) -> bool:
    """Whether an earlier act folded it."""
    return bool(post.folded_at) and folds_of(post).filter(taken_at__lte=post.folded_at).exists()


def folds_of(post: Post):
    """The acts that folded a post and stand."""
    return post.moderation.filter(kind=Kind.FOLD, state=State.DONE)


def _fold_of(post: Post) -> dict:
    return {
        "folded_at": post.folded_at.isoformat() if post.folded_at else None,
        "fold_reason": post.fold_reason,
    }


def unfold(post: Post) -> None:
    _set_fold(post, None, "")


def _set_fold(post: Post, moment, reason: str) -> None:
    post.folded_at, post.fold_reason = moment, reason
    post.save(update_fields=["folded_at", "fold_reason"])


def _remove(act: Act) -> dict:
    if act.post.is_removed:
        raise DoneAlready
    solved_at = act.question.solved_at
    before = {
        "status": act.question.status,
        "solved_at": solved_at.isoformat() if solved_at else None,
        "credits": [
            {"place": place, "credited_at": moment.isoformat()}
            for place, moment in act.question.credits.filter(post=act.post).values_list(
                "place", "credited_at"
            )
        ],
    }
    writing.remove_post(post=act.post, by=None, user=act.by)
    return before


def _close(act: Act) -> dict:
    if not act.question.is_open:
        raise DoneAlready
    closing.close_question(question=act.question, by=None, user=act.by)
    return {}


def _hold(act: Act) -> dict:
    until = timezone.now() + timedelta(days=act.action.days)
    Hold.objects.create(member=act.action.member, action=act.action, until=until)
    return {}


DEEDS = {
    Kind.DISMISS: _nothing_more,
    Kind.REDACT: _redact,
    Kind.FOLD: _fold,
    Kind.REMOVE: _remove,
    Kind.CLOSE: _close,
    Kind.WARN: _nothing_more,
    Kind.HOLD: _hold,
}


# The second moderator


@transaction.atomic
def approve(*, action: ModerationAction, by: User, address_hash: str = "") -> ModerationAction:
    """Do what another moderator proposed.

    Raises rights.NotAModerator, rights.TakesPart, NotWaiting, SamePerson, verification.services.standing.NoMembership,
    EndedAlready.
    """
    standing.lock(action.member)
    action, report = _lock_waiting(action, by)
    end = standing.suspend if action.kind == Kind.SUSPEND else standing.revoke
    action.before = {"was": end(member=action.member, by=by)}
    _decide(action, by, State.DONE, address_hash)
    if report:
        close_report(report, by, Outcome.UPHELD)
    telling.of_act(action)
    return action


@transaction.atomic
def refuse(*, action: ModerationAction, by: User, address_hash: str = "") -> ModerationAction:
    """Turn down what another moderator proposed; the report is open to all again. Raises as `approve`, but NotWaiting
    and SamePerson of verification's refusals.
    """
    action, report = _lock_waiting(action, by)
    _decide(action, by, State.REFUSED, address_hash)
    if report:
        desk.let_go(report)
    return action


def _lock_waiting(action: ModerationAction, by: User) -> tuple[ModerationAction, Report | None]:
    events.lock_chain()
    report = Report.objects.select_for_update(of=("self",)).open().filter(pk=action.report_id).first()
    rows = ModerationAction.objects.select_for_update(of=("self",)).select_related("post", "member__user")
    action = rows.get(pk=action.pk)
    rights.check_may_decide(by, action.post)
    if not action.is_waiting:
        raise NotWaiting
    if action.moderator_id == by.pk:
        raise SamePerson
    return action, report


def _decide(action: ModerationAction, by: User, state: str, address_hash: str) -> None:
    action.state, action.second, action.second_at = state, by, timezone.now()
    action.save(update_fields=["state", "second", "second_at", "before"])
    write_event(action, by, address_hash)


# For all of these


def close_report(report: Report, by: User, outcome: str) -> None:
    """Close a locked report, and with it every member's part of it. Who decided has its claim from then on."""
    report.outcome, report.closed_at, report.claimed_by = outcome, timezone.now(), by
    report.save(update_fields=["outcome", "closed_at", "claimed_by"])
    report.flags.open().update(state=outcome)


def write_event(action: ModerationAction, by: User, address_hash: str) -> None:
    """The chain names the moderator and the post. It names nobody concerned: a claim's events stand in it, too."""
    events.record(
        kind=f"moderation_{action.kind}",
        by=by,
        to_state=action.state,
        reason=action.reason,
        object=f"post:{action.post_id}",
        address_hash=address_hash,
    )
