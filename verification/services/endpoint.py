"""An entry in one's own registry record as a proof: only its owner can write there, and everybody can read it.

The applicant gets a one-time address, adds it to their NPPES record as an endpoint, and the site reads the record back:
once an hour for the first day, then once a day, and when asked to. Nothing depends on the page at that address.
"""

import re
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from sermo.background import nudge
from sermo.crypto import keyed_hash
from sermo.errors import RuleBroken
from verification import npi as npis
from verification import nppes_api, rules
from verification.models import Claim, Proof
from verification.models.claims import State
from verification.nppes_api import Unavailable
from verification.services import events, limits, proofs, states

log = structlog.get_logger(__name__)

SIGNS = "abcdefghijklmnopqrstuvwxyz234567"  # the registry may change the case of what is typed there
LENGTH = 24  # 120 bits
_TOKEN = re.compile(rf"/verify/npi/([{SIGNS}]{{{LENGTH}}})(?![{SIGNS}])")

FIRST_DAY = timedelta(hours=24)
AT_FIRST = timedelta(
    minutes=58
)  # between looks; a little under the hour, since the clock ticks every quarter
LATER = timedelta(hours=24)
UNDER_WAY = timedelta(minutes=2)  # in which a look that was asked for should have been taken
MOST_AT_ONCE = 500  # records read by one tick of the clock
MOST_SECONDS = 600  # that one tick takes, so that the next does not begin before it ends
DOWN_AFTER = 3  # failures in a row, after which the rest waits for the next tick


class NotNeeded(RuleBroken):
    message = "An entry in the registry is not needed now."


class NotOpened(RuleBroken):
    message = "There is no address yet that could stand in your record. Make one first."


class TooManyLooks(RuleBroken):
    message = "The registry was read five times for you today. It is read again by itself."


@dataclass(frozen=True)
class Entry:
    """What an applicant may know of this way. Moments are None where the thing has not happened.

    `went_unanswered`: the registry was asked and has not answered, which used nothing up.
    """

    may_open: bool
    is_asked: bool  # whether this site asks the registry at all
    address: str = ""
    found_at: datetime | None = None
    looked_at: datetime | None = None
    until: datetime | None = None
    is_under_way: bool = False
    went_unanswered: bool = False
    looks_left: int = 0


def entry_of(claim: Claim) -> Entry:
    """Where a claim stands with this way of proving it."""
    proof = claim.proofs.filter(kind=Proof.Kind.ENDPOINT).first()
    may, now = claim.state in proofs.MAY_PROVE, timezone.now()
    if proof is None or _is_over(proof, claim, now) or not (may or proof.ok_at):
        return Entry(may_open=may, is_asked=settings.NPPES_ASKED)
    is_under_way = _is_asked_for(proof) and proof.sent_at > now - UNDER_WAY
    return Entry(
        may_open=False,
        is_asked=settings.NPPES_ASKED,
        address=address_of(proof),
        found_at=proof.ok_at,
        looked_at=proof.checked_at,
        until=proof.expires_at,
        is_under_way=is_under_way,
        went_unanswered=_is_asked_for(proof) and not is_under_way,
        looks_left=limits.looks_left(claim.user) if may else 0,
    )


def address_of(proof: Proof) -> str:
    """The whole address to put into the record."""
    return settings.SITE_URL + reverse("verification:registry_entry", args=[proof.code])


@transaction.atomic
def open_proof(*, claim: Claim) -> Proof:
    """Make the address; asked again, it is the same until ENDPOINT_DAYS are over. Raises NotNeeded.

    In a dispute a holder whose entry was found before it began gets a new one: what counts there is who can write in
    the record now.
    """
    claim = states.lock(claim)
    if claim.state not in proofs.MAY_PROVE:
        raise NotNeeded
    proof, is_new = Proof.objects.get_or_create(claim=claim, kind=Proof.Kind.ENDPOINT)
    now = timezone.now()
    if is_new or _is_over(proof, claim, now):
        proof.code = "".join(secrets.choice(SIGNS) for _ in range(LENGTH))
        proof.code_hash = _hash(proof.code)
        proof.started_at, proof.expires_at = now, now + timedelta(days=rules.ENDPOINT_DAYS)
        proof.sent_at = proof.checked_at = proof.ok_at = None
        proof.save()
        events.record(kind="endpoint_opened", claim=claim, by=claim.user)
    return proof


@transaction.atomic
def ask_look(*, claim: Claim) -> Proof:
    """Have the record read now, by a task. A second click while it is under way changes nothing.

    Five a day for an account, of which only those count that the registry answered. Raises NotNeeded, NotOpened,
    TooManyLooks.
    """
    from verification import tasks  # which imports this module

    claim = states.lock(claim)
    if claim.state not in proofs.MAY_PROVE:
        raise NotNeeded
    proof, now = claim.proofs.filter(kind=Proof.Kind.ENDPOINT).first(), timezone.now()
    if proof is None or _is_over(proof, claim, now):
        raise NotOpened
    if proof.ok_at or (_is_asked_for(proof) and proof.sent_at > now - UNDER_WAY):
        return proof
    if not limits.looks_left(claim.user):
        raise TooManyLooks
    proof.sent_at = now
    proof.save(update_fields=["sent_at"])
    nudge(tasks.look_at_entry, proof.pk)
    return proof


def look(*, proof_id: int, tries: int = 2) -> bool:
    """Read the record for one address; whether it stands there. Raises Unavailable, and then nothing was changed."""
    proof = Proof.objects.filter(pk=proof_id, kind=Proof.Kind.ENDPOINT).select_related("claim").first()
    if proof is None or not settings.NPPES_ASKED:
        return False
    if proof.ok_at or not _is_waiting(proof, proof.claim):
        return proof.ok_at is not None
    began_at = timezone.now()
    return _note(proof, began_at, _stands_there(proof, tries))


def look_at_due() -> int:
    """Read the records that are due; how many. Where the registry is down the rest waits for the next time."""
    if not settings.NPPES_ASKED:
        return 0
    looked = failed = 0
    until = time.monotonic() + MOST_SECONDS
    for proof_id in _due(timezone.now())[:MOST_AT_ONCE]:
        try:
            look(proof_id=proof_id)
        except Unavailable as failure:
            failed += 0 if failure.cause.startswith("unexpected") else 1  # which is the trouble of one record
            if failed == DOWN_AFTER:
                break
        else:
            looked, failed = looked + 1, 0
        if time.monotonic() > until:
            break
    return looked


def _due(now: datetime):
    """Ids of addresses to look for, those first that were looked for longest ago."""
    waits = Q(checked_at=None) | Q(sent_at__gt=F("checked_at")) | Q(checked_at__lt=now - LATER)
    waits |= Q(started_at__gt=now - FIRST_DAY, checked_at__lt=now - AT_FIRST)
    waiting = Proof.objects.filter(
        waits, kind=Proof.Kind.ENDPOINT, ok_at=None, expires_at__gt=now, claim__state__in=proofs.MAY_PROVE
    )
    return waiting.order_by(F("checked_at").asc(nulls_first=True), "pk").values_list("pk", flat=True)


def _stands_there(proof: Proof, tries: int) -> bool:
    """Whether the record of that very NPI has the address, however it is written there."""
    npi = _npi_of(proof.claim)
    record = nppes_api.read(npi, tries=tries) if npi else None
    if record is None:
        return False
    tokens = {token for text in record.endpoints for token in _TOKEN.findall(text.lower())}
    return any(secrets.compare_digest(_hash(token), proof.code_hash) for token in tokens)


def _npi_of(claim: Claim) -> str:
    """The NPI that is claimed: the registry's, else the one that was typed; empty where neither is known."""
    npi = (claim.registry or {}).get("npi") or claim.typed["npi"]
    return npi if npis.is_valid(npi) else ""


@transaction.atomic
def _note(seen: Proof, began_at: datetime, is_there: bool) -> bool:
    """Write down what a look found, unless the address was replaced or the claim went on while it was taken."""
    states.lock_identity(seen.claim)
    claim = states.lock(seen.claim)
    proof = Proof.objects.select_for_update().get(pk=seen.pk)
    if proof.ok_at or proof.code_hash != seen.code_hash or not _is_waiting(proof, claim):
        return proof.ok_at is not None
    if _is_asked_for(proof) and proof.sent_at <= began_at:
        limits.count_look(claim.user)
    proof.checked_at, proof.ok_at = began_at, timezone.now() if is_there else None
    proof.save(update_fields=["checked_at", "ok_at"])
    if is_there:
        _found(claim)
    return is_there


def _found(claim: Claim) -> None:
    """It proves a claim whose questions were passed; for any other it is what a reviewer weighs."""
    from verification.services import automatic  # which imports, by way of the tasks, this module

    events.record(kind="endpoint_found", claim=claim, evidence=["endpoint"])
    if claim.state in automatic.PROVES:
        automatic.prove(claim=claim, kind=Proof.Kind.ENDPOINT)
    else:
        proofs.put_in_queue(claim)


def _is_waiting(proof: Proof, claim: Claim) -> bool:
    return claim.state in proofs.MAY_PROVE and not _is_over(proof, claim, timezone.now())


def _is_over(proof: Proof, claim: Claim, now: datetime) -> bool:
    """Whether an address counts no more: not found in its time, or found before the dispute that asks anew."""
    if proof.ok_at is None:
        return proof.expires_at is None or proof.expires_at <= now
    return claim.state == State.DISPUTED_HOLDER and proof.ok_at < claim.state_at


def _is_asked_for(proof: Proof) -> bool:
    """Whether somebody wants a look that no answer has followed yet."""
    if proof.ok_at or proof.sent_at is None:
        return False
    return proof.checked_at is None or proof.checked_at < proof.sent_at


def _hash(token: str) -> str:
    return keyed_hash(token, "registry entry")
