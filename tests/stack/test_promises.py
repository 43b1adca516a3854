"""What an installation promises about a run that it has accepted, under parallel requests, kills and cancellations."""

import os
import signal
from datetime import datetime

import pytest

from tests.stack.stacks import Production, Stack, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("installations")]


def test_24_identical_requests_at_once_are_one_run_and_one_computation(stack: Stack) -> None:
    run_ids = stack.client("ask", "parallel", 24)
    assert len(run_ids) == 24
    assert len(set(run_ids)) == 1
    stack.open_gate("parallel")
    stack.wait_until("parallel", "done")
    assert stack.job("parallel") == ("done", 1, "")
    assert stack.diary("parallel") == ["started"]


def test_a_run_whose_worker_is_killed_is_finished_by_another_attempt_once(stack: Stack) -> None:
    stack.client("ask", "killed")
    wait_for("the first attempt", lambda: stack.diary("killed"))
    stack.kill_worker()
    wait_for("the second attempt", lambda: stack.diary("killed") == ["started", "started"])
    stack.open_gate("killed")
    stack.wait_until("killed", "done")
    assert stack.job("killed") == ("done", 2, "")
    assert stack.diary("killed") == ["started", "started"]


def test_a_running_run_is_cancelled_within_5_seconds(stack: Stack) -> None:
    stack.client("ask", "cancelled")
    wait_for("it runs", lambda: stack.diary("cancelled"))
    stack.client("cancel", "cancelled")
    stack.wait_until("cancelled", "cancelled")
    assert stack.diary("cancelled") == ["started", "JobCancelled"]
    ((ended_at,),) = stack.rows("SELECT max(finished_at) FROM jobs_job WHERE status = 'cancelled'")
    ((asked_at,),) = stack.rows("SELECT max(at) FROM accounts_auditevent WHERE action = 'job.cancelled'")
    took = datetime.fromisoformat(str(ended_at)) - datetime.fromisoformat(str(asked_at))
    assert 0 <= took.total_seconds() < 5
    ((results,),) = stack.rows("SELECT count(*) FROM analyses_run WHERE void AND result IS NOT NULL")
    assert results == 0


def test_a_job_that_is_delivered_50_times_is_carried_out_once(stack: Stack) -> None:
    stack.client("ask", "duplicated")
    stack.client("ring", "duplicated", 50)
    stack.open_gate("duplicated")
    stack.wait_until("duplicated", "done")
    stack.client("ask", "after-duplicates")
    stack.open_gate("after-duplicates")
    stack.wait_until("after-duplicates", "done")
    assert stack.job("duplicated") == ("done", 1, "")
    assert stack.diary("duplicated") == ["started"]


def test_a_run_that_kills_every_worker_is_given_up_after_the_third(stack: Stack) -> None:
    stack.client("ask", "poison", poison=True)
    stack.wait_until("poison", "failed")
    assert stack.job("poison") == ("failed", 3, "worker_lost")
    assert stack.diary("poison") == ["started"] * 3


def test_a_worker_that_was_frozen_past_its_lease_writes_nothing(stack: Stack) -> None:
    if not isinstance(stack, Production):
        pytest.skip("the embedded default has a single worker")
    stack.client("ask", "frozen")
    wait_for("it runs", lambda: stack.diary("frozen"))
    frozen = stack.worker
    os.killpg(frozen.pid, signal.SIGSTOP)
    stack.worker = stack.start_worker()
    wait_for("the second attempt", lambda: stack.diary("frozen") == ["started", "started"])
    os.killpg(frozen.pid, signal.SIGCONT)
    wait_for("the first notices", lambda: "LeaseLost" in stack.diary("frozen"))
    assert stack.job("frozen")[:2] == ("running", 2)
    stack.open_gate("frozen")
    stack.wait_until("frozen", "done")
    assert stack.diary("frozen") == ["started", "started", "LeaseLost"]
    os.killpg(frozen.pid, signal.SIGKILL)


def test_nothing_is_left_running_for_good(stack: Stack) -> None:
    """Whatever the other tests have killed before this one: each job gets to an end."""
    for name in ("left-1", "left-2"):
        stack.client("ask", name)
        stack.open_gate(name)
    stack.kill_worker()
    unfinished = "SELECT count(*) FROM jobs_job WHERE status IN ('queued', 'running')"
    wait_for("every job has ended", lambda: stack.rows(unfinished) == [(0,)])
    assert stack.job("left-1")[0] == stack.job("left-2")[0] == "done"
