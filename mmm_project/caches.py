"""The cache of a production installation."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
T = TypeVar("T")


class ForgivingRedisCache(RedisCache):
    """Redis as a cache that may be missed: while it cannot be reached, nothing is found and nothing is kept.

    So people can still sign in then, though guesses at passwords are not counted; the log says so.
    """

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _or_else(lambda: super(ForgivingRedisCache, self).get(key, default, version), default)

    def set(self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        _or_else(lambda: super(ForgivingRedisCache, self).set(key, value, timeout, version), None)

    def add(self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        # django-allauth takes a lock this way, and waits for a False to become True.
        return _or_else(lambda: super(ForgivingRedisCache, self).add(key, value, timeout, version), True)

    def delete(self, key: Any, version: int | None = None) -> bool:
        return _or_else(lambda: super(ForgivingRedisCache, self).delete(key, version), False)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Count. Raises ValueError where there is nothing to count on, as Django says it."""
        counted = _or_else(lambda: super(ForgivingRedisCache, self).incr(key, delta, version), None)
        if counted is None:
            raise ValueError(f"The cache has no {key}.")
        return counted

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        return _or_else(lambda: super(ForgivingRedisCache, self).get_many(keys, version), {})


def _or_else(act: Callable[[], T], otherwise: T) -> T:
    try:
        return act()
    except RedisError as error:
        logger.error("The cache cannot be reached, so attempts to sign in and API calls are not counted: %s", error)
        return otherwise
