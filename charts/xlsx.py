"""Charts as native Excel charts, which read their numbers from cells of the sheet."""

from collections.abc import Iterator
from typing import Any

from openpyxl.cell.cell import Cell
from openpyxl.chart import AreaChart, BarChart, LineChart, Reference
from openpyxl.chart.data_source import NumDataSource, NumRef
from openpyxl.chart.error_bar import ErrorBars
from openpyxl.chart.marker import DataPoint, Marker
from openpyxl.chart.series import Series as NativeSeries
from openpyxl.chart.series_factory import SeriesFactory
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.styles import Font
from openpyxl.utils import coordinate_to_tuple, get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from charts.spec import ChartSpec, Kind, Series

RULE = "E2E5EA"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
WIDTH_CM, HEIGHT_CM, ROW_CM = 19.0, 8.5, 0.62


def add_chart(sheet: Worksheet, chart: ChartSpec, *, data_anchor: str, chart_anchor: str) -> None:
    """Write the chart's table into cells from `data_anchor` on, and a chart of them at `chart_anchor`.

    The row below the header is that of the first category. Intervals also get the distances that error bars need.
    """
    row, column = coordinate_to_tuple(data_anchor)
    table = chart.table()
    header = [table.category_title, *table.columns]
    for place, text in enumerate(header):
        write_text(sheet.cell(row, column + place), text).font = Font(bold=True)
    for line, (category, cells) in enumerate(table.rows, start=row + 1):
        write_text(sheet.cell(line, column), category.label)
        for place, cell in enumerate(cells, start=column + 1):
            sheet.cell(line, place, cell.value)
    native = _native(chart)
    _axes(native, chart)
    last = row + len(table.rows)
    native.set_categories(Reference(sheet, min_col=column, min_row=row + 1, max_row=last))
    places = {name: column + 1 + place for place, name in enumerate(table.columns)}
    distances = column + len(header) + 1
    for series in chart.series:
        drawn = _series(sheet, places[series.name], row, last)
        drawn.cat = native.series[0].cat if native.series else None
        _style(drawn, chart, series)
        native.series.append(drawn)
        if any(mark and mark.low is not None for mark in series.marks):
            if chart.kind == Kind.LINE:
                for end in _ends(sheet, series, places, row, last):
                    native.series.append(end)
            else:
                drawn.errBars = _error_bars(sheet, chart, series, distances, row)
                distances += 2
    native.set_categories(Reference(sheet, min_col=column, min_row=row + 1, max_row=last))
    sheet.add_chart(native, chart_anchor)


def write_text(cell: Cell, text: str) -> Cell:
    """Write text that stays text, whatever it starts with."""
    cell.value = text
    if text.startswith(FORMULA_STARTS):
        cell.data_type = "s"
    return cell


def height_in_rows(chart: ChartSpec) -> int:
    """How many rows of a sheet the chart covers, with one to spare."""
    return int(_height(chart) / 0.53) + 2


def _height(chart: ChartSpec) -> float:
    if chart.kind == Kind.BARS and chart.horizontal:
        lanes = 1 if chart.stacked else len(chart.series)
        return max(HEIGHT_CM, 3 + ROW_CM * len(chart.categories) * (0.5 + 0.5 * lanes))
    return HEIGHT_CM


def _native(chart: ChartSpec) -> Any:
    native: Any
    if chart.kind in (Kind.LINE, Kind.DOTS):
        native = LineChart()
    elif chart.kind == Kind.AREA:
        native = AreaChart()
        native.grouping = "stacked"
    else:
        native = BarChart()
        native.type = "bar" if chart.kind == Kind.BARS and chart.horizontal else "col"
        native.grouping = "stacked" if chart.stacked else "clustered"
        native.overlap = 100 if chart.stacked else 0
        native.gapWidth = 4 if chart.kind == Kind.HISTOGRAM else 60
    native.width, native.height = WIDTH_CM, _height(chart)
    native.title = chart.title
    native.title.tx.rich.p[0].pPr = None
    native.title.overlay = False
    native.legend.position = "t"
    if len(chart.series) == 1 and not chart.has_intervals:
        native.legend = None
    return native


def _axes(native: Any, chart: ChartSpec) -> None:
    # Hidden unless said otherwise, since openpyxl 3.1.
    native.x_axis.delete = native.y_axis.delete = False
    native.y_axis.title, native.x_axis.title = chart.axis.title, chart.category_title
    native.y_axis.scaling.min, native.y_axis.scaling.max = chart.axis.low, chart.axis.high
    native.y_axis.majorUnit = chart.axis.ticks[1].value - chart.axis.ticks[0].value
    native.y_axis.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill=RULE))
    native.y_axis.number_format = (
        "0%" if chart.axis.ticks[-1].text.endswith("%") and abs(chart.axis.high) <= 10 else "General"
    )
    native.x_axis.tickLblPos = "low"
    if chart.kind == Kind.BARS and chart.horizontal:
        native.x_axis.scaling.orientation = "maxMin"  # the first category on top, as on the page


def _series(sheet: Worksheet, column: int, row: int, last: int) -> NativeSeries:
    values = Reference(sheet, min_col=column, min_row=row, max_row=last)
    series: NativeSeries = SeriesFactory(values, title_from_data=True)
    return series


def _style(drawn: Any, chart: ChartSpec, series: Series) -> None:
    colour = _hex(series.colour.hex)
    if chart.kind == Kind.LINE:
        line = LineProperties(solidFill=colour, w=25400, prstDash="dash" if series.dashed else "solid")
        drawn.graphicalProperties = GraphicalProperties(ln=line)
        drawn.smooth = False
        drawn.marker = Marker(symbol="none")
    elif chart.kind == Kind.DOTS:
        drawn.graphicalProperties = GraphicalProperties(ln=LineProperties(noFill=True))
        fill = GraphicalProperties(solidFill=colour, ln=LineProperties(noFill=True))
        drawn.marker = Marker(symbol="circle", size=9, spPr=fill)
        drawn.smooth = False
    else:
        drawn.graphicalProperties = GraphicalProperties(solidFill=colour)
        if chart.kind != Kind.AREA:
            drawn.invertIfNegative = False
        drawn.dPt = [
            DataPoint(idx=place, invertIfNegative=False, spPr=GraphicalProperties(solidFill=_hex(mark.colour.hex)))
            for place, mark in enumerate(series.marks)
            if mark and mark.colour
        ]


def _ends(sheet: Worksheet, series: Series, places: dict[str, int], row: int, last: int) -> Iterator[Any]:
    """The two ends of a line's ribbon, as thin lines."""
    for end in ("low", "high"):
        drawn: Any = _series(sheet, places[f"{series.name}, {end}"], row, last)
        line = LineProperties(solidFill=_hex(series.colour.hex), w=9525, prstDash="sysDot")
        drawn.graphicalProperties = GraphicalProperties(ln=line)
        drawn.smooth = False
        drawn.marker = Marker(symbol="none")
        yield drawn


def _error_bars(sheet: Worksheet, chart: ChartSpec, series: Series, column: int, row: int) -> ErrorBars:
    """Write how far the interval reaches beyond each value, and bars that read it."""
    sources = []
    for place, (name, sign) in enumerate((("up", 1), ("down", -1))):
        write_text(sheet.cell(row, column + place), f"{series.name}, {name}").font = Font(color="868F9D")
        for line, mark in enumerate(series.marks, start=row + 1):
            end = None if mark is None else mark.high if sign > 0 else mark.low
            if mark is not None and end is not None:
                sheet.cell(line, column + place, sign * (end - mark.value))
        letter = get_column_letter(column + place)
        name = sheet.title.replace("'", "''")
        reference = f"'{name}'!${letter}${row + 1}:${letter}${row + len(series.marks)}"
        sources.append(NumDataSource(numRef=NumRef(f=reference)))
    sideways = chart.kind == Kind.BARS and chart.horizontal
    return ErrorBars(
        errDir=None if sideways else "y", errBarType="both", errValType="cust", plus=sources[0], minus=sources[1]
    )


def _hex(colour: str) -> str:
    return colour.removeprefix("#").upper()
