"""Where the nodes and links of a Sankey diagram stand: computed once, so that every renderer shows the same picture.

Columns are the steps and, last, the ends. One scale holds for the whole picture: a pixel is the same number of journeys
everywhere. What ends before the last step does not run across the steps in between but around them: to the drop-off
along the lower edge, to other ends along the upper one, in lanes that are as straight as edges are.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from charts.sankey import CONVERSION, DROP_OFF, OTHER_CHANNELS, SankeyLink, SankeySpec

HEAD_PX, FOOT_PX = 26.0, 8.0  # above the first node, for the steps' titles, and below the last, for half its name
NODE_PX = 10.0  # the breadth of nodes
FLOW_PX = 280.0  # the height of all that flows
GAP_PX = 16.0  # between nodes, at least: a line of text, so that each can be named
_SWEEPS = 4
_WORTH_MOVING = 0.95  # a new order has to leave less than this of what crossed


@dataclass(frozen=True, slots=True)
class Box:
    """A node: its column, counted from 0, and its upper and lower edge, in pixels from the top of the picture."""

    column: int
    top: float
    bottom: float

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


@dataclass(frozen=True, slots=True)
class Ribbon:
    """A link: the column it comes from, and its upper edge there, in each column that it passes, and where it ends."""

    column: int
    tops: tuple[float, ...]
    thickness: float


@dataclass(frozen=True, slots=True)
class SankeyLayout:
    """A picture of this height, titles included.

    `boxes` are of the nodes and `ribbons` of the links, each in the chart's order.
    `reading`: the nodes as people read them, by column from top to bottom, each with the links that leave it, likewise.
    """

    height_px: float
    boxes: tuple[Box, ...]
    ribbons: tuple[Ribbon, ...]
    reading: tuple[tuple[int, tuple[int, ...]], ...]


def lay_out(spec: SankeySpec) -> SankeyLayout:
    """Lay `spec` out, whatever order its links are in."""
    columns = _arranged(spec)
    flows = _Flows(spec, columns)
    items = [len(column) + sum(map(bool, lanes)) for column, lanes in zip(columns, flows.lanes, strict=True)]
    bottom = HEAD_PX + FLOW_PX + GAP_PX * (max(items) - 1)
    boxes = _boxes(spec, columns, flows, bottom)
    leaving, tops = _tops(spec, boxes, flows, bottom)
    return SankeyLayout(
        height_px=bottom + FOOT_PX,
        boxes=boxes,
        ribbons=tuple(
            Ribbon(boxes[link.source].column, tops[place], link.value * flows.scale)
            for place, link in enumerate(spec.links)
        ),
        reading=tuple((node, tuple(leaving[node])) for column in columns for node in column),
    )


class _Flows:
    """The links of an arranged chart as they lie above each other.

    `rank`: the column of each node, and its place there. `lanes`: for each column the links that pass it along the
    upper and the lower edge, those from the earliest step outermost, as others join them from within.
    """

    def __init__(self, spec: SankeySpec, columns: Sequence[Sequence[int]]) -> None:
        self._spec = spec
        self.rank = {node: (place, row) for place, column in enumerate(columns) for row, node in enumerate(column)}
        self.scale = FLOW_PX / sum(spec.nodes[node].value for node in columns[0])
        upper = sorted(self._skipping(falls=False), key=self._from_above)
        lower = sorted(self._skipping(falls=True), key=self._from_below)
        self.lanes = [
            tuple(tuple(link for link in lane if self._passes(link, column)) for lane in (upper, lower))
            for column in range(len(columns))
        ]

    def _skipping(self, *, falls: bool) -> Iterator[int]:
        for place, link in enumerate(self._spec.links):
            source, target = self._spec.nodes[link.source], self._spec.nodes[link.target]
            if target.step > source.step + 1 and _falls(self._spec, link.target) is falls:
                yield place

    def _passes(self, link: int, column: int) -> bool:
        return self.rank[self._spec.links[link].source][0] < column < self._spec.last_step

    def _from_above(self, link: int) -> tuple[int, int, int]:
        column, row = self.rank[self._spec.links[link].source]
        return self.rank[self._spec.links[link].target][1], column, row

    def _from_below(self, link: int) -> tuple[int, int]:
        column, row = self.rank[self._spec.links[link].source]
        return -column, row

    def arriving(self, node: int) -> list[int]:
        """The links into a node, from top to bottom."""
        into = [place for place, link in enumerate(self._spec.links) if link.target == node]
        return sorted(into, key=self._from_below if _falls(self._spec, node) else self._from_above)

    def leaving(self, node: int) -> list[int]:
        """The links out of a node, from top to bottom: to upper lanes, to the next step, to lower lanes."""
        out = [place for place, link in enumerate(self._spec.links) if link.source == node]
        return sorted(out, key=self._level)

    def _level(self, link: int) -> tuple[int, int]:
        """Whether a link leads to an upper end, to a step or to a lower end, and how far down there."""
        target = self._spec.links[link].target
        side = 0 if not self._spec.nodes[target].is_end else 1 if _falls(self._spec, target) else -1
        return side, self.rank[target][1]

    def height(self, links: Sequence[int]) -> float:
        return self.scale * sum(self._spec.links[link].value for link in links)


def _falls(spec: SankeySpec, node: int) -> bool:
    """Whether a node is the end at the bottom."""
    return spec.nodes[node].is_end and spec.nodes[node].name == DROP_OFF


def _boxes(spec: SankeySpec, columns: Sequence[Sequence[int]], flows: _Flows, bottom: float) -> tuple[Box, ...]:
    """Spread the nodes of each column evenly between the lanes along the edges."""
    boxes: dict[int, Box] = {}
    for place, (column, (upper, lower)) in enumerate(zip(columns, flows.lanes, strict=True)):
        heights = [spec.nodes[node].value * flows.scale for node in column]
        room = bottom - HEAD_PX - sum(heights) - flows.height(upper) - flows.height(lower)
        gaps = len(column) + bool(upper) + bool(lower) - 1
        gap = room / max(gaps, 1)
        top = HEAD_PX + (flows.height(upper) + gap if upper else 0.0)
        if column and not gaps:  # alone in its column: at the edge that it belongs to, or in the middle
            top += room if _falls(spec, column[0]) else 0.0 if spec.nodes[column[0]].is_end else room / 2
        for node, tall in zip(column, heights, strict=True):
            boxes[node] = Box(place, top, top + tall)
            top += tall + gap
    return tuple(boxes[node] for node in range(len(spec.nodes)))


def _tops(
    spec: SankeySpec, boxes: Sequence[Box], flows: _Flows, bottom: float
) -> tuple[dict[int, list[int]], list[tuple[float, ...]]]:
    """Return what leaves each node, and the upper edges of each link from its source to its target."""
    tops: list[list[float]] = [[] for _ in spec.links]
    leaving = {node: flows.leaving(node) for node in range(len(spec.nodes))}

    def stack(links: Sequence[int], top: float) -> None:
        for link in links:
            tops[link].append(top)
            top += spec.links[link].value * flows.scale

    for node, links in leaving.items():
        stack(links, boxes[node].top)
    for upper, lower in flows.lanes:
        stack(upper, HEAD_PX)
        stack(lower, bottom - flows.height(lower))
    for node, box in enumerate(boxes):
        stack(flows.arriving(node), box.top)
    return leaving, [tuple(edges) for edges in tops]


def _arranged(spec: SankeySpec) -> list[list[int]]:
    """Return the nodes of each column from top to bottom, so that links cross little.

    Every column starts with the channels in one order, the largest first, and the first step keeps it. In few sweeps
    nodes of later steps move to where their links come from or lead to. As a channel is found most easily where it was
    a step before, and should not jump when numbers change a little, an order only gives way to a much better one.
    """
    columns = _start(spec)
    links = sorted(spec.links, key=lambda link: (link.source, link.target))
    best, least = [list(column) for column in columns], _crossings(spec, links, columns)
    for turn in range(_SWEEPS):
        back = turn % 2 == 1
        for step in range(1, spec.last_step)[:: -1 if back else 1]:
            columns[step] = _swept(spec, links, columns, step, back=back)
        if (crossed := _crossings(spec, links, columns)) < _WORTH_MOVING * least:
            best, least = [list(column) for column in columns], crossed
    return best


def _start(spec: SankeySpec) -> list[list[int]]:
    totals: dict[str, float] = {}
    for node in sorted(spec.nodes, key=lambda node: node.step):
        totals[node.name] = totals.get(node.name, 0.0) + node.value

    def place(node: int) -> tuple[int, float, str]:
        name = spec.nodes[node].name
        is_last = {OTHER_CHANNELS: 1, DROP_OFF: 1, CONVERSION: -1}.get(name, 0)
        return is_last, -totals[name], name

    steps = range(1, spec.last_step + 2)
    return [sorted((at for at, node in enumerate(spec.nodes) if node.step == step), key=place) for step in steps]


def _swept(
    spec: SankeySpec, links: Sequence[SankeyLink], columns: Sequence[Sequence[int]], step: int, *, back: bool
) -> list[int]:
    """Return the column with each node at the mean of where its links lead to or, not `back`, come from."""
    middles = _middles(spec, columns[step + 1 if back else step - 1])
    edges = _edges(spec)
    means: dict[int, float] = {}
    for node in columns[step]:
        ends = [
            (edges[link.target] if spec.nodes[link.target].is_end else middles[link.target], link.value)
            if back
            else (middles[link.source], link.value)
            for link in links
            if (link.source if back else link.target) == node
        ]
        weight = sum(value for _, value in ends)
        means[node] = sum(middle * value for middle, value in ends) / weight if weight else 0.0
    return sorted(columns[step], key=lambda node: (spec.nodes[node].name == OTHER_CHANNELS, means[node]))


def _middles(spec: SankeySpec, column: Sequence[int]) -> dict[int, float]:
    """Where the nodes of a column lie, as shares of all that flows there."""
    tops = [0.0, *itertools.accumulate(spec.nodes[node].value for node in column)]
    whole = tops[-1] or 1.0
    return {node: (top + spec.nodes[node].value / 2) / whole for node, top in zip(column, tops, strict=False)}


def _edges(spec: SankeySpec) -> dict[int, float]:
    """To which edge, 0 or 1, links to an end lead."""
    return {place: float(node.name == DROP_OFF) for place, node in enumerate(spec.nodes) if node.is_end}


def _crossings(spec: SankeySpec, links: Sequence[SankeyLink], columns: Sequence[Sequence[int]]) -> float:
    """Return how much crosses: for every two links that do, between a column and the next, the product of widths."""
    rows = {node: row for column in columns for row, node in enumerate(column)}
    edges = _edges(spec)
    upper, most = sum(edge == 0 for edge in edges.values()), max(map(len, columns))

    def level(target: int) -> int:
        """How far down links leave for `target`: upper ends first, then the nodes of the next step, then the lower."""
        return rows[target] + upper if target not in edges else upper + most if edges[target] else rows[target]

    crossed = 0.0
    for column in columns[:-1]:
        so_far = [0.0] * (upper + most + 1)  # what leaves for each level from the nodes above
        for node in column:
            leaving = [(level(link.target), link.value) for link in links if link.source == node]
            crossed += sum(value * sum(so_far[below + 1 :]) for below, value in leaving)
            for below, value in leaving:
                so_far[below] += value
    return crossed
