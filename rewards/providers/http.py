"""Asking a provider over HTTPS: what is no clear answer leaves the payout in doubt."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx

from rewards.providers.base import InDoubt

TIMEOUT = httpx.Timeout(20, connect=5)
UNCLEAR = (408, 409, 425, 429)  # too busy, or another request with the same key is under way


def ask(provider: str, method: str, url: str, **request: Any) -> httpx.Response:
    """One request, and an answer with a status of 2xx or 4xx. Raises InDoubt for everything else."""
    try:
        answer = httpx.request(method, url, timeout=TIMEOUT, trust_env=False, verify=_tls(), **request)
    except httpx.RequestError as error:
        raise InDoubt(f"{provider} did not answer ({type(error).__name__}).") from error
    is_clear = answer.is_success or (answer.is_client_error and answer.status_code not in UNCLEAR)
    if not is_clear:
        raise InDoubt(f"{provider} answered {answer.status_code}.")
    return answer


def read(provider: str, answer: httpx.Response) -> dict[str, Any]:
    """Its JSON object. Raises InDoubt where it is none."""
    try:
        found = answer.json()
    except ValueError as error:
        raise InDoubt(f"{provider} answered {answer.status_code} with something unreadable.") from error
    if not isinstance(found, dict):
        raise InDoubt(f"{provider} answered {answer.status_code} with something unexpected.")
    return found


def header(headers: Mapping[str, str], name: str) -> str:
    """One header of a message, however its name is written; whatever a stranger put into it."""
    return next((value for known, value in headers.items() if known.lower() == name.lower()), "")


@cache
def _tls():
    return httpx.create_ssl_context(trust_env=False)
