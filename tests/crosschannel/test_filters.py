"""Which journeys a filter keeps: by hand, and by plain loops over journeys."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from crosschannel.methods.filters import PathFilter, filtered, keep_paths
from marketing.frames import Journeys, PathTable
from marketing.journey_paths import JourneyPaths
from tests.crosschannel.worlds import (
    DISPLAY,
    EMAIL,
    SEARCH,
    SOCIAL,
    Row,
    counted,
    filters,
    journeys_like,
    paths_of,
    rows_of,
    worlds,
)

A_FEW = journeys_like(
    [
        Row(0, (EMAIL, SEARCH, EMAIL), (1, 2, 3), 4, True, 30.0),
        Row(1, (EMAIL, SEARCH, EMAIL), (1, 2, 3), 3, False, 0.0),
        Row(2, (EMAIL,), (1,), 2, True, 10.0),
        Row(3, (SEARCH, DISPLAY), (1, 2), 2, False, 0.0),
        Row(4, (SEARCH, EMAIL, DISPLAY), (1, 2, 5), 6, True, 5.0),
        Row(5, (), (), 6, True, 1.0),
    ]
)


def steps_of(table: PathTable) -> list[tuple[int, ...]]:
    return [tuple(table.steps[a:b].tolist()) for a, b in zip(table.offsets[:-1], table.offsets[1:], strict=True)]


def filtered_by(journeys: Journeys, wanted: PathFilter) -> JourneyPaths:
    return filtered(paths=paths_of(journeys), converted=journeys.converted, wanted=wanted)


def journeys_in(journeys: Journeys, wanted: PathFilter) -> list[bool]:
    return [path >= 0 for path in filtered_by(journeys, wanted).path_of_journey.tolist()]


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        (PathFilter(), [0, 1, 2, 3, 4]),
        (PathFilter(contains=(EMAIL,)), [0, 1, 2, 4]),
        (PathFilter(contains=(DISPLAY, EMAIL)), [4]),
        (PathFilter(contains=(EMAIL, EMAIL)), [0, 1, 2, 4]),
        (PathFilter(contains=(SOCIAL,)), []),
        (PathFilter(in_order=(EMAIL, SEARCH)), [0, 1]),
        (PathFilter(in_order=(SEARCH, DISPLAY)), [3]),
        (PathFilter(in_order=(SEARCH, EMAIL)), [0, 1, 4]),
        (PathFilter(starts=(SEARCH,)), [3, 4]),
        (PathFilter(starts=(EMAIL, SEARCH)), [0, 1]),
        (PathFilter(ends=(EMAIL,)), [0, 1, 2]),
        (PathFilter(ends=(EMAIL, DISPLAY)), [4]),
        (PathFilter(starts=(EMAIL,), ends=(EMAIL,)), [0, 1, 2]),
        (PathFilter(starts=(EMAIL, SEARCH, EMAIL, DISPLAY)), []),
        (PathFilter(ends=(DISPLAY, EMAIL, SEARCH, EMAIL)), []),
        (PathFilter(converting=True), [0, 2, 4]),
        (PathFilter(converting=False), [1, 3]),
        (PathFilter(min_journeys=2), [0, 1]),
        (PathFilter(min_journeys=2, converting=True), [0]),
    ],
)
def test_a_filter_keeps_the_journeys_that_match(wanted: PathFilter, kept: list[int]) -> None:
    assert np.flatnonzero(journeys_in(A_FEW, wanted)).tolist() == kept


def test_a_path_is_not_taken_for_the_continuation_of_the_one_before() -> None:
    journeys = journeys_like([Row(0, (EMAIL,), (1,), 2, True, 1.0), Row(1, (SEARCH,), (1,), 2, True, 1.0)])
    for wanted in (PathFilter(ends=(EMAIL, SEARCH)), PathFilter(starts=(EMAIL, SEARCH))):
        assert journeys_in(journeys, wanted) == [False, False]
    assert journeys_in(journeys, PathFilter(in_order=(EMAIL, SEARCH))) == [False, False]


def test_what_does_not_count_has_no_weight() -> None:
    found = filtered_by(A_FEW, PathFilter(contains=(EMAIL,), converting=True)).table
    assert steps_of(found) == [(EMAIL,), (EMAIL, SEARCH, EMAIL), (SEARCH, EMAIL, DISPLAY)]
    assert (found.conversions.tolist(), found.value.tolist(), found.nulls.tolist()) == (
        [1, 1, 1],
        [10, 30, 5],
        [0, 0, 0],
    )
    found = filtered_by(A_FEW, PathFilter(converting=False)).table
    assert steps_of(found) == [(EMAIL, SEARCH, EMAIL), (SEARCH, DISPLAY)]
    assert (found.conversions.tolist(), found.value.tolist(), found.nulls.tolist()) == ([0, 0], [0, 0], [1, 1])


def test_the_given_paths_stay_what_they_are() -> None:
    paths = paths_of(A_FEW)
    before = paths.table.nulls.tolist(), paths.path_of_journey.tolist()
    filtered(paths=paths, converted=A_FEW.converted, wanted=PathFilter(converting=True))
    assert (paths.table.nulls.tolist(), paths.path_of_journey.tolist()) == before


def test_nothing_is_left_of_nothing() -> None:
    none = A_FEW.take(np.zeros(0, np.int64))
    assert len(filtered_by(none, PathFilter(contains=(EMAIL,))).table) == 0
    without_touches = A_FEW.take(np.array([5]))
    assert journeys_in(without_touches, PathFilter()) == [False]


@given(worlds(), filters())
def test_a_filter_agrees_with_plain_loops(journeys: Journeys, wanted: PathFilter) -> None:
    rows = rows_of(journeys)
    kept = counted(rows, wanted)
    found = filtered_by(journeys, wanted)
    assert (found.path_of_journey >= 0).tolist() == kept
    steps = steps_of(found.table)
    mine = [row for row, is_in in zip(rows, kept, strict=True) if is_in]
    assert steps == sorted({row.groups for row in mine})
    assert [steps[path] for path in found.path_of_journey if path >= 0] == [row.groups for row in mine]
    for path, groups in enumerate(steps):
        along = [row for row in mine if row.groups == groups]
        assert found.table.conversions[path] == sum(row.converted for row in along)
        assert found.table.value[path] == sum(row.value for row in along if row.converted)
        assert found.table.nulls[path] == sum(not row.converted for row in along)


@given(worlds(), filters())
def test_the_paths_that_are_kept_are_those_that_match(journeys: Journeys, wanted: PathFilter) -> None:
    table = paths_of(journeys).table
    kept = [groups for groups, is_kept in zip(steps_of(table), keep_paths(table, wanted), strict=True) if is_kept]
    assert kept == steps_of(filtered_by(journeys, wanted).table)


@given(worlds(), filters(), filters())
def test_filters_commute(journeys: Journeys, one: PathFilter, other: PathFilter) -> None:
    """How many took a path is asked of all journeys, so that only the first of two filters can ask it."""
    one, other = replace(one, min_journeys=0), replace(other, min_journeys=0)
    there = filtered(paths=filtered_by(journeys, one), converted=journeys.converted, wanted=other)
    back = filtered(paths=filtered_by(journeys, other), converted=journeys.converted, wanted=one)
    assert there.path_of_journey.tolist() == back.path_of_journey.tolist()
    assert there.table.nulls.tolist() == back.table.nulls.tolist()
    assert there.table.value.tolist() == back.table.value.tolist()
    both = zip(journeys_in(journeys, one), journeys_in(journeys, other), strict=True)
    assert (there.path_of_journey >= 0).tolist() == [a and b for a, b in both]
