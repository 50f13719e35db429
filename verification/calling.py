"""Saying a code to a telephone and sending a page to a fax. Who does it is a setting (CALL_PROVIDER, a dotted path).

A provider has `is_ready()`, `say(number, words)` and `fax(number, words)`; numbers are "+1" and ten digits. It gives up
after TIMEOUT by itself, and raises Unreachable for whatever keeps the message from its place.
"""

import os
import re
import secrets
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Protocol

import httpx
from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

TIMEOUT = httpx.Timeout(15, connect=5)  # seconds


class Unreachable(Exception):
    """The message did not arrive. `may_have_rung` where nobody can say whether the telephone rang for it."""

    def __init__(self, why: str, *, may_have_rung: bool = False):
        super().__init__(why)
        self.may_have_rung = may_have_rung


class Provider(Protocol):
    def is_ready(self) -> bool: ...

    def say(self, number: str, words: str) -> None: ...

    def fax(self, number: str, words: str) -> None: ...


def provider() -> Provider:
    """Who places calls on this site."""
    return import_string(settings.CALL_PROVIDER)()


class Nobody:
    """No provider: calls and faxes are not offered, and whoever tries all the same is refused."""

    def is_ready(self) -> bool:
        return False

    def say(self, number: str, words: str) -> None:
        raise Unreachable("Nobody places calls on this site.")

    def fax(self, number: str, words: str) -> None:
        raise Unreachable("Nobody sends faxes on this site.")


class Files:
    """For development: each call and each fax is a file in VAR_DIR/calls that only its owner can read."""

    def is_ready(self) -> bool:
        return True

    def say(self, number: str, words: str) -> None:
        self._write("call", number, words)

    def fax(self, number: str, words: str) -> None:
        self._write("fax", number, words)

    def _write(self, kind: str, number: str, words: str) -> None:
        folder = _folder()
        name = f"{timezone.now():%Y%m%d-%H%M%S-%f}-{kind}-{secrets.token_hex(3)}.txt"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "w", encoding="utf-8") as out:
                out.write(f"To: {number}\n\n{words.strip()}\n")
        except OSError as error:
            raise Unreachable(type(error).__name__) from error


def old_files(at: datetime) -> list[Path]:
    """Calls and faxes in files that should be gone at a moment: a code is good for a day at most."""
    before = (at - timedelta(days=1)).timestamp()
    return [file for file in _folder().glob("*.txt") if file.stat().st_mtime < before]


def forget_files() -> int:
    """Delete the calls and faxes of a day ago; return how many."""
    files = old_files(timezone.now())
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)


def _folder() -> Path:
    return settings.VAR_DIR / "calls"


class Web:
    """A service that takes {"to", "kind": "call" or "fax", "words"} as JSON at CALL_URL, with CALL_KEY as its bearer.

    Any 2xx says that it was done. What was sent and never answered may have rung.
    """

    def is_ready(self) -> bool:
        return bool(settings.CALL_URL)

    def say(self, number: str, words: str) -> None:
        self._post("call", number, words)

    def fax(self, number: str, words: str) -> None:
        self._post("fax", number, words)

    def _post(self, kind: str, number: str, words: str) -> None:
        headers = {"Authorization": f"Bearer {settings.CALL_KEY}"} if settings.CALL_KEY else {}
        said = {"to": number, "kind": kind, "words": words}
        try:
            answer = httpx.post(
                settings.CALL_URL,
                json=said,
                headers=headers,
                timeout=TIMEOUT,
                trust_env=False,
                verify=_tls(),
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
            raise Unreachable(type(error).__name__) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(type(error).__name__, may_have_rung=True) from error
        if not answer.is_success:
            raise Unreachable(f"status {answer.status_code}", may_have_rung=answer.is_server_error)


def dialed(text: str) -> str:
    """A number of the registry as it is dialed, "+1" and ten digits; empty for what is no North American number."""
    digits = re.sub(r"\D", "", text)
    digits = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
    return f"+1{digits}" if re.fullmatch(r"[2-9]\d{2}[2-9]\d{6}", digits) else ""


@cache
def _tls():
    return httpx.create_ssl_context(trust_env=False)
