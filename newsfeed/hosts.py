"""Manners: a host is asked by one of us at a time, with a pause between two questions, and not while it wants peace.

Who is at a host stands in Redis. Without Redis nobody is, so nothing is fetched until it is back.
"""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache

import redis
import structlog
from django.conf import settings
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from newsfeed.models import Host

log = structlog.get_logger("newsfeed.hosts")

PAUSE = 2.0  # seconds between the end of one question and the next
HELD = 20.0  # seconds after which who asked is thought dead; longer than a fetch may take
SOON = 60.0  # seconds that a caller may wait for its turn; what takes longer is for another round
LONGEST_PARKED = timedelta(hours=24)

RELEASE = (
    "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('set', KEYS[1], 'pause', 'px', ARGV[2]) end"
)
RENEW = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0"


class NotNow(Exception):
    """The host is busy, wants peace, or nobody can know; it may be worth trying again after so many seconds."""

    def __init__(self, seconds: float):
        super().__init__(f"not for {seconds:.1f} s")
        self.seconds = seconds


class Parked(NotNow):
    """The host asked for peace."""


@cache
def memory() -> redis.Redis:
    return redis.Redis.from_url(
        settings.CACHES["default"]["LOCATION"],
        decode_responses=True,
        socket_timeout=2,
        socket_connect_timeout=2,
        retry=Retry(NoBackoff(), 0),
    )


def key_of(*parts: object) -> str:
    return ":".join([settings.CACHES["default"]["KEY_PREFIX"], "news", *map(str, parts)])


class Visit:
    """The hosts that one check is at. Each is held until the check ends, and rests for a moment after that."""

    def __init__(self):
        self.token = secrets.token_hex(8)
        self.held: list[str] = []

    def go_to(self, host: str) -> None:
        """Take the turn at a host, or keep it. Raises NotNow where that is not possible at once."""
        try:
            if host in self.held:
                self._stay(host)
            else:
                self._take(host)
        except redis.RedisError as error:
            log.warning("turns_unknown", error=type(error).__name__)
            raise NotNow(SOON + 1) from error

    def pause(self) -> None:
        """Between two questions of one visit."""
        time.sleep(PAUSE)

    def end(self) -> None:
        """Leave all hosts. What cannot be given back runs out by itself."""
        for host in self.held:
            try:
                memory().eval(RELEASE, 1, key_of("host", host), self.token, _ms(PAUSE))
            except redis.RedisError as error:
                log.warning("turn_not_given_back", error=type(error).__name__)
        self.held = []

    def _take(self, host: str) -> None:
        if (parked := parked_for(host)) > 0:
            raise Parked(parked)
        key = key_of("host", host)
        if not memory().set(key, self.token, nx=True, px=_ms(HELD)):
            raise NotNow(max(memory().pttl(key), 0) / 1000)
        self.held.append(host)

    def _stay(self, host: str) -> None:
        if not memory().eval(RENEW, 1, key_of("host", host), self.token, _ms(HELD)):
            raise NotNow(PAUSE)


@contextmanager
def visit(host: str) -> Iterator[Visit]:
    """Be the only one at a host. Raises NotNow where somebody else is, or was a moment ago."""
    one = Visit()
    try:
        one.go_to(host)
        yield one
    finally:
        one.end()


def _ms(seconds: float) -> int:
    return max(int(seconds * 1000), 1)


# Peace


def parked_for(host: str) -> float:
    """Seconds for which a host is to be left alone yet."""
    until = Host.objects.filter(pk=host).values_list("parked_until", flat=True).first()
    return max((until - timezone.now()).total_seconds(), 0) if until else 0


def parked(until: datetime) -> list[str]:
    """The hosts that want peace for longer than that."""
    return list(Host.objects.filter(parked_until__gt=until).values_list("pk", flat=True))


def park(host: str, *, until: datetime, why: str) -> None:
    """Leave a host alone, at least as long as was agreed before."""
    row, is_new = Host.objects.get_or_create(name=host, defaults={"parked_until": until, "why": why[:100]})
    if not is_new:
        Host.objects.filter(pk=row.pk, parked_until__lt=until).update(parked_until=until, why=why[:100])


def retry_after(value: str, now: datetime) -> datetime | None:
    """Until when a Retry-After asks to wait, in seconds or as a date; at most a day."""
    value = value.strip()
    try:
        if value.isascii() and value.isdigit():
            until = now + timedelta(seconds=min(int(value), LONGEST_PARKED.total_seconds()))
        else:
            until = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(until, now + LONGEST_PARKED) if until > now else None
