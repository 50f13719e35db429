"""Telling a person by a second way that their license was verified, with a way to answer: this was not me.

Mail goes to the account always. Another message goes to the registry's own fax or telephone, unless the proof came
from there, for an impostor reads the account's mail and not these. It holds a number to type on a page that is open
to anybody; the answer puts the claim before reviewers, at the head of the queue, and ends nothing by itself.
"""

import re
import secrets
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from sermo.background import each_alone
from sermo.crypto import keyed_hash
from sermo.errors import RuleBroken
from verification import calling, calling_hours, registry, rules
from verification.models import Claim, Objection, Proof
from verification.models.claims import FINAL, HOLDING, State
from verification.services import events, limits, notices, states

log = structlog.get_logger(__name__)
Way = Objection.Way
TRIED_FOR = timedelta(days=3)  # after the verification, at most three times a day
NUMBER_DIGITS = 12  # of what is said or faxed, to be typed
LONGEST_WORDS = 1000
MOVES = (State.VERIFIED,)  # one that lapsed would be lifted by it; others are before people already


class LinkClosed(RuleBroken):
    message = (
        "There is nothing to answer here: the link or the number is mistyped, or what it was about has ended."
    )


# Telling


def tell(*, claim: Claim) -> None:
    """Write the account that it is verified, and have the registry's number told, in the caller's transaction."""
    token = secrets.token_urlsafe(24)
    _link(claim, Way.MAIL, token, sent_at=timezone.now())
    notices.tell_applicant(claim, "verified", objection=_address(token))
    if second := _second_way(claim):
        _link(
            claim, second[0], secrets.token_urlsafe(24), sent_at=None
        )  # its number is drawn when it is sent


def _second_way(claim: Claim) -> tuple[str, str] | None:
    """The fax of the registry's record of today, else its telephone, and the number.

    Never a number that a right code came from, be it that phone and fax have changed places since.
    """
    codes = claim.proofs.filter(kind__in=[Proof.Kind.PHONE, Proof.Kind.FAX], ok_at__isnull=False)
    taken = {"", *(proof.target for proof in codes)}
    numbers = ((way, registry.practice_number(claim.registry, way)) for way in (Way.FAX, Way.PHONE))
    return next(((way, number) for way, number in numbers if number not in taken), None)


def _link(claim: Claim, way: str, code: str, *, sent_at) -> Objection:
    return Objection.objects.update_or_create(
        claim=claim, way=way, defaults={"code_hash": _hash(code), "sent_at": sent_at}
    )[0]


def send_due() -> int:
    """Call and fax those whose license was verified in the last days and who were not told. Returns how many were.

    Telephones ring by day alone, and no number is tried more than three times a day, codes among them.
    """
    if not calling.provider().is_ready():
        return 0
    return each_alone(_send, _waiting().values_list("pk", flat=True), failed="objection_not_sent")


def _waiting() -> QuerySet[Objection]:
    since = timezone.now() - TRIED_FOR
    return Objection.objects.filter(
        way__in=[Way.PHONE, Way.FAX], sent_at=None, claim__verified_at__gt=since, claim__state__in=HOLDING
    ).order_by("pk")


def waits_for(number: str) -> bool:
    """Whether somebody is to be told by this number, so that no code may take its place."""
    waiting = _waiting().select_related("claim").iterator()
    return any((second := _second_way(each.claim)) and second[1] == number for each in waiting)


def _send(objection_id: int) -> bool:
    taken = _take(objection_id)
    if taken is None:
        return False
    objection, number, code = taken
    said = {
        "number": " ".join(code[start : start + 4] for start in range(0, NUMBER_DIGITS, 4)),
        "digits": ", ".join(code),
        "page": settings.SITE_URL + reverse("verification:objection_find"),
    }
    words = render_to_string(f"verification/calls/objection_{objection.way}.txt", said)
    try:
        if objection.way == Way.PHONE:
            calling.provider().say(number, words)
        else:
            calling.provider().fax(number, words)
    except calling.Unreachable as failure:
        log.warning("objection_not_sent", objection=objection.pk, way=objection.way, why=str(failure))
        Objection.objects.filter(pk=objection.pk, code_hash=objection.code_hash).update(sent_at=None)
        return False
    return True


@transaction.atomic
def _take(objection_id: int) -> tuple[Objection, str, str] | None:
    """Mark a message as sent before it is, so that no two workers ring; with the number to ring and the one to say."""
    rows = Objection.objects.select_for_update(skip_locked=True, of=("self",)).filter(sent_at=None)
    objection = rows.select_related("claim").filter(pk=objection_id).first()
    if objection is None or objection.claim.state not in HOLDING:
        return None
    claim, now = objection.claim, timezone.now()
    way, number = _second_way(claim) or ("", "")
    place = (claim.registry or {}).get("practice_state") or claim.license_state
    if not number or (way == Way.PHONE and not calling_hours.may_ring(place, now)):
        return None
    if not limits.take_target(number):
        return None
    code = f"{secrets.randbelow(10**NUMBER_DIGITS):0{NUMBER_DIGITS}}"
    objection.way, objection.code_hash, objection.sent_at = way, _hash(code), now
    objection.save(update_fields=["way", "code_hash", "sent_at"])
    return objection, number, code


# Answering


def asking(code: str) -> Objection:
    """The message that a link or a typed number belongs to. Raises LinkClosed, also once the claim has ended."""
    objection = Objection.objects.filter(code_hash=_hash(plain(code))).select_related("claim").first()
    if objection is None or objection.claim.state in FINAL:
        raise LinkClosed
    return objection


def plain(code: str) -> str:
    """A number as it was said, without the gaps that people type; a link's code as it is."""
    digits = re.sub(r"[\s,.-]", "", code)
    return digits if digits.isascii() and digits.isdecimal() else code.strip()


def is_number(code: str) -> bool:
    """Whether this is looked up as a number of a call or a fax, with or without gaps."""
    return plain(code).isdecimal()


@transaction.atomic
def object_to(*, code: str, words: str = "") -> Objection:
    """Take down that it was not the person who was told. Said again, the first answer stands.

    A verified claim goes before reviewers, at the head of the queue, and its member keeps what they have until then.
    Raises LinkClosed.
    """
    claim = asking(code).claim
    states.lock_identity(claim)
    claim = states.lock(claim)
    objection = Objection.objects.select_for_update().get(pk=asking(code).pk)
    if objection.objected_at:
        return objection
    objection.objected_at, objection.words = timezone.now(), words.strip()[:LONGEST_WORDS] or None
    objection.save(update_fields=["objected_at", "words"])
    events.record(
        kind="objected",
        claim=claim,
        key=f"objected {claim.case_number} {objection.way}",
        evidence=[objection.way],
    )
    _put_ahead(claim)
    return objection


def _put_ahead(claim: Claim) -> None:
    from verification.services import queue  # which imports this module by way of `outcome`

    doubts = claim.doubts if "objected" in claim.doubts else [*claim.doubts, "objected"]
    ahead = {"doubts": doubts, "is_ahead": True, "queued_at": claim.queued_at or timezone.now()}
    if claim.state in MOVES:
        decided = {"decided_at": claim.decided_at}  # an answer is no decision
        states.move(
            claim=claim, to=State.NEEDS_REVIEW_HELD, as_=states.SYSTEM, reason="objected", **ahead, **decided
        )
    else:
        Claim.objects.filter(pk=claim.pk).update(**ahead)
    queue.weigh(states.lock(claim))


# Forgetting


def forget_words() -> int:
    """Forget what objectors wrote, 30 days after it was decided; return of how many. That they objected stays."""
    return words_decided(timezone.now()).update(words=None)


def words_decided(at: datetime) -> QuerySet[Objection]:
    """Objections whose words should be gone at a moment: nothing about the claim waits for anybody."""
    before = at - timedelta(days=rules.DOCUMENT_KEEP_DAYS)
    return Objection.objects.filter(
        words__isnull=False,
        objected_at__lt=before,
        claim__decided_at__lt=before,
        claim__state__in=(*FINAL, *HOLDING),
        claim__queued_at=None,
        claim__asked_for__isnull=True,
    ).exclude(claim__disputes_held__outcome="")


def _address(token: str) -> str:
    return settings.SITE_URL + reverse("verification:objection", args=[token])


def _hash(code: str) -> str:
    return keyed_hash(code, "this was not me")
