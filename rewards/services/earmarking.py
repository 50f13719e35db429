"""Placing an earmark, and taking it back while it can have changed nobody's mind.

Nothing a member reads or sends may go slower for it. A discussion is held by no stronger lock than any row that points
there takes, and never while something else is waited for: what is locked is asked for without waiting, and where it
cannot be had, all is let go, that one thing is waited for alone, and everything begins anew. A discussion that closes
at the same moment has closed before or after it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from accounts.models import User
from questions.models import Byline, Post
from rewards import earmarkable, judges
from rewards.models import Earmark, Firm, Transaction
from rewards.models.earmarks import LEAST, MOST, MOST_SLOTS
from rewards.services import allowances, draws, ledger
from rewards.services.deposits import FormUsed
from sermo.errors import RuleBroken
from verification.services import events

State = Earmark.State
TRIES = 50  # to have all locks at once

# What is locked, one after the other.
FIRM = "SELECT 1 FROM rewards_firm WHERE id = %s FOR NO KEY UPDATE"
DISCUSSION = "SELECT 1 FROM questions_question WHERE id = %s FOR KEY SHARE"
POST = "SELECT 1 FROM questions_post WHERE id = %s FOR KEY SHARE"
EARMARK = "SELECT 1 FROM rewards_earmark WHERE id = %s FOR UPDATE"
ACCOUNTS = "SELECT 1 FROM rewards_account WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


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


class OwnPost(RuleBroken):
    message = "You wrote this post. Somebody else at the desk decides about it."


class Busy(RuleBroken):
    message = "Somebody else is at work here. Try again in a moment."


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

    The same `key` for the same is the earmark it made before. `by` is one of the finance desk, who leaves an event.
    Raises OutOfBounds, NotActive, OwnPost, EarmarkedBefore, NoSlotToday, ledger.NotEnough, NotEarmarkable, FormUsed,
    Busy.
    """
    _check_bounds(author_cents, voter_cents, voter_slots)
    _check_not_own(post, by)
    allowances.fix(draws.today())
    wanted = Earmark(
        firm=firm,
        question_id=post.question_id,
        post=post,
        author_cents=author_cents,
        voter_cents=voter_cents,
        voter_slots=voter_slots,
        key=key,
    )
    return _without_waiting(lambda: _place(wanted, by), firm, by)


def _place(earmark: Earmark, by: User | None) -> Earmark:
    _hold(FIRM, earmark.firm_id)  # its slots and marks, one by one
    firm = Firm.objects.get(pk=earmark.firm_id)
    if known := Earmark.objects.filter(key=earmark.key).first():
        return _same(known, earmark)
    if not firm.is_active:
        raise NotActive
    _check_means(firm, earmark)
    _hold(DISCUSSION, earmark.question_id)
    _hold(POST, earmark.post_id)
    earmark.post = post = Post.objects.select_related("question", "author", "byline").get(pk=earmark.post_id)
    if why := earmarkable.reason(post, firm):
        raise NotEarmarkable(why)
    earmark.votes_before = judges.count(post)
    earmark.was_public = post.byline.mode == Byline.Mode.PUBLIC
    _hold_money(firm)
    earmark.reserved = ledger.post(
        kind=Transaction.Kind.RESERVE,
        key=f"earmark:{earmark.key}",
        entries={
            ledger.firm_balance(firm): -earmark.total_cents,
            ledger.reserved_of(firm): earmark.total_cents,
        },
        by=_subject(by),
    )
    earmark.placed_at = timezone.now()
    earmark.save(force_insert=True)
    return earmark


def _check_means(firm: Firm, earmark: Earmark) -> None:
    """What the firm itself lacks comes before its post is looked at, so that asking about posts is never free.

    A canceled earmark stands in the way like any other: placed again and again, it would tell when somebody judges.
    """
    if Earmark.objects.filter(firm=firm, post=earmark.post_id).exists():
        raise EarmarkedBefore
    if not allowances.left(firm):
        raise NoSlotToday
    if ledger.firm_balance(firm).balance < earmark.total_cents:
        raise ledger.NotEnough


def _same(known: Earmark, wanted: Earmark) -> Earmark:
    """The earmark a form made before, if it was sent again as it was. Raises FormUsed."""
    facts = ("firm_id", "post_id", "author_cents", "voter_cents", "voter_slots")
    if known.state == State.CANCELLED or any(getattr(known, fact) != getattr(wanted, fact) for fact in facts):
        raise FormUsed
    return known


def _check_not_own(post: Post, by: User | None) -> None:
    if by and by.as_member and by.as_member.pk == post.author_id:
        raise OwnPost


def _check_bounds(author_cents: int, voter_cents: int, voter_slots: int) -> None:
    """Whole cents only: not even 500.0 is taken for one."""
    if not all(type(number) is int for number in (author_cents, voter_cents, voter_slots)):
        raise OutOfBounds
    has_pool = LEAST <= voter_cents <= MOST and 1 <= voter_slots <= MOST_SLOTS
    if not LEAST <= author_cents <= MOST or not (has_pool or voter_cents == voter_slots == 0):
        raise OutOfBounds


def cancel(*, earmark: Earmark, by: User | None = None) -> Earmark:
    """Take an earmark back: its money is the firm's again, its slot and its post are not. Twice is as good as once.

    Raises TooLateToCancel, OwnPost, Busy.
    """
    _check_not_own(earmark.post, by)
    return _without_waiting(lambda: _cancel(earmark.pk, by), earmark.firm, by)


def _cancel(pk: int, by: User | None) -> Earmark:
    earmark = Earmark.objects.select_related("firm").get(pk=pk)
    _hold(DISCUSSION, earmark.question_id)
    _hold(EARMARK, pk)
    earmark = Earmark.objects.select_related("post__question", "firm").get(pk=pk)
    if earmark.state == State.CANCELLED:
        return earmark
    if not may_be_cancelled(earmark):
        raise TooLateToCancel
    _hold_money(earmark.firm)
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
    return earmark


def may_be_cancelled(earmark: Earmark) -> bool:
    """Whether an earmark is open, young, and was followed by no judgment of its post. Asks for no lock."""
    if earmark.state != State.OPEN or timezone.now() > cancelled_until(earmark):
        return False
    return earmark.post.question.is_open and not judges.came_since(earmark)


def cancelled_until(earmark: Earmark) -> datetime:
    return earmark.placed_at + timedelta(hours=settings.EARMARK_CANCEL_HOURS)


def back_to_firm(earmark: Earmark, cents: int) -> dict:
    return {ledger.reserved_of(earmark.firm): -cents, ledger.firm_balance(earmark.firm): cents}


def end(earmark: Earmark, state: str, ended: Transaction, why: str = "") -> None:
    """Write down how a locked earmark ended, and by which transaction."""
    earmark.state, earmark.why, earmark.ended, earmark.ended_at = state, why, ended, timezone.now()
    earmark.save(update_fields=["state", "why", "ended", "ended_at"])


def _subject(by: User | None) -> UUID | None:
    return events.subject_of(by).pk if by else None


# Locks


class _Taken(Exception):
    """Somebody else holds a lock that was asked for."""


def _without_waiting(act: Callable[[], Earmark], firm: Firm, by: User | None) -> Earmark:
    """Do something in a transaction that waits for nobody; where a lock was taken, wait for it alone and begin anew."""
    _make_what_is_needed(firm, by)
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                return act()
        except _Taken as taken:
            _wait(*taken.args)
    raise Busy


def _make_what_is_needed(firm: Firm, by: User | None) -> None:
    """Accounts and the subject of who acts, beforehand: made inside, their rows would be waited for."""
    ledger.firm_balance(firm)
    ledger.reserved_of(firm)
    _subject(by)


def _hold(lock: str, of: int | list[int]) -> None:
    try:
        _run(f"{lock} NOWAIT", of)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise _Taken(lock, of) from None
        raise


def _hold_money(firm: Firm) -> None:
    _hold(ACCOUNTS, [ledger.firm_balance(firm).pk, ledger.reserved_of(firm).pk])


def _wait(lock: str, of: int | list[int]) -> None:
    with transaction.atomic():
        _run(lock, of)
        transaction.set_rollback(True)  # what was waited for is let go, whatever transaction this is in


def _run(sql: str, of: int | list[int]) -> object:
    with connection.cursor() as cursor:
        cursor.execute(sql, [of])
        return next((row[0] for row in cursor.fetchall()), None)
