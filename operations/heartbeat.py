"""Workers and schedulers leave a mark in the database every half minute, by which the status page knows that they live.

In the database, as without Redis there is neither a cache that processes share nor Celery's remote control. A worker's
mark comes from a thread of its own, so that one that is busy lives; a scheduler's when it has published something, so
that one that hangs does not.
"""

import logging
import os
import socket
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

from celery import current_app, signals
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone as clock

from operations.models import Heartbeat

logger = logging.getLogger(__name__)

SECONDS_BETWEEN = 30
SECONDS_TO_END = 5
FORGOTTEN_AFTER = timedelta(days=1)


def mark(
    *, name: str, kind: Heartbeat.Kind, started_at: datetime, heard_at: datetime | None = None, queues: str = ""
) -> None:
    """Note that a process lives. Raises nothing: its work is worth more than its mark."""
    seen = {"started_at": started_at, "seen_at": clock.now(), "heard_at": heard_at}
    fields = {"kind": kind, "queues": queues, **seen}
    try:
        if settings.HEARTBEAT_FILE:
            Path(settings.HEARTBEAT_FILE).touch()  # also while the database is away: starting again would not help
        Heartbeat.objects.update_or_create(name=name, defaults=fields)
    except (DatabaseError, InterfaceError, OSError):
        logger.warning("The heartbeat of %s could not be written", name, exc_info=True)


def forget(*, name: str) -> None:
    """Take back the mark of a process that ends in good order, and those of processes that have been gone for a day."""
    try:
        Heartbeat.objects.filter(name=name).delete()
        Heartbeat.objects.filter(seen_at__lt=clock.now() - FORGOTTEN_AFTER).delete()
    except (DatabaseError, InterfaceError):
        logger.warning("The heartbeat of %s could not be taken back", name, exc_info=True)


def name_of(kind: Heartbeat.Kind) -> str:
    """Return what this process is called among the marks."""
    return f"{kind} {socket.gethostname()} {os.getpid()}"


class _Worker:
    """The thread of a worker's main process that marks it, and what it hears of meanwhile."""

    def __init__(self, queues: str) -> None:
        self.name = name_of(Heartbeat.Kind.WORKER)
        self._queues = queues
        self.heard_at: datetime | None = None
        self._started_at = clock.now()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="worker-heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(SECONDS_TO_END)

    def _beat(self) -> None:
        while True:
            mark(
                name=self.name,
                kind=Heartbeat.Kind.WORKER,
                started_at=self._started_at,
                heard_at=self.heard_at,
                queues=self._queues,
            )
            connection.close()  # half a minute of an open connection serves nobody
            if self._stopped.wait(SECONDS_BETWEEN):
                forget(name=self.name)
                connection.close()
                return


class _Scheduler:
    """A scheduler marks itself where it publishes, every half minute at most."""

    def __init__(self) -> None:
        self.name = name_of(Heartbeat.Kind.SCHEDULER)
        self._started_at = clock.now()
        self._marked: float | None = None

    def published(self) -> None:
        now = time.monotonic()
        if self._marked is None or now - self._marked >= SECONDS_BETWEEN:
            self._marked = now
            mark(name=self.name, kind=Heartbeat.Kind.SCHEDULER, started_at=self._started_at)


_workers: list[_Worker] = []
_schedulers: list[_Scheduler] = []


def connect() -> None:
    """Have Celery tell of the beginning and the end of its processes; nothing happens in any other process."""
    signals.worker_ready.connect(_worker_is_ready)
    signals.task_received.connect(_worker_has_heard)
    signals.worker_shutdown.connect(_worker_ends)
    signals.beat_init.connect(_scheduler_begins)
    signals.after_task_publish.connect(_something_is_published)


def _worker_is_ready(**_signal: object) -> None:
    worker = _Worker(",".join(sorted(current_app.amqp.queues.consume_from)))
    _workers.append(worker)
    worker.start()


def _worker_has_heard(**_signal: object) -> None:
    for worker in _workers:
        worker.heard_at = clock.now()


def _worker_ends(**_signal: object) -> None:
    while _workers:
        _workers.pop().stop()


def _scheduler_begins(**_signal: object) -> None:
    _schedulers.append(_Scheduler())


def _something_is_published(**_signal: object) -> None:
    for scheduler in _schedulers:
        scheduler.published()
