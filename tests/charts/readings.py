"""What a reader of a drawn chart must find in it: values, and the ends of intervals, by series and category."""

from dataclasses import dataclass, field
from typing import TypeAlias

from charts import ChartSpec, Kind
from charts.examples import EXAMPLES

Place: TypeAlias = tuple[int, int]  # of the series and of the category
_SPECS = [panel for chart in EXAMPLES.values() for panel in chart.panels if isinstance(panel, ChartSpec)]
# Charts whose values can be read off an axis, and those whose cells say them.
PANELS: dict[str, ChartSpec] = {panel.id: panel for panel in _SPECS if panel.kind != Kind.HEATMAP}
HEATMAPS: dict[str, ChartSpec] = {panel.id: panel for panel in _SPECS if panel.kind == Kind.HEATMAP}
KINDS_WITH_AN_AXIS = [kind for kind in Kind if kind != Kind.HEATMAP]


@dataclass
class Readings:
    """Values and intervals of all marks; a gap has neither."""

    values: dict[Place, float] = field(default_factory=dict)
    intervals: dict[Place, tuple[float, float]] = field(default_factory=dict)


def expected(chart: ChartSpec) -> Readings:
    readings = Readings()
    for number, series in enumerate(chart.series):
        for place, mark in enumerate(series.marks):
            if mark:
                readings.values[number, place] = mark.value
            if mark and mark.low is not None and mark.high is not None:
                readings.intervals[number, place] = (mark.low, mark.high)
    return readings
