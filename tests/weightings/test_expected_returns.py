"""What people say of a channel's return, and what is kept of it."""

from math import exp, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weightings.expected_returns import SURENESS, as_interval, from_interval, plain
from weightings.methods.priors import LogNormal

# Standard normal deviations on either side that hold so many percent, from tables.
DEVIATIONS = {80: 1.2815515655446004, 90: 1.6448536269514722, 95: 1.959963984540054}

numbers = st.decimals("0.01", "99", places=2).map(float)


@pytest.mark.parametrize("sure", SURENESS)
def test_an_interval_is_the_range_of_that_level_of_the_belief_that_is_kept(sure: int) -> None:
    believed = from_interval(0.5, 3, sure)
    assert believed["median"] == pytest.approx(sqrt(1.5), rel=1e-11)
    prior = LogNormal.from_range(**believed)
    assert prior.spread == pytest.approx(log(6) / 2 / DEVIATIONS[sure], rel=1e-10)
    assert prior.interval(sure / 100) == pytest.approx((0.5, 3), rel=1e-10)


def test_eighty_percent_are_worked_by_hand() -> None:
    reach = log(6) / 2 * 1.6448536269514722 / 1.2815515655446004
    believed = from_interval(0.5, 3, 80)
    assert believed["low"] == pytest.approx(sqrt(1.5) * exp(-reach), abs=1e-12)
    assert believed["high"] == pytest.approx(sqrt(1.5) * exp(reach), abs=1e-12)
    assert believed["low"] < 0.5 < 3 < believed["high"]


def test_at_ninety_percent_the_ends_are_kept_as_they_are() -> None:
    assert from_interval(0.5, 3, 90) == {"median": 1.224744871392, "low": 0.5, "high": 3}


@given(one=numbers, other=numbers, sure=st.sampled_from(SURENESS))
def test_what_was_said_comes_back_as_it_was_said(one: float, other: float, sure: int) -> None:
    low, high = sorted((one, other))
    if low == high:
        return
    found = as_interval(from_interval(low, high, sure))
    assert found is not None
    assert from_interval(*found) == from_interval(low, high, sure)
    if sure == found[2]:
        assert found == (low, high, sure)


def test_a_median_that_is_not_in_the_middle_is_no_interval() -> None:
    assert as_interval({"median": 1.5, "low": 0.5, "high": 4}) is None
    assert as_interval({"median": 1.0, "low": 0.25, "high": 4}) == (0.25, 4, 90)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0, "0"), (-5.0, "-5"), (100.0, "100"), (1e6, "1000000"), (100000.1, "100000.1"), (1e-12, "0.000000000001")],
)
def test_numbers_are_said_as_people_type_them(number: float, text: str) -> None:
    assert plain(number) == text


@given(st.decimals("-999999999999", "999999999999", places=12).map(float))
def test_numbers_come_back_as_they_were_said(number: float) -> None:
    assert float(plain(number)) == number
