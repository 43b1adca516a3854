"""Axes: round ticks, few of them, around all values."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from charts.scales import MOST_TICKS, axis

numbers = st.floats(min_value=-1e12, max_value=1e12).filter(lambda value: value == 0 or abs(value) > 1e-6)
ROUND = (1.0, 2.0, 2.5, 5.0)


def ticks(values: list[float | None], **options: bool) -> list[float]:
    made = axis(values, title="Revenue, €", text=lambda value: f"{value:g}", **options)
    places = [tick.value for tick in made.ticks]
    assert (made.low, made.high) == (places[0], places[-1])
    return places


@given(st.lists(numbers), st.booleans(), st.booleans())
def test_ticks_enclose_the_values_and_are_few(values: list[float], zero: bool, whole: bool) -> None:
    assume(not values or max(values) == min(values) or max(values) - min(values) > 1e-9 * max(map(abs, values)))
    places = ticks([*values, None], zero=zero, whole=whole)

    slack = 1e-6 * (places[-1] - places[0])
    assert all(places[0] - slack <= value <= places[-1] + slack for value in values)
    assert 2 <= len(places) <= MOST_TICKS + 1
    assert places[0] <= 0 <= places[-1] or not zero


@given(st.lists(numbers, min_size=1))
def test_steps_are_round(values: list[float]) -> None:
    places = ticks(list(values))

    step = (places[-1] - places[0]) / (len(places) - 1)
    magnitude = 10.0 ** math.floor(math.log10(step) + 1e-6)
    assert any(math.isclose(step / magnitude, factor, rel_tol=1e-6) for factor in ROUND)


@given(st.lists(st.integers(min_value=0, max_value=10**9), min_size=1))
def test_things_are_counted_in_whole_steps(values: list[int]) -> None:
    assert all(place == int(place) for place in ticks([float(value) for value in values], whole=True))


@pytest.mark.parametrize(
    ("values", "zero", "expected"),
    [
        ([0.1, 0.3], True, [0, 0.1, 0.2, 0.3]),
        ([3.0, 487.0], True, [0, 100, 200, 300, 400, 500]),
        ([-4.0, 6.0], True, [-4, -2, 0, 2, 4, 6]),
        ([96.0, 98.0], False, [96, 96.5, 97, 97.5, 98]),
        ([], True, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        ([5.0], False, [5, 6, 7, 8, 9, 10]),
    ],
)
def test_axes_worked_by_hand(values: list[float | None], zero: bool, expected: list[float]) -> None:
    assert ticks(values, zero=zero) == expected


def test_an_axis_refuses_what_is_not_finite() -> None:
    with pytest.raises(ValueError, match="must be finite"):
        axis([math.inf], title="", text=str)
