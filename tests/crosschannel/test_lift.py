"""The shrunk lift: worked out by hand, held against the posterior integrated numerically, and its bounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import gamma, poisson

from crosschannel.methods.lift import PRIOR_CONVERSIONS, Lift, shrunk_lift

journeys = st.integers(1, 100_000)
shares = st.floats(0, 1)


def test_it_is_as_worked_out_by_hand() -> None:
    # Others convert 50 times in 1,000, so 200 journeys were expected to convert 10 times; they did so 30 times.
    found = shrunk_lift(journeys=200, conversions=30, other_journeys=1000, other_conversions=50)
    assert found == Lift(expected=10.0, shrunk=2.0)


def test_nothing_is_said_without_other_journeys() -> None:
    assert shrunk_lift(journeys=200, conversions=30, other_journeys=0, other_conversions=0) is None


@pytest.mark.parametrize(("seen", "other_conversions"), [(0, 40), (3, 40), (25, 40), (0, 0)])
def test_it_is_the_mean_of_the_posterior(seen: int, other_conversions: int) -> None:
    found = shrunk_lift(journeys=300, conversions=seen, other_journeys=1000, other_conversions=other_conversions)
    lift = np.linspace(0, 20, 400_001)
    density = poisson.pmf(seen, lift * 300 * other_conversions / 1000) * gamma.pdf(
        lift, PRIOR_CONVERSIONS, scale=1 / PRIOR_CONVERSIONS
    )
    assert found is not None
    assert found.shrunk == pytest.approx((lift * density).sum() / density.sum(), rel=1e-6)


def test_the_prior_is_as_broad_as_its_docstring_says() -> None:
    ends = gamma.ppf([0.025, 0.975], PRIOR_CONVERSIONS, scale=1 / PRIOR_CONVERSIONS)
    assert ends == pytest.approx([0.48, 1.71], abs=0.005)


@given(journeys, shares, journeys, shares)
def test_it_lies_between_one_and_what_was_seen(count: int, rate: float, others: int, other_rate: float) -> None:
    seen, expected = count * rate, count * other_rate
    found = shrunk_lift(journeys=count, conversions=seen, other_journeys=others, other_conversions=others * other_rate)
    assert found is not None
    assert found.expected == pytest.approx(expected)
    if seen > expected:
        assert found.shrunk * (1 + 1e-9) >= 1
        assert found.shrunk * expected <= seen * (1 + 1e-9)
    else:
        assert found.shrunk <= 1 + 1e-9
        assert found.shrunk * expected >= seen * (1 - 1e-9)


@given(journeys, shares, shares)
def test_of_the_same_rates_the_larger_pair_is_shrunk_less(count: int, rate: float, other_rate: float) -> None:
    def away(times: int) -> float:
        found = shrunk_lift(
            journeys=count * times,
            conversions=count * times * rate,
            other_journeys=1000,
            other_conversions=1000 * other_rate,
        )
        assert found is not None
        return abs(found.shrunk - 1)

    assert away(1) <= away(10) + 1e-9
