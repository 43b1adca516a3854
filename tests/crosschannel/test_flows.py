"""The links and nodes of the Sankey diagram: by hand, by plain loops over journeys, and what must always add up."""

from collections import defaultdict
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosschannel.methods.filters import PathFilter, filtered
from crosschannel.methods.flows import Flows, flows_of, link_days
from crosschannel.methods.walks import CONVERSION, DROP_OFF, OTHER, Walks, select, walk_of_journey, walks_of
from marketing.frames import Float64Column, Journeys
from marketing.path_statistics import collapse
from tests.crosschannel.worlds import (
    DISPLAY,
    EMAIL,
    GROUPS,
    SEARCH,
    Row,
    counted,
    filters,
    journeys_like,
    paths_of,
    rows_of,
    shuffled,
    worlds,
)

A_FEW = journeys_like(
    [
        Row(0, (EMAIL, SEARCH, EMAIL), (1, 2, 4), 9, True, 30.0),
        Row(1, (EMAIL, SEARCH, DISPLAY), (1, 4, 5), 5, False, 0.0),
        Row(2, (EMAIL, SEARCH), (1, 8), 10, True, 10.0),
        Row(3, (SEARCH,), (1,), 1, False, 0.0),
        Row(4, (), (), 6, True, 1.0),
    ]
)
EVERYTHING = PathFilter()
STEPS, TOPS = st.integers(1, 5), st.integers(1, GROUPS)


def shown(
    journeys: Journeys, *, steps: int, top: int, wanted: PathFilter = EVERYTHING
) -> tuple[Walks, Flows, Float64Column]:
    """The walks, flows and days of the journeys that a filter keeps."""
    paths = filtered(paths=paths_of(journeys), converted=journeys.converted, wanted=wanted)
    walks = walks_of(paths.table, steps=steps, top=top)
    flows = flows_of(walks)
    walk = walk_of_journey(walks=walks, path_of_journey=paths.path_of_journey, converted=journeys.converted)
    return walks, flows, link_days(journeys=journeys, walk_of_journey=walk, walks=walks, flows=flows)


def test_journeys_flow_from_step_to_step_and_into_their_ends() -> None:
    _, flows, days = shown(A_FEW, steps=2, top=2)
    columns = (flows.step, flows.source, flows.target, flows.journeys, flows.conversions, flows.value, flows.longer)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == [
        (0, SEARCH, DROP_OFF, 1, 0, 0, 0),
        (0, EMAIL, SEARCH, 3, 2, 40, 0),
        (1, SEARCH, CONVERSION, 2, 2, 40, 1),
        (1, SEARCH, DROP_OFF, 1, 0, 0, 1),
    ]
    # From the first touch to the second: 1, 3 and 7 days; from the last touch of all to the conversion: 5 and 2.
    assert np.array_equal(days, [np.nan, 3, 3.5, np.nan], equal_nan=True)


def test_the_lesser_groups_are_one_node() -> None:
    _, flows, _ = shown(A_FEW, steps=3, top=1)
    nodes = flows.nodes
    columns = (nodes.step, nodes.group, nodes.journeys, nodes.conversions, nodes.value)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == [
        (0, SEARCH, 1, 0, 0),
        (0, OTHER, 3, 2, 40),
        (1, SEARCH, 3, 2, 40),
        (2, OTHER, 2, 1, 30),
    ]


def test_no_journeys_make_no_flows() -> None:
    _, flows, days = shown(A_FEW.take(np.array([4])), steps=3, top=2)
    assert (len(flows), len(flows.nodes), len(days)) == (0, 0, 0)


def test_days_of_other_journeys_are_refused() -> None:
    walks, flows, _ = shown(A_FEW, steps=2, top=2)
    for others in (A_FEW.take(np.array([0, 1, 2, 3, 4, 0])), A_FEW.take(np.array([0, 1]))):
        walk = walk_of_journey(walks=walks, path_of_journey=paths_of(A_FEW).path_of_journey, converted=A_FEW.converted)
        mine = walk[:2] if len(others) == 2 else np.append(walk, walk[0])
        with pytest.raises(ValueError, match="not the ones"):
            link_days(journeys=others, walk_of_journey=mine, walks=walks, flows=flows)


@pytest.mark.parametrize("steps", [2, 4])
def test_days_of_collapsed_paths_are_refused(steps: int) -> None:
    """Their steps are not touches, so that nobody knows how long they take."""
    journeys = journeys_like([Row(0, (EMAIL, EMAIL, SEARCH), (1, 2, 3), 4, True, 1.0)])
    paths = collapse(paths_of(journeys))
    walks = walks_of(paths.table, steps=steps, top=2)
    walk = walk_of_journey(walks=walks, path_of_journey=paths.path_of_journey, converted=journeys.converted)
    with pytest.raises(ValueError, match="not the ones"):
        link_days(journeys=journeys, walk_of_journey=walk, walks=walks, flows=flows_of(walks))


@given(worlds(), STEPS, TOPS, filters())
def test_flows_and_days_agree_with_plain_loops(journeys: Journeys, steps: int, top: int, wanted: PathFilter) -> None:
    rows = rows_of(journeys)
    rows = [row for row, is_in in zip(rows, counted(rows, wanted), strict=True) if is_in]
    walks, flows, days = shown(journeys, steps=steps, top=top, wanted=wanted)
    named = set(walks.groups.tolist())
    sums: dict[tuple[int, int, int], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0, 0.0])
    waits: dict[tuple[int, int, int], list[float]] = defaultdict(list)
    for row in rows:
        groups = [group if group in named else OTHER for group in row.groups[:steps]]
        places = [*groups, CONVERSION if row.converted else DROP_OFF]
        for step in range(len(groups)):
            link, is_end = (step, places[step], places[step + 1]), step == len(groups) - 1
            added = (1, row.converted, row.value if row.converted else 0, is_end and len(row.groups) > steps)
            sums[link] = [one + more for one, more in zip(sums[link], added, strict=True)]
            if not is_end:
                waits[link].append(row.at[step + 1] - row.at[step])
            elif row.converted:
                waits[link].append(row.anchor_at - row.at[-1])
    links = list(zip(flows.step.tolist(), flows.source.tolist(), flows.target.tolist(), strict=True))
    assert len(links) == len(sums)
    found = np.stack([flows.journeys, flows.conversions, flows.value, flows.longer], axis=1)
    assert dict(zip(links, found.tolist(), strict=True)) == sums
    for link, link_days_found in zip(links, days.tolist(), strict=True):
        assert link_days_found == pytest.approx(median(waits[link]) if waits[link] else np.nan, nan_ok=True)


@given(worlds(), STEPS, TOPS, filters())
def test_what_flows_in_flows_out(journeys: Journeys, steps: int, top: int, wanted: PathFilter) -> None:
    _, flows, _ = shown(journeys, steps=steps, top=top, wanted=wanted)
    nodes = flows.nodes
    inside = (flows.target != CONVERSION) & (flows.target != DROP_OFF)
    for column in ("journeys", "conversions", "value"):
        inflow: dict[tuple[int, int], float] = defaultdict(float)
        outflow: dict[tuple[int, int], float] = defaultdict(float)
        for link, amount in enumerate(getattr(flows, column).tolist()):
            outflow[flows.step[link], flows.source[link]] += amount
            if inside[link]:
                inflow[flows.step[link] + 1, flows.target[link]] += amount
        at_node = dict(zip(zip(nodes.step, nodes.group, strict=True), getattr(nodes, column).tolist(), strict=True))
        assert outflow == at_node
        assert inflow == {node: amount for node, amount in at_node.items() if node[0] > 0}


@given(worlds(), STEPS, TOPS, filters())
def test_all_journeys_begin_at_the_first_step_and_reach_an_end(
    journeys: Journeys, steps: int, top: int, wanted: PathFilter
) -> None:
    rows = rows_of(journeys)
    rows = [row for row, is_in in zip(rows, counted(rows, wanted), strict=True) if is_in]
    _, flows, _ = shown(journeys, steps=steps, top=top, wanted=wanted)
    assert flows.nodes.journeys[flows.nodes.step == 0].sum() == len(rows)
    assert flows.journeys[flows.target == CONVERSION].sum() == sum(row.converted for row in rows)
    assert flows.journeys[flows.target == DROP_OFF].sum() == sum(not row.converted for row in rows)
    assert flows.value[flows.target == CONVERSION].sum() == sum(row.value for row in rows if row.converted)
    assert flows.longer.sum() == sum(len(row.groups) > steps for row in rows)


@given(worlds(), STEPS, TOPS, filters())
def test_the_journeys_of_a_link_are_as_many_as_it_says(
    journeys: Journeys, steps: int, top: int, wanted: PathFilter
) -> None:
    paths = filtered(paths=paths_of(journeys), converted=journeys.converted, wanted=wanted)
    walks, flows, _ = shown(journeys, steps=steps, top=top, wanted=wanted)
    for link in range(len(flows)):
        step, source, target = int(flows.step[link]), int(flows.source[link]), int(flows.target[link])
        chosen = select(walks, at=((step, source), (step + 1, target)))
        walk = walk_of_journey(walks=chosen, path_of_journey=paths.path_of_journey, converted=journeys.converted)
        assert np.count_nonzero(walk >= 0) == flows.journeys[link]
        assert chosen.conversions.sum() == flows.conversions[link]
        assert chosen.value.sum() == flows.value[link]
        again = flows_of(chosen)
        assert again.journeys[again.step == step].sum() == flows.journeys[link]
        days = link_days(journeys=journeys, walk_of_journey=walk, walks=chosen, flows=again)
        assert np.isnan(days).tolist() == (again.target == DROP_OFF).tolist()


@given(worlds(), st.integers(0, 9))
def test_flows_do_not_depend_on_the_order_of_journeys(journeys: Journeys, seed: int) -> None:
    _, one, one_days = shown(journeys, steps=4, top=2)
    _, other, other_days = shown(shuffled(journeys, seed), steps=4, top=2)
    for column in ("step", "source", "target", "journeys", "conversions", "value", "longer"):
        assert getattr(one, column).tolist() == getattr(other, column).tolist()
    assert np.array_equal(one_days, other_days, equal_nan=True)
