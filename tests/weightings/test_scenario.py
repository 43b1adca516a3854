"""Scenarios: what sliders say is what the model says."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from tests.weightings.surfaces import LAGS, PERIODS, fitted, hill_surface, straight
from tests.weightings.test_quantities import expected_by_hand
from weightings.methods.planning.plans import CannotBePlanned, observed_range
from weightings.methods.planning.scenario import exact_outlook, exact_scenario, outlook, scenario
from weightings.methods.planning.surface import surface_of
from weightings.methods.posterior import Posterior
from weightings.methods.quantities import Window, quantities, response_grid

FloatArray = npt.NDArray[np.float64]
WINDOW = Window(8, 22)


def market(*, bounded: bool = False, draws: int = 20) -> tuple[Posterior, FloatArray]:
    model, spend = fitted(bounded=bounded, draws=draws)
    return model, spend[WINDOW.start : WINDOW.stop].sum(axis=0)


def by_hand(model: Posterior, multipliers: FloatArray, draw: int) -> FloatArray:
    """The expected outcome of each period and those behind the data, by loops; `test_quantities` has the same lags."""
    amounts = np.pad(model.amounts, ((0, 0), (0, LAGS - 1)))
    inside = slice(LAGS - 1 + WINDOW.start, LAGS - 1 + WINDOW.stop)
    amounts[:, inside] *= multipliers[:, None]
    return expected_by_hand(model, amounts, draw, PERIODS + LAGS - 1)


@pytest.fixture(autouse=True)
def _as_many_lags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.weightings.test_quantities.LAGS", LAGS)


def test_sliders_by_hand() -> None:
    """No saturation: two channels that return 2 or 1, and 3, on 100 and 300."""
    surface = straight(np.array([100.0, 300.0]), np.array([[2.0, 3.0], [1.0, 3.0], [1.5, 3.0]]))
    surface = replace(surface, without=np.zeros(3), observed=np.array([1.1, 2.0]))
    found = scenario(surface, np.array([200.0, 150.0]), 0.9)
    assert found.spend == 350.0
    assert found.outcome["mean"] == found.added["mean"] == pytest.approx(300.0 + 450.0)
    assert found.per_spend["median"] == pytest.approx(750.0 / 350.0)
    assert found.difference["median"] == pytest.approx(150.0 - 450.0)
    assert found.probability_better == 0.0
    first, second = found.channels
    assert (first.channel, first.spend, first.multiplier, first.extrapolated) == ("Channel 1", 200.0, 2.0, True)
    assert (second.spend, second.multiplier, second.extrapolated) == (150.0, 0.5, False)
    assert first.per_spend["median"] == pytest.approx(1.5)
    low, high = np.quantile([200.0, 300.0, 400.0], [0.05, 0.95])
    assert first.added["low"] == pytest.approx(low)
    assert first.added["high"] == pytest.approx(high)


def test_the_current_plan_is_no_different_from_itself() -> None:
    found = scenario(hill_surface(1), hill_surface(1).spend, 0.9)
    assert found.difference == {"median": 0.0, "mean": 0.0, "low": 0.0, "high": 0.0}
    assert found.probability_better == 0.5
    assert not any(channel.extrapolated for channel in found.channels)


def test_nothing_spent_is_the_outcome_without() -> None:
    surface = hill_surface(2)
    found = scenario(surface, np.zeros(3), 0.9)
    assert found.outcome["mean"] == pytest.approx(surface.without.mean())
    assert found.added["high"] == 0.0
    assert found.per_spend["median"] is None
    assert found.channels[0].per_spend["median"] is None


@pytest.mark.parametrize("multipliers", [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.5, 1.7, 0.93], [2.9, 0.0, 0.07]])
def test_a_surface_says_what_the_model_says(multipliers: list[float]) -> None:
    model, spend = market()
    at = np.array(multipliers)
    read = outlook(surface_of(model, WINDOW, spend=spend), at * spend)
    exact = exact_outlook(model, WINDOW, spend=spend, multipliers=at)
    at_grid = set(multipliers) <= {0.0, 1.0}
    tolerance = 1e-12 if at_grid else 1e-3
    for name in ("added", "together", "outcome"):
        size = np.abs(getattr(exact, name)).mean()
        np.testing.assert_allclose(getattr(read, name), getattr(exact, name), rtol=tolerance, atol=tolerance * size)


@pytest.mark.parametrize("bounded", [False, True], ids=["amount", "bounded"])
def test_an_exact_outlook_is_what_loops_say(bounded: bool) -> None:
    model, spend = market(bounded=bounded)
    at = np.array([0.4, 1.0, 1.6])
    found = exact_outlook(model, WINDOW, spend=spend, multipliers=at)
    inside = slice(WINDOW.start, WINDOW.stop)
    for draw in (0, 11):
        plan, nothing = by_hand(model, at, draw), by_hand(model, 0 * at, draw)
        if bounded:
            assert found.outcome[draw] == pytest.approx(plan[inside].mean(), rel=1e-5)
            assert found.together[draw] == pytest.approx((plan - nothing)[inside].mean(), rel=1e-3, abs=1e-5)
        else:
            behind = (plan - nothing)[WINDOW.stop :].sum()
            assert found.outcome[draw] == pytest.approx(plan[inside].sum() + behind, rel=1e-9)
            assert found.together[draw] == pytest.approx((plan - nothing)[WINDOW.start :].sum(), rel=1e-9)
            assert found.together[draw] == pytest.approx(found.added[draw].sum(), rel=1e-9)
        for channel in range(3):
            missing = at * (np.arange(3) != channel)
            gained = (plan - by_hand(model, missing, draw))[WINDOW.start :].sum()
            divisor = WINDOW.periods if bounded else 1
            assert found.added[draw, channel] == pytest.approx(gained / divisor, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("bounded", [False, True], ids=["amount", "bounded"])
def test_the_current_plan_has_the_quantities_that_are_reported(bounded: bool) -> None:
    model, spend = market(bounded=bounded)
    found = exact_outlook(model, WINDOW, spend=spend, multipliers=np.ones(3))
    reported = quantities(model, WINDOW, spend=spend, exposure=spend)
    np.testing.assert_allclose(found.added, reported.incremental, rtol=1e-9)
    if bounded:
        np.testing.assert_allclose(found.outcome, reported.expected, rtol=1e-9)
        assert found.outcome.min() > 0
        assert found.outcome.max() < 100
    else:
        np.testing.assert_allclose(found.outcome, reported.expected + reported.carry_over.sum(axis=1), rtol=1e-9)


@pytest.mark.parametrize("bounded", [False, True], ids=["amount", "bounded"])
def test_scenarios_can_be_computed_from_the_model(bounded: bool) -> None:
    model, spend = market(bounded=bounded)
    at = np.array([1.2, 1.0, 4.0])
    found = exact_scenario(model, WINDOW, spend=spend, multipliers=at, level=0.8)
    assert found.probability_better == 1.0
    assert [channel.multiplier for channel in found.channels] == pytest.approx([1.2, 1.0, 4.0])
    reach = observed_range(model, WINDOW)
    assert [channel.extrapolated for channel in found.channels] == (at > reach).tolist()
    low, high = found.difference["low"], found.difference["high"]
    assert low is not None
    assert high is not None
    assert 0 < low < high
    if not bounded:
        surface = surface_of(model, WINDOW, spend=spend)
        near = scenario(surface, np.minimum(at, 3.0) * spend, 0.8)
        again = exact_scenario(model, WINDOW, spend=spend, multipliers=np.minimum(at, 3.0), level=0.8)
        assert near.difference["median"] == pytest.approx(again.difference["median"], rel=1e-4)


def test_organic_media_are_as_they_are() -> None:
    model, spend = market()
    paid = exact_outlook(model, WINDOW, spend=spend[:2], multipliers=np.array([0.5, 2.0]))
    every = exact_outlook(model, WINDOW, spend=spend, multipliers=np.array([0.5, 2.0, 1.0]))
    np.testing.assert_allclose(paid.added, every.added[:, :2], rtol=1e-9)
    organic = response_grid(model, WINDOW, (1.0,))[:, 2, 0, 1]  # what it adds behind is no part of this outlook
    np.testing.assert_allclose(paid.outcome + organic, every.outcome, rtol=1e-9)


@pytest.mark.parametrize("wrong", [[1.0, 1.0], [1.0, np.nan, 1.0], [1.0, -0.1, 1.0], [np.inf, 1.0, 1.0]])
def test_what_is_no_plan(wrong: list[float]) -> None:
    model, spend = market()
    with pytest.raises(CannotBePlanned, match="a multiplier of 0 or more for each of 3 channels"):
        exact_outlook(model, WINDOW, spend=spend, multipliers=np.array(wrong))
    with pytest.raises(CannotBePlanned):
        scenario(hill_surface(3), np.array([1.0, np.nan, 1.0]), 0.9)
