"""Customer journeys as a Sankey diagram: what flows from each step to the next, and how it ends."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, TypeAlias

from charts.colours import Colour
from charts.spec import Category, Table, TableCell, require_id

OTHER_CHANNELS, CONVERSION, DROP_OFF = "Other channels", "Conversion", "Drop-off"
KEEPS_WITHIN = 1e-9  # relative: how exactly what flows into a node has to flow out of it

Amounts: TypeAlias = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SankeyNode:
    """A channel at a step of the journeys, or an end of them.

    `step`: counted from 1; that of an end is one more than the last step's. `name`: of the channel, or one of
    OTHER_CHANNELS, CONVERSION and DROP_OFF. `value`: what flows through it; `text`: that as people read it, with its
    unit. `detail`: further lines of the tooltip. `href`: where a click leads.
    """

    step: int
    name: str
    colour: Colour
    value: float
    text: str
    detail: tuple[str, ...] = ()
    href: str = ""
    is_end: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.value >= 0):
            raise ValueError(f"What flows through “{self.name}” must be finite and not negative: {self.value}.")

    @property
    def label(self) -> str:
        """Its name, after the step that tells it from the same channel at others: "2 Email", or "Conversion"."""
        return self.name if self.is_end else f"{self.step} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SankeyLink:
    """What flows from a node to a later one, both by their place among the nodes.

    `cells`: what the table says of it beside `value`, one for each of the chart's `columns`.
    """

    source: int
    target: int
    value: float
    text: str
    detail: tuple[str, ...] = ()
    href: str = ""
    cells: tuple[TableCell, ...] = ()

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.value > 0):
            raise ValueError(f"A link has a finite width above zero, not {self.value}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SankeySpec:
    """A Sankey diagram of journeys. What flows into a step flows on, to the next step or to an end.

    `id`, `title`, `subtitle` and `summary` are as a ChartSpec's. `value_title`: what flows ("Journeys").
    `step_titles`: one for each step, and one for the ends. `columns`: of the table, what the links' `cells` say.

    Raises ValueError if nodes and links do not make such a diagram: a link leads to no node, not to the next step or
    an end, or where another one leads already; a node's value is not what flows through it, or flows out of it other
    than it flowed in.
    """

    id: str
    title: str
    summary: str
    value_title: str
    step_titles: tuple[str, ...]
    nodes: tuple[SankeyNode, ...]
    links: tuple[SankeyLink, ...]
    columns: tuple[str, ...] = ()
    subtitle: str = ""

    def __post_init__(self) -> None:
        require_id(self.id)
        if not self.links:
            raise ValueError(f"The chart “{self.id}” has no links; show why instead of a chart.")
        self._require_places()
        self._require_links()
        self._require_flow()

    def _require_places(self) -> None:
        for node in self.nodes:
            if not 1 <= node.step <= self.last_step + node.is_end or (node.is_end and node.step <= self.last_step):
                raise ValueError(f"“{node.name}” cannot stand at step {node.step} of {self.last_step} and the ends.")
        if twice := [label for label, count in Counter(node.label for node in self.nodes).items() if count > 1]:
            raise ValueError(f"“{twice[0]}” is there twice.")

    def _require_links(self) -> None:
        for link in self.links:
            if not (0 <= link.source < len(self.nodes) and 0 <= link.target < len(self.nodes)):
                raise ValueError(f"A link leads from {link.source} to {link.target}, of {len(self.nodes)} nodes.")
            source, target = self.nodes[link.source], self.nodes[link.target]
            if not (source.step < target.step if target.is_end else source.step + 1 == target.step):
                raise ValueError(f"A link leads to the next step or to an end: not “{self.link_label(link)}”.")
            if len(link.cells) != len(self.columns):
                raise ValueError(f"“{self.link_label(link)}” has {len(link.cells)} cells, not {len(self.columns)}.")
        pairs = Counter((link.source, link.target) for link in self.links)
        if len(pairs) < len(self.links):
            raise ValueError(f"Two links lead between the same nodes: {pairs.most_common(1)[0][0]}.")

    def _require_flow(self) -> None:
        flows_in, flows_out = self._flows()
        for node, into, out in zip(self.nodes, flows_in, flows_out, strict=True):
            if not node.is_end and node.step > 1 and not math.isclose(into, out, rel_tol=KEEPS_WITHIN):
                raise ValueError(f"{into} flows into “{node.label}”, but {out} out of it.")
            if not math.isclose(node.value, max(into, out), rel_tol=KEEPS_WITHIN):
                raise ValueError(f"“{node.label}” is {node.value}, but {max(into, out)} flows through it.")

    def _flows(self) -> tuple[Amounts, Amounts]:
        """What flows into each node, and out of it."""
        into: list[list[float]] = [[] for _ in self.nodes]
        out: list[list[float]] = [[] for _ in self.nodes]
        for link in self.links:
            into[link.target].append(link.value)
            out[link.source].append(link.value)
        return tuple(map(math.fsum, into)), tuple(map(math.fsum, out))

    @property
    def last_step(self) -> int:
        """The last step of the journeys; the ends stand after it."""
        return len(self.step_titles) - 1

    @property
    def panels(self) -> tuple[Any, ...]:
        """The chart itself, as small multiples have several; who looks into panels knows which chart they are of."""
        return (self,)

    def link_label(self, link: SankeyLink) -> str:
        """Where a link leads from and to: "1 Email → 2 Direct", "3 Email → Conversion"."""
        return f"{self.nodes[link.source].label} → {self.nodes[link.target].label}"

    def is_loss(self, link: SankeyLink) -> bool:
        """Whether what flows along a link drops off: it is the most as a rule, and is drawn fainter."""
        return self.nodes[link.target].is_end and self.nodes[link.target].name == DROP_OFF

    def table(self) -> Table:
        """Return every link of the chart: what flows along it and what its cells say, in the links' order."""
        return Table(
            category_title="From → to",
            columns=(self.value_title, *self.columns),
            rows=tuple(
                (
                    Category(label=self.link_label(link), href=link.href),
                    (TableCell(link.value, link.text), *link.cells),
                )
                for link in self.links
            ),
        )
