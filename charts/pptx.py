"""Charts as native PowerPoint charts, whose numbers people can edit."""

from dataclasses import dataclass
from typing import Any

from lxml import etree
from pptx.chart.chart import Chart as NativeChart
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import (
    XL_AXIS_CROSSES,
    XL_CHART_TYPE,
    XL_LABEL_POSITION,
    XL_LEGEND_POSITION,
    XL_MARKER_STYLE,
    XL_TICK_LABEL_POSITION,
)
from pptx.enum.dml import MSO_LINE
from pptx.oxml.ns import qn
from pptx.util import Length, Pt

from charts.colours import Colour
from charts.native_axes import major_unit, named_every, value_format
from charts.number_formats import number_format
from charts.pptx_heatmap import add_heatmap
from charts.spec import ChartSpec, Kind, Mark, Series
from charts.waterfall import Part, label_formats, parts
from charts.wording import printable, readable_on

INK, MUTED, RULE = RGBColor(0x14, 0x18, 0x1F), RGBColor(0x5A, 0x63, 0x72), RGBColor(0xE2, 0xE5, 0xEA)
FONT_SIZE = Pt(11)
MOST_LABELS = 30  # of values written at bars


def add_chart(slide: Any, chart: ChartSpec, *, left: Length, top: Length, width: Length, height: Length) -> Any:
    """Add `chart` to a slide, with lengths in EMU, and return its frame.

    Intervals are error bars; those of a line, which PowerPoint cannot fill, two thin series of their own. The title is
    left to the slide. A heatmap is a table or, where that has no room, a picture.
    """
    if chart.kind == Kind.HEATMAP:
        return add_heatmap(slide, chart, left=left, top=top, width=width, height=height)
    data = CategoryChartData(number_format="General")
    data.categories = [printable(category.tick_text) for category in chart.categories]
    drawn_series = _drawn_series(chart)
    for one in drawn_series:
        data.add_series(printable(one.name), one.values)
    frame = slide.shapes.add_chart(_type(chart), left, top, width, height, data)
    frame.name = printable(chart.title)[:100]
    frame._element.nvGraphicFramePr.cNvPr.set("descr", printable(chart.summary))  # noqa: SLF001 - python-pptx has no alternative text
    native = frame.chart
    native.font.size = FONT_SIZE
    native.font.color.rgb = MUTED
    native.has_title = False  # and say so, or PowerPoint titles a chart of one series with its name
    native.has_legend = len(chart.series) > 1
    if native.has_legend:
        native.legend.position = XL_LEGEND_POSITION.TOP
        native.legend.include_in_layout = False
        _hide_ends_in_legend(native, chart)
    _axes(native, chart)
    _plot(native, chart)
    for native_series, one in zip(native.plots[0].series, drawn_series, strict=True):
        _style(native_series, chart, one)
        if one.part:
            _label_steps(native_series, chart, one.part)
        elif not one.is_end:
            _label(native_series, chart, one.series)
    return frame


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A series as PowerPoint has it: one of the chart's, an end of its ribbon (`is_end`), or a part of a waterfall."""

    name: str
    values: list[float | None]
    series: Series
    is_end: bool = False
    part: Part | None = None


def _drawn_series(chart: ChartSpec) -> list[_Drawn]:
    if chart.kind == Kind.WATERFALL:
        return [_Drawn(part.name, list(part.lengths), chart.series[0], part=part) for part in parts(chart)]
    drawn = []
    for series in chart.series:
        drawn.append(_Drawn(series.name, [mark.value if mark else None for mark in series.marks], series))
        if chart.kind == Kind.LINE and _has_interval(series):
            lows = [mark.low if mark else None for mark in series.marks]
            highs = [mark.high if mark else None for mark in series.marks]
            drawn.append(_Drawn(f"{series.name}, low", lows, series, is_end=True))
            drawn.append(_Drawn(f"{series.name}, high", highs, series, is_end=True))
    return drawn


def _has_interval(series: Series) -> bool:
    return any(mark and mark.low is not None for mark in series.marks)


def _type(chart: ChartSpec) -> XL_CHART_TYPE:
    if chart.kind == Kind.LINE:
        return XL_CHART_TYPE.LINE
    if chart.kind == Kind.DOTS:
        return XL_CHART_TYPE.LINE_MARKERS
    if chart.kind == Kind.AREA:
        return XL_CHART_TYPE.AREA_STACKED
    if chart.kind == Kind.WATERFALL:
        return XL_CHART_TYPE.BAR_STACKED
    if chart.has_rows_of_bars:
        return XL_CHART_TYPE.BAR_STACKED if chart.stacked else XL_CHART_TYPE.BAR_CLUSTERED
    return XL_CHART_TYPE.COLUMN_STACKED if chart.stacked else XL_CHART_TYPE.COLUMN_CLUSTERED


def _axes(native: NativeChart, chart: ChartSpec) -> None:
    value, category = native.value_axis, native.category_axis
    value.minimum_scale, value.maximum_scale = chart.axis.low, chart.axis.high
    value.major_unit = major_unit(chart.axis)
    value.major_gridlines.format.line.color.rgb = RULE
    value.format.line.fill.background()
    value.has_title = True
    value.axis_title.text_frame.text = printable(chart.axis.title)
    run = value.axis_title.text_frame.paragraphs[0].runs[0]
    run.font.size, run.font.bold, run.font.color.rgb = FONT_SIZE, False, MUTED
    value.tick_labels.number_format, value.tick_labels.number_format_is_linked = value_format(chart.axis), False
    category.format.line.color.rgb = RULE
    category.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    category.has_major_gridlines = False
    if chart.has_rows_of_bars:
        category.reverse_order = True  # the first category on top, as on the page,
        # and the value axis below them all the same; python-pptx offers that for the other axis only.
        value._element.crosses.val = XL_AXIS_CROSSES.MAXIMUM  # noqa: SLF001
    _name_every(native, chart)


def _name_every(native: NativeChart, chart: ChartSpec) -> None:
    """Name only some of many categories, for which python-pptx has no way of its own (ECMA-376, 21.2.2.208)."""
    if (every := named_every(chart)) > 1:
        offset = native.category_axis._element.find(qn("c:lblOffset"))  # noqa: SLF001 - the schema has an order
        offset.addnext(etree.Element(qn("c:tickLblSkip"), val=str(every)))


def _hide_ends_in_legend(native: NativeChart, chart: ChartSpec) -> None:
    """Leave the ends of ribbons out of the legend: they have their line's colour (ECMA-376, 21.2.2.94)."""
    position = native.legend._element.find(qn("c:legendPos"))  # noqa: SLF001
    for place, one in reversed(list(enumerate(_drawn_series(chart)))):
        if one.is_end:
            entry = etree.Element(qn("c:legendEntry"))
            etree.SubElement(entry, qn("c:idx"), val=str(place))
            etree.SubElement(entry, qn("c:delete"), val="1")
            position.addnext(entry)


def _label(drawn: Any, chart: ChartSpec, series: Series) -> None:
    """Write values at the ends of bars, where there is room for them and no whisker."""
    if chart.kind not in (Kind.BARS, Kind.HISTOGRAM) or len(chart.categories) * len(chart.series) > MOST_LABELS:
        return
    marks = [mark for mark in series.marks if mark]
    labels, shown_as = drawn.data_labels, number_format((mark.value, mark.text) for mark in marks)
    labels.show_value = True
    labels.number_format, labels.number_format_is_linked = shown_as, False
    labels.font.size, labels.font.color.rgb = FONT_SIZE, INK
    if not chart.stacked and all(mark.low is None for mark in marks):
        labels.position = XL_LABEL_POSITION.OUTSIDE_END
        return
    # On the bars themselves, where text has to stand out from their colours.
    labels.position = XL_LABEL_POSITION.CENTER if chart.stacked else XL_LABEL_POSITION.INSIDE_BASE
    labels.font.color.rgb = _text_on(series.colour)
    for place, mark in enumerate(series.marks):
        if mark and mark.colour:
            label = drawn.points[place].data_label
            label.font.size, label.font.color.rgb = FONT_SIZE, _text_on(mark.colour)
            label.position = labels.position
            _format_label(label, shown_as)


def _label_steps(drawn: Any, chart: ChartSpec, part: Part) -> None:
    """Write the values of those steps of a waterfall that have room for them."""
    for place, shown_as in label_formats(chart, part).items():
        mark = chart.series[0].marks[place]
        label = drawn.points[place].data_label
        label.font.size, label.font.color.rgb = FONT_SIZE, _text_on((mark and mark.colour) or chart.series[0].colour)
        label.position = XL_LABEL_POSITION.CENTER
        _format_label(label, shown_as)


def _format_label(label: Any, shown_as: str) -> None:
    number = etree.Element(qn("c:numFmt"), formatCode=shown_as, sourceLinked="0")
    label._dLbl.find(qn("c:spPr")).addprevious(number)  # noqa: SLF001 - as the schema orders them


def _text_on(colour: Colour) -> RGBColor:
    return _from_hex(readable_on(colour.hex))


def _plot(native: NativeChart, chart: ChartSpec) -> None:
    plot = native.plots[0]
    if chart.kind in (Kind.BARS, Kind.HISTOGRAM, Kind.WATERFALL):
        plot.gap_width = 0 if chart.kind == Kind.HISTOGRAM else 60
        plot.overlap = 100 if chart.stacked or chart.kind == Kind.WATERFALL else 0
        plot.vary_by_categories = False


def _style(native: Any, chart: ChartSpec, drawn: _Drawn) -> None:
    series = drawn.series
    if drawn.part and not drawn.part.is_seen:
        native.format.fill.background()
        native.format.line.fill.background()
        return
    if chart.kind == Kind.LINE:
        dashes = MSO_LINE.ROUND_DOT if drawn.is_end else MSO_LINE.DASH if series.dashed else MSO_LINE.SOLID
        native.format.line.width, native.format.line.dash_style = Pt(0.75 if drawn.is_end else 2), dashes
        native.format.line.color.rgb = _rgb(series.colour)
        native.smooth = False
        if series.is_a_point:
            _mark(native, series.colour)
        else:
            native.marker.style = XL_MARKER_STYLE.NONE
        return
    if chart.kind == Kind.DOTS:
        native.format.line.fill.background()
        native.smooth = False
        _mark(native, series.colour)
    else:
        _fill(native, series.colour)
    if chart.kind in (Kind.BARS, Kind.HISTOGRAM, Kind.WATERFALL):
        native.invert_if_negative = False
    for place, mark in enumerate(series.marks):
        if mark and mark.colour and chart.kind != Kind.AREA:
            (_mark if chart.kind == Kind.DOTS else _fill)(native.points[place], mark.colour)
    if _has_interval(series) and chart.kind != Kind.AREA:
        _error_bars(native, series.marks, sideways=chart.has_rows_of_bars)


def _mark(native: Any, colour: Colour) -> None:
    native.marker.style, native.marker.size = XL_MARKER_STYLE.CIRCLE, 9
    native.marker.format.fill.solid()
    native.marker.format.fill.fore_color.rgb = _rgb(colour)
    native.marker.format.line.fill.background()


def _fill(native: Any, colour: Colour) -> None:
    native.format.fill.solid()
    native.format.fill.fore_color.rgb = _rgb(colour)
    native.format.line.color.rgb = RGBColor(0xFF, 0xFF, 0xFF)  # between bars and areas that touch


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
                etree.SubElement(point, qn("c:v")).text = repr(float(sign * (end - mark.value)))
    properties = etree.SubElement(element, qn("c:spPr"))
    line = etree.SubElement(properties, qn("a:ln"), w=str(Pt(1.25)))
    etree.SubElement(etree.SubElement(line, qn("a:solidFill")), qn("a:srgbClr"), val=str(INK))
    # The schema has an order: before the categories.
    drawn._element.find(qn("c:cat")).addprevious(element)  # noqa: SLF001


def _rgb(colour: Colour) -> RGBColor:
    return _from_hex(colour.hex)


def _from_hex(text: str) -> RGBColor:
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return RGBColor(red, green, blue)
