"""Excel: a summary, a sheet for each section with its tables and native charts, and a sheet with all rows."""

import io
import math
import re
import textwrap
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from analyses.documents import DataTable, Document, Figure, RawCell, Section
from charts import Chart, ChartSpec, SankeySpec
from charts.number_formats import GENERAL, number_format
from charts.sankey_office import add_to_sheet
from charts.sankey_office import height_in_rows as height_of_picture
from charts.wording import printable
from charts.xlsx import add_chart, height_in_rows, width_in_columns
from charts.xlsx_cells import write_text
from reports.exports.flows import table_of

INK, MUTED, ACCENT = "14181F", "5A6372", "032389"
NAME = "Calibri"
TITLE, HEADING = Font(name=NAME, bold=True, size=16, color=INK), Font(name=NAME, bold=True, size=12, color=INK)
PLAIN, BOLD, QUIET = Font(name=NAME, color=INK), Font(name=NAME, bold=True, color=INK), Font(name=NAME, color=MUTED)
BRAND = Font(name=NAME, bold=True, color=ACCENT)
HEADER = PatternFill("solid", fgColor="F3F4F7")
TOTAL = Border(top=Side(style="thin", color="868F9D"))
LABEL_WIDTH, NUMBER_WIDTH = 32, 16  # of columns, in letters
CHART_COLUMNS = 6  # that a chart covers
ROWS_ON_A_PAGE = 58  # of such a width
TITLE_HEIGHT, LINE_HEIGHT = 24.0, 15.0  # points
MOST_LETTERS_WIDE = 50
MOST_DECIMALS = 6
ROWS_MEASURED = 500
NOT_IN_A_SHEET_NAME = re.compile(r"[\[\]:*?/\\']")
RESERVED = {"history"}  # Excel keeps this name for itself


def write(document: Document) -> bytes:
    """Return the workbook."""
    book = Workbook()
    book.properties.title, book.properties.creator = printable(document.title), printable(document.workspace)
    book.properties.subject = printable(document.subtitle)
    book.worksheets[0].title = "Summary"
    _summary(book.worksheets[0], document)
    _data(book.create_sheet("Data"), document.rows)
    for section in document.sections:
        _section(_sheet_before_last(book, section.title), section)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _summary(sheet: Worksheet, document: Document) -> None:
    _set_widths(sheet, CHART_COLUMNS)
    write_text(sheet.cell(1, 1), document.workspace).font = BRAND
    _title(sheet, 2, document.title)
    row = _prose(sheet, 3, document.subtitle, QUIET)
    row = _prose(sheet, row + 1, document.headline, HEADING) + 1
    for card in document.cards:
        write_text(sheet.cell(row, 1), f"{card.label} ({card.unit})" if card.unit else card.label)
        _write_figures(sheet, row, 2, [card.figure])
        sheet.cell(row, 2).font = BOLD
        change = write_text(sheet.cell(row, 3), card.change)
        change.font, change.alignment = QUIET, Alignment(indent=1)
        row += 1
    row += 1
    for name, fact in document.facts:
        write_text(sheet.cell(row, 1), name).font = QUIET
        write_text(sheet.cell(row, 2), fact)
        row += 1
    row += 1
    for note in document.notes:
        row = _prose(sheet, row, note, QUIET)
    sheet.sheet_view.showGridLines = False
    _set_up_print(sheet, columns=CHART_COLUMNS, rows=row)


def _section(sheet: Worksheet, section: Section) -> None:
    """Sentences, tables, then charts; what a chart reads its numbers from stands to its right and is not printed.

    A chart that is a picture has its numbers below it.
    """
    tables = [table.with_bounds for table in section.tables]
    flows = [table_of(chart) for chart in section.charts if isinstance(chart, SankeySpec)]
    panels = [panel for chart in section.charts for panel in chart.panels if isinstance(panel, ChartSpec)]
    wide = [*map(width_in_columns, panels), *(len(table.columns) for table in (*tables, *flows))]
    printed = max([CHART_COLUMNS, *wide])
    _set_widths(sheet, printed)
    _title(sheet, 1, section.title)
    row = 2
    for sentence in section.remarks:
        row = _prose(sheet, row, sentence)
    for table in tables:
        row = _table(sheet, row + 1, table)
    for chart in section.charts:
        row = _chart(sheet, row + 1, chart, data_column=printed + 2)
    sheet.sheet_view.showGridLines = False
    _set_up_print(sheet, columns=printed, rows=row)


def _chart(sheet: Worksheet, row: int, chart: Chart, *, data_column: int) -> int:
    """Put a chart, or several under one title, on the sheet from `row` on, and return the row after it."""
    if isinstance(chart, SankeySpec):
        return _picture(sheet, row, chart)
    sheet.column_dimensions[get_column_letter(data_column)].width = LABEL_WIDTH
    heights = [max(height_in_rows(panel), len(panel.categories) + 1) for panel in chart.panels]
    _keep_together(sheet, row, 2 + sum(heights[:1]))
    if not isinstance(chart, ChartSpec):  # a native chart has its title within
        write_text(sheet.cell(row, 1), chart.title).font = HEADING
        row += 1
    if chart.subtitle:
        row = _prose(sheet, row, chart.subtitle, QUIET)
    if not chart.panels:
        row = _prose(sheet, row, chart.summary)
    for panel, height in zip(chart.panels, heights, strict=True):
        _keep_together(sheet, row, height)
        anchor = f"{get_column_letter(data_column)}{row}"
        add_chart(sheet, panel, data_anchor=anchor, chart_anchor=f"A{row}")
        row += height + 1
    return row


def _picture(sheet: Worksheet, row: int, chart: SankeySpec) -> int:
    """Put a chart that Excel does not have on the sheet from `row` on, with its table, and return the row after it."""
    _keep_together(sheet, row, 2 + height_of_picture(chart))
    write_text(sheet.cell(row, 1), chart.title).font = HEADING
    row = _prose(sheet, row + 1, chart.subtitle, QUIET) if chart.subtitle else row + 1
    add_to_sheet(sheet, chart, anchor=f"A{row}")
    return _table(sheet, row + height_of_picture(chart), table_of(chart))


def _keep_together(sheet: Worksheet, row: int, rows: int) -> None:
    """Let the printed page end before `row` if these rows do not fit on it."""
    breaks = sheet.row_breaks.brk
    page_start = breaks[-1].id + 1 if breaks else 1
    if row + rows - page_start > ROWS_ON_A_PAGE and row - 2 >= page_start:
        sheet.row_breaks.append(Break(id=row - 2))  # the empty row before goes along, or a chart's edge stays behind


def _title(sheet: Worksheet, row: int, text: str) -> None:
    write_text(sheet.cell(row, 1), text).font = TITLE
    sheet.row_dimensions[row].height = TITLE_HEIGHT


def _table(sheet: Worksheet, row: int, table: DataTable) -> int:
    """Write a table from `row` on and return the row after it."""
    write_text(sheet.cell(row, 1), table.title).font = HEADING
    row = _prose(sheet, row + 1, table.note, QUIET) if table.note else row + 1
    texts = table.text_columns
    for place, column in enumerate(table.columns):
        cell = write_text(sheet.cell(row, place + 1), column)
        cell.font, cell.fill = BOLD, HEADER
        side = "left" if place in texts else "right"
        cell.alignment = Alignment(horizontal=side, vertical="bottom", wrap_text=True)
    # Programs that do not find the height by themselves would let a header of two lines cover what is above.
    lines = [_lines(column, LABEL_WIDTH if place == 0 else NUMBER_WIDTH) for place, column in enumerate(table.columns)]
    sheet.row_dimensions[row].height = max(lines) * LINE_HEIGHT
    for place, line in enumerate(table.rows, start=row + 1):
        write_text(sheet.cell(place, 1), line.label)
    for place, figures in enumerate(zip(*(line.cells for line in table.rows), strict=True), start=2):
        _write_figures(sheet, row + 1, place, figures, is_text=place - 1 in texts)
    for place, line in enumerate(table.rows, start=row + 1):
        if (most := max((_lines(line.cells[text - 1].text, NUMBER_WIDTH) for text in texts - {0}), default=1)) > 1:
            sheet.row_dimensions[place].height = most * LINE_HEIGHT
        for cell in sheet[place][: len(table.columns)] if line.is_total else ():
            cell.font, cell.border = BOLD, TOTAL
    return row + len(table.rows) + 2


def _lines(text: str, width: int) -> int:
    """How many lines a column of so many letters breaks the text into, at its spaces."""
    return len(textwrap.wrap(text, width - 1)) or 1


def _write_figures(
    sheet: Worksheet, row: int, column: int, figures: Sequence[Figure], *, is_text: bool = False
) -> None:
    """Write figures below each other: numbers in full and in one format, which shows them as the page does.

    Where some are shares and others are not (checks of many kinds), or no format fits all, each has its own.
    """
    alignment = Alignment(wrap_text=True) if is_text else Alignment(horizontal="right")
    numbers = [figure for figure in figures if _is_number(figure)]
    shown_as = _format(numbers)
    is_mixed = len({"%" in figure.text for figure in numbers if figure.value}) > 1 or shown_as == GENERAL
    for place, figure in enumerate(figures, start=row):
        cell = sheet.cell(place, column)
        cell.alignment = alignment
        if _is_number(figure):
            cell.value, cell.number_format = figure.value, _format([figure]) if is_mixed else shown_as
        else:
            write_text(cell, figure.text)


def _is_number(figure: Figure) -> bool:
    """Whether there is a number to write; one that is only there to sort by has no digits in its text."""
    return figure.value is not None and any(character.isdigit() for character in figure.text)


def _format(figures: Iterable[Figure]) -> str:
    readings = [(figure.value, _reading(figure)) for figure in figures if figure.value is not None]
    shown_as = number_format(readings)
    if shown_as == GENERAL and readings and all("%" in text for _, text in readings):
        return "+0.0%;-0.0%;0.0%"  # changes, which have an arrow or a word beside them
    return shown_as


def _reading(figure: Figure) -> str:
    """What a cell shows: the number in full, or as on the page where that has more digits than anybody reads."""
    decimals = len(figure.in_full.partition(".")[2])
    return figure.text if "%" in figure.text or decimals > MOST_DECIMALS else figure.in_full


def _data(sheet: Worksheet, rows: Sequence[Sequence[RawCell]]) -> None:
    for number, row in enumerate(rows, start=1):
        for place, value in enumerate(row, start=1):
            if isinstance(value, str):
                write_text(sheet.cell(number, place), value)
            elif value is not None:
                sheet.cell(number, place, value)
    for place, column in enumerate(zip(*rows[:ROWS_MEASURED], strict=True), start=1):
        cell: Cell = sheet.cell(1, place)
        cell.font, cell.fill = BOLD, HEADER
        longest = max(len("" if value is None else str(value)) for value in column)
        sheet.column_dimensions[get_column_letter(place)].width = min(max(longest, 8), MOST_LETTERS_WIDE) + 3
    if rows:
        sheet.freeze_panes = "A2"
        sheet.auto_filter.ref = sheet.dimensions
        sheet.print_title_rows = "1:1"
    _set_up_print(sheet, columns=len(rows[0]) if rows else 1, rows=len(rows))


def _sheet_before_last(book: Workbook, title: str) -> Worksheet:
    """Add a sheet whose name Excel takes: at most 31 characters, none of them special, no two alike."""
    name = printable(NOT_IN_A_SHEET_NAME.sub(" ", title))[:28].strip() or "Sheet"
    taken = RESERVED | {existing.lower() for existing in book.sheetnames}
    number, unique = 2, name
    while unique.lower() in taken:
        unique, number = f"{name} {number}", number + 1
    sheet: Worksheet = book.create_sheet(unique, index=-1)
    return sheet


def _prose(sheet: Worksheet, row: int, text: str, font: Font = PLAIN) -> int:
    """Write text across the columns of a chart, in as many lines as it needs, and return the row after it."""
    cell = write_text(sheet.cell(row, 1), text)
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    cell.font = font
    sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=CHART_COLUMNS)
    size = float(cell.font.size or 11)
    letters_in_a_line = (LABEL_WIDTH + (CHART_COLUMNS - 1) * NUMBER_WIDTH) * 11 / size
    # Excel does not find the height of merged cells by itself.
    sheet.row_dimensions[row].height = math.ceil(len(text) / letters_in_a_line or 1) * size * 1.4
    return row + 1


def _set_widths(sheet: Worksheet, columns: int) -> None:
    sheet.column_dimensions["A"].width = LABEL_WIDTH
    for place in range(2, columns + 1):
        sheet.column_dimensions[get_column_letter(place)].width = NUMBER_WIDTH


def _set_up_print(sheet: Worksheet, *, columns: int, rows: int) -> None:
    """A4, as wide as the page, with the first columns and rows only and numbered pages."""
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "portrait", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_area = f"A1:{get_column_letter(max(columns, 1))}{max(rows, 1)}"
    sheet.oddFooter.left.text, sheet.oddFooter.right.text = "&A", "Page &P of &N"
