"""A worker that has grown too large ends in good order, before the machine ends it: what libraries keep is freed so."""

import logging
import os
import signal
from pathlib import Path

from celery import signals
from django.conf import settings

logger = logging.getLogger(__name__)

_worker_pid: int | None = None  # of this process, once it is a worker


def connect() -> None:
    """Have Celery say that this process is a worker; in any other one nothing is watched."""
    signals.worker_ready.connect(_is_worker)


def resident_bytes(pid: int) -> int:
    """Return how much memory a process occupies; 0 where the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def end_if_too_large() -> None:
    """Tell this worker to take nothing more and to end once its jobs have, where it is larger than the settings allow.

    Only in a worker whose pool are threads: with a pool of processes, Celery's own limit for each of them serves.
    """
    if _worker_pid != os.getpid():
        return
    occupied = resident_bytes(_worker_pid) // 2**20
    if occupied > settings.WORKER_MEMORY_MB:
        logger.warning("This worker occupies %s MiB, more than %s: it ends", occupied, settings.WORKER_MEMORY_MB)
        os.kill(_worker_pid, signal.SIGTERM)


def _is_worker(**_signal: object) -> None:
    global _worker_pid
    _worker_pid = os.getpid()
