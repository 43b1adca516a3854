"""Seeing a job through on the command line."""

import time

import pytest

from jobs import actions
from jobs.foreground import Interrupted, see_through
from jobs.models import Job
from jobs.progress import Progress
from tests.jobs.conftest import Trade


def press_ctrl_c(*_args: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def claimed(job: Job) -> Job:
    """A job that a worker is at."""
    claimed = actions.claim(job_id=job.pk)
    assert claimed is not None
    return claimed


def test_a_queued_job_is_carried_out_here(job: Job, trade: Trade) -> None:
    see_through(job, ours=True)
    assert (job.status, trade.calls) == ("done", 1)


def test_a_job_that_a_worker_is_at_is_waited_for(
    claimed: Job, trade: Trade, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: Progress(claimed).complete(lambda: None))
    looks: list[int] = []
    see_through(claimed, ours=False, before_looking=lambda: looks.append(1))
    assert (claimed.status, trade.calls, looks) == ("done", 0, [1])
    assert capsys.readouterr().err.count("Waiting for another process to finish.") == 1


def test_ctrl_c_cancels_what_is_carried_out_here(job: Job, trade: Trade) -> None:
    trade.work = press_ctrl_c
    with pytest.raises(Interrupted):
        see_through(job, ours=False)
    job.refresh_from_db()
    assert job.status == "cancelled"


@pytest.mark.parametrize(("ours", "asked"), [(True, True), (False, False)])
def test_ctrl_c_while_waiting_cancels_only_what_is_ours(
    claimed: Job, monkeypatch: pytest.MonkeyPatch, ours: bool, asked: bool
) -> None:
    monkeypatch.setattr(time, "sleep", press_ctrl_c)
    with pytest.raises(Interrupted):
        see_through(claimed, ours=ours)
    claimed.refresh_from_db()
    assert (claimed.status, claimed.cancel_requested) == ("running", asked)


def test_a_job_whose_worker_died_is_taken_over(claimed: Job, trade: Trade, monkeypatch: pytest.MonkeyPatch) -> None:
    def let_the_lease_run_out(_seconds: float) -> None:
        Job.objects.filter(pk=claimed.pk).update(lease_until=claimed.created_at)

    monkeypatch.setattr(time, "sleep", let_the_lease_run_out)
    see_through(claimed, ours=False)
    assert (claimed.status, claimed.attempt, trade.calls) == ("done", 2, 1)
