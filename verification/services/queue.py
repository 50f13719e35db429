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
from verification.models.claims import UNDECIDED
from verification.services import events, outcome, risk, states


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
    """Hold a claim of the queue for whoever opened it, unless another reviewer does. Returns it as it is then.

    A reviewer holds one claim at a time: whatever else they opened is free for others.
    """
    _release_others(by, keep=claim)
    claim = states.lock(claim)
    if claim.queued_at is None or holder_of(claim, other_than=by) or not may_take(claim, by):
        return claim
    return _hold(claim, by)


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


def facts_of(claim: Claim) -> risk.Facts:
    """What the risk of a claim is counted from, as it is now. Reads the identity."""
    same = Claim.objects.of_identity(claim).unfinished().exclude(user=claim.user_id).exclude(user=None)
    named = (
        Claim.objects.filter(user=claim.user_id).exclude(pk=claim.pk).values_list("npi_hash", "license_hash")
    )
    people = {npi or license for npi, license in named} - {claim.identity_hash, None}
    return risk.Facts(
        doubts=tuple(claim.doubts),
        others=same.values("user").distinct().count(),
        identities=len(people),
        exclusion=outcome.exclusions_of(claim).verdict,
        shares_address=_shares_address(claim),
        objections=claim.objections.filter(objected_at__gt=answered_at(claim)).count(),
    )


def answered_at(claim: Claim) -> datetime:
    """When reviewers last kept a license that is held: what was objected before then was weighed, and is answered."""
    kept = claim.decisions.filter(outcome=Decision.Outcome.KEEP).order_by("-at").values_list("at", flat=True)
    won = claim.disputes_held.filter(outcome="holder").order_by("-settled_at")
    times = [kept.first(), won.values_list("settled_at", flat=True).first()]
    return max((time for time in times if time), default=claim.started_at)


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
    subject = events.subject_of(claim.user).pk
    day = timedelta(days=1)
    for at, address in started.filter(case_number=claim.case_number).values_list("at", "address_hash"):
        near = started.filter(address_hash=address, at__range=(at - day, at + day))
        if near.exclude(subject=subject).exists():
            return True
    return False
