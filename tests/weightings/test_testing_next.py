"""What to test next: known answers, by brute force, and never worth less than nothing."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.weightings.surfaces import hill_surface, of_grid, square_roots, straight
from weightings.methods.planning.budget import BudgetWishes, recommend
from weightings.methods.planning.objectives import FixedTotal, TargetReturn
from weightings.methods.planning.plans import CannotBePlanned
from weightings.methods.planning.surface import GRID
from weightings.methods.planning.testing_next import BINS, worth_testing

FloatArray = npt.NDArray[np.float64]


def test_a_coin_between_two_channels() -> None:
    """Without saturation: Channel 1 returns 1 or 3 with equal chance and Channel 2 always 1.9, on 500 each.

    Not knowing, Channel 1 gets the 30% more that it may; knowing, it gets 30% less where it returns 1, which gains
    300 x 0.9 in half of all cases. Of Channel 2 there is nothing to learn.
    """
    returns = np.stack([np.tile([1.0, 3.0], 200), np.full(400, 1.9)], axis=1)
    first, second = worth_testing(straight(np.array([500.0, 500.0]), returns))
    assert (first.channel, second.channel) == ("Channel 1", "Channel 2")
    assert first.value == pytest.approx(135.0)
    assert (first.spend, first.spend_low, first.spend_high) == (650.0, 350.0, 650.0)
    assert first.moves == pytest.approx(150.0)
    assert (second.value, second.moves) == (0.0, 0.0)
    assert second.spend == second.spend_low == second.spend_high == 350.0


def test_knowledge_that_changes_nothing_is_worth_nothing() -> None:
    """Channel 1 is better whatever is learnt."""
    returns = np.stack([np.linspace(3, 4, 200), np.linspace(1, 2, 200)[::-1]], axis=1)
    for found in worth_testing(straight(np.array([500.0, 500.0]), returns)):
        assert found.value == pytest.approx(0.0, abs=1e-9)
        assert found.moves == pytest.approx(0.0, abs=1e-9)


def test_square_roots_are_as_brute_force_has_them() -> None:
    """Channel 1's scale is uniform on 1 to 5, all else is known: in each bin the best spend is known in closed form."""
    scale = np.stack([np.random.default_rng(0).permutation(np.linspace(1, 5, 1000)), np.full(1000, 3.0)], axis=1)
    surface = square_roots(np.array([500.0, 500.0]), scale)
    limits = {"Channel 1": (0.0, 1000.0), "Channel 2": (0.0, 1000.0)}
    found = {each.channel: each for each in worth_testing(surface, BudgetWishes(limits=limits))}
    means = np.sort(scale[:, 0]).reshape(BINS, -1).mean(axis=1)
    best = np.sqrt(1000.0 * (means**2 + 9.0))  # the value of the best allocation
    kept = (means + 3.0) * np.sqrt(500.0)  # on average both have 3
    gain = float(np.mean(best - kept))
    first = found["Channel 1"]
    assert first.value == pytest.approx(gain, rel=1e-3)
    assert first.spend == pytest.approx(500.0, abs=5)
    assert first.spend_low == pytest.approx(1000 * means[0] ** 2 / (means[0] ** 2 + 9), abs=5)
    assert first.spend_high == pytest.approx(1000 * means[-1] ** 2 / (means[-1] ** 2 + 9), abs=5)
    assert found["Channel 2"].value == 0.0


def test_the_channel_nobody_is_sure_about_comes_first() -> None:
    rng = np.random.default_rng(1)
    spread = np.array([0.05, 0.6, 0.2])
    scale = 3 * np.exp(spread * rng.normal(size=(1000, 3)) - spread**2 / 2)
    found = worth_testing(square_roots(np.full(3, 400.0), scale))
    assert [each.channel for each in found] == ["Channel 2", "Channel 3", "Channel 1"]
    assert found[0].value > 3 * found[1].value


def test_chance_alone_is_worth_next_to_nothing() -> None:
    """What is added at the current spend says nothing here of what more would add: all curves meet there."""
    rng = np.random.default_rng(2)
    power = rng.uniform(0.2, 0.8, (600, 3))
    known = 1000.0 + 1e-9 * rng.normal(size=(600, 3, 1))
    surface = of_grid(np.full(3, 400.0), known * GRID ** power[:, :, None])
    found = worth_testing(surface)
    gained = []  # by budgets that are judged by the draws they were fitted to
    for some in np.array_split(np.argsort(known[:, 0, 0]), BINS):
        fitted = of_grid(surface.spend, surface.grid[some])
        gained.append(
            recommend(fitted).objective_recommended
            - float(fitted.added(recommend(surface).recommended).sum(axis=1).mean())
        )
    assert np.mean(gained) > 0.1
    assert all(each.value < 0.4 * np.mean(gained) for each in found)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), channels=st.integers(1, 4), draws=st.sampled_from([1, 2, 19, 40, 77]))
def test_knowledge_never_costs(seed: int, channels: int, draws: int) -> None:
    surface = hill_surface(seed, channels=channels, draws=draws)
    found = worth_testing(surface)
    assert sorted(each.channel for each in found) == sorted(surface.channels)
    assert all(each.value >= 0 for each in found)
    assert [each.value for each in found] == sorted((each.value for each in found), reverse=True)
    assert all(each.spend_low <= each.spend_high + 1e-9 and each.moves >= 0 for each in found)
    if draws < 40:  # a single bin holds all there is
        assert all(each.value == pytest.approx(0.0, abs=1e-9) for each in found)


def test_what_is_kept_is_the_best_budget() -> None:
    surface = hill_surface(5, channels=4, draws=100)
    best = dict(zip(surface.channels, recommend(surface).recommended, strict=True))
    for each in worth_testing(surface):
        assert each.spend == pytest.approx(best[each.channel], abs=0.02 * surface.spend.sum())


def test_locked_channels_leave_nothing_to_decide() -> None:
    surface = hill_surface(6)
    locks = dict(zip(surface.channels, surface.spend.tolist(), strict=True))
    for wishes in (BudgetWishes(locks=locks), BudgetWishes(locks=dict(list(locks.items())[:2]))):
        for each in worth_testing(surface, wishes):
            assert (each.value, each.moves) == (0.0, 0.0)
            assert each.spend == each.spend_low == each.spend_high == pytest.approx(locks[each.channel])


def test_the_order_of_draws_and_channels_changes_little() -> None:
    surface = hill_surface(7, draws=400)
    found = {each.channel: each.value for each in worth_testing(surface)}
    again = {each.channel: each.value for each in worth_testing(surface)}
    assert found == again
    backwards = of_grid(surface.spend, surface.grid[::-1])
    for each in worth_testing(backwards):
        assert each.value == pytest.approx(found[each.channel], abs=0.2 * max(found.values()))


def test_a_total_that_is_free_is_refused() -> None:
    with pytest.raises(CannotBePlanned, match="with a fixed total"):
        worth_testing(hill_surface(8), BudgetWishes(goal=TargetReturn(1.0)))
    with pytest.raises(CannotBePlanned, match="The total must be"):
        worth_testing(hill_surface(8), BudgetWishes(goal=FixedTotal(-1.0)))
