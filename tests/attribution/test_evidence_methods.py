"""Paths, lengths, lags and roles: worked by hand, against plain loops, and what must not change them."""

import statistics
from collections import Counter
from dataclasses import replace
from itertools import groupby
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.methods.evidence import Role, roles, roles_of_paths
from marketing.frames import Journeys
from marketing.journey_paths import JourneyPaths, merge_paths, path_table
from marketing.path_statistics import Lengths, collapse, groups_of_paths, lags, lengths, path_medians, top_paths
from tests.attribution.evidence_worlds import GROUP_OF_SOURCE, LABELS, journeys_of, paths_of, worlds
from tests.marketing.rows import DAY_US, Outcome, Touch

EMAIL, SEARCH, DISPLAY = range(3)
GROUPS = len(LABELS)
OF_EMAIL, OF_SEARCH, OF_DISPLAY = 3, 1, 2  # a traffic source of each


def collapsed_paths(journeys: Journeys) -> JourneyPaths:
    return collapse(path_table(journeys=journeys, group_of_source=GROUP_OF_SOURCE, groups=GROUPS))


def journey(customer: int, *sources: int, value: float = 10.0, at_day: int = 20) -> tuple[list[Touch], list[Outcome]]:
    """Touches a day apart, the last a day before the conversion."""
    first = at_day - len(sources)
    touches = [Touch(customer, (first + place) * DAY_US, source) for place, source in enumerate(sources)]
    return touches, [Outcome(customer, at_day * DAY_US, value)]


def together(*parts: tuple[list[Touch], list[Outcome]]) -> Journeys:
    return journeys_of([t for touches, _ in parts for t in touches], [o for _, outcomes in parts for o in outcomes])


# --- Paths ---


def test_repeats_in_a_row_are_one_step_and_others_are_not() -> None:
    journeys = together(
        journey(0, OF_EMAIL, OF_EMAIL, OF_SEARCH),
        journey(1, OF_EMAIL, OF_SEARCH, OF_SEARCH, value=30.0),
        journey(2, OF_EMAIL, OF_SEARCH, OF_EMAIL),
        journey(3),
    )
    paths = collapsed_paths(journeys)
    top = top_paths(table=paths.table, most=10)
    assert top.steps == ((EMAIL, SEARCH), (EMAIL, SEARCH, EMAIL))
    assert paths.table.conversions[top.place].tolist() == [2, 1]
    assert paths.table.value[top.place].tolist() == [40, 10]
    assert (top.distinct, top.conversions) == (2, 3)


def test_null_paths_count_beside_the_conversions_of_the_same_path() -> None:
    seen = [Touch(7, 5 * DAY_US, OF_SEARCH), Touch(8, 5 * DAY_US, OF_SEARCH), Touch(9, 5 * DAY_US, OF_DISPLAY)]
    paths = collapsed_paths(together(journey(0, OF_SEARCH), (seen, [])))
    top = top_paths(table=paths.table, most=10)
    assert top.steps == ((SEARCH,),)  # Display never converted
    assert paths.table.nulls[top.place].tolist() == [2]


def test_medians_of_a_path_are_those_of_its_converting_journeys() -> None:
    journeys = together(
        journey(0, OF_SEARCH), journey(1, OF_SEARCH, OF_SEARCH), journey(2, *[OF_SEARCH] * 6), journey(3, OF_EMAIL)
    )
    paths = collapsed_paths(journeys)
    top = top_paths(table=paths.table, most=2)
    assert top.steps == ((SEARCH,), (EMAIL,))
    days, touches = path_medians(journeys=journeys, path_of_journey=paths.path_of_journey, place=top.place)
    assert days.tolist() == touches.tolist() == [2, 1]


def test_of_equally_frequent_paths_the_shorter_come_first() -> None:
    paths = collapsed_paths(together(journey(0, OF_EMAIL, OF_SEARCH), journey(1, OF_DISPLAY), journey(2, OF_SEARCH)))
    assert top_paths(table=paths.table, most=2).steps == ((SEARCH,), (DISPLAY,))


@given(journeys=worlds(), most=st.integers(1, 6))
def test_top_paths_equal_plain_counting(journeys: Journeys, most: int) -> None:
    taken = [tuple(step for step, _ in groupby(path)) for path in paths_of(journeys)]
    converted = Counter(path for path, is_one in zip(taken, journeys.converted, strict=True) if path and is_one)
    null = Counter(path for path, is_one in zip(taken, journeys.converted, strict=True) if path and not is_one)
    expected = sorted(converted, key=lambda path: (-converted[path], len(path), path))[:most]

    paths = collapsed_paths(journeys)
    top = top_paths(table=paths.table, most=most)

    assert list(top.steps) == expected
    assert paths.table.conversions[top.place].tolist() == [converted[path] for path in expected]
    assert paths.table.nulls[top.place].tolist() == [null[path] for path in expected]
    assert (top.distinct, top.conversions) == (len(converted), converted.total())
    days, touches = path_medians(journeys=journeys, path_of_journey=paths.path_of_journey, place=top.place)
    for rank, path in enumerate(expected):
        along = [j for j in np.flatnonzero(journeys.converted).tolist() if taken[j] == path]
        since = [(journeys.anchor_at[j] - journeys.touches.touched_at[journeys.start[j]]) / DAY_US for j in along]
        assert days[rank] == pytest.approx(statistics.median(since))
        assert touches[rank] == statistics.median(journeys.stop[j] - journeys.start[j] for j in along)


# --- Lengths and lags ---


def by_touches(journeys: Journeys, most: int) -> Lengths:
    table = path_table(journeys=journeys, group_of_source=GROUP_OF_SOURCE, groups=GROUPS).table
    without = journeys.converted & (journeys.start == journeys.stop)
    return lengths(
        length=np.diff(table.offsets),
        conversions=table.conversions,
        value=table.value,
        untouched=(float(without.sum()), float(journeys.value[without].sum())),
        most=most,
    )


def test_conversions_by_length_with_the_long_ones_as_one() -> None:
    journeys = together(
        journey(0), journey(1, 1), journey(2, 1, 2, value=7.0), journey(3, *[1] * 5), journey(4, *[2] * 9)
    )
    found = by_touches(journeys, most=4)
    assert found.conversions.tolist() == [1, 1, 1, 0, 2]
    assert found.value.tolist() == [10, 10, 7, 0, 20]


@given(journeys=worlds(), most=st.integers(1, 8))
def test_lengths_equal_plain_counting_and_add_up(journeys: Journeys, most: int) -> None:
    converted = journeys.converted.tolist()
    touches = Counter(
        min(len(path), most) for path, is_one in zip(paths_of(journeys), converted, strict=True) if is_one
    )
    found = by_touches(journeys, most)
    assert found.conversions.tolist() == [touches[length] for length in range(len(found.conversions))]
    assert found.conversions.sum() == sum(converted)
    assert found.value.sum() == pytest.approx(journeys.value[journeys.converted].sum())


@given(journeys=worlds())
def test_groups_of_a_path_are_its_different_ones(journeys: Journeys) -> None:
    table = collapsed_paths(journeys).table
    steps = [table.steps[table.offsets[p] : table.offsets[p + 1]].tolist() for p in range(len(table))]
    assert groups_of_paths(table).tolist() == [len(set(path)) for path in steps]


def test_lags_of_the_first_and_the_last_touch() -> None:
    journeys = together(journey(0, *[1] * 4), journey(1, *[1] * 2), journey(2, 1), journey(3))
    found = lags(journeys=journeys, window_days=30, most_bins=30)
    assert found.edges.tolist() == list(range(31))
    assert found.first[:6].tolist() == [0, 1, 1, 0, 1, 0]
    assert found.last[:3].tolist() == [0, 3, 0]
    assert found.first_percentiles.tolist() == pytest.approx([2, 3, 3.6, 3.8])
    assert found.last_percentiles.tolist() == [1, 1, 1, 1]


def test_a_touch_as_old_as_the_window_is_in_the_last_bin() -> None:
    journeys = journeys_of([Touch(0, 0, 1)], [Outcome(0, 30 * DAY_US)])
    found = lags(journeys=journeys, window_days=30, most_bins=8)
    assert found.edges.tolist() == [0, 4, 8, 12, 16, 20, 24, 28, 32]
    assert found.first.tolist() == [0] * 7 + [1]


@given(journeys=worlds(), most_bins=st.integers(1, 40))
def test_every_conversion_with_a_touch_is_in_one_bin(journeys: Journeys, most_bins: int) -> None:
    found = lags(journeys=journeys, window_days=30, most_bins=most_bins)
    touched = int((journeys.converted & (journeys.start < journeys.stop)).sum())
    assert len(found.first) <= most_bins
    assert found.first.sum() == found.last.sum() == touched
    assert np.isnan(found.first_percentiles).all() == (touched == 0)
    # The last touch is never earlier than the first, so as many are as young, at every age.
    assert np.all(found.last.cumsum() >= found.first.cumsum())


# --- Roles ---


def roles_by_loops(journeys: Journeys) -> tuple[list[Counter[Role]], list[list[int]]]:
    counts: list[Counter[Role]] = [Counter() for _ in range(GROUPS)]
    positions = [[0, 0, 0] for _ in range(GROUPS)]
    for path, converted in zip(paths_of(journeys), journeys.converted, strict=True):
        if not converted or not path:
            continue
        for group in set(path):
            if len(path) == 1:
                counts[group][Role.ONLY] += 1
                continue
            is_first, is_last = path[0] == group, path[-1] == group
            role = {(True, True): Role.BOTH, (True, False): Role.OPENS, (False, True): Role.CLOSES}
            counts[group][role.get((is_first, is_last), Role.BETWEEN)] += 1
            for place, is_there in enumerate((is_first, group in path[1:-1], is_last)):
                positions[group][place] += is_there
    return counts, positions


def test_the_parts_that_groups_play() -> None:
    journeys = together(
        journey(0, OF_DISPLAY, OF_SEARCH, OF_EMAIL),
        journey(1, OF_EMAIL, OF_EMAIL, OF_EMAIL),
        journey(2, OF_SEARCH),
        journey(3),
    )
    found = roles(journeys=journeys, group_of_source=GROUP_OF_SOURCE, groups=GROUPS)
    #                               only opens between closes both
    assert found.counts.tolist() == [[0, 0, 0, 1, 1], [1, 0, 1, 0, 0], [0, 1, 0, 0, 0]]
    assert found.first.tolist() == [1, 0, 1]
    assert found.middle.tolist() == [1, 1, 0]
    assert found.last.tolist() == [2, 0, 0]
    assert found.mostly == (None, None, None)


@given(journeys=worlds(), order=st.randoms(use_true_random=False))
def test_roles_equal_plain_counting_in_any_order(journeys: Journeys, order: Random) -> None:
    rows = list(range(len(journeys)))
    order.shuffle(rows)
    columns = ("start", "stop", "customer", "anchor_at", "converted", "value")
    shuffled = replace(journeys, **{name: getattr(journeys, name)[rows] for name in columns})
    counts, positions = roles_by_loops(journeys)
    for one in (journeys, shuffled):
        found = roles(journeys=one, group_of_source=GROUP_OF_SOURCE, groups=GROUPS)
        assert found.counts.tolist() == [[own[role] for role in Role] for own in counts]
        assert np.column_stack([found.first, found.middle, found.last]).tolist() == positions


@given(journeys=worlds())
def test_aggregated_paths_have_the_roles_of_their_journeys(journeys: Journeys) -> None:
    table = path_table(journeys=journeys, group_of_source=GROUP_OF_SOURCE, groups=GROUPS).table
    found, expected = (
        roles_of_paths(table),
        roles(journeys=journeys, group_of_source=GROUP_OF_SOURCE, groups=GROUPS),
    )
    for name in ("counts", "first", "middle", "last"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))


def test_a_role_that_most_journeys_have_is_named() -> None:
    journeys = together(*(journey(c, OF_DISPLAY, OF_SEARCH, OF_EMAIL) for c in range(40)), journey(99, OF_SEARCH))
    found = roles(journeys=journeys, group_of_source=GROUP_OF_SOURCE, groups=GROUPS)
    assert found.mostly == (Role.CLOSES, Role.BETWEEN, Role.OPENS)


def test_a_group_that_comes_alone_is_mostly_the_only_touch() -> None:
    journeys = together(*(journey(c, OF_SEARCH) for c in range(40)), journey(99, OF_SEARCH, OF_EMAIL))
    found = roles(journeys=journeys, group_of_source=GROUP_OF_SOURCE, groups=GROUPS)
    assert found.mostly[SEARCH] == Role.ONLY


def test_no_role_is_named_for_many_journeys_of_one_customer() -> None:
    """Forty journeys of one customer say no more about customers than one."""
    touches, outcomes = [], []
    for n in range(40):
        at = (2 + 3 * n) * DAY_US
        touches += [Touch(0, at - DAY_US, OF_DISPLAY), Touch(0, at - 1, OF_EMAIL)]
        outcomes.append(Outcome(0, at))
    journeys = journeys_of(touches, outcomes, window_days=2)
    assert len(journeys) == 40
    found = roles(journeys=journeys, group_of_source=GROUP_OF_SOURCE, groups=GROUPS)
    assert found.counts[DISPLAY, 1] == 40
    assert found.mostly == (None, None, None)


def test_two_groups_that_share_a_role_evenly_have_none() -> None:
    pairs = [(OF_DISPLAY, OF_SEARCH) if c % 2 else (OF_SEARCH, OF_DISPLAY) for c in range(200)]
    journeys = together(*(journey(c, *pair) for c, pair in enumerate(pairs)))
    assert roles(journeys=journeys, group_of_source=GROUP_OF_SOURCE, groups=GROUPS).mostly == (None, None, None)


def test_nothing_at_all_has_no_evidence() -> None:
    journeys = journeys_of([], [])
    paths = collapsed_paths(journeys)
    assert top_paths(table=paths.table, most=5).steps == ()
    assert by_touches(journeys, most=5).conversions.tolist() == [0]
    found = roles(journeys=journeys, group_of_source=GROUP_OF_SOURCE, groups=GROUPS)
    assert not found.counts.any()


def test_collapsed_paths_keep_every_conversion_null_and_value() -> None:
    steps = np.array([0, 0, 1, 0, 1, 1, 1, 1])
    paths = merge_paths(
        offsets=np.array([0, 3, 6, 8]),
        steps=steps,
        groups=2,
        conversions=np.array([1.0, 2.0, 4.0]),
        value=np.array([10.0, 20.0, 40.0]),
        nulls=np.array([3.0, 0.0, 5.0]),
    )
    table = collapse(paths).table
    assert [table.steps[table.offsets[p] : table.offsets[p + 1]].tolist() for p in range(2)] == [[0, 1], [1]]
    assert (table.conversions.tolist(), table.value.tolist(), table.nulls.tolist()) == ([3, 4], [30, 40], [3, 5])
