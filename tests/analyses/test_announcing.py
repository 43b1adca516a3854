"""Webhooks are told that a run has ended: once, when it is committed, and only of runs that people asked for."""

import pytest
from pytest_django.fixtures import Settings

from accounts.models import Workspace
from analyses import registry, runs
from analyses.errors import AnalysisError
from analyses.models import Run
from jobs import actions
from jobs.progress import Progress
from tests.analyses.conftest import Ask, Sums, carry_out
from tests.webhooks.steps import an_endpoint, told


@pytest.fixture(autouse=True)
def _listener(workspace: Workspace, settings: Settings) -> None:
    settings.SITE_URL = "https://mmm.example.com"
    an_endpoint(workspace)


def data_of(run: Run, status: str) -> dict[str, object]:
    url = f"https://mmm.example.com/api/v1/runs/{run.pk}/"
    return {"id": str(run.pk), "kind": "sums", "status": status, "url": url}


def test_a_run_that_is_done_is_told_once(ask: Ask) -> None:
    run = ask()
    assert told() == []
    carry_out(run)
    carry_out(run)
    assert told() == [("run.finished", data_of(run, "done"))]


def test_so_is_one_that_has_failed(ask: Ask, sums: Sums) -> None:
    def fail(_progress: Progress) -> None:
        raise AnalysisError("No conversions.")

    sums.work = fail
    run = carry_out(ask())
    assert run.job.error == "No conversions."
    assert told() == [("run.finished", data_of(run, "failed"))]


def test_so_is_one_that_was_cancelled(ask: Ask) -> None:
    run = ask()
    actions.request_cancel(job=run.job, by=None)
    assert told() == [("run.finished", data_of(run, "cancelled"))]


def test_what_the_product_asks_itself_is_nothing_for_others(
    workspace: Workspace, sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_kinds", {"sums": sums.kind(internal=True)})
    run = runs.request_run(workspace=workspace, kind="sums", params={}, by=None, trigger=Run.Trigger.DATA)
    assert carry_out(run).job.status == "done"
    assert told() == []


def test_a_run_whose_end_is_not_committed_is_not_told(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    run, store = ask(), runs._store

    def store_and_fail(*args: object) -> None:
        store(*args)  # type: ignore[arg-type]
        assert len(told()) == 1
        raise OSError("The disk is gone.")

    monkeypatch.setattr(runs, "_store", store_and_fail)
    run = carry_out(run)
    assert [data["status"] for _type, data in told()] == ["failed"]
