"""The answer to a question about media: the contract, numbers that add up, and files that are read again."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.child_side import Failed
from tests.weightings.questions import TRUE_ROI, WEEKS, Answered, ask, market, spend_of
from weightings.methods import sampling, storing
from weightings.methods.answering import smaller_media
from weightings.methods.quantities import Quantities, Window, quantities

STORED = Path(__file__).with_name("stored_format_1")
SUMMARY = {"median", "mean", "low", "high"}


@pytest.fixture(scope="module")
def answered() -> Answered:
    return ask(market(), folds=2)


@pytest.fixture(scope="module")
def bounded() -> Answered:
    rng = np.random.default_rng(3)
    spend = spend_of()
    log_odds = -0.6 + 0.0006 * spend[:, 0] + 0.0001 * spend[:, 1] + rng.normal(0, 0.05, WEEKS)
    awareness = 100 / (1 + np.exp(-log_odds))
    return ask(replace(market(), outcome=awareness, is_money=False, bounds=(0.0, 100.0)))


def test_the_answer_keeps_the_contract(answered: Answered) -> None:
    result, _arrays = answered
    assert [channel["channel"] for channel in result["channels"]] == ["TV", "Search"]
    for channel in result["channels"]:
        assert channel["spend"] > 0
        for name in ("roi", "contribution_share", "incremental", "mroi", "cpik", "efficiency"):
            assert channel[name].keys() == SUMMARY
            assert channel[name]["low"] <= channel[name]["median"] <= channel[name]["high"]
    assert {"max_rhat", "min_ess", "divergences", "converged"} <= result["diagnostics"].keys()
    assert {"compile_seconds", "sampling_seconds", "total_seconds"} <= result["timings"].keys()
    for check in result["health"]:
        assert {"check", "value", "verdict", "advice"} <= check.keys()
        assert check["verdict"] in ("good", "review", "fail")
        assert check["advice"].endswith(".")


def test_the_answer_is_json_of_finite_numbers(answered: Answered, bounded: Answered) -> None:
    for result, _arrays in (answered, bounded):
        assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_the_truth_lies_in_the_intervals_and_the_fit_has_converged(answered: Answered) -> None:
    result, _arrays = answered
    assert result["diagnostics"]["converged"]
    for channel, truth in zip(result["channels"], TRUE_ROI, strict=True):
        assert channel["roi"]["low"] < truth < channel["roi"]["high"]


def test_means_add_up_in_total_and_in_every_period(answered: Answered) -> None:
    result, _arrays = answered
    assert result["reconciliation"]["ok"]
    channels = sum(channel["contribution"]["mean"] for channel in result["channels"])
    assert result["baseline"]["outcome"]["mean"] + channels == pytest.approx(result["expected"]["mean"], rel=1e-9)
    shares = sum(channel["contribution_share"]["mean"] for channel in result["channels"])
    assert result["baseline"]["share"]["mean"] + shares == pytest.approx(1.0, rel=1e-9)
    series = result["series"]
    added = np.sum([channel["mean"] for channel in series["channels"]], axis=0)
    np.testing.assert_allclose(np.array(series["baseline"]) + added, series["expected"]["mean"], rtol=1e-9)
    np.testing.assert_allclose(sum(np.array(part) for part in series["baseline_parts"].values()), series["baseline"])
    for channel, line in zip(result["channels"], series["channels"], strict=True):
        assert sum(line["mean"]) == pytest.approx(channel["contribution"]["mean"], rel=1e-9)
    assert sum(series["expected"]["mean"]) == pytest.approx(result["expected"]["mean"], rel=1e-9)


def test_all_paid_media_together_are_what_they_added_over_what_they_cost(answered: Answered) -> None:
    result, arrays = answered
    together = result["paid_media"]
    assert together["spend"] == pytest.approx(sum(channel["spend"] for channel in result["channels"]))
    added = sum(channel["incremental"]["mean"] for channel in result["channels"])
    assert together["incremental"]["mean"] == pytest.approx(added)
    assert together["roi"]["mean"] == pytest.approx(added / together["spend"])
    by_draw = arrays["quantities.incremental"].sum(axis=1) / together["spend"]
    assert together["roi"]["low"] == pytest.approx(np.quantile(by_draw, 0.05))


@pytest.mark.parametrize("media", [8, 11])
def test_media_past_the_eight_largest_are_said_together_with_an_interval(media: int) -> None:
    rng = np.random.default_rng(2)
    contribution = rng.normal(100 * rng.permutation(np.arange(1, media + 1)), 30, (400, media))
    contribution[:, -1] *= -1  # what takes away is as large as what adds
    nothing = np.zeros((400, media))
    found = Quantities(
        window=Window(0, 1),
        media=tuple(f"Channel {place}" for place in range(media)),
        expected=5000 + contribution.sum(axis=1),
        baseline=np.full(400, 5000.0),
        contribution=contribution,
        **dict.fromkeys(("incremental", "carry_over", "marginal"), nothing),
        **{name: np.zeros(media) for name in ("spend", "exposure")},
    )
    together = smaller_media(found, 0.9)
    if media == 8:
        assert together is None
        return
    assert together is not None
    smallest = np.argsort(np.abs(contribution.mean(axis=0)))[: media - 8]
    assert together["media"] == [found.media[place] for place in smallest[::-1]]
    by_draw = contribution[:, smallest].sum(axis=1)
    assert together["contribution"]["mean"] == pytest.approx(by_draw.mean())
    assert together["contribution"]["low"] == pytest.approx(np.quantile(by_draw, 0.05))
    assert together["contribution_share"]["high"] == pytest.approx(np.quantile(by_draw / found.expected, 0.95))


def test_curves_go_through_what_was_spent(answered: Answered) -> None:
    result, _arrays = answered
    curves = result["curves"]
    at_one = curves["multipliers"].index(1.0)
    for channel, curve in zip(result["channels"], curves["channels"], strict=True):
        assert curve["spend"][at_one] == pytest.approx(channel["spend"])
        assert curve["median"][at_one] == pytest.approx(channel["incremental"]["median"])
        assert curve["median"][0] == 0.0


def test_periods_held_back_are_scored(answered: Answered) -> None:
    result, _arrays = answered
    assert [fold["origin"] for fold in result["holdout"]["folds"]] == [54, 48]
    assert result["holdout"]["periods"] == 12
    assert 0.5 <= result["holdout"]["coverage"] <= 1.0
    assert result["holdout"]["wmape"] < 0.2


def test_the_same_question_has_the_same_answer(answered: Answered) -> None:
    again, arrays = ask(market(), folds=2, threads=1)
    assert again | {"timings": None} == answered[0] | {"timings": None}
    for name, values in answered[1].items():
        np.testing.assert_array_equal(arrays[name], values)


def test_another_seed_changes_draws_and_little_else(answered: Answered) -> None:
    other, arrays = ask(market(), seed=6)
    assert not np.array_equal(arrays["positions"], answered[1]["positions"])
    for one, two in zip(answered[0]["channels"], other["channels"], strict=True):
        assert one["roi"]["median"] == pytest.approx(two["roi"]["median"], rel=0.15)


def test_a_window_reports_its_own_spend(answered: Answered) -> None:
    result, _arrays = ask(market(), window=[40, 52])
    spend = market().spend[40:52].sum(axis=0)
    assert [channel["spend"] for channel in result["channels"]] == pytest.approx(spend)
    assert result["observed"]["periods"] == 12
    assert result["channels"][0]["carry_in"]["mean"] > 0
    assert len(result["series"]["observed"]) == WEEKS


def test_what_is_stored_is_read_again_and_gives_the_same_quantities(answered: Answered) -> None:
    result, arrays = answered
    stored = json.loads(json.dumps(result["stored"]))
    posterior = storing.unpack_posterior(stored["posterior"], arrays)
    kept = storing.unpack_quantities(stored["quantities"], arrays)
    anew = quantities(posterior, kept.window, spend=kept.spend, exposure=kept.exposure)
    np.testing.assert_allclose(anew.incremental, kept.incremental, rtol=1e-12)
    np.testing.assert_allclose(anew.contribution, kept.contribution, rtol=1e-12)
    given = storing.unpack_panel(stored["panel"], arrays)
    np.testing.assert_array_equal(given.outcome, market().outcome)
    assert given.channels == market().channels


def test_a_model_stored_by_an_earlier_version_is_still_read() -> None:
    """The files were written when format 1 was the newest; they are never written again."""
    described = json.loads((STORED / "model.json").read_text())
    with np.load(STORED / "model.npz", allow_pickle=False) as arrays:
        posterior = storing.unpack_posterior(described["posterior"], arrays)
        kept = storing.unpack_quantities(described["quantities"], arrays)
        given = storing.unpack_panel(described["panel"], arrays)
        anew = quantities(posterior, kept.window, spend=kept.spend, exposure=kept.exposure)
        np.testing.assert_allclose(anew.incremental, kept.incremental, rtol=1e-9)
        np.testing.assert_allclose(anew.expected, kept.expected, rtol=1e-9)
        assert given.outcome_name == "Sales"
        assert np.median(anew.return_on_spend, axis=0) == pytest.approx(described["median_roi"], rel=1e-9)


def test_a_model_stored_by_a_later_version_is_refused_with_a_sentence(answered: Answered) -> None:
    later = answered[0]["stored"]["posterior"] | {"format": storing.FORMAT + 1}
    with pytest.raises(storing.UnknownFormat, match="Update the installation"):
        storing.unpack_posterior(later, answered[1])


def test_outcomes_that_are_not_money_have_no_roi() -> None:
    result, _arrays = ask(replace(market(), is_money=False))
    for channel in result["channels"]:
        assert channel["roi"] is None
        assert channel["mroi"] is None
        assert channel["incremental_per_spend"]["median"] > 0
        assert channel["cpik"]["median"] == pytest.approx(1 / channel["incremental_per_spend"]["median"], rel=0.01)
        assert channel["prior"]["kind"] == "contribution"


def test_a_bounded_outcome_is_predicted_within_its_bounds(bounded: Answered) -> None:
    result, _arrays = bounded
    series = result["series"]
    for values in (*series["predicted"].values(), *series["expected"].values(), series["baseline"]):
        assert min(values) >= 0.0
        assert max(values) <= 100.0
    assert result["diagnostics"]["converged"]
    assert result["channels"][0]["prior"]["kind"] == "log_odds"
    channels = sum(channel["contribution"]["mean"] for channel in result["channels"])
    assert result["baseline"]["outcome"]["mean"] + channels == pytest.approx(result["expected"]["mean"], rel=1e-9)
    assert result["expected"]["mean"] == pytest.approx(result["observed"]["outcome"], rel=0.02)
    assert result["fit"]["r2"] > 0.9
    assert result["channels"][0]["carry_in"] is None  # contribution and increment are no sums there


def test_expected_returns_move_the_prior() -> None:
    result, _arrays = ask(market(), effects={"TV": {"median": 10.0, "low": 9.0, "high": 11.1}})
    assert result["channels"][0]["prior"]["median"] == pytest.approx(10.0)
    assert result["channels"][0]["roi"]["median"] > 5
    assert result["channels"][1]["prior"]["median"] == pytest.approx(np.exp(0.2))


# Everything that a panel can hold.


@pytest.mark.parametrize("granularity", ["day", pytest.param("month", marks=pytest.mark.full)])
def test_days_and_months_with_all_that_a_panel_can_hold(granularity: Any) -> None:
    rng = np.random.default_rng(4)
    given = replace(
        market(granularity=granularity),
        history=4,
        outcome=market().outcome[4:],
        organic=("Newsletter",),
        organic_exposure=rng.gamma(2, 500, (WEEKS, 1)),
        organic_units=("clicks",),
        controls=("Price",),
        control=rng.normal(0, 1, (WEEKS - 4, 1)),
        events=("Strike",),
        event=(rng.random((WEEKS - 4, 1)) < 0.1).astype(float),
        holidays=("Easter Monday",),
        holiday=(np.arange(WEEKS - 4)[:, None] % 12 == 3).astype(float),
    )
    result, _arrays = ask(given, draws=500)
    assert result["reconciliation"]["ok"]
    assert [channel["kind"] for channel in result["channels"]] == ["paid", "paid", "organic"]
    newsletter = result["channels"][2]
    assert newsletter["spend"] is None
    assert newsletter["roi"] is None
    assert newsletter["exposure_unit"] == "clicks"
    assert newsletter["exposure"] == pytest.approx(given.organic_exposure[4:].sum())
    assert newsletter["prior"]["kind"] == "contribution"
    assert newsletter["contribution"]["median"] > 0
    parts = result["series"]["baseline_parts"].keys()
    assert {"intercept", "trend", "holiday: Easter Monday", "event: Strike", "control: Price"} <= parts
    assert ("weekday" in parts) == (granularity == "day")
    assert ("season" in parts) == (granularity == "month")  # fifty-six days are no year


def test_a_lightweight_model_answers_in_the_same_terms() -> None:
    given = replace(market(), organic=("Newsletter",), organic_exposure=np.ones((WEEKS, 1)), organic_units=("clicks",))
    result, arrays = ask(given, model="lightweight:hill_adstock", draws=100, window=[10, 40])
    assert result["reconciliation"]["ok"]
    assert result["stored"]["posterior"] is None
    assert [channel["channel"] for channel in result["channels"]] == ["TV", "Search"]
    for channel in result["channels"]:
        assert channel["roi"].keys() == SUMMARY
        assert "prior" not in channel
    assert arrays["positions"].shape[:2] == (4, 100)
    (left_out,) = (check for check in result["health"] if check["check"] == "Organic media left out")
    assert left_out["subject"] == "Newsletter"
    assert result["holdout"] is None
    assert result["prior_predictive"] is None
    json.dumps(result, allow_nan=False)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"bounds": (0.0, 1e6), "is_money": False}, "know no bounds"),
        ({"outcome": np.append(np.nan, market().outcome[1:])}, "need the outcome of every period"),
        ({"outcome": -market().outcome}, "mean is above zero"),
    ],
    ids=["bounds", "gaps", "negative"],
)
def test_what_lightweight_models_cannot_take_is_refused_with_a_sentence(changes: Any, sentence: str) -> None:
    with pytest.raises(Failed, match=sentence) as refusal:
        ask(replace(market(), **changes), model="lightweight:adstock")
    assert refusal.value.code == "cannot_be_modelled"


def test_a_fault_of_ours_is_no_sentence_for_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object) -> None:
        raise ValueError("operands could not be broadcast together")

    monkeypatch.setattr("weightings.methods.fitting.prepare", broken)
    with pytest.raises(ValueError, match="broadcast"):
        ask(market())


# Data that a model cannot take, or should not be believed with.


def test_a_constant_channel_is_marked() -> None:
    spend = spend_of()
    spend[:, 1] = 500.0
    result, _arrays = ask(market(spend))
    (marked,) = (c for c in result["health"] if c["check"] == "Variation" and c["subject"] == "Search")
    assert marked["verdict"] == "fail"
    assert result["verdict"] == "fail"


def test_an_all_zero_channel_has_no_return_and_is_marked() -> None:
    spend = spend_of()
    spend[:, 1] = 0.0
    result, _arrays = ask(market(spend))
    search = result["channels"][1]
    assert search["spend"] == 0.0
    assert search["roi"]["median"] is None
    assert search["incremental"]["median"] == 0.0
    (marked,) = (c for c in result["health"] if c["check"] == "Variation" and c["subject"] == "Search")
    assert marked["verdict"] == "fail"


def test_channels_that_move_as_one_are_marked() -> None:
    spend = spend_of()
    spend[:, 1] = 2 * spend[:, 0]
    result, _arrays = ask(market(spend))
    verdicts = {check["check"]: check["verdict"] for check in result["health"] if check["verdict"] != "good"}
    assert verdicts["VIF"] == "fail"
    assert verdicts["Correlation"] == "review"


def test_missing_weeks_are_left_out_of_the_likelihood_and_still_explained() -> None:
    given = market()
    outcome = given.outcome.copy()
    outcome[[5, 6, 30]] = np.nan
    result, _arrays = ask(replace(given, outcome=outcome))
    assert result["observed"] == {"outcome": pytest.approx(np.nansum(outcome)), "periods": 60, "periods_known": 57}
    assert result["series"]["observed"][5] is None
    assert result["series"]["expected"]["mean"][5] == pytest.approx(given.outcome[5], rel=0.15)


def test_held_back_periods_without_any_outcome_are_scored_without_a_percentage() -> None:
    given = market()
    outcome = np.where(np.arange(WEEKS) >= 54, 0.0, given.outcome)
    result, _arrays = ask(replace(given, outcome=outcome), folds=1)
    assert result["holdout"]["wmape"] is None
    assert result["holdout"]["crps"] > 0
    json.dumps(result, allow_nan=False)
    assert "wMAPE of periods held back" not in [check["check"] for check in result["health"]]


def test_a_fold_that_cannot_be_modelled_does_not_lose_the_fit() -> None:
    given = market()
    outcome = np.where(np.arange(WEEKS) < 50, 100.0, given.outcome)
    result, _arrays = ask(replace(given, outcome=outcome), folds=2)
    assert [fold["origin"] for fold in result["holdout"]["folds"]] == [54]


def test_what_nobody_can_know_is_an_error_with_a_sentence() -> None:
    given = market()
    with pytest.raises(Failed, match="nothing to explain"):
        ask(replace(given, outcome=np.full(WEEKS, 7.0)))
    for wrong in (np.nan, np.inf, -1.0):
        spend = spend_of()
        spend[7, 0] = wrong
        with pytest.raises(ValueError, match="zero or more"):
            market(spend)


def test_a_hopeless_sampler_is_an_error_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MOST_STARTS", 0)
    with pytest.raises(Failed, match="No starting values"):
        ask(market())


def test_spend_in_another_currency_than_the_outcome_is_noticed() -> None:
    given = market()
    result, _arrays = ask(replace(given, spend=given.spend / 1e6, exposure=given.exposure / 1e6))
    assert "Currency" in [check["check"] for check in result["health"]]
    assert result["channels"][0]["prior"]["kind"] == "contribution"


def test_a_return_that_somebody_expects_is_one_whatever_the_currency() -> None:
    given = market()
    result, _arrays = ask(
        replace(given, spend=given.spend / 1e6, exposure=given.exposure / 1e6),
        effects={"TV": {"median": 2e6, "low": 1e6, "high": 4e6}, "Search": {"median": 1e6, "low": 5e5, "high": 2e6}},
    )
    assert "Currency" not in [check["check"] for check in result["health"]]
    assert [channel["prior"]["kind"] for channel in result["channels"]] == ["roi", "roi"]


def test_what_did_not_converge_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _arrays = ask(market(), draws=100)
    assert not result["diagnostics"]["converged"]
    assert result["diagnostics"]["not_converged"]
    assert result["verdict"] != "good"


def test_progress_rises_to_the_end() -> None:
    heard: list[float] = []
    ask(market(), report=lambda _phase, share: heard.append(share), folds=1)
    assert heard == sorted(heard)
    assert heard[-1] >= 0.9


def write_stored_format(directory: Path = STORED) -> None:
    """Keep a small fit as this version stores it; to be called once for each format, by hand."""
    result, arrays = ask(market(), draws=100)
    some = np.arange(0, 400, 20)
    posterior = storing.unpack_posterior(result["stored"]["posterior"], arrays).take(some)
    kept: dict[str, Any] = {name: values for name, values in arrays.items() if name.startswith("panel.")}
    found = quantities(
        posterior,
        storing.unpack_quantities(result["stored"]["quantities"], arrays).window,
        spend=arrays["quantities.spend"],
        exposure=arrays["quantities.exposure"],
    )
    described, of_posterior = storing.pack_posterior(posterior)
    packed, of_quantities = storing.pack_quantities(found)
    directory.mkdir(exist_ok=True)
    everything: dict[str, Any] = {**kept, **of_posterior, **of_quantities}
    np.savez(directory / "model.npz", **everything)
    roi = np.median(found.return_on_spend, axis=0).tolist()
    stored = {"posterior": described, "quantities": packed, "panel": result["stored"]["panel"], "median_roi": roi}
    (directory / "model.json").write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n")
