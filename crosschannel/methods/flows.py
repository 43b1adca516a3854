"""How journeys flow from step to step and into their ends: the nodes and links of a Sankey diagram, with days."""

from dataclasses import dataclass

import numpy as np

from crosschannel.methods.walks import CONVERSION, DROP_OFF, OTHER, Walks
from marketing.frames import MICROSECONDS_PER_DAY, Float64Column, Int64Column, Journeys
from marketing.journey_paths import read_only

JOURNEYS, CONVERSIONS, VALUE, LONGER, FIELDS = 0, 1, 2, 3, 4


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """The groups at each step, in the order of steps and, of one step, of `Walks.groups`, the others last.

    `step`, `group`: (N,) int64, steps counted from 0, groups by number or as OTHER. `journeys`, `conversions`, `value`:
    (N,) float64, of the journeys that touch this group at this step.
    """

    step: Int64Column
    group: Int64Column
    journeys: Float64Column
    conversions: Float64Column
    value: Float64Column

    def __len__(self) -> int:
        return len(self.step)


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """The links between nodes, in the order of steps, of the nodes they leave, and of those they reach, ends last.

    `step`: (E,) int64, the step that a link leaves. `source`: (E,) int64, its group there. `target`: (E,) int64, the
    group at the next step, or CONVERSION or DROP_OFF. Groups are numbers or OTHER.
    `journeys`, `conversions`, `value`: (E,) float64. `longer`: (E,) float64, how many of the journeys go on beyond the
    last shown step, from which they flow straight to their end.
    `nodes`: the groups at each step. What flows into a node flows out of it, value up to rounding; the nodes of the
    first step hold all journeys.
    """

    step: Int64Column
    source: Int64Column
    target: Int64Column
    journeys: Float64Column
    conversions: Float64Column
    value: Float64Column
    longer: Float64Column
    nodes: Nodes

    def __len__(self) -> int:
        return len(self.step)


def flows_of(walks: Walks) -> Flows:
    """The links and nodes of the diagram. Time O(W n + n K^2) for W walks of n steps through K groups."""
    sums = _sums(walks)
    group = np.append(walks.groups, OTHER)
    step, source, target = (axis.astype(np.int64) for axis in np.nonzero(sums[..., JOURNEYS]))
    links = sums[step, source, target]
    at_node = sums.sum(axis=2)
    node_step, node = (axis.astype(np.int64) for axis in np.nonzero(at_node[..., JOURNEYS]))
    nodes = at_node[node_step, node]
    return Flows(
        step=step,
        source=group[source],
        target=np.append(group, [CONVERSION, DROP_OFF])[target],
        journeys=links[:, JOURNEYS],
        conversions=links[:, CONVERSIONS],
        value=links[:, VALUE],
        longer=links[:, LONGER],
        nodes=Nodes(node_step, group[node], nodes[:, JOURNEYS], nodes[:, CONVERSIONS], nodes[:, VALUE]),
    )


def link_days(*, journeys: Journeys, walk_of_journey: Int64Column, walks: Walks, flows: Flows) -> Float64Column:
    """The median days that the journeys of each link take along it: (E,) float64, NaN for links to DROP_OFF.

    Between steps these are the days from touch to touch, and to CONVERSION those from the journey's last touch, shown
    or not. A null path ends with its last touch, or when it was looked at: its days there say nothing.
    `walk_of_journey`: (J,) int64, as the function of this name has it; `flows`: those of the walks.

    Time O(touches shown), memory 8 bytes for each. Raises ValueError if the journeys are not those of the flows.
    """
    from crosschannel.methods.walk_kernel import write_waits  # here: numba takes a second to import

    has_days = flows.target != DROP_OFF
    ends = np.cumsum(np.where(has_days, flows.journeys, 0.0).astype(np.int64))
    begins = np.concatenate([[0], ends[:-1]]).astype(np.int64)[: len(ends)]
    waits, filled = np.empty(ends[-1] if len(ends) else 0, np.int64), begins.copy()
    fits = write_waits(
        waits,
        read_only(ends),
        filled,
        _link_table(walks, flows),
        read_only(walk_of_journey),
        read_only(walks.steps),
        read_only(walks.longer),
        read_only(journeys.start),
        read_only(journeys.stop),
        read_only(journeys.converted),
        read_only(journeys.touches.touched_at),
        read_only(journeys.anchor_at),
    )
    if not fits or np.any(filled != ends):
        raise ValueError("These journeys are not the ones that the flows were counted from.")
    days = np.full(len(flows), np.nan)
    for link in np.flatnonzero(has_days):
        days[link] = np.median(waits[begins[link] : ends[link]], overwrite_input=True) / MICROSECONDS_PER_DAY
    return days


def _sums(walks: Walks) -> Float64Column:
    """What flows by step, position left and position reached, with both ends after these: (n, K+1, K+3, 4)."""
    places, most, shown = len(walks.groups) + 1, walks.steps.shape[1], walks.shown()
    to_conversion, to_drop_off = places, places + 1
    sums = np.zeros((most, places, places + 2, FIELDS))
    for step in range(most):
        goes_on = np.flatnonzero(shown > step + 1)
        if len(goes_on):
            move = walks.steps[goes_on, step] * np.int64(places) + walks.steps[goes_on, step + 1]
            conversions, nulls, value = walks.conversions[goes_on], walks.nulls[goes_on], walks.value[goes_on]
            for field, weight in ((JOURNEYS, conversions + nulls), (CONVERSIONS, conversions), (VALUE, value)):
                moved = np.bincount(move, weight, places * places)
                sums[step, :, :places, field] = moved.reshape(places, places)
        last = np.flatnonzero(shown == step + 1)
        position, longer = walks.steps[last, step], walks.longer[last]
        conversions, nulls, value = walks.conversions[last], walks.nulls[last], walks.value[last]
        converted = sums[step, :, to_conversion]
        converted[:, JOURNEYS] = converted[:, CONVERSIONS] = np.bincount(position, conversions, places)
        converted[:, VALUE] = np.bincount(position, value, places)
        converted[:, LONGER] = np.bincount(position, conversions * longer, places)
        sums[step, :, to_drop_off, JOURNEYS] = np.bincount(position, nulls, places)
        sums[step, :, to_drop_off, LONGER] = np.bincount(position, nulls * longer, places)
    return sums


def _link_table(walks: Walks, flows: Flows) -> Int64Column:
    """The link with days from each step and position to each position or, as the last, CONVERSION; -1 for none."""
    places = len(walks.groups) + 1
    place = {OTHER: places - 1, CONVERSION: places} | {group: i for i, group in enumerate(walks.groups.tolist())}
    links = np.full((walks.steps.shape[1], places, places + 1), -1, np.int64)
    rows = zip(flows.step.tolist(), flows.source.tolist(), flows.target.tolist(), strict=True)
    for link, (step, source, target) in enumerate(rows):
        if target != DROP_OFF:
            links[step, place[source], place[target]] = link
    return links
