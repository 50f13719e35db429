"""What verification knows of a person: claims, proofs, documents, vouches, and the audit trail."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Q

from accounts.leaving.ledger import HASH, NUMBER, OTHERS, OWNER, SECRET, Entry, Fate, Person, Shown
from accounts.models import Member
from sermo.errors import RuleBroken
from sermo.private_files import delete_files
from verification.models import (
    Challenge,
    ChallengeSwitch,
    Claim,
    Decision,
    Dispute,
    DisputeOpinion,
    Document,
    Event,
    Incident,
    IncidentNote,
    LicenseCheck,
    MailDomain,
    Objection,
    Proof,
    Subject,
    Unmasking,
    Vouch,
    VouchLoss,
)
from verification.models.claims import FINAL, UNDECIDED, State
from verification.progress import stage_of
from verification.services import claims, events, proofs, states

ASKS_BACK = "would tell what the next try of the questions asks"
REVIEW = "a reviewer's own work"
STAFF = "of the site, not of you"
PROVEN_TO_BE_SHOWN = (State.VERIFIED, State.LAPSED, State.RETIRED)
ON_RECORD = (  # who did it stays, so none of them leaves, former staff either
    (Decision, "reviewer"),
    (Decision, "first_reviewer"),
    (DisputeOpinion, "reviewer"),
    (LicenseCheck, "by"),
    (LicenseCheck, "looked_by"),
    (Unmasking, "asked_by"),
    (Unmasking, "decided_by"),
    (MailDomain, "reviewed_by"),
    (ChallengeSwitch, "by"),
    (Incident, "opened_by"),
    (IncidentNote, "by"),
)
UNDER_DECISION = (State.LOCKED, State.SUSPENDED, State.DISPUTED_HOLDER, State.NEEDS_REVIEW_HELD)
ENDED = (Decision.Outcome.SUSPEND, Decision.Outcome.REVOKE)
TOLD = (Decision.Outcome.REJECT, Decision.Outcome.ASK, Decision.Outcome.KEEP, Decision.Outcome.RETIRE, *ENDED)


class WithAReviewer(RuleBroken):
    message = (
        "Your verification is with a reviewer. You can close your account once it is decided, "
        "or after you have withdrawn it."
    )


class DecidedForOthers(RuleBroken):
    message = (
        "You worked on other people's verification or privacy, and who did what stays on record. "
        "Write to the operator, who can end this account."
    )


class UnderDecision(RuleBroken):
    message = (
        "Something about your license or your account is being decided. You can close your account afterwards. "
        "Until then you can export your data."
    )


def lock(person: Person) -> None:
    """The account, the identities it claims, the claims, the chain: in the order of all verification services.

    The chain comes before the member, as it does where moderators act; ending the claims needs it anyway.
    """
    states.lock_account(person.user)
    own = Claim.objects.filter(user=person.user)
    states.lock_hashes(*(each for pair in own.values_list("npi_hash", "license_hash") for each in pair))
    list(own.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
    events.lock_chain()


def check_may_leave(person: Person) -> None:
    """Nobody leaves a question of identity behind. What one disputes reads like any other claim in review.

    Somebody whose verification was revoked may leave: there is nothing more to decide.
    Raises DecidedForOthers, WithAReviewer, UnderDecision.
    """
    first, *others = (
        model.objects.filter(**{name: person.user}).order_by().values("pk") for model, name in ON_RECORD
    )
    if first.union(*others).exists():
        raise DecidedForOthers
    parties = Q(holder_claim=OuterRef("pk")) | Q(rival_claim=OuterRef("pk"))
    disputed = Exists(Dispute.objects.filter(parties, outcome=""))
    own = Claim.objects.filter(user=person.user).annotate(is_disputed=disputed)
    claims_of = list(own.values_list("state", "queued_at", "is_disputed"))
    if person.member and person.member.standing == Member.Standing.SUSPENDED and not _is_over(claims_of):
        raise UnderDecision
    for state, queued_at, is_disputed in claims_of:
        if state in UNDECIDED and (queued_at or is_disputed):
            raise WithAReviewer
        if state in UNDER_DECISION or is_disputed:
            raise UnderDecision


def _is_over(claims_of) -> bool:
    """Whether a license was revoked and nothing of the person waits any more."""
    reached = {state for state, *_ in claims_of}
    return State.REVOKED in reached and reached <= set(FINAL)


# Erasers, in the order of ERASERS


def end_claims(person: Person) -> None:
    """Withdraw what is undecided and give up what is held, so that the identity is free to be verified anew.

    The tries that led to a held claim are not counted against its identity, and go with it. Others stay.
    """
    own = Claim.objects.filter(user=person.user)
    if own.undecided().exists():
        claims.withdraw(user=person.user)
    for claim in own.holding():
        claim.challenges.all().delete()
        states.move(claim=claim, to=State.LEFT, as_=states.APPLICANT, by=person.user)


def erase_documents(person: Person) -> None:
    """Rows at once, files once the transaction stands."""
    found = Document.objects.filter(proof__claim__user=person.user)
    delete_files(name for document in found for name in proofs.page_names(document))
    found.delete()


def erase_vouches(person: Person) -> None:
    """Given and received: each names two people."""
    Vouch.objects.filter(Q(voucher=person.user) | Q(claimant=person.user)).delete()
    VouchLoss.objects.filter(voucher=person.user).delete()


def erase_proofs(person: Person) -> None:
    Proof.objects.filter(claim__user=person.user).delete()


def erase_checks(person: Person) -> None:
    LicenseCheck.objects.filter(claim__user=person.user).delete()


def erase_objections(person: Person) -> None:
    Objection.objects.filter(claim__user=person.user).delete()


def empty_unmaskings(person: Person) -> None:
    """That a name was seen, by whom and on what ground stays; what was written about the person does not."""
    Unmasking.objects.filter(member=person.member).update(reason=None, why=None, reference=None)


def empty_challenges(person: Person) -> None:
    """That a try was made stays, since there are two for an identity ever; what was asked does not."""
    Challenge.objects.filter(claim__user=person.user).update(sheet=[], facts=[])


def empty_decisions(person: Person) -> None:
    """Who decided what and when stays; what was written about the person does not."""
    Decision.objects.filter(claim__user=person.user).update(note="")
    about = Q(dispute__holder_claim__user=person.user) | Q(dispute__rival_claim__user=person.user)
    opinions = DisputeOpinion.objects.filter(about).values_list("pk", flat=True)
    DisputeOpinion.objects.filter(pk__in=list(opinions)).update(note="")


def sever_claims(person: Person) -> None:
    """Leave case number, hashes, state and moments, of nobody."""
    nothing = dict.fromkeys(("first", "middle", "last", "degree", "state", "npi", "license_number"), "")
    Claim.objects.filter(user=person.user).update(
        user=None,
        identity={"typed": nothing, "registry": None},
        degree="",
        license_state="",
        specialty=None,
        name_score=None,
        doubts=[],
        level=0,
        method="",
        asked_for=None,
        appeal=None,
        verified_at=None,
        license_expires_on=None,
        status_checked_at=None,
        status_source="",
        risk=0,
        is_ahead=False,
        held_by=None,
        held_until=None,
        first_approval=None,
    )


def sever_subject(person: Person) -> None:
    """From here on the audit trail names nobody. It must run after all that writes into it."""
    Subject.objects.filter(user=person.user).delete()


ERASERS = (
    end_claims,
    erase_documents,
    erase_vouches,
    erase_proofs,
    erase_checks,
    erase_objections,
    empty_challenges,
    empty_decisions,
    empty_unmaskings,
    sever_claims,
    sever_subject,
)


# Export


def files(person: Person) -> Iterator[tuple[str, list[bytes]]]:
    """The pages of documents whose files are still kept, as they were drawn."""
    kept = Document.objects.filter(proof__claim__user=person.user, deleted_at=None)
    for number, document in enumerate(kept.order_by("pk"), start=1):
        try:
            for page, jpeg in enumerate(proofs.pages_of(document), start=1):
                yield f"documents/{number}-{document.sort}-page-{page}.jpg", [jpeg]
        except FileNotFoundError:  # purged since
            continue


def decisions_told(person: Person):
    return Decision.objects.filter(claim__user=person.user, outcome__in=TOLD)


def unmaskings_told(person: Person):
    """What a court forbids to tell is not exported either."""
    return Unmasking.objects.filter(member=person.member, told_at__isnull=False)


def own_acts(person: Person):
    return Event.objects.filter(actor__in=Subject.objects.filter(user=person.user).values("pk"))


def _stage(claim):
    return "withdrawn" if claim.state == State.WITHDRAWN else stage_of(claim)


def _registry(claim):
    """The registry's record once the person was proven to be that physician; before, it holds the answers."""
    return claim.registry if claim.state in PROVEN_TO_BE_SHOWN else None


def _reason(decision):
    is_told = decision.outcome in (Decision.Outcome.REJECT, *ENDED)
    return decision.get_reason_display() if is_told else None


def _rejected_for(claim):
    return Decision.Reason(claim.rejected_for).label if claim.rejected_for else None


def _case_number(row):
    return row.claim.case_number


ENTRIES = (
    Entry(
        "verification.Claim",
        "Claims to a license",
        Fate.SEVERED,
        "Case number, keyed hashes and moments stay for the audit; what you typed and the registry's record go. "
        "Your license can be verified again.",
        path="user",
        load=("specialty",),
        shown=(
            "case_number",
            Shown("identity", "typed", lambda claim: claim.typed),
            Shown("", "registry", _registry),
            "degree",
            "license_state",
            Shown("specialty", "specialty", lambda claim: claim.specialty and claim.specialty.name),
            Shown("state", "stage", _stage),
            "started_at",
            Shown("queued_at", "waiting_since", lambda claim: claim.queued_at),
            "asked_for",
            "appeal",
            "verified_at",
            "decided_at",
            "method",
            "level",
            Shown("rejected_for", "rejected_for", _rejected_for),
            "license_expires_on",
            "status_checked_at",
            "status_source",
        ),
        withheld={
            "id": NUMBER,
            "user": OWNER,
            "npi_hash": HASH,
            "license_hash": HASH,
            "name_score": "would tell how to pass the comparison",
            "doubts": "would tell how to pass the comparison",
            "state_at": REVIEW,
            "risk": REVIEW,
            "is_ahead": REVIEW,
            "held_by": OTHERS,
            "held_until": REVIEW,
            "first_approval": REVIEW,
        },
        eraser=sever_claims,
    ),
    Entry(
        "verification.Challenge",
        "Tries of the questions",
        Fate.ANONYMIZED,
        "There are two for an identity, ever: that a try was made stays, what was asked goes.",
        path="claim__user",
        load=("claim",),
        shown=(
            Shown("claim", "case_number", _case_number),
            "number",
            "issued_at",
            "verdict",
            "finished_at",
        ),
        withheld={
            "id": NUMBER,
            "facts": ASKS_BACK,
            "sheet": "holds the right answers",
            "position": ASKS_BACK,
            "asked_at": "the clock of one question",
        },
        eraser=empty_challenges,
    ),
    Entry(
        "verification.Proof",
        "Ways of proving a license",
        Fate.DELETED,
        "With the links that colleagues could vouch through.",
        path="claim__user",
        load=("claim",),
        shown=(
            Shown("claim", "case_number", _case_number),
            "kind",
            "target_masked",
            "tries",
            "sent",
            "started_at",
            "sent_at",
            "expires_at",
            "checked_at",
            "ok_at",
        ),
        withheld={
            "id": NUMBER,
            "code": SECRET,
            "code_hash": HASH,
            "target": "the registry's number, or the address that you typed, of which you read the end",
            "domain": "the end of that address",
        },
        eraser=erase_proofs,
    ),
    Entry(
        "verification.Document",
        "Documents you sent",
        Fate.DELETED,
        "Rows and files.",
        path="proof__claim__user",
        load=("proof__claim",),
        shown=(
            Shown("proof", "case_number", lambda document: document.proof.claim.case_number),
            "sort",
            "sha256",
            "size",
            "pages",
            "uploaded_at",
            "deleted_at",
        ),
        withheld={"id": NUMBER, "key": "the name of the file, which is in this export while it is kept"},
        eraser=erase_documents,
    ),
    Entry(
        "verification.Vouch",
        "Colleagues you vouched for",
        Fate.DELETED,
        "Also what colleagues wrote for you.",
        path="voucher",
        shown=("relation", "statement", "signed_at"),
        withheld={"id": NUMBER, "claim": OTHERS, "claimant": OTHERS, "voucher": OWNER},
        eraser=erase_vouches,
    ),
    Entry(
        "verification.Decision",
        "Decisions on your claims",
        Fate.ANONYMIZED,
        "That a reviewer decided stays; what was written about you goes.",
        find=decisions_told,
        load=("claim",),
        shown=(
            Shown("claim", "case_number", _case_number),
            "outcome",
            Shown("reason", "reason", _reason),
            "at",
        ),
        withheld={
            "id": NUMBER,
            "reviewer": OTHERS,
            "note": REVIEW,
            "waited": REVIEW,
            "first_reviewer": OTHERS,
        },
        eraser=empty_decisions,
    ),
    Entry(
        "verification.Dispute",
        "Disputes of your license",
        Fate.KEPT,
        "It stands between two case numbers.",
        path="holder_claim__user",
        load=("holder_claim",),
        shown=(
            Shown("holder_claim", "case_number", lambda dispute: dispute.holder_claim.case_number),
            "opened_at",
            "due_at",
            "settled_at",
        ),
        withheld={"id": NUMBER, "rival_claim": OTHERS, "outcome": "tells of the other side"},
    ),
    Entry(
        "verification.DisputeOpinion",
        "Reviewers' opinions in disputes",
        Fate.ANONYMIZED,
        "The side taken stays, the words go.",
        withheld={
            "id": NUMBER,
            "dispute": NUMBER,
            "reviewer": OTHERS,
            "side": REVIEW,
            "note": REVIEW,
            "at": REVIEW,
        },
        eraser=empty_decisions,
    ),
    Entry(
        "verification.Subject",
        "Your random number in the audit trail",
        Fate.DELETED,
        "This is the cut: what the trail says of the number, it says of nobody.",
        withheld={"id": "a random number that opens nothing", "user": OWNER},
        eraser=sever_subject,
    ),
    Entry(
        "verification.Event",
        "The audit trail",
        Fate.SEVERED,
        "It cannot be changed, names people by random numbers alone, and the table that knew yours is emptied.",
        find=own_acts,
        shown=("at", "kind"),
        withheld={
            "id": NUMBER,
            "case_number": OTHERS,
            "subject": OTHERS,
            "actor": OWNER,
            "from_state": REVIEW,
            "to_state": REVIEW,
            "reason": REVIEW,
            "evidence": REVIEW,
            "address_hash": HASH,
            "object": "the number of a post or tag",
            "key": OTHERS,
            "prev_hash": HASH,
            "hash": HASH,
        },
        eraser=sever_subject,
    ),
    Entry(
        "verification.VouchLoss",
        "What vouching for an impostor cost you",
        Fate.DELETED,
        "All of it goes.",
        path="voucher",
        shown=("at", "taken_back_at"),
        withheld={"id": NUMBER, "claim": OTHERS, "voucher": OWNER},
        eraser=erase_vouches,
    ),
    Entry(
        "verification.LicenseCheck",
        "Looks at whether your license is in force",
        Fate.DELETED,
        "All of it goes.",
        path="claim__user",
        load=("claim",),
        shown=(
            Shown("claim", "case_number", _case_number),
            "source",
            "finding",
            "status",
            "expires_on",
            "as_of",
            "at",
        ),
        withheld={
            "id": NUMBER,
            "by": OTHERS,
            "note": REVIEW,
            "wants_look": REVIEW,
            "looked_at": REVIEW,
            "looked_by": OTHERS,
        },
        eraser=erase_checks,
    ),
    Entry(
        "verification.Objection",
        "Messages that asked whether it was you",
        Fate.DELETED,
        "All of it goes.",
        path="claim__user",
        load=("claim",),
        shown=(Shown("claim", "case_number", _case_number), "way", "sent_at"),
        withheld={"id": NUMBER, "code_hash": HASH, "words": OTHERS, "objected_at": OTHERS},
        eraser=erase_objections,
    ),
    Entry(
        "verification.Unmasking",
        "That staff saw the name behind your handle",
        Fate.ANONYMIZED,
        "Who saw it, when and on what ground stays; what was written about you goes.",
        find=unmaskings_told,
        shown=("basis", "asked_at", "decided_at", "is_granted", "seen_at", "told_at"),
        withheld={
            "id": NUMBER,
            "member": OWNER,
            "reason": REVIEW,
            "reference": REVIEW,
            "asked_by": OTHERS,
            "barred_until": REVIEW,
            "decided_by": OTHERS,
            "end": REVIEW,
            "ended_at": REVIEW,
            "why": REVIEW,
            "open_until": REVIEW,
            "tell_on": REVIEW,
        },
        eraser=empty_unmaskings,
    ),
    Entry(
        "verification.MailDomain",
        "Mail domains of institutions",
        Fate.KEPT,
        "They name no person. Who reviewed one stays with it, for the record.",
        withheld={
            "id": NUMBER,
            "name": STAFF,
            "institution": STAFF,
            "sort": STAFF,
            "state": STAFF,
            "note": STAFF,
            "asked_on": STAFF,
            "reviewed_at": STAFF,
            "reviewed_by": OTHERS,
        },
    ),
    Entry(
        "verification.ChallengeSwitch",
        "Turning the questions on and off",
        Fate.KEPT,
        "It says what the site did. Which reviewer did it stays for the record.",
        withheld={
            "id": NUMBER,
            "is_on": STAFF,
            "why": STAFF,
            "at": STAFF,
            "by": OTHERS,
        },
    ),
    Entry(
        "verification.Incident",
        "Incidents",
        Fate.KEPT,
        "The law wants the record kept. It names no member.",
        withheld={
            "id": NUMBER,
            "title": STAFF,
            "kind": STAFF,
            "detected_at": STAFF,
            "opened_at": STAFF,
            "contained_at": STAFF,
            "assessed_at": STAFF,
            "verdict": STAFF,
            "affected": STAFF,
            "notified_at": STAFF,
            "closed_at": STAFF,
            "opened_by": OTHERS,
        },
    ),
    Entry(
        "verification.IncidentNote",
        "Notes on incidents",
        Fate.KEPT,
        "The law wants the record kept.",
        withheld={
            "id": NUMBER,
            "incident": STAFF,
            "step": STAFF,
            "text": STAFF,
            "at": STAFF,
            "by": OTHERS,
        },
    ),
    Entry(
        "verification.IdentityGuard",
        "Tries used on a license",
        Fate.SEVERED,
        "Two for an identity, ever, known by a keyed hash and linked to no account.",
        withheld={"identity_hash": HASH, "tries_used": "of an identity, not of you", "last_try_at": OTHERS},
    ),
    Entry(
        "verification.DayCount",
        "Counts of a day",
        Fate.SEVERED,
        "Under keyed hashes; each row is deleted two days later.",
        withheld={"id": NUMBER, "key_hash": HASH, "day": HASH, "count": HASH},
    ),
)
