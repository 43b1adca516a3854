"""A worker that has grown too large is told to end, and no other process is."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import signals
from pytest_django.fixtures import Settings

from accounts.models import Workspace
from jobs import actions, tasks, worker_memory
from jobs.models import Job
from tests.jobs.conftest import Trade


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The signals to end that this process got, instead of ending."""
    got: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: got.append(number))
    monkeypatch.setattr(worker_memory, "_worker_pid", None)
    yield got
    signal.signal(signal.SIGTERM, before)


def test_a_worker_ends_once_it_is_larger_than_it_may_be(told: list[int], settings: Settings) -> None:
    assert worker_memory._is_worker in [receiver() for _key, receiver in signals.worker_ready.receivers]
    worker_memory._is_worker()
    occupied = worker_memory.resident_bytes(os.getpid()) // 2**20
    settings.WORKER_MEMORY_MB = occupied + 1000
    worker_memory.end_if_too_large()
    assert told == []
    settings.WORKER_MEMORY_MB = occupied - 1
    worker_memory.end_if_too_large()
    assert told == [signal.SIGTERM]


@pytest.mark.django_db
@pytest.mark.parametrize(("queue", "signals_sent"), [(Job.Queue.QUICK, [signal.SIGTERM]), (Job.Queue.FITS, [])])
def test_it_is_looked_at_after_each_quick_job(
    told: list[int],
    settings: Settings,
    tmp_path: Path,
    workspace: Workspace,
    trade: Trade,
    queue: Job.Queue,
    signals_sent: list[int],
) -> None:
    settings.DATA_DIR, settings.WORKER_MEMORY_MB = tmp_path, 1
    worker_memory._is_worker()
    tasks.execute_job(actions.submit(workspace=workspace, kind="test", queue=queue, ring=False).pk)
    assert (trade.calls, told) == (1, signals_sent)


def test_what_is_no_worker_ends_for_nothing(
    told: list[int], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command, or a process of a pool, in whose memory the main process of the worker is known."""
    settings.WORKER_MEMORY_MB = 1
    worker_memory.end_if_too_large()
    monkeypatch.setattr(worker_memory, "_worker_pid", os.getppid())
    worker_memory.end_if_too_large()
    assert told == []


def test_a_process_that_has_ended_occupies_nothing() -> None:
    assert worker_memory.resident_bytes(2**22 + 1) == 0
