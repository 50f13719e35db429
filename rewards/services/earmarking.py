"""Placing an earmark, and taking it back while it can have changed nobody's mind.

Nothing a member reads or sends may go slower for it: a placing takes no stronger lock on a discussion than any row
that points there does, and a discussion that closes at the same moment has closed before or after it.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from questions.models import Post
from rewards import earmarkable, judges
from rewards.models import Earmark, Firm, Transaction
from rewards.models.earmarks import LEAST, MOST, MOST_SLOTS
from rewards.services import allowances, draws, ledger
from sermo.errors import RuleBroken
from verification.services import events

State = Earmark.State


class NoSlotToday(RuleBroken):
    message = "No slot today. About one post in a hundred can be earmarked; there may be one tomorrow."


class NotEarmarkable(RuleBroken):
    message = earmarkable.NEVER


class OutOfBounds(RuleBroken):
    message = f"An author gets $5.00 to $25.00, and each of up to {MOST_SLOTS} voters the same."


class EarmarkedBefore(RuleBroken):
    message = "Your firm earmarked this post before."


class NotActive(RuleBroken):
    message = "This firm is not active."


class TooLateToCancel(RuleBroken):
    message = "An earmark can be canceled within 24 hours, and only until somebody judges the post."


def place(
    *,
    firm: Firm,
    post: Post,
    author_cents: int,
    voter_cents: int = 0,
    voter_slots: int = 0,
    key: UUID,
    by: User | None = None,
) -> Earmark:
    """Promise to pay the author of a post, and some of who judge it, once the discussion closes; reserve the money.

    The same `key` is the earmark it made before. `by` is one of the finance desk, who leaves an event. Raises
    OutOfBounds, NotActive, NotEarmarkable, EarmarkedBefore, NoSlotToday, ledger.NotEnough.
    """
    _check_bounds(author_cents, voter_cents, voter_slots)
    allowances.fix(draws.today())
    with transaction.atomic():
        if by:
            events.lock_chain()
        firm = Firm.objects.select_for_update(no_key=True).get(pk=firm.pk)  # its slots and marks, one by one
        if known := Earmark.objects.filter(key=key).first():
            return known
        if not firm.is_active:
            raise NotActive
        _hold_open(post.question_id)
        post = Post.objects.select_related("question", "author", "byline").get(pk=post.pk)
        if why := earmarkable.reason(post, firm):
            raise NotEarmarkable(why)
        if Earmark.objects.filter(firm=firm, post=post).exclude(state=State.CANCELLED).exists():
            raise EarmarkedBefore
        if not allowances.left(firm):
            raise NoSlotToday
        total, votes = author_cents + voter_cents * voter_slots, judges.count(post)
        reserved = ledger.post(
            kind=Transaction.Kind.RESERVE,
            key=f"earmark:{key}",
            entries={ledger.firm_balance(firm): -total, ledger.reserved_of(firm): total},
            by=_subject(by),
        )
        earmark = Earmark.objects.create(
            firm=firm,
            question_id=post.question_id,
            post=post,
            author_cents=author_cents,
            voter_cents=voter_cents,
            voter_slots=voter_slots,
            votes_before=votes,
            key=key,
            reserved=reserved,
        )
        if by:
            events.record(kind="finance_earmark", by=by, object=f"earmark:{earmark.pk}")
        return earmark


def _check_bounds(author_cents: int, voter_cents: int, voter_slots: int) -> None:
    """Whole cents only: not even 500.0 is taken for one."""
    if not all(type(number) is int for number in (author_cents, voter_cents, voter_slots)):
        raise OutOfBounds
    has_pool = LEAST <= voter_cents <= MOST and 1 <= voter_slots <= MOST_SLOTS
    if not LEAST <= author_cents <= MOST or not (has_pool or voter_cents == voter_slots == 0):
        raise OutOfBounds


def _hold_open(question_id: int) -> None:
    """Wait for whoever is closing the discussion, and let nobody close it until the transaction ends.

    The foreign key of an earmark asks for the same lock. It stands beside that of other earmarks, and members who
    vote or write wait no longer than for any row of theirs.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM questions_question WHERE id = %s FOR KEY SHARE", [question_id])


@transaction.atomic
def cancel(*, earmark: Earmark, by: User | None = None) -> Earmark:
    """Take an earmark back: its money is the firm's again. Twice is as good as once. Raises TooLateToCancel."""
    if by:
        events.lock_chain()
    _hold_open(earmark.question_id)
    earmark = (
        Earmark.objects.select_for_update(of=("self",))
        .select_related("post__question", "firm")
        .get(pk=earmark.pk)
    )
    if earmark.state == State.CANCELLED:
        return earmark
    if not may_be_cancelled(earmark):
        raise TooLateToCancel
    end(
        earmark,
        State.CANCELLED,
        ledger.post(
            kind=Transaction.Kind.RELEASE,
            key=f"earmark:{earmark.pk}:cancel",
            entries=back_to_firm(earmark, earmark.total_cents),
            by=_subject(by),
        ),
    )
    if by:
        events.record(kind="finance_earmark_cancel", by=by, object=f"earmark:{earmark.pk}")
    return earmark


def may_be_cancelled(earmark: Earmark) -> bool:
    """Whether an earmark is open, young, and was followed by no judgment of its post. Asks for no lock."""
    until = earmark.placed_at + timedelta(hours=settings.EARMARK_CANCEL_HOURS)
    if earmark.state != State.OPEN or timezone.now() > until or not earmark.post.question.is_open:
        return False
    return not judges.came_since(earmark)


def back_to_firm(earmark: Earmark, cents: int) -> dict:
    return {ledger.reserved_of(earmark.firm): -cents, ledger.firm_balance(earmark.firm): cents}


def end(earmark: Earmark, state: str, ended: Transaction, why: str = "") -> None:
    """Write down how a locked earmark ended, and by which transaction."""
    earmark.state, earmark.why, earmark.ended, earmark.ended_at = state, why, ended, timezone.now()
    earmark.save(update_fields=["state", "why", "ended", "ended_at"])


def _subject(by: User | None) -> UUID | None:
    return events.subject_of(by).pk if by else None
