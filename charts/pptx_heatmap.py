"""A heatmap in PowerPoint, which has none: a native table with coloured cells or, where that has no room, a picture."""

import io
from dataclasses import dataclass
from typing import Any

from lxml import etree
from pptx.dml.color import RGBColor
from pptx.enum.dml import MSO_PATTERN
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Length, Pt

from charts.heat import Shade, heat_class, scale, shade
from charts.spec import ChartSpec, Mark
from charts.svg_heatmap import HeatLayout, png
from charts.wording import INK, printable

MUTED = RGBColor(0x5A, 0x63, 0x72)
SIZES = (12, 11, 10, 9)  # of text in cells, in points; with less room a picture is easier to read
SMALLER = 3  # points, for intervals below their values
_LETTER, _LINE = 0.58, 1.2  # the breadth of a letter and the height of a line, in sizes of the font
_MARGIN, _NAMES = 3.0, 0.25  # points around text, and the most of the width that names of rows take
_SCALE, _BOX, _TALLEST_ROW, _BROADEST_CELL = 24.0, 13.0, 36.0, 110.0  # points
_NO_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # "No Style, No Grid", one of PowerPoint's own
_PICTURE_PX = 960.0


def add_heatmap(slide: Any, chart: ChartSpec, *, left: Length, top: Length, width: Length, height: Length) -> Any:
    """Add `chart` to a slide, with lengths in EMU, and return the frame of its table or its picture.

    What is a picture has its numbers in the slide's notes, as a table that Excel takes. The title is left to the slide.
    """
    fit = _fitting(chart, width.pt, height.pt)
    if fit is None:
        return _add_picture(slide, chart, left=left, top=top, width=width, height=height)
    _add_scale(slide, chart, left.pt, top.pt)
    rows, columns = len(chart.categories) + 1, len(chart.series) + 1
    below = Emu(top + Pt(_SCALE))
    frame = slide.shapes.add_table(rows, columns, left, below, Pt(fit.width), Pt(fit.height))
    _describe(frame, frame._element.nvGraphicFramePr.cNvPr, chart)  # noqa: SLF001 - python-pptx has no alternative text
    frame._element.find(f".//{qn('a:tableStyleId')}").text = _NO_STYLE  # noqa: SLF001
    table = frame.table
    table.first_row = table.horz_banding = False
    for place in range(columns):
        table.columns[place].width = Pt(fit.cell if place else fit.names)
    for place in range(rows):
        table.rows[place].height = Pt(fit.row if place else fit.header)
    _fill(table, chart, fit)
    return frame


@dataclass(frozen=True, slots=True)
class _Fit:
    """The measures of a table in points; `has_intervals`: whether they have room below their values."""

    size: float
    names: float
    cell: float
    header: float
    row: float
    width: float
    height: float
    has_intervals: bool


def _fitting(chart: ChartSpec, width: float, height: float) -> _Fit | None:
    """The largest text with which the chart fits as a table, if any does."""
    return next((fit for size in SIZES if (fit := _fit(chart, size, width, height))), None)


def _fit(chart: ChartSpec, size: float, width: float, height: float) -> _Fit | None:
    def room(text: str, of: float = size) -> float:
        return len(printable(text)) * of * _LETTER + 2 * _MARGIN

    marks = [mark for series in chart.series for mark in series.marks if mark]
    names = min(max(room(category.label) for category in chart.categories), width * _NAMES)
    cell = min((width - names) / len(chart.series), _BROADEST_CELL)
    words = (word for series in chart.series for word in printable(series.name).split())
    if max(map(room, [*words, *(mark.text for mark in marks)]), default=0.0) > cell:
        return None
    lines = 2 if max(room(series.name) for series in chart.series) > cell else 1
    header = lines * size * _LINE + 2 * _MARGIN
    row = min((height - _SCALE - header) / len(chart.categories), _TALLEST_ROW)
    if row < size * _LINE + 2:
        return None
    of_interval = max((room(_interval(mark), size - SMALLER) for mark in marks if mark.low is not None), default=width)
    return _Fit(
        size=size,
        names=names,
        cell=cell,
        header=header,
        row=row,
        width=names + cell * len(chart.series),
        height=header + row * len(chart.categories),
        has_intervals=of_interval <= cell and row >= (2 * size - SMALLER) * _LINE + 2,
    )


def _fill(table: Any, chart: ChartSpec, fit: _Fit) -> None:
    title = table.cell(0, 0)
    _write(title, chart.category_title, fit.size, colour=MUTED, align=PP_ALIGN.RIGHT, anchor=MSO_ANCHOR.BOTTOM)
    for column, series in enumerate(chart.series, start=1):
        _write(table.cell(0, column), series.name, fit.size, colour=MUTED, anchor=MSO_ANCHOR.BOTTOM)
        for row, mark in enumerate(series.marks, start=1):
            cell = table.cell(row, column)
            if mark is None:
                _write(cell, "", fit.size, colour=MUTED)
                continue
            colours = shade(heat_class(mark.value, chart.axis))
            below = _interval(mark) if fit.has_intervals and mark.low is not None else ""
            _write(cell, mark.text, fit.size, colour=_rgb(colours.text), below=below)
            _paint(cell.fill, colours, is_thin=mark.is_thin)
            _edge(cell)
    for row, category in enumerate(chart.categories, start=1):
        _write(table.cell(row, 0), category.label, fit.size, colour=_rgb(INK), align=PP_ALIGN.RIGHT)


def _interval(mark: Mark) -> str:
    return f"({mark.low_text}–{mark.high_text})"


def _write(
    cell: Any,
    text: str,
    size: float,
    *,
    colour: RGBColor,
    align: PP_ALIGN = PP_ALIGN.CENTER,
    anchor: MSO_ANCHOR = MSO_ANCHOR.MIDDLE,
    below: str = "",
) -> None:
    cell.margin_left = cell.margin_right = Pt(_MARGIN)
    cell.margin_top = cell.margin_bottom = Pt(1)
    cell.vertical_anchor = anchor
    frame = cell.text_frame
    for line, of in ((text, size), (below, size - SMALLER)) if below else ((text, size),):
        paragraph = frame.paragraphs[0] if line is text else frame.add_paragraph()
        paragraph.alignment = align
        paragraph.font.size = Pt(of)  # of an empty cell too, or it is as tall as usual text
        run = paragraph.add_run()
        run.text = printable(line)
        run.font.size, run.font.color.rgb = Pt(of), colour


def _paint(fill: Any, colours: Shade, *, is_thin: bool) -> None:
    if is_thin:
        fill.patterned()
        fill.pattern = MSO_PATTERN.LIGHT_UPWARD_DIAGONAL
        fill.fore_color.rgb, fill.back_color.rgb = _rgb(colours.line), _rgb(colours.fill)
    else:
        fill.solid()
        fill.fore_color.rgb = _rgb(colours.fill)


def _edge(cell: Any) -> None:
    """Part a cell from its neighbours, for which python-pptx has no way of its own (ECMA-376, 21.1.3.5 to 21.1.3.8)."""
    properties = cell._tc.get_or_add_tcPr()  # noqa: SLF001
    for place, side in enumerate(("lnL", "lnR", "lnT", "lnB")):  # before the ground, as the schema orders them
        line = etree.Element(qn(f"a:{side}"), w=str(Pt(1)))
        etree.SubElement(etree.SubElement(line, qn("a:solidFill")), qn("a:srgbClr"), val="FFFFFF")
        properties.insert(place, line)


def _add_scale(slide: Any, chart: ChartSpec, left: float, top: float) -> None:
    """Put what the colours stand for above the table, as one group of shapes."""
    said = scale(chart)
    group = slide.shapes.add_group_shape()
    group.name = "Scale"
    ends = f"from {said.low} to {said.high}" if said.low else f"up to {said.high}"
    group._element.nvGrpSpPr.cNvPr.set("descr", printable(f"The colours stand for {said.title}, {ends}"))  # noqa: SLF001
    x = _say(group, said.title, left, top) + 8
    if said.low:
        x = _say(group, said.low, x, top) + 2
    for step in said.steps:
        breadth = max(_BOX, _breadth(step.text) if step.text else 0.0)
        _box(group, x, top, breadth, shade(step.number), text=step.text)
        x += breadth
    x = _say(group, said.high, x + 2, top)
    if said.thin:
        _box(group, x + 12, top, 1.5 * _BOX, shade(0), is_thin=True)
        _say(group, said.thin, x + 14 + 1.5 * _BOX, top)


def _box(
    group: Any, x: float, top: float, breadth: float, colours: Shade, *, text: str = "", is_thin: bool = False
) -> None:
    box = group.shapes.add_shape(MSO_SHAPE.RECTANGLE, Pt(x), Pt(top + 2), Pt(breadth), Pt(_BOX))
    box.element.remove(box.element.find(qn("p:style")))  # of the theme, with a shadow
    _paint(box.fill, colours, is_thin=is_thin)
    box.line.color.rgb, box.line.width = RGBColor(0xFF, 0xFF, 0xFF), Pt(0.75)
    _put(box.text_frame, text, _rgb(colours.text), PP_ALIGN.CENTER)


def _say(group: Any, text: str, x: float, top: float) -> float:
    """Write words of the scale and return where they end."""
    breadth = _breadth(text)
    frame = group.shapes.add_textbox(Pt(x), Pt(top), Pt(breadth), Pt(_BOX + 4)).text_frame
    _put(frame, text, MUTED, PP_ALIGN.LEFT)
    return x + breadth


def _breadth(text: str) -> float:
    return len(printable(text)) * SIZES[1] * _LETTER + 6


def _put(frame: Any, text: str, colour: RGBColor, align: PP_ALIGN) -> None:
    frame.word_wrap = False
    frame.margin_left = frame.margin_right = Pt(3)
    frame.margin_top = frame.margin_bottom = 0
    frame.vertical_anchor = MSO_ANCHOR.MIDDLE
    paragraph = frame.paragraphs[0]
    paragraph.alignment = align
    run = paragraph.add_run()
    run.text = printable(text)
    run.font.size, run.font.color.rgb = Pt(SIZES[1]), colour


def _add_picture(slide: Any, chart: ChartSpec, *, left: Length, top: Length, width: Length, height: Length) -> Any:
    """As large as its place allows, drawn so wide that it fills it."""
    drawn_px = max(_PICTURE_PX, HeatLayout(chart, width_px=_PICTURE_PX, named=False).height_px * width / height)
    drawn = io.BytesIO(png(chart, width_px=drawn_px))
    picture = slide.shapes.add_picture(drawn, left, top)
    shrunk = min(width / picture.width, height / picture.height)
    picture.width, picture.height = Emu(int(picture.width * shrunk)), Emu(int(picture.height * shrunk))
    _describe(picture, picture._element.nvPicPr.cNvPr, chart)  # noqa: SLF001 - python-pptx has no alternative text
    notes = slide.notes_slide.notes_text_frame
    notes.text = "\n\n".join(filter(None, (notes.text, _in_lines(chart))))
    return picture


def _in_lines(chart: ChartSpec) -> str:
    """The chart's table in lines, its cells parted by tabs."""
    table = chart.table()
    rows = [(table.category_title, *table.columns)]
    rows += [(category.label, *(cell.text for cell in cells)) for category, cells in table.rows]
    return "\n".join("\t".join(map(printable, row)) for row in rows)


def _describe(frame: Any, properties: Any, chart: ChartSpec) -> None:
    frame.name = printable(chart.title)[:100]
    properties.set("descr", printable(chart.summary))


def _rgb(text: str) -> RGBColor:
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return RGBColor(red, green, blue)
