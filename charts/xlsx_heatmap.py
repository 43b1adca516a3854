"""A heatmap in Excel, which has none: its cells are cells of the sheet, coloured, with their numbers in them."""

import textwrap

from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import coordinate_to_tuple, get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from charts.heat import STEPS, Shade, heat_class, scale, shade
from charts.number_formats import number_formats
from charts.spec import ChartSpec
from charts.xlsx_cells import write_text

INK, MUTED, NAME = "14181F", "5A6372", "Calibri"
ABOVE = 3  # rows above the cells: the title, the scale, the names of the columns
_LINE_HEIGHT = 15.0  # points
_NARROWEST = 7  # letters
_EDGE = Side(style="thin", color="FFFFFF")


def add_heatmap(sheet: Worksheet, chart: ChartSpec, *, data_anchor: str, chart_anchor: str) -> None:
    """Write the chart into cells from `chart_anchor` on: its title, its scale, and the matrix with a row for the names.

    Where marks have intervals, their ends stand from `data_anchor` on, in two columns for each of the matrix.
    """
    row, column = coordinate_to_tuple(chart_anchor)
    write_text(sheet.cell(row, column), chart.title).font = Font(name=NAME, bold=True, size=12, color=INK)
    _write_scale(sheet, chart, row + 1, column)
    header = row + ABOVE - 1
    _name(sheet.cell(header, column), chart.category_title, "right")
    for place, series in enumerate(chart.series, start=column + 1):
        _name(sheet.cell(header, place), series.name, "center")
    width = int(sheet.column_dimensions[get_column_letter(column + 1)].width)
    lines = [len(textwrap.wrap(series.name, max(width - 1, _NARROWEST))) for series in chart.series]
    sheet.row_dimensions[header].height = max(2, *lines) * _LINE_HEIGHT
    for line, category in enumerate(chart.categories, start=header + 1):
        write_text(sheet.cell(line, column), category.label).alignment = Alignment(horizontal="right")
    _write_cells(sheet, chart, header + 1, column + 1)
    if chart.has_intervals:
        _write_intervals(sheet, chart, *coordinate_to_tuple(data_anchor))


def height_in_rows(chart: ChartSpec) -> int:
    """How many rows of a sheet the chart covers, with one to spare."""
    return ABOVE + len(chart.categories) + 1


def width_in_columns(chart: ChartSpec) -> int:
    """How many columns of a sheet the chart covers."""
    return 1 + len(chart.series)


def cell_letters(chart: ChartSpec) -> int:
    """How many letters wide the columns of the matrix have to be: names break at their spaces, values do not."""
    words = [word for series in chart.series for word in series.name.split()]
    texts = [mark.text for series in chart.series for mark in series.marks if mark]
    said = scale(chart)
    return max([_NARROWEST, *map(len, (*words, *texts, said.low, said.high))]) + 2


def _write_scale(sheet: Worksheet, chart: ChartSpec, row: int, column: int) -> None:
    """What is measured, then the ends of the scale, zero between them, and what hatching means."""
    said = scale(chart)
    title = write_text(sheet.cell(row, column), said.title)
    title.font = Font(name=NAME, color=MUTED)
    title.alignment = Alignment(horizontal="right", vertical="top", wrap_text=True)
    width = int(sheet.column_dimensions[get_column_letter(column)].width)
    sheet.row_dimensions[row].height = (len(textwrap.wrap(said.title, max(width - 2, _NARROWEST))) or 1) * _LINE_HEIGHT
    zero = next(step.text for step in said.steps if step.number == 0)
    ends = [(said.low, -STEPS), (zero, 0), (said.high, STEPS)]
    for place, (text, number) in enumerate([end for end in ends if end[0]], start=column + 1):
        _paint(write_text(sheet.cell(row, place), text), shade(number), is_thin=False)
    if said.thin:
        after = column + 1 + sum(bool(text) for text, _number in ends)
        cell = write_text(sheet.cell(row, after), said.thin)
        _paint(cell, shade(0), is_thin=True)
        cell.alignment = Alignment(horizontal="left")  # and on over the empty cells beside it


def _name(cell: Cell, text: str, side: str) -> None:
    write_text(cell, text).font = Font(name=NAME, color=MUTED)
    cell.alignment = Alignment(horizontal=side, vertical="bottom", wrap_text=True)


def _write_cells(sheet: Worksheet, chart: ChartSpec, row: int, column: int) -> None:
    places = [
        (sheet.cell(row + line, column + place), mark)
        for place, series in enumerate(chart.series)
        for line, mark in enumerate(series.marks)
        if mark
    ]
    formats = number_formats([(mark.value, mark.text) for _cell, mark in places])
    for (cell, mark), shown_as in zip(places, formats, strict=True):
        cell.value, cell.number_format = mark.value, shown_as
        _paint(cell, shade(heat_class(mark.value, chart.axis)), is_thin=mark.is_thin)


def _paint(cell: Cell, colours: Shade, *, is_thin: bool) -> None:
    fill = _hex(colours.fill)
    hatched = PatternFill("lightUp", fgColor=_hex(colours.line), bgColor=fill)
    cell.fill = hatched if is_thin else PatternFill("solid", fgColor=fill)
    cell.font = Font(name=NAME, color=_hex(colours.text))
    cell.alignment = Alignment(horizontal="center")
    cell.border = Border(left=_EDGE, right=_EDGE, top=_EDGE, bottom=_EDGE)


def _write_intervals(sheet: Worksheet, chart: ChartSpec, row: int, column: int) -> None:
    write_text(sheet.cell(row, column), chart.category_title).font = Font(name=NAME, bold=True)
    for line, category in enumerate(chart.categories, start=row + 1):
        write_text(sheet.cell(line, column), category.label)
    for number, series in enumerate(chart.series):
        ends = column + 1 + 2 * number
        for place, end in enumerate(("low", "high"), start=ends):
            write_text(sheet.cell(row, place), f"{series.name}, {end}").font = Font(name=NAME, bold=True)
        known = [(line, mark) for line, mark in enumerate(series.marks, start=row + 1) if mark]
        for line, mark in known:
            if mark.low is not None and mark.high is not None:
                formats = number_formats([(mark.low, mark.low_text), (mark.high, mark.high_text)])
                for place, (value, shown_as) in enumerate(zip((mark.low, mark.high), formats, strict=True), start=ends):
                    sheet.cell(line, place, value).number_format = shown_as


def _hex(colour: str) -> str:
    return colour.removeprefix("#").upper()
