"""How often something may be done in a day, and the alarm when too much fails. Counted in rows, never in a cache."""

from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import structlog
from django.db import connection
from django.db.models import Count, F, QuerySet
from django.db.models.functions import TruncHour
from django.utils import timezone

from accounts.models import User
from sermo.crypto import keyed_hash
from sermo.errors import RuleBroken
from verification import rules
from verification.models import Challenge, DayCount
from verification.services import switch

log = structlog.get_logger(__name__)
FEWEST_FOR_ALARM = 10  # failed tries in an hour, below which nothing is unusual
OBJECTIONS_PER_ADDRESS = 20  # numbers that an address may try in a day
ALARM_FACTOR = 5  # times the mean of the days before
ALARM_SPAN = timedelta(days=7)


class TooManyFromHere(RuleBroken):
    message = "Too many tries were started from your network today. Try tomorrow, or send documents now."


class TooManyCodes(RuleBroken):
    message = "Three codes were sent today, which is the most. Ask for the next one tomorrow."


class TooManyAsked(RuleBroken):
    message = "Too many codes were asked for today. Ask again tomorrow, or choose another proof."


class TooManyDomains(RuleBroken):
    message = "Three domains a day can be asked for. Come back tomorrow, or choose another proof."


class TooManyNumbers(RuleBroken):
    message = "Too many numbers were tried from your network today. Try again tomorrow."


class TooManyUploads(RuleBroken):
    message = "Too many files were sent today. Try again tomorrow."


def count_start(address: str) -> None:
    """Count one try of the questions for an address and its block, holding both until the transaction ends.

    Raises TooManyFromHere, which must end the transaction so that the refused start is not counted.
    """
    if not address:
        return
    for key, most in (
        (str(_plain(address)), rules.CHALLENGES_PER_ADDRESS),
        (block_of(address), rules.CHALLENGES_PER_BLOCK),
    ):
        if _count(address_hash(key)) > most:
            raise TooManyFromHere


def count_upload(user: User) -> None:
    """Count one file that an account sends, also where it is refused afterwards. Raises TooManyUploads."""
    if _count(keyed_hash(str(user.pk), "uploads of a day")) > rules.UPLOADS_PER_DAY:
        raise TooManyUploads


def looks_left(user: User) -> int:
    """How often an account may have its registry record read by hand today (UTC)."""
    return _left(_looks_of(user), rules.ENDPOINT_LOOKS)


def count_look(user: User) -> None:
    """Count one such reading that the registry answered."""
    _count(_looks_of(user))


def _looks_of(user: User) -> str:
    return keyed_hash(str(user.pk), "registry looks of a day")


def count_send(user: User) -> None:
    """Count one code that an account asks for.

    Raises TooManyCodes, and TooManyAsked for those that could not be sent and count no more: else a hospital's mail
    server could be asked all day which addresses it has. Both must end the transaction.
    """
    if _count(keyed_hash(str(user.pk), "codes asked for in a day")) > rules.CODE_ASKS_PER_DAY:
        raise TooManyAsked
    if _count(_sends_of(user)) > rules.CODE_SENDS_PER_DAY:
        raise TooManyCodes


def sends_left(user: User) -> int:
    """How many codes an account may still ask for today (UTC)."""
    return _left(_sends_of(user), rules.CODE_SENDS_PER_DAY)


def give_send_back(user: User, day: date) -> None:
    """A code that could not be sent on a day was none."""
    _give_back(_sends_of(user), day)


def take_target(target: str) -> bool:
    """Count one message to a number or address, unless it had its most today already. Whether it may go."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO verification_daycount AS counted (key_hash, day, count) VALUES (%s, %s, 1)"
            " ON CONFLICT (key_hash, day) DO UPDATE SET count = counted.count + 1 WHERE counted.count < %s"
            " RETURNING count",
            [_sends_to(target), timezone.now().date(), rules.CODE_SENDS_PER_DAY],
        )
        return cursor.fetchone() is not None


def give_target_back(target: str, day: date) -> None:
    """A message that never left did not reach its number either."""
    _give_back(_sends_to(target), day)


def count_domain(user: User) -> None:
    """Count one mail domain that an account asks for. Raises TooManyDomains, which must end the transaction."""
    if _count(keyed_hash(str(user.pk), "domains of a day")) > rules.MAIL_DOMAINS_ASKED:
        raise TooManyDomains


def count_objection(address: str) -> None:
    """Count one look at the page "this was not me" from an address, so that its numbers cannot be guessed.

    All of an IPv6 site counts as one address, for whoever has one has them all. Raises TooManyNumbers.
    """
    if not address:
        return
    place = str(_plain(address)) if _plain(address).version == 4 else block_of(address)
    if _count(keyed_hash(place, "objections of a day")) > OBJECTIONS_PER_ADDRESS:
        raise TooManyNumbers


def block_of(address: str) -> str:
    """The 256 addresses around an IPv4 address; the site (48 bits) of an IPv6 address."""
    plain = _plain(address)
    return str(ip_network((plain, 24 if plain.version == 4 else 48), strict=False))


def _plain(address: str) -> IPv4Address | IPv6Address:
    """An address however it is spelled; of IPv4 also where it is written as IPv6, or all of them were one block."""
    found = ip_address(address)
    return getattr(found, "ipv4_mapped", None) or found


def address_hash(address: str) -> str:
    """A network address as stored: keyed, under a key that changes each month."""
    return keyed_hash(address, f"address {timezone.now():%Y-%m}") if address else ""


def purge() -> int:
    """Delete the counts of days gone by and say how many there were."""
    return days_over(timezone.now()).delete()[0]


def days_over(at: datetime) -> QuerySet[DayCount]:
    return DayCount.objects.filter(day__lt=at.astimezone(UTC).date() - timedelta(days=1))


def watch_failures() -> bool:
    """Turn the questions off when more tries failed in the last hour than five times the hourly mean of a week.

    Says whether it did. Tries that failed before the questions were last turned on are forgiven, or they would turn
    them off at once again.
    """
    if not switch.questions_on():
        return False
    now = timezone.now()
    hour_ago, last = now - timedelta(hours=1), switch.last_turn()
    lately = failures().filter(finished_at__gt=max(hour_ago, last.at) if last else hour_ago).count()
    before = failures().filter(finished_at__gt=hour_ago - ALARM_SPAN, finished_at__lte=hour_ago).count()
    mean = before / (ALARM_SPAN / timedelta(hours=1))
    if lately < FEWEST_FOR_ALARM or lately <= ALARM_FACTOR * mean:
        return False
    log.error("challenge_failures", last_hour=lately, hourly_mean=round(mean, 2))
    switch.turn(
        on=False, by=None, why=f"{lately} tries failed in an hour, {mean:.1f} an hour in the week before"
    )
    return True


def failures() -> QuerySet[Challenge]:
    """The tries of the questions that count for the alarm: wrong, or out of time."""
    return Challenge.objects.filter(verdict__in=[Challenge.Verdict.FAILED, Challenge.Verdict.TIMED_OUT])


def failures_by_hour(now: datetime) -> list[tuple[datetime, int]]:
    """How many tries failed in each hour of the last seven days, the hour that runs last; hours of the site's zone."""
    first = now.replace(minute=0, second=0, microsecond=0) - ALARM_SPAN + timedelta(hours=1)
    hours = TruncHour("finished_at", tzinfo=UTC)
    rows = failures().filter(finished_at__gte=first).values_list(hours).annotate(count=Count("pk"))
    counted = dict(rows.order_by())
    each = [first.astimezone(UTC) + timedelta(hours=hour) for hour in range(ALARM_SPAN // timedelta(hours=1))]
    return [(timezone.localtime(hour), counted.get(hour, 0)) for hour in each]


def _left(key: str, most: int) -> int:
    today = DayCount.objects.filter(key_hash=key, day=timezone.now().date())
    return max(0, most - (today.values_list("count", flat=True).first() or 0))


def _count(key_hash: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO verification_daycount AS counted (key_hash, day, count) VALUES (%s, %s, 1)"
            " ON CONFLICT (key_hash, day) DO UPDATE SET count = counted.count + 1 RETURNING count",
            [key_hash, timezone.now().date()],
        )
        return cursor.fetchone()[0]


def _give_back(key_hash: str, day: date) -> None:
    counted = DayCount.objects.filter(key_hash=key_hash, day=day)
    if not counted.filter(count=1).delete()[0]:
        counted.filter(count__gt=1).update(count=F("count") - 1)


def _sends_of(user: User) -> str:
    return keyed_hash(str(user.pk), "codes of a day")


def _sends_to(target: str) -> str:
    return keyed_hash(target.lower(), "codes to a number of a day")
