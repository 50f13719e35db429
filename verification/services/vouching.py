"""Three colleagues who know the applicant. They replace the proof of possession, never the match with the registry."""

import secrets
from datetime import timedelta
from itertools import combinations

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone

from accounts.models import Kind, User
from accounts.services import notices
from sermo.crypto import keyed_hash
from sermo.errors import RuleBroken
from verification import rules
from verification.models import Claim, Proof, Vouch
from verification.models.claims import UNDECIDED, Method, State
from verification.services import events, proofs, stake, states

Origin = tuple[str, tuple[int, int]]  # ZIP of the practice, year and week of signing up
MAY_BE_VOUCHED_FOR = (State.CHALLENGED, State.NEEDS_REVIEW)
SHORTEST_STATEMENT = 20


class NotAsking(RuleBroken):
    message = "Colleagues cannot be asked now."


class LinkClosed(RuleBroken):
    message = "This link is no longer open."


class MayNotVouch(RuleBroken):
    """The message says which rule stands against it."""


@transaction.atomic
def ask_colleagues(*, claim: Claim) -> Proof:
    """Make the link that an applicant hands to colleagues; asked again, it is the same. Raises NotAsking."""
    claim = states.lock(claim)
    if claim.state not in MAY_BE_VOUCHED_FOR:
        raise NotAsking
    proof, is_new = Proof.objects.get_or_create(claim=claim, kind=Proof.Kind.VOUCH)
    if is_new:
        proof.code = secrets.token_urlsafe(16)
        proof.code_hash = _hash(proof.code)
        proof.save(update_fields=["code", "code_hash"])
        events.record(kind="vouching_opened", claim=claim, by=claim.user)
    return proof


def claim_asking(code: str) -> Claim:
    """The claim whose link this is. Raises LinkClosed when there is none, or it needs no vouching any more."""
    proof = (
        Proof.objects.filter(code_hash=_hash(code), kind=Proof.Kind.VOUCH)
        .select_related("claim__user")
        .first()
    )
    if proof is None or proof.claim.state not in MAY_BE_VOUCHED_FOR:
        raise LinkClosed
    return proof.claim


@transaction.atomic
def vouch(*, code: str, voucher: User, relation: str, statement: str) -> Vouch:
    """Sign for an applicant. Signing twice leaves the first. Raises LinkClosed, MayNotVouch."""
    states.lock_account(voucher)
    claim = states.lock(claim_asking(code))
    if claim.state not in MAY_BE_VOUCHED_FOR:
        raise LinkClosed
    if given := Vouch.objects.filter(claim=claim, voucher=voucher).first():
        return given
    check_may_vouch(voucher, claim)
    given = Vouch.objects.create(
        claim=claim, claimant=claim.user, voucher=voucher, relation=relation, statement=statement
    )
    events.record(kind="vouched", claim=claim, by=voucher, evidence=[relation])
    if not claim.is_ahead and len(standing_vouches(claim)) >= rules.VOUCHES_AHEAD:
        claim.is_ahead = True
        claim.save(update_fields=["is_ahead"])
    if is_complete(claim):
        _complete(claim)
    _tell_applicant(claim, given)
    return given


def _tell_applicant(claim: Claim, given: Vouch) -> None:
    if applicant := claim.user.as_member:
        notices.tell(
            members=[applicant.pk],
            kind=Kind.VOUCH,
            target=claim.pk,
            about=f"vouch:{claim.pk}",
            key=f"vouch:{given.pk}",
        )


def check_may_vouch(voucher: User, claim: Claim | None = None) -> None:
    """Raises MayNotVouch, with the rule in its message."""
    if claim and claim.user_id == voucher.pk:
        raise MayNotVouch("You cannot vouch for yourself.")
    own = Claim.objects.filter(user=voucher, state=State.VERIFIED).first()
    if own is None or not voucher.as_member or not voucher.as_member.may_write:
        raise MayNotVouch("Only physicians with a verified license in good standing can vouch.")
    if own.method == Method.VOUCH:
        raise MayNotVouch(
            "Colleagues who were vouched for cannot vouch in turn. Documents for your own license change that."
        )
    if own.verified_at > timezone.now() - timedelta(days=rules.VOUCHER_DAYS):
        raise MayNotVouch(
            f"You can vouch once your own license has been verified for {rules.VOUCHER_DAYS} days."
        )
    if stake.has_lost(voucher):
        raise MayNotVouch("Someone you vouched for turned out not to be who they said.")
    if vouches_of_year(voucher).count() >= rules.VOUCHES_PER_YEAR:
        raise MayNotVouch(f"You have vouched {rules.VOUCHES_PER_YEAR} times in a year, which is the most.")
    if open_vouches(voucher).count() >= rules.VOUCHES_OPEN:
        raise MayNotVouch(
            f"{rules.VOUCHES_OPEN} colleagues you vouched for wait for a decision, which is the most at a time."
        )


def vouches_of_year(voucher: User):
    """What somebody signed in the last 365 days."""
    return Vouch.objects.filter(voucher=voucher, signed_at__gt=timezone.now() - timedelta(days=365))


def open_vouches(voucher: User):
    """What somebody signed for claims that are not decided yet."""
    return Vouch.objects.filter(voucher=voucher, claim__state__in=(*UNDECIDED, State.LOCKED))


def is_complete(claim: Claim) -> bool:
    """Whether three vouches stand whose signers still may vouch, not all of one practice or one sign-up week."""
    return are_enough(standing_of(claim))


def are_enough(standing: dict[Vouch, Origin]) -> bool:
    """What `is_complete` says of vouches that stand."""
    return any(_are_apart(group) for group in combinations(standing.values(), rules.VOUCHES_NEEDED))


def standing_vouches(claim: Claim) -> list[Vouch]:
    return list(standing_of(claim))


def standing_of(claim: Claim) -> dict[Vouch, Origin]:
    """The vouches that stand, each with where its signer practices and in which week they signed up.

    Those of signers who lost their good standing, or vouched for an impostor, do not.
    """
    vouches = list(claim.vouches.all())
    prefetch_related_objects(vouches, "voucher__member")
    signers = [vouch.voucher for vouch in vouches]
    lost = stake.who_lost(signers)
    own = (
        {
            each.user_id: each
            for each in Claim.objects.filter(user__in=signers, state=State.VERIFIED).exclude(
                method=Method.VOUCH
            )
        }
        if signers
        else {}
    )
    return {
        vouch: _origin(vouch.voucher, own[vouch.voucher_id])
        for vouch in vouches
        if vouch.voucher_id in own
        and vouch.voucher_id not in lost
        and vouch.voucher.as_member
        and vouch.voucher.as_member.may_write
    }


def _origin(signer: User, own: Claim) -> Origin:
    # The registry has no street: the same ZIP is taken for the same practice, and an unknown one for everybody's.
    place = (own.registry or {}).get("practice_zip", "")[:5]
    return place, signer.date_joined.isocalendar()[:2]


def _are_apart(origins) -> bool:
    places, weeks = {place for place, _ in origins}, {week for _, week in origins}
    return len(places - {""}) > 1 and len(weeks) > 1


def _complete(claim: Claim) -> None:
    """Passed questions and three colleagues prove a claim; without the questions a reviewer weighs them. Both wait."""
    Proof.objects.filter(claim=claim, kind=Proof.Kind.VOUCH).update(ok_at=timezone.now())
    if claim.state == State.CHALLENGED:
        claim = states.move(
            claim=claim, to=State.PROVEN, as_=states.SYSTEM, evidence=["questions", "vouches"]
        )
    proofs.put_in_queue(claim)


def _hash(code: str) -> str:
    return keyed_hash(code, "vouch link")
