"""Response surfaces: read between what is known as if it had been computed, and what they refuse."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.weightings.surfaces import LAGS, PERIODS, fitted, hill_surface, of_grid, square_roots, straight
from tests.weightings.worlds import panel
from weightings.methods.lightweight.fitting import LightweightPosterior
from weightings.methods.lightweight.model import LightweightModel, scale_for_lightweight
from weightings.methods.planning.interpolation import Curves
from weightings.methods.planning.plans import CannotBePlanned, after_the_data, observed_range, scaled, with_media
from weightings.methods.planning.surface import GRID, surface_of, surface_of_run
from weightings.methods.posterior import Posterior
from weightings.methods.quantities import MULTIPLIERS, Window, quantities, response_grid

FloatArray = npt.NDArray[np.float64]
BETWEEN = np.concatenate([np.geomspace(1e-4, 0.1, 12), np.linspace(0.11, 2.95, 40)])


def hill_curve(slope: float, half: float, at: FloatArray) -> FloatArray:
    return np.asarray(at**slope / (at**slope + half**slope))


@pytest.mark.parametrize("slope", [0.4, 0.7, 1.0, 1.8, 4.0])
@pytest.mark.parametrize("half", [0.1, 1.0, 5.0])
def test_a_hill_curve_is_read_as_it_is(slope: float, half: float) -> None:
    curves = Curves.through(GRID, hill_curve(slope, half, GRID)[None, None])
    exact = hill_curve(slope, half, BETWEEN)
    read = curves.along(0, BETWEEN)[:, 0]
    assert np.all(np.abs(read - exact) < 1e-3 * np.maximum(exact, hill_curve(slope, half, np.ones(1))))


def test_a_power_of_the_multiplier_is_read_exactly() -> None:
    surface = square_roots(np.array([100.0, 400.0]), np.array([[2.0, 3.0]]))
    for share in (0.0, 1e-5, 0.3, 0.77, 1.0, 2.2, 3.0):
        spend = share * surface.spend
        np.testing.assert_allclose(surface.added(spend)[0], np.array([2.0, 3.0]) * np.sqrt(spend), rtol=1e-12)
        if share > 0:
            marginal = np.array([1.0, 1.5]) / np.sqrt(spend)
            np.testing.assert_allclose(surface.marginal(spend)[0], marginal, rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(st.floats(0, 5, allow_subnormal=False), min_size=4, max_size=4),
    factor=st.sampled_from([1e-9, 1.0, 1e9]),
)
def test_curves_never_fall_and_go_through_what_is_known(steps: list[float], factor: float) -> None:
    multipliers = np.array([0.0, 0.1, 0.4, 1.0, 2.0])
    known = factor * np.concatenate([[0.0], np.cumsum(steps)])
    curves = Curves.through(multipliers, known[None, None])
    read = curves.along(0, np.sort(np.concatenate([multipliers, np.linspace(0, 2, 300)])))[:, 0]
    assert np.all(np.diff(read) >= -1e-12 * known[-1])
    np.testing.assert_allclose(curves.along(0, multipliers)[:, 0], known, rtol=1e-9, atol=1e-12 * known[-1])


def test_slopes_are_derivatives() -> None:
    surface = hill_surface(1, channels=4)
    for share in (0.0005, 0.02, 0.6, 1.0, 1.9):
        at = share * np.array([1.0, 0.9, 1.1, 1.05])
        values, slopes = surface.curves.with_slopes(at)
        np.testing.assert_allclose(values, surface.curves.at(at), rtol=1e-12)
        small = 1e-6 * at
        around = (surface.curves.at(at + small) - surface.curves.at(at - small)) / (2 * small[:, None])
        np.testing.assert_allclose(slopes, around, rtol=1e-4)


def test_one_channel_along_many_amounts_is_the_same_as_all_at_one() -> None:
    surface = hill_surface(2)
    for share in (0.0, 0.0003, 0.4, 1.0, 2.9):
        spend = share * surface.spend
        for place in range(3):
            np.testing.assert_allclose(
                surface.along(place, spend[[place]])[0], surface.added(spend)[:, place], rtol=1e-12
            )


@pytest.mark.parametrize(
    ("multipliers", "values", "what"),
    [
        ([0.1, 1.0, 2.0], [0.1, 1.0, 2.0], "rise from 0"),
        ([0.0, 1.0, 1.0], [0.0, 1.0, 2.0], "rise from 0"),
        ([0.0, 1.0], [0.0, 1.0], "at least two"),
        ([0.0, 1.0, 2.0], [0.0, 2.0, 1.0], "must not fall"),
        ([0.0, 1.0, 2.0], [0.5, 1.0, 2.0], "must be 0 at multiplier 0"),
        ([0.0, 1.0, 2.0], [0.0, np.nan, 2.0], "finite"),
        ([0.0, 1.0, 2.0], [0.0, 1.0], "shape"),
    ],
)
def test_curves_that_are_none(multipliers: list[float], values: list[float], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Curves.through(np.array(multipliers), np.array(values)[None, None])


@pytest.mark.parametrize("window", [Window(0, PERIODS), Window(8, 20), Window(26, 30)], ids=str)
@pytest.mark.parametrize("saturation", ["hill", "logistic"])
def test_a_surface_is_what_the_model_says(window: Window, saturation: Any) -> None:
    model, spend = fitted(saturation=saturation)
    planned = spend[window.start : window.stop].sum(axis=0)
    surface = surface_of(model, window, spend=planned)
    between = np.array([0.0, 0.004, 0.05, 0.33, 0.97, 1.0, 1.3, 2.8])
    exact = response_grid(model, window, between).sum(axis=3)
    at_plan = exact[:, :, 5]
    np.testing.assert_allclose(surface.added(planned), at_plan, rtol=1e-12)
    for place, multiplier in enumerate(between):
        read = surface.added(multiplier * planned)
        assert np.all(np.abs(read - exact[:, :, place]) <= 1e-3 * np.maximum(at_plan, exact[:, :, place]))
        np.testing.assert_allclose(read.mean(axis=0), exact[:, :, place].mean(axis=0), atol=1e-4 * at_plan.mean())
    assert np.all(surface.added(0 * planned) == 0)


@pytest.mark.parametrize("window", [Window(0, PERIODS), Window(8, 20)], ids=str)
def test_without_spend_there_is_what_the_model_expects_without_it(window: Window) -> None:
    model, spend = fitted()
    paid = 2  # the third is organic
    surface = surface_of(model, window, spend=spend[window.start : window.stop, :paid].sum(axis=0))
    nothing = scaled(model, window, np.array([0.0, 0.0, 1.0]))
    expected = model.baseline + model.added(slice(0, 20), nothing.amounts).sum(axis=1)
    inside = expected[:, window.start : window.stop].sum(axis=1) * model.scale.unit
    np.testing.assert_allclose(surface.without, inside, rtol=1e-9)
    assert surface.channels == model.media[:paid]


def test_the_surface_of_a_run_is_that_of_its_model() -> None:
    model, spend = fitted(draws=24)
    window = Window(5, 25)
    planned = spend[5:25].sum(axis=0)
    found = quantities(model, window, spend=planned, exposure=planned)
    some = np.arange(8) * 24 // 8
    curves = response_grid(model.take(some), window, MULTIPLIERS).sum(axis=3)
    stored = surface_of_run(found, curves, paid=3, observed=observed_range(model, window), bounds=None)
    exact = surface_of(model.take(some), window, spend=planned)
    np.testing.assert_allclose(stored.without, exact.without, rtol=1e-9)
    np.testing.assert_allclose(stored.added(planned), exact.added(planned), rtol=1e-12)
    np.testing.assert_allclose(stored.observed, exact.observed)
    near = np.array([0.7, 1.25, 1.65])  # between what is stored
    np.testing.assert_allclose(stored.added(near * planned), exact.added(near * planned), rtol=1e-3)


def test_periods_after_the_data_remember_the_last_ones() -> None:
    """By loops, for one draw: adstock over all periods one after another, with nothing behind the horizon."""
    model, spend = fitted(channels=2)
    horizon = Window(10, 16)
    ahead = np.random.default_rng(1).normal(2, 1, (20, 6))
    planned, window = after_the_data(model, horizon, ahead)
    assert (window.start, window.stop) == (PERIODS, PERIODS + 6)
    surface = surface_of(planned, window, spend=spend[10:16].sum(axis=0))
    draw, parameters = 3, {name: values[3] for name, values in model.parameters.items()}

    def added(multiplier: float, channel: int) -> FloatArray:
        pattern = multiplier * model.amounts[channel, LAGS - 1 + 10 : LAGS - 1 + 16]
        amounts = np.concatenate([model.amounts[channel], pattern, np.zeros(LAGS - 1)])
        lag = np.arange(LAGS)
        weights = parameters["retention"][channel] ** ((lag - parameters["peak_delay"][channel]) ** 2)
        weights /= weights.sum()
        found = []
        for period in range(LAGS - 1 + PERIODS, len(amounts)):
            stock = float(sum(weights[each] * amounts[period - each] for each in range(LAGS)))
            curve = hill_curve(parameters["slope"][channel], parameters["half_saturation"][channel], np.array([stock]))
            found.append(model.beta[draw, channel] * float(curve[0]) * model.scale.unit)
        return np.array(found)

    without = ahead[draw].sum() * model.scale.unit + sum(added(0.0, channel)[:6].sum() for channel in range(2))
    assert surface.without[draw] == pytest.approx(without, rel=1e-9)
    for multiplier in (1.0, 2.1):
        gained = [(added(multiplier, channel) - added(0.0, channel)).sum() for channel in range(2)]
        read = surface.added(multiplier * surface.spend)[draw]
        np.testing.assert_allclose(read, gained, rtol=1e-9 if multiplier == 1 else 1e-4)
    assert np.all(surface.observed >= 1.0)


def test_plans_after_the_data_that_are_none() -> None:
    model, _spend = fitted(channels=1)
    with pytest.raises(CannotBePlanned, match="must have 6 periods in each of 20 draws"):
        after_the_data(model, Window(10, 16), np.zeros((20, 5)))
    with pytest.raises(CannotBePlanned, match="ends with period 33, and there are 30"):
        after_the_data(model, Window(27, 33), np.zeros((20, 6)))


@dataclass(frozen=True, eq=False)
class Places:
    """Two markets with one model each, as a model of both: amounts (2, P, lead + T)."""

    markets: tuple[Posterior, Posterior]
    amounts: FloatArray

    def __getattr__(self, name: str) -> Any:
        return getattr(self.markets[0], name)

    @property
    def baseline(self) -> FloatArray:
        return np.asarray(self.markets[0].baseline + self.markets[1].baseline)

    def added(self, draws: slice, amounts: FloatArray) -> FloatArray:
        return np.asarray(sum(m.added(draws, each) for m, each in zip(self.markets, amounts, strict=True)))

    def take(self, draws: npt.NDArray[np.int64]) -> Self:
        first, second = (market.take(draws) for market in self.markets)
        return replace(self, markets=(first, second))


def test_a_leading_axis_of_places_rides_along() -> None:
    model, spend = fitted(channels=2)
    other = replace(model, beta=2 * model.beta, amounts=model.amounts[:, ::-1].copy())
    both = Places((model, other), np.stack([model.amounts, other.amounts]))
    window, planned = Window(9, 21), spend[9:21].sum(axis=0)
    surface = surface_of(both, window, spend=planned)
    one, two = (surface_of(each, window, spend=planned) for each in (model, other))
    np.testing.assert_allclose(surface.grid, one.grid + two.grid, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(surface.without, one.without + two.without, rtol=1e-9)
    np.testing.assert_allclose(surface.observed, np.minimum(one.observed, two.observed))
    ahead = np.zeros((20, 12))
    planned_ahead, behind = after_the_data(both, window, ahead)
    assert planned_ahead.amounts.shape == (2, 2, LAGS - 1 + PERIODS + 12)
    assert np.all(surface_of(planned_ahead, behind, spend=planned).grid >= 0)


def test_models_that_remember_everything_have_surfaces_too() -> None:
    rng = np.random.default_rng(13)
    spend = rng.gamma(2, 50, (PERIODS, 2))
    market = panel(3000 + spend.sum(axis=1) + rng.normal(0, 50, PERIODS), spend)
    inputs = scale_for_lightweight(media=market.exposure, target=market.outcome, costs=market.spend.sum(axis=0))
    model = LightweightModel("hill_adstock", periods=PERIODS, channels=2, trend_at_end=True)
    parameters = model.constrain(rng.normal(0, 0.5, (10, model.size)))
    posterior = LightweightPosterior(market, model, inputs, parameters)
    replayed = surface_of(posterior, Window(20, PERIODS), spend=spend[20:].sum(axis=0))
    planned, window = after_the_data(posterior, Window(20, PERIODS), np.zeros((10, 10)))
    ahead = surface_of(planned, window, spend=spend[20:].sum(axis=0))
    for model_, at, surface in ((posterior, Window(20, PERIODS), replayed), (planned, window, ahead)):
        exact = response_grid(model_, at, (0.55,)).sum(axis=3)[:, :, 0]
        assert np.all(np.abs(surface.added(0.55 * surface.spend) - exact) <= 1e-3 * exact + 1e-6)


def test_the_observed_range_is_the_largest_amount_over_the_largest_planned() -> None:
    model, _spend = fitted(channels=2)
    amounts = model.amounts.copy()
    amounts[:] = 1.0
    amounts[0, 0], amounts[1, 20] = 3.0, 5.0
    amounts[1, LAGS - 1 + 4] = 2.0
    seen = replace(model, amounts=amounts)
    np.testing.assert_allclose(observed_range(seen, Window(3, 6)), [3.0, 2.5])
    planned = with_media(seen, Window(3, 6), np.array([[4.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(observed_range(planned, Window(3, 6)), [0.75, np.inf])


def test_what_a_surface_refuses() -> None:
    surface = replace(straight(np.array([100.0, 0.0]), np.ones((3, 2))), channels=("TV", "Radio"))
    for wrong, what in (
        ([-1.0, 0.0], "Spend on TV must be 0 or more"),
        ([np.nan, 0.0], "Spend on TV must be 0 or more"),
        ([300.5, 0.0], "known up to a spend of 300.00"),
        ([100.0, 1.0], "Radio has no spend in the plan"),
        ([100.0], "a spend for each of 2 channels"),
    ):
        with pytest.raises(CannotBePlanned, match=what):
            surface.added(np.array(wrong))
    np.testing.assert_allclose(surface.added(np.array([300.0, 0.0])), [[300.0, 0.0]] * 3)
    assert np.all(np.isnan(surface.marginal(surface.spend)[:, 1]))
    assert surface.extrapolated(np.array([151.0, 0.0])).tolist() == [True, False]
    assert surface.extrapolated(np.array([150.0, 0.0])).tolist() == [False, False]


def test_an_outcome_with_bounds_has_no_surface() -> None:
    model, spend = fitted(bounded=True)
    window = Window(0, PERIODS)
    with pytest.raises(CannotBePlanned, match="Compare plans as scenarios"):
        surface_of(model, window, spend=spend.sum(axis=0))
    found = quantities(model, window, spend=spend.sum(axis=0), exposure=spend.sum(axis=0))
    curves = response_grid(model, window, MULTIPLIERS).sum(axis=3)
    with pytest.raises(CannotBePlanned, match="Compare plans as scenarios"):
        surface_of_run(found, curves, paid=3, observed=np.ones(3), bounds=(0.0, 100.0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"spend": np.ones(3)},
        {"observed": np.ones(1)},
        {"grid": np.zeros((4, 2, 5))},
        {"spend": np.array([1.0, -1.0])},
        {"spend": np.array([1.0, np.nan])},
        {"without": np.full(4, np.inf)},
    ],
)
def test_what_is_no_surface(wrong: dict[str, Any]) -> None:
    surface = of_grid(np.ones(2), np.ones((4, 2, 1)) * GRID)
    with pytest.raises(ValueError, match="must"):
        replace(surface, **wrong)
