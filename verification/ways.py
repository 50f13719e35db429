"""The ways of proving a license as the proof page shows them: what each takes, how long, and where it stands."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil

from django.utils import timezone

from verification import calling_hours, registry, rules
from verification.forms import CodeForm, MailForm
from verification.models import Claim, Proof
from verification.models.claims import State
from verification.services import codes, limits, proofs

Kind = Proof.Kind
_TITLES = {
    Kind.PHONE: "A call to the practice",
    Kind.FAX: "A fax to the practice",
    Kind.EMAIL: "Mail from your hospital",
}
_BUTTONS = {Kind.PHONE: "Call now", Kind.FAX: "Send the fax", Kind.EMAIL: "Mail the code"}
_AGAIN = {Kind.PHONE: "Call again", Kind.FAX: "Fax again", Kind.EMAIL: "Mail again"}


@dataclass(frozen=True)
class CodeWay:
    """One way of sending a code. `state` is new, going, sent, spent (its time or tries are over), failed or right.

    `target` says where the code goes, in words that hold two digits or a domain at most. `closed` says why none can
    be asked for, in a sentence; it is empty otherwise.
    """

    kind: str
    state: str
    target: str
    closed: str
    code_form: CodeForm
    mail_form: MailForm | None
    good_until: datetime | None = None
    tries_left: int = 0
    wait_seconds: int = 0  # until the next code can be asked for

    @property
    def title(self):
        return _TITLES[self.kind]

    @property
    def button(self):
        return (_BUTTONS if self.state in ("new", "failed") else _AGAIN)[self.kind]

    @property
    def takes_a_code(self):
        return self.state in ("going", "sent")


def code_ways(claim: Claim, *, bound: CodeForm | MailForm | None = None) -> dict:
    """What the proof page needs for its codes; `bound` is a form that came back with a mistake."""
    own = {proof.kind: proof for proof in claim.proofs.filter(kind__in=codes.KINDS)}
    told, left = codes.is_told(claim), limits.sends_left(claim.user)
    is_over = sum(proof.sent for proof in own.values()) >= rules.CODE_SENDS_EVER
    spent = str(codes.TooManyEver()) if is_over else str(limits.TooManyCodes()) if left == 0 else ""
    offered = [kind for kind in codes.KINDS if claim.state in proofs.MAY_PROVE and codes.is_offered(kind)]
    return {
        "code_ways": [_way(claim, kind, own.get(kind), told, spent, bound) for kind in offered],
        "code_told": told,
        "code_proves": told and _may_prove(claim),
        "sends_left": left,
        "sends_most": rules.CODE_SENDS_PER_DAY,
        "phone_minutes": rules.PHONE_MINUTES,
        "fax_hours": rules.FAX_HOURS,
        "email_hours": rules.EMAIL_HOURS,
    }


def _may_prove(claim: Claim) -> bool:
    """Whether a right code may settle it. One that people have reads like one in dispute."""
    return claim.state == State.CHALLENGED or (claim.state == State.PROVEN and claim.queued_at is None)


def _way(claim: Claim, kind: str, proof: Proof | None, told: bool, spent: str, bound) -> CodeWay:
    now = timezone.now()
    state = _state(proof, now)
    target = (
        codes.masked(kind, registry.practice_number(claim.registry, kind))
        if told and kind != Kind.EMAIL
        else ""
    )
    if kind == Kind.EMAIL and proof and proof.target:
        target = proof.target_masked
    own = bound if bound is not None and bound.kind == kind else None
    typed = proof.target if kind == Kind.EMAIL and proof and proof.target else ""
    return CodeWay(
        kind=kind,
        state=state,
        target=target,
        closed=spent or _closed(claim, kind, told, target, now),
        code_form=own if isinstance(own, CodeForm) else CodeForm(kind=kind),
        mail_form=_mail_form(own, typed) if kind == Kind.EMAIL else None,
        good_until=proof.expires_at if state == "sent" else None,
        tries_left=rules.CODE_TRIES - proof.tries if proof else 0,
        wait_seconds=_wait_seconds(proof, now),
    )


def _mail_form(own, typed: str) -> MailForm:
    return own if isinstance(own, MailForm) else MailForm(initial={"address": typed})


def _state(proof: Proof | None, now: datetime) -> str:
    if proof is None:
        return "new"
    if proof.ok_at:
        return "right"
    if codes.is_going(proof):
        return "going"
    if codes.is_entered(proof, now):
        return "sent"
    return "failed" if codes.has_failed(proof) else "spent"


def _wait_seconds(proof: Proof | None, now: datetime) -> int:
    opens = proof.sent_at + codes.WAIT if proof and proof.sent_at else now
    return max(0, ceil((opens - now).total_seconds()))


def _closed(claim: Claim, kind: str, told: bool, target: str, now: datetime) -> str:
    if kind == Kind.EMAIL:
        return ""
    if told and not target:
        return str(codes.NoNumber())
    if kind == Kind.PHONE and not calling_hours.may_ring(codes.state_told(claim, told), now):
        return str(codes.Night())
    return ""
