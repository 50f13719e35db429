"""A member's one answer to an act, decided by a moderator who had no part in it."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Member, User
from questions.models import Appeal, Flag, ModerationAction, Post, Report
from questions.services.moderation import acts, rights, telling, undoing
from sermo.errors import RuleBroken
from sermo.text import clip
from verification.services import events, standing

Outcome = Appeal.Outcome
ROOM = Appeal._meta.get_field("answer").max_length
LONGEST_ANSWER = ROOM - 250  # what could not be put back is said below it
NEVER_GIVEN_BACK = "Votes, ratings and the shown name are not restored."
TO_THE_MEMBER = {
    standing.HeldByAnother: "Your membership could not be given back as it was. Verify your license again.",
}


class NotYours(RuleBroken):
    message = "Only who a decision concerns can appeal it."


class AppealedAlready(RuleBroken):
    message = "A decision can be appealed once. What was decided stands below."


class TooLateToAppeal(RuleBroken):
    message = f"A decision can be appealed within {settings.APPEAL_WITHIN_DAYS} days."


class NothingToAppeal(RuleBroken):
    message = "This decision does not stand any more."


class WordsMissing(RuleBroken):
    message = "Say why, in a sentence."


class DecidedAlready(RuleBroken):
    message = "This appeal has been decided."


class DecidedByYou(RuleBroken):
    message = "You had a part in this decision. Another moderator reads the appeal."


@transaction.atomic
def appeal(*, action: ModerationAction, by: Member, text: str) -> Appeal:
    """Ask another moderator to look at a decision, once. An answer is due within a week.

    Its event holds neither the member nor an address: the same address in a claim's event would join it to the post.

    Raises NotYours, NothingToAppeal, AppealedAlready, TooLateToAppeal, WordsMissing.
    """
    events.lock_chain()
    action = ModerationAction.objects.select_for_update(of=("self",)).get(pk=action.pk)
    if action.member_id != by.pk or action.kind == ModerationAction.Kind.DISMISS:
        raise NotYours
    if Appeal.objects.filter(action=action).exists():
        raise AppealedAlready
    if not action.is_done:
        raise NothingToAppeal
    now = timezone.now()
    if now > action.appeal_until:
        raise TooLateToAppeal
    if not text.strip():
        raise WordsMissing
    _write_event("appeal_made", action, None)
    return Appeal.objects.create(
        action=action,
        text=text.strip(),
        made_at=now,
        due_at=now + timedelta(days=settings.APPEAL_DECIDED_DAYS),
    )


@transaction.atomic
def decide(*, appeal: Appeal, by: User, outcome: str, answer: str, address_hash: str = "") -> Appeal:
    """Let a decision stand or take it back, with an answer to the member.

    Taken back, it is undone as far as it can be; `not_put_back` of what is returned says why something was not.

    Raises rights.NotAModerator, rights.TakesPart, DecidedByYou, DecidedAlready, WordsMissing.
    """
    outcome = Outcome(outcome)
    action = undoing.lock(appeal.action)
    appeal = Appeal.objects.select_for_update(of=("self",)).get(pk=appeal.pk)
    rights.check_may_decide(by, action.post)
    if by.pk in (action.moderator_id, action.second_id):
        raise DecidedByYou
    if appeal.decided_at:
        raise DecidedAlready
    if not answer.strip():
        raise WordsMissing
    appeal.outcome, appeal.answer, appeal.decided_by = outcome, answer.strip(), by
    appeal.decided_at = timezone.now()
    appeal.save(update_fields=["outcome", "answer", "decided_by", "decided_at"])
    _write_event(f"appeal_{outcome}", action, by)
    refusal = _overturn(action, by, address_hash) if outcome == Outcome.OVERTURNED else None
    appeal.not_put_back = str(refusal or "")
    if outcome == Outcome.OVERTURNED:
        _say_what_is_lost(appeal, action, refusal)
    telling.of_appeal(action)
    return appeal


def _overturn(action: ModerationAction, by: User, address_hash: str) -> RuleBroken | None:
    """Let an act stand no more; returned is why something was not put back, such as words replaced since.

    Who reported it was not right, and what these reports folded is open.
    """
    not_put_back = None
    try:
        with transaction.atomic():
            undoing.take_back(action, by)
    except RuleBroken as refusal:
        not_put_back = refusal
        undoing.pass_on(action)
    undoing.mark(action, by, address_hash)
    _unfold(action.post)
    others = ModerationAction.objects.filter(report=action.report_id, state=ModerationAction.State.DONE)
    if action.report_id and not others.exists():
        Report.objects.filter(pk=action.report_id).update(outcome=Report.Outcome.DISMISSED)
        Flag.objects.filter(report=action.report_id).update(state=Flag.State.DISMISSED)
    return not_put_back


def _unfold(post: Post) -> None:
    """Open a post that no act folded and no open report."""
    if post.folded_at and not (
        acts.folds_of(post).exists() or Report.objects.open().filter(post=post).exists()
    ):
        acts.unfold(post)


def _say_what_is_lost(appeal: Appeal, action: ModerationAction, refusal: RuleBroken | None) -> None:
    """Add to the answer what could not be put back."""
    lost = [TO_THE_MEMBER.get(type(refusal), str(refusal))] if refusal else []
    if action.kind == ModerationAction.Kind.REVOKE:
        lost.append(NEVER_GIVEN_BACK)
    if lost:
        more = "\n\n" + " ".join(lost)
        appeal.answer = clip(appeal.answer, ROOM - len(more)) + more
        appeal.save(update_fields=["answer"])


def may_decide(user: User, appeal: Appeal) -> bool:
    """Whether this moderator had no part in what is appealed; a part in the discussion is asked for apart."""
    return user.pk not in (appeal.action.moderator_id, appeal.action.second_id)


def _write_event(kind: str, action: ModerationAction, by: User | None) -> None:
    events.record(kind=kind, by=by, reason=action.reason, object=f"post:{action.post_id}")
