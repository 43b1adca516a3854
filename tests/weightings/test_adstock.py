"""Adstock: geometric and delayed weights, and the sum over lags."""

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.frames import Float64Column, Float64Table
from weightings.methods.adstock import adstock, delayed_weights, geometric_weights, lagged, periods_until

shares = st.floats(0, 1)
windows = st.integers(1, 20)


def by_double_loop(media: Float64Table, weights: Float64Table) -> Float64Table:
    """(N, C) adstocked media, straight from the sum in the definition."""
    result = np.zeros_like(media)
    for period, channel in np.ndindex(media.shape):
        for lag in range(min(weights.shape[1], period + 1)):
            result[period, channel] += weights[channel, lag] * media[period - lag, channel]
    return result


def test_half_of_the_effect_left_each_period_gives_four_two_and_one_sevenths() -> None:
    assert geometric_weights(np.array([0.5]), 3)[0] == pytest.approx([4 / 7, 2 / 7, 1 / 7])


def test_an_effect_that_peaks_after_one_period_is_symmetric_around_it() -> None:
    assert delayed_weights(np.array([0.5]), np.array([1.0]), 3)[0] == pytest.approx([0.25, 0.5, 0.25])


def test_carry_over_of_an_impulse_is_that_of_lightweight_mmm() -> None:
    """`carryover` of LightweightMMM (google/lightweight_mmm@dd83700) at retention .5, delay 1, 13 lags."""
    weights = delayed_weights(np.array([0.5]), np.array([1.0]), 13)
    impulse = np.zeros((6, 1))
    impulse[0] = 1
    expected = [
        0.24219309760553,
        0.48438619521106,
        0.24219309760553,
        0.03027413720069,
        9.46066787522e-4,
        7.391146778e-6,
    ]
    assert adstock(lagged(impulse, 13), weights)[0] == pytest.approx(expected, rel=1e-9)


def test_geometric_adstock_is_that_of_meridian() -> None:
    """`TestAdstock.test_output` of Meridian (google/meridian@8ca83f6), evaluated in full precision."""
    media = np.array(
        [[0.12, 0.55, 0.89], [0.34, 0.71, 0.23], [0.91, 0.08, 0.67], [0.45, 0.82, 0.11], [0.78, 0.29, 0.95]]
    )
    weights = geometric_weights(np.array([0.1, 0.5, 0.9]), 5)
    assert adstock(lagged(media, 5), weights)[:, -1] == pytest.approx(
        [0.7510143101, 0.4351612903, 0.5722202144], rel=1e-9
    )


def test_an_effect_that_does_not_fade_is_the_mean_of_the_window() -> None:
    """`test_alpha_one` of Meridian: cumulative sums over five periods, by five."""
    media = np.array([[0.12], [0.34], [0.91], [0.45], [0.78]])
    weights = geometric_weights(np.ones(1), 5)
    assert adstock(lagged(media, 5), weights)[0] == pytest.approx([0.024, 0.092, 0.274, 0.364, 0.52])


def test_media_lagged_further_back_than_they_go_are_zero() -> None:
    assert lagged(np.array([[1.0, 5.0], [2.0, 6.0]]), 3).tolist() == [
        [[1, 2], [0, 1], [0, 0]],
        [[5, 6], [0, 5], [0, 0]],
    ]


@given(seed=st.integers(0, 2**32), lags=windows, periods=st.integers(1, 12), delay=shares)
def test_adstock_equals_the_sum_over_lags(seed: int, lags: int, periods: int, delay: float) -> None:
    rng = np.random.default_rng(seed)
    media, retention = rng.gamma(1.0, size=(periods, 3)), rng.uniform(size=3)
    for weights in (
        geometric_weights(retention, lags),
        delayed_weights(retention, delay * (lags - 1) * np.ones(3), lags),
    ):
        found = adstock(lagged(media, lags), weights).T
        assert found == pytest.approx(by_double_loop(media, weights), rel=1e-12)


@given(retention=shares, delay=shares, lags=windows)
def test_weights_are_shares_of_one_effect(retention: float, delay: float, lags: int) -> None:
    peak = np.array([delay * (lags - 1)])
    for weights in (geometric_weights(np.array([retention]), lags), delayed_weights(np.array([retention]), peak, lags)):
        assert weights.shape == (1, lags)
        assert (weights >= 0).all()
        assert weights.sum() == pytest.approx(1, rel=1e-14)


@given(retention=shares, lags=windows)
def test_geometric_weights_never_rise(retention: float, lags: int) -> None:
    assert (np.diff(geometric_weights(np.array([retention]), lags)) <= 0).all()


@given(retention=st.floats(0.01, 1), delay=shares, lags=windows)
def test_delayed_weights_are_powers_of_the_retention(retention: float, delay: float, lags: int) -> None:
    peak = delay * (lags - 1)
    powers = retention ** ((np.arange(lags) - peak) ** 2)
    assert delayed_weights(np.array([retention]), np.array([peak]), lags)[0] == pytest.approx(powers / powers.sum())


@pytest.mark.parametrize(("peak", "weights"), [(0, [1, 0, 0]), (1.2, [0, 1, 0]), (0.5, [0.5, 0.5, 0]), (2, [0, 0, 1])])
def test_an_effect_that_is_not_retained_comes_at_its_peak(peak: float, weights: list[float]) -> None:
    assert delayed_weights(np.zeros(1), np.array([peak]), 3)[0] == pytest.approx(weights, abs=1e-12)


def test_an_effect_that_is_not_retained_comes_at_once() -> None:
    assert geometric_weights(np.zeros(1), 3)[0].tolist() == [1, 0, 0]


def test_weights_of_many_draws_are_computed_at_once() -> None:
    rng = np.random.default_rng(0)
    retention, delay, media = rng.uniform(size=(7, 2)), rng.uniform(0, 3, size=(7, 2)), rng.gamma(1.0, size=(9, 2))
    together = adstock(lagged(media, 4), delayed_weights(retention, delay, 4))
    assert together.shape == (7, 2, 9)
    for draw in range(7):
        alone = adstock(lagged(media, 4), delayed_weights(retention[draw], delay[draw], 4))
        assert together[draw] == pytest.approx(alone, rel=1e-13)


def test_jax_computes_the_same_as_numpy() -> None:
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    retention = np.concatenate([[0.0, 1.0, 0.0], rng.uniform(size=5)])
    delay = np.concatenate([[0.0, 2.5, 0.5], rng.uniform(0, 5, size=5)])
    past = lagged(rng.gamma(1.0, size=(20, 8)), 6)
    assert np.asarray(geometric_weights(jnp.asarray(retention), 6, jnp)) == pytest.approx(
        geometric_weights(retention, 6), rel=1e-13
    )
    weights = delayed_weights(retention, delay, 6)
    assert np.asarray(delayed_weights(jnp.asarray(retention), jnp.asarray(delay), 6, jnp)) == pytest.approx(
        weights, rel=1e-12, abs=1e-300
    )
    assert np.asarray(adstock(jnp.asarray(past), jnp.asarray(weights), jnp)) == pytest.approx(
        adstock(past, weights), rel=1e-13
    )


def test_geometric_weights_have_their_derivative_at_the_edges() -> None:
    """At retention 0, w_0 = 1 / (1 + r + ...) falls at rate 1 and w_1 = r / (1 + r + ...) rises at rate 1."""
    import jax
    import jax.numpy as jnp

    derivative = jax.jit(jax.jacrev(lambda share: geometric_weights(share[None], 3, jnp)[0]))
    for retention, slopes in ((0.0, [-1, 1, 0]), (1.0, [-1 / 3, 0, 1 / 3])):
        assert np.asarray(derivative(retention)) == pytest.approx(slopes, abs=1e-14)


@cache
def derivatives_of_delayed_weights(lags: int) -> tuple[Callable[[Float64Column], Any], ...]:
    """Of the weights by retention and delay, backwards and forwards: compiled once for all values."""
    import jax
    import jax.numpy as jnp

    return tuple(
        jax.jit(derivative(lambda pair: delayed_weights(pair[:1], pair[1:], lags, jnp)[0]))
        for derivative in (jax.jacrev, jax.jacfwd)
    )


@pytest.mark.parametrize("retention", [0.0, 1e-300, 1e-9, 0.5, 1.0])
@pytest.mark.parametrize("delay", [0.0, 0.3, 0.5, 1.0, 3.0])
def test_delayed_weights_have_finite_derivatives_at_the_edges(retention: float, delay: float) -> None:
    for derivative in derivatives_of_delayed_weights(4):
        assert np.isfinite(derivative(np.array([retention, delay]))).all()


def test_delayed_weights_have_the_derivatives_of_finite_differences() -> None:
    at, step = np.array([0.6, 1.3]), 1e-6
    slopes, _forwards = (derivative(at) for derivative in derivatives_of_delayed_weights(5))
    for parameter in range(2):
        up, down = at.copy(), at.copy()
        up[parameter] += step
        down[parameter] -= step
        change = delayed_weights(up[:1], up[1:], 5)[0] - delayed_weights(down[:1], down[1:], 5)[0]
        assert np.asarray(slopes)[:, parameter] == pytest.approx(change / (2 * step), rel=1e-6, abs=1e-9)


def test_a_window_without_periods_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 period, but it has 0"):
        geometric_weights(np.array([0.5]), 0)
    with pytest.raises(ValueError, match="at least 1 period, but it has 0"):
        delayed_weights(np.array([0.5]), np.array([0.0]), 0)
    with pytest.raises(ValueError, match="at least 1 period, but it has 0"):
        lagged(np.ones((3, 1)), 0)


def test_media_without_a_channel_axis_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(periods, channels\), but they have \(3,\)"):
        lagged(np.ones(3), 2)


@pytest.mark.parametrize("module", ["adstock", "saturation", "knots", "scores", "convergence"])
def test_what_pages_compute_with_does_not_load_jax(module: str) -> None:
    loads = f"import sys, weightings.methods.{module}; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loads], check=False).returncode == 0


def test_half_of_an_effect_of_four_two_and_one_sevenths_comes_at_once_and_the_rest_within_three_periods() -> None:
    weights = geometric_weights(np.array([[0.5], [0.0], [1.0]]), 3)[:, 0]
    assert periods_until(weights, 0.5).tolist() == [1, 1, 2]
    assert periods_until(weights, 0.9).tolist() == [3, 1, 3]
    assert periods_until(weights, 1.0).tolist() == [3, 1, 3]


@given(shares, st.floats(0, 5), st.integers(6, 20), st.floats(0.01, 1))
def test_the_effect_within_is_the_first_sum_of_weights_that_reaches_the_share(
    retention: float, delay: float, lags: int, share: float
) -> None:
    weights = delayed_weights(np.array(retention), np.array(delay), lags)
    periods = int(periods_until(weights, share))
    assert 1 <= periods <= lags
    assert sum(weights[:periods]) >= share - 1e-9
    assert periods == 1 or sum(weights[: periods - 1]) < share
