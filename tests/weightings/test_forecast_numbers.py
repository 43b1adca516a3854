"""The numbers of a forecast that is carried out as a run: held against the stored model and the plan by hand."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from accounts.models import Workspace
from analyses.models import Run
from marketing.media_panels import holiday_days
from tests.weightings import forecasts
from tests.weightings.forecasts import LAGS, market
from tests.weightings.premium import ask, forecast, on_professional, table_of
from tests.weightings.stored_runs import KNOTS, a_stored_run, held_back, stored_run
from weightings.forecasts.horizon import Horizon
from weightings.forecasts.presentation.document import document
from weightings.forecasts.presentation.rows import TOTAL, YEAR_BEFORE
from weightings.forecasts.spending import holidays_of
from weightings.methods.forecasting.forecast import bands
from weightings.methods.forecasting.forecast import forecast as computed
from weightings.methods.forecasting.forecast_plan import Plan, flighting_of
from weightings.methods.posterior import posterior_of
from weightings.methods.preparing import Choices, prepare
from weightings.methods.quantities import Window
from weightings.stored import StoredModel

LEVEL = 0.95


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    return on_professional(workspace)


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
    *weeks, mean = shown.sections[0].tables[0].rows
    assert mean.label == "Mean"
    assert mean.cells[4].value == pytest.approx(np.mean([week.cells[4].value for week in weeks]))


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
    assert table_of(run)[TOTAL, YEAR_BEFORE]["mean"] == before["total"]
    shown = document(run)
    assert shown.headline.endswith("than a year before.")
    card = next(card for card in shown.cards if card.label == "Against a year before")
    assert card.figure.value == before["change"]["median"]


def test_a_year_before_that_is_known_in_part_has_no_total(shop: Workspace) -> None:
    panel, rng = market(weeks=45), np.random.default_rng(10)
    prepared = prepare(panel, Choices(lags=LAGS, knots=KNOTS))
    stored_run(
        shop, panel, posterior_of(prepared, 0.3 * rng.standard_normal((40, prepared.model.size)), rng), knots=KNOTS
    )
    run = forecast(shop, periods=26)
    assert run.result["year_before"]["periods_known"] == 19
    assert table_of(run)[TOTAL, YEAR_BEFORE]["mean"] is None
    assert document(run).sections[0].tables[0].rows[-1].cells[-1].value is None


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
