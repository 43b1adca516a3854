"""Risk measures and objectives: by hand, against one another, and what they refuse."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weightings.methods.planning import risk
from weightings.methods.planning.objectives import Objective, ObjectiveName

FloatArray = npt.NDArray[np.float64]
TEN = np.arange(1.0, 11.0)
some_draws = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60).map(np.array)
confidences = st.sampled_from([0.05, 0.5, 0.8, 0.9, 0.95, 0.99])


def test_risk_by_hand() -> None:
    """A fifth of four steps up from the lowest of five draws is 0.8 of the way to the second."""
    draws = np.array([30.0, 10.0, 50.0, 20.0, 40.0])
    assert risk.value_at_risk(draws, 0.8) == pytest.approx(18.0)
    assert risk.conditional_value_at_risk(draws, 0.8) == 10.0
    assert risk.conditional_value_at_risk(draws, 0.5) == pytest.approx(20.0)  # 10, 20 and the median itself
    assert risk.sharpe_ratio(draws, 10.0) == pytest.approx(20.0 / np.sqrt(250.0))
    assert risk.raroc(draws, np.array([15.0, 25.0]), 10.0) == pytest.approx(0.5)
    assert risk.adjusted_value_at_risk_score(draws, 0.8, 0.25) == pytest.approx(0.75 * 30 + 0.25 * 18)
    assert risk.portfolio_entropy(np.array([1.0, 1.0, 2.0])) == pytest.approx(1.5 * np.log(2))


def test_one_draw_and_draws_that_do_not_differ() -> None:
    alike = np.full(3, 0.1)
    assert risk.value_at_risk(alike) == pytest.approx(0.1)
    assert risk.conditional_value_at_risk(alike) == pytest.approx(0.1)
    assert risk.value_at_risk(np.array([4.0])) == risk.conditional_value_at_risk(np.array([4.0])) == 4.0
    assert np.isnan(risk.sharpe_ratio(alike))
    assert np.isnan(risk.sharpe_ratio(np.array([4.0])))


def test_without_spend_nothing_is_returned_on_it() -> None:
    assert np.isnan(risk.raroc(TEN, np.zeros(2)))
    assert np.isnan(risk.portfolio_entropy(np.zeros(2)))
    assert risk.portfolio_entropy(np.array([0.0, 5.0])) == 0.0


@given(draws=some_draws, confidence=confidences)
def test_the_shortfall_is_no_better_than_the_value_at_risk(draws: FloatArray, confidence: float) -> None:
    at_risk, shortfall = risk.value_at_risk(draws, confidence), risk.conditional_value_at_risk(draws, confidence)
    rounding = 1e-9 * max(1.0, float(np.abs(draws).max()))
    assert draws.min() - rounding <= shortfall <= at_risk + rounding
    assert at_risk <= draws.max() + rounding
    moved = risk.conditional_value_at_risk(draws + 100.0, confidence)
    assert risk.value_at_risk(draws + 100.0, confidence) == pytest.approx(at_risk + 100.0, abs=1e-6)
    if len(np.unique(np.round(draws, 3))) == len(draws):  # else rounding may let in one more draw
        assert moved == pytest.approx(shortfall + 100.0, abs=1e-6)


@given(shares=st.lists(st.floats(0, 1e6), min_size=1, max_size=8).map(np.array))
def test_an_even_spread_has_the_most_entropy(shares: FloatArray) -> None:
    if shares.sum() > 0:
        assert 0.0 <= risk.portfolio_entropy(shares) <= np.log(len(shares)) + 1e-9
    assert risk.portfolio_entropy(np.full(len(shares), 7.0)) == pytest.approx(np.log(len(shares)))


@pytest.mark.parametrize("draws", [np.array([]), np.array([1.0, np.nan]), np.ones((2, 2))])
@pytest.mark.parametrize(
    "measure",
    [risk.value_at_risk, risk.conditional_value_at_risk, risk.sharpe_ratio, risk.adjusted_value_at_risk_score],
)
def test_what_are_no_draws(measure: Any, draws: FloatArray) -> None:
    with pytest.raises(ValueError, match="needs draws"):
        measure(draws)


@pytest.mark.parametrize("wrong", [0.0, 1.0, -0.2, np.nan])
def test_what_is_no_share(wrong: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        risk.value_at_risk(TEN, wrong)
    with pytest.raises(ValueError, match="between 0 and 1"):
        Objective("cvar", wrong)
    if wrong not in (0.0, 1.0):
        with pytest.raises(ValueError, match="between 0 and 1"):
            risk.adjusted_value_at_risk_score(TEN, risk_aversion=wrong)


@pytest.mark.parametrize("wrong", [[-1.0], [np.nan], [np.inf]])
def test_what_is_no_spend(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="Spend must be 0 or more"):
        risk.raroc(TEN, np.array(wrong))
    with pytest.raises(ValueError, match="Spend must be 0 or more"):
        risk.portfolio_entropy(np.array(wrong))


@given(draws=some_draws, confidence=confidences)
def test_objectives_are_the_measures_of_risk(draws: FloatArray, confidence: float) -> None:
    assert float(Objective("mean").of(draws)) == pytest.approx(draws.mean(), abs=1e-9)
    quantile = float(Objective("quantile", 1 - confidence).of(draws))
    assert quantile == pytest.approx(risk.value_at_risk(draws, confidence), rel=1e-9, abs=1e-9)
    if len(np.unique(draws)) == len(draws):
        shortfall = float(Objective("cvar", 1 - confidence).of(draws))
        assert shortfall == pytest.approx(risk.conditional_value_at_risk(draws, confidence), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("name", ["mean", "quantile", "cvar"])
@pytest.mark.parametrize("share", [0.05, 0.1, 0.5, 0.77])
def test_an_objective_changes_as_its_weights_say(name: ObjectiveName, share: float) -> None:
    rng = np.random.default_rng(3)
    draws, change, objective = rng.normal(size=37), 1e-6 * rng.normal(size=37), Objective(name, share)
    weights = objective.weights(draws)
    assert weights.sum() == pytest.approx(1.0)
    assert float(weights @ draws) == pytest.approx(float(objective.of(draws)))
    gained = float(objective.of(draws + change) - objective.of(draws))
    assert gained == pytest.approx(float(weights @ change), abs=1e-12)
    rows = np.stack([draws, draws + 1.0])
    np.testing.assert_allclose(objective.of(rows), objective.of(draws) + np.array([0.0, 1.0]))


def test_smoothed_weights_count_ranks_around_the_quantile() -> None:
    draws = np.random.default_rng(4).permutation(101).astype(np.float64)
    weights = Objective("quantile", 0.1).weights(draws, smoothing=0.02)
    assert weights.sum() == pytest.approx(1.0)
    assert draws[weights.argmax()] == 10.0
    assert weights[draws == 12][0] == pytest.approx(weights[draws == 8][0])
    assert weights[draws == 40][0] < 1e-9
