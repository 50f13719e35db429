"""Redis as a cache that may be missing."""

import structlog
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
THROTTLES = "allauth:rl:"  # what must still count while Redis is away


def _forgiving(method: str, miss):
    """Wrap a method of RedisCache: a Redis error is a miss, or for a throttle the same call on the database's table."""

    def call(self, key, *args, **kwargs):
        try:
            return getattr(RedisCache, method)(self, key, *args, **kwargs)
        except RedisError as error:
            log.warning("cache_unavailable", method=method, error=type(error).__name__)
            if isinstance(key, str) and key.startswith(THROTTLES):
                return getattr(caches["throttles"], method)(key, *args, **kwargs)
            return miss(key, *args, **kwargs)

    call.__name__ = method
    return call


class ForgivingRedisCache(RedisCache):
    """The site reads and writes without its cache; only the log shows it."""

    get = _forgiving("get", lambda key, default=None, version=None: default)
    get_many = _forgiving("get_many", lambda *args, **kwargs: {})
    set = _forgiving("set", lambda *args, **kwargs: None)
    set_many = _forgiving("set_many", lambda *args, **kwargs: [])
    add = _forgiving("add", lambda *args, **kwargs: True)
    incr = _forgiving("incr", lambda *args, **kwargs: 1)
    touch = _forgiving("touch", lambda *args, **kwargs: False)
    delete = _forgiving("delete", lambda *args, **kwargs: False)
    delete_many = _forgiving("delete_many", lambda *args, **kwargs: None)
    has_key = _forgiving("has_key", lambda *args, **kwargs: False)

    def clear(self):
        try:
            return super().clear()
        except RedisError as error:
            log.warning("cache_unavailable", method="clear", error=type(error).__name__)
            return False
