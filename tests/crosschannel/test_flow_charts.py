"""The diagrams of flows: what they say of their nodes, whatever they are as wide as."""

from collections.abc import Sequence
from typing import NamedTuple
from unittest.mock import create_autospec

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from charts import Colour, SankeySpec
from crosschannel import result
from crosschannel.labels import CONVERSION, DROP_OFF
from crosschannel.methods.flows import flows_of
from crosschannel.methods.walks import walks_of
from crosschannel.presentation.flow_charts import JOURNEYS, VALUE, FlowFrame, flow_chart
from crosschannel.presentation.sources import Sources
from marketing.journey_paths import merge_paths
from mmm_project import formats

LABELS = ("Email", "Search", "Display")
STEPS = 3


class Taken(NamedTuple):
    """A journey; one that converts may be worth nothing."""

    path: tuple[int, ...]
    converted: bool
    value: int

    @property
    def nodes(self) -> list[tuple[int, str]]:
        shown = [(step, LABELS[group]) for step, group in enumerate(self.path[:STEPS], start=1)]
        return [*shown, (STEPS + 1, CONVERSION if self.converted else DROP_OFF)]


def taken() -> st.SearchStrategy[Taken]:
    path = st.lists(st.sampled_from(range(len(LABELS))), min_size=1, max_size=STEPS + 1).map(tuple)
    worth = st.sampled_from((None, 0, 0, 30, 200))
    return st.builds(lambda path, worth: Taken(path, worth is not None, worth or 0), path, worth)


def drawn(journeys: Sequence[Taken], width: str) -> SankeySpec | None:
    table = merge_paths(
        offsets=np.cumsum([0, *(len(one.path) for one in journeys)]),
        steps=np.array([group for one in journeys for group in one.path], np.int64),
        groups=len(LABELS),
        conversions=np.array([one.converted for one in journeys], np.float64),
        value=np.array([one.value for one in journeys], np.float64),
        nulls=np.array([not one.converted for one in journeys], np.float64),
    ).table
    flows = flows_of(walks_of(table, steps=STEPS, top=len(LABELS)))
    sources = create_autospec(Sources, instance=True)
    sources.colour.return_value, sources.journeys_href.return_value = Colour.OTHER, ""
    frame = FlowFrame(sources=sources, currency="EUR", steps=STEPS, width=width)
    found = result.flows(flows, np.full(len(flows), np.nan), LABELS)
    return flow_chart(found, frame=frame, chart_id="flows", title="Flows", subtitle="")


def said_of(chart: SankeySpec | None) -> dict[tuple[int, str], set[str]]:
    if chart is None:
        return {}
    return {
        (node.step, node.name): {text.removeprefix("Worth ") for text in (node.text, *node.detail)}
        for node in chart.nodes
    }


@given(st.lists(taken(), min_size=1, max_size=12))
def test_both_diagrams_say_of_a_node_what_plain_loops_count(journeys: list[Taken]) -> None:
    expected: dict[tuple[int, str], set[str]] = {}
    valuable: set[tuple[int, str]] = set()
    for node in {node for one in journeys for node in one.nodes}:
        through = [one for one in journeys if node in one.nodes]
        conversions, value = sum(one.converted for one in through), sum(one.value for one in through)
        expected[node] = {formats.count(len(through), "journey")}
        if node[0] <= STEPS:
            share = formats.percent(conversions / len(through))
            expected[node].add(f"{formats.count(conversions, 'conversion')} ({share})")
        if value:
            expected[node].add(formats.round_money(value, "EUR"))
            valuable.add(node)
    assert said_of(drawn(journeys, JOURNEYS)) == expected
    assert said_of(drawn(journeys, VALUE)) == {node: expected[node] for node in valuable}
