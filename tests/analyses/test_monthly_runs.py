"""Runs a month: what counts, when the month begins, and what is refused once they are used up."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.db.models import QuerySet
from django.test import Client

from accounts import usage
from accounts.models import Plan, User, Workspace
from analyses import monthly_runs, runs
from analyses.errors import AnalysisError
from analyses.models import Run
from jobs import actions
from jobs.models import Job
from jobs.progress import Progress
from mmm_project.problems import QuotaExceeded
from tests.analyses.conftest import Ask, Sums, carry_out
from tests.factories import WorkspaceFactory

ClientFor = Callable[[User | None], Client]


@pytest.fixture
def two_a_month(workspace: Workspace) -> Workspace:
    """The workspace, on a plan with two runs a month."""
    Plan.objects.filter(code="starter").update(runs_a_month=2)
    return Workspace.objects.get(pk=workspace.pk)


def test_the_run_beyond_the_plan_is_refused_before_anything_is_written(ask: Ask, two_a_month: Workspace) -> None:
    for term in (1, 2):
        ask(terms=[term], workspace=two_a_month)
    with pytest.raises(
        QuotaExceeded, match=r"includes 2 runs a month, and this workspace has asked for 2\."
    ) as refusal:
        ask(terms=[3], workspace=two_a_month)
    said = refusal.value.as_json()
    assert (said["quota"], said["plan"], said["limit"], said["used"], said["unlocked_by"]) == (
        "runs_a_month",
        "starter",
        2,
        2,
        "professional",
    )
    assert (Run.objects.count(), Job.objects.count()) == (2, 2)


def test_an_answer_that_is_there_costs_nothing(ask: Ask, two_a_month: Workspace) -> None:
    first = ask(terms=[1], workspace=two_a_month)
    assert ask(terms=[1], workspace=two_a_month).pk == first.pk
    ask(terms=[2], workspace=two_a_month)
    assert ask(terms=[1], workspace=two_a_month).pk == first.pk


def test_who_asked_the_same_at_the_same_moment_gets_the_last_run(
    ask: Ask, two_a_month: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other request takes the month's last run between our look and our count."""
    ask(terms=[1], workspace=two_a_month)
    theirs: list[Run] = []
    look = QuerySet.first

    def look_too_early(_standing: QuerySet[Run]) -> None:
        monkeypatch.setattr(QuerySet, "first", look)
        theirs.append(ask(terms=[2], workspace=two_a_month))

    monkeypatch.setattr(QuerySet, "first", look_too_early)
    assert ask(terms=[2], workspace=two_a_month).pk == theirs[0].pk


def test_the_last_run_is_counted_while_the_workspace_is_locked(
    ask: Ask, two_a_month: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two who ask for the last run at once: the second one counts when the first one is in."""
    steps: list[str] = []
    rows: Any = type(Workspace.objects.all())
    lock, count = rows.select_for_update, monthly_runs.runs_this_month

    def locking(*args: Any, **options: Any) -> Any:
        steps.append("lock")
        return lock(*args, **options)

    def counting(workspace: Workspace) -> int:
        steps.append("count")
        return count(workspace)

    monkeypatch.setattr(rows, "select_for_update", locking)
    monkeypatch.setattr(monthly_runs, "runs_this_month", counting)
    ask(workspace=two_a_month)
    assert steps == ["lock", "count"]


def test_without_a_limit_nobody_waits_for_anybody(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monthly_runs, "runs_this_month", lambda _workspace: pytest.fail("counted"))
    ask()
    assert Run.objects.count() == 1


def test_what_new_data_bring_about_does_not_count(
    ask: Ask, sums: Sums, two_a_month: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "analyses.registry._kinds", {"sums": sums.kind(), "inner": sums.kind(name="inner", internal=True)}
    )

    def refresh(term: int) -> Run:
        return runs.request_run(
            workspace=two_a_month, kind="inner", params={"terms": [term]}, by=None, trigger=Run.Trigger.DATA
        )

    for term in range(4):
        refresh(term)
    ask(terms=[1], workspace=two_a_month)
    ask(terms=[2], workspace=two_a_month)
    refresh(9)
    assert monthly_runs.runs_this_month(two_a_month) == 2


@pytest.mark.parametrize("trigger", [trigger for trigger in Run.Trigger if trigger != Run.Trigger.DATA])
def test_whoever_asks_it_counts(ask: Ask, two_a_month: Workspace, trigger: str) -> None:
    runs.request_run(workspace=two_a_month, kind="sums", params={}, by=None, trigger=Run.Trigger(trigger))
    assert monthly_runs.runs_this_month(two_a_month) == 1


def test_a_run_that_failed_does_not_count_and_one_that_was_cancelled_does(
    ask: Ask, sums: Sums, two_a_month: Workspace
) -> None:
    def fail(_progress: Progress) -> None:
        raise AnalysisError("No conversions in June.", code="no_conversions")

    sums.work = fail
    carry_out(ask(terms=[1], workspace=two_a_month))
    assert monthly_runs.runs_this_month(two_a_month) == 0
    actions.request_cancel(job=ask(terms=[2], workspace=two_a_month).job, by=None)
    assert monthly_runs.runs_this_month(two_a_month) == 1


def test_the_month_is_that_of_the_workspaces_calendar(ask: Ask, two_a_month: Workspace) -> None:
    Workspace.objects.update(timezone="Pacific/Auckland")  # twelve hours ahead of UTC in July
    auckland = Workspace.objects.get(pk=two_a_month.pk)
    with time_machine.travel(dt.datetime(2026, 6, 30, 11, 59, tzinfo=dt.UTC), tick=False):
        ask(terms=[1], workspace=auckland)
        ask(terms=[2], workspace=auckland)
        with pytest.raises(QuotaExceeded, match="from 1 July on"):
            ask(terms=[3], workspace=auckland)
    with time_machine.travel(dt.datetime(2026, 6, 30, 12, 0, tzinfo=dt.UTC), tick=False):
        assert monthly_runs.runs_this_month(auckland) == 0
        ask(terms=[3], workspace=auckland)


def test_others_runs_do_not_count(ask: Ask, two_a_month: Workspace) -> None:
    elsewhere = WorkspaceFactory.create()
    ask(terms=[1], workspace=elsewhere)
    assert monthly_runs.runs_this_month(two_a_month) == 0


def test_a_downgrade_keeps_results_and_refuses_new_runs(
    ask: Ask, workspace: Workspace, viewer: User, client_for: ClientFor
) -> None:
    run = carry_out(ask(terms=[4], workspace=workspace))
    Plan.objects.filter(code="starter").update(runs_a_month=0)
    with pytest.raises(QuotaExceeded):
        ask(terms=[5], workspace=Workspace.objects.get(pk=workspace.pk))
    client = client_for(viewer)
    assert "The sum is 4.0" in client.get(f"/w/acme/runs/{run.pk}/").text
    assert client.get(f"/w/acme/runs/{run.pk}/export.csv").status_code == 200


def test_the_page_and_the_api_say_what_unlocks_more(
    ask: Ask, workspace: Workspace, analyst: User, client_for: ClientFor
) -> None:
    run = ask(terms=[1])
    Plan.objects.filter(code="starter").update(runs_a_month=1)
    actions.request_cancel(job=run.job, by=None)
    client = client_for(analyst)
    page = client.post(f"/w/acme/runs/{run.pk}/retry/")
    assert page.status_code == 403
    assert "Beyond this plan’s limit" in page.text
    answer = client.post("/api/v1/runs/", {"kind": "sums", "params": {}}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "quota_exceeded")
    assert (answer.json()["limit"], answer.json()["used"]) == (1, 1)


def test_the_usage_counts_them(ask: Ask, two_a_month: Workspace) -> None:
    ask(workspace=two_a_month)
    used = usage.usage_of(two_a_month).runs_this_month
    assert (used.used, used.limit, used.is_full) == (1, 2, False)
