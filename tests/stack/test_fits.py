"""Media mix models on a real installation: fitted by a child of the worker, and stopped with their job."""

import time

import pytest

from tests.stack.stacks import Stack, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("installations")]
FITTING = ("Compiling", "Warming up", "Drawing", "Trying it on periods held back")


def test_a_model_is_fitted_by_a_child_of_the_worker(stack: Stack) -> None:
    stack.client("fit", 1)
    wait_for("the fit", lambda: stack.fitted(1)[0] not in ("queued", "running"), seconds=120)
    status, _phase, result = stack.fitted(1)
    assert status == "done"
    assert result["diagnostics"]["converged"]
    assert [channel["channel"] for channel in result["channels"]] == ["TV", "Search"]


def test_a_fit_is_cancelled_within_10_seconds_and_leaves_nothing(stack: Stack) -> None:
    stack.client("fit", 2)
    wait_for("it fits", lambda: stack.fitted(2)[1] in FITTING, seconds=60)
    asked_at = time.monotonic()
    stack.client("cancel_fit", 2)
    wait_for("it stopped", lambda: stack.fitted(2)[0] == "cancelled", seconds=10)
    assert time.monotonic() - asked_at < 10
    assert stack.fitted(2)[2] is None
    wait_for("its directory is gone", lambda: not list(stack.directory.glob("children/*.*.*")), seconds=10)
