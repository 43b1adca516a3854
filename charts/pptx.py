"""Charts as native PowerPoint charts, whose numbers people can edit."""

from typing import Any

from lxml import etree
from pptx.chart.chart import Chart as NativeChart
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION, XL_MARKER_STYLE, XL_TICK_LABEL_POSITION
from pptx.enum.dml import MSO_LINE
from pptx.oxml.ns import qn
from pptx.util import Length, Pt

from charts.colours import Colour
from charts.spec import ChartSpec, Kind, Mark, Series

MUTED, RULE = RGBColor(0x5A, 0x63, 0x72), RGBColor(0xE2, 0xE5, 0xEA)
FONT_SIZE = Pt(11)


def add_chart(slide: Any, chart: ChartSpec, *, left: Length, top: Length, width: Length, height: Length) -> Any:
    """Add the chart to a slide and return its frame. A ribbon's ends are two thin series of their own."""
    data = CategoryChartData(number_format="General")
    data.categories = [category.label for category in chart.categories]
    for name, values, _series in _all_series(chart):
        data.add_series(name, values)
    frame = slide.shapes.add_chart(_type(chart), left, top, width, height, data)
    frame.name = chart.title[:100]
    frame._element.nvGraphicFramePr.cNvPr.set("descr", chart.summary)  # noqa: SLF001 - python-pptx has no alternative text
    native = frame.chart
    native.font.size = FONT_SIZE
    native.font.color.rgb = MUTED
    native.has_title = False
    native.has_legend = len(native.plots[0].series) > 1
    if native.has_legend:
        native.legend.position = XL_LEGEND_POSITION.TOP
        native.legend.include_in_layout = False
    _axes(native, chart)
    _plot(native, chart)
    for drawn, (_name, _values, series) in zip(native.plots[0].series, _all_series(chart), strict=True):
        _style(drawn, chart, series)
    return frame


def _all_series(chart: ChartSpec) -> list[tuple[str, list[float | None], Series | None]]:
    """Name, values and spec of each series; the ends of a line's ribbon, which have no spec, follow it."""
    listed: list[tuple[str, list[float | None], Series | None]] = []
    for series in chart.series:
        listed.append((series.name, [mark.value if mark else None for mark in series.marks], series))
        if chart.kind == Kind.LINE and any(mark and mark.low is not None for mark in series.marks):
            listed.append((f"{series.name}, low", [mark.low if mark else None for mark in series.marks], None))
            listed.append((f"{series.name}, high", [mark.high if mark else None for mark in series.marks], None))
    return listed


def _type(chart: ChartSpec) -> XL_CHART_TYPE:
    if chart.kind == Kind.LINE:
        return XL_CHART_TYPE.LINE
    if chart.kind == Kind.DOTS:
        return XL_CHART_TYPE.LINE_MARKERS
    if chart.kind == Kind.AREA:
        return XL_CHART_TYPE.AREA_STACKED
    if chart.kind == Kind.BARS and chart.horizontal:
        return XL_CHART_TYPE.BAR_STACKED if chart.stacked else XL_CHART_TYPE.BAR_CLUSTERED
    return XL_CHART_TYPE.COLUMN_STACKED if chart.stacked else XL_CHART_TYPE.COLUMN_CLUSTERED


def _axes(native: NativeChart, chart: ChartSpec) -> None:
    value, category = native.value_axis, native.category_axis
    value.minimum_scale, value.maximum_scale = chart.axis.low, chart.axis.high
    value.major_unit = chart.axis.ticks[1].value - chart.axis.ticks[0].value
    value.major_gridlines.format.line.color.rgb = RULE
    value.format.line.fill.background()
    value.has_title = True
    value.axis_title.text_frame.text = chart.axis.title
    run = value.axis_title.text_frame.paragraphs[0].runs[0]
    run.font.size, run.font.bold, run.font.color.rgb = FONT_SIZE, False, MUTED
    value.tick_labels.number_format, value.tick_labels.number_format_is_linked = _number_format(chart), False
    category.format.line.color.rgb = RULE
    category.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    category.has_major_gridlines = False
    if chart.kind == Kind.BARS and chart.horizontal:
        category.reverse_order = True  # the first category on top, as on the page


def _number_format(chart: ChartSpec) -> str:
    """Whole numbers with groups, shares as percentages, and small steps with as many decimals as they have."""
    if chart.axis.ticks[-1].text.endswith("%") and abs(chart.axis.high) <= 10:
        return "0%"
    step = chart.axis.ticks[1].value - chart.axis.ticks[0].value
    return "#,##0" if step >= 1 else "0.0" if step >= 0.1 else "0.00"


def _plot(native: NativeChart, chart: ChartSpec) -> None:
    plot = native.plots[0]
    if chart.kind in (Kind.BARS, Kind.HISTOGRAM):
        plot.gap_width = 4 if chart.kind == Kind.HISTOGRAM else 60
        plot.overlap = 100 if chart.stacked else 0
        plot.vary_by_categories = False


def _style(drawn: Any, chart: ChartSpec, series: Series | None) -> None:
    if series is None:
        drawn.format.line.width, drawn.format.line.color.rgb = Pt(0.75), _rgb(Colour.OTHER)
        drawn.format.line.dash_style = MSO_LINE.ROUND_DOT
        drawn.marker.style = XL_MARKER_STYLE.NONE
        drawn.smooth = False
    elif chart.kind == Kind.LINE:
        drawn.format.line.width, drawn.format.line.color.rgb = Pt(2), _rgb(series.colour)
        drawn.format.line.dash_style = MSO_LINE.DASH if series.dashed else MSO_LINE.SOLID
        drawn.marker.style = XL_MARKER_STYLE.NONE
        drawn.smooth = False
    elif chart.kind == Kind.DOTS:
        drawn.format.line.fill.background()
        drawn.marker.style, drawn.marker.size = XL_MARKER_STYLE.CIRCLE, 9
        drawn.marker.format.fill.solid()
        drawn.marker.format.fill.fore_color.rgb = _rgb(series.colour)
        drawn.marker.format.line.fill.background()
        drawn.smooth = False
    else:
        drawn.format.fill.solid()
        drawn.format.fill.fore_color.rgb = _rgb(series.colour)
        if chart.kind in (Kind.BARS, Kind.HISTOGRAM):
            drawn.invert_if_negative = False
        for place, mark in enumerate(series.marks):
            if mark and mark.colour:
                point = drawn.points[place].format.fill
                point.solid()
                point.fore_color.rgb = _rgb(mark.colour)
    if series is not None and chart.kind != Kind.LINE and any(mark and mark.low is not None for mark in series.marks):
        _error_bars(drawn, series.marks, sideways=chart.kind == Kind.BARS and chart.horizontal)


def _error_bars(drawn: Any, marks: tuple[Mark | None, ...], *, sideways: bool) -> None:
    """Add custom error bars, for which python-pptx has no way of its own (ECMA-376, 21.2.2.55)."""
    element = etree.SubElement(drawn._element, qn("c:errBars"))  # noqa: SLF001
    if not sideways:
        etree.SubElement(element, qn("c:errDir"), val="y")
    etree.SubElement(element, qn("c:errBarType"), val="both")
    etree.SubElement(element, qn("c:errValType"), val="cust")
    etree.SubElement(element, qn("c:noEndCap"), val="0")
    for name, sign in (("plus", 1), ("minus", -1)):
        literal = etree.SubElement(etree.SubElement(element, qn(f"c:{name}")), qn("c:numLit"))
        etree.SubElement(literal, qn("c:formatCode")).text = "General"
        etree.SubElement(literal, qn("c:ptCount"), val=str(len(marks)))
        for place, mark in enumerate(marks):
            end = None if mark is None else mark.high if sign > 0 else mark.low
            if mark is not None and end is not None:
                point = etree.SubElement(literal, qn("c:pt"), idx=str(place))
                etree.SubElement(point, qn("c:v")).text = repr(sign * (end - mark.value))
    # The schema has an order: before the categories.
    drawn._element.find(qn("c:cat")).addprevious(element)  # noqa: SLF001


def _rgb(colour: Colour) -> RGBColor:
    red, green, blue = bytes.fromhex(colour.hex.removeprefix("#"))
    return RGBColor(red, green, blue)
