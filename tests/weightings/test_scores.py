"""Scores of predictions, distances of samples, and how alike columns are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp, norm

from marketing.frames import Float64Column, Float64Table
from weightings.methods.scores import (
    correlations,
    crps,
    interval_coverage,
    ks_distance,
    lag_one_correlation,
    r_squared,
    variance_inflation_factors,
    wmape,
)

seeds = st.integers(0, 2**32)
levels = st.floats(0.01, 0.99)


def crps_by_double_sum(draws: Float64Table, values: Float64Column) -> list[float]:
    """E|X - y| - E|X - X'| / 2 over all pairs of draws."""
    return [
        float(np.abs(column - value).mean() - np.abs(column[:, None] - column[None, :]).mean() / 2)
        for column, value in zip(draws.T, values, strict=True)
    ]


def test_crps_of_two_draws_is_known_by_hand() -> None:
    """Draws 0 and 2 for 3: the mean error is 2, the mean distance of two draws 1, so 2 - 1/2."""
    assert crps(np.array([[0.0], [2.0]]), np.array([3.0])).tolist() == [1.5]


def test_crps_of_one_draw_is_its_absolute_error() -> None:
    """`tests/test_metrics.py` of PyMC-Marketing 0.19.2."""
    assert crps(np.array([[0.0, 1.0, 0.0]]), np.array([1.0, 0.0, 1.0])).tolist() == [1, 1, 1]


def test_crps_of_ten_equal_draws_is_their_absolute_error() -> None:
    """The docstring of `crps` in PyMC-Marketing 0.19.2."""
    assert crps(np.tile([0.0, 1.0, 0.0], (10, 1)), np.ones(3)).tolist() == [1, 0, 1]


@given(seed=seeds, count=st.integers(1, 30))
def test_crps_equals_the_double_sum(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    draws, values = rng.standard_t(3, size=(count, 4)).round(1), rng.normal(size=4)
    assert crps(draws, values) == pytest.approx(crps_by_double_sum(draws, values), abs=1e-12)


@given(seed=seeds, shift=st.floats(-1e3, 1e3), scale=st.floats(0.01, 100))
def test_crps_moves_with_the_units_of_the_outcome(seed: int, shift: float, scale: float) -> None:
    rng = np.random.default_rng(seed)
    draws, values = rng.normal(size=(20, 3)), rng.normal(size=3)
    score = crps(draws, values)
    assert (score >= 0).all()
    assert crps(shift + scale * draws, shift + scale * values) == pytest.approx(scale * score, rel=1e-6, abs=1e-9)


def test_crps_of_many_normal_draws_is_that_of_the_normal_distribution() -> None:
    """y (2 Phi(y) - 1) + 2 phi(y) - 1 / sqrt(pi): Gneiting, Raftery 2007."""
    values = np.array([-1.0, 0.0, 2.0])
    draws = np.repeat(norm.ppf((np.arange(4000) + 0.5) / 4000)[:, None], 3, axis=1)
    exact = values * (2 * norm.cdf(values) - 1) + 2 * norm.pdf(values) - 1 / np.sqrt(np.pi)
    assert crps(draws, values) == pytest.approx(exact, abs=1e-3)


def test_three_of_four_values_lie_within_the_interval_of_their_draws() -> None:
    draws = np.repeat(np.arange(11.0)[:, None], 4, axis=1)  # the 80% interval reaches from 1 to 9
    assert interval_coverage(draws, np.array([0.9, 1.0, 5.0, 9.0]), 0.8) == 0.75


@given(seed=seeds, level=levels, wider=levels)
def test_a_wider_interval_covers_no_less(seed: int, level: float, wider: float) -> None:
    rng = np.random.default_rng(seed)
    draws, values = rng.normal(size=(50, 20)), rng.normal(size=20)
    narrow, wide = sorted([level, wider])
    assert interval_coverage(draws, values, narrow) <= interval_coverage(draws, values, wide)


def test_draws_from_the_truth_cover_their_level() -> None:
    rng = np.random.default_rng(1)
    assert interval_coverage(rng.normal(size=(1000, 5000)), rng.normal(size=5000), 0.9) == pytest.approx(0.9, abs=0.02)


def test_fit_of_three_predictions_is_known_by_hand() -> None:
    """Squares 0, 1, 0 of a total of 2; errors 0, 1, 0 of a total of 6."""
    values, predictions = np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 3.0])
    assert r_squared(values, predictions) == 0.5
    assert wmape(values, predictions) == pytest.approx(1 / 6)


@given(seed=seeds)
def test_fit_is_perfect_for_the_values_and_nothing_for_their_mean(seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=10)
    assert (r_squared(values, values), wmape(values, values)) == (1, 0)
    assert r_squared(values, np.full(10, values.mean())) == pytest.approx(0, abs=1e-12)
    assert r_squared(values, values[::-1].copy()) <= 1


def test_the_fit_of_values_without_variation_is_unknown() -> None:
    assert np.isnan(r_squared(np.full(3, 0.1), np.zeros(3)))
    assert np.isnan(wmape(np.zeros(3), np.ones(3)))


def test_the_correlation_of_neighbouring_residuals_is_known_by_hand() -> None:
    assert lag_one_correlation(np.array([2.0, 1.0, -1.0])) == pytest.approx((2 - 1) / 6)
    assert lag_one_correlation(np.array([3.0, np.nan, 2.0, 2.0])) == pytest.approx(4 / 17)  # 3 has no neighbour


def test_residuals_that_are_alone_or_nothing_have_no_correlation() -> None:
    for residual in ([], [1.0], [0.0, 0.0, 0.0], [1.0, np.nan, 2.0]):
        assert np.isnan(lag_one_correlation(np.array(residual)))


@given(seeds, st.floats(-0.9, 0.9))
def test_the_correlation_of_neighbouring_residuals_is_that_of_their_process(seed: int, persistence: float) -> None:
    noise = np.random.default_rng(seed).normal(size=4000)
    residual = np.empty_like(noise)
    before = 0.0
    for place, shock in enumerate(noise):
        before = residual[place] = persistence * before + shock
    assert lag_one_correlation(residual) == pytest.approx(persistence, abs=0.08)
    assert lag_one_correlation(1e6 * residual) == pytest.approx(lag_one_correlation(residual))


def test_ks_distance_of_two_small_samples_is_that_of_lightweight_mmm() -> None:
    """`utils_test.py` of LightweightMMM (google/lightweight_mmm@dd83700): shares 2/5 and 3/6 at 0, 1 and 5/6 at 1."""
    distance = ks_distance(np.array([0.0, 0, 1, 1, 1]), np.array([0.0, 0, 0, 1, 1, 2]))
    assert distance == pytest.approx(1 / 6, abs=1e-12)


@pytest.mark.filterwarnings("ignore:ks_2samp. Exact calculation unsuccessful")  # of the p-value, which nobody asks for
@given(seed=seeds, first=st.integers(1, 20), second=st.integers(1, 20))
def test_ks_distance_is_the_largest_difference_of_the_shares_at_or_below_any_draw(
    seed: int, first: int, second: int
) -> None:
    rng = np.random.default_rng(seed)
    prior, posterior = rng.normal(size=first).round(1), rng.normal(0.5, size=second).round(1)
    brute = max(abs((prior <= x).mean() - (posterior <= x).mean()) for x in [*prior, *posterior])
    by_scipy = ks_2samp(prior, posterior, method="exact").statistic
    for known in (brute, by_scipy):
        assert ks_distance(prior, posterior) == pytest.approx(known, abs=1e-12)
    assert ks_distance(posterior, prior) == pytest.approx(brute, abs=1e-12)
    assert ks_distance(prior, prior) == 0
    assert ks_distance(np.exp(prior), np.exp(posterior)) == pytest.approx(brute, abs=1e-12)


def test_variance_inflation_of_extreme_columns_is_that_of_lightweight_mmm() -> None:
    """`test_extreme_values_for_compute_vifs` of LightweightMMM (google/lightweight_mmm@dd83700)."""
    line = np.arange(25.0)
    root = np.sqrt(line) + 2
    columns = np.column_stack([line, root, line**0.25 - 5, np.ones(25), np.zeros(25), 30 - line, root])
    expected = [np.inf, np.inf, 57.8253, 0, np.nan, np.inf, np.inf]
    assert variance_inflation_factors(columns) == pytest.approx(expected, abs=1e-3, nan_ok=True)


def test_two_columns_that_correlate_by_a_half_inflate_variance_by_a_third() -> None:
    """1 / (1 - 1/4)."""
    columns = np.array([[1.0, 1.0], [2.0, 3.0], [3.0, 2.0]])
    assert correlations(columns) == pytest.approx(np.array([[1, 0.5], [0.5, 1]]))
    assert variance_inflation_factors(columns) == pytest.approx([4 / 3, 4 / 3])


@given(seed=seeds, count=st.integers(1, 6), scale=st.floats(1e-3, 1e6))
def test_variance_inflation_is_the_diagonal_of_the_inverse_correlations_in_any_currency(
    seed: int, count: int, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(30, count)) + rng.normal(size=(30, 1))
    alike = np.corrcoef(columns.T).reshape(count, count)
    factors = variance_inflation_factors(columns * scale + 7)
    assert factors == pytest.approx(np.diag(np.linalg.inv(alike)), rel=1e-6)
    assert (factors >= 1 - 1e-12).all()
    assert correlations(columns * scale + 7) == pytest.approx(alike, abs=1e-6)


def test_a_constant_column_correlates_with_nothing() -> None:
    found = correlations(np.column_stack([np.arange(4.0), np.full(4, 0.1), -np.arange(4.0)]))
    assert found == pytest.approx(np.array([[1, np.nan, -1], [np.nan] * 3, [-1, np.nan, 1]]), nan_ok=True)


def test_a_single_column_is_not_inflated() -> None:
    assert variance_inflation_factors(np.arange(5.0)[:, None]).tolist() == [1]


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\) do not fit values of shape \(2,\)"):
        crps(np.zeros((2, 3)), np.zeros(2))
    with pytest.raises(ValueError, match=r"\(0, 3\) do not fit"):
        interval_coverage(np.zeros((0, 3)), np.zeros(3), 0.9)
    with pytest.raises(ValueError, match="between 0 and 1, but it is 90"):
        interval_coverage(np.zeros((2, 3)), np.zeros(3), 90)
    with pytest.raises(ValueError, match="one is empty"):
        ks_distance(np.zeros(0), np.zeros(2))
