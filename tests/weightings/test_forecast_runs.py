"""Forecasts as runs: shown, exported, marked where they are doubtful; who may ask for one, and what can go wrong."""

import csv
import datetime as dt
import io
import json
import subprocess
import sys
from typing import Any

import openpyxl
import pytest
from django.core.management import CommandError, call_command

from accounts.actions import set_plan
from accounts.api_key_actions import create_api_key
from accounts.models import User, Workspace
from analyses.models import Run
from analyses.registry import get as kind_of
from analyses.runs import inputs_changed
from charts import ChartSpec
from jobs.models import Job
from marketing.models import Dataset, DatasetVersion
from tests.marketing.batches import add_import
from tests.weightings.forecasts import market
from tests.weightings.premium import ask, carried_out, forecast, on_professional, table_of
from tests.weightings.results import a_check
from tests.weightings.stored_runs import a_stored_run, held_back
from weightings.forecasts.presentation.document import document
from weightings.forecasts.presentation.rows import TOTAL, rows

API = "/api/v1/runs/"


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    return on_professional(workspace)


# Every format


@pytest.mark.parametrize("bounded", [False, True], ids=["sum", "bounds"])
def test_page_api_and_files_have_the_same_numbers(bounded: bool, shop: Workspace, owner: User, client_for: Any) -> None:
    a_stored_run(shop, bounded=bounded, folds=held_back(market(bounded=bounded)))
    run = forecast(shop, periods=6)
    client = client_for(owner)
    exported = {
        form: client.get(f"/w/acme/runs/{run.pk}/export.{form}").getvalue()
        for form in ("csv", "xlsx", "json", "pdf", "pptx")
    }
    assert exported["pdf"].startswith(b"%PDF")
    assert exported["pptx"].startswith(b"PK")
    _key, secret = create_api_key(workspace=shop, created_by=owner, name="k", scopes=["weightings:read"])
    answer = client_for(None).get(f"{API}{run.pk}/", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200
    assert answer.json()["result"] == run.result
    assert json.loads(exported["json"])["result"] == run.result
    header, *body = rows(run)
    from_csv = list(csv.reader(io.StringIO(exported["csv"].decode("utf-8-sig"))))
    assert from_csv[0] == list(header)
    for written, cells in zip(from_csv[1:], body, strict=True):
        assert [
            float(text) if isinstance(cell, float) else text for text, cell in zip(written, cells, strict=True)
        ] == ["" if cell is None else cell for cell in cells]
    book = openpyxl.load_workbook(io.BytesIO(exported["xlsx"]))
    numbers = {
        cell.value for sheet in book for row in sheet.iter_rows() for cell in row if isinstance(cell.value, float)
    }
    page = client.get(f"/w/acme/runs/{run.pk}/").text
    shown = document(run)
    for table in (table for section in shown.sections for table in section.tables):
        for row in table.rows:
            for figure in row.cells:
                assert figure.text.replace("'", "&#x27;") in page
                for number in (figure.value, figure.low, figure.high):
                    if isinstance(number, float) and number != int(number):
                        assert any(number == pytest.approx(other, rel=1e-12) for other in numbers), (
                            table.title,
                            number,
                        )
    result = run.result
    predicted = shown.sections[0].tables[0].rows[-1].cells[0]
    ends = tuple(result["predicted"][end] for end in ("median", "low", "high"))
    assert (predicted.value, predicted.low, predicted.high) == ends
    assert table_of(run)[TOTAL, "(predicted)"]["median"] == predicted.value


def test_a_chart_shows_the_past_and_what_is_predicted(shop: Workspace) -> None:
    a_stored_run(shop)
    run = forecast(shop, periods=8)
    (chart,) = document(run).sections[0].charts
    assert isinstance(chart, ChartSpec)
    observed, predicted, before = chart.series
    assert len(chart.categories) == 26 + 8
    assert [mark is None for mark in observed.marks] == [False] * 26 + [True] * 8
    assert [mark is None for mark in predicted.marks] == [True] * 26 + [False] * 8
    last, first, year_before = observed.marks[25], predicted.marks[26], before.marks[26]
    assert last
    assert first
    assert year_before
    assert last.value == pytest.approx(market().outcome[-1])
    assert first.low == run.result["series"]["predicted"]["low"][0]
    assert year_before.value == pytest.approx(market().outcome[8])


def test_two_forecasts_side_by_side(shop: Workspace, owner: User, client_for: Any) -> None:
    a_stored_run(shop)
    one, other = forecast(shop, periods=6), forecast(shop, periods=6, multiples=0)
    page = client_for(owner).get(f"/w/acme/runs/compare/?run={one.pk}&run={other.pk}")
    assert page.status_code == 200
    assert "A predicts more over the periods that both are about" in page.text
    assert "TV ×0; Search ×0" in page.text


# What stands with the numbers


def test_an_overridden_model_is_visibly_marked_everywhere(shop: Workspace, owner: User, client_for: Any) -> None:
    a_stored_run(shop, converged=False)
    run = forecast(shop, model_run=str(Run.objects.get().pk), override="yes", periods=4)
    shown = document(run)
    assert shown.headline.startswith("Do not rely on this forecast: the model has not converged.")
    assert shown.notes[0].startswith("The model has not converged")
    assert run.result["model_run"]["converged"] is False
    assert "Do not rely on this forecast" in client_for(owner).get(f"/w/acme/runs/{run.pk}/").text


def test_a_model_that_fails_checks_is_visibly_marked(shop: Workspace) -> None:
    fails = a_stored_run(shop, checks=[a_check("VIF", 12.0, 5.0, "fail", "TV")])
    shown = document(forecast(shop, model_run=fails.pk, override="yes", periods=4))
    assert shown.headline.startswith("Do not rely on this forecast: the model fails checks.")


def test_newer_data_and_newer_runs_are_told_of_without_the_forecast_changing(shop: Workspace) -> None:
    a_stored_run(shop)
    run = forecast(shop, periods=4)
    assert not any("newer" in note or "have changed" in note for note in document(run).notes)
    add_import(shop, Dataset.SPEND)
    DatasetVersion.objects.update_or_create(workspace=shop, dataset=Dataset.SPEND, defaults={"digest": "a" * 32})
    assert any("The data have changed since this forecast's model was fitted" in note for note in document(run).notes)
    assert not inputs_changed(run)
    assert ask(shop, **run.params).pk == run.pk
    a_stored_run(shop, window=(10, 60))
    assert any(note.startswith("There is a newer run of this model") for note in document(run).notes)


def test_a_stale_model_is_marked(shop: Workspace) -> None:
    model = a_stored_run(shop)
    run = forecast(shop, periods=4)
    Run.objects.filter(pk=model.pk).update(created_at=model.created_at - dt.timedelta(days=120))
    assert any("more than 90 days ago" in note for note in document(run).notes)


# Who may ask


def test_the_api_refuses_what_the_plan_does_not_have(workspace: Workspace, owner: User, client_for: Any) -> None:
    model = a_stored_run(workspace)
    _key, secret = create_api_key(workspace=workspace, created_by=owner, name="k", scopes=["weightings:write"])

    def post(**params: Any) -> Any:
        body = json.dumps({"kind": "forecast", "params": params})
        return client_for(None).post(
            API, body, content_type="application/json", headers={"Authorization": f"Bearer {secret}"}
        )

    for params in ({}, {"model_run": str(model.pk)}, {"nonsense": 1}):
        refused = post(**params)
        assert (refused.status_code, refused.headers["Content-Type"]) == (403, "application/problem+json")
        problem = refused.json()
        assert (problem["code"], problem["feature"], problem["plan"]) == ("plan_required", "forecast", "professional")
    assert not Run.objects.filter(kind="forecast").exists()
    on_professional(workspace)
    assert post(periods=4).status_code == 202
    wrong = post(model_run="no such")
    assert wrong.status_code == 400
    assert "There is no such run" in wrong.json()["errors"]["model_run"][0]


def test_the_command_line_refuses_it_too(workspace: Workspace) -> None:
    a_stored_run(workspace)
    with pytest.raises(CommandError, match="Predictive modelling is part of the Professional plan"):
        call_command("analyse", "forecast", "--workspace", "acme")
    on_professional(workspace)
    printed = io.StringIO()
    table = "Period,TV,Search\n1,1,2\n2,1,2\n3,1,2\n4,1,2\n"
    call_command(
        "analyse", "forecast", "--workspace", "acme", "--param", f"plan={table}", "--format", "csv", stdout=printed
    )
    assert printed.getvalue().startswith("period_start,period_end,part,spend")


def test_a_forecast_that_waits_is_refused_once_the_plan_is_gone(shop: Workspace) -> None:
    a_stored_run(shop)
    run = ask(shop, periods=4)
    set_plan(workspace=shop, plan="starter", by=None)
    run = carried_out(run)
    assert (run.job.status, run.job.error_code, run.result) == (Job.Status.FAILED, "plan_required", None)


def test_after_a_downgrade_old_forecasts_stay_readable(
    shop: Workspace, owner: User, viewer: User, client_for: Any
) -> None:
    a_stored_run(shop)
    run = forecast(shop, periods=4)
    set_plan(workspace=shop, plan="starter", by=None)
    for user in (owner, viewer):
        client = client_for(user)
        page = client.get(f"/w/acme/runs/{run.pk}/")
        assert page.status_code == 200
        assert "Forecast by period" in page.text
        assert client.get(f"/w/acme/runs/{run.pk}/export.csv").status_code == 200
        assert str(run.pk) in client.get("/w/acme/weightings/forecast/").text
    again = client_for(owner).post(f"/w/acme/runs/{run.pk}/retry/")
    assert again.status_code == 403
    assert Run.objects.filter(kind="forecast").count() == 1


# What can go wrong


def test_a_model_whose_figures_are_gone_ends_the_run_with_a_sentence(shop: Workspace) -> None:
    model = a_stored_run(shop)
    run = ask(shop, periods=4)
    model.artifact = "runs/0/gone.npz"
    model.save(update_fields=["artifact"])
    run = carried_out(run)
    assert (run.job.status, run.job.error_code) == (Job.Status.FAILED, "no_figures")
    assert "no longer on disk" in run.job.error


def test_a_model_whose_run_is_gone_ends_the_run_with_a_sentence(shop: Workspace) -> None:
    model = a_stored_run(shop)
    run = ask(shop, periods=4)
    model.void = True
    model.save(update_fields=["void"])
    run = carried_out(run)
    assert (run.job.status, run.job.error_code) == (Job.Status.FAILED, "no_model")


def test_a_forecast_depends_on_no_data(shop: Workspace) -> None:
    assert kind_of("forecast").datasets == ()
    a_stored_run(shop)
    run = forecast(shop, periods=4)
    assert not run.result.get("data_health")
    assert "Data health" not in [section.title for section in document(run).sections]


def test_no_jax_is_needed() -> None:
    modules = "weightings.forecasts.computation, weightings.forecasts.views, weightings.forecasts.tables_to_fill"
    code = (
        "import os, sys, django; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mmm_project.settings');"
        f"django.setup(); import {modules}; from weightings.forecasts import sample; sample._result();"
        "sys.exit('jax' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
