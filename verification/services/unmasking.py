"""Breaking the glass: the name behind a handle, for a reason, by two people, and told to whom it concerns.

One asks, another grants, and only the one who asked reads the name, for an hour. What nobody decides in two weeks
runs out, and its asker may take it back before: a reason that was good once is none for later. Events name the request
and nothing else: beside a case number they would themselves lead from a handle to a claim.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.models import Member, User
from accounts.models.people import Handle
from sermo.background import each_alone
from sermo.errors import RuleBroken
from verification import licenses, rules
from verification.models import Claim, Unmasking
from verification.models.claims import HOLDING, State
from verification.services import events, notices, states

MAY_ASK, MAY_GRANT = "verification.ask_unmasking", "verification.grant_unmasking"
SHORTEST_REASON = 20  # characters
MONTH = timedelta(days=30)
NAMED = (
    *HOLDING,
    State.REVOKED,
)  # a license that turned out not to be theirs is what was claimed under the handle


class NotAllowed(RuleBroken):
    message = "You may not do this."


class NobodyThere(RuleBroken):
    message = "No verified name stands behind this handle."


class NotOneself(RuleBroken):
    message = "Nobody unmasks themselves, or has a part in it."


class TakesTwo(RuleBroken):
    message = "Somebody else must decide on what you asked."


class ReasonMissing(RuleBroken):
    message = f"Write why, in at least {SHORTEST_REASON} characters."


class NumberMissing(RuleBroken):
    message = "Write the file number of the court."


class BarIsForCourts(RuleBroken):
    message = "Only a court can forbid that the member is told."


class BarIsOver(RuleBroken):
    message = "The day until which the court forbids it must be after today."


class AskedAlready(RuleBroken):
    message = "You have asked for this member already. Somebody else must decide first."


class OpenAlready(RuleBroken):
    message = "It was granted to you, and you can still read it."


class AskedTooOften(RuleBroken):
    """The message says how often one may ask."""


class GrantedTooOften(RuleBroken):
    """The message says how often one may grant."""


class DecidedAlready(RuleBroken):
    message = "This was decided already."


class Ended(RuleBroken):
    message = "This request has ended: it was taken back, or nobody decided in time. Ask again if it is still needed."


class NotOpen(RuleBroken):
    message = "The name cannot be read. It must be granted, and then it is open for an hour."


@dataclass(frozen=True)
class Identity:
    """What stands behind a handle. It exists on one page and is kept nowhere."""

    name: str
    degree: str
    license_state: str
    license_number: str
    npi: str
    standing: str  # of the claim, in words

    def __repr__(self):
        return "Identity(...)"  # in no log and on no error page


@dataclass(frozen=True)
class Limits:
    """How often somebody asked and granted in the last 30 days, and how often they may."""

    asked: int
    may_ask: int
    granted: int
    may_grant: int


@transaction.atomic
def ask(
    *,
    handle: str,
    by: User,
    basis: str,
    reason: str,
    reference: str = "",
    barred_until: date | None = None,
) -> Unmasking:
    """Ask for the name behind a handle, present or former. Asked again in the same words, it is the same request.

    `barred_until` is the last day (UTC) on which a court forbids to tell the member. Raises NotAllowed, ReasonMissing,
    NumberMissing, BarIsForCourts, BarIsOver, NobodyThere, NotOneself, AskedAlready, OpenAlready, AskedTooOften.
    """
    if not by.has_perm(MAY_ASK):
        raise NotAllowed
    reason, reference = reason.strip(), reference.strip()
    _check_ground(basis, reason, reference, barred_until)
    member = _member_of(handle)
    _lock_accounts(by, member)
    _check_not_a_party(by, member)
    _claim_of(member)
    own = Unmasking.objects.filter(member=member, asked_by=by, decided_at=None, ended_at=None)
    waiting = own.select_for_update().first()
    if waiting and _is_over(waiting):
        _end(waiting, Unmasking.End.RUN_OUT, None)
    elif waiting:
        if (waiting.basis, waiting.reason, waiting.reference or "") == (basis, reason, reference):
            return waiting
        raise AskedAlready
    if _open().filter(member=member, asked_by=by).exists():
        raise OpenAlready
    if limits_of(by).asked >= rules.UNMASKINGS_ASKED:
        raise AskedTooOften(f"You have asked {rules.UNMASKINGS_ASKED} times in 30 days, which is the most.")
    request = Unmasking.objects.create(
        member=member,
        basis=basis,
        reason=reason,
        reference=reference or None,
        barred_until=barred_until,
        asked_by=by,
    )
    _record("unmasking_asked", request, by)
    return request


@transaction.atomic
def grant(*, request: Unmasking, by: User, why: str) -> Unmasking:
    """Let the one who asked read the name, for an hour. The member is told a week later, or after a court's bar.

    Granted twice by the same person is granted once. Raises NotAllowed, TakesTwo, NotOneself, ReasonMissing,
    DecidedAlready, Ended, NobodyThere, GrantedTooOften.
    """
    request = _to_decide(request, by, why, granted=True)
    if request.decided_at:
        return request
    _claim_of(request.member)
    if limits_of(by).granted >= rules.UNMASKINGS_GRANTED:
        raise GrantedTooOften(
            f"You have granted {rules.UNMASKINGS_GRANTED} times in 30 days, which is the most."
        )
    now = timezone.now()
    request.is_granted, request.open_until = True, now + timedelta(minutes=rules.UNMASKING_MINUTES)
    request.tell_on = _day_to_tell(now, request.barred_until)
    return _decide(request, by, why, "unmasking_granted")


@transaction.atomic
def refuse(*, request: Unmasking, by: User, why: str) -> Unmasking:
    """Turn a request down; its member never hears of it.

    Refused twice by the same person is refused once. Raises NotAllowed, TakesTwo, NotOneself, ReasonMissing,
    DecidedAlready, Ended.
    """
    request = _to_decide(request, by, why, granted=False)
    return request if request.decided_at else _decide(request, by, why, "unmasking_refused")


@transaction.atomic
def withdraw(*, request: Unmasking, by: User) -> Unmasking:
    """Take back what one has asked and nobody has decided; its member never hears of it.

    It still counts among what was asked in 30 days. Taken back twice is taken back once. Raises NotAllowed,
    DecidedAlready, and Ended where its days ran out before.
    """
    if by.pk != request.asked_by_id:
        raise NotAllowed
    _lock_accounts(by, request.member)
    request = _locked(request)
    if request.end == Unmasking.End.WITHDRAWN:
        return request
    if request.decided_at:
        raise DecidedAlready
    if request.ended_at or _is_over(request):
        raise Ended
    return _end(request, Unmasking.End.WITHDRAWN, by)


@transaction.atomic
def read(*, request: Unmasking, by: User) -> Identity:
    """The name, for the one who asked, while it is open. Every look leaves an event.

    Raises NotAllowed, NotOpen, NobodyThere once the member has left.
    """
    _lock_accounts(by, request.member)
    request = _locked(request)
    if by.pk != request.asked_by_id or not by.has_perm(MAY_ASK):
        raise NotAllowed
    now = timezone.now()
    if not request.is_granted or now >= request.open_until:
        raise NotOpen
    claim = _claim_of(request.member)
    if request.seen_at is None:
        request.seen_at = now
        request.save(update_fields=["seen_at"])
    _record("unmasking_seen", request, by)
    return _identity(claim)


def end_due() -> int:
    """End the requests that nobody decided within UNMASKING_WAIT_DAYS days, each once; return how many.

    From that moment none of them can be granted, also before this is called.
    """
    waiting = Unmasking.objects.filter(decided_at=None, ended_at=None, asked_at__lte=_oldest_waiting())
    return each_alone(
        _run_out, waiting.order_by("pk").values_list("pk", flat=True), failed="unmasking_not_ended"
    )


def tell_due() -> int:
    """Tell members of the unmaskings whose day has come, each once; return how many were told.

    Where one cannot be told the others are, and it is tried again on the next day.
    """
    due = Unmasking.objects.filter(is_granted=True, told_at=None, tell_on__lte=_today())
    due = due.filter(member__user__isnull=False).order_by("pk").values_list("pk", flat=True)
    return each_alone(_tell, due, failed="unmasking_not_told")


def forget_words() -> int:
    """Forget why names were asked for, and under which file number, once the record need not say it any more.

    Returns of how many requests.
    """
    return words_of_old(timezone.now()).update(reason=None, why=None, reference=None)


def words_of_old(at: datetime) -> QuerySet[Unmasking]:
    """Requests whose words should be gone at a moment; while a court bars the telling they stay."""
    before = at - timedelta(days=rules.RECORD_KEEP_DAYS)
    refused = Q(is_granted=False, decided_at__lt=before) | Q(ended_at__lt=before)
    waiting = Q(decided_at=None, ended_at=None, asked_at__lt=before)  # which end in days, if the clock runs
    return Unmasking.objects.filter(Q(told_at__lt=before) | refused | waiting, reason__isnull=False)


def limits_of(user: User) -> Limits:
    """What somebody has used in the last 30 days of what they may."""
    since = timezone.now() - MONTH
    return Limits(
        asked=Unmasking.objects.filter(asked_by=user, asked_at__gt=since).count(),
        may_ask=rules.UNMASKINGS_ASKED,
        granted=Unmasking.objects.filter(decided_by=user, is_granted=True, decided_at__gt=since).count(),
        may_grant=rules.UNMASKINGS_GRANTED,
    )


def told_to(member: Member):
    """The unmaskings that a member was told of, the newest first."""
    return Unmasking.objects.filter(member=member, is_granted=True, told_at__isnull=False).order_by(
        "-decided_at", "-pk"
    )


def visible_to(user: User):
    """The requests that somebody at the desk may know of: none about themselves."""
    if not (user.has_perm(MAY_ASK) or user.has_perm(MAY_GRANT)):
        return Unmasking.objects.none()
    return Unmasking.objects.exclude(member__user=user)


def is_open_to(request: Unmasking, user: User) -> bool:
    """Whether somebody can read the name now."""
    return (
        request.is_granted
        and request.asked_by_id == user.pk
        and user.has_perm(MAY_ASK)
        and timezone.now() < request.open_until
    )


def may_decide(request: Unmasking, user: User) -> bool:
    return is_waiting(request) and request.asked_by_id != user.pk and user.has_perm(MAY_GRANT)


def may_withdraw(request: Unmasking, user: User) -> bool:
    return is_waiting(request) and request.asked_by_id == user.pk


def is_waiting(request: Unmasking) -> bool:
    """Whether it can still be decided: nobody did, and its days are not over."""
    return request.is_waiting and not _is_over(request)


def runs_out_at(request: Unmasking) -> datetime:
    """From when a request that nobody has decided is none any more."""
    return request.asked_at + timedelta(days=rules.UNMASKING_WAIT_DAYS)


def _check_ground(basis: str, reason: str, reference: str, barred_until: date | None) -> None:
    if len(reason) < SHORTEST_REASON:
        raise ReasonMissing
    if basis == Unmasking.Basis.COURT and not reference:
        raise NumberMissing
    if barred_until is None:
        return
    if basis != Unmasking.Basis.COURT:
        raise BarIsForCourts
    if barred_until <= _today():
        raise BarIsOver


def _member_of(handle: str) -> Member:
    """Whose handle it is, else whose it last was: a court may quote an old one. Raises NobodyThere."""
    handle = handle.strip().lstrip("@").lower()
    member = Member.objects.filter(handle__lower=handle).first()
    if member is None:
        former = Handle.objects.annotate(low=Lower("text")).filter(low=handle, member__isnull=False)
        held = former.order_by("-taken_at").select_related("member").first()
        member = held and held.member
    if member is None or member.user_id is None:
        raise NobodyThere
    return member


def _lock_accounts(*people: "User | Member") -> None:
    """Those who ask or grant, so that they are counted one by one, and the member, who may be leaving."""
    users = {each.pk: each for each in (getattr(person, "user", person) for person in people) if each}
    for pk in sorted(users):
        states.lock_account(users[pk])


def _check_not_a_party(by: User, member: Member) -> None:
    if member.user_id == by.pk:
        raise NotOneself


def _claim_of(member: Member) -> Claim:
    """The claim that holds the name. Raises NobodyThere for applicants, and for whoever has left."""
    own = Claim.objects.filter(user=member.user_id, user__isnull=False, state__in=NAMED)
    claim = own.filter(state__in=HOLDING).first() or own.order_by("-verified_at", "-pk").first()
    if claim is None:
        raise NobodyThere
    return claim


def _open():
    return Unmasking.objects.filter(is_granted=True, open_until__gt=timezone.now())


def _to_decide(request: Unmasking, by: User, why: str, *, granted: bool) -> Unmasking:
    """The request, locked, with who decides checked; decided already only where this is the same decision again."""
    if not by.has_perm(MAY_GRANT):
        raise NotAllowed
    if by.pk == request.asked_by_id:
        raise TakesTwo
    _lock_accounts(by, request.member)
    request = _locked(request)
    _check_not_a_party(by, request.member)
    if request.decided_at:
        if (request.decided_by_id, request.is_granted) != (by.pk, granted):
            raise DecidedAlready
        return request
    if not is_waiting(request):
        raise Ended
    if len(why.strip()) < SHORTEST_REASON:
        raise ReasonMissing
    return request


def _decide(request: Unmasking, by: User, why: str, kind: str) -> Unmasking:
    request.decided_by, request.decided_at, request.why = by, timezone.now(), why.strip()
    request.save()
    _record(kind, request, by)
    return request


def _oldest_waiting() -> datetime:
    return timezone.now() - timedelta(days=rules.UNMASKING_WAIT_DAYS)


def _is_over(request: Unmasking) -> bool:
    return request.asked_at <= _oldest_waiting()


@transaction.atomic
def _run_out(pk: int) -> bool:
    request = Unmasking.objects.select_related("member__user").get(pk=pk)
    _lock_accounts(request.member)
    request = _locked(request)
    if not request.is_waiting or not _is_over(request):
        return False
    _end(request, Unmasking.End.RUN_OUT, None)
    return True


def _end(request: Unmasking, end: str, by: User | None) -> Unmasking:
    request.end, request.ended_at = end, timezone.now()
    request.save(update_fields=["end", "ended_at"])
    _record(f"unmasking_{end}", request, by)
    return request


def _locked(request: Unmasking) -> Unmasking:
    rows = Unmasking.objects.select_for_update(of=("self",)).select_related("member__user")
    return rows.get(pk=request.pk)


def _day_to_tell(now: datetime, barred_until: date | None) -> date:
    """The first day (UTC) on which the member may be told: a court's bar counts its last day."""
    usual = now.astimezone(UTC).date() + timedelta(days=rules.UNMASKING_TELL_DAYS)
    return max(usual, barred_until + timedelta(days=1)) if barred_until else usual


def _today() -> date:
    return timezone.now().astimezone(UTC).date()


@transaction.atomic
def _tell(pk: int) -> bool:
    request = Unmasking.objects.select_related("member__user").get(pk=pk)
    _lock_accounts(request.member)
    request = _locked(request)
    if request.told_at or request.member.user is None:
        return False
    request.told_at = timezone.now()
    request.save(update_fields=["told_at"])
    notices.tell_member(request.member.user, "unmasked", "verification:unmaskings")
    _record("unmasking_told", request, None)
    return True


def _record(kind: str, request: Unmasking, by: User | None) -> None:
    events.record(
        kind=kind,
        by=by,
        object=f"unmasking:{request.pk}",
        evidence=[request.basis] if kind == "unmasking_asked" else [],
        key=None if kind == "unmasking_seen" else f"{kind} {request.pk}",
    )


def _identity(claim: Claim) -> Identity:
    typed, record = claim.typed, claim.registry or {}
    return Identity(
        name=claim.typed_name,
        degree=claim.degree,
        license_state=claim.get_license_state_display(),
        license_number=_license_number(claim),
        npi=record.get("npi") or typed["npi"],
        standing=claim.get_state_display(),
    )


def _license_number(claim: Claim) -> str:
    """As it was typed, else the registry's in that state: the one that means the typed number, or the main one."""
    if claim.typed["license_number"]:
        return claim.typed["license_number"]
    held = [
        each for each in (claim.registry or {}).get("licenses", []) if each["state"] == claim.license_state
    ]
    held.sort(key=lambda each: not each["is_primary"])
    return next(
        (each["number"] for each in held if licenses.normal_number(each["state"], each["number"])), ""
    )
