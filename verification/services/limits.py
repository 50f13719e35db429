"""How often something may be done in a day, and the alarm when too much fails. Counted in rows, never in a cache."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import structlog
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from sermo.crypto import keyed_hash
from sermo.errors import RuleBroken
from verification import rules
from verification.models import Challenge, DayCount

log = structlog.get_logger(__name__)
FEWEST_FOR_ALARM = 10  # failed tries in an hour, below which nothing is unusual
ALARM_FACTOR = 5  # times the mean of the last seven days


class TooManyFromHere(RuleBroken):
    message = "Too many tries were started from your network today. Try tomorrow, or send documents now."


class TooManyUploads(RuleBroken):
    message = "Too many files were sent today. Try again tomorrow."


def count_start(address: str) -> None:
    """Count one try of the questions for an address and its block, holding both until the transaction ends.

    Raises TooManyFromHere, which must end the transaction so that the refused start is not counted.
    """
    if not address:
        return
    for key, most in (
        (address, rules.CHALLENGES_PER_ADDRESS),
        (block_of(address), rules.CHALLENGES_PER_BLOCK),
    ):
        if _count(address_hash(key)) > most:
            raise TooManyFromHere


def count_upload(user: User) -> None:
    """Count one file that an account sends, also where it is refused afterwards. Raises TooManyUploads."""
    if _count(keyed_hash(str(user.pk), "uploads of a day")) > rules.UPLOADS_PER_DAY:
        raise TooManyUploads


def block_of(address: str) -> str:
    """The 256 addresses around an IPv4 address; the site (48 bits) of an IPv6 address."""
    bits = 24 if ip_address(address).version == 4 else 48
    return str(ip_network(f"{address}/{bits}", strict=False))


def address_hash(address: str) -> str:
    """A network address as stored: keyed, under a key that changes each month."""
    return keyed_hash(address, f"address {timezone.now():%Y-%m}") if address else ""


def purge() -> int:
    """Delete the counts of days gone by and say how many there were."""
    return days_over(timezone.now()).delete()[0]


def days_over(at: datetime) -> QuerySet[DayCount]:
    return DayCount.objects.filter(day__lt=at.astimezone(UTC).date() - timedelta(days=1))


def watch_failures() -> bool:
    """Log an alarm when the last hour's failed tries are five times the hourly mean of the week before."""
    now = timezone.now()
    hour_ago = now - timedelta(hours=1)
    failed = Challenge.objects.filter(verdict__in=["failed", "timed_out"])
    lately = failed.filter(finished_at__gt=hour_ago).count()
    mean = failed.filter(finished_at__gt=hour_ago - timedelta(days=7), finished_at__lte=hour_ago).count() / (
        7 * 24
    )
    is_alarming = lately >= FEWEST_FOR_ALARM and lately > ALARM_FACTOR * mean
    if is_alarming:
        log.error("challenge_failures", last_hour=lately, hourly_mean=round(mean, 2))
    return is_alarming


def _count(key_hash: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO verification_daycount AS counted (key_hash, day, count) VALUES (%s, %s, 1)"
            " ON CONFLICT (key_hash, day) DO UPDATE SET count = counted.count + 1 RETURNING count",
            [key_hash, timezone.now().date()],
        )
        return cursor.fetchone()[0]
