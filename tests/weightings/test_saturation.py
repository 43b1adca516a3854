"""Saturation: the Hill and the logistic curve."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weightings.methods.saturation import hill, logistic

amounts = st.floats(0, 1e6)
scales = st.floats(1e-3, 1e3)
slopes = st.floats(0.1, 8)


def test_the_hill_curve_of_slope_one_is_known_by_hand() -> None:
    """`TestHill.test_known_outputs` of Meridian (google/meridian@8ca83f6): x / (x + 1)."""
    assert hill(np.array([0.0, 0.5, 1.0, 3.0]), 1.0, 1.0).tolist() == pytest.approx([0, 1 / 3, 1 / 2, 3 / 4])


def test_a_hill_curve_without_slope_is_one_half() -> None:
    """`TestHill.test_known_outputs` of Meridian (google/meridian@8ca83f6)."""
    assert hill(np.array([0.2, 3.0]), 0.7, 0.0).tolist() == [0.5, 0.5]


def test_the_hill_curve_of_slope_three_is_that_of_robyn() -> None:
    """`saturation_hill(c(100, 150, 170, 190, 200), alpha = 3, gamma = 0.5)` of Robyn, whose inflexion is then 100."""
    expected = [0.5, 0.7714285714285715, 0.8308811094199222, 0.8727573482631378, 0.8888888888888888]
    assert hill(np.array([100.0, 150, 170, 190, 200]), 100.0, 3.0) == pytest.approx(expected, rel=1e-13)


def test_the_logistic_curve_is_that_of_pymc_marketing() -> None:
    """`test_logistic_saturation_lam_one` of PyMC-Marketing 0.19.2: (1 - e^-1) / (1 + e^-1)."""
    assert logistic(np.array([1.0]), 1.0) == pytest.approx([0.46211715726000974], rel=1e-14)


@given(x=st.floats(1e-6, 1e6), half=scales, slope=slopes)
def test_the_hill_curve_is_its_definition(x: float, half: float, slope: float) -> None:
    assert hill(np.array([x]), half, slope)[0] == pytest.approx(x**slope / (x**slope + half**slope), rel=1e-11)


@given(x=st.floats(0, 500), rate=st.floats(0, 1))
def test_the_logistic_curve_is_its_definition(x: float, rate: float) -> None:
    assert logistic(np.array([x]), rate)[0] == pytest.approx(
        (1 - np.exp(-rate * x)) / (1 + np.exp(-rate * x)), rel=1e-9, abs=1e-15
    )


@given(xs=st.lists(amounts, min_size=2), half=scales, slope=slopes, rate=st.floats(0, 10))
def test_more_media_never_have_less_effect_and_never_more_than_all_of_it(
    xs: list[float], half: float, slope: float, rate: float
) -> None:
    x = np.sort(np.array(xs))
    for curve in (hill(x, half, slope), logistic(x, rate)):
        assert (np.diff(curve) >= 0).all()
        assert ((curve >= 0) & (curve <= 1)).all()


@given(half=scales, slope=slopes)
def test_the_hill_curve_is_one_half_at_half_saturation(half: float, slope: float) -> None:
    assert hill(np.array([half]), half, slope).tolist() == [0.5]


@given(x=amounts, half=scales, slope=slopes, factor=scales)
def test_the_currency_of_media_does_not_matter(x: float, half: float, slope: float, factor: float) -> None:
    assert hill(np.array([x * factor]), half * factor, slope) == pytest.approx(
        hill(np.array([x]), half, slope), rel=1e-10, abs=1e-15
    )
    assert logistic(np.array([x * factor]), 1 / (half * factor)) == pytest.approx(
        logistic(np.array([x]), 1 / half), rel=1e-10, abs=1e-15
    )


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0, 3.0, 50.0])
def test_no_media_have_no_effect(slope: float) -> None:
    assert hill(np.zeros(2), 1.0, slope).tolist() == [0, 0]
    assert logistic(np.zeros(2), slope).tolist() == [0, 0]


def test_curves_of_each_channel_broadcast() -> None:
    media = np.random.default_rng(0).gamma(1.0, size=(3, 5))
    half, slope, rate = np.array([0.5, 1.0, 2.0]), np.array([1.0, 2.0, 3.0]), np.array([0.1, 1.0, 5.0])
    for channel in range(3):
        assert hill(media, half[:, None], slope[:, None])[channel] == pytest.approx(
            hill(media[channel], half[channel], slope[channel])
        )
        assert logistic(media, rate[:, None])[channel] == pytest.approx(logistic(media[channel], rate[channel]))


@cache
def in_jax() -> tuple[Callable[..., tuple[float, tuple[float, ...]]], Callable[..., tuple[float, tuple[float, ...]]]]:
    """The Hill and the logistic curve, each with its derivatives: compiled once for all values."""
    import jax
    import jax.numpy as jnp

    of_hill = jax.value_and_grad(lambda x, half, slope: hill(x, half, slope, jnp), argnums=(0, 1, 2))
    of_logistic = jax.value_and_grad(lambda x, rate: logistic(x, rate, jnp), argnums=(0, 1))
    return jax.jit(of_hill), jax.jit(of_logistic)


@pytest.mark.parametrize("x", [0.0, 1e-300, 1e-5, 1.0, 1e5, 1e300])
@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0, 3.0, 50.0])
def test_jax_computes_the_same_as_numpy_with_finite_derivatives(x: float, slope: float) -> None:
    hill_in_jax, logistic_in_jax = in_jax()
    of_hill, by_hill = hill_in_jax(x, 2.0, slope)
    of_logistic, by_logistic = logistic_in_jax(x, slope)
    assert float(of_hill) == pytest.approx(float(hill(x, 2.0, slope)), rel=1e-12)
    assert float(of_logistic) == pytest.approx(float(logistic(x, slope)), rel=1e-12)
    assert np.isfinite([*by_hill, *by_logistic]).all()


@pytest.mark.parametrize("x", [0.3, 1.0, 2.0])
def test_the_hill_curve_has_the_derivatives_of_calculus(x: float) -> None:
    """With h the curve: dh/dx = h (1 - h) s / x, dh/de = -h (1 - h) s / e, dh/ds = h (1 - h) log(x / e)."""
    _value, found = in_jax()[0](x, 1.0, 2.0)
    curve = x**2 / (x**2 + 1)
    expected = curve * (1 - curve) * np.array([2 / x, -2, np.log(x)])
    assert np.asarray(found) == pytest.approx(expected, rel=1e-12)
