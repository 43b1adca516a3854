"""A heatmap in the browser: what static/js/charts/heatmap.js draws beyond what every chart says, and its height.

The height is settled before the width is known. So is therefore whether the names of columns stand upright: a figure
that is too narrow for its cells scrolls sideways instead.
"""

from typing import Any

from charts.heat import THIN, heat_class, shade_name
from charts.spec import ChartSpec, Mark

ROW_HEIGHT, ROW_HEIGHT_OF_MANY = 30, 24  # a link is 24 pixels high at least (WCAG 2.2, 2.5.8)
FEW_ROWS, FEW_COLUMNS = 16, 12
LONGEST_WORD = 11  # letters that fit across a column of few
NAME_LINE, LETTER = 15.0, 6.8  # pixels, of the names of columns
TALLEST_NAME = 124.0


def height_px(chart: ChartSpec) -> int:
    """Return the height of the names of the columns and of the rows below them."""
    return _header_height(chart) + _row_height(chart) * len(chart.categories)


def of_chart(chart: ChartSpec) -> dict[str, Any]:
    """Return what the payload of a heatmap has beyond that of other charts."""
    return {
        "header": _header_height(chart),
        "row": _row_height(chart),
        "names_turned": names_are_turned(chart),
        "symmetric": is_symmetric(chart),
        "thin": THIN,
    }


def of_mark(chart: ChartSpec, mark: Mark) -> dict[str, Any]:
    """Return what the payload of a cell has beyond that of other marks."""
    thin = {"thin": True} if mark.is_thin else {}
    return {"shade": shade_name(heat_class(mark.value, chart.axis)), **thin}


def names_are_turned(chart: ChartSpec) -> bool:
    """Whether the names of the columns run upwards: there are many, or one has a word too long for a column."""
    words = (word for series in chart.series for word in series.name.split())
    return len(chart.series) > FEW_COLUMNS or max(map(len, words), default=0) > LONGEST_WORD


def is_symmetric(chart: ChartSpec) -> bool:
    """Whether a cell is of a pair: what it says of a row and a column is what is said the other way round."""
    names = [category.label for category in chart.categories]
    said = [tuple(mark and mark.with_interval for mark in series.marks) for series in chart.series]
    return names == [series.name for series in chart.series] and said == [*zip(*said, strict=True)]


def _row_height(chart: ChartSpec) -> int:
    return ROW_HEIGHT if len(chart.categories) <= FEW_ROWS else ROW_HEIGHT_OF_MANY


def _header_height(chart: ChartSpec) -> int:
    longest = max(len(series.name) for series in chart.series)
    if names_are_turned(chart):
        return round(min(longest * LETTER, TALLEST_NAME)) + 10
    one_line = all(" " not in series.name.strip() for series in chart.series)
    return round(NAME_LINE * (1 if one_line else 2)) + 8
