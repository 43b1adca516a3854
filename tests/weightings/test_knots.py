"""Knots: where they stand, and how periods lie between them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weightings.methods.knots import knot_positions, knot_weights


def test_three_knots_in_six_periods_are_those_of_meridian() -> None:
    """`knots_test.py` of Meridian (google/meridian@8ca83f6), integer knots."""
    positions = knot_positions(6, 3)
    assert positions.tolist() == [0, 2, 5]
    assert knot_weights(6, positions) == pytest.approx(
        np.array([[1, 1 / 2, 0, 0, 0, 0], [0, 1 / 2, 1, 2 / 3, 1 / 3, 0], [0, 0, 0, 1 / 3, 2 / 3, 1]])
    )


def test_periods_before_the_first_and_after_the_last_knot_have_its_value() -> None:
    """`knots_test.py` of Meridian (google/meridian@8ca83f6), knots at 2 and 4 of 5 periods; one period more here."""
    assert knot_weights(6, np.array([2, 4])).tolist() == [[1, 1, 1, 0.5, 0, 0], [0, 0, 0, 0.5, 1, 1]]


def test_one_knot_is_a_constant() -> None:
    assert knot_positions(4, 1).tolist() == [0]
    assert knot_weights(4, knot_positions(4, 1)).tolist() == [[1, 1, 1, 1]]


def test_a_knot_for_each_period_leaves_each_its_own_value() -> None:
    assert knot_weights(5, knot_positions(5, 5)).tolist() == np.eye(5).tolist()


@given(periods=st.integers(1, 300), part=st.floats(0, 1))
def test_knots_ascend_evenly_from_the_first_period_to_the_last(periods: int, part: float) -> None:
    count = 1 + round(part * (periods - 1))
    positions = knot_positions(periods, count)
    gaps = np.diff(positions)
    assert len(positions) == count
    assert positions[0] == 0
    if count > 1:
        assert positions[-1] == periods - 1
        assert gaps.min() >= 1
        assert gaps.max() - gaps.min() <= 1


@st.composite
def chosen_knots(draw: st.DrawFn) -> tuple[int, list[int]]:
    """A number of periods, and some of them in order."""
    periods = draw(st.integers(1, 40))
    return periods, sorted(draw(st.sets(st.integers(0, periods - 1), min_size=1)))


@given(chosen=chosen_knots())
def test_a_line_through_values_at_knots_is_the_interpolation_by_hand(chosen: tuple[int, list[int]]) -> None:
    periods, knots = chosen
    values = np.random.default_rng(periods).normal(size=len(knots))
    line = values @ knot_weights(periods, np.array(knots))
    for period in range(periods):
        before = max((k for k in range(len(knots)) if knots[k] <= period), default=0)
        after = min((k for k in range(len(knots)) if knots[k] >= period), default=len(knots) - 1)
        width = knots[after] - knots[before]
        part = (period - knots[before]) / width if width > 0 else 0
        assert line[period] == pytest.approx(values[before] + part * (values[after] - values[before]), abs=1e-12)


@given(chosen=chosen_knots())
def test_weights_of_a_period_are_shares(chosen: tuple[int, list[int]]) -> None:
    periods, knots = chosen
    weights = knot_weights(periods, np.array(knots))
    assert weights.shape == (len(knots), periods)
    assert (weights >= 0).all()
    assert weights.sum(axis=0) == pytest.approx(np.ones(periods))


@pytest.mark.parametrize("count", [0, -1, 6])
def test_a_count_of_knots_that_does_not_fit_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"5 periods can have 1 to 5 knots, not {count}"):
        knot_positions(5, count)


@pytest.mark.parametrize("knots", [[], [-1, 2], [0, 5], [3, 2], [2, 2]])
def test_knots_outside_of_the_periods_or_out_of_order_are_refused(knots: list[int]) -> None:
    with pytest.raises(ValueError, match="must ascend from 0 or later to 4 or earlier"):
        knot_weights(5, np.array(knots, np.int64))
