"""What becomes of earmarks once their discussion is closed, or their post is gone. Each is settled once.

Rows are locked in the order discussion, earmarks, payees, accounts. Payees and accounts that are missing are made in
the order of members, so that two settlements never wait for each other. For a payee nobody waits: where one is leaving
or choosing at that moment, the sweep comes back for it.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import connection, transaction
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

    Returns what was paid in it so far: none where nothing was, and where it is not closed. An earmark whose voters are
    drawn waits for a day whose hash was published before, and keeps no other waiting. However often it is called, each
    is settled once.
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
    plans = [_judge(earmark, question) for earmark in earmarks]
    ending = [plan for plan in plans if plan.state != State.HELD]
    _find_payees(ending)
    draw_day = draws.of_today() if any(plan.voters for plan in ending) else None
    if draw_day is None:
        ending = [plan for plan in ending if not plan.voters]
    settlement = Settlement.objects.filter(pk=question_id).first()
    if any(plan.voters or plan.lines for plan in ending):
        settlement = settlement or Settlement.objects.create(pk=question_id)
    if draw_day:
        _draw(ending, draw_day, question_id)
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
    """Put into each plan the payees of its author and of all its eligible voters; missing ones are made.

    They are locked, so that nobody leaves between what is read here and the awards, which say nothing of who has left.
    """
    for plan in plans:
        if plan.earmark.voter_slots and plan.why != Why.REMOVED:
            plan.judges = judges.eligible(plan.earmark)
    wanted = {member.pk for plan in plans for member in plan.judges}
    wanted |= {plan.earmark.post.author_id for plan in plans if not plan.why}
    _make_payees(wanted)
    rows = Payee.objects.filter(member__in=wanted).select_related("charity").order_by("subject")
    found = {
        payee.member_id: payee for payee in rows.select_for_update(no_key=True, nowait=True, of=("self",))
    }
    for plan in plans:
        plan.author = None if plan.why else found[plan.earmark.post.author_id]
        plan.voters = [found[member.pk] for member in plan.judges]


def _make_payees(members: set[int]) -> None:
    known = Payee.objects.filter(member__in=members).values_list("member", flat=True)
    missing = sorted(members.difference(known))
    if not missing:
        return
    with connection.cursor() as cursor:  # whoever is leaving has theirs made then
        cursor.execute(
            "SELECT 1 FROM accounts_member WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE NOWAIT", [missing]
        )
    Payee.objects.bulk_create([Payee(member_id=pk) for pk in missing], ignore_conflicts=True)


def _draw(plans: Iterable[Plan], draw_day: DrawDay, question_id: int) -> None:
    """Draw the winners of each earmark with voters, in pools numbered through the discussion."""
    seed = drawing.seed(draw_day.key, question_id)
    number = Pool.objects.filter(settlement=question_id).count()
    for plan in plans:
        if not plan.voters:
            continue
        number += 1
        payees = {drawing.ticket(draw_day.key, question_id, payee.draw_name): payee for payee in plan.voters}
        winners = drawing.order(seed, number, payees)[: plan.earmark.voter_slots]
        plan.winners = [payees[ticket] for ticket in winners]
        plan.pool = Pool(
            settlement_id=question_id,
            number=number,
            earmark=plan.earmark,
            draw_day=draw_day,
            seed=seed,
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
    owed_to = awarding.accounts_of({payee for plan in plans for payee, _, _ in plan.lines})
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
    """Settle what closing left unsettled, and give back what was promised for posts that are gone for good.

    Returns how many ended. Each discussion and each earmark in a transaction of its own; a fault at one keeps no other
    waiting.
    """
    waiting = Earmark.objects.filter(state__in=UNSETTLED)
    refunds = list(waiting.filter(_gone_for_good()).distinct().order_by("pk").values_list("pk", flat=True))
    ended = sum(_alone("earmark", pk, lambda pk: _refund_gone(earmark_id=pk)) for pk in refunds)
    closed = waiting.filter(question__status=Question.Status.CLOSED).order_by("question")
    for question_id in list(closed.values_list("question", flat=True).distinct()):
        before = _unsettled(question_id).count()
        _alone("question", question_id, lambda pk: settle(question_id=pk))
        ended += before - _unsettled(question_id).count()
    say(f"{ended} earmarks settled or given back")
    return ended


def _gone_for_good() -> Q:
    """Whether an earmark's post, or its discussion with its opening, was removed and does not come back.

    What an author removed does not. What a moderator did may, until nobody may appeal any more or wait for an answer.
    """
    days = settings.APPEAL_WITHIN_DAYS + settings.APPEAL_DECIDED_DAYS + 2
    since = timezone.now() - timedelta(days=days)
    of_post = Q(post__removed_by=Post.RemovedBy.AUTHOR) | Q(post__removed_at__lt=since)
    openings = Post.objects.filter(kind=Post.Kind.OPENING, question__status=Question.Status.REMOVED).filter(
        Q(removed_by=Post.RemovedBy.AUTHOR) | Q(removed_at__lt=since)
    )
    return of_post | Q(question__in=openings.values("question"))


def _alone(noun: str, pk: int, work: Callable[[int], object]) -> bool:
    try:
        return bool(work(pk))
    except Exception as error:
        log.error("not_settled", **{noun: pk}, error=type(error).__name__)
        return False


@transaction.atomic
def _refund_gone(*, earmark_id: int) -> bool:
    """Give back the money for a removed post. The discussion, which may be open, is not locked for it."""
    earmark = Earmark.objects.select_for_update(of=("self",)).select_related("firm").get(pk=earmark_id)
    if earmark.state not in UNSETTLED or not Earmark.objects.filter(_gone_for_good(), pk=earmark_id).exists():
        return False
    ended = ledger.post(
        kind=Transaction.Kind.RELEASE,
        key=f"earmark:{earmark.pk}:settle",
        entries=earmarking.back_to_firm(earmark, earmark.total_cents),
    )
    earmarking.end(earmark, State.REFUNDED, ended, Why.REMOVED)
    return True
