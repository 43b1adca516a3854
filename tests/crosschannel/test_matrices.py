"""First and last groups, moves between groups, and times to convert: by hand, and by plain loops over journeys."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosschannel.methods.matrices import TimeToConvert, first_last, time_to_convert, transitions
from marketing.frames import Journeys
from tests.crosschannel.worlds import (
    DISPLAY,
    EMAIL,
    GROUP_OF_SOURCE,
    GROUPS,
    SEARCH,
    SOCIAL,
    Row,
    journeys_like,
    paths_of,
    rows_of,
    shuffled,
    worlds,
)

START, CONVERSION, DROP_OFF = GROUPS, GROUPS, GROUPS + 1
A_FEW = journeys_like(
    [
        Row(0, (EMAIL, EMAIL, SEARCH), (1, 2, 4), 9, True, 30.0),
        Row(1, (EMAIL, DISPLAY, SEARCH), (1, 4, 5), 5, False, 0.0),
        Row(2, (SEARCH, EMAIL), (1, 8), 10, True, 10.0),
        Row(3, (SEARCH,), (1,), 3, True, 2.0),
        Row(4, (), (), 6, True, 1.0),
    ]
)


def times_of(journeys: Journeys) -> TimeToConvert:
    return time_to_convert(journeys=journeys, group_of_source=GROUP_OF_SOURCE, groups=GROUPS)


def test_journeys_are_counted_by_their_first_and_last_group() -> None:
    found = first_last(paths_of(A_FEW).table)
    assert found.journeys.tolist() == [[0, 2, 0, 0], [1, 1, 0, 0], [0] * 4, [0] * 4]
    assert found.conversions.tolist() == [[0, 1, 0, 0], [1, 1, 0, 0], [0] * 4, [0] * 4]


def test_moves_are_counted_between_groups_and_ends() -> None:
    assert transitions(paths_of(A_FEW).table).tolist() == [
        [1, 1, 1, 0, 1, 0],  # from Email
        [1, 0, 0, 0, 2, 1],  # from Search
        [0, 1, 0, 0, 0, 0],  # from Display
        [0, 0, 0, 0, 0, 0],  # from Social
        [2, 2, 0, 0, 0, 0],  # from the start
    ]


def test_time_to_convert_is_from_the_first_touch_of_the_group() -> None:
    found = times_of(A_FEW)
    assert found.journeys.tolist() == [2, 3, 0, 0]
    assert found.quartiles[EMAIL].tolist() == [3.5, 5, 6.5]  # of 8 and 2 days
    assert found.quartiles[SEARCH].tolist() == [3.5, 5, 7]  # of 5, 9 and 2
    assert np.isnan(found.quartiles[[DISPLAY, SOCIAL]]).all()


def test_without_journeys_all_is_zero() -> None:
    none = A_FEW.take(np.array([4]))
    table = paths_of(none).table
    assert not first_last(table).journeys.any()
    assert not transitions(table).any()
    assert not times_of(none).journeys.any()


def test_a_group_out_of_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 2"):
        time_to_convert(journeys=A_FEW, group_of_source=GROUP_OF_SOURCE, groups=3)


@given(worlds())
def test_matrices_agree_with_plain_loops(journeys: Journeys) -> None:
    table = paths_of(journeys).table
    ends, converting_ends = np.zeros((2, GROUPS, GROUPS))
    moves = np.zeros((GROUPS + 1, GROUPS + 2))
    for row in rows_of(journeys):
        if row.groups:
            ends[row.groups[0], row.groups[-1]] += 1
            converting_ends[row.groups[0], row.groups[-1]] += row.converted
            states = [START, *row.groups, CONVERSION if row.converted else DROP_OFF]
            for i in range(len(states) - 1):
                moves[states[i], states[i + 1]] += 1
    assert first_last(table).journeys.tolist() == ends.tolist()
    assert first_last(table).conversions.tolist() == converting_ends.tolist()
    assert transitions(table).tolist() == moves.tolist()


@given(worlds())
def test_what_moves_into_a_group_moves_out_of_it(journeys: Journeys) -> None:
    table = paths_of(journeys).table
    moves = transitions(table)
    total = table.conversions.sum() + table.nulls.sum()
    assert moves[:, :GROUPS].sum(axis=0).tolist() == moves[:GROUPS].sum(axis=1).tolist()
    assert moves[START].sum() == total
    assert moves[:, CONVERSION].sum() == table.conversions.sum()
    assert moves[:, DROP_OFF].sum() == table.nulls.sum()
    assert first_last(table).journeys.sum() == total


@given(worlds(), st.integers(0, 9))
def test_times_to_convert_agree_with_plain_loops(journeys: Journeys, seed: int) -> None:
    days = defaultdict(list)
    for row in rows_of(journeys):
        for group in set(row.groups) if row.converted else ():
            days[group].append(row.anchor_at - row.at[row.groups.index(group)])
    found = times_of(shuffled(journeys, seed))
    assert found.journeys.tolist() == [len(days[group]) for group in range(GROUPS)]
    for group in range(GROUPS):
        expected = np.percentile(days[group], [25, 50, 75]) if days[group] else np.full(3, np.nan)
        assert found.quartiles[group].tolist() == pytest.approx(expected.tolist(), nan_ok=True)
