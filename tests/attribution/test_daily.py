"""Credit by day: against plain loops, against the credit of the whole, and whatever the size of the pieces."""

import math
from collections import defaultdict
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.methods import daily
from attribution.methods.daily import DailyCredit, daily_credit
from attribution.methods.rules import BLOCKS, credit_cells
from marketing.frames import Journeys
from tests.attribution.rule_worlds import (
    DIRECT_SOURCE,
    GROUP_OF_SOURCE,
    GROUPS,
    NONE,
    credit_of,
    one_journey,
    worlds,
)
from tests.attribution.test_rules import BRUTE_FORCE, MODELS, brute_force
from tests.marketing.rows import DAY_US, JourneyRow, Touch, journeys_from, touches_from

STRATA = 4


def daily_of(journeys: Journeys, day: npt.NDArray[np.int64]) -> DailyCredit:
    return daily_credit(
        journeys=journeys,
        day=day,
        models=MODELS,
        group_of_source=GROUP_OF_SOURCE,
        groups=GROUPS,
        direct_source=DIRECT_SOURCE,
    )


def cells_of(journeys: Journeys, stratum: npt.NDArray[np.int64], strata: int = STRATA, **how: int) -> Any:
    return credit_cells(
        journeys=journeys,
        stratum=stratum,
        strata=strata,
        models=MODELS,
        group_of_source=GROUP_OF_SOURCE,
        groups=GROUPS,
        direct_source=DIRECT_SOURCE,
        **how,
    )


@st.composite
def dated_worlds(draw: st.DrawFn, lowest: int = -3, highest: int = 400) -> tuple[Journeys, npt.NDArray[np.int64]]:
    """Journeys, and a day for each."""
    journeys = draw(worlds())
    days = st.lists(st.integers(lowest, highest), min_size=len(journeys), max_size=len(journeys))
    return journeys, np.array(draw(days), np.int64)


# --- Worked by hand ---


def test_credit_belongs_to_the_day_of_the_conversion_and_not_of_the_touch() -> None:
    """Touches on days 0 and 1; conversions on day 2 (100) and, of the same path, on day 5 (10)."""
    touches = touches_from([Touch(0, 0, 1), Touch(0, DAY_US, 2)])
    journeys = journeys_from(
        [JourneyRow(0, 5 * DAY_US, True, 10.0, (0, 1)), JourneyRow(0, 2 * DAY_US, True, 100.0, (0, 1))], touches
    )
    credit = daily_of(journeys, np.array([5, 2]))
    assert list(zip(credit.day.tolist(), credit.group.tolist(), strict=True)) == [(2, 1), (2, 2), (5, 1), (5, 2)]
    linear, last = credit.models.index("linear"), credit.models.index("last")
    assert credit.value[:, linear].tolist() == [50.0, 50.0, 5.0, 5.0]
    assert credit.conversions[:, last].tolist() == [0.0, 1.0, 0.0, 1.0]


def test_a_conversion_without_touches_is_credited_to_none_on_its_day() -> None:
    credit = daily_of(one_journey([], value=12.5), np.array([7]))
    assert (credit.day.tolist(), credit.group.tolist()) == ([7], [NONE])
    assert credit.value.tolist() == [[12.5] * len(MODELS)]


def test_null_paths_and_groups_without_credit_have_no_rows() -> None:
    assert not len(daily_of(one_journey([(0, 1)], converted=False), np.array([7])).day)
    assert daily_of(one_journey([(0, 1)]), np.array([7])).group.tolist() == [1]


def test_no_journeys_give_no_rows() -> None:
    credit = daily_of(journeys_from([], touches_from([])), np.empty(0, np.int64))
    assert credit.models == tuple(BRUTE_FORCE)
    assert credit.conversions.shape == credit.value.shape == (0, len(MODELS))


# --- Against an independent brute force ---


@given(world=dated_worlds())
def test_every_day_equals_the_brute_force(world: tuple[Journeys, npt.NDArray[np.int64]]) -> None:
    journeys, day = world
    credit = daily_of(journeys, day)
    found: dict[tuple[int, int], tuple[list[float], list[float]]] = {}
    for row, key in enumerate(zip(credit.day.tolist(), credit.group.tolist(), strict=True)):
        found[key] = credit.conversions[row].tolist(), credit.value[row].tolist()
    assert list(found) == sorted(found)
    assert len(found) == len(credit.day)
    expected: dict[tuple[int, int], tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for date in sorted(set(day.tolist())):
        of_day = journeys.take(np.flatnonzero(day == date))
        for name in BRUTE_FORCE:
            for group, (conversions, value) in enumerate(zip(*brute_force(of_day, name), strict=True)):
                expected[date, group][0].append(conversions)
                expected[date, group][1].append(value)
    credited = {key: figures for key, figures in expected.items() if any(figures[0])}
    assert found.keys() == credited.keys()
    for key, figures in credited.items():
        assert found[key][0] == pytest.approx(figures[0], rel=1e-9, abs=1e-9)
        assert found[key][1] == pytest.approx(figures[1], rel=1e-9, abs=1e-9)


# --- Invariants ---


@given(world=dated_worlds())
def test_the_days_add_up_to_the_credit_of_the_whole(world: tuple[Journeys, npt.NDArray[np.int64]]) -> None:
    journeys, day = world
    credit, whole = daily_of(journeys, day), credit_of(journeys, MODELS)
    for group in range(GROUPS + 1):
        of_group = credit.group == group
        assert credit.conversions[of_group].sum(axis=0) == pytest.approx(whole.conversions[:, group], abs=1e-9)
        assert credit.value[of_group].sum(axis=0) == pytest.approx(whole.value[:, group], rel=1e-9, abs=1e-9)


@given(world=dated_worlds(), cells=st.integers(1, 360))
def test_days_worked_through_in_pieces_give_the_same_bits(
    world: tuple[Journeys, npt.NDArray[np.int64]], cells: int
) -> None:
    at_once = daily_of(*world)
    with patch.object(daily, "CELLS_AT_ONCE", cells):
        in_pieces = daily_of(*world)
    for name in ("day", "group", "conversions", "value"):
        assert np.array_equal(getattr(at_once, name), getattr(in_pieces, name))


def test_thousands_of_groups_over_years_are_worked_through_a_bounded_piece_at_a_time() -> None:
    """20,000 campaigns and three years would be a gigabyte and more if they were laid out densely."""
    groups, days = 20_000, 1_000
    touches = touches_from([Touch(day, day * DAY_US, day * 20) for day in range(days)])
    journeys = journeys_from([JourneyRow(day, day * DAY_US, True, 1.0, (day,)) for day in range(days)], touches)
    held: list[int] = []

    def spy(**question: Any) -> Any:
        cells = credit_cells(**question)
        held.append(cells.nbytes)
        return cells

    with patch.object(daily, "credit_cells", spy):
        credit = daily_credit(
            journeys=journeys,
            day=np.arange(days),
            models=MODELS,
            group_of_source=np.arange(groups),
            groups=groups,
            direct_source=np.zeros(groups, np.bool_),
        )
    assert max(held) <= 32 * 2**20
    assert credit.day.tolist() == list(range(days))
    assert credit.group.tolist() == [day * 20 for day in range(days)]


@given(world=dated_worlds(0, STRATA - 1))
def test_strata_add_up_to_the_whole(world: tuple[Journeys, npt.NDArray[np.int64]]) -> None:
    journeys, stratum = world
    whole = credit_of(journeys, MODELS)
    cells = cells_of(journeys, stratum)
    assert cells.shape == (len(MODELS), STRATA, GROUPS + 1, 2)
    assert cells[..., 0].sum(axis=1) == pytest.approx(whole.conversions, rel=1e-9, abs=1e-9)
    assert cells[..., 1].sum(axis=1) == pytest.approx(whole.value, rel=1e-9, abs=1e-9)


@given(world=dated_worlds(0, STRATA - 1))
def test_a_stratum_is_credited_as_if_it_were_alone(world: tuple[Journeys, npt.NDArray[np.int64]]) -> None:
    journeys, stratum = world
    cells = cells_of(journeys, stratum)
    for number in range(STRATA):
        alone = journeys.take(np.flatnonzero(stratum == number))
        assert np.array_equal(cells[:, number], cells_of(alone, np.zeros(len(alone), np.int64), 1)[:, 0])


@given(journeys=worlds())
def test_one_stratum_is_the_credit_of_the_whole_to_the_last_bit(journeys: Journeys) -> None:
    cells = cells_of(journeys, np.zeros(len(journeys), np.int64), 1, blocks=BLOCKS)[:, 0]
    whole = credit_of(journeys, MODELS)
    assert cells[..., 0].tobytes() == whole.conversions.tobytes()
    assert cells[..., 1].tobytes() == whole.value.tobytes()


# --- What is refused ---


@pytest.mark.parametrize("stratum", [[-1], [STRATA], [0, 0]])
def test_strata_out_of_bounds_are_refused(stratum: list[int]) -> None:
    with pytest.raises(ValueError, match="between 0 and 3"):
        cells_of(one_journey([(0, 1)]), np.array(stratum))


def test_a_day_is_needed_for_each_journey() -> None:
    with pytest.raises(ValueError, match="1 journeys, but 2 days"):
        daily_of(one_journey([(0, 1)]), np.array([1, 2]))


def test_far_apart_days_need_no_more_than_those_with_conversions() -> None:
    touches = touches_from([Touch(0, 0, 1)])
    journeys = journeys_from([JourneyRow(0, at, True, 1.0, (0,)) for at in (0, 1)], touches)
    credit = daily_of(journeys, np.array([0, 10**12]))
    assert credit.day.tolist() == [0, 10**12]
    assert math.isclose(credit.value.sum(), 2 * len(MODELS))
