"""Workers and schedulers leave marks by which the status page knows that they live."""

import datetime as dt
import threading
import time

import pytest
import time_machine
from celery import signals
from django.db import DatabaseError
from django.utils import timezone

from operations import heartbeat
from operations.models import Heartbeat

NAME = "worker host 1"


@pytest.mark.django_db
def test_a_mark_is_written_and_renewed_and_taken_back() -> None:
    with time_machine.travel(dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC), tick=False) as traveller:
        began = timezone.now()
        heartbeat.mark(name=NAME, kind=Heartbeat.Kind.WORKER, started_at=began)
        traveller.shift(30)
        heartbeat.mark(name=NAME, kind=Heartbeat.Kind.WORKER, started_at=began, heard_at=timezone.now())
        mark = Heartbeat.objects.get()
        assert (mark.started_at, mark.seen_at, mark.heard_at) == (began, *[began + dt.timedelta(seconds=30)] * 2)
        Heartbeat.objects.create(name="gone", kind="worker", started_at=began, seen_at=began - dt.timedelta(days=2))
        heartbeat.forget(name=NAME)
    assert not Heartbeat.objects.exists()


@pytest.mark.django_db
def test_a_database_that_is_away_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**_fields: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(Heartbeat.objects, "update_or_create", fail)
    monkeypatch.setattr(Heartbeat.objects, "filter", fail)
    heartbeat.mark(name=NAME, kind=Heartbeat.Kind.WORKER, started_at=timezone.now())
    heartbeat.forget(name=NAME)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What was written by the processes of this test: name, and whether it had heard of anything."""
    written: list[tuple[str, bool]] = []

    def note(*, name: str, heard_at: dt.datetime | None = None, **_fields: object) -> None:
        written.append((name.partition(" ")[0], heard_at is not None))

    monkeypatch.setattr(heartbeat, "mark", note)
    monkeypatch.setattr(
        heartbeat, "forget", lambda *, name: written.append((f"end-of-{name.partition(' ')[0]}", False))
    )
    monkeypatch.setattr(heartbeat, "_workers", [])
    monkeypatch.setattr(heartbeat, "_schedulers", [])
    return written


def test_a_worker_marks_itself_from_its_start_to_its_end(
    marks: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "SECONDS_BETWEEN", 0.001)
    monkeypatch.setattr("operations.heartbeat.connection.close", lambda: None)
    signals.worker_ready.send(sender=None)
    signals.task_received.send(sender=None)
    deadline = time.monotonic() + 10
    while ("worker", True) not in marks:
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)
    signals.worker_shutdown.send(sender=None)
    assert marks[-1] == ("end-of-worker", False)
    assert not [thread for thread in threading.enumerate() if thread.name == "worker-heartbeat"]


def test_a_scheduler_marks_itself_when_it_publishes_but_not_each_time(
    marks: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("operations.heartbeat.time.monotonic", lambda: clock[0])
    signals.after_task_publish.send(sender="jobs.tasks.sweep_jobs")
    assert marks == []  # in any other process, such as one that serves pages
    signals.beat_init.send(sender=None)
    for clock[0] in (1.0, 11.0, 21.0, 31.0, 41.0):
        signals.after_task_publish.send(sender="jobs.tasks.sweep_jobs")
    assert marks == [("scheduler", False)] * 2
