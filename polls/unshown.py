"""Votes by dimension that may not be shown yet, in the memory of Redis: no database, backup or log holds a single one.

Nothing durable hangs on it. What Redis loses is missing in a breakdown, where it stays among the votes that belong to
no value, and nowhere else.
"""

from collections.abc import Iterable
from functools import cache

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from polls.cells import Cells

log = structlog.get_logger(__name__)
BETWEEN = "\x1f"  # of dimension, value and option in the name of a number
KEPT_DAYS = 40  # longer than any poll is open

# Counts without a line in the append-only file, which would list votes in their order, each with all that is known of
# its voter. A server that starts anew has lost what was counted since the file was last written afresh.
COUNT = """
redis.set_repl(redis.REPL_NONE)
for number = 3, #ARGV do
    redis.call('HINCRBY', KEYS[1], ARGV[number], ARGV[1])
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
"""


@cache
def memory() -> redis.Redis:
    return redis.Redis.from_url(
        settings.CACHES["default"]["LOCATION"],
        decode_responses=True,
        socket_timeout=2,
        socket_connect_timeout=2,
        retry=Retry(NoBackoff(), 0),  # nobody waits for it, least of all under a lock
    )


def _key(poll_id: int) -> str:
    return f"{settings.CACHES['default']['KEY_PREFIX']}:poll:{poll_id}:unshown"


def add(poll_id: int, facts: dict[str, str], options: Iterable[int], by: int = 1) -> None:
    """Count a vote under each value its voter has. Redis being away is logged and no error."""
    names = [
        BETWEEN.join((dimension, value, str(option)))
        for dimension, value in facts.items()
        for option in options
    ]
    try:
        memory().eval(COUNT, 1, _key(poll_id), by, KEPT_DAYS * 86_400, *names)
    except redis.RedisError as error:
        log.warning("unshown_votes_lost", error=type(error).__name__)


def read(poll_id: int, options: int) -> dict[str, Cells]:
    """The numbers by dimension and value; nothing where Redis is away."""
    try:
        found = memory().hgetall(_key(poll_id))
    except redis.RedisError as error:
        log.warning("unshown_votes_unread", error=type(error).__name__)
        return {}
    cells: dict[str, Cells] = {}
    for name, number in found.items():
        dimension, value, option = name.split(BETWEEN)
        if int(option) < options:
            numbers = cells.setdefault(dimension, {}).setdefault(value, [0] * options)
            numbers[int(option)] = int(number)
    return cells


def take(poll_id: int, dimension: str, portions: Cells) -> bool:
    """Subtract what is shown from now on, before it is written down: rather lost than counted twice."""
    try:
        with memory().pipeline() as line:
            for value, numbers in portions.items():
                for option, number in enumerate(numbers):
                    if number:
                        line.hincrby(_key(poll_id), BETWEEN.join((dimension, value, str(option))), -number)
            line.expire(_key(poll_id), KEPT_DAYS * 86_400)
            line.execute()
    except redis.RedisError as error:
        log.warning("unshown_votes_not_taken", error=type(error).__name__)
        return False
    return True


def has(poll_id: int) -> bool:
    """Whether anything of a poll stands there; True where Redis cannot say."""
    try:
        return bool(memory().exists(_key(poll_id)))
    except redis.RedisError as error:
        log.warning("unshown_votes_unread", error=type(error).__name__)
        return True


def forget(poll_id: int) -> None:
    """Delete what was never shown, once a poll has closed."""
    try:
        memory().delete(_key(poll_id))
    except redis.RedisError as error:
        log.warning("unshown_votes_not_deleted", error=type(error).__name__)
