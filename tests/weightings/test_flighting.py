"""Flighting: by brute force, with the true derivatives, within its limits, and never worse than it was."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.weightings.surfaces import LAGS, PERIODS, fitted
from weightings.methods.planning.ascent import ascend, with_total
from weightings.methods.planning.budget import BudgetWishes, recommend
from weightings.methods.planning.flighting import (
    Flighting,
    best_flighting,
    recommend_with_flighting,
    with_budget,
)
from weightings.methods.planning.objectives import FixedTotal, Objective
from weightings.methods.planning.plans import CannotBePlanned, Planned, after_the_data, planned_amounts, with_media
from weightings.methods.planning.surface import surface_of
from weightings.methods.posterior import Posterior
from weightings.methods.quantities import Window, response_grid

FloatArray = npt.NDArray[np.float64]
WINDOW = Window(12, 16)


def shaped(model: Posterior, **blocks: float) -> Posterior:
    """The model with some parameters the same in every draw."""
    changed = {name: np.full_like(model.parameters[name], value) for name, value in blocks.items()}
    return replace(model, parameters={**model.parameters, **changed})


def mean_added(model: Any, window: Window, amounts: FloatArray) -> float:
    """What such amounts (P, H) add in the window and behind it on average, by the quantities that are reported."""
    return float(response_grid(with_media(model, window, amounts), window, (1.0,)).sum(axis=(1, 2, 3)).mean())


@pytest.mark.parametrize("slope", [0.8, 1.3, 4.0])
@pytest.mark.parametrize("ahead", [False, True], ids=["replayed", "after the data"])
def test_a_flighting_is_as_good_as_brute_force(slope: float, ahead: bool) -> None:
    """Of one channel's total over four periods, in every way in tenths."""
    model, spend = fitted(channels=1, draws=12)
    model = shaped(model, slope=slope, half_saturation=2.0)
    planned: tuple[Any, Window] = (model, WINDOW)
    if ahead:
        planned = after_the_data(model, WINDOW, np.zeros((12, 4)))
    found = best_flighting(*planned, spend=spend[12:16].sum(axis=0))
    total = float(planned_amounts(*planned).sum())
    parts = np.array([(a, b, c, 10 - a - b - c) for a in range(11) for b in range(11 - a) for c in range(11 - a - b)])
    at_best = mean_added(*planned, planned_amounts(found.planned, planned[1]))
    by_force = max(mean_added(*planned, total * each[None] / 10) for each in parts)
    assert at_best >= by_force * (1 - 1e-9)
    assert at_best <= by_force * 1.05
    assert found.best.sum() == pytest.approx(spend[12:16].sum())


@pytest.mark.parametrize("saturation", ["hill", "logistic"])
def test_the_gain_is_what_the_quantities_say(saturation: Any) -> None:
    model, spend = fitted(saturation=saturation)
    window = Window(8, 22)
    found = best_flighting(model, window, spend=spend[8:22].sum(axis=0))
    kept = response_grid(model, window, (1.0,)).sum(axis=(2, 3))
    better = response_grid(found.planned, window, (1.0,)).sum(axis=(2, 3))
    np.testing.assert_allclose(found.gain, better - kept, rtol=1e-6, atol=1e-6 * kept.mean())
    assert np.all(found.gain.mean(axis=0) >= 0)
    assert found.gain.mean() > 0
    np.testing.assert_allclose(found.kept, spend[8:22].T, rtol=1e-9)
    np.testing.assert_allclose(found.best.sum(axis=1), spend[8:22].sum(axis=0))
    outside = np.ones(model.amounts.shape[1], np.bool_)
    outside[LAGS - 1 + 8 : LAGS - 1 + 22] = False
    np.testing.assert_array_equal(found.planned.amounts[:, outside], model.amounts[:, outside])


@pytest.mark.parametrize("saturation", ["hill", "logistic"])
@pytest.mark.parametrize("adstock", ["geometric", "delayed"])
def test_gradients_are_derivatives(saturation: Any, adstock: Any) -> None:
    from weightings.methods.planning.flighting import _around, _Channel

    model, _spend = fitted(saturation=saturation, adstock=adstock)
    one = _Channel.of(model, 1, _around(model, WINDOW, 1), 4)
    at = np.array([0.7, 1.4, 0.2, 2.1])
    value, gradient = one.value(at)
    for period, small in enumerate(1e-6 * np.eye(4)):
        around = (one.value(at + small)[0] - one.value(at - small)[0]) / 2e-6
        assert gradient[period] == pytest.approx(around, rel=1e-5)
    assert value * float(one.scale.mean()) == pytest.approx(float(one.added(at).mean()))


def test_saturation_without_carry_over_is_best_even() -> None:
    model, spend = fitted(channels=1, lags=1)
    found = best_flighting(shaped(model, slope=1.0), WINDOW, spend=spend[12:16].sum(axis=0))
    np.testing.assert_allclose(found.best, found.best.mean(), rtol=1e-4)


def test_a_steep_curve_is_best_in_bursts() -> None:
    """Half saturation far above the mean, so that an even spread never gets anywhere."""
    model, spend = fitted(channels=1, lags=1)
    found = best_flighting(shaped(model, slope=6.0, half_saturation=4.0), WINDOW, spend=spend[12:16].sum(axis=0))
    assert np.count_nonzero(found.best > 1e-3 * found.best.max()) < 4


def test_limits_of_each_period_are_kept() -> None:
    model, spend = fitted(channels=2)
    planned = spend[12:16].sum(axis=0)
    least = np.tile(0.1 * planned[:, None], (1, 4))
    most = np.tile(0.4 * planned[:, None], (1, 4))
    most[0, 2] = least[0, 2]
    found = best_flighting(model, WINDOW, spend=planned, least=least, most=most)
    assert np.all(found.best >= least - 1e-9)
    assert np.all(found.best <= most + 1e-9)
    np.testing.assert_allclose(found.best.sum(axis=1), planned)
    assert found.best[0, 2] == pytest.approx(least[0, 2])


def test_another_budget_is_flighted_from_the_same_pattern() -> None:
    model, spend = fitted(channels=2)
    planned = spend[12:16].sum(axis=0)
    budget = np.array([2.0, 0.5]) * planned
    found = best_flighting(model, WINDOW, spend=planned, budget=budget)
    np.testing.assert_allclose(found.kept, spend[12:16].T * np.array([[2.0], [0.5]]))
    np.testing.assert_allclose(found.best.sum(axis=1), budget)
    surface = surface_of(model, WINDOW, spend=planned)
    flighted = surface_of(found.planned, WINDOW, spend=budget)
    gained = flighted.added(budget) - surface.added(budget)
    np.testing.assert_allclose(gained.mean(axis=0), found.gain.mean(axis=0), rtol=1e-2)


def test_a_flighting_of_another_budget_gains_what_the_quantities_say() -> None:
    model, spend = fitted(channels=2)
    planned = spend[12:16].sum(axis=0)
    found = best_flighting(model, WINDOW, spend=planned, budget=np.array([1.5, 0.0]) * planned)
    budget = np.array([0.8, 0.0]) * planned
    other = with_budget(found, model, spend=planned, budget=budget)
    np.testing.assert_allclose(other.kept, spend[12:16].T * np.array([[0.8], [0.0]]))
    np.testing.assert_allclose(other.best, found.best * np.array([[0.8 / 1.5], [1.0]]))
    kept = with_media(model, WINDOW, planned_amounts(model, WINDOW) * np.array([[0.8], [0.0]]))
    before, after = (response_grid(each, WINDOW, (1.0,)).sum(axis=(2, 3)) for each in (kept, other.planned))
    np.testing.assert_allclose(other.gain, after - before)
    np.testing.assert_array_equal(other.gain[:, 1], 0)


def test_channels_without_spend_stay_without() -> None:
    model, spend = fitted(channels=2)
    amounts, planned = model.amounts.copy(), spend[12:16].sum(axis=0) * np.array([1.0, 0.0])
    amounts[1, LAGS - 1 + 12 : LAGS - 1 + 16] = 0.0
    empty = replace(model, amounts=amounts)
    found = best_flighting(empty, WINDOW, spend=planned)
    assert np.all(found.best[1] == 0)
    nothing = best_flighting(empty, WINDOW, spend=planned, budget=np.zeros(2))
    assert np.all(nothing.best == 0)
    with pytest.raises(CannotBePlanned, match="Channel 2 has no spend in the plan"):
        best_flighting(empty, WINDOW, spend=planned, budget=np.ones(2))


def test_the_same_question_has_the_same_answer() -> None:
    model, spend = fitted(draws=300)
    first, second = (best_flighting(model, WINDOW, spend=spend[12:16].sum(axis=0)) for _ in range(2))
    np.testing.assert_array_equal(first.best, second.best)
    assert isinstance(first, Flighting)


@pytest.mark.parametrize("objective", [Objective("mean"), Objective("cvar", 0.2)], ids=lambda each: each.name)
def test_budget_and_flighting_together_are_never_worse(objective: Objective) -> None:
    model, spend = fitted()
    window, planned = Window(8, 20), spend[8:20].sum(axis=0)
    wishes = BudgetWishes(goal=FixedTotal(1.1 * float(planned.sum())), objective=objective)
    alone = recommend(surface_of(model, window, spend=planned), wishes)
    found, flighting = recommend_with_flighting(model, window, spend=planned, wishes=wishes)
    assert flighting is not None
    assert found.objective_recommended > alone.objective_recommended
    np.testing.assert_array_equal(found.current, planned)
    np.testing.assert_array_equal(found.added_current, alone.added_current)
    np.testing.assert_allclose((found.low, found.high), (alone.low, alone.high))
    assert found.recommended.sum() == pytest.approx(1.1 * planned.sum())
    amounts = planned_amounts(flighting.planned, window) * (found.recommended / alone.recommended)[:, None]
    exact = response_grid(with_media(model, window, amounts), window, (1.0,)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(found.added_recommended, exact, rtol=1e-3)


def test_where_flighting_does_not_help_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cautious objective may lose by what the mean gains: then the budget stands as it was."""
    model, spend = fitted(channels=2)
    planned = spend[12:16].sum(axis=0)

    def worse(*_args: Any, budget: FloatArray, **_kwargs: Any) -> Flighting:
        amounts = np.zeros((2, 4))
        amounts[:, 0] = planned_amounts(model, WINDOW).sum(axis=1) * budget / planned
        flat = shaped(model, half_saturation=1e6)
        return Flighting(
            channels=model.media,
            window=WINDOW,
            kept=amounts,
            best=amounts,
            gain=np.zeros((20, 2)),
            planned=with_media(flat, WINDOW, amounts),
        )

    monkeypatch.setattr("weightings.methods.planning.flighting.best_flighting", worse)
    found, flighting = recommend_with_flighting(model, WINDOW, spend=planned)
    assert flighting is None
    np.testing.assert_array_equal(found.recommended, recommend(surface_of(model, WINDOW, spend=planned)).recommended)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"least": np.full((1, 4), 100.0)}, "can have from 400.00"),
        ({"most": np.zeros((1, 4))}, "to 0.00 in all, and its spend is"),
        ({"least": np.full((1, 4), -1.0)}, "must be 0 or more, and no more than the most"),
        ({"least": np.full((1, 4), np.nan)}, "must be 0 or more, and no more than the most"),
        ({"most": np.full((1, 4), np.nan)}, "must be 0 or more, and no more than the most"),
        ({"most": np.ones((1, 3))}, "must be given for each of 4 periods"),
        ({"budget": np.array([np.nan])}, "Spend on Channel 1 must be 0 or more"),
        ({"budget": np.array([-1.0])}, "Spend on Channel 1 must be 0 or more"),
    ],
)
def test_limits_that_contradict(changed: dict[str, FloatArray], what: str) -> None:
    model, spend = fitted(channels=1)
    planned = spend[12:16].sum(axis=0)
    planned = planned * 250.0 / planned
    with pytest.raises(CannotBePlanned, match=what):
        best_flighting(model, WINDOW, spend=planned, **changed)


def test_models_that_cannot_be_flighted() -> None:
    bounded, spend = fitted(bounded=True)
    with pytest.raises(CannotBePlanned, match="Compare plans as scenarios"):
        best_flighting(bounded, WINDOW, spend=spend[12:16].sum(axis=0))
    model, spend = fitted()
    of_places = replace(model, amounts=model.amounts[None])
    for other in (of_places, Planned(of_places, of_places.amounts, model.baseline)):
        with pytest.raises(CannotBePlanned, match="of one market only"):
            best_flighting(other, WINDOW, spend=spend[12:16].sum(axis=0))


# Ascent


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 8), share=st.floats(0, 1))
def test_amounts_with_a_total_are_the_nearest(seed: int, count: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 1, count)
    high = low + rng.uniform(0, 1, count)
    total, wanted = float(low.sum() + share * (high - low).sum()), rng.normal(0, 3, count)
    found = with_total(wanted, total, low, high)
    assert found.sum() == pytest.approx(total, abs=1e-9)
    assert np.all((found >= low) & (found <= high))
    for _ in range(20):  # nothing else that is allowed is nearer
        other = with_total(wanted + rng.normal(0, 1, count), total, low, high)
        assert np.sum((found - wanted) ** 2) <= np.sum((other - wanted) ** 2) + 1e-9


def test_ascent_finds_the_top_of_a_parabola_within_bounds() -> None:
    scale = np.array([1.0, 100.0, 0.01, 5.0])
    top = np.array([0.2, 0.6, 3.0, -1.0])

    def value(at: FloatArray) -> tuple[float, FloatArray]:
        return -float(scale @ (at - top) ** 2) / 2, -scale * (at - top)

    low, high = np.zeros(4), np.full(4, 2.0)
    found, reached = ascend(value, np.full(4, 0.7), lambda each: with_total(each, 2.8, low, high))
    assert reached == value(found)[0]
    assert found.sum() == pytest.approx(2.8)
    inside = (found > 1e-6) & (found < 2 - 1e-6)
    slopes = -scale * (found - top)
    np.testing.assert_allclose(slopes[inside], slopes[inside].mean(), atol=1e-5)
    assert np.all(slopes[found >= 2 - 1e-6] >= slopes[inside].mean() - 1e-5)
    assert np.all(slopes[found <= 1e-6] <= slopes[inside].mean() + 1e-5)


def test_with_three_quarters_of_a_year_of_many_periods_there_is_an_answer() -> None:
    model, spend = fitted(channels=2, periods=PERIODS + 20)
    found = best_flighting(model, Window(5, 45), spend=spend[5:45].sum(axis=0))
    assert np.all(found.gain.mean(axis=0) >= 0)
    np.testing.assert_allclose(found.best.sum(axis=1), spend[5:45].sum(axis=0))
