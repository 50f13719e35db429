"""PayPal Payouts: every payout is a batch of one, named by the payout's key.

PayPal takes a batch's name (sender_batch_id) once in thirty days and answers a second time with a link to the first.
It has no way to ask for a batch by that name without sending it; so within those days sending again is how one asks,
and moves nothing twice. Later nothing is sent again by itself. That a batch succeeded says nothing of its item.
"""

import base64
import json
import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

import httpx
from django.conf import settings
from django.utils import timezone

from rewards import business_days
from rewards.models import Payout
from rewards.providers import http
from rewards.providers.base import (
    FAILED,
    PAID,
    RETURNED,
    SUBMITTED,
    UNKNOWN,
    BadSignature,
    Event,
    InDoubt,
    Outcome,
    Provider,
    Sent,
)
from rewards.words import cents_of

FORGOTTEN = "PayPal cannot be asked by itself any more whether it has this. Look there."
NAME_KEPT = timedelta(days=29)  # PayPal's thirty days, with one to spare
REPORT_DAYS = 31  # the longest span of one report
SENT_BEFORE = timedelta(days=3)  # a batch is processed so long after it was sent, at most
PAYOUT_LINES = "T0001"  # in a report: a payout as it left
ITEM_STATES = {
    "SUCCESS": (PAID, ""),
    "PENDING": (SUBMITTED, ""),
    "ONHOLD": (SUBMITTED, "PayPal is looking at it."),
    "UNCLAIMED": (SUBMITTED, "Nobody has claimed it at PayPal yet."),
    "FAILED": (FAILED, "PayPal could not pay it."),
    "BLOCKED": (FAILED, "PayPal blocked it."),
    "RETURNED": (RETURNED, "Nobody claimed it at PayPal."),
    "REFUNDED": (RETURNED, "It was sent back."),
    "REVERSED": (RETURNED, "PayPal took it back."),
}
BATCH_STATES = {
    "PENDING": (SUBMITTED, ""),
    "PROCESSING": (SUBMITTED, ""),
    "DENIED": (FAILED, "PayPal refused it."),
    "CANCELED": (FAILED, "It was canceled at PayPal."),
}
SIGNED = {  # of a message: header, and what the request to prove it calls that
    "PayPal-Auth-Algo": "auth_algo",
    "PayPal-Cert-Url": "cert_url",
    "PayPal-Transmission-Id": "transmission_id",
    "PayPal-Transmission-Sig": "transmission_sig",
    "PayPal-Transmission-Time": "transmission_time",
}
logger = logging.getLogger(__name__)


class PayPal(Provider):
    name = "paypal"

    def is_ready(self) -> bool:
        return bool(settings.PAYPAL_CLIENT_ID and settings.PAYPAL_SECRET)

    def send(self, payout: Payout) -> Outcome:
        if payout.reference:
            return _outcome(payout, _batch(payout.reference))
        if _is_forgotten(payout):
            raise InDoubt(FORGOTTEN)
        receiver = (payout.details or {}).get("email")
        if not receiver:
            return Outcome(FAILED, problem="No PayPal address is known. Give one in your settings.")
        answer = _ask("POST", "/v1/payments/payouts", json=_new_batch(payout, receiver))
        found = http.read("PayPal", answer)
        if answer.is_success:
            return Outcome(SUBMITTED, found["batch_header"]["payout_batch_id"])
        if known := _original(found):
            return _outcome(payout, _batch(known))
        return _refusal(found)

    def look_up(self, payout: Payout) -> Outcome | None:
        if payout.reference:
            return _outcome(payout, _batch(payout.reference))
        return _odd(payout, FORGOTTEN) if _is_forgotten(payout) else None

    def sent_since(self, moment: datetime) -> Iterable[Sent]:
        """What PayPal says of our batches, and then what its own report has beside them.

        The report is up to three hours late and names no batch; an item is known in it by its transaction.
        """
        ours = set()
        payouts = Payout.objects.filter(provider=self.name, sent_at__gte=moment - SENT_BEFORE)
        for payout in payouts.exclude(reference="").order_by("pk"):
            batch = _batch(payout.reference)
            ours.update(item.get("transaction_id") for item in batch.get("items", ()))
            if payout.sent_at >= moment:
                yield _sent(payout, batch)
        for line in _report(moment):
            if line["transaction_id"] not in ours:
                yield _unknown(line)

    def event(self, headers: Mapping[str, str], body: bytes) -> Event:
        event = _prove(headers, body)
        try:
            return Event(id=event["id"], kind=event["event_type"], keys=_keys_in(event["resource"]))
        except (KeyError, AttributeError, TypeError) as error:
            raise BadSignature("proved, but not an event") from error


# Batches


def _new_batch(payout: Payout, receiver: str) -> dict[str, Any]:
    key = str(payout.key)
    return {
        "sender_batch_header": {
            "sender_batch_id": key,
            "recipient_type": "EMAIL",
            "email_subject": "You have a payment",
        },
        "items": [
            {
                "recipient_type": "EMAIL",
                "receiver": receiver,
                "sender_item_id": key,
                "amount": {"currency": "USD", "value": f"{payout.cents // 100}.{payout.cents % 100:02}"},
            }
        ],
    }


def _batch(reference: str) -> dict[str, Any]:
    answer = _ask("GET", f"/v1/payments/payouts/{quote(reference, safe='')}")
    if not answer.is_success:
        raise InDoubt(f"PayPal answered {answer.status_code}.")
    return http.read("PayPal", answer)


def _outcome(payout: Payout, batch: dict[str, Any]) -> Outcome:
    header, items = batch["batch_header"], batch.get("items") or []
    reference = header["payout_batch_id"]
    if header.get("sender_batch_header", {}).get("sender_batch_id") != str(payout.key):
        return _odd(payout, "PayPal has something else under the name of this payout.")
    if not items:
        return _in_state(BATCH_STATES, header["batch_status"], reference)
    if len(items) > 1:
        return _odd(payout, "PayPal has more than one item under the name of this payout.")
    said = _in_state(ITEM_STATES, items[0].get("transaction_status", "PENDING"), reference)
    return replace(said, cents=_cents(items[0]["payout_item"]["amount"]), paid_on=_day_of(items[0]))


def _in_state(states: dict[str, tuple[str, str]], theirs: str, reference: str) -> Outcome:
    state, problem = states.get(theirs, (UNKNOWN, ""))
    return Outcome(state, reference, problem)


def _day_of(item: dict[str, Any]) -> date | None:
    """Nothing where PayPal has not processed it, or says when in a way that is not known here."""
    try:
        moment = datetime.fromisoformat(item["time_processed"])
    except (KeyError, TypeError, ValueError):
        return None
    return business_days.day_of(moment) if moment.tzinfo else None


def _original(refused: dict[str, Any]) -> str:
    """The batch a refusal as a duplicate links to; only its id is taken from the link."""
    places = (urlsplit(str(link.get("href", ""))).path for link in refused.get("links") or ())
    found = [path.rpartition("/")[2] for path in places if "/v1/payments/payouts/" in path]
    if found:
        return found[0]
    if any("duplicate" in str(detail.get("issue", "")).lower() for detail in refused.get("details") or ()):
        raise InDoubt("PayPal has it already, but does not say under which number.")
    return ""


def _refusal(refused: dict[str, Any]) -> Outcome:
    if refused.get("name") == "VALIDATION_ERROR":
        return Outcome(FAILED, problem="PayPal does not pay to this address. Check it in your settings.")
    if refused.get("name") == "INSUFFICIENT_FUNDS":
        raise InDoubt("Our balance at PayPal is too low.")
    raise InDoubt("PayPal refused it for a reason of its own.")


def _odd(payout: Payout, problem: str) -> Outcome:
    """What only a person can clear up."""
    logger.error("Payout %s: %s", payout.pk, problem)
    return Outcome(UNKNOWN, problem=problem)


def _is_forgotten(payout: Payout) -> bool:
    """Whether it was first sent so long ago that PayPal would take its name again."""
    first = payout.steps.filter(state=Payout.State.SUBMITTED).values_list("at", flat=True).first()
    return first is not None and timezone.now() - first > NAME_KEPT


# Lists


def _sent(payout: Payout, batch: dict[str, Any]) -> Sent:
    items = batch.get("items") or ()
    cents = sum(_cents(item["payout_item"]["amount"]) for item in items) if items else payout.cents
    said = _outcome(payout, batch)
    return Sent(payout.key, payout.reference, cents, said.state, said.paid_on)


def _unknown(line: dict[str, Any]) -> Sent:
    amount = line["transaction_amount"]
    cents = cents_of(amount["value"].lstrip("-"))
    return Sent(None, line["transaction_id"], cents, PAID if line["transaction_status"] == "S" else SUBMITTED)


def _report(moment: datetime) -> Iterator[dict[str, Any]]:
    """Payouts that left our account, oldest span first."""
    now = timezone.now()
    while moment < now:
        end = min(moment + timedelta(days=REPORT_DAYS), now)
        yield from _pages(
            {"start_date": _iso(moment), "end_date": _iso(end), "transaction_type": PAYOUT_LINES}
        )
        moment = end


def _pages(query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    page, pages = 1, 1
    while page <= pages:
        answer = _ask("GET", "/v1/reporting/transactions", params={**query, "page_size": 500, "page": page})
        if not answer.is_success:
            raise InDoubt(f"PayPal answered {answer.status_code} to Transaction Search.")
        found = http.read("PayPal", answer)
        for line in found["transaction_details"]:
            yield line["transaction_info"]
        page, pages = page + 1, found.get("total_pages", 1)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cents(amount: dict[str, str]) -> int:
    """Nothing where it is another currency, which no payout of ours is in."""
    return cents_of(amount["value"]) if amount["currency"] == "USD" else 0


# Messages


def _prove(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """PayPal says itself whether it sent a message; the message goes back to it byte by byte."""
    signed = {name: http.header(headers, header) for header, name in SIGNED.items()}
    if not settings.PAYPAL_WEBHOOK_ID or not all(signed.values()):
        raise BadSignature
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadSignature from error
    asked = json.dumps({**signed, "webhook_id": settings.PAYPAL_WEBHOOK_ID}).encode()
    answer = _ask(
        "POST",
        "/v1/notifications/verify-webhook-signature",
        content=asked[:-1] + b', "webhook_event": ' + body + b"}",
        headers={"Content-Type": "application/json"},
    )
    if not answer.is_success or http.read("PayPal", answer).get("verification_status") != "SUCCESS":
        raise BadSignature
    return event


def _keys_in(resource: dict[str, Any]) -> tuple[UUID, ...]:
    """The payouts an item or a batch is about."""
    item = resource.get("payout_item") or {}
    header = (resource.get("batch_header") or {}).get("sender_batch_header") or {}
    names = (item.get("sender_item_id"), resource.get("sender_batch_id"), header.get("sender_batch_id"))
    return tuple(dict.fromkeys(key for name in names if (key := _as_key(name))))


def _as_key(name: Any) -> UUID | None:
    try:
        return UUID(name)
    except (TypeError, ValueError, AttributeError):
        return None


# The API

_tokens: dict[tuple[str, str], tuple[str, float]] = {}  # by whom they are for; never outside of this process
_tokens_lock = threading.Lock()


def _ask(
    method: str, path: str, *, headers: Mapping[str, str] | None = None, **request: Any
) -> httpx.Response:
    """With a token, and once more with a new one where it was not taken. Raises InDoubt where none is given."""
    for is_last in (False, True):
        token = _token(is_new=is_last)
        answer = http.ask(
            "PayPal",
            method,
            f"{_url()}{path}",
            headers={**(headers or {}), "Authorization": f"Bearer {token}"},
            **request,
        )
        if answer.status_code != 401:
            break
    if answer.status_code in (401, 403):
        raise InDoubt("PayPal refused our key.")
    return answer


def _token(*, is_new: bool) -> str:
    who = (_url(), settings.PAYPAL_CLIENT_ID)
    with _tokens_lock:
        token, until = _tokens.get(who, ("", 0.0))
        if is_new or time.monotonic() >= until:
            token, seconds = _new_token()
            _tokens[who] = token, time.monotonic() + seconds - 60
        return token


def _new_token() -> tuple[str, int]:
    pair = f"{settings.PAYPAL_CLIENT_ID}:{settings.PAYPAL_SECRET}".encode()
    answer = http.ask(
        "PayPal",
        "POST",
        f"{_url()}/v1/oauth2/token",
        headers={"Authorization": f"Basic {base64.b64encode(pair).decode()}"},
        data={"grant_type": "client_credentials"},
    )
    if not answer.is_success:
        raise InDoubt("PayPal refused our key.")
    found = http.read("PayPal", answer)
    return found["access_token"], int(found.get("expires_in", 0))


def _url() -> str:
    return settings.PAYPAL_URL.rstrip("/")
