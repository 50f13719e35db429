"""Paying out: what members ask for, and the one place where an outcome changes what stands here."""

import logging
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from accounts.models import Member, User
from rewards import business_days, providers
from rewards.models import (
    Account,
    Charity,
    Method,
    Payee,
    Payout,
    PayoutMethod,
    PayoutStep,
    TaxForm,
    Transaction,
)
from rewards.providers import base
from rewards.services import ledger
from rewards.words import dollars
from sermo.errors import RuleBroken
from verification.services import events

OTHER_SUM = "The provider names another sum for it. Look there."
TOGETHER_DAYS = (
    7  # in which one payee's payouts count together, so that parts of a sum are approved as the sum
)
WORDS = 200  # characters of a problem or a note that are kept
MOVES = (
    "state",
    "sent_at",
    "tries",
    "ended_at",
    "paid_on",
    "reference",
    "problem",
    "batch",
    "settled",
    "put_back",
)
HELD_UP = "The member is suspended. It waits until that ends, or is refused."

State = Payout.State
Kind = Account.Kind
logger = logging.getLogger(__name__)


class BelowLeast(RuleBroken):
    def __init__(self):
        super().__init__(f"Payouts begin at {dollars(settings.PAYOUT_LEAST_CENTS)}.")


class NoMethod(RuleBroken):
    message = "Say first how you want to be paid."


class NoTaxForm(RuleBroken):
    message = "Fill in your Form W-9 first. It is needed once, before the first payout."


class Suspended(RuleBroken):
    message = "Nothing is paid out while your account is suspended. Your balance stays yours."


class NothingThere(RuleBroken):
    message = "There is nothing to pay out."


class TooLate(RuleBroken):
    message = "This payout is on its way already, or over."


class AskedElsewhere(RuleBroken):
    message = "This form was sent before. Open it again."


# Asking


@transaction.atomic
def ask(*, payee: Payee, cents: int, submission: UUID) -> Payout:
    """Take a sum off a payee's balance and promise the day it arrives.

    Who has left may ask for the last cents too, suspended or not: that account is over, and the desk may still refuse.
    The same submission is the payout it made before. Raises NothingThere, BelowLeast, Suspended, NoMethod, NoTaxForm,
    providers.NotOffered, ledger.NotEnough.
    """
    payee = Payee.objects.select_for_update(no_key=True).get(pk=payee.pk)
    if known := Payout.objects.filter(submission=submission).first():
        if known.subject != payee.subject:
            raise AskedElsewhere
        return known
    if cents <= 0:
        raise NothingThere
    if cents < settings.PAYOUT_LEAST_CENTS and payee.left_at is None:
        raise BelowLeast
    if _suspended().filter(pk=payee.pk).exists():
        raise Suspended
    way = PayoutMethod.objects.filter(payee=payee).first()
    if way is None:
        raise NoMethod
    if not TaxForm.objects.filter(subject=payee.subject).exists():
        raise NoTaxForm
    payout = Payout(
        submission=submission,
        subject=payee.subject,
        payee=payee,
        method=way.method,
        details=way.details,
        cents=cents,
    )
    return _begin(payout, ledger.payable_to(payee))


@transaction.atomic
def to_charity(*, charity: Charity, submission: UUID, by: User) -> Payout:
    """Pay a charity all that is owed to it. Raises NothingThere, providers.NotOffered."""
    events.lock_chain()
    charity = Charity.objects.select_for_update(no_key=True).get(pk=charity.pk)
    if known := Payout.objects.filter(submission=submission).first():
        if known.charity_id != charity.pk:
            raise AskedElsewhere
        return known
    [account] = ledger.lock(ledger.held_for(charity))
    if not account.balance:
        raise NothingThere
    payout = Payout(
        submission=submission,
        charity=charity,
        method=Method.CHARITY,
        details={"name": charity.name, "ein": charity.ein},
        cents=account.balance,
    )
    payout = _begin(payout, account, by=events.subject_of(by).pk)
    events.record(kind="finance_charity", by=by, object=f"payout:{payout.pk}")
    return payout


def _begin(payout: Payout, account: Account, by: UUID | None = None) -> Payout:
    payout.provider = providers.for_method(payout.method).name
    payout.requested_at = timezone.now()
    payout.promised_on = business_days.add(
        business_days.day_of(payout.requested_at), settings.PAYOUT_BUSINESS_DAYS
    )
    payout.held = ledger.post(
        kind=Transaction.Kind.PAYOUT,
        key=f"payout:{payout.key}",
        entries={account: -payout.cents, ledger.house(Kind.SENDING): payout.cents},
        by=by,
    )
    payout.save(force_insert=True)
    step(payout, State.REQUESTED, by=by)
    if not approvals_needed(payout):
        move(payout, State.APPROVED, note="Approves itself, being small")
    return payout


def approvals_needed(payout: Payout) -> int:
    """How many people must approve it: what one receiver asked for within days counts together.

    To a charity it is one person at least: whoever writes down where its money goes could write down themselves.
    """
    about = {"subject": payout.subject} if payout.subject else {"charity": payout.charity_id}
    together = Payout.objects.filter(
        **about,
        requested_at__gt=payout.requested_at - timedelta(days=TOGETHER_DAYS),
        requested_at__lte=payout.requested_at,
    ).exclude(state=State.REVERSED)
    cents = max(together.aggregate(cents=Sum("cents"))["cents"] or 0, payout.cents)
    first = payout.charity_id or cents >= settings.PAYOUT_ONE_APPROVES_FROM
    return bool(first) + (cents >= settings.PAYOUT_TWO_APPROVE_FROM)


@transaction.atomic
def cancel(*, payout: Payout) -> Payout:
    """Put a sum back that was never sent. Raises TooLate."""
    payout = locked(payout)
    if payout.state == State.REVERSED and not payout.tries:
        return payout
    require_untouched(payout)
    put_back(payout, note="Canceled")
    return payout


# What providers say


@transaction.atomic
def settle(payout: Payout, outcome: base.Outcome, *, by: UUID | None = None) -> Payout:
    """Take in what became of a payout, however often and in whatever order it is heard.

    A state only ever goes forward: what is paid can come back, what is back stays back. What contradicts that, or is
    said of another sum, moves no money, is logged, and is a difference of the next reconciliation.
    """
    payout = locked(payout)
    is_open = payout.state in (State.APPROVED, State.SUBMITTED, State.IN_DOUBT)
    if outcome.cents not in (None, payout.cents):
        logger.error(
            "Payout %s is of %s cents, and said to be of %s.", payout.pk, payout.cents, outcome.cents
        )
        if is_open:
            _leave_to_a_person(payout, OTHER_SUM, outcome.reference, by)
    elif is_open and outcome.state == base.UNKNOWN and outcome.problem:
        _leave_to_a_person(payout, outcome.problem, outcome.reference, by)
    elif is_open:
        _take_in(payout, outcome, by)
    elif payout.state == State.PAID and outcome.state == base.RETURNED:
        _came_back(payout, outcome, by)
    elif _contradicts(payout, outcome):
        logger.error("Payout %s is %s, and said to be %s.", payout.pk, payout.state, outcome.state)
    return payout


def _heard_of(payout: Payout, reference: str) -> None:
    payout.reference = reference or payout.reference
    payout.sent_at = payout.sent_at or timezone.now()  # a restored copy may not know that it was sent


def _leave_to_a_person(payout: Payout, problem: str, reference: str, by: UUID | None) -> None:
    """In doubt, with what is odd about it; what was known of it already is not a step again."""
    problem = problem[:WORDS]
    if payout.state == State.IN_DOUBT and payout.problem == problem:
        return
    _heard_of(payout, reference)
    payout.problem = problem
    move(payout, State.IN_DOUBT, by=by, note=problem)


def _take_in(payout: Payout, outcome: base.Outcome, by: UUID | None) -> None:
    _heard_of(payout, outcome.reference)
    if outcome.state == base.PAID:
        payout.settled = ledger.post(
            kind=Transaction.Kind.PAID,
            key=f"payout:{payout.key}:paid",
            entries={ledger.house(Kind.SENDING): -payout.cents, ledger.house(Kind.PAID): payout.cents},
            by=by,
        )
        payout.ended_at, payout.problem = timezone.now(), ""
        payout.paid_on = _day_of_payment(payout, outcome.paid_on)
        move(payout, State.PAID, by=by)
        tell(payout)
    elif outcome.state in (base.FAILED, base.RETURNED):
        step(payout, State(outcome.state), by=by, note=outcome.problem)
        put_back(payout, by=by, problem=outcome.problem)
        tell(payout)
    elif outcome.state == base.SUBMITTED and payout.state != State.SUBMITTED:
        payout.problem = outcome.problem[:WORDS]
        move(payout, State.SUBMITTED, by=by)
    else:
        if outcome.state == base.SUBMITTED:
            payout.problem = outcome.problem[:WORDS]
        payout.save(update_fields=["reference", "problem"])


def _day_of_payment(payout: Payout, said: date | None) -> date:
    """The payer's day on which it was paid, as far as what is said can be; of which nobody says when, today."""
    today = business_days.today()
    return min(max(said or today, business_days.day_of(payout.requested_at)), today)


def _came_back(payout: Payout, outcome: base.Outcome, by: UUID | None) -> None:
    """It had left us for good: the way back is a movement of its own."""
    step(payout, State.RETURNED, by=by, note=outcome.problem)
    back = ledger.post(
        kind=Transaction.Kind.RETURNED,
        key=f"payout:{payout.key}:returned",
        entries={ledger.house(Kind.PAID): -payout.cents, source(payout): payout.cents},
        by=by,
    )
    _end(payout, back, by=by, problem=outcome.problem)
    tell(payout)


def _contradicts(payout: Payout, outcome: base.Outcome) -> bool:
    if payout.state == State.PAID:
        return outcome.state == base.FAILED
    if payout.state == State.REVERSED:
        return outcome.state in (base.PAID, base.SUBMITTED)
    return outcome.state != base.UNKNOWN


@transaction.atomic
def doubt(payout: Payout, problem: str) -> Payout:
    """Note that no answer came, so that it may or may not be out."""
    payout = locked(payout)
    if payout.state == State.SUBMITTED:
        payout.problem = problem[:WORDS]
        move(payout, State.IN_DOUBT, note=problem)
    return payout


# Time


def note_late() -> int:
    """Apologize once for each payout past its promised day, and credit what is due for it. Returns how many are new."""
    today = business_days.today()
    late = Payout.objects.under_way().filter(promised_on__lt=today)
    if not settings.PAYOUT_LATE_CENTS:
        late = late.filter(late_told_at=None)
    return sum(_is_newly_late(pk, today) for pk in list(late.values_list("pk", flat=True)))


def _is_newly_late(pk: int, today: date) -> bool:
    """One that cannot be noted is logged, and the others are noted."""
    try:
        return _note_late(pk, today)
    except Exception:
        logger.exception("That payout %s is late was not noted.", pk)
        return False


@transaction.atomic
def _note_late(pk: int, today: date) -> bool:
    payout = Payout.objects.select_for_update(no_key=True).get(pk=pk)
    if payout.state not in Payout.UNDER_WAY:
        return False
    is_new = payout.late_told_at is None
    if is_new:
        payout.late_told_at = timezone.now()
        payout.save(update_fields=["late_told_at"])
    if settings.PAYOUT_LATE_CENTS and payout.subject:
        _credit_weeks(payout, begun=((today - payout.promised_on).days - 1) // 7 + 1)
    if is_new:
        tell(payout)
    return is_new


def _credit_weeks(payout: Payout, *, begun: int) -> None:
    """Each begun week once, at the sum that held when it was credited."""
    fee, payable = ledger.house(Kind.FEE), source(payout)
    ledger.lock(fee, payable)
    keys = [f"payout:{payout.key}:late:{week}" for week in range(1, begun + 1)]
    written = set(Transaction.objects.filter(key__in=keys).values_list("key", flat=True))
    for key in keys:
        if key not in written:
            ledger.post(
                kind=Transaction.Kind.LATE,
                key=key,
                entries={fee: -settings.PAYOUT_LATE_CENTS, payable: settings.PAYOUT_LATE_CENTS},
            )


def forget_details() -> int:
    """Forget where payouts went that ended long ago. Returns how many."""
    return ended_long_ago(timezone.now()).update(details=None)


def ended_long_ago(at: datetime) -> QuerySet[Payout]:
    """Payouts of which it should not be known any more at a moment where they went."""
    before = at - timedelta(days=settings.PAYOUT_DETAILS_DAYS)
    return Payout.objects.filter(ended_at__lt=before, details__isnull=False)


# Shared with the services beside this one


def locked(payout: Payout) -> Payout:
    """The row as it is now, which nobody else changes until the transaction ends."""
    return Payout.objects.select_for_update(no_key=True).get(pk=payout.pk)


def _suspended() -> QuerySet[Payee]:
    """Who gets nothing for now. Who has left is not among them: what was credited is theirs."""
    return Payee.objects.filter(left_at=None, member__standing=Member.Standing.SUSPENDED)


def free(payouts: QuerySet[Payout]) -> QuerySet[Payout]:
    """Without those that wait because their member is suspended."""
    return payouts.exclude(payee__in=_suspended())


def hold_up(payouts: QuerySet[Payout]) -> int:
    """Note on those that wait because their member is suspended why they do. Returns how many wait."""
    waiting = payouts.filter(payee__in=_suspended())
    waiting.exclude(problem=HELD_UP).update(problem=HELD_UP)
    return waiting.count()


def require_untouched(payout: Payout) -> None:
    if payout.state not in (State.REQUESTED, State.APPROVED) or payout.tries or payout.batch_id:
        raise TooLate


def is_own(payout: Payout, user: User) -> bool:
    """Whether somebody would decide over money of their own, or over what they asked for themselves."""
    if payout.payee and payout.payee.member and payout.payee.member.user_id == user.pk:
        return True
    subject = events.subject_of(user).pk
    return payout.steps.filter(state=State.REQUESTED, by=subject).exists()


def source(payout: Payout) -> Account:
    """The account the money came from, also of somebody who has left."""
    if payout.charity_id:
        return ledger.held_for(payout.charity)
    return Account.objects.get(kind=Kind.PAYABLE, subject=payout.subject)


def put_back(payout: Payout, *, by: UUID | None = None, note: str = "", problem: str = "") -> None:
    """The sum of a locked payout that is not paid goes back where it came from."""
    back = ledger.reverse(earlier=payout.held, by=by, note=note[:WORDS])
    _end(payout, back, by=by, note=note, problem=problem)


def _end(payout: Payout, back: Transaction, *, by: UUID | None, note: str = "", problem: str = "") -> None:
    payout.put_back, payout.ended_at, payout.problem = back, timezone.now(), problem[:WORDS]
    move(payout, State.REVERSED, by=by, note=note)


def move(payout: Payout, state: State, *, by: UUID | None = None, note: str = "") -> None:
    """Save a locked payout in its new state, with the step that tells of it."""
    payout.state = state
    payout.save(update_fields=MOVES)
    step(payout, state, by=by, note=note)


def step(payout: Payout, state: State, *, by: UUID | None = None, note: str = "") -> None:
    PayoutStep.objects.create(payout=payout, state=state, by=by, note=note[:WORDS])


def tell(payout: Payout) -> None:
    """Last in a transaction: it locks the days of members."""
    from rewards.services import telling

    if payout.payee_id:
        telling.of_payout(payout)
