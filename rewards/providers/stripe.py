"""Stripe Connect: members connect an account of their own, payouts are transfers to it.

A transfer carries the payout's key three times: as the Idempotency-Key, which Stripe remembers for a day, and as its
transfer_group and in its metadata, by which it is found for good. Whatever may have been sent before is therefore
looked up before it is sent again.
"""

import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

import httpx
from django.conf import settings

from rewards import business_days
from rewards.models import Payee, Payout
from rewards.providers import http
from rewards.providers.base import (
    FAILED,
    PAID,
    RETURNED,
    UNKNOWN,
    BadSignature,
    Event,
    InDoubt,
    Outcome,
    Provider,
    Sent,
)

VERSION = "2024-06-20"  # of the API these answers are read by
SIGNED_SECONDS = 300  # how old a signed message may be
REFUSALS = {
    "account_closed": "The Stripe account is closed. Connect another one.",
    "account_invalid": "Stripe does not know the account any more. Connect it again.",
    "insufficient_capabilities_for_transfer": "The Stripe account cannot be paid yet. Finish it at Stripe.",
    "resource_missing": "Stripe does not know the account any more. Connect it again.",
}
logger = logging.getLogger(__name__)


class Stripe(Provider):
    name = "stripe"

    def is_ready(self) -> bool:
        return bool(settings.STRIPE_KEY)

    def send(self, payout: Payout) -> Outcome:
        if payout.tries > 1 and (known := self.look_up(payout)):
            return known
        account = (payout.details or {}).get("stripe_account")
        if not account:
            return Outcome(FAILED, problem="No Stripe account is connected. Connect one in your settings.")
        key = str(payout.key)
        answer = _ask(
            "POST",
            "/v1/transfers",
            key=key,
            data={
                "amount": payout.cents,
                "currency": "usd",
                "destination": account,
                "transfer_group": key,
                "metadata[payout]": key,
            },
        )
        found = http.read("Stripe", answer)
        return _outcome(payout, found) if answer.is_success else _refusal(answer.status_code, found)

    def look_up(self, payout: Payout) -> Outcome | None:
        if payout.reference:
            return _outcome(payout, _get(f"/v1/transfers/{quote(payout.reference, safe='')}"))
        found = _get("/v1/transfers", {"transfer_group": str(payout.key), "limit": 2})["data"]
        if len(found) > 1:
            return _odd(payout, "Stripe has more than one transfer of this payout.")
        return _outcome(payout, found[0]) if found else None

    def sent_since(self, moment: datetime) -> Iterable[Sent]:
        query = {"created[gte]": int(moment.timestamp()), "limit": 100}
        while True:
            page = _get("/v1/transfers", query)
            for transfer in page["data"]:
                yield _sent(transfer)
            if not page["has_more"]:
                return
            query["starting_after"] = page["data"][-1]["id"]

    def event(self, headers: Mapping[str, str], body: bytes) -> Event:
        _prove(http.header(headers, "Stripe-Signature"), body)
        try:
            event = json.loads(body)
            thing = event["data"]["object"]
            key = _key_of(thing) if thing.get("object") == "transfer" else None
            return Event(id=event["id"], kind=event["type"], keys=(key,) if key else ())
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadSignature("signed, but not an event") from error


# Accounts of members


def open_account(payee: Payee) -> str:
    """The id of a new account that a member then fills in at Stripe. Asked again within a day it is the same one.

    Stripe is not told the subject, under which the books know the payee. Raises InDoubt.
    """
    answer = _ask(
        "POST",
        "/v1/accounts",
        key=str(uuid5(payee.subject, "stripe account")),
        data={
            "type": "express",
            "country": "US",
            "business_type": "individual",
            "capabilities[transfers][requested]": "true",
        },
    )
    return _expected(answer)["id"]


def connect_url(account: str, *, return_url: str, refresh_url: str) -> str:
    """Where a member fills in an account; it works once, for some minutes. Raises InDoubt."""
    answer = _ask(
        "POST",
        "/v1/account_links",
        data={
            "account": account,
            "type": "account_onboarding",
            "return_url": return_url,
            "refresh_url": refresh_url,
        },
    )
    return _expected(answer)["url"]


def is_ready(account: str) -> bool:
    """Whether money can be sent to an account, and from there on to its bank. Raises InDoubt."""
    found = _get(f"/v1/accounts/{quote(account, safe='')}")
    return found.get("capabilities", {}).get("transfers") == "active" and bool(found.get("payouts_enabled"))


# The API


def _ask(method: str, path: str, *, key: str = "", **request: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {settings.STRIPE_KEY}", "Stripe-Version": VERSION}
    if key:
        headers["Idempotency-Key"] = key
    return http.ask("Stripe", method, f"{settings.STRIPE_URL.rstrip('/')}{path}", headers=headers, **request)


def _get(path: str, query: dict[str, Any] | None = None) -> dict[str, Any]:
    return _expected(_ask("GET", path, params=query))


def _expected(answer: httpx.Response) -> dict[str, Any]:
    """For requests that have no reason to be refused: a refusal tells nothing about money."""
    if not answer.is_success:
        raise InDoubt(f"Stripe answered {answer.status_code}.")
    return http.read("Stripe", answer)


def _outcome(payout: Payout, transfer: dict[str, Any]) -> Outcome:
    """A transfer that exists has left our balance; it comes back when it is reversed."""
    if transfer["currency"] != "usd" or _key_of(transfer) != payout.key:
        return _odd(payout, "Stripe has something else under the name of this payout.")
    back, cents = transfer.get("amount_reversed", 0), transfer["amount"]
    if back >= cents:
        return Outcome(RETURNED, transfer["id"], "Stripe sent it back.", cents)
    problem = "Stripe sent a part of it back." if back else ""
    return Outcome(PAID, transfer["id"], problem, cents, paid_on=_day_of(transfer))


def _day_of(transfer: dict[str, Any]) -> date | None:
    created = transfer.get("created")
    return business_days.day_of(datetime.fromtimestamp(created, UTC)) if created else None


def _odd(payout: Payout, problem: str) -> Outcome:
    """What only a person can clear up."""
    logger.error("Payout %s: %s", payout.pk, problem)
    return Outcome(UNKNOWN, problem=problem)


def _refusal(status: int, found: dict[str, Any]) -> Outcome:
    """No transfer was made; whether one will be hangs on whose fault it was."""
    error = found.get("error") or {}
    if status in (401, 403):
        raise InDoubt("Stripe refused our key.")
    if error.get("type") == "idempotency_error":
        raise InDoubt("Stripe knows this payout with other particulars.")
    if error.get("code") == "balance_insufficient":
        raise InDoubt("Our balance at Stripe is too low.")
    return Outcome(FAILED, problem=REFUSALS.get(error.get("code"), "Stripe refused the transfer."))


def _sent(transfer: dict[str, Any]) -> Sent:
    """What is left of a transfer that came back in part is less than what was asked for: a difference to look at."""
    back = transfer.get("amount_reversed", 0)
    is_back = back >= transfer["amount"]
    cents = transfer["amount"] if is_back else transfer["amount"] - back
    state = RETURNED if is_back else PAID
    return Sent(_key_of(transfer), transfer["id"], cents, state, paid_on=_day_of(transfer))


def _key_of(transfer: dict[str, Any]) -> UUID | None:
    try:
        return UUID(transfer.get("transfer_group") or "")
    except ValueError:
        return None


def _prove(header: str, body: bytes) -> None:
    """Check `t=<seconds>,v1=<hex>`, of which there may be several v1 while a secret is being replaced."""
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    signatures = [value for name, _, value in parts if name == "v1"]
    if not settings.STRIPE_WEBHOOK_SECRET or len(times) != 1 or not re.fullmatch("[0-9]{1,12}", times[0]):
        raise BadSignature
    secret = settings.STRIPE_WEBHOOK_SECRET.encode()
    expected = hmac.new(secret, times[0].encode() + b"." + body, hashlib.sha256).hexdigest().encode()
    if not any(hmac.compare_digest(expected, signature.encode(errors="replace")) for signature in signatures):
        raise BadSignature
    if abs(time.time() - int(times[0])) > SIGNED_SECONDS:
        raise BadSignature("too old")
