"""A mail server that is slow or away takes few of a worker's threads: what is due, and runs, go on beside it."""

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache
from django.utils import timezone

from jobs.handlers import JobDeferred

# Nobody tries a server again so soon after it could not be reached: each try costs a thread its time limit.
PAUSE = dt.timedelta(seconds=30)
REMEMBERED = dt.timedelta(days=1)  # without anybody's trying
SECONDS_TO_WAIT = 0.5  # for another thread's mail; most servers take one sooner
_AWAY = "reports.deliveries.server_is_away"
_speaking = threading.Lock()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """The context to speak to the mail server in: one thread of a process is in it.

    Raises JobDeferred if another one takes its time: the job waits in the queue, and the thread is free.
    """
    if not _speaking.acquire(timeout=SECONDS_TO_WAIT):
        raise JobDeferred
    try:
        yield
    finally:
        _speaking.release()


def is_away() -> bool:
    """Whether the mail server could not be reached a moment ago: nobody tries now."""
    quiet_until = cache.get(_AWAY)
    return quiet_until is not None and bool(timezone.now() < quiet_until)


def may_be_away() -> bool:
    """Whether the mail server could not be reached when it was last tried: one mail at a time finds out."""
    return cache.get(_AWAY) is not None


def note_away() -> None:
    """Remember, for all processes, that the mail server could not be reached just now."""
    cache.set(_AWAY, timezone.now() + PAUSE, REMEMBERED.total_seconds())


def note_reached() -> None:
    """Remember that it could."""
    cache.delete(_AWAY)
