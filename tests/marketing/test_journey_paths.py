"""Telling paths apart, and counting how often each was taken."""

from collections import defaultdict
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.frames import Journeys, PathTable
from marketing.journey_paths import JourneyPaths, merge_paths, path_table
from tests.attribution.chains import EXAMPLES, PathRow, path_rows, table_of
from tests.marketing.rows import JourneyRow, Touch, journeys_from, touches_from


def paths_of(table: PathTable) -> list[tuple[int, ...]]:
    return [tuple(table.steps[a:b].tolist()) for a, b in zip(table.offsets[:-1], table.offsets[1:], strict=True)]


@pytest.fixture
def journeys() -> Journeys:
    """Sources 0 and 1 are channel 0, source 2 is channel 1."""
    touches = touches_from([Touch(0, 1, 0), Touch(0, 2, 2), Touch(0, 3, 1), Touch(1, 1, 1), Touch(1, 2, 2)])
    rows = [
        JourneyRow(0, 2, True, 10.0, (0, 1)),
        JourneyRow(0, 4, False, 0.0, (2,)),
        JourneyRow(1, 2, True, 5.0, (3, 4)),
        JourneyRow(1, 2, False, 0.0, (3, 4)),
        JourneyRow(1, 9, True, 7.0, ()),
    ]
    return journeys_from(rows, touches)


def test_journeys_along_the_same_channels_are_one_path(journeys: Journeys) -> None:
    found = path_table(journeys=journeys, group_of_source=np.array([0, 0, 1]), groups=2)
    assert paths_of(found.table) == [(0,), (0, 1)]
    assert found.table.conversions.tolist() == [0, 2]
    assert found.table.value.tolist() == [0, 15]
    assert found.table.nulls.tolist() == [1, 1]


def test_a_journey_without_touches_has_no_path(journeys: Journeys) -> None:
    found = path_table(journeys=journeys, group_of_source=np.array([0, 0, 1]), groups=2)
    assert found.path_of_journey.tolist() == [1, 0, 1, 1, -1]


def test_value_of_a_null_path_counts_for_nothing(journeys: Journeys) -> None:
    journeys.value[1] = 99.0
    found = path_table(journeys=journeys, group_of_source=np.array([0, 0, 1]), groups=2)
    assert found.table.value.tolist() == [0, 15]


def test_no_journeys_make_no_paths() -> None:
    found = path_table(journeys=journeys_from([], touches_from([])), group_of_source=np.array([0]), groups=1)
    assert len(found.table) == 0
    assert found.path_of_journey.tolist() == []


def merged(rows: list[PathRow], groups: int) -> JourneyPaths:
    return merge_paths(
        offsets=np.cumsum([0, *(len(row.steps) for row in rows)]),
        steps=np.array([step for row in rows for step in row.steps], np.int64),
        groups=groups,
        conversions=np.array([row.conversions for row in rows]),
        value=np.array([row.value for row in rows]),
        nulls=np.array([row.nulls for row in rows]),
    )


@EXAMPLES
@given(path_rows(longest=9), st.sampled_from([4, 2_000_000]), st.integers(0, 9))
def test_merged_rows_are_the_sorted_distinct_paths(rows: list[PathRow], groups: int, ahead: int) -> None:
    """With two million groups, two steps fill a number, so that paths are compared in several rounds."""
    rows = [*rows, *(PathRow((1,) * ahead + row.steps, 1.0, 2.0, 3.0) for row in rows)]
    sums: dict[tuple[int, ...], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for row in rows:
        for i, weight in enumerate((row.conversions, row.value, row.nulls)):
            sums[row.steps][i] += weight
    found = merged(rows, groups)
    assert paths_of(found.table) == sorted(sums)
    weights = np.stack([found.table.conversions, found.table.value, found.table.nulls], axis=1)
    assert weights.tolist() == [sums[path] for path in sorted(sums)]
    assert [paths_of(found.table)[path] for path in found.path_of_journey] == [row.steps for row in rows]


@EXAMPLES
@given(path_rows(), st.randoms(use_true_random=False))
def test_the_table_does_not_depend_on_the_order_of_rows(rows: list[PathRow], random: Random) -> None:
    shuffled = random.sample(rows, len(rows))
    one, other = table_of(rows, 4), table_of(shuffled, 4)
    for column in ("offsets", "steps", "conversions", "value", "nulls"):
        assert getattr(one, column).tolist() == getattr(other, column).tolist()


def test_many_paths_are_told_apart() -> None:
    """Far more than the table begins with room for."""
    paths = [(a, b, c) for a in range(20) for b in range(20) for c in range(20)]
    found = merged([PathRow(path, 1.0) for path in paths * 2], 20)
    assert paths_of(found.table) == paths
    assert set(found.table.conversions.tolist()) == {2.0}


def test_an_empty_row_belongs_to_no_path() -> None:
    found = merged([PathRow((), 3.0), PathRow((1,), 1.0)], 2)
    assert found.path_of_journey.tolist() == [-1, 0]
    assert found.table.conversions.tolist() == [1]


def test_an_unknown_source_is_refused(journeys: Journeys) -> None:
    with pytest.raises(ValueError, match="source 2, but only 2 are known"):
        path_table(journeys=journeys, group_of_source=np.array([0, 0]), groups=1)


def test_a_group_out_of_bounds_is_refused(journeys: Journeys) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        path_table(journeys=journeys, group_of_source=np.array([0, 1, 2]), groups=2)
    with pytest.raises(ValueError, match="between 0 and 1"):
        merged([PathRow((2,), 1.0)], 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"offsets": np.array([0, 0, 3])}, "must rise"),
        ({"offsets": np.array([0, 1, 2])}, "number of steps"),
        ({"steps": np.array([0, 1, 5])}, "between 0 and 1"),
        ({"nulls": np.array([1.0, -1.0])}, "zero or more"),
        ({"conversions": np.array([1.0, np.nan])}, "zero or more"),
        ({"value": np.array([1.0, np.inf])}, "must be a number"),
        ({"value": np.array([1.0])}, "shape"),
    ],
)
def test_a_malformed_table_is_refused(change: dict[str, object], message: str) -> None:
    columns: dict[str, object] = {
        "offsets": np.array([0, 1, 3]),
        "steps": np.array([0, 1, 0]),
        "groups": 2,
        "conversions": np.ones(2),
        "value": np.ones(2),
        "nulls": np.ones(2),
    }
    with pytest.raises(ValueError, match=message):
        PathTable(**(columns | change))  # type: ignore[arg-type]
