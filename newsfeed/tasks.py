import random

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from redis.exceptions import RedisError

from newsfeed import hosts
from newsfeed.services import checking

WAITS_MOST = 600  # seconds, after which a check that was sent and not done is sent again


@shared_task
def check_due_feeds():
    """Send a check of each feed that is due, unless one is on its way."""
    if not settings.NEWS_FETCHED:
        return
    for feed_id in checking.due(timezone.now()):
        if not _note_sent(feed_id, nx=True):
            continue
        try:
            check_feed.apply_async((feed_id,), expires=WAITS_MOST)
        except Exception:
            _forget_sent(feed_id)
            raise


@shared_task(soft_time_limit=120, time_limit=150)
def check_feed(feed_id):
    """Check a feed. Where its host is busy the worker does not wait; the check comes again in a moment."""
    try:
        checking.check(feed_id=feed_id)
    except hosts.NotNow as refusal:
        if refusal.seconds <= hosts.SOON and _note_sent(feed_id):
            wait = refusal.seconds + random.uniform(0.05, 0.5)  # noqa: S311 - not a secret
            check_feed.apply_async((feed_id,), countdown=wait, expires=WAITS_MOST)
            return
    _forget_sent(feed_id)


@shared_task
def send_digests():
    """Write the digests that are due."""
    from newsfeed.services import digests

    digests.send_due()


def _note_sent(feed_id: int, *, nx: bool = False) -> bool:
    """False where it stands already, or Redis cannot say."""
    try:
        return bool(hosts.memory().set(hosts.key_of("sent", feed_id), 1, nx=nx, ex=WAITS_MOST))
    except RedisError:
        return False


def _forget_sent(feed_id: int) -> None:
    """Where Redis is away it is forgotten by itself."""
    try:
        hosts.memory().delete(hosts.key_of("sent", feed_id))
    except RedisError:
        return
