"""Journeys for the tests of cross-channel methods: drawn by hypothesis, and the same journeys as plain rows."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from crosschannel.methods.filters import PathFilter
from marketing.frames import Journeys
from marketing.journey_paths import JourneyPaths, path_table
from marketing.journeys import build_journeys
from tests.marketing.rows import DAY_US, JourneyRow, Outcome, Touch, conversions_from, journeys_from, touches_from

# Five sources: two of group 0, one of each other group.
EMAIL, SEARCH, DISPLAY, SOCIAL = range(4)
GROUPS = 4
GROUP_OF_SOURCE = np.array([0, 1, 2, 0, 3])


class Row(NamedTuple):
    """A journey in plain terms; times are days."""

    customer: int
    groups: tuple[int, ...]
    at: tuple[float, ...]
    anchor_at: float
    converted: bool
    value: float


def journeys_like(rows: Sequence[Row]) -> Journeys:
    """These journeys, in this order; those of one customer must follow one another in time."""
    source_of = {EMAIL: 0, SEARCH: 1, DISPLAY: 2, SOCIAL: 4}
    touches: list[Touch] = []
    paths: dict[int, JourneyRow] = {}
    for j in sorted(range(len(rows)), key=lambda j: (rows[j].customer, rows[j].at)):
        row, first = rows[j], len(touches)
        touches += [
            Touch(row.customer, round(at * DAY_US), source_of[group])
            for group, at in zip(row.groups, row.at, strict=True)
        ]
        place = tuple(range(first, len(touches)))
        paths[j] = JourneyRow(row.customer, round(row.anchor_at * DAY_US), row.converted, row.value, place)
    assert touches == sorted(touches, key=lambda touch: (touch.customer, touch.at))
    return journeys_from([paths[j] for j in range(len(rows))], touches_from(touches))


def rows_of(journeys: Journeys) -> list[Row]:
    """The journeys one by one, those without touches too."""
    return [
        Row(
            int(journeys.customer[j]),
            tuple(int(GROUP_OF_SOURCE[journeys.touches.source[i]]) for i in range(journeys.start[j], journeys.stop[j])),
            tuple(journeys.touches.touched_at[i] / DAY_US for i in range(journeys.start[j], journeys.stop[j])),
            journeys.anchor_at[j] / DAY_US,
            bool(journeys.converted[j]),
            float(journeys.value[j]),
        )
        for j in range(len(journeys))
    ]


def paths_of(journeys: Journeys) -> JourneyPaths:
    return path_table(journeys=journeys, group_of_source=GROUP_OF_SOURCE, groups=GROUPS)


@st.composite
def worlds(draw: st.DrawFn) -> Journeys:
    """Up to six customers, some without touches; times in quarters of a day, so that they often coincide."""
    times = st.integers(0, 160).map(lambda quarter: quarter * DAY_US // 4)
    touch = st.tuples(st.integers(0, 4), times, st.integers(0, 4)).map(lambda row: Touch(*row))
    outcome = st.tuples(
        st.integers(0, 5), times, st.integers(-20, 500).map(float), st.just(0), st.sampled_from([True, True, False])
    ).map(lambda row: Outcome(*row))
    return build_journeys(
        touches=touches_from(draw(st.lists(touch, max_size=40))),
        conversions=conversions_from(draw(st.lists(outcome, max_size=15))),
        goal=0,
        period_start_us=0,
        period_stop_us=60 * DAY_US,
        window_us=20 * DAY_US,
    )


def filters() -> st.SearchStrategy[PathFilter]:
    groups = st.lists(st.integers(0, GROUPS), max_size=2).map(tuple)
    return st.builds(
        PathFilter,
        contains=groups,
        in_order=groups,
        starts=groups,
        ends=groups,
        converting=st.sampled_from([None, True, False]),
        min_journeys=st.integers(0, 2),
    )


def counted(rows: Sequence[Row], wanted: PathFilter) -> list[bool]:
    """Which rows a filter keeps, by plain loops; a row without touches never."""
    taken = Counter(row.groups for row in rows)
    return [
        bool(row.groups)
        and set(wanted.contains) <= set(row.groups)
        and any(row.groups[at : at + len(wanted.in_order)] == wanted.in_order for at in range(len(row.groups)))
        and row.groups[: len(wanted.starts)] == wanted.starts
        and (not wanted.ends or row.groups[-len(wanted.ends) :] == wanted.ends)
        and wanted.converting in (None, row.converted)
        and taken[row.groups] >= wanted.min_journeys
        for row in rows
    ]


def shuffled(journeys: Journeys, seed: int) -> Journeys:
    return journeys.take(np.random.default_rng(seed).permutation(len(journeys)))
