"""Journeys that hold two groups: by hand, and by plain loops over journeys and pairs."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosschannel.methods.pairs import PairDetails, pair_details
from marketing.frames import Int64Column, Journeys
from tests.crosschannel.worlds import (
    DISPLAY,
    EMAIL,
    GROUP_OF_SOURCE,
    GROUPS,
    SEARCH,
    SOCIAL,
    Row,
    journeys_like,
    rows_of,
    shuffled,
    worlds,
)

EDGES_DAYS = (0.5, 2.0, 7.0)
A_FEW = journeys_like(
    [
        Row(0, (EMAIL, SEARCH, EMAIL), (1, 2, 4), 9, True, 30.0),
        Row(0, (SEARCH, EMAIL), (11, 18), 20, False, 0.0),
        Row(1, (SEARCH, SEARCH, EMAIL), (1, 1, 1), 5, True, 7.0),
        Row(2, (EMAIL,), (1,), 10, True, 10.0),
        Row(3, (), (), 6, True, 1.0),
    ]
)
MONTHS = 3


def details_of(journeys: Journeys, month: Int64Column | None = None) -> PairDetails:
    """The pairs; months go round with the position of the journey unless they are given."""
    return pair_details(
        journeys=journeys,
        group_of_source=GROUP_OF_SOURCE,
        groups=GROUPS,
        month=np.arange(len(journeys)) % MONTHS if month is None else month,
        months=MONTHS,
        gap_edges_days=EDGES_DAYS,
    )


def test_journeys_are_counted_with_both_groups_and_with_each() -> None:
    found = details_of(A_FEW)
    assert found.journeys[:2, :2].tolist() == [[4, 3], [3, 3]]
    assert found.conversions[:2, :2].tolist() == [[3, 2], [2, 2]]
    assert found.value[:2, :2].tolist() == [[47, 37], [37, 37]]
    assert not found.journeys[[DISPLAY, SOCIAL]].any()


def test_the_group_that_is_touched_first_comes_first_at_the_same_moment_too() -> None:
    found = details_of(A_FEW)
    assert (found.first_journeys[EMAIL, SEARCH], found.first_journeys[SEARCH, EMAIL]) == (1, 2)
    assert (found.first_conversions[EMAIL, SEARCH], found.first_conversions[SEARCH, EMAIL]) == (1, 1)
    assert found.first_journeys.diagonal().tolist() == [0] * GROUPS
    assert (found.first_customers[EMAIL, SEARCH], found.first_customers[SEARCH, EMAIL]) == (1, 2)


def test_days_between_are_those_of_the_first_touches_and_a_bin_holds_its_lower_edge() -> None:
    found = details_of(A_FEW)
    assert found.gap_journeys[EMAIL, SEARCH].tolist() == [0, 1, 0, 0]
    assert found.gap_journeys[SEARCH, EMAIL].tolist() == [1, 0, 0, 1]


def test_journeys_are_counted_by_month() -> None:
    found = details_of(A_FEW, np.array([0, 2, 2, 0, 1]))
    assert found.month_journeys[:, EMAIL, SEARCH].tolist() == [1, 0, 2]
    assert found.month_journeys[:, EMAIL, EMAIL].tolist() == [2, 0, 2]
    assert found.month_conversions[:, SEARCH, EMAIL].tolist() == [1, 0, 1]
    assert (found.total_journeys.tolist(), found.total_conversions.tolist()) == ([2, 0, 2], [2, 0, 1])
    assert found.total_value == 47


def test_without_journeys_all_is_zero() -> None:
    found = details_of(A_FEW.take(np.array([4])))
    assert not found.journeys.any()
    assert (found.total_journeys.sum(), found.total_value) == (0, 0)


@pytest.mark.parametrize("edges", [(0.0, 1.0), (2.0, 1.0), (1.0, 1.0), (-1.0,)])
def test_edges_that_do_not_ascend_are_refused(edges: tuple[float, ...]) -> None:
    month = np.zeros(len(A_FEW), np.int64)
    with pytest.raises(ValueError, match="must ascend"):
        pair_details(
            journeys=A_FEW,
            group_of_source=GROUP_OF_SOURCE,
            groups=GROUPS,
            month=month,
            months=1,
            gap_edges_days=edges,
        )


@pytest.mark.parametrize("month", [np.array([0, 0, 0, 0, 3]), np.array([0, 0, 0, 0, -1]), np.array([0])])
def test_months_out_of_bounds_are_refused(month: Int64Column) -> None:
    with pytest.raises(ValueError, match="a month between 0 and 2"):
        details_of(A_FEW, month)


@given(worlds(), st.integers(0, 9))
def test_pairs_agree_with_plain_loops(journeys: Journeys, seed: int) -> None:
    journeys = shuffled(journeys, seed)
    rows = [(row, place % MONTHS) for place, row in enumerate(rows_of(journeys)) if row.groups]
    found = details_of(journeys)
    for a in range(GROUPS):
        mine = [(row, month) for row, month in rows if a in row.groups]
        assert found.journeys[a, a] == len(mine)
        assert found.conversions[a, a] == sum(row.converted for row, _ in mine)
        assert found.value[a, a] == sum(row.value for row, _ in mine if row.converted)
        for m in range(MONTHS):
            assert found.month_journeys[m, a, a] == sum(month == m for _, month in mine)
            assert found.month_conversions[m, a, a] == sum(month == m and row.converted for row, month in mine)
    for a, b in combinations(range(GROUPS), 2):
        mine = [(row, month) for row, month in rows if {a, b} <= set(row.groups)]
        for one, other in ((a, b), (b, a)):
            assert found.journeys[one, other] == len(mine)
            assert found.conversions[one, other] == sum(row.converted for row, _ in mine)
            assert found.value[one, other] == sum(row.value for row, _ in mine if row.converted)
            for m in range(MONTHS):
                assert found.month_journeys[m, one, other] == sum(month == m for _, month in mine)
                assert found.month_conversions[m, one, other] == sum(
                    month == m and row.converted for row, month in mine
                )
            first = [row for row, _ in mine if row.groups.index(one) < row.groups.index(other)]
            assert found.first_journeys[one, other] == len(first)
            assert found.first_conversions[one, other] == sum(row.converted for row in first)
            assert found.first_customers[one, other] == len({row.customer for row in first})
            gaps = [row.at[row.groups.index(other)] - row.at[row.groups.index(one)] for row in first]
            bins = np.bincount(np.digitize(gaps, EDGES_DAYS), minlength=len(EDGES_DAYS) + 1) if gaps else [0] * 4
            assert found.gap_journeys[one, other].tolist() == list(bins)
    for m in range(MONTHS):
        assert found.total_journeys[m] == sum(month == m for _, month in rows)
        assert found.total_conversions[m] == sum(month == m and row.converted for row, month in rows)
    assert found.total_value == sum(row.value for row, _ in rows if row.converted)


@given(worlds(), st.integers(0, 9))
def test_pairs_do_not_depend_on_the_order_of_journeys(journeys: Journeys, seed: int) -> None:
    chosen = np.random.default_rng(seed).permutation(len(journeys))
    month = np.arange(len(journeys)) % MONTHS
    one, other = details_of(journeys, month), details_of(journeys.take(chosen), month[chosen])
    for column in PairDetails.__slots__:
        assert np.array_equal(getattr(one, column), getattr(other, column))


@given(worlds())
def test_counts_of_pairs_hang_together(journeys: Journeys) -> None:
    found = details_of(journeys)
    off_diagonal = ~np.eye(GROUPS, dtype=np.bool_)
    both_orders = found.first_journeys + found.first_journeys.T
    assert np.array_equal(both_orders[off_diagonal], found.journeys[off_diagonal])
    assert np.array_equal(found.gap_journeys.sum(axis=2), found.first_journeys)
    assert np.array_equal(found.month_journeys.sum(axis=0), found.journeys)
    assert np.all(found.journeys <= np.minimum.outer(found.journeys.diagonal(), found.journeys.diagonal()))
    assert np.all(found.journeys <= found.total_journeys.sum())
