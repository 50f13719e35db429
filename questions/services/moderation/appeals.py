"""A member's one answer to an act, decided by a moderator who had no part in it."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Member, User
from questions.models import Appeal, Flag, ModerationAction, Report
from questions.services.moderation import rights, telling, undoing
from sermo.errors import RuleBroken
from verification.services import events

Outcome = Appeal.Outcome


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
def appeal(*, action: ModerationAction, by: Member, text: str, address_hash: str = "") -> Appeal:
    """Ask another moderator to look at a decision, once. An answer is due within a week.

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
    _write_event("appeal_made", action, None, address_hash)
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
    _write_event(f"appeal_{outcome}", action, by, address_hash)
    appeal.not_put_back = _overturn(action, by, address_hash) if outcome == Outcome.OVERTURNED else ""
    telling.of_appeal(action)
    return appeal


def _overturn(action: ModerationAction, by: User, address_hash: str) -> str:
    """Let an act stand no more, and say what could not be put back, such as words its author has replaced since.

    Who reported it was not right.
    """
    not_put_back = ""
    try:
        with transaction.atomic():
            undoing.take_back(action, by)
    except RuleBroken as refusal:
        not_put_back = str(refusal)
    undoing.mark(action, by, address_hash)
    others = ModerationAction.objects.filter(report=action.report_id, state=ModerationAction.State.DONE)
    if action.report_id and not others.exists():
        Report.objects.filter(pk=action.report_id).update(outcome=Report.Outcome.DISMISSED)
        Flag.objects.filter(report=action.report_id).update(state=Flag.State.DISMISSED)
    return not_put_back


def may_decide(user: User, appeal: Appeal) -> bool:
    """Whether this moderator had no part in what is appealed; a part in the discussion is asked for apart."""
    return user.pk not in (appeal.action.moderator_id, appeal.action.second_id)


def _write_event(kind: str, action: ModerationAction, by: User | None, address_hash: str) -> None:
    events.record(
        kind=kind, by=by, reason=action.reason, object=f"post:{action.post_id}", address_hash=address_hash
    )
