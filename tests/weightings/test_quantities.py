"""What media did: by the definition, by brute force, and adding up."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.weightings.worlds import panel
from weightings.methods.fitting import predictive, prior_of
from weightings.methods.lightweight.fitting import LightweightPosterior
from weightings.methods.lightweight.model import Family, LightweightModel, scale_for_lightweight
from weightings.methods.posterior import Posterior
from weightings.methods.preparing import Choices, Prepared, prepare
from weightings.methods.quantities import MULTIPLIERS, Quantities, Window, contributions, quantities, response_grid

FloatArray = npt.NDArray[np.float64]
PERIODS, LAGS = 40, 5


def prepared_market(*, bounded: bool = False, history: int = 6) -> Prepared:
    rng = np.random.default_rng(11)
    spend = rng.gamma(2, 50, (PERIODS + history, 3)) * (rng.random((PERIODS + history, 3)) < 0.8)
    if bounded:
        outcome, bounds = 30 + 10 * rng.random(PERIODS), (0.0, 100.0)
    else:
        outcome, bounds = 3000 + spend[history:].sum(axis=1) + rng.normal(0, 100, PERIODS), None
    given = panel(outcome, spend, history=history, bounds=bounds, is_money=not bounded)
    return prepare(given, Choices(adstock="delayed", lags=LAGS))


def some_draws(prepared: Prepared, draws: int = 30) -> Posterior:
    """Draws to compute with; what they are likely is of no matter here, so they come from the prior."""
    return prior_of(prepared, draws, np.random.default_rng(12))


def of_window(prepared: Prepared, posterior: Posterior, window: Window) -> Quantities:
    inside = slice(prepared.panel.history + window.start, prepared.panel.history + window.stop)
    return quantities(
        posterior,
        window,
        spend=prepared.panel.spend[inside].sum(axis=0),
        exposure=prepared.panel.exposure[inside].sum(axis=0),
    )


def expected_by_hand(posterior: Posterior, amounts: FloatArray, draw: int, periods: int) -> FloatArray:
    """The expected outcome of each period (periods,) for amounts (P, LAGS - 1 + periods), by loops."""
    model, scale = posterior.model, posterior.scale
    parameters = {name: values[draw] for name, values in posterior.parameters.items()}
    baseline = posterior.columns @ posterior.coefficients[draw]
    baseline = np.append(baseline, np.full(max(periods - len(baseline), 0), baseline[-1]))[:periods]
    total = baseline.copy()
    for c in range(len(model.media)):
        weights = np.array(
            [parameters["retention"][c] ** ((lag - parameters["peak_delay"][c]) ** 2) for lag in range(LAGS)]
        )
        weights /= weights.sum()
        for t in range(periods):
            stock = sum(weights[lag] * amounts[c, LAGS - 1 + t - lag] for lag in range(LAGS))
            raised = stock ** parameters["slope"][c]
            curve = raised / (raised + parameters["half_saturation"][c] ** parameters["slope"][c])
            total[t] += posterior.beta[draw, c] * curve
    if scale.bounds is None:
        return total * scale.unit
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    noisy = scale.outcome(total[:, None] + parameters["sigma"] * nodes)
    return np.asarray(noisy @ weights / weights.sum())


@pytest.mark.parametrize("bounded", [False, True], ids=["amount", "bounded"])
@pytest.mark.parametrize("window", [Window(0, PERIODS), Window(10, 22), Window(36, 40), Window(7, 8)], ids=str)
def test_the_incremental_outcome_is_what_would_be_missing(bounded: bool, window: Window) -> None:
    prepared = prepared_market(bounded=bounded)
    posterior = some_draws(prepared)
    found = of_window(prepared, posterior, window)
    horizon = PERIODS + LAGS - 1
    amounts = np.pad(prepared.amounts, ((0, 0), (0, LAGS - 1)))
    divisor = window.periods if bounded else 1
    for draw in (0, 7):
        factual = expected_by_hand(posterior, amounts, draw, horizon)
        for c in range(3):
            without, more = amounts.copy(), amounts.copy()
            without[c, LAGS - 1 + window.start : LAGS - 1 + window.stop] = 0.0
            more[c, LAGS - 1 + window.start : LAGS - 1 + window.stop] *= 1.01
            missing = factual - expected_by_hand(posterior, without, draw, horizon)
            gained = expected_by_hand(posterior, more, draw, horizon) - factual
            assert found.incremental[draw, c] == pytest.approx(missing.sum() / divisor, rel=1e-5, abs=1e-9)
            assert found.carry_over[draw, c] == pytest.approx(
                missing[window.stop :].sum() / divisor, rel=1e-5, abs=1e-9
            )
            assert found.marginal[draw, c] == pytest.approx(gained.sum() / divisor / 0.01, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("bounded", [False, True], ids=["amount", "bounded"])
def test_baseline_and_contributions_add_up_to_the_expected_outcome_in_every_period(bounded: bool) -> None:
    prepared = prepared_market(bounded=bounded)
    posterior = some_draws(prepared)
    expected, baseline, contribution = contributions(posterior, slice(0, 30))
    np.testing.assert_allclose(baseline + contribution.sum(axis=1), expected, rtol=1e-10)
    by_hand = [expected_by_hand(posterior, prepared.amounts, draw, PERIODS) for draw in range(3)]
    np.testing.assert_allclose(expected[:3], by_hand, rtol=1e-5)
    alone = [expected_by_hand(posterior, 0 * prepared.amounts, draw, PERIODS) for draw in range(3)]
    np.testing.assert_allclose(baseline[:3], alone, rtol=1e-5)


@settings(max_examples=25, deadline=None)
@given(start=st.integers(0, PERIODS - 1), length=st.integers(1, PERIODS), bounded=st.booleans())
def test_every_window_reconciles(start: int, length: int, bounded: bool) -> None:
    prepared = _MARKETS[bounded]
    posterior = _DRAWS[bounded]
    window = Window(start, min(start + length, PERIODS))
    found = of_window(prepared, posterior, window)
    np.testing.assert_allclose(found.baseline + found.contribution.sum(axis=1), found.expected, rtol=1e-9)
    some = found.expected > 0
    np.testing.assert_allclose(
        found.baseline_share[some], found.baseline[some] / found.expected[some], rtol=1e-6, atol=1e-9
    )
    np.testing.assert_allclose(
        found.contribution, found.incremental - found.carry_over + found.carry_in, rtol=1e-9, atol=1e-9
    )
    assert np.all(found.incremental >= -1e-9)
    assert np.all(found.carry_over >= -1e-9)
    if not bounded:
        assert np.all(found.carry_in >= -1e-6)


def test_contributions_of_windows_add_up_to_those_of_the_whole() -> None:
    prepared = _MARKETS[False]
    parts = [of_window(prepared, _DRAWS[False], Window(a, b)) for a, b in ((0, 13), (13, 14), (14, PERIODS))]
    whole = of_window(prepared, _DRAWS[False], Window(0, PERIODS))
    np.testing.assert_allclose(sum(part.contribution for part in parts), whole.contribution, rtol=1e-9)
    np.testing.assert_allclose(sum(part.expected for part in parts), whole.expected, rtol=1e-9)


def test_without_saturation_the_incremental_outcome_of_parts_adds_up_as_well() -> None:
    """A Hill curve of slope 1 with its half far out is a straight line."""
    prepared, posterior = _MARKETS[False], _DRAWS[False]
    ones = np.ones_like(posterior.beta)
    straight = replace(
        posterior, parameters={**posterior.parameters, "half_saturation": 1e9 * ones, "slope": ones}, beta=1e9 * ones
    )
    parts = [of_window(prepared, straight, Window(a, b)) for a, b in ((0, 20), (20, PERIODS))]
    whole = of_window(prepared, straight, Window(0, PERIODS))
    np.testing.assert_allclose(parts[0].incremental + parts[1].incremental, whole.incremental, rtol=1e-6)
    np.testing.assert_allclose(whole.marginal, whole.incremental, rtol=1e-6)


def test_response_curves_rise_from_zero_through_the_incremental_outcome() -> None:
    prepared, posterior = _MARKETS[False], _DRAWS[False]
    window = Window(5, 30)
    grid = response_grid(posterior, window, MULTIPLIERS).sum(axis=3)
    np.testing.assert_allclose(grid[:, :, 0], 0.0, atol=1e-9)
    found = of_window(prepared, posterior, window)
    np.testing.assert_allclose(grid[:, :, list(MULTIPLIERS).index(1.0)], found.incremental, rtol=1e-12)
    assert np.all(np.diff(grid, axis=2) >= -1e-9)


def test_ratios_are_of_what_they_say() -> None:
    prepared, posterior = _MARKETS[False], _DRAWS[False]
    found = of_window(prepared, posterior, Window(0, PERIODS))
    np.testing.assert_allclose(found.return_on_spend * found.spend, found.incremental)
    np.testing.assert_allclose(found.marginal_return * found.spend, found.marginal)
    np.testing.assert_allclose(found.cost_per_incremental * found.incremental, found.spend * np.ones((30, 1)))
    np.testing.assert_allclose(found.effectiveness * found.exposure, found.incremental)
    share_of_spend = found.spend / found.spend.sum()
    np.testing.assert_allclose((found.efficiency * share_of_spend).sum(axis=1), 100.0)


@pytest.mark.parametrize("history", [0, 2, 6])
def test_the_effect_that_priors_are_about_is_the_return_that_is_reported(history: int) -> None:
    prepared = prepared_market(history=history)
    posterior = some_draws(prepared)
    found = of_window(prepared, posterior, Window(0, PERIODS))
    assert [effect.kind for effect in prepared.priors.effects] == ["roi"] * 3
    np.testing.assert_allclose(found.return_on_spend, posterior.parameters["effect"], rtol=1e-9)


def test_a_channel_that_starts_late_returns_no_more_than_its_prior_says() -> None:
    """With a delayed peak most of its effect lies behind the data."""
    spend = np.random.default_rng(1).gamma(2, 50, (PERIODS, 2))
    spend[:-3, 1] = 0.0
    given = panel(3000 + spend.sum(axis=1), spend)
    prepared = prepare(given, Choices(adstock="delayed", lags=13))
    posterior = some_draws(prepared, 500)
    found = quantities(posterior, Window(0, PERIODS), spend=spend.sum(axis=0), exposure=spend.sum(axis=0))
    np.testing.assert_allclose(found.return_on_spend, posterior.parameters["effect"], rtol=1e-9)
    assert np.quantile(found.return_on_spend[:, 1], 0.95) < 10


def test_media_without_spend_have_no_return_and_count_for_no_efficiency() -> None:
    posterior = _DRAWS[False]
    spend = np.array([100.0, 300.0, 0.0])
    found = quantities(posterior, Window(0, PERIODS), spend=spend, exposure=np.array([1.0, 0.0, 2.0]))
    for values in (found.return_on_spend, found.marginal_return, found.cost_per_incremental, found.efficiency):
        assert np.all(np.isnan(values[:, 2]))
        assert np.all(np.isfinite(values[:, :2]))
    assert np.all(np.isnan(found.effectiveness[:, 1]))


def test_blocks_of_draws_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared, posterior = _MARKETS[True], _DRAWS[True]
    whole = of_window(prepared, posterior, Window(3, 20))
    monkeypatch.setattr("weightings.methods.posterior.BLOCK_BYTES", 1)
    one_by_one = of_window(prepared, posterior, Window(3, 20))
    np.testing.assert_allclose(one_by_one.incremental, whole.incremental, rtol=1e-12)
    np.testing.assert_allclose(one_by_one.contribution, whole.contribution, rtol=1e-12)


def test_predictions_of_a_bounded_outcome_stay_within_its_bounds() -> None:
    prepared = _MARKETS[True]
    wild = some_draws(prepared, 500)
    wild = replace(wild, parameters={**wild.parameters, "sigma": 50 * wild.sigma}, beta=50 * wild.beta)
    drawn = predictive(wild, np.random.default_rng(0))
    assert drawn.min() >= 0.0
    assert drawn.max() <= 100.0
    expected, baseline, contribution = contributions(wild, slice(0, 500))
    for values in (expected, baseline, baseline + contribution.sum(axis=1)):
        assert values.min() >= -1e-9
        assert values.max() <= 100.0 + 1e-9


@pytest.mark.parametrize("wrong", [(5, 5), (-1, 4), (4, 2)])
def test_a_window_has_a_period(wrong: Any) -> None:
    with pytest.raises(ValueError, match="at least one period"):
        Window(*wrong)


_MARKETS = {bounded: prepared_market(bounded=bounded) for bounded in (False, True)}
_DRAWS = {bounded: some_draws(prepared) for bounded, prepared in _MARKETS.items()}


@pytest.mark.parametrize("family", ["hill_adstock", "adstock", "carryover"])
def test_lightweight_models_remember_what_was_before_the_window(family: Family) -> None:
    """By the definition: all periods with the window's media, less all periods without them."""
    rng = np.random.default_rng(13)
    spend = rng.gamma(2, 50, (PERIODS, 2))
    given = panel(3000 + spend.sum(axis=1) + rng.normal(0, 50, PERIODS), spend)
    inputs = scale_for_lightweight(media=given.exposure, target=given.outcome, costs=given.spend.sum(axis=0))
    model = LightweightModel(family, periods=PERIODS, channels=2, trend_at_end=True)
    parameters = model.constrain(rng.normal(0, 1, (20, model.size)))
    fitted = LightweightPosterior(given, model, inputs, parameters)
    window = Window(15, 22)
    found = quantities(fitted, window, spend=given.spend[15:22].sum(axis=0), exposure=given.exposure[15:22].sum(axis=0))
    whole = np.pad(fitted.amounts, ((0, 0), (0, fitted.tail)))
    without = whole.copy()
    without[:, 15:22] = 0.0
    every = slice(0, 20)
    missing = fitted.added(every, whole) - fitted.added(every, without)
    np.testing.assert_allclose(
        found.incremental, missing[:, :, : 22 + fitted.tail].sum(axis=2) * inputs.scaling.target, rtol=1e-9, atol=1e-9
    )
