"""One description of a chart, drawn in four ways with the same values: browser, SVG, PowerPoint and Excel.

`ChartSpec` (or `SmallMultiples` of them) is built once from a result. `charts.browser`, `charts.svg`, `charts.pptx` and
`charts.xlsx` draw it. A `SankeySpec`, which PowerPoint and Excel have no chart for, is a picture there
(`charts.sankey_office`). Nothing here knows Django, and importing this package loads none of the drawing libraries.
"""

from charts.chart import Chart, require_unique_ids
from charts.colours import Colour, channel_colour
from charts.sankey import SankeyLink, SankeyNode, SankeySpec
from charts.scales import axis
from charts.spec import (
    Axis,
    Category,
    ChartSpec,
    Kind,
    Mark,
    Series,
    SmallMultiples,
    Table,
    TableCell,
    Tick,
)

__all__ = [
    "Axis",
    "Category",
    "Chart",
    "ChartSpec",
    "Colour",
    "Kind",
    "Mark",
    "SankeyLink",
    "SankeyNode",
    "SankeySpec",
    "Series",
    "SmallMultiples",
    "Table",
    "TableCell",
    "Tick",
    "axis",
    "channel_colour",
    "require_unique_ids",
]
