"""Codes of six digits: to the telephone or fax of the registry's record, or to an institution's mail address.

Of a claim that has passed the questions the right code proves that the license is in its owner's hands. Of any other
it is evidence for the reviewer. Where the questions were not passed, nothing that is shown depends on whether the
registry knows anybody: the words are the same, and the telephone rings where there is one.

A Proof waits to be sent from `send_code` on (`expires_at` without `sent_at`, no code drawn yet), is sent by
`deliver`, which a task calls at once and a sweep again, and has neither moment where nobody could be reached.
"""

import hmac
import re
import secrets
from datetime import timedelta
from smtplib import SMTPException

import structlog
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import User
from sermo.background import each_alone, nudge
from sermo.crypto import keyed_hash
from sermo.errors import RuleBroken
from verification import calling, calling_hours, mail_domains, registry, rules, tasks
from verification.models import Challenge, Claim, MailDomain, Proof
from verification.models.claims import State
from verification.services import automatic, domains, events, limits, objections, proofs, states

log = structlog.get_logger(__name__)
Kind = Proof.Kind
KINDS = (Kind.PHONE, Kind.FAX, Kind.EMAIL)
DIGITS = 6
SENT_WITHIN = timedelta(
    minutes=15
)  # of being asked for; what the worker has not sent by then is not sent at all
WAIT = timedelta(minutes=1)  # from one code to the next by the same way


class NotNow(RuleBroken):
    message = "No code is needed now."


class NotOffered(RuleBroken):
    message = "This way is not offered on this site at present. Choose another."


class RightAlready(RuleBroken):
    message = "The code that was sent this way was right already."


class OnItsWay(RuleBroken):
    message = "The last code was asked for a moment ago. Wait a minute before you ask for the next."


class NoNumber(RuleBroken):
    message = "The registry has no such number for you. Choose another proof."


class Night(RuleBroken):
    message = (
        "Calls are made between 8 am and 8 pm where the practice is. Try again then, or choose another proof."
    )


class TooManyEver(RuleBroken):
    message = "As many codes were sent for this application as can be. Choose another proof."


class UnknownDomain(RuleBroken):
    message = (
        "We do not know yet who has addresses there. Ask us to review the domain, or choose another proof."
    )


class NoCode(RuleBroken):
    message = "There is no code to type, or its time is over. Ask for a new one."


class NotSixDigits(RuleBroken):
    message = "The code is six digits."


class WrongCode(RuleBroken):
    """The message says how many tries are left."""


# Asking for a code


@transaction.atomic
def send_code(*, claim: Claim, kind: str, address: str = "") -> Proof:
    """Have a new code sent; the one before is good no more. Numbers are the registry's of today, never typed.

    Raises NotNow, NotOffered, RightAlready, OnItsWay, NoNumber, Night, TooManyEver, UnknownDomain,
    limits.TooManyCodes, limits.TooManyAsked, domains.NoDomain, domains.FreeMail. A refusal uses nothing up.
    """
    states.lock_account(claim.user)
    claim = states.lock(claim)
    if claim.state not in proofs.MAY_PROVE:
        raise NotNow
    if kind not in KINDS or not is_offered(kind):
        raise NotOffered
    proof = claim.proofs.filter(kind=kind).first() or Proof(claim=claim, kind=kind)
    if proof.ok_at:
        raise RightAlready
    now = timezone.now()
    if is_going(proof) or (proof.sent_at and now < proof.sent_at + WAIT):
        raise OnItsWay
    target, domain = _mail_target(address) if kind == Kind.EMAIL else (_number_target(claim, kind, now), None)
    if _sent_ever(claim) >= rules.CODE_SENDS_EVER:
        raise TooManyEver
    limits.count_send(claim.user)
    proof.target, proof.domain = target, domain
    proof.target_masked = masked(kind, target) if is_told(claim) or kind == Kind.EMAIL else ""
    proof.tries, proof.code_hash, proof.sent_at, proof.expires_at = 0, None, None, now + SENT_WITHIN
    proof.sent += 1
    proof.save()
    events.record(kind="code_asked", claim=claim, by=claim.user, evidence=[kind])
    nudge(tasks.deliver_code, proof.pk)
    return proof


def is_offered(kind: str) -> bool:
    """Whether this site can send codes that way."""
    return kind == Kind.EMAIL or calling.provider().is_ready()


def is_told(claim: Claim) -> bool:
    """Whether its owner may know what the registry's record has: the questions were passed, or the license held."""
    if claim.state in (State.CHALLENGED, State.DISPUTED_HOLDER):
        return True
    return claim.challenges.filter(verdict=Challenge.Verdict.PASSED).exists()


def masked(kind: str, target: str) -> str:
    """What may be read of a target: the last two digits of a number, the domain of an address."""
    if kind == Kind.EMAIL:
        return f"...@{target.rpartition('@')[2]}"[-40:]
    return f"ends in {target[-2:]}" if target else ""


def is_going(proof: Proof) -> bool:
    """Whether a code was asked for and is not sent yet."""
    return proof.sent_at is None and proof.expires_at is not None


def is_entered(proof: Proof, now) -> bool:
    """Whether a code can be typed now."""
    return bool(
        proof.code_hash and proof.sent_at and now < proof.expires_at and proof.tries < rules.CODE_TRIES
    )


def has_failed(proof: Proof) -> bool:
    """Whether nobody could be reached the last time."""
    return proof.ok_at is None and proof.sent_at is None and proof.expires_at is None


def _number_target(claim: Claim, kind: str, now) -> str:
    """The number to ring or fax, or nothing where whoever asks must not learn whether there is one."""
    number, told = registry.practice_number(claim.registry, kind), is_told(claim)
    if told and not number:
        raise NoNumber
    if kind == Kind.PHONE and not calling_hours.may_ring(state_told(claim, told), now):
        raise Night
    return number


def state_told(claim: Claim, told: bool) -> str:
    """Where a refusal may say that it is night: at the practice, or in the state that was typed."""
    return _practice_state(claim) if told else claim.license_state


def _practice_state(claim: Claim) -> str:
    return (claim.registry or {}).get("practice_state") or claim.license_state


def _mail_target(address: str) -> tuple[str, MailDomain]:
    address = address.strip()
    name = domains.read_domain(address)
    try:
        validate_email(address)
    except ValidationError as fault:
        raise domains.NoDomain from fault
    if not mail_domains.is_plain(address):
        raise domains.NoDomain
    domain = domains.accepted_for(name)
    if domain is None:
        raise UnknownDomain
    return address, domain


def _sent_ever(claim: Claim) -> int:
    return claim.proofs.filter(kind__in=KINDS).aggregate(sent=Sum("sent"))["sent"] or 0


# Sending it


def deliver(*, proof_id: int) -> bool:
    """Draw the code of a proof that waits for one, and send it; whether one went out. Twice is as good as once.

    A number or address that had its three of the day stays silent: whoever asks, and whoever had them, and the
    applicant is not told, since it may be somebody else who has.
    """
    taken = _take(proof_id)
    if taken is None:
        return False
    proof, code = taken
    if not proof.target or code is None:
        return False
    try:
        _send(proof, code)
    except calling.Unreachable as failure:
        log.warning("code_not_sent", proof=proof.pk, kind=proof.kind, why=str(failure))
        _take_back(proof, may_have_rung=failure.may_have_rung)
        return False
    return True


def deliver_due() -> int:
    """Send what no task has sent, each whatever becomes of the others. Returns how many went out."""
    waiting = Proof.objects.filter(kind__in=KINDS, ok_at=None, sent_at=None, expires_at__isnull=False)
    ids = waiting.order_by("pk").values_list("pk", flat=True)
    return each_alone(lambda pk: deliver(proof_id=pk), ids, failed="code_not_delivered")


@transaction.atomic
def _take(proof_id: int) -> tuple[Proof, str | None] | None:
    """Mark a waiting code as sent before it is, so that no two workers ring; with the code, or None to keep silent."""
    claim = Claim.objects.filter(proofs=proof_id, user__isnull=False).first()
    if claim is None:
        return None
    claim, now = states.lock(claim), timezone.now()
    proof = Proof.objects.select_for_update().filter(pk=proof_id).first()
    if proof is None or proof.ok_at or not is_going(proof):
        return None
    if claim.state not in proofs.MAY_PROVE or now >= proof.expires_at:
        _forget(proof, claim.user)
        return None
    silent = _why_silent(claim, proof, now)
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    kept = (
        f"nobody was told {secrets.randbelow(10**40)}" if silent else code
    )  # what was never said cannot be typed
    proof.code_hash, proof.sent_at, proof.expires_at = _hash(proof, kept), now, now + _life(proof.kind)
    proof.save(update_fields=["code_hash", "sent_at", "expires_at"])
    events.record(kind="code_sent", claim=claim, reason=silent, evidence=[proof.kind])
    return proof, None if silent else code


def _why_silent(claim: Claim, proof: Proof, now) -> str:
    if not proof.target:
        return "no_number"
    if proof.kind == Kind.PHONE and not calling_hours.may_ring(_practice_state(claim), now):
        return "night"
    if objections.waits_for(proof.target):
        return "objection_first"  # or whoever takes the calls of each day would keep it from being told
    return "" if limits.take_target(_reached(proof)) else "target_limit"


def _reached(proof: Proof) -> str:
    """The telephone, fax or mailbox that a code goes to, the same for all spellings of an address."""
    return mail_domains.mailbox_of(proof.target) if proof.kind == Kind.EMAIL else proof.target


def _life(kind: str) -> timedelta:
    if kind == Kind.PHONE:
        return timedelta(minutes=rules.PHONE_MINUTES)
    return timedelta(hours=rules.FAX_HOURS if kind == Kind.FAX else rules.EMAIL_HOURS)


def _send(proof: Proof, code: str) -> None:
    words = render_to_string(f"verification/calls/code_{proof.kind}.txt", _said(proof, code))
    if proof.kind == Kind.PHONE:
        calling.provider().say(proof.target, words)
    elif proof.kind == Kind.FAX:
        calling.provider().fax(proof.target, words)
    else:
        _mail(proof.target, words)


def _said(proof: Proof, code: str) -> dict:
    return {
        "code": code,
        "digits": ", ".join(code),
        "minutes": rules.PHONE_MINUTES,
        "hours": rules.FAX_HOURS if proof.kind == Kind.FAX else rules.EMAIL_HOURS,
    }


def _mail(address: str, words: str) -> None:
    """Not by the outbox, which would keep the code in clear."""
    subject, _, text = words.partition("\n")
    try:
        EmailMessage(subject.strip(), text.lstrip(), to=[address]).send()
    except (SMTPException, OSError) as error:
        raise calling.Unreachable(type(error).__name__) from error


@transaction.atomic
def _take_back(proof: Proof, *, may_have_rung: bool) -> None:
    """Nobody was reached: nothing is used up. A number that may have rung keeps its count all the same.

    Whoever may not learn whether there is a number is not told that it was not reached either.
    """
    claim = Claim.objects.filter(pk=proof.claim_id, user__isnull=False).first()
    if claim is None:
        return
    claim = states.lock(claim)
    now = Proof.objects.select_for_update().filter(pk=proof.pk, code_hash=proof.code_hash).first()
    if now is None or now.ok_at:
        return
    if not may_have_rung:
        limits.give_target_back(_reached(proof), proof.sent_at.date())
    if proof.kind == Kind.EMAIL or is_told(claim):
        _forget(now, claim.user, day=proof.sent_at.date())
    # last, for the chain is locked after all that is counted
    events.record(kind="code_not_sent", claim=claim, evidence=[proof.kind])


def _forget(proof: Proof, user: User, day=None) -> None:
    proof.code_hash = proof.sent_at = proof.expires_at = None
    proof.sent = max(0, proof.sent - 1)
    proof.save(update_fields=["code_hash", "sent_at", "expires_at", "sent"])
    limits.give_send_back(user, day or timezone.now().date())


def _hash(proof: Proof, code: str) -> str:
    return keyed_hash(f"{proof.pk} {code}", "code of a proof")


# Typing it


def check_code(*, claim: Claim, kind: str, code: str) -> None:
    """Take the code that somebody typed; a wrong one is counted before anybody is told.

    The right one proves a claim that has passed the questions, and puts any other before a reviewer. Typed again it
    changes nothing. Raises NotSixDigits (which is no try), NotNow, NoCode, WrongCode.
    """
    digits = re.sub(r"[\s-]", "", code)
    if not re.fullmatch(rf"[0-9]{{{DIGITS}}}", digits):
        raise NotSixDigits
    if refusal := _judge(claim, kind, digits):
        raise refusal


@transaction.atomic
def _judge(claim: Claim, kind: str, digits: str) -> RuleBroken | None:
    """The refusal comes back, for an exception would undo the count."""
    claim = states.lock(claim)
    proof = Proof.objects.select_for_update().filter(claim=claim, kind=kind, kind__in=KINDS).first()
    if proof and proof.ok_at:
        return None
    if claim.state not in proofs.MAY_PROVE:
        return NotNow()
    if proof is None or not is_entered(proof, timezone.now()) or _domain_fell(proof):
        return NoCode()
    if not hmac.compare_digest(proof.code_hash, _hash(proof, digits)):
        return _count_wrong(claim, proof)
    proof.ok_at, proof.code_hash, proof.expires_at = timezone.now(), None, None
    proof.save(update_fields=["ok_at", "code_hash", "expires_at"])
    events.record(kind="code_right", claim=claim, by=claim.user, evidence=[kind])
    if kind == Kind.EMAIL:
        _doubt_mailbox(claim, proof)
    if claim.state in automatic.PROVES:
        automatic.prove(claim=claim, kind=kind)
    else:
        proofs.put_in_queue(claim)
    return None


def _doubt_mailbox(claim: Claim, proof: Proof) -> None:
    """Let people see an address that proves somebody else, too, or that could be any colleague's of the house."""
    found = [] if _take_mailbox(claim, proof) else ["mailbox"]
    # By the registry's names: what was typed may hold another one besides.
    record = claim.registry or {"last_name": claim.typed["last"], "other_last_name": ""}
    if not mail_domains.shows_name(proof.target, (record["last_name"], record["other_last_name"])):
        found.append("mailbox_name")
    claim.doubts = [*claim.doubts, *(doubt for doubt in found if doubt not in claim.doubts)]
    claim.save(update_fields=["doubts"])


def _take_mailbox(claim: Claim, proof: Proof) -> bool:
    """Whether the address proves nobody else: many people at one hospital are not read by one mailbox.

    The address stays with its proof as a hash, where the code's was; the database holds each but once, by whatever
    part of the institution's domain it is written.
    """
    local = mail_domains.mailbox_of(proof.target).rpartition("@")[0]
    mailbox = keyed_hash(f"{local}@{proof.domain.name}", "mailbox of a proof")
    same = Proof.objects.filter(claim__user=claim.user, claim__npi_hash=claim.npi_hash, code_hash=mailbox)
    same.update(code_hash=None)  # of an earlier claim to the same person by the same account
    try:
        with transaction.atomic():
            Proof.objects.filter(pk=proof.pk).update(code_hash=mailbox)
    except IntegrityError:
        return False
    return True


def _domain_fell(proof: Proof) -> bool:
    """Whether reviewers have refused the domain since the code was sent."""
    return proof.kind == Kind.EMAIL and domains.accepted_for(proof.target.rpartition("@")[2].lower()) is None


def _count_wrong(claim: Claim, proof: Proof) -> RuleBroken:
    proof.tries += 1
    proof.save(update_fields=["tries"])
    events.record(kind="code_wrong", claim=claim, by=claim.user, evidence=[proof.kind])
    left = rules.CODE_TRIES - proof.tries
    if left <= 0:
        return WrongCode("This is not the code that was sent, and its tries are used up. Ask for a new one.")
    return WrongCode(
        f"This is not the code that was sent. {left} {'try is' if left == 1 else 'tries are'} left."
    )
