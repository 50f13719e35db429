"""The reviewers' queue: who comes next, who reads what at the moment, and how risky each claim is.

A claim is in the queue while `queued_at` says since when it waits. Those put at its head come first, then the longest
waiting. A reviewer holds what they read for HOLD_MINUTES, so that no two decide one claim; a decision ends it.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from sermo.background import each_alone
from sermo.errors import RuleBroken
from verification import rules
from verification.models import Claim, Decision, Dispute, DisputeOpinion, Event, Vouch
from verification.models.claims import FINAL, UNDECIDED
from verification.registry import Exclusions
from verification.services import outcome, risk, states


class HeldByAnother(RuleBroken):
    """The message says which reviewer reads the claim, and until when."""


class NothingToTake(RuleBroken):
    message = "No claim is free: the others read the rest, or nothing waits for you."


# Who reads what


@transaction.atomic
def take_next(*, by: User, after: Claim | None = None) -> Claim:
    """Hold the first claim that nobody holds and this reviewer may decide, and let go of what they held before.

    `after` is the claim they come from: the next one behind it is taken, and from the end of the queue the first.
    Raises NothingToTake.
    """
    _release_others(by)
    free = _free_for(by).select_for_update(of=("self",), skip_locked=True)
    if after is not None:
        free = free.exclude(pk=after.pk)
        claim = free.filter(_behind(after)).first() or free.first()
    else:
        claim = free.first()
    if claim is None:
        raise NothingToTake
    return _hold(claim, by)


@transaction.atomic
def hold(*, claim: Claim, by: User) -> Claim:
    """Hold a claim of the queue, as it was just read, for whoever opened it, unless another reviewer does. Returns it.

    A reviewer holds one claim at a time: whatever else they opened is free for others.
    """
    _release_others(by, keep=claim)
    now = timezone.now()
    until = now + timedelta(minutes=rules.HOLD_MINUTES)
    free = Q(held_by=None) | Q(held_until__lte=now) | Q(held_by=by)
    waiting = _takeable(by).filter(free, pk=claim.pk, queued_at__isnull=False)
    if claim.queued_at is not None and waiting.update(held_by=by, held_until=until):
        claim.held_by, claim.held_until = by, until
    elif claim.queued_at is not None:
        claim.refresh_from_db(fields=["held_by", "held_until"])
    return claim


@transaction.atomic
def release(*, claim: Claim, by: User) -> Claim:
    """Put a claim back, so that others can take it. What another reviewer holds stays theirs."""
    claim = states.lock(claim)
    if claim.held_by_id == by.pk:
        _let_go(claim)
    return claim


def _release_others(by: User, keep: Claim | None = None) -> None:
    """Let go of what a reviewer holds beside this claim, without waiting: what is acted on at this moment stays."""
    mine = Claim.objects.filter(held_by=by).exclude(pk=keep.pk if keep else None)
    free = list(mine.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True))
    Claim.objects.filter(pk__in=free).update(held_by=None, held_until=None)


def end_hold(claim: Claim) -> None:
    """Let go of a locked claim whoever held it: it was decided."""
    if claim.held_by_id is not None:
        _let_go(claim)


def check_not_held(claim: Claim, by: User) -> None:
    """Raises HeldByAnother."""
    if until := holder_of(claim, other_than=by):
        raise HeldByAnother(f"Reviewer {claim.held_by_id} reads this claim until {until:%H:%M} UTC.")


def holder_of(claim: Claim, *, other_than: User | None = None) -> datetime | None:
    """Until when somebody (else) holds a claim, or None."""
    if claim.held_by_id is None or claim.held_until <= timezone.now():
        return None
    return None if other_than and claim.held_by_id == other_than.pk else claim.held_until


def may_take(claim: Claim, by: User) -> bool:
    """Whether this reviewer can be the one who decides: somebody who said nothing yet where it takes another."""
    return _takeable(by).filter(pk=claim.pk).exists()


def _takeable(by: User) -> QuerySet[Claim]:
    """What a reviewer may decide. Parties to an identity beyond the claim itself are refused by the decision."""
    own = Decision.objects.filter(reviewer=by)
    refused = own.filter(outcome=Decision.Outcome.REJECT).values("claim")
    suspended = own.filter(outcome=Decision.Outcome.SUSPEND).values("claim")
    answered = Decision.objects.filter(claim=OuterRef("claim"), at__gt=OuterRef("at"))
    revoking = own.filter(
        ~Exists(answered.exclude(outcome=Decision.Outcome.REVOKE)),
        outcome=Decision.Outcome.REVOKE,
        claim=OuterRef("pk"),
        at__gte=OuterRef("state_at"),
    )
    opinions = DisputeOpinion.objects.filter(reviewer=by)
    said = opinions.filter(dispute__outcome="")
    unsaid = Dispute.objects.undecided().exclude(pk__in=said.values("dispute"))
    judged = Q(pk__in=refused) | Q(pk__in=opinions.values("dispute__rival_claim"))
    is_appealed = Q(doubts__contains="suspension_appeal")
    return (
        Claim.objects.exclude(user=by)
        .exclude(user=None)
        .exclude(pk__in=Vouch.objects.filter(voucher=by).values("claim"))
        .exclude(first_approval__reviewer=by)
        .exclude(Q(appeal__isnull=False, state__in=UNDECIDED) & judged)
        .exclude(is_appealed & Q(pk__in=suspended))
        .exclude(Exists(revoking))
        .exclude(
            ~Exists(unsaid.filter(rival_claim=OuterRef("pk"))), pk__in=said.values("dispute__rival_claim")
        )
        .exclude(
            ~Exists(unsaid.filter(holder_claim=OuterRef("pk"))), pk__in=said.values("dispute__holder_claim")
        )
    )


def _free_for(by: User) -> QuerySet[Claim]:
    nobody = Q(held_by=None) | Q(held_until__lte=timezone.now())
    takeable = _takeable(by).filter(queued_at__isnull=False)
    return Claim.objects.in_queue().filter(nobody, pk__in=takeable.values("pk"))


def _behind(claim: Claim) -> Q:
    if claim.queued_at is None:  # it was just decided: what comes next is the head of the queue
        return Q()
    later = Q(queued_at__gt=claim.queued_at) | Q(queued_at=claim.queued_at, pk__gt=claim.pk)
    return (Q(is_ahead=True) & later) | Q(is_ahead=False) if claim.is_ahead else Q(is_ahead=False) & later


def _hold(claim: Claim, by: User) -> Claim:
    claim.held_by, claim.held_until = by, timezone.now() + timedelta(minutes=rules.HOLD_MINUTES)
    claim.save(update_fields=["held_by", "held_until"])
    return claim


def _let_go(claim: Claim) -> None:
    claim.held_by = claim.held_until = None
    claim.save(update_fields=["held_by", "held_until"])


@transaction.atomic
def forget_holds() -> int:
    """Forget who held what, once that time is over; return of how many claims."""
    over = holds_over(timezone.now()).order_by("pk").select_for_update(of=("self",))
    return Claim.objects.filter(pk__in=list(over.values_list("pk", flat=True))).update(
        held_by=None, held_until=None
    )


def holds_over(at: datetime) -> QuerySet[Claim]:
    return Claim.objects.filter(held_until__lt=at)


# How risky a claim is


def facts_of(claim: Claim, exclusions: Exclusions | None = None) -> risk.Facts:
    """What the risk of a claim is counted from, as it is now. Reads the identity.

    `exclusions` are those of the claim, where they are known already.
    """
    kin = Claim.objects.kin_of(claim) if claim.kin is None else claim.kin
    others, people = set(), set()
    for each in kin:
        if each.user_id == claim.user_id:
            people.add(each.identity_hash)
        elif each.user_id and each.state not in FINAL:
            others.add(each.user_id)
    answered = answered_at(claim)
    said = [each.objected_at for each in claim.objections.all() if each.objected_at]
    return risk.Facts(
        doubts=tuple(claim.doubts),
        others=len(others),
        identities=len(people - {claim.identity_hash, None}),
        exclusion=(exclusions or outcome.exclusions_of(claim)).verdict,
        shares_address=_shares_address(claim),
        objections=sum(at > answered for at in said),
    )


def answered_at(claim: Claim) -> datetime:
    """When reviewers last kept a license that is held: what was objected before then was weighed, and is answered."""
    kept = [each.at for each in claim.decisions.all() if each.outcome == Decision.Outcome.KEEP]
    won = [each.settled_at for each in claim.disputes_held.all() if each.outcome == Dispute.Outcome.HOLDER]
    return max([*kept, *won], default=claim.started_at)


def weigh(claim: Claim) -> Claim:
    """Count the risk of a claim anew and keep it. Whatever puts a claim into the queue calls this.

    It is kept even where it stays: an identity that somebody holds must be no more work than any other.
    """
    claim.risk = risk.total(facts_of(claim))
    claim.save(update_fields=["risk"])
    return claim


def weigh_all() -> int:
    """Count the risk of all that waits anew: others may claim the same identity since. Says how many changed."""
    waiting = Claim.objects.in_queue().filter(user__isnull=False).values_list("pk", flat=True)
    return each_alone(_weigh_anew, waiting, failed="claim_not_weighed")


@transaction.atomic
def _weigh_anew(pk: int) -> bool:
    claim = states.lock(Claim(pk=pk))
    before = claim.risk
    return claim.queued_at is not None and weigh(claim).risk != before


def _shares_address(claim: Claim) -> bool:
    """Whether another account started the questions from an address of this one, at most a day apart."""
    started = Event.objects.filter(kind="challenge_started").exclude(address_hash="")
    day = timedelta(days=1)
    own = started.filter(case_number=claim.case_number)
    if claim.case_events is not None:
        own = [each for each in claim.case_events if each.kind == "challenge_started" and each.address_hash]
    for at, address, subject in [(each.at, each.address_hash, each.subject) for each in own]:
        near = started.filter(address_hash=address, at__range=(at - day, at + day))
        if near.exclude(subject=subject).exists():
            return True
    return False
