"""One description of a chart, drawn in four ways with the same values: browser, SVG, PowerPoint and Excel.

`ChartSpec` (or `SmallMultiples` of them) is built once from a result. `charts.browser`, `charts.svg`, `charts.pptx` and
`charts.xlsx` draw it. Nothing here knows Django, and importing this package loads none of the drawing libraries.
"""

from charts.colours import Colour, channel_colour
from charts.scales import axis
from charts.spec import (
    Axis,
    Category,
    Chart,
    ChartSpec,
    Kind,
    Mark,
    Series,
    SmallMultiples,
    Table,
    TableCell,
    Tick,
    require_unique_ids,
)

__all__ = [
    "Axis",
    "Category",
    "Chart",
    "ChartSpec",
    "Colour",
    "Kind",
    "Mark",
    "Series",
    "SmallMultiples",
    "Table",
    "TableCell",
    "Tick",
    "axis",
    "channel_colour",
    "require_unique_ids",
]
