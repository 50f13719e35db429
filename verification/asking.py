"""Asking a public register over HTTPS for JSON: bounded in time, size and tries, with one clear failure.

Only addresses of the settings are asked, never one that somebody typed (those are for `sermo.fetching`). What was asked
may name a physician, so no address and no answer gets into a message, a log line or the chain of an exception.
"""

import email.utils
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from json import JSONDecodeError, loads
from typing import Any

import httpx
import structlog

from sermo.errors import RuleBroken
from sermo.fetching import tls_context, user_agent

log = structlog.get_logger(__name__)

TRIES = 3
PAUSES = (1.0, 4.0)  # seconds before the second try and the third
LONGEST_PAUSE = 60.0  # that a register may ask for; one that wants more is asked another time
CONNECT_SECONDS = 5.0
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})


class Unavailable(RuleBroken):
    """No usable answer, whatever the cause. Its message can be shown; `cause` is a word for the log."""

    message = "The register does not answer at the moment. Nothing was used up."

    def __init__(self, cause: str = "", message: str | None = None):
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True)
class Answer:
    """What a register said, as JSON values, with the headers it came under and the bytes it was."""

    data: Any
    headers: httpx.Headers
    body: bytes


class _TryAgain(Exception):
    """This try failed, and the next may not."""

    def __init__(self, cause: str, pause: float | None = None):
        super().__init__(cause)
        self.cause, self.pause = cause, pause


def ask(
    register: str,
    url: str,
    params: Mapping[str, str | int],
    *,
    seconds: float,
    most_bytes: int,
    tries: int = TRIES,
    headers: Mapping[str, str] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Answer:
    """GET an address until it answers 200 with JSON, up to `tries` times.

    `seconds` bounds each try as a whole, from the connection to the last byte; between tries it waits as PAUSES say or
    as long as Retry-After asks, up to a minute. `register` names it in the log. Raises Unavailable.
    """
    for number in range(tries):
        try:
            return _one_try(url, params, seconds, most_bytes, headers or {})
        except _TryAgain as failed:
            cause, pause = failed.cause, failed.pause or PAUSES[min(number, len(PAUSES) - 1)]
        except Unavailable as failed:
            cause, pause = failed.cause, None
        log.warning("register_failed", register=register, cause=cause, number=number + 1)
        if pause is None or pause > LONGEST_PAUSE:
            break
        if number + 1 < tries:
            sleep(pause)
    raise Unavailable(cause)


def _one_try(url, params, seconds, most_bytes, headers) -> Answer:
    until = time.monotonic() + seconds
    timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
    sent = {
        "User-Agent": user_agent(),
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        **headers,
    }
    try:
        with httpx.stream(
            "GET",
            url,
            params=dict(params),
            headers=sent,
            timeout=timeout,
            trust_env=False,
            verify=tls_context(),
        ) as answer:
            if answer.status_code in BUSY:
                raise _TryAgain(f"status_{answer.status_code}", _pause_asked(answer.headers))
            if answer.status_code != 200:
                raise Unavailable(f"status_{answer.status_code}")
            body = _read(answer, until, most_bytes)
    except httpx.TimeoutException:
        raise _TryAgain("timeout") from None
    except httpx.RequestError as error:
        raise _TryAgain(type(error).__name__) from None
    try:
        return Answer(loads(body), answer.headers, body)
    except (JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise Unavailable("no_json") from None


def _read(answer: httpx.Response, until: float, most_bytes: int) -> bytes:
    """The body as it comes. A byte now and then keeps nobody waiting past the end of the try."""
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unavailable("compressed")  # in a way we did not ask for
    body = bytearray()
    for part in answer.iter_raw():
        body += part
        if len(body) > most_bytes:
            raise Unavailable("too_large")
        if time.monotonic() > until:
            break
    if time.monotonic() > until:
        raise _TryAgain("timeout")
    return bytes(body)


def _pause_asked(headers: httpx.Headers) -> float | None:
    """Seconds that Retry-After asks for, written as a number or as a moment; None where it says nothing usable."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9]) or None
    try:
        moment = email.utils.parsedate_to_datetime(said)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0) or None
