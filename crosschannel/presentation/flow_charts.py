"""The flows of journeys as a Sankey diagram."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from charts import Colour, SankeyLink, SankeyNode, SankeySpec, TableCell
from crosschannel.labels import CONVERSION, DROP_OFF, OTHER
from crosschannel.presentation.sources import Sources
from mmm_project import formats

JOURNEYS, VALUE = "journeys", "value"
ORDINALS = {1: "1st", 2: "2nd", 3: "3rd"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFrame:
    """What all nodes and links of a diagram say alike.

    `width`: what they are as wide as, JOURNEYS or VALUE. `kept`: conditions of the page that its links keep, as
    (name, value). `steps`: how many touches are shown.
    """

    sources: Sources
    currency: str
    steps: int
    width: str = JOURNEYS
    kept: Sequence[tuple[str, str]] = ()


def flow_chart(
    flows: Sequence[Mapping[str, Any]], *, frame: FlowFrame, chart_id: str, title: str, subtitle: str
) -> SankeySpec | None:
    """Return the diagram of a run's flows, as `crosschannel.result.flows` has them; None where nothing has a width."""
    links = [flow for flow in flows if flow[frame.width] > 0]
    if not links:
        return None
    nodes = _nodes(flows, frame)
    place = {(node.step, node.name): number for number, node in enumerate(nodes)}
    ends = frame.steps + 1
    spec_links = tuple(
        SankeyLink(
            source=place[flow["step"], flow["from"]],
            target=place[ends if flow["ends"] else flow["step"] + 1, flow["to"]],
            value=flow[frame.width],
            text=_text(flow, frame),
            detail=_details(flow, frame),
            href=_link_href(flow, frame),
            cells=_cells(flow, frame),
        )
        for flow in links
    )
    return SankeySpec(
        id=chart_id,
        title=title,
        subtitle=subtitle,
        summary=_summary(links, frame),
        value_title="Journeys" if frame.width == JOURNEYS else f"Value, {frame.currency}",
        step_titles=(*(f"{ORDINALS.get(step, f'{step}th')} touch" for step in range(1, ends)), "End"),
        columns=("Conversions", "Value", "Median days") if frame.width == JOURNEYS else ("Journeys", "Conversions"),
        nodes=nodes,
        links=spec_links,
    )


def _nodes(flows: Sequence[Mapping[str, Any]], frame: FlowFrame) -> tuple[SankeyNode, ...]:
    """The nodes that have a width. What they say is of all flows through them, drawn or not."""
    into: dict[tuple[int, str], list[Mapping[str, Any]]] = {}
    out: dict[tuple[int, str], list[Mapping[str, Any]]] = {}
    for flow in flows:
        out.setdefault((flow["step"], flow["from"]), []).append(flow)
        into.setdefault((frame.steps + 1 if flow["ends"] else flow["step"] + 1, flow["to"]), []).append(flow)
    nodes = []
    for step, name in sorted({*into, *out}):
        # Of both sides the larger, as they may differ by rounding.
        value = max(math.fsum(flow[frame.width] for flow in side.get((step, name), ())) for side in (into, out))
        if value <= 0:
            continue
        is_end = name in (CONVERSION, DROP_OFF) and step == frame.steps + 1
        through = into[step, name] if is_end else out[step, name]
        totals = {field: math.fsum(flow[field] for flow in through) for field in (JOURNEYS, "conversions", VALUE)}
        nodes.append(
            SankeyNode(
                step=step,
                name=name,
                colour=_colour(name, frame.sources),
                value=value,
                text=_text(totals, frame),
                detail=_node_details(totals, frame, is_end=is_end),
                href=_node_href(step, name, frame, is_end=is_end),
                is_end=is_end,
            )
        )
    return tuple(nodes)


def _colour(name: str, sources: Sources) -> Colour:
    if name == CONVERSION:
        return Colour.ACCENT
    return Colour.OTHER if name in (DROP_OFF, OTHER) else sources.colour(name)


def _text(amounts: Mapping[str, Any], frame: FlowFrame) -> str:
    if frame.width == VALUE:
        return formats.round_money(amounts[VALUE], frame.currency)
    return formats.count(amounts[JOURNEYS], "journey")


def _details(flow: Mapping[str, Any], frame: FlowFrame) -> tuple[str, ...]:
    lines = list(_node_details(flow, frame, is_end=flow["ends"]))
    if flow["longer"]:
        lines.append(f"{formats.count(flow['longer'], 'journey')} with further touches in between")
    if flow.get("median_days") is not None:
        what = "from the last touch" if flow["ends"] else "between these touches"
        lines.append(f"{_days(flow['median_days'])} {what} (median)")
    return tuple(lines)


def _node_details(amounts: Mapping[str, Any], frame: FlowFrame, *, is_end: bool) -> tuple[str, ...]:
    conversions = formats.count(amounts["conversions"], "conversion")
    rate = formats.percent(amounts["conversions"] / amounts[JOURNEYS])
    lines = [] if is_end else [f"{conversions} ({rate})"]
    if frame.width == VALUE:
        return (formats.count(amounts[JOURNEYS], "journey"), *lines)
    if amounts[VALUE]:
        lines.append(f"Worth {formats.round_money(amounts[VALUE], frame.currency)}")
    return tuple(lines)


def _days(days: float) -> str:
    """Days as people say them; hours and minutes where there is less than one."""
    if days >= 1:
        return formats.count(round(days, 1), "day")
    hours = days * 24
    return formats.count(round(hours, 1), "hour") if hours >= 1 else formats.count(round(hours * 60), "minute")


def _cells(flow: Mapping[str, Any], frame: FlowFrame) -> tuple[TableCell, ...]:
    conversions = TableCell(flow["conversions"], formats.count(flow["conversions"]))
    if frame.width == VALUE:
        return TableCell(flow[JOURNEYS], formats.count(flow[JOURNEYS])), conversions
    days = flow.get("median_days")
    return (
        conversions,
        TableCell(flow[VALUE], formats.money(flow[VALUE], frame.currency)),
        TableCell(None, "\N{EN DASH}") if days is None else TableCell(days, formats.count(round(days, 2))),
    )


def _link_href(flow: Mapping[str, Any], frame: FlowFrame) -> str:
    following = [f"{flow['step'] + 1}:{flow['to']}"]
    return _href([f"{flow['step']}:{flow['from']}", *following], frame)


def _node_href(step: int, name: str, frame: FlowFrame, *, is_end: bool) -> str:
    if is_end:
        return _href([], frame, end=name)
    return _href([f"{step}:{name}"], frame)


def _href(at: Sequence[str], frame: FlowFrame, **further: str) -> str:
    kept: dict[str, list[str]] = {}
    for condition, value in (*frame.kept, *(("at", node) for node in at), *further.items()):
        if value not in kept.setdefault(condition, []):
            kept[condition].append(value)
    return frame.sources.journeys_href(**kept)


def _summary(flows: Sequence[Mapping[str, Any]], frame: FlowFrame) -> str:
    """What happens most, for people who do not see the diagram."""

    def width(flow: Mapping[str, Any]) -> float:
        return float(flow[frame.width])

    between = [flow for flow in flows if not flow["ends"]]
    ends = [flow for flow in flows if flow["to"] == CONVERSION]
    sentences = []
    if between:
        flow = max(between, key=width)
        sentences.append(
            f"The widest flow between touches leads from {flow['from']} to {flow['to']}: {_text(flow, frame)}."
        )
    if ends:
        flow = max(ends, key=width)
        sentences.append(f"Into conversion most flows from {flow['from']}: {_text(flow, frame)}.")
    return " ".join(sentences) or "No journey goes on or converts."
