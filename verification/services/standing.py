"""Ending a membership for what somebody did here, and giving it back.

Moderators decide it and know a handle or a name; here it becomes a move of the claim, whose events name no post.
"""

from django.db import transaction

from accounts.models import Member, User
from accounts.services import members, profiles, ties
from sermo.errors import RuleBroken
from verification.models import Claim, Dispute, Event
from verification.models.claims import State
from verification.services import events, states
from verification.signals import member_revoked

CONDUCT = "conduct"
Standing = Member.Standing
CLAIM, MEMBER = "claim", "member"  # whose state was taken


class NoMembership(RuleBroken):
    message = "This account has no membership that could be ended."


class EndedAlready(RuleBroken):
    message = "This membership has been ended already."


class HeldByAnother(RuleBroken):
    message = "The license is held by another account now. The membership cannot be given back."


class EndedByAnother(RuleBroken):
    message = "The membership was ended by another decision since."


def lock(member: Member) -> Claim | None:
    """Lock account, identity and claim, in the order of all verification services; the claim is returned.

    Members without a claim have none to lock. Raises NoMembership for who has left.
    """
    if member.user_id is None:
        raise NoMembership
    states.lock_account(member.user)
    own = Claim.objects.filter(user=member.user_id).order_by("-pk")
    claim = own.filter(state__in=states.CONDUCT_ENDS).first() or own.filter(state=State.REVOKED).first()
    if claim is None:
        return None
    states.lock_identity(claim)
    return states.lock(claim)


@transaction.atomic
def suspend(*, member: Member, by: User) -> str:
    """Take a member's standing until it is given back; return what `reinstate` needs.

    Raises NoMembership, EndedAlready.
    """
    return _end(member, by, State.SUSPENDED)


@transaction.atomic
def revoke(*, member: Member, by: User) -> str:
    """End a membership for good: votes are taken back, names forgotten. Raises NoMembership, EndedAlready."""
    was = _end(member, by, State.REVOKED)
    claim = Claim.objects.filter(user=member.user_id, state=State.REVOKED).order_by("-pk").first()
    member_revoked.send(sender=Claim, member=member, claim=claim)
    return was


@transaction.atomic
def reinstate(*, member: Member, by: User, was: str) -> None:
    """Give back what `suspend` or `revoke` took; `was` is what they returned. Twice is as good as once.

    What somebody else decided since stands. Raises NoMembership, HeldByAnother, EndedByAnother.
    """
    claim = lock(member)
    ended, of, before = was.split(":")
    if of == MEMBER:
        _give_standing_back(member, claim, before, by)
        return
    if claim and claim.state in (before, _now(claim, before)):
        return
    if claim is None or claim.state != ended or not _was_for_conduct(claim):
        raise EndedByAnother
    others = Claim.objects.of_identity(claim).holding().exclude(pk=claim.pk)
    if claim.state == State.REVOKED and others.exists():
        raise HeldByAnother
    states.move(claim=claim, to=_now(claim, before), as_=states.MODERATOR, by=by, reason=CONDUCT)


def passed_on(*, later: str, earlier: str) -> str:
    """What a later end gives back, once the earlier one that it followed stands no more."""
    ended, of, _ = later.split(":")
    return f"{ended}:{of}:{earlier.split(':')[2]}"


def _give_standing_back(member: Member, claim: Claim | None, before: str, by: User) -> None:
    now = Member.objects.get(pk=member.pk).standing
    if now == before:
        return
    if claim or now != Standing.SUSPENDED:
        raise EndedByAnother
    _set_standing(member, before, by)


def _was_for_conduct(claim: Claim) -> bool:
    """Whether a moderator made the last move of a claim, and no reviewer and no check of the license."""
    moves = Event.objects.filter(kind="state", case_number=claim.case_number)
    return moves.order_by("-pk").values_list("reason", flat=True).first() == CONDUCT


def _now(claim: Claim, was: str) -> str:
    """A dispute may have been settled while the membership had ended."""
    is_disputed = Dispute.objects.filter(holder_claim=claim, outcome="").exists()
    return State.VERIFIED if was == State.DISPUTED_HOLDER and not is_disputed else was


def _end(member: Member, by: User, to: str) -> str:
    claim = lock(member)
    member = Member.objects.get(pk=member.pk)
    if member.standing == Standing.APPLICANT:
        raise NoMembership
    if claim is None:
        return _end_without_claim(member, by, to)
    was = claim.state
    if was in (to, State.REVOKED):
        raise EndedAlready
    states.move(claim=claim, to=to, as_=states.MODERATOR, by=by, reason=CONDUCT)
    return f"{to}:{CLAIM}:{was}"


def _end_without_claim(member: Member, by: User, to: str) -> str:
    if member.standing == Standing.SUSPENDED and to == State.SUSPENDED:
        raise EndedAlready
    was = member.standing
    if to == State.REVOKED:
        profiles.choose_byline(member=member, mode=Member.BylineMode.ANONYMOUS)
        ties.forget_names(member)
    _set_standing(member, Standing.SUSPENDED, by)
    states.end_sessions(member.user)
    return f"{to}:{MEMBER}:{was}"


def _set_standing(member: Member, standing: str, by: User) -> None:
    events.record(kind="standing", by=by, from_state=member.standing, to_state=standing, reason=CONDUCT)
    members.set_standing(member=member, standing=standing)
