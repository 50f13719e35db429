"""The state machine of a claim: one function moves it, and only along the lines of `verification.states_table`."""

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.utils import timezone

from accounts.models import Member, User
from accounts.services import members, profiles, ties
from verification.models import Claim, IdentityGuard
from verification.models.claims import FINAL, HOLDING, State
from verification.services import events
from verification.signals import revocation_undone
from verification.states_table import (  # noqa: F401 - roles, for those who move claims
    APPLICANT,
    CONDUCT_ENDS,
    MODERATOR,
    REVIEWER,
    STAFF_LIST,
    SYSTEM,
    moves,
)

MOVES = moves()

STANDINGS = {
    State.VERIFIED: Member.Standing.PHYSICIAN,
    State.NEEDS_REVIEW_HELD: Member.Standing.PHYSICIAN,
    State.DISPUTED_HOLDER: Member.Standing.PHYSICIAN,
    State.RETIRED: Member.Standing.PHYSICIAN,
    State.LAPSED: Member.Standing.READ_ONLY,
    State.SUSPENDED: Member.Standing.SUSPENDED,
    State.REVOKED: Member.Standing.SUSPENDED,
    State.LEFT: Member.Standing.APPLICANT,
}


class IllegalMove(Exception):
    """A claim was to be moved where it cannot go from its state. A mistake in the code, not a refusal to show."""


@transaction.atomic
def move(
    *,
    claim: Claim,
    to: str,
    as_: str,
    by: User | None = None,
    reason: str = "",
    evidence=(),
    specialty=None,
    **changes,
) -> Claim:
    """Bring a claim into a state, write the event and the member's standing. A claim already there stays as it is.

    `as_` says in which role: SYSTEM, APPLICANT, REVIEWER, MODERATOR or STAFF_LIST. `changes` are further columns of
    the claim to set. Returns the claim, locked. Raises IllegalMove.
    """
    claim = lock(claim)
    if claim.state == to:
        return claim
    if as_ not in MOVES.get((claim.state, to), ()):
        raise IllegalMove(f"{claim.state} to {to} as {as_}")
    was, claim.state, claim.state_at = claim.state, State(to), timezone.now()
    if to in FINAL or to in HOLDING:
        changes = {"queued_at": None, "is_ahead": False, "decided_at": claim.state_at, **changes}
    for name, value in changes.items():
        setattr(claim, name, value)
    claim.save(update_fields=["state", "state_at", *changes])
    events.record(
        kind="state",
        claim=claim,
        by=by,
        from_state=was,
        to_state=to,
        reason=reason,
        evidence=sorted(evidence),
    )
    _set_standing(claim, specialty)
    if was == State.REVOKED:
        revocation_undone.send(sender=Claim, claim=claim)
    return claim


def lock(claim: Claim) -> Claim:
    """The claim as it is now, locked until the transaction ends."""
    return Claim.objects.select_for_update(of=("self",)).select_related("user__member").get(pk=claim.pk)


def lock_account(user: User) -> None:
    """Let nobody else start claims or tries for this account until the transaction ends."""
    subject = events.subject_of(user)
    type(subject).objects.select_for_update().get(pk=subject.pk)


def lock_identity(claim: Claim) -> dict[str, IdentityGuard]:
    """Let nobody else decide about the person or the license of a claim until the transaction ends."""
    return lock_hashes(claim.npi_hash, claim.license_hash)


def lock_hashes(*hashes: str | None) -> dict[str, IdentityGuard]:
    wanted = sorted({each for each in hashes if each})
    IdentityGuard.objects.bulk_create(
        [IdentityGuard(identity_hash=each) for each in wanted], ignore_conflicts=True
    )
    guards = (
        IdentityGuard.objects.select_for_update().filter(identity_hash__in=wanted).order_by("identity_hash")
    )
    return {guard.identity_hash: guard for guard in guards}


def _set_standing(claim: Claim, specialty) -> None:
    standing, member = STANDINGS.get(claim.state), claim.user.as_member
    if standing is None or member is None:
        return
    if claim.state == State.REVOKED:
        profiles.choose_byline(member=member, mode=Member.BylineMode.ANONYMOUS)
        ties.forget_names(member)
    members.set_standing(member=member, standing=standing, specialty=specialty)
    if standing == Member.Standing.SUSPENDED:
        end_sessions(claim.user)


def end_sessions(user: User) -> None:
    """Log a person out everywhere."""
    for session in UserSession.objects.filter(user=user):
        session.end()
