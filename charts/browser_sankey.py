"""A Sankey diagram in the browser: what static/js/charts/sankey.js draws.

Its nodes and links are told as the categories of a chart with one series are, in the order in which people read them.
So pointer, keyboard and tooltip know their way; where they stand comes beside it, in pixels of the plot's height.
"""

from typing import Any

from charts.sankey import SankeyLink, SankeyNode, SankeySpec
from charts.sankey_layout import NODE_PX, SankeyLayout

STEP_PX, ENDS_PX = 120, 95  # that a step and the ends need; what is narrower scrolls sideways


def payload(spec: SankeySpec, layout: SankeyLayout) -> dict[str, Any]:
    """Return `spec` as JSON for the browser; what is empty is left out of categories and marks.

    Of the `nodes` and `ribbons`, `index` is the place among the categories; a ribbon's `source` and `target` are places
    among the nodes, and its `tops` its upper edge in each column from the source's on.
    """
    read: list[tuple[str, SankeyNode | SankeyLink]] = []
    nodes: dict[int, int] = {}
    links: dict[int, int] = {}
    for node, leaving in layout.reading:
        nodes[node] = len(read)
        read.append((spec.nodes[node].label, spec.nodes[node]))
        for link in leaving:
            links[link] = len(read)
            read.append((spec.link_label(spec.links[link]), spec.links[link]))
    return {
        "kind": "sankey",
        "title": spec.title,
        "category_title": spec.value_title,
        "horizontal": False,
        "links": "category" if any(item.href for _, item in read) else "none",
        "least_width": STEP_PX * spec.last_step + ENDS_PX,
        "node_width": NODE_PX,
        "step_titles": list(spec.step_titles),
        "categories": [{"label": label, **({"href": item.href} if item.href else {})} for label, item in read],
        "series": [
            {
                "name": spec.value_title,
                "colour": "accent",
                "dashed": False,
                "marks": [_mark(spec, item) for _, item in read],
            }
        ],
        "nodes": [_node(spec, layout, place, nodes[place]) for place in range(len(spec.nodes))],
        "ribbons": [_ribbon(spec, layout, place, links[place]) for place in range(len(spec.links))],
    }


def _mark(spec: SankeySpec, item: SankeyNode | SankeyLink) -> dict[str, Any]:
    colour = item.colour if isinstance(item, SankeyNode) else spec.nodes[item.source].colour
    detail = {"detail": list(item.detail)} if item.detail else {}
    return {"value": item.value, "text": item.text, "colour": str(colour), **detail}


def _node(spec: SankeySpec, layout: SankeyLayout, place: int, index: int) -> dict[str, Any]:
    node, box = spec.nodes[place], layout.boxes[place]
    ends = {"y0": _px(box.top), "y1": _px(box.bottom)}
    return {"index": index, "name": node.name, "column": box.column, "is_end": node.is_end, **ends}


def _ribbon(spec: SankeySpec, layout: SankeyLayout, place: int, index: int) -> dict[str, Any]:
    link, ribbon = spec.links[place], layout.ribbons[place]
    return {
        "index": index,
        "source": link.source,
        "target": link.target,
        "is_loss": spec.is_loss(link),
        "tops": [_px(top) for top in ribbon.tops],
        "thickness": _px(ribbon.thickness),
    }


def _px(length: float) -> float:
    """A length on the page: thousandths of a pixel cannot be seen, and hundreds of links would be long to tell."""
    return round(length, 3)
