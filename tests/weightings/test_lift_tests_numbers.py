"""The lift of two groups, and how precise a test has to be: by hand, by simulation, and by the closed form."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weightings.lift_tests.entries import reach
from weightings.methods.experiments.group_sizes import Group, lift_of_groups
from weightings.methods.experiments.precision import required_error


def test_a_lift_worked_by_hand() -> None:
    """Of 998 people 49 converted, of 498 controls 14: 49 - 998 x 14 / 498 more than there would have been.

    With one conversion and one person without one more, the rates are 50 / 1000 = 0.05 and 15 / 500 = 0.03, and the
    variances 0.05 x 0.95 / 1000 = 0.0000475 and 0.03 x 0.97 / 500 = 0.0000582: together 0.0001057.
    """
    found = lift_of_groups(Group(998, 49), Group(498, 14), value=20.0)
    assert found.conversions == pytest.approx(49 - 998 * 14 / 498)
    assert found.lift == pytest.approx(20 * (49 - 998 * 14 / 498))
    assert found.standard_error == pytest.approx(20 * 998 * math.sqrt(0.0001057))


def test_values_that_differ_make_a_lift_less_certain() -> None:
    """The same groups, each conversion worth 20 give or take 30: 900 x 0.05 / 1000 and 900 x 0.03 / 500 come on top."""
    found = lift_of_groups(Group(998, 49), Group(498, 14), value=20.0, spread=30.0)
    variance = 400 * 0.0001057 + 900 * (0.05 / 1000 + 0.03 / 500)
    assert found.standard_error == pytest.approx(998 * math.sqrt(variance))


def test_with_many_conversions_it_is_the_usual_difference_of_two_proportions() -> None:
    test, control = Group(200_000, 9000), Group(50_000, 2000)
    usual = 200_000 * math.sqrt(0.045 * 0.955 / 200_000 + 0.04 * 0.96 / 50_000)
    found = lift_of_groups(test, control)
    assert found.lift == pytest.approx(1000)
    assert found.standard_error == pytest.approx(usual, rel=1e-3)


def test_no_conversions_at_all_is_no_certainty() -> None:
    nothing = lift_of_groups(Group(1000, 0), Group(1000, 0))
    assert nothing.lift == 0
    # Each group is taken for one of 1002 with one conversion.
    assert nothing.standard_error == pytest.approx(1000 * math.sqrt(2 * (1 / 1002) * (1001 / 1002) / 1002))
    everybody = lift_of_groups(Group(10, 10), Group(10, 10))
    assert everybody.standard_error == pytest.approx(10 * math.sqrt(2 * (11 / 12) * (1 / 12) / 12))


@pytest.mark.parametrize(("size", "rate"), [(400, 0.01), (2000, 0.002), (40, 0.1)])
def test_intervals_of_few_conversions_hold_the_truth_as_often_as_they_say(size: int, rate: float) -> None:
    """Groups of the same rate and about four conversions: of 95% intervals of the lift, which is 0, 94% hold it."""
    rng = np.random.default_rng(4)
    draws = rng.binomial(size, rate, (4000, 2)).tolist()
    found = [lift_of_groups(Group(size, one), Group(size, other)) for one, other in draws]
    held = [abs(each.lift) <= reach(each.standard_error, 95) for each in found]
    assert np.mean(held) > 0.94


def test_the_error_of_a_lift_in_money_is_how_far_lifts_of_many_tests_differ() -> None:
    """Orders of 50 give or take 40, of 3000 people of whom 4% buy and of 2000 of whom 3% do."""
    rng = np.random.default_rng(6)
    shape, scale = (50 / 40) ** 2, 40**2 / 50
    bought, by_control = rng.binomial(3000, 0.04, 4000), rng.binomial(2000, 0.03, 4000)
    revenue, of_control = rng.gamma(shape * bought, scale), rng.gamma(shape * by_control, scale)
    lifts = revenue - 3000 / 2000 * of_control
    stated = lift_of_groups(Group(3000, 120), Group(2000, 60), value=50.0, spread=40.0)
    assert stated.lift == pytest.approx(lifts.mean(), abs=3 * lifts.std() / math.sqrt(4000))
    assert stated.standard_error == pytest.approx(lifts.std(), rel=0.04)


sizes = st.integers(1, 10**7)


@given(size=sizes, other=sizes, data=st.data(), value=st.floats(0.01, 1e4))
def test_swapping_groups_of_one_size_turns_the_sign(size: int, other: int, data: st.DataObject, value: float) -> None:
    test = Group(size, data.draw(st.integers(0, size)))
    control = Group(size, data.draw(st.integers(0, size)))
    one, swapped = lift_of_groups(test, control, value=value), lift_of_groups(control, test, value=value)
    assert swapped.lift == pytest.approx(-one.lift, abs=1e-6 * value * size)
    assert swapped.standard_error == pytest.approx(one.standard_error)
    assert one.standard_error > 0
    larger = Group(other, control.conversions * other // size)
    assert lift_of_groups(test, larger, value=value).standard_error > 0


@pytest.mark.parametrize(
    ("size", "conversions"), [(0, 0), (-5, 0), (10, 11), (10, -1)], ids=["none", "negative", "too many", "less"]
)
def test_groups_that_cannot_be(size: int, conversions: int) -> None:
    with pytest.raises(ValueError, match="cannot have converted"):
        Group(size, conversions)


@pytest.mark.parametrize(("value", "spread"), [(0.0, 0.0), (-1.0, 0.0), (math.nan, 0.0), (1.0, -1.0), (1.0, math.inf)])
def test_values_that_cannot_be(value: float, spread: float) -> None:
    with pytest.raises(ValueError, match="a value above 0"):
        lift_of_groups(Group(10, 1), Group(10, 1), value=value, spread=spread)


def test_the_error_that_halves_what_is_uncertain() -> None:
    """By the normal update itself: precisions add up."""
    returns = np.random.default_rng(1).normal(2.0, 0.6, 4000)
    error = required_error(returns, 5000.0)
    assert error == pytest.approx(5000 * returns.std(ddof=1) / math.sqrt(3))
    precision = 1 / returns.var(ddof=1) + (5000 / error) ** 2
    assert math.sqrt(1 / precision) == pytest.approx(returns.std(ddof=1) / 2)


def test_draws_weighed_by_such_a_test_are_half_as_wide() -> None:
    """The brute force: draws of the return, weighed by how probable a measured lift is by each of them."""
    returns = np.random.default_rng(2).normal(2.0, 0.6, 200_000)
    spend = 5000.0
    error = required_error(returns, spend)
    for truth in (1.4, 2.0, 2.8):
        weights = np.exp(-0.5 * ((truth * spend - returns * spend) / error) ** 2)
        mean = np.average(returns, weights=weights)
        left = math.sqrt(np.average((returns - mean) ** 2, weights=weights))
        assert left == pytest.approx(0.5 * 0.6, rel=0.02)


def test_a_test_of_twice_the_spend_may_be_off_by_twice_as_much() -> None:
    returns = np.random.default_rng(3).lognormal(0.2, 0.5, 500)
    assert required_error(returns, 2000.0) == pytest.approx(2 * required_error(returns, 1000.0))
    assert required_error(returns, 1000.0, share=0.9) > required_error(returns, 1000.0, share=0.2)


@pytest.mark.parametrize(
    ("draws", "spend", "share"), [(2, 0.0, 0.5), (2, -1.0, 0.5), (1, 1.0, 0.5), (2, 1.0, 1.0), (2, 1.0, 0.0)]
)
def test_tests_without_a_precision(draws: int, spend: float, share: float) -> None:
    with pytest.raises(ValueError, match="A test"):
        required_error(np.arange(draws, dtype=float), spend, share=share)
