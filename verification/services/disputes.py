"""Two people proved one identity. The holder is told and has 14 days; two reviewers of one mind settle it."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from sermo.background import each_alone
from sermo.errors import RuleBroken
from verification import rules
from verification.models import Claim, Decision, Dispute, DisputeOpinion, Document, Event, Proof
from verification.models.claims import State
from verification.models.decisions import OPINIONS
from verification.services import events, notices, outcome, queue, states
from verification.signals import member_revoked

Side = DisputeOpinion.Side


class AlreadySettled(RuleBroken):
    message = "This dispute is settled."


class AlreadySaid(RuleBroken):
    message = "Your opinion stands. A second reviewer must give theirs."


class FoundFor(RuleBroken):
    message = "Two reviewers found for the new claim here. It waits until its dispute with the other holder is settled."


class TooEarly(RuleBroken):
    message = (
        "The holder has 14 days to send a document or show an entry in the registry. Before that only the holder's "
        "side can be taken."
    )


class NothingBrought(RuleBroken):
    message = (
        "The new claim has neither a document nor an entry in the registry. A code or colleagues alone take nobody's "
        "license."
    )


class NotForYou(RuleBroken):
    message = "A reviewer who is a party to a claim, or vouched for one, cannot judge it."


class JudgedBefore(RuleBroken):
    message = "You found against this claim before. An appeal is judged by other reviewers."


class ReasonMissing(RuleBroken):
    message = "Write why, in a sentence."


def open_disputes(*, holders: Iterable[Claim], rival: Claim, by: User | None) -> list[Dispute]:
    """Put a proven claim against each that holds its identity, all locked; `by` is None where a last check does.

    They are two where one holds the NPI and another the license number.
    """
    return [_open_dispute(holder, rival, by) for holder in holders]


def _open_dispute(holder: Claim, rival: Claim, by: User | None) -> Dispute:
    now = timezone.now()
    dispute = Dispute.objects.create(
        holder_claim=holder, rival_claim=rival, opened_at=now, due_at=now + timedelta(days=rules.DISPUTE_DAYS)
    )
    states.move(
        claim=rival, to=State.DISPUTED_RIVAL, as_=states.SYSTEM, by=by, reason="identity_held", queued_at=now
    )
    if holder.state == State.VERIFIED:  # one that lapsed stays as it is: a dispute lifts nothing
        states.move(claim=holder, to=State.DISPUTED_HOLDER, as_=states.SYSTEM, by=by, reason="rival_proved")
    notices.tell_applicant(holder, "disputed")
    return dispute


@transaction.atomic
def give_opinion(
    *, dispute: Dispute, by: User, side: str, note: str, exclusion_checked: bool = False
) -> Dispute:
    """One reviewer's view; the second of the same mind settles the dispute.

    A new claim that disputes two holders is rejected as soon as two reviewers find for one of these, and wins once two
    have found for it against each. Raises AlreadySettled, FoundFor, NotForYou, JudgedBefore, AlreadySaid,
    ReasonMissing, queue.HeldByAnother, TooEarly, NothingBrought, and for the rival the refusals of `outcome`: who
    could not be approved cannot win a license either.
    """
    rival = _lock_parties(dispute)
    dispute = Dispute.objects.select_for_update().get(pk=dispute.pk)
    if dispute.outcome:
        raise AlreadySettled
    check_judge(dispute, by)
    queue.check_not_held(rival, by)
    if not note.strip():
        raise ReasonMissing
    check_side(dispute, side, exclusion_checked=exclusion_checked)
    DisputeOpinion.objects.create(dispute=dispute, reviewer=by, side=side, note=note.strip())
    queue.end_hold(rival)
    events.record(kind="dispute_opinion", claim=rival, by=by, reason=side)
    if dispute.opinions.filter(side=side).count() >= OPINIONS:
        _settle(rival, side, by)
    dispute.refresh_from_db()
    return dispute


def _lock_parties(dispute: Dispute) -> Claim:
    """The new claim, locked with all whose identity it disputes or would take, in the order of all locks."""
    rival = dispute.rival_claim
    against = Dispute.objects.unsettled().filter(rival_claim=rival).values("holder_claim")
    held = Claim.objects.of_identity(rival).holding().values("pk")
    parties = Claim.objects.filter(
        Q(pk__in=[rival.pk, dispute.holder_claim_id]) | Q(pk__in=against) | Q(pk__in=held)
    )
    hashes = parties.values_list("npi_hash", "license_hash")
    states.lock_hashes(*(each for pair in hashes for each in pair))
    list(parties.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    return states.lock(rival)


def check_judge(dispute: Dispute, by: User) -> None:
    """Raises NotForYou, JudgedBefore, AlreadySaid, FoundFor."""
    rival = dispute.rival_claim
    if not by.has_perm("verification.decide_claim"):
        raise NotForYou
    if any(is_party(by, claim) for claim in (dispute.holder_claim, rival)):
        raise NotForYou
    if rival.appeal is not None and judged_before(by, rival):
        raise JudgedBefore
    if dispute.opinions.filter(reviewer=by).exists():
        raise AlreadySaid
    if dispute.outcome == "" and not Dispute.objects.undecided().filter(pk=dispute.pk).exists():
        raise FoundFor


def is_party(reviewer: User, claim: Claim) -> bool:
    """Whose claim it is, who holds or claims the same identity, who vouched for it."""
    if claim.user_id == reviewer.pk or any(each.voucher_id == reviewer.pk for each in claim.vouches.all()):
        return True
    if claim.kin is not None:
        return any(each.user_id == reviewer.pk and each.is_to_same(claim) for each in claim.kin)
    return Claim.objects.of_identity(claim).filter(user=reviewer).exists()


def judged_before(reviewer: User, claim: Claim) -> bool:
    """Whether a reviewer turned this claim down, or gave an opinion in a dispute of it that is settled."""
    if claim.decisions.filter(outcome=Decision.Outcome.REJECT, reviewer=reviewer).exists():
        return True
    said = DisputeOpinion.objects.filter(dispute__rival_claim=claim, reviewer=reviewer)
    return said.exclude(dispute__outcome="").exists()


def check_side(dispute: Dispute, side: str, *, exclusion_checked: bool = False) -> None:
    """Raises, for the rival's side alone, TooEarly, NothingBrought, and the refusals of `outcome.check_may_verify`."""
    if side != Side.RIVAL:
        return
    if not _holder_was_heard(dispute):
        raise TooEarly
    if not _has_brought(dispute.rival_claim):
        raise NothingBrought
    outcome.check_may_verify(dispute.rival_claim, exclusion_checked=exclusion_checked)


def what_follows(dispute: Dispute, side: str) -> list[str]:
    """What an opinion for a side would bring about, in sentences."""
    if not dispute.opinions.filter(side=side).exists():
        return ["Your opinion is kept. Nothing changes before a second reviewer is of the same mind."]
    others = others_of(dispute)
    if (
        side == Side.RIVAL
        and Dispute.objects.undecided().filter(pk__in=[each.pk for each in others]).exists()
    ):
        return [
            "A second reviewer said the same, so this is found for the new claim.",
            "It disputes the license of another holder, too. Nothing changes before two reviewers find for it there.",
        ]
    if side == Side.HOLDER:
        return [
            "A second reviewer said the same, so the dispute is settled"
            + (", and so is the other one of the new claim." if others else "."),
            "The verified claim stays. The new claim is rejected, and its applicant reads why and can appeal.",
        ]
    return [
        "A second reviewer said the same, so the dispute is settled.",
        "The verified claim is revoked: that member is suspended and logged out everywhere at once.",
        "The new claim is verified, and its applicant may write.",
    ]


def others_of(dispute: Dispute) -> list[Dispute]:
    """The other unsettled disputes of the same new claim."""
    same = Dispute.objects.unsettled().filter(rival_claim=dispute.rival_claim_id)
    return list(same.exclude(pk=dispute.pk).order_by("pk"))


def _holder_was_heard(dispute: Dispute) -> bool:
    """Whether the holder's days are over, or a document or an entry came from there since the dispute began."""
    if timezone.now() >= dispute.due_at:
        return True
    return _has_brought(dispute.holder_claim, since=dispute.opened_at)


def _has_brought(claim: Claim, since: datetime | None = None) -> bool:
    """Whether there is what a dispute asks of both sides: a document, or an entry in the registry record."""
    documents = Document.objects.filter(proof__claim=claim, deleted_at=None)
    entries = claim.proofs.filter(kind=Proof.Kind.ENDPOINT, ok_at__isnull=False)
    if since:
        documents, entries = documents.filter(uploaded_at__gt=since), entries.filter(ok_at__gt=since)
    return documents.exists() or entries.exists()


def _settle(rival: Claim, side: str, by: User) -> None:
    """Two reviewers took a side in one of a new claim's disputes: reject it, or let it win if it has won them all."""
    if side == Side.HOLDER:
        _holders_stay(rival, by)
        return
    against = Dispute.objects.unsettled().filter(rival_claim=rival)
    known = against.values("holder_claim")
    held_since = Claim.objects.of_identity(rival).holding().exclude(pk__in=known).order_by("pk")
    open_disputes(holders=list(held_since), rival=rival, by=by)
    if not Dispute.objects.undecided().filter(rival_claim=rival).exists():
        _rival_wins(rival, by)


def _end_all(rival: Claim, side: str) -> list[Claim]:
    """Settle all disputes of a new claim; the claims of those it disputed."""
    ended = list(Dispute.objects.unsettled().filter(rival_claim=rival).order_by("holder_claim"))
    Dispute.objects.filter(pk__in=[each.pk for each in ended]).update(outcome=side, settled_at=timezone.now())
    return [states.lock(each.holder_claim) for each in ended]


def _holders_stay(rival: Claim, by: User) -> None:
    reason = Decision.Reason.NOT_OWN
    holders = _end_all(rival, Side.HOLDER)
    states.move(
        claim=rival, to=State.REJECTED, as_=states.REVIEWER, by=by, reason=reason, rejected_for=reason
    )
    notices.tell_applicant(rival, "rejected")
    for holder in holders:
        _holder_stays(holder, by)


def _holder_stays(holder: Claim, by: User) -> None:
    others = Dispute.objects.unsettled().filter(holder_claim=holder)
    if holder.state == State.DISPUTED_HOLDER and not others.exists():
        from verification.services.held import SINCE  # which imports this module by way of `decisions`

        doubts = [
            doubt for doubt in holder.doubts if doubt not in SINCE
        ]  # both reviewers had them before them
        states.move(
            claim=holder, to=State.VERIFIED, as_=states.REVIEWER, by=by, reason="dispute_won", doubts=doubts
        )
        queue.weigh(states.lock(holder))
        notices.tell_applicant(holder, "dispute_won")


def _rival_wins(rival: Claim, by: User) -> None:
    losers = _end_all(rival, Side.RIVAL)
    for loser in losers:
        if loser.state == State.REVOKED:
            continue  # it lost to somebody else before
        loser = states.move(claim=loser, to=State.REVOKED, as_=states.REVIEWER, by=by, reason="dispute_lost")
        member_revoked.send(sender=Claim, member=loser.user.as_member, claim=loser)
        notices.tell_applicant(loser, "revoked")
    rival = outcome.make_verified(rival, as_=states.REVIEWER, by=by, method=outcome.proof_method(rival))
    for loser in losers:
        _inherit_disputes(loser, rival, by)


def _inherit_disputes(loser: Claim, holder: Claim, by: User) -> None:
    """Who else disputed the loser's claim, and means what the new holder has, disputes the new holder's now.

    Whoever meant what only the loser had goes on with that one: it is free once two reviewers have found for them.
    """
    same = Claim.objects.of_identity(holder).values("pk")
    disputing_already = Dispute.objects.unsettled().filter(holder_claim=holder).values("rival_claim")
    theirs = Dispute.objects.unsettled().filter(holder_claim=loser, rival_claim__in=same)
    if theirs.exclude(rival_claim__in=disputing_already).update(holder_claim=holder):
        states.move(
            claim=holder, to=State.DISPUTED_HOLDER, as_=states.SYSTEM, by=by, reason="dispute_inherited"
        )
        notices.tell_applicant(holder, "disputed")


def bring_due(*, now: datetime | None = None) -> int:
    """Put disputes whose days are over at the head of the queue, and remind the reviewers' group of them once a day.

    Says how many are due. Called again on the same day (UTC) it sends nothing.
    """
    now = now or timezone.now()
    due = list(Dispute.objects.filter(outcome="", due_at__lte=now).values_list("pk", flat=True))
    each_alone(lambda pk: _bring_forward(pk, now), due, failed="dispute_not_brought")
    if due:
        _remind(len(due), now)
    return len(due)


@transaction.atomic
def _bring_forward(pk: int, now: datetime) -> bool:
    dispute = Dispute.objects.select_related("rival_claim").get(pk=pk)
    rival = states.lock(dispute.rival_claim)
    if rival.state != State.DISPUTED_RIVAL or (rival.is_ahead and rival.queued_at):
        return False
    rival.is_ahead, rival.queued_at = True, rival.queued_at or now
    rival.save(update_fields=["is_ahead", "queued_at"])
    return True


@transaction.atomic
def _remind(how_many: int, now: datetime) -> None:
    key = f"disputes_due {now:%Y-%m-%d}"
    events.lock_chain()
    if not Event.objects.filter(key=key).exists():
        events.record(kind="disputes_due", key=key)
        notices.tell_reviewers("disputes_due", "admin:verification_dispute_changelist", count=how_many)


def holders_to_warn(*, claim_id: int) -> list[Claim]:
    """The claims that hold the identity of another one, unless their owners were told of that other one already."""
    claim = Claim.objects.get(pk=claim_id)
    if Event.objects.filter(key=_warning_key(claim)).exists():
        return []
    holding = Claim.objects.of_identity(claim).holding().exclude(user=claim.user)
    return list(holding.select_related("user").order_by("pk"))


def note_warned(*, claim_id: int) -> None:
    claim = Claim.objects.select_related("user").get(pk=claim_id)
    events.record(kind="holder_warned", claim=claim, key=_warning_key(claim))


def _warning_key(claim: Claim) -> str:
    return f"holder_warned {claim.case_number}"
