import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts.models import Workspace
from jobs import actions, handlers
from jobs.actions import SweepReport, sweep
from jobs.models import Job
from tests.jobs.conftest import Trade

Committed = Callable[[], AbstractContextManager[object]]
NOW = timezone.now()


def later(seconds: float) -> time_machine.travel:
    return time_machine.travel(NOW + timedelta(seconds=seconds), tick=False)


@pytest.fixture
def abandoned(job: Job) -> Job:
    """A job whose worker claimed it now and fell silent."""
    with later(0):
        claimed = actions.claim(job_id=job.pk)
    assert claimed is not None
    return claimed


def test_a_job_with_a_standing_lease_is_left_alone(abandoned: Job) -> None:
    assert sweep(now=NOW + timedelta(seconds=59)) == SweepReport()
    abandoned.refresh_from_db()
    assert abandoned.status == "running"


def test_a_job_whose_lease_ran_out_is_queued_again_and_rung_for(
    abandoned: Job, doorbell: list[int], committed: Committed
) -> None:
    with committed():
        assert sweep(now=NOW + timedelta(seconds=61)) == SweepReport(requeued=1, rung=1)
    abandoned.refresh_from_db()
    assert (abandoned.status, abandoned.attempt, doorbell) == ("queued", 1, [abandoned.pk])


@pytest.mark.parametrize("attempt", [1, actions.MAX_ATTEMPTS])
def test_a_heartbeat_between_the_sweeps_look_and_its_write_wins(
    abandoned: Job, monkeypatch: pytest.MonkeyPatch, attempt: int
) -> None:
    Job.objects.filter(pk=abandoned.pk).update(attempt=attempt)
    recover = actions._recover

    def renew_first(job: Job, now: datetime) -> str | None:
        with later(61):
            assert actions.renew_lease(job=abandoned)
        return recover(job, now)

    monkeypatch.setattr(actions, "_recover", renew_first)
    assert sweep(now=NOW + timedelta(seconds=61)) == SweepReport()
    abandoned.refresh_from_db()
    assert (abandoned.status, abandoned.fence) == ("running", 1)


def test_a_job_is_given_up_when_its_worker_stopped_for_the_third_time(job: Job, trade: Trade) -> None:
    for attempt in (1, 2, 3):
        with later(100 * attempt):
            assert actions.claim(job_id=job.pk) is not None
        sweep(now=NOW + timedelta(seconds=100 * attempt + 61))
    job.refresh_from_db()
    assert (job.status, job.error_code, job.attempt) == ("failed", "worker_lost", 3)
    assert job.error.startswith("The worker stopped three times")
    assert trade.ended == [(job.pk, "failed")]


def test_an_abandoned_job_that_was_to_be_cancelled_is_cancelled(abandoned: Job, trade: Trade) -> None:
    actions.request_cancel(job=abandoned, by=None)
    assert sweep(now=NOW + timedelta(seconds=61)) == SweepReport(cancelled=1)
    assert trade.ended == [(abandoned.pk, "cancelled")]


def test_a_doorbell_that_nobody_answers_rings_again_every_30_seconds(
    workspace: Workspace, doorbell: list[int], committed: Committed
) -> None:
    with later(0):
        job = actions.submit(workspace=workspace, kind="test", ring=False)
    with committed():
        rings = [sweep(now=NOW + timedelta(seconds=seconds)).rung for seconds in (29, 31, 40, 60, 62)]
    assert rings == [0, 1, 0, 0, 1]
    assert doorbell == [job.pk, job.pk]


def test_finished_jobs_are_not_looked_at(job: Job) -> None:
    """As many finished jobs as you like cost a sweep nothing: both of its searches go through an index of states."""
    plans = [
        Job.objects.filter(status="running", lease_until__lt=NOW).explain(),
        Job.objects.filter(status="queued", rung_at=None).explain(),
    ]
    by_state = re.compile(r"USING INDEX job_status_\w+ \(status=\?")
    assert connection.vendor != "sqlite" or all(by_state.search(plan) for plan in plans)


def test_a_sweeper_that_fails_keeps_no_other_from_its_turn(
    trade: Trade, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, db: None
) -> None:
    swept: list[str] = []

    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(handlers, "_sweepers", [])
    handlers.register_sweeper(fail)
    handlers.register_sweeper(lambda: swept.append("second"))
    sweep()
    assert swept == ["second"]
    assert "ZeroDivisionError" in caplog.text


def test_a_job_that_cannot_be_ended_does_not_keep_others_from_being_recovered(
    workspace: Workspace, trade: Trade, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_job: Job) -> None:
        raise ZeroDivisionError

    broken = handlers.Handler(execute=trade.execute, on_end=fail)
    monkeypatch.setitem(handlers._handlers, "broken", broken)
    with later(0):
        for kind in ("broken", "test"):
            job = actions.submit(workspace=workspace, kind=kind, ring=False)
            Job.objects.filter(pk=job.pk).update(attempt=2)
            assert actions.claim(job_id=job.pk) is not None
    assert sweep(now=NOW + timedelta(seconds=61)) == SweepReport(failed=1)
    assert list(Job.objects.order_by("pk").values_list("kind", "status")) == [("broken", "running"), ("test", "failed")]
    assert "Could not recover job" in caplog.text
