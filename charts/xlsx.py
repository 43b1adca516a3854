"""Charts as native Excel charts, which read their numbers from cells of the sheet."""

from collections.abc import Iterator, Sequence
from typing import Any

from openpyxl.chart import AreaChart, BarChart, LineChart, Reference
from openpyxl.chart.data_source import NumDataSource, NumRef
from openpyxl.chart.error_bar import ErrorBars
from openpyxl.chart.label import DataLabel, DataLabelList
from openpyxl.chart.legend import LegendEntry
from openpyxl.chart.marker import DataPoint, Marker
from openpyxl.chart.series import Series as NativeSeries
from openpyxl.chart.series_factory import SeriesFactory
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, OneCellAnchor
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties, RegularTextRun
from openpyxl.drawing.xdr import XDRPositiveSize2D
from openpyxl.styles import Font
from openpyxl.utils import coordinate_to_tuple, get_column_letter
from openpyxl.utils.units import cm_to_EMU
from openpyxl.worksheet.worksheet import Worksheet

from charts import xlsx_heatmap
from charts.native_axes import major_unit, named_every, value_format
from charts.number_formats import number_format, number_formats
from charts.spec import ChartSpec, Kind, Mark, Series
from charts.waterfall import Part, label_formats, parts
from charts.wording import printable, readable_on
from charts.xlsx_cells import write_text

INK, MUTED, FAINT, RULE = "14181F", "5A6372", "868F9D", "E2E5EA"
WIDTH_CM, HEIGHT_CM, ROW_CM = 19.0, 8.5, 0.62
MOST_LABELS = 30  # of values written at bars


def add_chart(sheet: Worksheet, chart: ChartSpec, *, data_anchor: str, chart_anchor: str) -> None:
    """Write the chart's table into cells from `data_anchor` on, and a chart of them at `chart_anchor`.

    The row below the header is that of the first category. A column apart from the table stands what only the chart
    needs: the short names of the categories, and how far intervals reach beyond their values. A heatmap is itself its
    table, at `chart_anchor`.
    """
    if chart.kind == Kind.HEATMAP:
        xlsx_heatmap.add_heatmap(sheet, chart, data_anchor=data_anchor, chart_anchor=chart_anchor)
        return
    row, column = coordinate_to_tuple(data_anchor)
    table = chart.table()
    _write_table(sheet, chart, row, column)
    native = _native(chart)
    _axes(native, chart)
    last = row + len(table.rows)
    places = {name: column + 1 + place for place, name in enumerate(table.columns)}
    beside = column + len(table.columns) + 2  # what only the chart needs stands a column apart from the table
    names = column
    if any(category.short for category in chart.categories):
        names, beside = beside, beside + 1
        _write_names(sheet, chart, row, names)
    ends: list[int] = []
    if chart.kind == Kind.WATERFALL:
        native.series += _parts(sheet, chart, beside, row)
    for series in () if chart.kind == Kind.WATERFALL else chart.series:
        drawn = _series(sheet, places[series.name], row, last)
        _style(drawn, chart, series)
        native.series.append(drawn)
        if any(mark and mark.low is not None for mark in series.marks):
            if chart.kind == Kind.LINE:
                ends += [len(native.series), len(native.series) + 1]
                native.series += _ends(sheet, series, places, row, last)
            elif chart.kind != Kind.AREA:
                drawn.errBars = _error_bars(sheet, chart, series, beside, row)
                beside += 2
    native.set_categories(Reference(sheet, min_col=names, min_row=row + 1, max_row=last))
    if native.legend:  # the ends of a ribbon have their line's colour
        native.legend.legendEntry = [LegendEntry(idx=place, delete=True) for place in ends]
    native.anchor = _DescribedAnchor(native, chart, *coordinate_to_tuple(chart_anchor))
    sheet.add_chart(native)


class _DescribedAnchor(OneCellAnchor):  # type: ignore[misc] # openpyxl has no types
    """Where a chart stands. It names the chart's frame, which openpyxl makes while it saves, and describes it."""

    tagname = OneCellAnchor.tagname
    __elements__ = OneCellAnchor.__elements__  # what is written; openpyxl does not inherit it

    def __init__(self, native: Any, chart: ChartSpec, row: int, column: int) -> None:
        size = XDRPositiveSize2D(cm_to_EMU(native.width), cm_to_EMU(native.height))
        super().__init__(_from=AnchorMarker(col=column - 1, row=row - 1), ext=size)
        self._chart = chart

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "graphicFrame" and value is not None:
            properties = value.nvGraphicFramePr.cNvPr
            properties.name, properties.descr = printable(self._chart.title)[:100], printable(self._chart.summary)
        super().__setattr__(name, value)


def _write_table(sheet: Worksheet, chart: ChartSpec, row: int, column: int) -> None:
    table = chart.table()
    for place, text in enumerate((table.category_title, *table.columns)):
        write_text(sheet.cell(row, column + place), text).font = Font(name="Calibri", bold=True)
    for line, (category, _cells) in enumerate(table.rows, start=row + 1):
        write_text(sheet.cell(line, column), category.label)
    for place, cells in enumerate(zip(*(cells for _, cells in table.rows), strict=True), start=column + 1):
        numbers = [
            (line, cell.value, cell.text) for line, cell in enumerate(cells, start=row + 1) if cell.value is not None
        ]
        formats = number_formats([(value, text) for _line, value, text in numbers])
        for (line, value, _text), shown_as in zip(numbers, formats, strict=True):
            sheet.cell(line, place, value).number_format = shown_as


def _write_names(sheet: Worksheet, chart: ChartSpec, row: int, column: int) -> None:
    """Write the short names of the categories, for the axis."""
    write_text(sheet.cell(row, column), "On the axis").font = Font(name="Calibri", color=FAINT)
    for line, category in enumerate(chart.categories, start=row + 1):
        write_text(sheet.cell(line, column), category.tick_text)


def height_in_rows(chart: ChartSpec) -> int:
    """How many rows of a sheet the chart covers, with one to spare."""
    if chart.kind == Kind.HEATMAP:
        return xlsx_heatmap.height_in_rows(chart)
    return int(_height(chart) / 0.53) + 2


def width_in_columns(chart: ChartSpec) -> int:
    """How many columns of a sheet the chart itself needs: a native one lies above any number of them."""
    return xlsx_heatmap.width_in_columns(chart) if chart.kind == Kind.HEATMAP else 1


def _height(chart: ChartSpec) -> float:
    if chart.has_rows_of_bars:
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
        stacked = chart.stacked or chart.kind == Kind.WATERFALL
        native.type = "bar" if chart.has_rows_of_bars else "col"
        native.grouping = "stacked" if stacked else "clustered"
        native.overlap = 100 if stacked else 0
        native.gapWidth = 0 if chart.kind == Kind.HISTOGRAM else 60
    native.width, native.height = WIDTH_CM, _height(chart)
    native.title = _title(chart.title, size=1200, bold=True, colour=INK)
    native.legend.position = "t"
    native.legend.txPr = _font(900, MUTED)
    if len(chart.series) == 1:
        native.legend = None
    return native


def _axes(native: Any, chart: ChartSpec) -> None:
    # Hidden unless said otherwise, since openpyxl 3.1.
    native.x_axis.delete = native.y_axis.delete = False
    native.y_axis.title = _title(chart.axis.title, size=900, colour=MUTED)
    native.x_axis.title = _title(chart.category_title, size=900, colour=MUTED)
    native.x_axis.txPr, native.y_axis.txPr = _font(900, MUTED), _font(900, MUTED)
    native.y_axis.scaling.min, native.y_axis.scaling.max = chart.axis.low, chart.axis.high
    native.y_axis.majorUnit = major_unit(chart.axis)
    native.y_axis.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill=RULE))
    native.y_axis.spPr = GraphicalProperties(ln=LineProperties(noFill=True))
    native.y_axis.number_format = value_format(chart.axis)
    native.x_axis.tickLblPos = "low"
    native.x_axis.tickLblSkip = every if (every := named_every(chart)) > 1 else None
    if chart.has_rows_of_bars:
        native.x_axis.scaling.orientation = "maxMin"  # the first category on top, as on the page,
        native.y_axis.crosses = "max"  # and the value axis below them all the same


def _title(text: str, *, size: int, colour: str, bold: bool = False) -> Title:
    """A title; `size` in hundredths of a point."""
    font = CharacterProperties(sz=size, b=bold, solidFill=colour)
    paragraph = Paragraph(pPr=ParagraphProperties(defRPr=font), r=[RegularTextRun(rPr=font, t=printable(text))])
    return Title(tx=Text(rich=RichText(p=[paragraph])), overlay=False)


def _font(size: int, colour: str) -> RichText:
    font = CharacterProperties(sz=size, solidFill=colour)
    return RichText(p=[Paragraph(pPr=ParagraphProperties(defRPr=font), endParaRPr=font)])


def _series(sheet: Worksheet, column: int, row: int, last: int) -> NativeSeries:
    values = Reference(sheet, min_col=column, min_row=row, max_row=last)
    series: NativeSeries = SeriesFactory(values, title_from_data=True)
    return series


def _style(drawn: Any, chart: ChartSpec, series: Series) -> None:
    colour = _hex(series.colour.hex)
    if chart.kind == Kind.LINE:
        line = LineProperties(solidFill=colour, w=25400, prstDash="dash" if series.dashed else "solid")
        drawn.graphicalProperties = GraphicalProperties(ln=line)
        drawn.marker, drawn.smooth = _dot(colour) if series.is_a_point else Marker(symbol="none"), False
        return
    if chart.kind == Kind.DOTS:
        drawn.graphicalProperties = GraphicalProperties(ln=LineProperties(noFill=True))
        drawn.marker, drawn.smooth = _dot(colour), False
    else:
        drawn.graphicalProperties = _filled(colour)
    if chart.kind == Kind.AREA:
        return
    drawn.dPt = _points(chart, series.marks)
    if chart.kind != Kind.DOTS:
        drawn.invertIfNegative = False
        drawn.dLbls = _labels(chart, series)


def _filled(colour: str) -> GraphicalProperties:
    return GraphicalProperties(solidFill=colour, ln=LineProperties(solidFill="FFFFFF"))


def _dot(colour: str) -> Marker:
    return Marker(symbol="circle", size=9, spPr=GraphicalProperties(solidFill=colour, ln=LineProperties(noFill=True)))


def _points(chart: ChartSpec, marks: Sequence[Mark | None]) -> list[DataPoint]:
    """What has another colour than its series."""
    return [_point(chart, place, _hex(mark.colour.hex)) for place, mark in enumerate(marks) if mark and mark.colour]


def _point(chart: ChartSpec, place: int, colour: str) -> DataPoint:
    if chart.kind == Kind.DOTS:
        return DataPoint(idx=place, marker=_dot(colour))
    return DataPoint(idx=place, invertIfNegative=False, spPr=_filled(colour))


def _labels(chart: ChartSpec, series: Series) -> DataLabelList | None:
    """The values at the ends of bars, where there is room for them and no whisker."""
    marks = [mark for mark in series.marks if mark]
    crowded = len(chart.categories) * len(chart.series) > MOST_LABELS
    if crowded or any(mark.low is not None for mark in marks):
        return None
    colour = _hex(readable_on(series.colour.hex)) if chart.stacked else INK
    labels = DataLabelList(dLblPos="ctr" if chart.stacked else "outEnd", txPr=_font(900, colour))
    labels.numFmt = number_format((mark.value, mark.text) for mark in marks)
    labels.showVal = True
    labels.showSerName = labels.showCatName = labels.showLegendKey = labels.showPercent = False
    return labels


def _parts(sheet: Worksheet, chart: ChartSpec, column: int, row: int) -> Iterator[NativeSeries]:
    """Write what a waterfall is stacked of, a column for each part, and yield series that read it."""
    (series,) = chart.series
    for place, part in enumerate(parts(chart), start=column):
        write_text(sheet.cell(row, place), part.name).font = Font(name="Calibri", color=FAINT)
        for line, length in enumerate(part.lengths, start=row + 1):
            sheet.cell(line, place, length)
        drawn: Any = _series(sheet, place, row, row + len(part.lengths))
        drawn.invertIfNegative = False
        if part.is_seen:
            drawn.graphicalProperties = _filled(_hex(series.colour.hex))
            drawn.dPt = _points(chart, series.marks)
            drawn.dLbls = _labels_of_steps(chart, part)
        else:
            drawn.graphicalProperties = GraphicalProperties(noFill=True, ln=LineProperties(noFill=True))
        yield drawn


def _labels_of_steps(chart: ChartSpec, part: Part) -> DataLabelList:
    """The values of those steps of a waterfall that have room for them."""
    (series,) = chart.series
    nothing = dict.fromkeys(("showSerName", "showCatName", "showLegendKey", "showPercent"), False)
    labels = []
    for place, shown_as in label_formats(chart, part).items():
        mark = series.marks[place]
        font = _font(900, _hex(readable_on(((mark and mark.colour) or series.colour).hex)))
        labels.append(DataLabel(idx=place, numFmt=shown_as, txPr=font, dLblPos="ctr", showVal=True, **nothing))
    return DataLabelList(dLbl=labels, showVal=False, **nothing)


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
        write_text(sheet.cell(row, column + place), f"{series.name}, {name}").font = Font(name="Calibri", color=FAINT)
        for line, mark in enumerate(series.marks, start=row + 1):
            end = None if mark is None else mark.high if sign > 0 else mark.low
            if mark is not None and end is not None:
                sheet.cell(line, column + place, sign * (end - mark.value))
        letter = get_column_letter(column + place)
        name = sheet.title.replace("'", "''")
        reference = f"'{name}'!${letter}${row + 1}:${letter}${row + len(series.marks)}"
        sources.append(NumDataSource(numRef=NumRef(f=reference)))
    return ErrorBars(
        errDir=None if chart.has_rows_of_bars else "y",
        errBarType="both",
        errValType="cust",
        plus=sources[0],
        minus=sources[1],
    )


def _hex(colour: str) -> str:
    return colour.removeprefix("#").upper()
