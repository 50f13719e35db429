"""What it takes to make a claim verified, and what follows from it."""

import re
from collections.abc import Iterable

from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Member, Specialty, User
from sermo.errors import RuleBroken
from verification import licenses, registry
from verification.models import (
    Challenge,
    Claim,
    Decision,
    Exclusion,
    LicenseCheck,
    LicenseStatus,
    Objection,
    Provider,
)
from verification.models.claims import Method, State
from verification.names import PersonName
from verification.services import license_clock, objections, rosters, states, vouching
from verification.signals import member_verified

FULL_LEVEL = 2
LIMITED = re.compile(
    r"probation|condition|restrict|limit|suspen|stay|revo|inactive|retire|volunt", re.IGNORECASE
)


class NoProof(RuleBroken):
    message = "There is no proof yet: no document, no right code, no three colleagues. Ask for one first."


class NoRegistryMatch(RuleBroken):
    message = (
        "Codes and colleagues cannot stand in for the registry, and nobody there fits. Ask for a document."
    )


class NothingHeld(RuleBroken):
    message = "Neither an NPI nor a license number is known. Ask the applicant to withdraw and type one."


class Excluded(RuleBroken):
    message = "This NPI is on the list of exclusions. The claim cannot be approved."


class ExclusionNotChecked(RuleBroken):
    message = (
        "A person of this name is on the list of exclusions. Compare, then tick that it is someone else."
    )


class MembershipEnded(RuleBroken):
    message = (
        "The membership of this account was ended. An appeal against that brings it back, and no other claim."
    )


class LicenseExpired(RuleBroken):
    message = "The board lists this license as expired. Ask for proof that it was renewed."


def check_may_verify(claim: Claim, *, exclusion_checked: bool) -> None:
    """Raises one of the refusals above.

    Verifying gives the standing of a physician, so it would lift what moderators or other reviewers have decided.
    """
    if (member := claim.user.as_member) is None or member.standing == Member.Standing.SUSPENDED:
        raise MembershipEnded
    if not claim.npi_hash and not claim.license_hash:
        raise NothingHeld
    if proof_method(claim) != Method.DOCUMENT and claim.registry is None:
        raise NoRegistryMatch
    found = exclusions_of(claim)
    if found.verdict == "definite":
        raise Excluded
    if found.verdict == "possible" and not exclusion_checked:
        raise ExclusionNotChecked
    status = license_status(claim)
    if status and (_is_over(status) or license_clock.standing_of(status) == LicenseCheck.Finding.EXPIRED):
        raise LicenseExpired


def _is_over(status: LicenseStatus) -> bool:
    return status.expires_on is not None and status.expires_on < timezone.localdate()


def doubts_about(claim: Claim) -> list[str]:
    """Why people decide about a proven claim after all, as codes of `claims.DOUBTS`; none, and the site may.

    Besides what `check_may_verify` refuses: what is doubted already, a record that has changed, a board's word that
    is not plainly good, a reviewer who had asked for more, and somebody who said "this was not me".
    """
    found = list(dict.fromkeys([*claim.doubts, *_doubts_of_record(claim), *_doubts_of_people(claim)]))
    try:
        check_may_verify(claim, exclusion_checked=False)
    except RuleBroken:
        return found or ["refused"]
    return found


def _doubts_of_record(claim: Claim) -> Iterable[str]:
    provider = Provider.objects.filter(npi=(claim.registry or {}).get("npi", "")).first()
    if provider is None:
        yield "gone"
    elif not provider.is_active:
        yield "deactivated"
    if verdict := exclusions_of(claim).verdict:
        yield {"definite": "excluded", "possible": "namesake"}[verdict]
    if status := license_status(claim):
        standing = license_clock.standing_of(status)
        if standing == LicenseCheck.Finding.EXPIRED:
            yield "expired"
        elif standing != LicenseCheck.Finding.IN_FORCE or LIMITED.search(status.status):
            yield "status"
        if status.discipline:
            yield "discipline"


def _doubts_of_people(claim: Claim) -> Iterable[str]:
    member = claim.user.as_member
    if member is None or member.standing == Member.Standing.SUSPENDED:
        yield "standing"
    # Of earlier claims, too: withdrawing wipes nothing out.
    if Decision.objects.filter(claim__user=claim.user).exists():
        yield "asked"
    same = Claim.objects.of_identity(claim)
    refused = Q(state=State.REVOKED) | Q(decisions__outcome=Decision.Outcome.REJECT)
    if same.exclude(user=claim.user).filter(refused).exists():
        yield "contested"
    if Objection.objects.filter(claim__in=same.values("pk"), objected_at__isnull=False).exists():
        yield "objected"


def proof_method(claim: Claim) -> str:
    """By what a claim is proven, as far as a reviewer goes by one; what counts for more comes first. Raises NoProof.

    A document, an entry in the registry, a code to its telephone or fax, a code to an institution, three colleagues.
    """
    if claim.proofs.filter(kind="document", documents__deleted_at=None, documents__isnull=False).exists():
        return Method.DOCUMENT
    right = set(claim.proofs.filter(ok_at__isnull=False).values_list("kind", flat=True))
    for method in (Method.ENDPOINT, Method.PHONE, Method.FAX, Method.EMAIL):
        if method in right:
            return method
    if vouching.is_complete(claim):
        return Method.VOUCH
    raise NoProof


def exclusions_of(claim: Claim) -> registry.Exclusions:
    """What the exclusion list has on the person: by the NPI for certain, by any of their names as a possibility."""
    npi = (claim.registry or {}).get("npi") or claim.typed["npi"]
    return registry.exclusions(npi, _names_of(claim), states_of(claim), npi_is_theirs=bool(claim.registry))


def namesakes_of(claim: Claim) -> list[Exclusion]:
    """Exclusions that any name of the person fits, in a state of theirs: legal, former and typed names.

    Rows with an NPI only where the registry has none of this person.
    """
    return registry.namesakes(_names_of(claim), states_of(claim), npi_known=bool(claim.registry))


def _names_of(claim: Claim) -> set[PersonName]:
    """The name that was typed, that of the registry, and its other one."""
    typed, record = claim.typed, claim.registry or {}
    return {
        PersonName(typed["last"], typed["first"]),
        PersonName(record.get("last_name") or typed["last"], record.get("first_name") or typed["first"]),
        PersonName(
            record.get("other_last_name") or typed["last"], record.get("other_first_name") or typed["first"]
        ),
    }


def states_of(claim: Claim) -> set[str]:
    """The states in which the person is licensed or practices, as far as is known."""
    record = claim.registry or {}
    states_known = {claim.license_state, record.get("practice_state", "")}
    return (states_known | {each["state"] for each in record.get("licenses", [])}) - {""}


def license_status(claim: Claim) -> LicenseStatus | None:
    """The board's own word on the claimed license, where its roster is loaded."""
    numbers = [claim.typed["license_number"]]
    numbers += [
        each["number"]
        for each in (claim.registry or {}).get("licenses", [])
        if each["state"] == claim.license_state
    ]
    keys = {licenses.normal_number(claim.license_state, number) for number in numbers} - {""}
    rows = LicenseStatus.objects.filter(state=claim.license_state, degree=claim.degree, number_key__in=keys)
    return rows.order_by(F("expires_on").desc(nulls_last=True), "pk").first()


def make_verified(claim: Claim, *, as_: str, by: User | None, method: str) -> Claim:
    """Verify a claim whose identity is locked and free. The member becomes a physician in the same transaction."""
    status = license_status(claim)
    now = timezone.now()
    claim = states.move(
        claim=claim,
        to=State.VERIFIED,
        as_=as_,
        by=by,
        evidence=[method],
        specialty=claim.specialty or specialty_of(claim.registry),
        level=FULL_LEVEL,
        method=method,
        verified_at=now,
        asked_for=None,
        license_expires_on=status.expires_on if status else None,
        status_checked_at=now,
        status_source=status.source if status else "registry" if claim.registry else "document",
    )
    claim.proofs.filter(kind=method, ok_at=None).update(ok_at=now)
    license_clock.note_first(claim=claim, status=status, method=method, by=by)
    rosters.note_known(claim=claim, status=status, namesakes=namesakes_of(claim))
    _forgive_tries(claim)
    member_verified.send(sender=Claim, member=claim.user.as_member, claim=claim)
    objections.tell(claim=claim)
    return claim


def specialty_of(record: dict | None) -> Specialty | None:
    """What members can choose for the registry's primary taxonomy, or for its next one that stands for a physician."""
    licenses_held = sorted((record or {}).get("licenses", []), key=lambda each: not each["is_primary"])
    found = (Specialty.choice_for(each["taxonomy"]) for each in licenses_held)
    return next(filter(None, found), None)


def _forgive_tries(claim: Claim) -> None:
    """Count only the tries of claims that do not hold the identity: a claimed one must answer like an unclaimed one."""
    guard = states.lock_identity(claim).get(claim.npi_hash)
    if guard is None:
        return
    others = Challenge.objects.filter(claim__npi_hash=claim.npi_hash).exclude(
        claim__in=Claim.objects.holding()
    )
    guard.tries_used = min(others.count(), 2)
    guard.last_try_at = others.order_by("-issued_at").values_list("issued_at", flat=True).first()
    guard.save(update_fields=["tries_used", "last_try_at"])
