"""Ranks, and whether they are uniform: by hand, by counting all cases, and of a posterior that is known."""

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from benchmarks.calibration.simulating import RANKED
from benchmarks.calibration.uniformity import at_most, band, chance_within, p_value, ranks_of

IntArray = npt.NDArray[np.int64]

# --- Ranks ---


def test_a_rank_is_how_many_draws_lie_below_the_truth() -> None:
    drawn = np.array([[1.0, 5.0, 2.0], [2.0, 6.0, 1.0], [3.0, 7.0, 3.0]])
    np.testing.assert_array_equal(ranks_of(np.array([2.5, 4.0, 9.0]), drawn, np.random.default_rng(1)), [2, 0, 3])


def test_among_equal_draws_each_rank_is_as_likely() -> None:
    """Of draws 0, 1, 1, 2 a truth of 1 has rank 1, 2 or 3."""
    rng = np.random.default_rng(1)
    found = [int(ranks_of(np.ones(1), np.array([[0.0], [1.0], [1.0], [2.0]]), rng)[0]) for _ in range(3000)]
    assert np.bincount(found, minlength=5) == pytest.approx([0, 1000, 1000, 1000, 0], abs=120)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_not_finite_has_no_rank(wrong: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        ranks_of(np.array([wrong]), np.zeros((3, 1)), np.random.default_rng(1))
    with pytest.raises(ValueError, match="not finite"):
        ranks_of(np.zeros(1), np.array([[0.0], [wrong]]), np.random.default_rng(1))


@pytest.mark.parametrize("ranks", [[], [-1, 0], [0, 4]])
def test_ranks_that_cannot_be_are_refused(ranks: list[int]) -> None:
    with pytest.raises(ValueError, match="from 0 to 3"):
        at_most(np.array(ranks, np.int64), 3)


# --- Whether they are uniform ---


def test_two_ranks_of_one_draw_by_hand() -> None:
    """0, 1 or 2 of them are at most 0, with 1/4, 1/2, 1/4: one of each is as usual as can be, both the same is not."""
    assert p_value(np.array([0, 1]), 1) == pytest.approx(1.0)
    assert p_value(np.array([0, 0]), 1) == pytest.approx(0.5)
    assert p_value(np.array([1, 1]), 1) == pytest.approx(0.5)


def by_brute_force(ranks: tuple[int, ...], draws: int) -> float:
    """Of all samples of as many ranks, the share whose most unusual point is at least as unusual."""

    def unusual(sample: tuple[int, ...]) -> float:
        tails = []
        for rank in range(draws):
            number, expected = sum(each <= rank for each in sample), (rank + 1) / (draws + 1)
            tails.append(2 * binom.cdf(number, len(sample), expected))
            tails.append(2 * binom.sf(number - 1, len(sample), expected))
        return float(min(1.0, *tails))

    mine = unusual(ranks)
    everything = itertools.product(range(draws + 1), repeat=len(ranks))
    return float(np.mean([unusual(sample) <= mine * (1 + 1e-12) for sample in everything]))


@pytest.mark.parametrize("ranks", [(0, 0, 0, 0), (0, 1, 2, 3), (3, 3, 2, 3), (1, 1, 2, 2), (0, 0, 3, 3), (2, 2, 2, 2)])
def test_a_p_value_is_that_of_counting_all_samples(ranks: tuple[int, ...]) -> None:
    assert p_value(np.array(ranks), 3) == pytest.approx(by_brute_force(ranks, 3), abs=1e-12)


def test_the_chance_of_a_band_is_that_of_simulated_ranks() -> None:
    rng = np.random.default_rng(4)
    simulations, draws = 60, 11
    chances = np.linspace(1, 2, draws + 1) / np.linspace(1, 2, draws + 1).sum()
    expected = simulations * np.cumsum(chances)[:-1]
    low, high = (expected - 7).astype(int).clip(0), (expected + 7).astype(int).clip(max=simulations)
    reached = np.cumsum(rng.multinomial(simulations, chances, 40_000), axis=1)[:, :-1]
    simulated = np.mean(np.all((low <= reached) & (reached <= high), axis=1))
    assert 0.3 < simulated < 0.95
    assert chance_within(low, high, simulations, chances) == pytest.approx(simulated, abs=0.01)


@pytest.mark.parametrize("error", [0.05, 0.01, 0.00025])
def test_uniform_ranks_leave_the_band_as_seldom_as_is_said(error: float) -> None:
    low, high = band(500, RANKED, error)
    assert 1 - chance_within(low, high, 500) <= error
    assert 1 - chance_within(low, high, 500) > 0.9 * error  # no wider than need be, but for whole numbers
    expected = 500 * np.arange(1, RANKED + 1) / (RANKED + 1)
    assert np.all((low <= expected) & (expected <= high))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), slope=st.floats(-1, 1), error=st.sampled_from([0.5, 0.1, 0.01]))
def test_ranks_leave_the_band_where_their_p_value_is_small(seed: int, slope: float, error: float) -> None:
    rng = np.random.default_rng(seed)
    chances = 1 + slope * np.linspace(-1, 1, 10)
    ranks = rng.choice(10, 40, p=chances / chances.sum())
    low, high = band(40, 9, error)
    reached = at_most(ranks, 9)
    assert bool(np.any((reached < low) | (reached > high))) == (p_value(ranks, 9) <= error)


@settings(max_examples=30, deadline=None)
@given(ranks=st.lists(st.integers(0, 12), min_size=1, max_size=50))
def test_ranks_counted_from_the_other_end_are_as_unusual(ranks: list[int]) -> None:
    assert p_value(np.array(ranks), 12) == pytest.approx(p_value(12 - np.array(ranks), 12), abs=1e-9)


# --- A model whose posterior is known ---


def ranks_of_conjugate(simulations: int, wrong: str = "", by: float = 0.0, *, seed: int = 5) -> IntArray:
    """Of a normal mean with a standard normal prior and 4 observations with variance 2, in its exact posterior, or one
    that is wider or shifted by this share of its standard deviation."""
    rng = np.random.default_rng(seed)
    mean = rng.standard_normal(simulations)
    observed = mean[:, None] + np.sqrt(2) * rng.standard_normal((simulations, 4))
    deviation = np.sqrt(1 / (1 + 4 / 2))
    centre = observed.sum(axis=1) / 2 * deviation**2 + (by * deviation if wrong == "shifted" else 0.0)
    drawn = centre + deviation * (1 + by if wrong == "wider" else 1.0) * rng.standard_normal((RANKED, simulations))
    return ranks_of(mean, drawn, rng)


def test_ranks_in_the_exact_posterior_are_uniform() -> None:
    p_values = [p_value(ranks_of_conjugate(1000, seed=seed), RANKED) for seed in range(20)]
    assert min(p_values) > 0.01
    assert max(p_values) > 0.5


@pytest.mark.parametrize(
    ("simulations", "wrong", "by"),
    [(1000, "shifted", 0.3), (1000, "shifted", -0.3), (2000, "wider", -0.15), (2000, "wider", 0.2)],
)
def test_a_posterior_that_is_shifted_or_too_narrow_or_too_wide_is_found(
    simulations: int, wrong: str, by: float
) -> None:
    assert p_value(ranks_of_conjugate(simulations, wrong, by), RANKED) < 0.00025


@pytest.mark.parametrize(
    ("wrong", "by", "at_least"), [("shifted", 0.3, 0.99), ("shifted", 0.2, 0.9), ("wider", -0.25, 0.95)]
)
def test_what_a_thousand_simulations_find(wrong: str, by: float, at_least: float) -> None:
    """The chance that one quantity of forty is found to be wrong, from how its ranks are then distributed."""
    drawn = ranks_of_conjugate(100_000, wrong, by)
    chances = np.bincount(drawn, minlength=RANKED + 1) / len(drawn)
    low, high = band(1000, RANKED, 0.01 / 40)
    assert 1 - chance_within(low, high, 1000, chances) > at_least
