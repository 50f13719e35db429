"""Starting a claim, withdrawing it, appealing."""

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone

from accounts.models import Member, Specialty, User
from sermo.background import nudge
from sermo.crypto import keyed_hash
from sermo.errors import RuleBroken
from verification import licenses, registry, rules
from verification import npi as npis
from verification.models import Challenge, Claim, Decision, Dispute, Provider
from verification.models.claims import TRIES, State
from verification.names import PersonName
from verification.options import FEWEST_QUESTIONS
from verification.services import events, queue, states, switch

DOUBTS = {
    "no_match": "Nobody in the registry fits what was typed",
    "many": "Several people in the registry fit",
    "resident": "The registry has a resident",
    "no_license": "The registry has no license in that state",
    "license_differs": "The typed license number is not the one in the registry",
    "conflict": "The registry has two records that disagree",
    "deactivated": "The NPI is deactivated",
    "degree": "The degree differs from the registry's",
    "name": "The name is close to the registry's, not equal",
    "few_facts": "Too few facts for the questions",
    "questions_off": "The questions were switched off",
    "questions_failed": "The questions were not all answered right",
    "account_tries": "The account had used its tries",
    "identity_tries": "The tries for this person were used up, or used lately by another account",
    "skipped": "The applicant chose documents",
    "probing": "The account claimed this person over and over, each time otherwise",
    "changed": "State or number were typed otherwise after the questions had been seen",
    "crowded": "Several accounts claim this person at once",
    "renamed": "The registry has another name by now than our file of it",
    "appeal": "Appeal against a rejection",
    "unlocked": "Was locked, and unlocked by staff",
    "gone": "The registry has no record of this NPI any more",
    "excluded": "The exclusion list has this NPI",
    "namesake": "The exclusion list has somebody of this name and state",
    "expired": "The board lists the license as expired",
    "status": "The board's word on the license is not plainly good",
    "discipline": "The board has disciplinary marks",
    "standing": "The account's membership was ended",
    "mailbox": "The mail address of the code has proven somebody else, too",
    "mailbox_name": "The mail address of the code does not show the name",
    "refused": "The rules of an approval refuse it",
    "asked": "A reviewer had decided about this or an earlier claim of the account before the code was right",
    "contested": "Another account was refused with this license, or lost it",
    "objected": "Somebody who was told of a verification with this license answered: this was not me",
    "voucher_failed": "Somebody who vouched for it vouched for an impostor, too",
    "new_name": "The registry has another name than when the license was verified",
    "reinstated": "What this was suspended for is on no list any more",
    "license_gone": "The license was looked up and not found at its board",
    "suspension_appeal": "Appeal against a suspension",
    "retiring": "The member has retired and asks to be shown so",
}


class EmailNotConfirmed(RuleBroken):
    message = "Confirm your e-mail address first."


class NoMembership(RuleBroken):
    message = "Your account cannot be verified."


class AlreadyUnderWay(RuleBroken):
    message = "Your verification is under way. Withdraw it to start again."


class RetryLater(RuleBroken):
    message = "A new application can be started 90 days after a rejection."


class NothingToWithdraw(RuleBroken):
    message = "There is nothing to withdraw."


class CannotAppeal(RuleBroken):
    message = "A rejection can be appealed once."


@transaction.atomic
def start_claim(
    *,
    user: User,
    name: PersonName,
    degree: str,
    state: str,
    npi: str = "",
    license_number: str = "",
    specialty: Specialty | None = None,
) -> Claim:
    """Take down who somebody says they are and look for the one physician of the registry they mean.

    The claim comes back `matched` (the questions may start), `needs_review` (people decide, whatever the cause) or
    `locked` (too many different identities). The same data sent twice start one claim; other data replace a claim
    that nobody has acted on yet. Raises EmailNotConfirmed, NoMembership, AlreadyUnderWay, RetryLater.
    """
    states.lock_account(user)
    _check_may_start(user)
    typed = {
        "first": name.first,
        "middle": name.middle,
        "last": name.last,
        "degree": degree,
        "state": state,
        "npi": npi,
        "license_number": license_number,
    }
    match = registry.find_person(name, degree, state, npi=npi or None, license_number=license_number or None)
    provider = match.provider if match.kind == "one" else None
    npi_hash, license_hash = _npi_hash(provider, npi), _license_hash(provider, state, license_number, degree)
    guards = states.lock_hashes(npi_hash, license_hash)
    if same := _replace_unfinished(user, typed):
        return same
    claim = Claim.objects.create(
        user=user,
        npi_hash=npi_hash,
        license_hash=license_hash,
        identity={"typed": typed, "registry": registry.snapshot(provider) if provider else None},
        degree=degree,
        license_state=state,
        specialty=specialty,
        name_score=match.score.score if match.score else None,
        doubts=[*({"none": ["no_match"], "many": ["many"]}.get(match.kind, [])), *match.doubts],
    )
    events.record(kind="started", claim=claim, by=user, to_state=State.DRAFT)
    _have_compared(claim)
    if _identities_of(user) > rules.IDENTITIES_PER_ACCOUNT:
        claim = states.move(
            claim=claim, to=State.LOCKED, as_=states.SYSTEM, reason="identities", queued_at=timezone.now()
        )
        return queue.weigh(claim)
    doubts = _signs_of_probing(claim) or claim.doubts or _reasons_not_to_ask(claim, guards)
    if doubts:
        return to_review(claim, *doubts)
    return states.move(claim=claim, to=State.MATCHED, as_=states.SYSTEM)


def _have_compared(claim: Claim) -> None:
    """Let the registry of today be asked about every new claim, so that the time this takes tells of none."""
    from verification import tasks  # which imports this module

    nudge(tasks.check_freshness, claim.pk)


def _signs_of_probing(claim: Claim) -> list[str]:
    """Whether somebody uses the form to learn what the questions ask: it must not answer often, nor after a try."""
    if claim.npi_hash is None:
        return []
    if len({_what_is_asked(each) for each in _claims_like(claim)}) > rules.CLAIMS_PER_IDENTITY:
        return ["probing"]
    tried = Challenge.objects.filter(claim__in=_claims_like(claim)).select_related("claim").first()
    if tried and _what_is_asked(tried.claim) != _what_is_asked(claim):
        return ["changed"]
    return []


def _claims_like(claim: Claim):
    """All that this account ever claimed of the same person."""
    return Claim.objects.filter(user=claim.user, npi_hash=claim.npi_hash)


def _what_is_asked(claim: Claim) -> tuple[str, str]:
    return claim.license_state, licenses.normal_number(claim.license_state, claim.typed["license_number"])


def _check_may_start(user: User) -> None:
    if not _is_in_good_standing(user):
        raise NoMembership
    if not EmailAddress.objects.filter(user=user, verified=True).exists():
        raise EmailNotConfirmed
    if opens := opens_at(user):
        day = timezone.localdate(opens)
        raise RetryLater(f"A new application can be started from {day:%b} {day.day}, {day:%Y} on.")


def _is_in_good_standing(user: User) -> bool:
    """Whether there is a membership that nobody has ended; of the row, for the account is locked only since."""
    return Member.objects.filter(user=user).exclude(standing=Member.Standing.SUSPENDED).exists()


def opens_at(user: User) -> datetime | None:
    """From when a new claim can be started after a rejection, as long as that is to come."""
    rejected = _last_rejection(user)
    opens = rejected and rejected + timedelta(days=rules.RETRY_DAYS)
    return opens if opens and opens > timezone.now() else None


def _last_rejection(user: User) -> datetime | None:
    """When the account was last refused, also where an appeal has taken the claim out of that state since."""
    refused = (
        Decision.objects.filter(claim__user=user, outcome=Decision.Outcome.REJECT).order_by("-at").first()
    )
    lost = Claim.objects.filter(user=user, state=State.REJECTED).order_by("-decided_at").first()
    return max((each for each in (refused and refused.at, lost and lost.decided_at) if each), default=None)


def _replace_unfinished(user: User, typed: dict) -> Claim | None:
    """The unfinished claim if it says the same; if it says something else, it makes room, or refuses to."""
    claim = Claim.objects.filter(user=user).unfinished().first()
    if claim is None:
        return None
    claim = states.lock(claim)
    if claim.typed == typed:
        return claim
    if not may_correct(claim):
        raise AlreadyUnderWay
    states.move(claim=claim, to=State.WITHDRAWN, as_=states.APPLICANT, by=user, reason="corrected")
    return None


def may_correct(claim: Claim) -> bool:
    """Whether what was typed may still be replaced: no questions asked of a matched claim, nothing sent or vouched."""
    if claim.queued_at or claim.proofs.exists():
        return False
    return claim.state == State.NEEDS_REVIEW or (
        claim.state == State.MATCHED and not claim.challenges.exists()
    )


def hashes_of(
    provider: Provider | None, npi: str, state: str, license_number: str, degree: str
) -> tuple[str | None, str | None]:
    """The keyed hashes of the person and of the license that are claimed, where they are known."""
    return _npi_hash(provider, npi), _license_hash(provider, state, license_number, degree)


def _npi_hash(provider: Provider | None, typed: str) -> str | None:
    number = provider.npi if provider else typed
    return keyed_hash(number, "npi") if npis.is_valid(number) else None


def _license_hash(provider: Provider | None, state: str, typed: str, degree: str) -> str | None:
    """The license a claim is to: the registry's spelling of the typed number, the typed one, or the main one there."""
    known = []
    if provider:
        held = [each for each in provider.licenses() if each.state == state and each.number_key]
        known = [each.number_key for each in sorted(held, key=lambda each: (not each.is_primary, each.slot))]
    meant = licenses.candidate_keys(state, typed)
    number = next((key for key in meant if key in known), None) or next(iter(meant or known), None)
    return keyed_hash(f"{state}|{number}|{degree}", "license") if number else None


def _identities_of(user: User) -> int:
    return len({claim.identity_hash for claim in Claim.objects.filter(user=user).defer("identity")})


def leave_out(claim: Claim) -> frozenset[str]:
    """Facts that are no question, because the account typed them, now or in an earlier claim to the same person."""
    typed = set()
    alike = [claim, *_claims_like(claim).exclude(pk=claim.pk)] if claim.npi_hash else [claim]
    if any(each.typed["license_number"] for each in alike):
        typed.add("license")
    if len({each.license_state for each in alike}) > 1:
        typed |= {"license", "second_license"}
    if claim.specialty_id or (claim.user.as_member and claim.user.as_member.specialty_id):
        typed.add("taxonomy")
    return frozenset(typed)


def _reasons_not_to_ask(claim: Claim, guards) -> list[str]:
    others = Claim.objects.undecided().filter(npi_hash=claim.npi_hash).exclude(pk=claim.pk)
    provider = Provider.objects.get(npi=claim.registry["npi"])
    if others.count() >= rules.PENDING_PER_IDENTITY:
        return ["crowded"]
    if len(registry.facts_of(provider, claim.license_state, leave_out(claim))) < FEWEST_QUESTIONS:
        return ["few_facts"]
    return reasons_against_a_try(claim, guards[claim.npi_hash])


def reasons_against_a_try(claim: Claim, guard) -> list[str]:
    """Why the questions cannot start, other than the applicant's own waiting time. Needs the account and guard locked.

    A try of somebody else in the last 24 hours counts as one of these, since "come back later" would tell of it.
    """
    if not switch.questions_on():
        return ["questions_off"]
    if Challenge.objects.filter(claim__user=claim.user).count() >= TRIES:
        return ["account_tries"]
    if guard.tries_used >= TRIES or _tried_by_another_lately(claim):
        return ["identity_tries"]
    return []


def _tried_by_another_lately(claim: Claim) -> bool:
    since = timezone.now() - timedelta(hours=rules.CHALLENGE_WAIT_HOURS)
    lately = Challenge.objects.filter(claim__npi_hash=claim.npi_hash, issued_at__gt=since)
    return lately.exclude(claim__user=claim.user).exclude(claim__in=Claim.objects.holding()).exists()


def to_review(claim: Claim, *doubts: str, as_: str = states.SYSTEM, by: User | None = None) -> Claim:
    """Leave a claim to people: the applicant goes on with documents, and is not told why."""
    known = [*claim.doubts, *(doubt for doubt in doubts if doubt not in claim.doubts)]
    return states.move(claim=claim, to=State.NEEDS_REVIEW, as_=as_, by=by, reason=doubts[0], doubts=known)


@transaction.atomic
def withdraw(*, user: User) -> Claim:
    """Take back an undecided claim. Raises NothingToWithdraw."""
    claim = Claim.objects.filter(user=user).undecided().first()
    if claim is None:
        raise NothingToWithdraw
    states.lock_hashes(*hashes_to_withdraw(claim))
    claim = states.lock(claim)
    if not claim.is_undecided:
        raise NothingToWithdraw
    from verification.services import challenge  # which imports this module

    challenge.leave_running(claim)
    if claim.state == State.DISPUTED_RIVAL:
        _end_dispute(claim)
    return states.move(claim=claim, to=State.WITHDRAWN, as_=states.APPLICANT, by=user)


def hashes_to_withdraw(claim: Claim) -> list[str | None]:
    """The identities that withdrawing touches: the claim's own, and those of the holders it disputes."""
    holders = Claim.objects.filter(disputes_held__rival_claim=claim, disputes_held__outcome="")
    return [each for party in (claim, *holders) for each in (party.npi_hash, party.license_hash)]


def _end_dispute(rival: Claim) -> None:
    """Give the holder back an undisputed claim, unless another rival remains."""
    open_disputes = Dispute.objects.select_for_update().filter(outcome="")
    for dispute in open_disputes.filter(rival_claim=rival):
        dispute.outcome, dispute.settled_at = Dispute.Outcome.WITHDRAWN, timezone.now()
        dispute.save(update_fields=["outcome", "settled_at"])
        holder = states.lock(dispute.holder_claim)
        if holder.state == State.DISPUTED_HOLDER and not open_disputes.filter(holder_claim=holder).exists():
            holder = states.move(claim=holder, to=State.VERIFIED, as_=states.SYSTEM, reason="rival_withdrew")
            _doubt_again(holder)


def _doubt_again(holder: Claim) -> None:
    """Put what was found out during a dispute before reviewers, since nobody judges it there any more."""
    from verification.services import held  # which imports this module's neighbors

    if not held.SINCE & set(holder.doubts):
        return
    holder = states.move(
        claim=holder,
        to=State.NEEDS_REVIEW_HELD,
        as_=states.SYSTEM,
        reason="rival_withdrew",
        queued_at=timezone.now(),
        decided_at=holder.decided_at,
    )
    queue.weigh(holder)


@transaction.atomic
def appeal(*, user: User, text: str) -> Claim:
    """Ask another reviewer to look at a rejected claim, once, or at a suspension, once for each.

    Whoever was verified and revoked since has nothing left to appeal here: an earlier claim is no way back. Raises
    CannotAppeal, AlreadyUnderWay, and the refusals of `held.appeal`.
    """
    states.lock_account(user)
    if suspended := Claim.objects.filter(user=user, state=State.SUSPENDED).first():
        from verification.services import held  # which imports this module's neighbors

        return held.appeal(claim=suspended, text=text)
    claim = Claim.objects.filter(user=user, state=State.REJECTED).order_by("-decided_at").first()
    if claim is None or claim.appeal is not None or not _is_in_good_standing(user):
        raise CannotAppeal
    if Claim.objects.filter(user=user).unfinished().exists():
        raise AlreadyUnderWay
    states.lock_identity(claim)
    claim = states.move(
        claim=claim,
        to=State.NEEDS_REVIEW,
        as_=states.APPLICANT,
        by=user,
        reason="appeal",
        appeal=text,
        doubts=[*claim.doubts, "appeal"],
        queued_at=timezone.now(),
        decided_at=None,
        rejected_for="",
    )
    return queue.weigh(claim)
