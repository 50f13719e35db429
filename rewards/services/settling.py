"""What becomes of earmarks once their discussion is closed, or their post is gone. Each is settled once.

Rows are locked in the order discussion, earmarks, accounts. Payees and accounts that are missing are made in the order
of members, so that two settlements never wait for each other.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Member
from consults.models import Case
from questions.models import Post, Question
from rewards import drawing, judges
from rewards.models import Account, Award, DrawDay, Earmark, Payee, Pool, Settlement, Transaction
from rewards.services import awarding, draws, earmarking, ledger, telling
from verification.models import Claim
from verification.models.claims import State as ClaimState

log = structlog.get_logger(__name__)
State, Why, Takes = Earmark.State, Earmark.Why, Payee.Takes
UNSETTLED = (State.OPEN, State.HELD)
Cause = Award.Cause


@dataclass
class Plan:
    """What one earmark is about to become: `why` says why its author gets nothing, HELD is no end."""

    earmark: Earmark
    state: str = State.SETTLED
    why: str = ""
    author: Payee | None = None
    judges: list[Member] = field(default_factory=list)  # all who could be drawn
    voters: list[Payee] = field(default_factory=list)  # the same, as payees
    pool: Pool | None = None
    winners: list[Payee] = field(default_factory=list)

    @property
    def lines(self) -> list[tuple[Payee, str, int]]:
        of_author = [(self.author, Cause.AUTHOR, self.earmark.author_cents)] if self.author else []
        return of_author + [(payee, Cause.VOTER, self.earmark.voter_cents) for payee in self.winners]


# A closed discussion


@transaction.atomic
def settle(*, question_id: int) -> Settlement | None:
    """Settle all open earmarks of a closed discussion, and the held ones that need be held no longer.

    Returns what was paid in it so far: none where nothing was, where it is not closed, and where the draw has to wait
    for a day whose hash was published before. However often it is called, each earmark is settled once.
    """
    if not _unsettled(question_id).exists():
        return Settlement.objects.filter(pk=question_id).first()
    question = Question.objects.select_for_update().get(pk=question_id)
    if question.status != Question.Status.CLOSED:
        return None
    earmarks = list(
        _unsettled(question_id)
        .select_for_update(of=("self",))
        .select_related("firm", "post__author__user")
        .order_by("pk")
    )
    settlement = Settlement.objects.filter(pk=question_id).first()
    plans = [_judge(earmark, question) for earmark in earmarks]
    ending = [plan for plan in plans if plan.state != State.HELD]
    _find_payees(ending)
    if any(plan.voters for plan in ending):
        draw_day = (settlement and settlement.draw_day) or draws.day_for(question.closed_at)
        if draw_day is None or draw_day.day > draws.today():
            return settlement
        _draw(ending, draw_day, question_id)
        settlement = _settlement_of(question_id, draw_day)
    elif any(plan.lines for plan in ending):
        settlement = _settlement_of(question_id)
    _hold(plan.earmark for plan in plans if plan.state == State.HELD)
    awards = _pay(ending, question)
    if awards:
        _sum_up(settlement, awards)
        telling.of_settlement(settlement, awards)
    return settlement


def _unsettled(question_id: int):
    return Earmark.objects.filter(question=question_id, state__in=UNSETTLED)


def _judge(earmark: Earmark, question: Question) -> Plan:
    """Whom an earmark may pay; payees are found later, those of all earmarks together."""
    if _is_gone(earmark.post):
        return Plan(earmark, why=Why.REMOVED)
    why = why_author_unpaid(earmark)
    if why == State.HELD:
        until = question.closed_at + timedelta(days=settings.HELD_DAYS)
        if timezone.now() < until:
            return Plan(earmark, state=State.HELD)
        why = Why.STILL_HELD
    return Plan(earmark, why=why)


def _is_gone(post: Post) -> bool:
    """Whether a post was removed, or is what is left of a case that was withdrawn."""
    if post.is_removed or post.kind != Post.Kind.OPENING:
        return post.is_removed
    return Case.objects.filter(pk=post.question_id, withdrawn_at__isnull=False).exists()


def why_author_unpaid(earmark: Earmark) -> str:
    """Why the author of a standing post gets nothing of an earmark: a Why, HELD for not now, or empty.

    Who left is paid as long as the link in the farewell mail knows them. Who wants no earmarks any more is not paid
    for those of before.
    """
    author = earmark.post.author
    payee = Payee.objects.filter(member=author).first()
    if author.user_id is None and payee is None:
        return Why.LEFT
    if payee and (payee.takes == Takes.NOTHING or not payee.may_be_earmarked):
        return Why.OPTED_OUT
    if judges.is_affiliated(earmark, author):
        return Why.AFFILIATED
    if author.user_id is None or (author.may_read and author.user.is_active):
        return ""
    claims = Claim.objects.filter(user=author.user_id)
    is_revoked = claims.filter(state=ClaimState.REVOKED).exists() and not claims.holding().exists()
    return Why.REVOKED if is_revoked else State.HELD


# Whom


def _find_payees(plans: Iterable[Plan]) -> None:
    """Put into each plan the payees of its author and of all its eligible voters; missing ones are made."""
    for plan in plans:
        if plan.earmark.voter_slots and plan.why != Why.REMOVED:
            plan.judges = judges.eligible(plan.earmark)
    wanted = {member.pk for plan in plans for member in plan.judges}
    wanted |= {plan.earmark.post.author_id for plan in plans if not plan.why}
    Payee.objects.bulk_create([Payee(member_id=pk) for pk in sorted(wanted)], ignore_conflicts=True)
    rows = Payee.objects.filter(member__in=wanted).select_related("charity")
    found = {payee.member_id: payee for payee in rows}
    for plan in plans:
        plan.author = None if plan.why else found[plan.earmark.post.author_id]
        plan.voters = [found[member.pk] for member in plan.judges]


def _draw(plans: Iterable[Plan], draw_day: DrawDay, question_id: int) -> None:
    """Draw the winners of each earmark with voters, in pools numbered through the discussion."""
    seed = drawing.seed(draw_day.key, question_id)
    number = Pool.objects.filter(settlement=question_id).count()
    for plan in plans:
        if not plan.voters:
            continue
        number += 1
        payees = {drawing.ticket(draw_day.key, question_id, payee.subject): payee for payee in plan.voters}
        winners = drawing.order(seed, number, payees)[: plan.earmark.voter_slots]
        plan.winners = [payees[ticket] for ticket in winners]
        plan.pool = Pool(
            settlement_id=question_id,
            number=number,
            earmark=plan.earmark,
            cents=plan.earmark.voter_cents,
            slots=plan.earmark.voter_slots,
            tickets=sorted(payees),
            winners=winners,
        )


# Money


def _hold(earmarks: Iterable[Earmark]) -> None:
    for earmark in earmarks:
        earmark.state = State.HELD
        earmark.save(update_fields=["state"])


def _pay(plans: list[Plan], question: Question) -> list[Award]:
    """End all earmarks, each by one transaction of the ledger; return what was earned."""
    owed_to = _accounts_of({payee for plan in plans for payee, _, _ in plan.lines})
    of_firms = [
        account
        for firm in sorted({plan.earmark.firm for plan in plans}, key=lambda firm: firm.pk)
        for account in (ledger.reserved_of(firm), ledger.firm_balance(firm))
    ]
    ledger.lock(*of_firms, *owed_to.values())
    awards = []
    for plan in plans:
        ended = _post(plan, owed_to)
        state, why = (State.SETTLED, "") if plan.lines else (State.REFUNDED, plan.why)
        earmarking.end(plan.earmark, state, ended, why)
        if plan.pool:
            plan.pool.save(force_insert=True)
        awards += awarding.write(
            ledger_transaction=ended,
            lines=[_line(plan, *line, owed_to[line[0]], question) for line in plan.lines],
        )
    return awards


def _accounts_of(payees: Iterable[Payee]) -> dict[Payee, Account]:
    """Where the money of each payee goes: their own account or that of their charity."""
    payees = sorted(payees, key=lambda payee: payee.subject)
    own = [payee.subject for payee in payees if payee.takes != Takes.CHARITY]
    Account.objects.bulk_create(
        [Account(kind=Account.Kind.PAYABLE, subject=subject) for subject in own], ignore_conflicts=True
    )
    rows = {account.subject: account for account in Account.objects.filter(subject__in=own)}
    return {
        payee: rows[payee.subject] if payee.subject in rows else ledger.held_for(payee.charity)
        for payee in payees
    }


def _post(plan: Plan, owed_to: dict[Payee, Account]) -> Transaction:
    earmark, paid = plan.earmark, Counter()
    for payee, _, cents in plan.lines:
        paid[owed_to[payee]] += cents
    from_firm = {
        ledger.reserved_of(earmark.firm): -earmark.total_cents,
        ledger.firm_balance(earmark.firm): earmark.total_cents - paid.total(),
    }
    return ledger.post(
        kind=Transaction.Kind.SETTLE if paid else Transaction.Kind.RELEASE,
        key=f"earmark:{earmark.pk}:settle",
        entries={**from_firm, **paid},
    )


def _line(
    plan: Plan, payee: Payee, cause: str, cents: int, account: Account, question: Question
) -> awarding.Line:
    """Of somebody who has left it is not said any more what for."""
    where = {} if payee.left_at else {"question": question, "post": plan.earmark.post}
    charity = payee.charity if payee.takes == Takes.CHARITY else None
    return awarding.Line(
        payee=payee,
        firm=plan.earmark.firm,
        cause=cause,
        cents=cents,
        account=account,
        charity=charity,
        earmark=plan.earmark,
        **where,
    )


# What is shown


def _settlement_of(question_id: int, draw_day: DrawDay | None = None) -> Settlement:
    settlement, _ = Settlement.objects.get_or_create(pk=question_id)
    if draw_day and settlement.draw_day_id is None:
        settlement.draw_day, settlement.seed = draw_day, drawing.seed(draw_day.key, question_id)
        settlement.save(update_fields=["draw_day", "seed"])
    return settlement


def _sum_up(settlement: Settlement, awards: list[Award]) -> None:
    """Add to what was paid. Who got something by two earmarks is one payee."""
    earlier = Award.objects.filter(earmark__question=settlement.pk).exclude(
        pk__in=[award.pk for award in awards]
    )
    known = set(earlier.values_list("payee", flat=True))
    settlement.paid_cents += sum(award.cents for award in awards)
    settlement.payees += len({award.payee_id for award in awards} - known)
    settlement.firms = list(dict.fromkeys([*settlement.firms, *(award.firm.shown_as for award in awards)]))
    settlement.save(update_fields=["paid_cents", "payees", "firms"])


# What was missed, and what is gone


def sweep(say: Callable[[str], object] = lambda line: None) -> int:
    """Settle what closing left unsettled, and give back what was promised for removed posts; return how many ended.

    Each discussion and each earmark in a transaction of its own; a fault at one keeps no other waiting.
    """
    waiting = Earmark.objects.filter(state__in=UNSETTLED)
    gone = Q(post__removed_at__isnull=False) | Q(question__status=Question.Status.REMOVED)
    refunds = list(waiting.filter(gone).order_by("pk").values_list("pk", flat=True))
    ended = sum(_alone("earmark", pk, lambda pk: _refund_gone(earmark_id=pk)) for pk in refunds)
    closed = waiting.filter(question__status=Question.Status.CLOSED).order_by("question")
    for question_id in list(closed.values_list("question", flat=True).distinct()):
        before = _unsettled(question_id).count()
        _alone("question", question_id, lambda pk: settle(question_id=pk))
        ended += before - _unsettled(question_id).count()
    say(f"{ended} earmarks settled or given back")
    return ended


def _alone(noun: str, pk: int, work: Callable[[int], object]) -> bool:
    try:
        return bool(work(pk))
    except Exception as error:
        log.error("not_settled", **{noun: pk}, error=type(error).__name__)
        return False


@transaction.atomic
def _refund_gone(*, earmark_id: int) -> bool:
    """Give back the money for a removed post. The discussion, which may be open, is not locked for it."""
    earmark = (
        Earmark.objects.select_for_update(of=("self",))
        .select_related("firm", "post", "question")
        .get(pk=earmark_id)
    )
    if earmark.state not in UNSETTLED or not (earmark.post.is_removed or earmark.question.is_removed):
        return False
    ended = ledger.post(
        kind=Transaction.Kind.RELEASE,
        key=f"earmark:{earmark.pk}:settle",
        entries=earmarking.back_to_firm(earmark, earmark.total_cents),
    )
    earmarking.end(earmark, State.REFUNDED, ended, Why.REMOVED)
    return True
