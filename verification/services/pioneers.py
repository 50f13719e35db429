"""The first members: physicians whose documents staff have seen, before there are colleagues or reviewers enough.

They may vouch for others once they have been verified for 90 days, like anybody verified by documents.
"""

from dataclasses import dataclass
from datetime import UTC, date

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone

from accounts.models import Member, User
from sermo.errors import RuleBroken
from verification import npi as npis
from verification import registry
from verification.models import Claim, Decision, Provider
from verification.models.claims import Method, State
from verification.names import PersonName
from verification.services import claims, events, outcome, states

EXCLUDED = "definite"


class NotSignedUp(RuleBroken):
    message = "No account with this address, confirmed, as a member. Ask them to sign up first."


class SeenByNobody(RuleBroken):
    message = "Whoever saw the document must be a verification reviewer, and somebody else than the member."


class SeenLater(RuleBroken):
    message = "The day on which the document was seen has not come yet."


class NumberMissing(RuleBroken):
    message = "An NPI or a license number is needed."


class NotAnNpi(RuleBroken):
    message = "The NPI has a wrong digit."


class RegistryDiffers(RuleBroken):
    """The message says in what."""


class HeldByAnother(RuleBroken):
    message = "Another account holds this license already."


class JudgedBefore(RuleBroken):
    message = "An earlier claim of this account was locked, rejected or revoked. A reviewer must decide."


@dataclass(frozen=True)
class Pioneer:
    """One line of the staff list. `seen_by` is the address of the reviewer who saw the document, on `seen_on`."""

    email: str
    name: PersonName
    degree: str
    state: str
    license_number: str
    npi: str
    seen_by: str
    seen_on: date

    def __repr__(self):
        return "Pioneer(...)"


@transaction.atomic
def verify(*, pioneer: Pioneer) -> Claim | None:
    """Verify the member of a confirmed account on documents that staff have seen; None where they are verified already.

    An undecided claim of theirs makes room. Raises NotSignedUp, SeenByNobody, SeenLater, NumberMissing, NotAnNpi,
    RegistryDiffers, HeldByAnother, JudgedBefore, and outcome.Excluded, outcome.ExclusionNotChecked,
    outcome.LicenseExpired.
    """
    user, reviewer = _member_of(pioneer.email), _reviewer(pioneer)
    states.lock_account(user)
    own = Claim.objects.filter(user=user)
    if own.holding().exists():
        return None
    if own.filter(state__in=(State.LOCKED, State.REJECTED, State.REVOKED)).exists():
        raise JudgedBefore
    found = _found(pioneer)
    hashes = claims.hashes_of(
        found.provider, pioneer.npi, pioneer.state, pioneer.license_number, pioneer.degree
    )
    undecided = own.undecided().first()
    states.lock_hashes(*hashes, *(claims.hashes_to_withdraw(undecided) if undecided else ()))
    if undecided:  # after all identities are locked: it writes to the chain
        claims.withdraw(user=user)
    claim = _claim(user, pioneer, found, hashes)
    if Claim.objects.of_identity(claim).holding().exists():
        raise HeldByAnother
    _check(claim)
    day = f"{pioneer.seen_on:%Y-%m-%d}"
    Decision.objects.create(
        claim=claim,
        reviewer=reviewer,
        outcome=Decision.Outcome.APPROVE,
        reason=Decision.Reason.DOCUMENT_FITS,
        note=f"Pioneer. Document seen on {day}.",
    )
    return outcome.make_verified(claim, as_=states.STAFF_LIST, by=reviewer, method=Method.PIONEER)


def _member_of(email: str) -> User:
    email = email.strip().lower()
    confirmed = EmailAddress.objects.filter(email__iexact=email, verified=True).values("user")
    user = User.objects.filter(email=email, pk__in=confirmed, is_active=True).select_related("member").first()
    if user is None or user.as_member is None or user.as_member.standing == Member.Standing.SUSPENDED:
        raise NotSignedUp
    return user


def _reviewer(pioneer: Pioneer) -> User:
    if pioneer.seen_on > timezone.now().astimezone(UTC).date():
        raise SeenLater
    reviewer = User.objects.filter(email=pioneer.seen_by.strip().lower(), is_active=True).first()
    is_other = reviewer is not None and reviewer.email != pioneer.email.strip().lower()
    if not is_other or not reviewer.has_perm("verification.decide_claim"):
        raise SeenByNobody
    return reviewer


def _found(pioneer: Pioneer) -> registry.Match:
    """The one person of the registry who fits, or none: then documents do."""
    if not pioneer.npi and not pioneer.license_number:
        raise NumberMissing
    if pioneer.npi and not npis.is_valid(pioneer.npi):
        raise NotAnNpi
    found = registry.find_person(
        pioneer.name,
        pioneer.degree,
        pioneer.state,
        npi=pioneer.npi or None,
        license_number=pioneer.license_number or None,
    )
    if found.kind == "many":
        raise RegistryDiffers("Several people in the registry fit. Give the NPI.")
    if found.doubts:
        raise RegistryDiffers("; ".join(claims.DOUBTS[doubt] for doubt in found.doubts) + ".")
    if found.kind == "none" and pioneer.npi and Provider.objects.filter(npi=pioneer.npi).exists():
        raise RegistryDiffers("The registry has another name for this NPI.")
    return found


def _claim(
    user: User, pioneer: Pioneer, found: registry.Match, hashes: tuple[str | None, str | None]
) -> Claim:
    """A claim of nobody's typing, with the registry's record where it has one."""
    provider, (npi_hash, license_hash) = found.provider, hashes
    claim = Claim.objects.create(
        user=user,
        npi_hash=npi_hash,
        license_hash=license_hash,
        identity={
            "typed": {
                "first": pioneer.name.first,
                "middle": pioneer.name.middle,
                "last": pioneer.name.last,
                "degree": pioneer.degree,
                "state": pioneer.state,
                "npi": pioneer.npi,
                "license_number": pioneer.license_number,
            },
            "registry": registry.snapshot(provider) if provider else None,
        },
        degree=pioneer.degree,
        license_state=pioneer.state,
        name_score=found.score.score if found.score else None,
    )
    events.record(kind="started", claim=claim, to_state=State.DRAFT, reason="pioneer")
    return claim


def _check(claim: Claim) -> None:
    found = outcome.exclusions_of(claim)
    if found.verdict:
        raise outcome.Excluded if found.verdict == EXCLUDED else outcome.ExclusionNotChecked
    status = outcome.license_status(claim)
    if status and status.expires_on and status.expires_on < timezone.localdate():
        raise outcome.LicenseExpired
