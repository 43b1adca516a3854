"""From a question to a forecast: carried out as a run, shown, exported, and kept for good."""

import csv
import datetime as dt
import io
import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import openpyxl
import pytest
from django.core.management import CommandError, call_command

from accounts.actions import create_api_key, set_plan
from accounts.models import User, Workspace
from analyses.models import Run
from analyses.registry import get as kind_of
from analyses.runs import inputs_changed
from charts import ChartSpec
from jobs.models import Job
from marketing.media_panels import holiday_days
from marketing.models import Dataset, DatasetVersion
from tests.marketing.batches import add_import
from tests.weightings import forecasts
from tests.weightings.forecasts import market
from tests.weightings.premium import ask, carried_out, forecast, on_professional
from tests.weightings.results import a_check
from tests.weightings.stored_runs import KNOTS, a_stored_run, held_back, stored_run
from weightings.forecasts.horizon import Horizon
from weightings.forecasts.presentation.document import document
from weightings.forecasts.presentation.rows import TOTAL, rows
from weightings.forecasts.spending import holidays_of
from weightings.methods.forecasting.forecast import bands
from weightings.methods.forecasting.forecast import forecast as computed
from weightings.methods.forecasting.forecast_plan import Plan, flighting_of
from weightings.methods.quantities import Window
from weightings.stored import StoredModel

API = "/api/v1/runs/"
LEVEL = 0.95


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    return on_professional(workspace)


def table_of(run: Run) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows of its exports by period and part."""
    header, *body = rows(run)
    named = [dict(zip(map(str, header), row, strict=True)) for row in body]
    return {(str(row["period_start"]), str(row["part"])): row for row in named}


# The numbers


def test_it_is_what_the_model_says_of_the_plan(shop: Workspace) -> None:
    """Held against the forecast of the stored model, with the plan written out by hand."""
    run = a_stored_run(shop)
    found = forecast(shop, multiples="TV: 1.5", periods=20, seed=3).result
    stored = StoredModel(run)
    spend = flighting_of(stored.panel, Window(8, 60), periods=20) * [1.5, 1.0]
    wanted = computed(stored.panel, stored.posterior, Plan(spend=spend), knots=KNOTS, seed=3)
    for name in ("expected", "predicted"):
        draws = getattr(wanted, name)
        np.testing.assert_allclose(
            [found["series"][name][end] for end in ("low", "median", "high")], bands(draws, LEVEL), rtol=1e-9
        )
        total = draws.sum(axis=1)
        assert found[name]["mean"] == pytest.approx(total.mean())
        assert found[name]["high"] == pytest.approx(np.quantile(total, 0.975))
    for place, channel in enumerate(found["series"]["channels"]):
        np.testing.assert_allclose(channel["mean"], wanted.contribution[:, place].mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose([channel["spend"] for channel in found["channels"][:2]], spend.sum(axis=0))
    paid = found["paid_media"]
    assert paid["spend"] == pytest.approx(spend.sum())
    assert paid["roi"]["median"] == pytest.approx(np.median(wanted.added) / spend.sum())
    assert spend[:, 0].max() > stored.panel.spend[:, 0].max()
    assert found["channels"][0]["extrapolated"]


@pytest.mark.parametrize("bounded", [False, True], ids=["sum", "bounds"])
def test_baseline_and_channels_are_what_is_expected_in_every_period_and_in_all(bounded: bool, shop: Workspace) -> None:
    a_stored_run(shop, bounded=bounded)
    run = forecast(shop, periods=9)
    found, series = run.result, run.result["series"]
    added = np.sum([channel["mean"] for channel in series["channels"]], axis=0)
    np.testing.assert_allclose(np.array(series["baseline"]) + added, series["expected"]["mean"], rtol=1e-9)
    whole = found["baseline"]["mean"] + sum(channel["contribution"]["mean"] for channel in found["channels"])
    assert whole == pytest.approx(found["expected"]["mean"])
    put_together = np.mean if bounded else np.sum
    assert put_together(series["expected"]["mean"]) == pytest.approx(found["expected"]["mean"])
    assert found["reconciliation"]["ok"]
    table = table_of(run)
    for period in {period for period, _part in table}:
        parts = [table[period, part]["mean"] for part in ("(baseline)", "TV", "Search", "Blog")]
        assert sum(parts) == pytest.approx(table[period, "(expected)"]["mean"])
    of_page = document(run).sections[0].tables[0]
    for row in of_page.rows:
        _predicted, expected, baseline, channels, *_rest = (cell.value or 0.0 for cell in row.cells)
        assert baseline + channels == pytest.approx(expected)


def test_an_outcome_with_bounds_stays_within_them_and_is_averaged(shop: Workspace) -> None:
    a_stored_run(shop, bounded=True)
    run = forecast(shop, periods=6)
    found = run.result
    assert min(found["series"]["predicted"]["low"]) >= 0
    assert max(found["series"]["predicted"]["high"]) <= 100
    assert 0 < found["expected"]["mean"] < 100
    assert found["year_before"]["change"] is None
    assert found["channels"][0]["roi"] is None
    shown = document(run)
    assert "points" in shown.headline
    assert "on average" in shown.headline
    assert shown.sections[0].tables[0].rows[-1].label == "Mean"


def test_the_same_question_has_the_same_answer_and_another_seed_another(shop: Workspace) -> None:
    a_stored_run(shop)
    first = forecast(shop, periods=5)
    assert ask(shop, periods=5).pk == first.pk
    first_result = first.result | {"timings": None}
    Run.objects.filter(pk=first.pk).update(void=True)
    assert forecast(shop, periods=5).result | {"timings": None} == first_result
    other = forecast(shop, periods=5, seed=1).result
    assert other["series"]["predicted"] != first_result["series"]["predicted"]
    np.testing.assert_allclose(
        other["series"]["channels"][0]["mean"], first_result["series"]["channels"][0]["mean"], rtol=1e-12
    )


def test_a_longer_forecast_begins_as_a_shorter_one(shop: Workspace) -> None:
    a_stored_run(shop)
    short, long = (forecast(shop, periods=periods).result["series"] for periods in (8, 52))
    for name in ("expected", "predicted"):
        for end in ("median", "low", "high"):
            np.testing.assert_allclose(long[name][end][:8], short[name][end], rtol=1e-9)
    assert long["channels"][1]["spend"][:8] == short["channels"][1]["spend"]


def test_spend_is_spread_as_a_year_before_and_a_shorter_report_comes_round_again(shop: Workspace) -> None:
    panel = market()
    year = a_stored_run(shop)
    found = forecast(shop, model_run=year.pk, periods=5).result
    np.testing.assert_allclose(found["series"]["channels"][0]["spend"], panel.spend[6 + 8 : 6 + 13, 0])
    assert found["spent_as"] == {"start": "2022-04-11", "end": "2022-05-15"}
    weeks = a_stored_run(shop, window=(56, 60))
    found = forecast(shop, model_run=weeks.pk, periods=6).result
    last = panel.spend[-4:, 0]
    np.testing.assert_allclose(found["series"]["channels"][0]["spend"], [*last, *last[:2]])
    assert found["spent_as"] == {"start": "2023-03-13", "end": "2023-04-09"}


def test_spend_per_period_is_that_on_average_and_keeps_the_flighting(shop: Workspace) -> None:
    panel = market()
    a_stored_run(shop, window=(50, 60))
    found = forecast(shop, spend_per_period={"TV": 120, "Search": 0}, periods=7).result
    tv, search, _blog = (channel["spend"] for channel in found["series"]["channels"])
    assert sum(tv) == pytest.approx(7 * 120)
    assert sum(search) == 0
    usual = panel.spend[56:63, 0]
    np.testing.assert_allclose(np.array(tv) * usual.sum(), usual * sum(tv))


def test_a_channel_with_nothing_to_go_by_is_spent_evenly(shop: Workspace) -> None:
    panel = market()
    silent = next(place for place in range(52) if panel.spend[6 + place, 0] == 0)
    a_stored_run(shop, window=(silent, silent + 1))
    found = forecast(shop, spend_per_period={"TV": 50, "Search": 10}, periods=4).result
    assert found["series"]["channels"][0]["spend"] == [50.0] * 4


def test_a_plan_by_period_is_taken_as_it_is(shop: Workspace) -> None:
    run = a_stored_run(shop)
    given = {"TV": [0, 10, 20, 30], "Search": [5, 5, 5, 5], "Price": [18, 19, 20, 21], "Sale": [0, 1, 0, 0]}
    found = forecast(shop, plan=given).result
    stored = StoredModel(run)
    plan = Plan(
        spend=np.array([given["TV"], given["Search"]], np.float64).T,
        controls={"Price": given["Price"]},
        events={"Sale": given["Sale"]},
    )
    wanted = computed(stored.panel, stored.posterior, plan, knots=KNOTS, seed=0)
    np.testing.assert_allclose(found["series"]["predicted"]["median"], np.median(wanted.predicted, axis=0))
    codes = {remark["code"]: remark["names"] for remark in found["remarks"]}
    assert codes["carried"] == ["Blog"]
    assert "events" not in codes
    assert found["spent_as"] is None


def test_nothing_spent_adds_nothing(shop: Workspace) -> None:
    a_stored_run(shop)
    run = forecast(shop, multiples=0, periods=4)
    paid = run.result["paid_media"]
    assert (paid["spend"], paid["incremental"]["median"], paid["roi"]["median"]) == (0.0, 0.0, None)
    sentences = [sentence for section in document(run).sections for sentence in section.sentences]
    assert any(sentence.startswith("Nothing is spent in this plan") for sentence in sentences)


def test_it_is_set_against_the_same_weeks_of_a_year_before(shop: Workspace) -> None:
    panel = market()
    a_stored_run(shop)
    run = forecast(shop, periods=10)
    before = run.result["year_before"]
    assert before["observed"] == pytest.approx(panel.outcome[8:18].tolist())
    assert before["total"] == pytest.approx(panel.outcome[8:18].sum())
    assert before["change"]["median"] == pytest.approx(run.result["predicted"]["median"] / before["total"] - 1)
    shown = document(run)
    assert shown.headline.endswith("than a year before.")
    card = next(card for card in shown.cards if card.label == "Against a year before")
    assert card.figure.value == before["change"]["median"]


def test_holidays_of_the_coming_weeks_are_those_of_the_models_countries(shop: Workspace) -> None:
    """The market's holiday is called Easter: those of Germany have other names, so it knows nothing of them."""
    a_stored_run(shop, holidays=["DE"])
    run = forecast(shop, periods=8)
    found = {remark["code"]: remark for remark in run.result["remarks"]}
    assert found["unknown_holidays"]["names"] == ["Ascension Day", "Easter Monday", "Labor Day", "Pentecost Monday"]
    assert run.result["holidays"]["Easter Monday"] == [1, 0, 0, 0, 0, 0, 0, 0]
    assert run.result["holidays"]["Labor Day"] == [0, 0, 0, 1, 0, 0, 0, 0]
    assert any("nobody knows what they do" in note for note in document(run).notes)


def test_a_holiday_that_the_model_knows_counts_on_its_days(shop: Workspace) -> None:
    panel, posterior = market(), forecasts.some_draws(market(), knots=KNOTS)
    renamed = replace(panel, holidays=("Labor Day",))
    stored_run(shop, renamed, posterior, knots=KNOTS, holidays=["DE"])
    found = forecast(shop, periods=6).result
    wanted = computed(
        renamed,
        posterior,
        Plan(spend=flighting_of(panel, Window(8, 60), periods=6), holidays={"Labor Day": [0, 0, 0, 1, 0, 0]}),
        knots=KNOTS,
    )
    np.testing.assert_allclose(found["series"]["expected"]["mean"], wanted.expected.mean(axis=0), rtol=1e-9)
    given = forecast(shop, plan={"Labor Day": [0] * 6}).result
    assert given["series"]["expected"]["mean"][3] != pytest.approx(found["series"]["expected"]["mean"][3])


def test_holidays_are_counted_in_the_periods_that_hold_them() -> None:
    months = Horizon.after(dt.date(2023, 11, 30), "month", 3)
    found = holidays_of(months, ["DE"])
    assert found["Christmas Day"] == [1, 0, 0]
    assert found["New Year's Day"] == [0, 1, 0]
    days = holiday_days(countries=["DE"], start=months.starts[0], end=months.end)
    assert sum(map(sum, found.values())) == sum(map(len, days.values()))


def test_more_than_was_ever_spent_is_said_to_be_extrapolated(shop: Workspace) -> None:
    a_stored_run(shop)
    run = forecast(shop, multiples="TV: 9", periods=4)
    assert [channel["extrapolated"] for channel in run.result["channels"]] == [True, False, False]
    assert any(note.startswith("TV: more in some week than in any week") for note in document(run).notes)


def test_how_good_forecasts_were_comes_from_the_models_run(shop: Workspace) -> None:
    folds = held_back(market(), horizon=4, folds=3)
    run = a_stored_run(shop, folds=folds)
    found = forecast(shop, periods=6)
    assert found.result["backtest"] == run.result["holdout"]
    tried = document(found).sections[2]
    assert [row.label for row in tried.tables[0].rows] == ["1", "2", "3", "4"]
    assert tried.tables[0].rows[0].cells[0].value == run.result["holdout"]["by_steps"][0]["wmape"]
    assert (
        "The model has been tried up to 4 weeks ahead. How good it is further ahead, nobody knows."
        in document(found).notes
    )


def test_a_model_that_was_never_tried_says_so(shop: Workspace) -> None:
    run = a_stored_run(shop)
    assert run.result["holdout"] is None
    shown = document(forecast(shop))
    assert "nobody knows how good its forecasts are" in shown.sections[2].sentences[0]


def test_runs_of_before_have_no_accuracy_by_steps_ahead(shop: Workspace) -> None:
    run = a_stored_run(shop, folds=held_back(market()))
    run.result["holdout"].pop("by_steps")
    run.save(update_fields=["result"])
    tried = document(forecast(shop)).sections[2]
    assert tried.tables == ()
    assert tried.sentences[-1].startswith("This run is of an earlier version")


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
