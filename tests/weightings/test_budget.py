"""Budgets: by hand, by brute force, what holds of all of them, and what they refuse."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.weightings.surfaces import hill_surface, of_grid, square_roots, straight, worth_of
from weightings.methods.planning import risk
from weightings.methods.planning.budget import BudgetWishes, Recommendation, recommend
from weightings.methods.planning.objectives import (
    MEAN,
    FixedTotal,
    Goal,
    Objective,
    TargetMarginalReturn,
    TargetReturn,
)
from weightings.methods.planning.plans import CannotBePlanned
from weightings.methods.planning.surface import GRID, ResponseSurface

FloatArray = npt.NDArray[np.float64]
OBJECTIVES = [MEAN, Objective("quantile", 0.1), Objective("cvar", 0.1)]
objectives = pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda each: each.name)
# The same, the quantile, whose search takes seconds, in the full tests only.
quick_objectives = pytest.mark.parametrize(
    "objective",
    [OBJECTIVES[0], OBJECTIVES[2], pytest.param(OBJECTIVES[1], marks=pytest.mark.full)],
    ids=["mean", "cvar", "quantile"],
)


def free(surface: ResponseSurface, total: float) -> dict[str, tuple[float, float]]:
    """Anything from nothing to all, as far as it is known."""
    return {name: (0.0, min(total, most)) for name, most in zip(surface.channels, surface.most.tolist(), strict=True)}


# By hand


def test_square_roots_are_shared_by_the_square_of_their_scale() -> None:
    surface = square_roots(np.array([500.0, 500.0]), np.array([[3.0, 4.0], [1.0, 4.0]]))  # on average 2 and 4
    found = recommend(surface, BudgetWishes(goal=FixedTotal(1000.0), limits=free(surface, 1000.0)))
    np.testing.assert_allclose(found.recommended, [200.0, 800.0], rtol=1e-5)
    assert found.objective_recommended == pytest.approx(2 * np.sqrt(200) + 4 * np.sqrt(800), rel=1e-9)
    np.testing.assert_allclose(found.marginal.mean(axis=0), np.sqrt(20.0 / 1000.0) / 2, rtol=1e-4)
    assert found.at_bound == {}
    gain = (np.array([3.0, 1.0]) * (np.sqrt(200) - np.sqrt(500))) + 4.0 * (np.sqrt(800) - np.sqrt(500))
    np.testing.assert_allclose(found.gain, gain, rtol=1e-5)
    np.testing.assert_allclose(found.outcome_recommended - found.outcome_current, gain, rtol=1e-5)
    assert found.probability_better == float(np.mean(gain > 0))
    assert found.gained(0.9)["mean"] == pytest.approx(gain.mean(), rel=1e-5)


def test_a_target_return_on_square_roots() -> None:
    """s sqrt(x) / x is 0.1 at x = (s / 0.1)^2, for all channels as one: s^2 = 2^2 + 4^2."""
    surface = square_roots(np.array([500.0, 1500.0]), np.array([[2.0, 4.0]]))
    found = recommend(surface, BudgetWishes(goal=TargetReturn(0.1), limits=free(surface, 4500.0)))
    np.testing.assert_allclose(found.recommended, [400.0, 1600.0], rtol=1e-4)
    assert found.objective_recommended / found.recommended.sum() == pytest.approx(0.1, rel=1e-8)


def test_a_target_marginal_return_on_square_roots() -> None:
    """The derivative s / (2 sqrt(x)) is 0.05 at x = (s / 0.1)^2."""
    surface = square_roots(np.array([500.0, 1500.0]), np.array([[2.0, 4.0]]))
    found = recommend(surface, BudgetWishes(goal=TargetMarginalReturn(0.05), limits=free(surface, 4500.0)))
    np.testing.assert_allclose(found.recommended, [400.0, 1600.0], rtol=1e-4)
    np.testing.assert_allclose(found.marginal.mean(axis=0), 0.05, rtol=1e-4)


def test_without_saturation_the_better_channel_takes_what_it_may() -> None:
    spend = np.array([100.0, 300.0, 600.0])
    surface = straight(spend, np.array([[1.0, 3.0, 2.0], [1.0, 1.0, 2.0]]))
    found = recommend(surface)
    np.testing.assert_allclose(found.low, 0.7 * spend)
    np.testing.assert_allclose(found.high, 1.3 * spend)
    assert found.recommended[0] == pytest.approx(70.0)
    assert found.recommended.sum() == pytest.approx(1000.0)
    assert found.objective_recommended == pytest.approx(70 + 2 * 930)
    found = recommend(surface, BudgetWishes(objective=Objective("quantile", 0.01)))
    np.testing.assert_allclose(found.recommended, [70.0, 210.0, 720.0], rtol=1e-6)
    assert found.at_bound == {"Channel 1": "low", "Channel 2": "low"}


def test_a_cautious_budget_avoids_what_may_go_badly() -> None:
    rng = np.random.default_rng(0)
    returns = np.stack([2.0 + 2.0 * rng.normal(size=400), np.full(400, 1.5)], axis=1).clip(0)
    surface = straight(np.array([500.0, 500.0]), returns)
    bold, *cautious = (recommend(surface, BudgetWishes(objective=objective)) for objective in OBJECTIVES)
    assert bold.recommended[0] == pytest.approx(650.0)
    for each in cautious:
        assert each.recommended[0] == pytest.approx(350.0)
        assert each.objective_recommended > float(each.objective.of(bold.added_recommended))
    shortfall = risk.conditional_value_at_risk(cautious[1].added_recommended, 0.9)
    assert cautious[1].objective_recommended == pytest.approx(shortfall)


def test_bounds_and_locks_are_kept_and_named() -> None:
    surface = square_roots(np.array([100.0, 100.0, 100.0, 100.0]), np.array([[1.0, 2.0, 3.0, 4.0]]))
    limits, locks = {"Channel 1": (90.0, 200.0), "Channel 4": (0.0, 120.0)}, {"Channel 2": 110.0}
    found = recommend(surface, BudgetWishes(limits=limits, locks=locks))
    np.testing.assert_allclose(found.recommended, [90.0, 110.0, 80.0, 120.0], rtol=1e-6)
    assert found.at_bound == {"Channel 1": "low", "Channel 2": "locked", "Channel 4": "high"}


def test_default_bounds_are_about_shares_of_the_total() -> None:
    surface = hill_surface(4)
    total = 1.5 * surface.spend.sum()
    found = recommend(surface, BudgetWishes(goal=FixedTotal(total)))
    np.testing.assert_allclose(found.low, 0.7 * 1.5 * surface.spend)
    np.testing.assert_allclose(found.high, 1.3 * 1.5 * surface.spend)
    assert found.recommended.sum() == pytest.approx(total, rel=1e-12)
    assert np.any(found.extrapolated)
    np.testing.assert_array_equal(found.extrapolated, found.recommended > 1.5 * surface.spend * (1 + 1e-9))


@objectives
def test_all_locked_is_as_it_is(objective: Objective) -> None:
    surface = hill_surface(5)
    locks = dict(zip(surface.channels, surface.spend.tolist(), strict=True))
    found = recommend(surface, BudgetWishes(objective=objective, locks=locks))
    np.testing.assert_allclose(found.recommended, surface.spend)
    assert np.all(found.gain == 0)
    assert found.probability_better == 0.5
    assert set(found.at_bound.values()) == {"locked"}


@objectives
def test_one_channel_gets_the_total(objective: Objective) -> None:
    surface = hill_surface(6, channels=1)
    total = 1.2 * float(surface.spend[0])
    for limits in ({}, {"Channel 1": (0.0, 2 * total)}):
        found = recommend(surface, BudgetWishes(goal=FixedTotal(total), objective=objective, limits=limits))
        np.testing.assert_allclose(found.recommended, [total], rtol=1e-12)


@objectives
def test_one_draw_is_enough(objective: Objective) -> None:
    surface = hill_surface(7, draws=1)
    found = recommend(surface, BudgetWishes(objective=objective))
    np.testing.assert_allclose(found.recommended, recommend(surface).recommended, rtol=1e-4)


@objectives
def test_channels_without_spend_get_none(objective: Objective) -> None:
    surface = hill_surface(8)
    spend, grid = surface.spend.copy(), surface.grid.copy()
    spend[1], grid[:, 1] = 0.0, 0.0
    found = recommend(replace(surface, spend=spend, grid=grid), BudgetWishes(objective=objective))
    assert found.recommended[1] == 0.0
    assert found.recommended.sum() == pytest.approx(spend.sum())
    assert np.all(np.isnan(found.marginal[:, 1]))


# By brute force


def brute_force(
    found: Recommendation, surface: ResponseSurface, steps: int, *, total: float | None
) -> tuple[float, float]:
    """The worth of the recommendation, and the best on a fine grid between its bounds."""
    axes = [np.linspace(low, high, steps) for low, high in zip(found.low, found.high, strict=True)]
    if total is None:
        spend = np.array(list(itertools.product(*axes)))
    else:
        others = np.array(list(itertools.product(*axes[:-1])))
        spend = np.column_stack([others, total - others.sum(axis=1)])
        allowed = (spend[:, -1] >= found.low[-1] - 1e-9) & (spend[:, -1] <= found.high[-1] + 1e-9)
        spend = np.clip(spend[allowed], found.low, found.high)
    reached = found.objective.of(np.sum([surface.along(c, each) for c, each in enumerate(spend.T)], axis=0))
    if isinstance(found.goal, TargetMarginalReturn):
        reached = reached - found.goal.at_least * spend.sum(axis=1)
    elif isinstance(found.goal, TargetReturn):
        reached = reached[reached >= found.goal.at_least * spend.sum(axis=1)]
    return worth_of(surface, found.goal, found.objective, found.recommended), float(reached.max())


@pytest.mark.parametrize(
    ("objective", "seed"),
    [(MEAN, 0), (MEAN, 1), (OBJECTIVES[2], 0), (OBJECTIVES[2], 1), (OBJECTIVES[1], 0)],
    ids=lambda each: getattr(each, "name", str(each)),
)
def test_a_fixed_total_is_as_good_as_brute_force(objective: Objective, seed: int) -> None:
    """Two channels to 1 in 3,000, three to 1 in 70; curves are S-shaped, with local optima."""
    for channels, steps in ((2, 3000), (3, 70)):
        surface = hill_surface(seed, channels=channels, slopes=(1.5, 6.0))
        total = 0.9 * float(surface.spend.sum())
        wishes = BudgetWishes(goal=FixedTotal(total), objective=objective, limits=free(surface, total))
        found, best = brute_force(recommend(surface, wishes), surface, steps, total=total)
        assert found >= best * (1 - 1e-9)
        if channels == 2:
            assert found <= best * (1 + 1e-3)


@quick_objectives
@pytest.mark.parametrize("seed", [0])
@pytest.mark.parametrize("target", [TargetReturn, TargetMarginalReturn])
def test_a_target_is_as_good_as_brute_force(objective: Objective, seed: int, target: Callable[[float], Goal]) -> None:
    surface = hill_surface(seed + 20, channels=2, slopes=(0.8, 4.0))
    usual = float(objective.of(surface.added(surface.spend).sum(axis=1)) / surface.spend.sum())
    goal = target(0.95 * usual)
    limits = free(surface, 2 * float(surface.spend.sum()))
    wishes = BudgetWishes(goal=goal, objective=objective, limits=limits)
    found, best = brute_force(recommend(surface, wishes), surface, 50, total=None)
    assert np.isfinite(best)
    assert found >= best * (1 - 1e-9)


# What holds of every budget


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), channels=st.integers(1, 6), total=st.floats(0.5, 2.0))
def test_a_budget_keeps_to_its_bounds_and_its_total(seed: int, channels: int, total: float) -> None:
    surface = hill_surface(seed, channels=channels)
    wanted = total * float(surface.spend.sum())
    found = recommend(surface, BudgetWishes(goal=FixedTotal(wanted), objective=OBJECTIVES[seed % 2 * 2]))
    assert found.recommended.sum() == pytest.approx(wanted, rel=1e-9)
    assert np.all(found.recommended >= found.low * (1 - 1e-12))
    assert np.all(found.recommended <= found.high * (1 + 1e-12))
    proportional = surface.added(total * surface.spend).sum(axis=1)
    assert found.objective_recommended >= float(found.objective.of(proportional)) * (1 - 1e-9)


@quick_objectives
def test_the_same_wishes_have_the_same_answer(objective: Objective) -> None:
    first, second = (recommend(hill_surface(9), BudgetWishes(objective=objective)) for _ in range(2))
    np.testing.assert_array_equal(first.recommended, second.recommended)


@quick_objectives
def test_other_currencies_and_units_change_nothing(objective: Objective) -> None:
    surface = hill_surface(10)
    scaled = of_grid(1e6 * surface.spend, 1e-4 * surface.grid)
    found, other = (recommend(each, BudgetWishes(objective=objective)) for each in (surface, scaled))
    np.testing.assert_allclose(other.recommended, 1e6 * found.recommended, rtol=1e-3)
    assert other.objective_recommended == pytest.approx(1e-4 * found.objective_recommended, rel=1e-6)


# What cannot be


@pytest.mark.parametrize(
    ("wishes", "what"),
    [
        (BudgetWishes(goal=FixedTotal(-5.0)), "The total must be a number above 0"),
        (BudgetWishes(goal=FixedTotal(np.nan)), "The total must be a number above 0"),
        (BudgetWishes(goal=FixedTotal(0.0)), "The total must be a number above 0"),
        (BudgetWishes(goal=TargetReturn(np.inf)), "The target must be a number above 0"),
        (BudgetWishes(goal=TargetMarginalReturn(-1.0)), "The target must be a number above 0"),
        (BudgetWishes(locks={"Channel 1": 1100.0}), "at least, and the total is 1,000.00. Raise the total"),
        (BudgetWishes(locks={"Channel 1": -1.0}), "must lie between two amounts of 0 or more"),
        (BudgetWishes(locks={"Channel 1": np.nan}), "must lie between two amounts of 0 or more"),
        (BudgetWishes(limits={"Channel 2": (300.0, 200.0)}), "the lower one first, but they are 300.00 and 200.00"),
        (BudgetWishes(limits={"Channel 2": (0.0, np.inf)}), "must lie between two amounts of 0 or more"),
        (BudgetWishes(limits={"Channel 2": (0.0, 100.0)}), "can take 750.00 at most, and the total is 1,000.00. Lower"),
        (BudgetWishes(goal=FixedTotal(3100.0)), "What more would add is not known. Lower the total"),
        (BudgetWishes(limits={"Radio": (0.0, 1.0)}), "There is no channel “Radio” in this plan: it has Channel 1"),
        (BudgetWishes(locks={"Radio": 1.0}), "There is no channel “Radio”"),
        (
            BudgetWishes(limits={"Channel 1": (0.0, 1e4)}, locks={"Channel 1": 2.0}),
            "Channel 1 is locked and has limits as well",
        ),
        (BudgetWishes(limits={"Channel 1": (1501.0, 2000.0)}), "what it would add is known up to 1,500.00"),
        (BudgetWishes(goal=TargetReturn(4.0)), "No budget within the limits returns 4.00 .* found is 2.48"),
    ],
)
def test_wishes_that_contradict_each_other(wishes: BudgetWishes, what: str) -> None:
    surface = straight(np.array([500.0, 500.0]), np.array([[2.0, 3.0], [1.0, 3.0]]))
    with pytest.raises(CannotBePlanned, match=what):
        recommend(surface, wishes)


def test_returns_of_small_units_are_told_apart() -> None:
    surface = straight(np.array([500.0, 500.0]), np.array([[2e-3, 3e-3], [1e-3, 3e-3]]))
    with pytest.raises(CannotBePlanned, match=r"returns 0\.0027 per unit of spend: the most that is found is 0\.0025"):
        recommend(surface, BudgetWishes(goal=TargetReturn(0.0027)))


def test_a_plan_without_spend_is_nothing_to_go_by() -> None:
    surface = of_grid(np.zeros(2), np.zeros((3, 2, len(GRID))))
    for goal in (FixedTotal(100.0), TargetReturn(1.0)):
        with pytest.raises(CannotBePlanned, match="The current plan spends nothing"):
            recommend(surface, BudgetWishes(goal=goal))
    with pytest.raises(CannotBePlanned, match="The current plan spends nothing"):
        recommend(surface)
