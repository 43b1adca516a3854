"""Questions about media that end without an answer, and what is asked of the child process; nothing is fitted here."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from analyses.models import Run
from analyses.runs import request_run
from jobs.actions import request_cancel
from jobs.children import ChildAnswer
from jobs.execution import execute
from jobs.handlers import JobFailed
from jobs.models import Job
from marketing.importing.dimensions import ensure_channels
from marketing.models import OutcomeValue
from marketing.periods import Period
from tests.weightings.markets import add_outcome, add_spend
from tests.weightings.questions import market
from weightings import computation

ClientFor = Callable[[User | None], Client]


@pytest.fixture
def shop(workspace: Workspace, tmp_path: Path, settings: Settings) -> Workspace:
    """Sixty weeks of sales, and spend on TV and Search."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    add_outcome(workspace)
    add_spend(workspace)
    return workspace


def ask(workspace: Workspace, **params: Any) -> Run:
    return request_run(
        workspace=workspace, kind="weightings", params=params, by=None, trigger=Run.Trigger.CLI, ring=False
    )


def carried_out(workspace: Workspace, **params: Any) -> Run:
    run = ask(workspace, **params)
    execute(job_id=run.job_id)
    return Run.objects.select_related("job", "workspace").get(pk=run.pk)


def test_what_is_reported_are_the_whole_weeks_of_the_period() -> None:
    period = Period(dt.date(2022, 1, 4), dt.date(2022, 1, 30))
    assert computation.window_of(market(), period) == (1, 4)


@pytest.mark.parametrize(
    ("params", "code", "sentence"),
    [
        ({"start": "2022-02-01", "end": "2022-12-31"}, "too_short", "known for 51 whole weeks"),
        ({"granularity": "day"}, "step_too_long", "Choose weeks"),
        ({"start": "2023-02-21", "end": "2023-02-25", "short_allowed": "yes"}, "no_whole_periods", "no whole week"),
        ({"start": "2024-01-01", "end": "2024-02-01"}, "no_whole_periods", "known for 3 Jan 2022"),
        ({"start": "2021-01-01", "end": "2021-02-01"}, "no_values", "has no values in the chosen period"),
        ({"roi": "Radio: 2 (1-3)"}, "no_spend", "A return is expected of “Radio”, which has no spend"),
        ({"holidays": "EU"}, "unknown_country", "The holidays of “EU” are not known."),
        ({"bounds": "0,5"}, "out_of_bounds", "must lie between 0 and 5"),
    ],
)
def test_what_the_data_cannot_answer_is_refused_with_a_sentence(
    params: dict[str, Any], code: str, sentence: str, shop: Workspace
) -> None:
    ensure_channels(workspace=shop, names=["Radio"])
    run = carried_out(shop, **params)
    assert (run.job.status, run.job.error_code) == (Job.Status.FAILED, code)
    assert sentence in run.job.error
    assert run.result is None


def test_a_constant_outcome_cannot_be_explained(shop: Workspace) -> None:
    add_outcome(shop, name="Visits", is_money=False, constant=True)
    run = carried_out(shop, outcome="Visits")
    assert run.job.error == "“Visits” is 500 in every week, so nothing moves it. Choose another outcome or period."


def test_an_outcome_that_is_gone_by_then_is_named(shop: Workspace) -> None:
    run = ask(shop)
    OutcomeValue.objects.all().delete()
    shop.outcomes.all().delete()
    execute(job_id=run.job_id)
    run.job.refresh_from_db()
    assert run.job.error == "The outcome “Sales” no longer exists. Choose another one."


def test_a_run_that_is_cancelled_stores_nothing(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def cancelled(*, progress: Any, **_question: Any) -> ChildAnswer:
        request_cancel(job=progress.job, by=None)
        progress._written_at = None
        progress("Sampling", 0.5)
        raise AssertionError("It went on.")

    monkeypatch.setattr(computation, "compute_in_child", cancelled)
    run = carried_out(shop)
    assert (run.job.status, run.result, run.artifact) == (Job.Status.CANCELLED, None, "")
    assert ask(shop) != run


def test_a_fit_that_fails_offers_something_easier(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch, client_for: ClientFor, analyst: User
) -> None:
    def failed(**_question: Any) -> ChildAnswer:
        raise JobFailed("The model did not arrive at finite numbers.", code="numerical_error")

    monkeypatch.setattr(computation, "compute_in_child", failed)
    run = carried_out(shop)
    page = client_for(analyst).get(f"/w/acme/runs/{run.pk}/").text
    assert "The model did not arrive at finite numbers." in page
    assert "By month instead of by week" in page
    assert "/w/acme/weightings/?outcome=Sales&amp;" in page


def test_the_child_is_asked_what_the_params_say(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def keep(*, question: dict[str, Any], **rest: Any) -> ChildAnswer:
        asked.update(question, program=rest["program"])
        raise JobFailed("Enough.")

    monkeypatch.setattr(computation, "compute_in_child", keep)
    carried_out(
        shop,
        model="delayed",
        roi="TV: 2 (1-3)",
        knots=4,
        folds=2,
        draws=700,
        seed=3,
        start="2022-06-01",
        end="2023-02-26",
    )
    assert {name: asked[name] for name in asked if name not in ("panel", "threads")} == {
        "program": "weightings.fit_program:fit",
        "model": "delayed",
        "window": [22, 60],
        "confidence": shop.confidence,
        "seed": 3,
        "draws": 700,
        "folds": 2,
        "horizon": 13,
        "effects": {"TV": {"median": 2.0, "low": 1.0, "high": 3.0}},
        "knots": 4,
    }


def test_the_command_line_says_why_a_question_cannot_be_used(shop: Workspace) -> None:
    with pytest.raises(CommandError, match="There is no model “robyn”"):
        call_command("analyse", "weightings", "--workspace", "acme", "--param", "model=robyn")
