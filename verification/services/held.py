"""Claims that hold a license and are doubted since: doubts, suspensions, appeals, and what reviewers answer.

A fact raises a doubt or suspends once, ever: its event carries a key made of it. So a registry loaded twice changes
nothing, and what a reviewer has judged is not brought before reviewers again.
"""

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from sermo.crypto import keyed_hash
from sermo.errors import RuleBroken
from verification import registry
from verification.models import Claim, Decision, Dispute, Event, Exclusion, Provider
from verification.models.claims import State
from verification.services import events, license_clock, notices, outcome, queue, states
from verification.services.decisions import AlreadyDecided, NotAReviewer, ReasonMissing, is_party
from verification.signals import member_revoked

Outcome, Reason = Decision.Outcome, Decision.Reason

SINCE = {  # doubts that came up after a license was verified; `claims.DOUBTS` has their words
    "gone",
    "deactivated",
    "new_name",
    "namesake",
    "reinstated",
    "license_gone",
    "discipline",
    "objected",
    "voucher_failed",
    "suspension_appeal",
    "retiring",
}
EXCLUDED, LICENSE_ENDED, CONDUCT = "excluded", "license_ended", "conduct"
WATCHED = (  # compared with registries and rosters
    State.VERIFIED,
    State.NEEDS_REVIEW_HELD,
    State.DISPUTED_HOLDER,
    State.LAPSED,
    State.RETIRED,
)
ACTS = {  # what a reviewer may do with a claim in each state
    State.VERIFIED: (Outcome.KEEP, Outcome.RETIRE, Outcome.SUSPEND),
    State.NEEDS_REVIEW_HELD: (Outcome.KEEP, Outcome.ASK, Outcome.SUSPEND, Outcome.REVOKE),
    State.LAPSED: (Outcome.KEEP, Outcome.ASK, Outcome.SUSPEND, Outcome.REVOKE),
    State.SUSPENDED: (Outcome.KEEP, Outcome.ASK, Outcome.REVOKE),
    State.RETIRED: (Outcome.KEEP, Outcome.SUSPEND, Outcome.REVOKE),
}
REASONS = {
    Outcome.KEEP: (Reason.LICENSE_HOLDS, Reason.RECORD_FITS, Reason.DOCUMENT_FITS, Reason.OTHER),
    Outcome.ASK: (Reason.UNREADABLE, Reason.OUTDATED, Reason.MISMATCH, Reason.OTHER),
    Outcome.SUSPEND: (Reason.LICENSE_ENDED, Reason.EXCLUDED, Reason.NO_LICENSE, Reason.MISMATCH),
    Outcome.REVOKE: (Reason.NOT_OWN, Reason.NOT_PHYSICIAN, Reason.LICENSE_ENDED, Reason.EXCLUDED),
    Outcome.RETIRE: (Reason.RETIRED,),
}
FRAUD = (Reason.NOT_OWN, Reason.NOT_PHYSICIAN)  # the license never was theirs: their votes go too
WORDS = {  # of a suspension, as its member reads them
    EXCLUDED: "Your NPI is on the list of people excluded from federal health programs (OIG LEIE).",
    LICENSE_ENDED: "Your board says that your license was suspended, revoked or surrendered.",
    Reason.NO_LICENSE: "A reviewer found no license in force.",
    Reason.MISMATCH: "A reviewer found that your license and the registry do not agree.",
}


class NotForThisState(RuleBroken):
    message = "This cannot be done with the claim as it stands now."


class WrongReason(RuleBroken):
    message = "This reason does not go with that decision."


class AnotherReviewer(RuleBroken):
    message = "You suspended this claim. An appeal is read by another reviewer."


class AlreadySaid(RuleBroken):
    message = "Your opinion stands. A second reviewer must give theirs."


class StillExcluded(RuleBroken):
    message = "This NPI is on the list of exclusions. The license is given back once the list has it no more."


class DateMissing(RuleBroken):
    message = "Write until when the license runs."


class CannotAppeal(RuleBroken):
    message = "A suspension can be appealed once."


class DecidedByModerators(RuleBroken):
    message = "Moderators decided this. The way to appeal stands under decisions about you."


class NothingToRetire(RuleBroken):
    message = "Only a verified license can be shown as retired."


# What registries and rosters say


@transaction.atomic
def raise_doubt(*, claim: Claim, doubt: str, fact: str) -> bool:
    """Put a claim before reviewers for something found out since it was verified; whether that was news.

    A verified claim goes under review, and its member writes on; any other keeps its state. `fact` says in a few
    words what was found: the same one raises no second doubt, also after a reviewer has judged it.
    """
    states.lock_identity(claim)
    claim = states.lock(claim)
    may_be_in = (*WATCHED, State.SUSPENDED) if doubt == "reinstated" else WATCHED
    if claim.state not in may_be_in or not _is_news(claim, doubt, fact):
        return False
    doubts = [*claim.doubts, *([] if doubt in claim.doubts else [doubt])]
    waits_since = claim.queued_at or timezone.now()
    if claim.state == State.VERIFIED and doubt != "retiring":
        states.move(
            claim=claim,
            to=State.NEEDS_REVIEW_HELD,
            as_=states.SYSTEM,
            reason=doubt,
            doubts=doubts,
            queued_at=waits_since,
            decided_at=claim.decided_at,
        )
        queue.weigh(states.lock(claim))
        return True
    claim.doubts = doubts
    if claim.state != State.DISPUTED_HOLDER:  # two reviewers look at that one anyway
        claim.queued_at = waits_since
    claim.save(update_fields=["doubts", "queued_at"])
    queue.weigh(claim)
    return True


@transaction.atomic
def suspend(*, claim: Claim, reason: str, fact: str, by: User | None = None) -> bool:
    """Suspend a claim for what a registry, a roster or staff (`by`) found; whether that was news.

    `fact` as for `raise_doubt`.
    """
    states.lock_identity(claim)
    claim = states.lock(claim)
    if claim.state not in WATCHED or not _is_news(claim, f"suspended {reason}", fact):
        return False
    role = states.REVIEWER if by else states.SYSTEM
    freed = {"asked_for": None, "held_by": None, "held_until": None}
    claim = states.move(claim=claim, to=State.SUSPENDED, as_=role, by=by, reason=reason, **freed)
    if by:
        Decision.objects.create(
            claim=claim,
            reviewer=by,
            outcome=Outcome.SUSPEND,
            reason=reason,
            note="The license was looked up.",
        )
    notices.tell_applicant(claim, "suspended")
    return True


def note_known(*, claim: Claim, about: str, fact: str) -> None:
    """Write down that reviewers had this before them when the claim was verified, so that it is no news later."""
    _is_news(claim, about, fact)


def fact_of_exclusion(row: Exclusion) -> str:
    """What makes one exclusion the same one in the next file."""
    return f"{row.excltype} {row.excluded_on} {row.last_key} {row.first_key} {row.state}"


def is_in_doubt(claim: Claim) -> bool:
    """Whether something found out since a license was verified waits for a reviewer or for its member."""
    return bool((claim.queued_at or claim.asked_for) and SINCE & set(claim.doubts))


def _is_news(claim: Claim, about: str, fact: str) -> bool:
    key = f"{about} {claim.case_number} {keyed_hash(fact, 'recheck')[:32]}"
    if Event.objects.filter(key=key).exists():
        return False
    events.record(kind="found", claim=claim, reason=about.split()[-1], key=key)
    return True


# The member's side


@dataclass(frozen=True)
class Suspension:
    """Why a claim is suspended or revoked, in words, and whether its member may appeal here."""

    words: str
    is_final: bool = False
    by_moderators: bool = False
    may_appeal: bool = False
    is_appealed: bool = False


def suspension_of(claim: Claim) -> Suspension:
    reason = _reason_of(claim)
    if reason == CONDUCT:
        return Suspension("", is_final=claim.state == State.REVOKED, by_moderators=True)
    words = WORDS.get(reason) or f"{_label(reason)}."
    if claim.state == State.REVOKED:
        return Suspension(words, is_final=True)
    is_appealed = _is_appealed(claim)
    return Suspension(words, may_appeal=not is_appealed, is_appealed=is_appealed)


def is_for_license(claim: Claim) -> bool:
    """Whether a claim is suspended for what its board said of the license."""
    return claim.state == State.SUSPENDED and _reason_of(claim) == LICENSE_ENDED


def is_for_exclusion(claim: Claim) -> bool:
    """Whether a claim is suspended for an exclusion from federal programs."""
    return claim.state == State.SUSPENDED and _reason_of(claim) == EXCLUDED


def _label(reason: str) -> str:
    if reason == "dispute_lost":
        return "Two reviewers compared the claims to this license, and found for the other person"
    return Reason(reason).label if reason in Reason.values else "A reviewer decided it"


def _reason_of(claim: Claim) -> str:
    if claim.case_events is not None:
        moves = [each for each in claim.case_events if each.kind == "state" and each.to_state == claim.state]
        return moves[-1].reason if moves else ""
    moves = Event.objects.filter(kind="state", case_number=claim.case_number, to_state=claim.state)
    return moves.order_by("-pk").values_list("reason", flat=True).first() or ""


@transaction.atomic
def appeal(*, claim: Claim, text: str) -> Claim:
    """Ask a reviewer to look at a suspension, once for each. Whoever suspended it does not read it.

    Raises CannotAppeal, DecidedByModerators.
    """
    states.lock_account(claim.user)
    states.lock_identity(claim)
    claim = states.lock(claim)
    if claim.state != State.SUSPENDED:
        raise CannotAppeal
    if _reason_of(claim) == CONDUCT:
        raise DecidedByModerators
    if _is_appealed(claim):
        raise CannotAppeal
    events.record(kind="appealed", claim=claim, by=claim.user, reason="suspension", key=_appeal_key(claim))
    claim.appeal, claim.asked_for = text, None
    claim.doubts = [*claim.doubts, *([] if "suspension_appeal" in claim.doubts else ["suspension_appeal"])]
    claim.queued_at = claim.queued_at or timezone.now()
    claim.save(update_fields=["appeal", "asked_for", "doubts", "queued_at"])
    return queue.weigh(claim)


def _is_appealed(claim: Claim) -> bool:
    if claim.case_events is not None:
        return any(each.key == _appeal_key(claim) for each in claim.case_events)
    return Event.objects.filter(key=_appeal_key(claim)).exists()


def _appeal_key(claim: Claim) -> str:
    return f"suspension_appeal {claim.case_number} {claim.state_at:%Y%m%dT%H%M%S%f}"


@transaction.atomic
def ask_to_retire(*, user: User) -> Claim:
    """A member has retired and wants to be shown so: staff do it. Asking twice is one. Raises NothingToRetire."""
    claim = Claim.objects.filter(user=user, state=State.VERIFIED).first()
    if claim is None:
        raise NothingToRetire
    raise_doubt(claim=claim, doubt="retiring", fact=f"{timezone.localdate():%Y-%m}")
    return states.lock(claim)


# The reviewer's side


@transaction.atomic
def answer(
    *,
    claim: Claim,
    by: User,
    act: str,
    reason: str,
    note: str,
    message: str = "",
    expires_on: date | None = None,
    exclusion_checked: bool = False,
) -> Claim:
    """What a reviewer decides about a claim that holds a license: one of ACTS, for one of REASONS.

    Keep gives a claim under review, a lapsed or a suspended one back as verified, and takes the registry's record
    anew; a lapsed one needs the day until which its license runs. Revoking takes two reviewers of one mind on whether
    it was a fraud: the first opinion waits for the second, and any other answer ends it. Raises what `check` raises.
    """
    states.lock_identity(claim)
    claim = states.lock(claim)
    check(
        claim=claim,
        by=by,
        act=act,
        reason=reason,
        note=note,
        message=message,
        expires_on=expires_on,
        exclusion_checked=exclusion_checked,
    )
    Decision.objects.create(claim=claim, reviewer=by, outcome=act, reason=reason, note=note.strip())
    queue.end_hold(claim)
    if act == Outcome.ASK:
        return _ask(claim, by, reason, message)
    if act == Outcome.REVOKE and not _is_second(claim, by, reason):
        return _wait_for_second(claim, by)
    if act == Outcome.KEEP:
        return _keep(claim, by, reason, expires_on)
    to = {Outcome.SUSPEND: State.SUSPENDED, Outcome.REVOKE: State.REVOKED, Outcome.RETIRE: State.RETIRED}[act]
    doubts = [doubt for doubt in claim.doubts if doubt not in SINCE]
    claim = states.move(
        claim=claim,
        to=to,
        as_=states.REVIEWER,
        by=by,
        reason=reason,
        doubts=doubts,
        asked_for=None,
        is_ahead=False,
        held_by=None,
        held_until=None,
    )
    if act == Outcome.REVOKE and reason in FRAUD:
        member_revoked.send(sender=Claim, member=claim.user.as_member, claim=claim)
    _tell(claim, act)
    return claim


def check_reader(claim: Claim, by: User) -> None:
    """Raises NotAReviewer, AlreadyDecided, DecidedByModerators, AnotherReviewer, queue.HeldByAnother."""
    if not by.has_perm("verification.decide_claim") or is_party(by, claim):
        raise NotAReviewer
    if claim.state not in ACTS:
        raise AlreadyDecided
    if claim.state == State.SUSPENDED and _reason_of(claim) == CONDUCT:
        raise DecidedByModerators("Moderators suspended this member, and they alone give it back.")
    own = {each.outcome for each in claim.decisions.all() if each.reviewer_id == by.pk}
    if "suspension_appeal" in claim.doubts and Outcome.SUSPEND in own:
        raise AnotherReviewer
    queue.check_not_held(claim, by)


def check(
    *,
    claim: Claim,
    by: User,
    act: str,
    reason: str,
    note: str,
    message: str = "",
    expires_on: date | None = None,
    exclusion_checked: bool = False,
) -> None:
    """Whether an answer could be given now; writes nothing.

    Raises what `check_reader` raises, NotForThisState, WrongReason, ReasonMissing, AlreadySaid, StillExcluded,
    outcome.ExclusionNotChecked, DateMissing, license_clock.Expired and license_clock.TooLate.
    """
    check_reader(claim, by)
    if act not in ACTS[claim.state]:
        raise NotForThisState
    if reason not in REASONS[act]:
        raise WrongReason
    if not note.strip():
        raise ReasonMissing
    if act == Outcome.ASK and not message.strip():
        raise ReasonMissing("Write what the member should send.")
    if act == Outcome.REVOKE and any(each.reviewer_id == by.pk for each in opinions_on(claim)):
        raise AlreadySaid
    if act == Outcome.KEEP:
        _check_may_keep(claim, expires_on, exclusion_checked)


def what_follows(claim: Claim, *, by: User, act: str, reason: str) -> list[str]:
    """What an answer would bring about, in sentences, as things stand."""
    ends = ["It ends the opinion that this claim should be revoked."] if opinions_on(claim) else []
    if act == Outcome.ASK:
        return [
            "The member reads your words on their page, and gets a mail without them.",
            "The claim leaves the queue until they answer.",
            *ends,
        ]
    if act == Outcome.SUSPEND:
        return [
            "The member is suspended and logged out everywhere at once.",
            "They read the reason, get a mail without it, and can appeal once, to another reviewer.",
            *ends,
        ]
    if act == Outcome.RETIRE:
        return ["The member is shown as retired, writes on, and gets a mail."]
    if act == Outcome.REVOKE and not _is_second(claim, by, reason):
        return ["Your opinion is kept, and the claim waits for a second reviewer. Nothing changes yet."]
    if act == Outcome.REVOKE:
        fraud = "Votes they gave and vouches they got are looked at again, since it was a fraud."
        return [
            "A second reviewer said the same, so the claim is revoked for good.",
            "The member is logged out everywhere at once, and gets a mail.",
            *([fraud] if reason in FRAUD else []),
        ]
    return [_WHAT_KEEPING_DOES[claim.state], *ends]


_WHAT_KEEPING_DOES = {
    State.VERIFIED: "The license stays verified, and what was doubted is settled. No mail is sent.",
    State.NEEDS_REVIEW_HELD: "The license is verified without a doubt again. No mail is sent.",
    State.RETIRED: "The member stays retired, and what was doubted is settled. No mail is sent.",
    State.LAPSED: "The license is verified again at once. The member can write, and gets a mail.",
    State.SUSPENDED: "The suspension ends at once. The member can log in and write, and gets a mail.",
}


def _check_may_keep(claim: Claim, expires_on: date | None, exclusion_checked: bool) -> None:
    verdict = outcome.exclusions_of(claim).verdict
    if verdict == "definite":
        raise StillExcluded
    if verdict and not exclusion_checked:
        raise outcome.ExclusionNotChecked
    if claim.state == State.LAPSED and expires_on is None:
        raise DateMissing
    if expires_on is not None:
        license_clock.check_date(expires_on)


def opinions_on(claim: Claim) -> list[Decision]:
    """The opinions that this claim should be revoked, since it came into its state or was last answered otherwise."""
    past = list(claim.decisions.all())
    since = max([each.at for each in past if each.outcome != Outcome.REVOKE], default=claim.state_at)
    since = max(since, claim.state_at)
    return [each for each in past if each.outcome == Outcome.REVOKE and each.at >= since]


def _is_second(claim: Claim, by: User, reason: str) -> bool:
    """Whether another reviewer said the same: that it was a fraud, or that it was none."""
    others = [each for each in opinions_on(claim) if each.reviewer_id != by.pk]
    return any((each.reason in FRAUD) == (reason in FRAUD) for each in others)


def _wait_for_second(claim: Claim, by: User) -> Claim:
    events.record(kind="revoking_proposed", claim=claim, by=by)
    claim.queued_at = claim.queued_at or timezone.now()
    claim.save(update_fields=["queued_at"])
    return claim


def _ask(claim: Claim, by: User, reason: str, message: str) -> Claim:
    events.record(kind="asked_for_more", claim=claim, by=by, reason=reason)
    claim.asked_for, claim.queued_at = message.strip(), None
    claim.save(update_fields=["asked_for", "queued_at"])
    notices.tell_applicant(claim, "asked")
    return claim


def _keep(claim: Claim, by: User, reason: str, expires_on: date | None) -> Claim:
    was = claim.state
    claim.doubts = [doubt for doubt in claim.doubts if doubt not in SINCE]
    claim.asked_for = claim.queued_at = claim.held_by = claim.held_until = None
    claim.is_ahead, claim.decided_at = False, timezone.now()
    claim.identity = {**claim.identity, "registry": _record_now(claim)}
    answered = ["doubts", "asked_for", "queued_at", "decided_at", "is_ahead", "held_by", "held_until"]
    claim.save(update_fields=[*answered, "identity"])
    queue.weigh(claim)
    if was in (State.RETIRED, State.VERIFIED):
        events.record(kind="kept", claim=claim, by=by, reason=reason)
        return claim
    claim = states.move(claim=claim, to=State.VERIFIED, as_=states.REVIEWER, by=by, reason=reason)
    if expires_on or reason in (Reason.LICENSE_HOLDS, Reason.DOCUMENT_FITS):
        is_document = reason == Reason.DOCUMENT_FITS
        claim = license_clock.note_look(
            claim=claim,
            source="document" if is_document else "reviewer",
            finding="in_force",
            expires_on=expires_on,
            by=by,
        )
    if Dispute.objects.filter(holder_claim=claim, outcome="").exists():
        claim = states.move(
            claim=claim, to=State.DISPUTED_HOLDER, as_=states.SYSTEM, by=by, reason="dispute_open"
        )
    if was == State.SUSPENDED:
        notices.tell_applicant(claim, "restored")
    elif was == State.LAPSED:
        notices.tell_applicant(claim, "renewed")
    return claim


def _record_now(claim: Claim) -> dict | None:
    """The registry's record as it is today, where it still has one; what a reviewer judged is the new yardstick."""
    if claim.registry is None:
        return None
    provider = Provider.objects.filter(pk=claim.registry["npi"]).first()
    return registry.snapshot(provider) if provider and provider.last_name else claim.registry


def _tell(claim: Claim, act: str) -> None:
    if act == Outcome.SUSPEND:
        notices.tell_applicant(claim, "suspended")
    elif act == Outcome.REVOKE:
        notices.tell_applicant(claim, "ended")
    else:
        notices.tell_applicant(claim, "retired")
