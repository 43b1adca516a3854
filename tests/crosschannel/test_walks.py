"""The beginnings of paths: cut, folded, and chosen by the nodes that they pass."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosschannel.methods.walks import (
    AFTER_END,
    CONVERSION,
    DROP_OFF,
    OTHER,
    Walks,
    select,
    walk_of_journey,
    walks_of,
)
from marketing.frames import Journeys
from tests.crosschannel.worlds import (
    DISPLAY,
    EMAIL,
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

A_FEW = journeys_like(
    [
        Row(0, (SEARCH, EMAIL, SEARCH), (1, 2, 3), 4, True, 30.0),
        Row(1, (SEARCH, EMAIL, DISPLAY), (1, 2, 3), 3, False, 0.0),
        Row(2, (SEARCH, EMAIL), (1, 2), 2, True, 10.0),
        Row(3, (SEARCH, DISPLAY), (1, 2), 2, False, 0.0),
        Row(4, (SEARCH, SOCIAL), (1, 2), 6, True, 5.0),
        Row(5, (), (), 6, True, 1.0),
    ]
)


def walked(journeys: Journeys, *, steps: int, top: int) -> Walks:
    return walks_of(paths_of(journeys).table, steps=steps, top=top)


def journeys_in(journeys: Journeys, walks: Walks) -> list[bool]:
    walk = walk_of_journey(
        walks=walks, path_of_journey=paths_of(journeys).path_of_journey, converted=journeys.converted
    )
    return [place >= 0 for place in walk.tolist()]


def test_paths_are_cut_and_the_lesser_groups_are_one() -> None:
    found = walked(A_FEW, steps=2, top=2)
    assert found.groups.tolist() == [SEARCH, EMAIL]  # 5 and 3 journeys; Display has 2
    assert found.steps.tolist() == [[0, 1], [0, 1], [0, 2]]
    assert found.longer.tolist() == [False, True, False]
    assert found.conversions.tolist() == [1, 1, 1]
    assert found.value.tolist() == [10, 30, 5]
    assert found.nulls.tolist() == [0, 1, 1]


def test_what_follows_the_end_of_a_path_is_no_group() -> None:
    found = walked(A_FEW.take(np.array([0, 2])), steps=4, top=3)
    assert found.steps.tolist() == [[1, 0, AFTER_END, AFTER_END], [1, 0, 1, AFTER_END]]
    assert found.shown().tolist() == [2, 3]
    assert not found.longer.any()


def test_of_equal_groups_the_one_with_the_smaller_number_goes_first() -> None:
    journeys = journeys_like([Row(0, (SOCIAL, DISPLAY, SEARCH), (1, 2, 3), 4, True, 1.0)])
    assert walked(journeys, steps=3, top=2).groups.tolist() == [SEARCH, DISPLAY]


def test_a_group_counts_once_in_a_journey() -> None:
    journeys = journeys_like(
        [
            Row(0, (SOCIAL, SOCIAL, SOCIAL, EMAIL), (1, 2, 3, 4), 5, True, 1.0),
            Row(1, (EMAIL,), (1,), 5, False, 0.0),
        ]
    )
    assert walked(journeys, steps=2, top=1).groups.tolist() == [EMAIL]


def test_no_journeys_make_no_walks() -> None:
    found = walked(A_FEW.take(np.array([5])), steps=3, top=2)
    assert (len(found), found.steps.shape, len(found.groups)) == (0, (0, 3), 0)
    assert len(select(found, at=((0, EMAIL),), end="conversion")) == 0
    assert journeys_in(A_FEW.take(np.array([5])), found) == [False]


@pytest.mark.parametrize(("steps", "top"), [(0, 3), (3, 0), (3, 1001)])
def test_a_diagram_shows_a_step_and_a_group(steps: int, top: int) -> None:
    with pytest.raises(ValueError, match="At least one step"):
        walked(A_FEW, steps=steps, top=top)


@pytest.mark.parametrize(
    ("at", "end", "kept"),
    [
        ((), None, [0, 1, 2, 3, 4]),
        (((1, EMAIL),), None, [0, 1, 2]),
        (((1, OTHER),), None, [3, 4]),
        (((1, DISPLAY),), None, []),  # it is one of the others
        (((1, EMAIL),), "conversion", [0, 2]),
        (((1, OTHER),), "drop_off", [3]),
        (((0, SEARCH), (1, EMAIL), (2, SEARCH)), None, [0]),
        (((0, SEARCH), (1, EMAIL), (2, CONVERSION)), None, [2]),
        (((1, OTHER), (2, DROP_OFF)), None, [3]),
        (((2, OTHER), (3, DROP_OFF)), None, [1]),
        (((2, DROP_OFF),), "conversion", []),
        (((0, EMAIL),), None, []),
        (((3, SEARCH),), None, []),
        (((-1, SEARCH),), None, []),
    ],
)
def test_walks_are_chosen_by_the_nodes_they_pass(at: tuple[tuple[int, int], ...], end: None, kept: list[int]) -> None:
    found = select(walked(A_FEW, steps=3, top=2), at=at, end=end)
    assert np.flatnonzero(journeys_in(A_FEW, found)).tolist() == kept
    assert found.conversions.sum() + found.nulls.sum() == len(kept)
    assert found.value.sum() == A_FEW.value[kept].sum()


def test_choosing_twice_is_choosing_both() -> None:
    walks = walked(A_FEW, steps=3, top=2)
    twice = select(select(walks, at=((1, EMAIL),)), end="drop_off")
    assert np.flatnonzero(journeys_in(A_FEW, twice)).tolist() == [1]


@given(worlds(), st.integers(1, 5), st.integers(1, GROUPS))
def test_walks_agree_with_plain_loops(journeys: Journeys, steps: int, top: int) -> None:
    rows = [row for row in rows_of(journeys) if row.groups]
    touched = Counter(group for row in rows for group in set(row.groups))
    groups = sorted(touched, key=lambda group: (-touched[group], group))[:top]
    found = walked(journeys, steps=steps, top=top)
    assert found.groups.tolist() == groups
    place = {group: i for i, group in enumerate(groups)}
    expected: dict[tuple[tuple[int, ...], bool], list[float]] = {}
    for row in rows:
        begins = [place.get(group, len(groups)) for group in row.groups[:steps]]
        walk = (tuple(begins + [AFTER_END] * (steps - len(begins))), len(row.groups) > steps)
        sums = expected.setdefault(walk, [0.0, 0.0, 0.0])
        sums[0] += row.converted
        sums[1] += row.value if row.converted else 0.0
        sums[2] += not row.converted
    walks = list(zip(map(tuple, found.steps.tolist()), found.longer.tolist(), strict=True))
    assert walks == sorted(expected)
    weights = np.stack([found.conversions, found.value, found.nulls], axis=1)
    assert weights.tolist() == [expected[walk] for walk in walks]


@given(worlds(), st.integers(1, 5), st.integers(1, GROUPS))
def test_each_journey_has_the_walk_that_it_begins_with(journeys: Journeys, steps: int, top: int) -> None:
    paths, rows = paths_of(journeys), rows_of(journeys)
    walks = walks_of(paths.table, steps=steps, top=top)
    walk = walk_of_journey(walks=walks, path_of_journey=paths.path_of_journey, converted=journeys.converted)
    shown = walks.shown()
    for j, row in enumerate(rows):
        if not row.groups:
            assert walk[j] == -1
            continue
        assert shown[walk[j]] == min(len(row.groups), steps)
        assert walks.longer[walk[j]] == (len(row.groups) > steps)
        groups = [*walks.groups.tolist(), None]
        for step, group in enumerate(row.groups[:steps]):
            assert groups[walks.steps[walk[j], step]] in (group, None)


@given(worlds(), st.integers(0, 9))
def test_walks_do_not_depend_on_the_order_of_journeys(journeys: Journeys, seed: int) -> None:
    one, other = walked(journeys, steps=3, top=2), walked(shuffled(journeys, seed), steps=3, top=2)
    for column in ("groups", "steps", "longer", "conversions", "value", "nulls", "walk_of_path"):
        assert getattr(one, column).tolist() == getattr(other, column).tolist()


@given(worlds(), st.integers(1, 5), st.integers(1, GROUPS))
def test_cutting_and_folding_keep_totals(journeys: Journeys, steps: int, top: int) -> None:
    table, walks = paths_of(journeys).table, walked(journeys, steps=steps, top=top)
    for column in ("conversions", "value", "nulls"):
        assert getattr(walks, column).sum() == getattr(table, column).sum()
