"""Excel: a summary, a sheet for each section with its tables and native charts, and a sheet with all rows."""

import io
import re
from collections.abc import Sequence

from babel.numbers import get_currency_precision
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from analyses.documents import DataTable, Document, Figure, RawCell, Section
from charts.xlsx import add_chart, height_in_rows, write_text

INK, MUTED, ACCENT = "14181F", "5A6372", "032389"
HEADER = PatternFill("solid", fgColor="F3F4F7")
TOTAL = Border(top=Side(style="thin", color="868F9D"))
CHART_DATA_COLUMN = 14  # right of the charts, where nobody prints
NOT_IN_A_SHEET_NAME = re.compile(r"[\[\]:*?/\\']")


def write(document: Document) -> bytes:
    """Return the workbook."""
    book = Workbook()
    summary = book.active
    assert isinstance(summary, Worksheet)  # noqa: S101 - a new workbook has one
    _summary(summary, document)
    for section in document.sections:
        _section(book, section, document)
    _data(_new_sheet(book, "Data"), document.rows)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _summary(sheet: Worksheet, document: Document) -> None:
    sheet.title = "Summary"
    sheet.sheet_view.showGridLines = False
    write_text(sheet.cell(1, 1), document.title).font = Font(bold=True, size=18, color=ACCENT)
    write_text(sheet.cell(2, 1), f"{document.workspace} · {document.subtitle}").font = Font(color=MUTED)
    write_text(sheet.cell(4, 1), document.headline).font = Font(bold=True, size=12)
    row = 6
    for card in document.cards:
        write_text(sheet.cell(row, 1), f"{card.label} ({card.unit})" if card.unit else card.label)
        _figure(sheet, row, 2, card.figure, document.currency)
        sheet.cell(row, 2).font = Font(bold=True)
        write_text(sheet.cell(row, 3), card.change).font = Font(color=MUTED)
        row += 1
    row += 1
    for name, fact in document.facts:
        write_text(sheet.cell(row, 1), name).font = Font(color=MUTED)
        write_text(sheet.cell(row, 2), fact)
        row += 1
    row += 1
    for note in document.notes:
        write_text(sheet.cell(row, 1), note).font = Font(italic=True, color=MUTED)
        row += 1
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 34, 22
    _print_setup(sheet)


def _section(book: Workbook, section: Section, document: Document) -> None:
    sheet = _new_sheet(book, section.title)
    sheet.sheet_view.showGridLines = False
    write_text(sheet.cell(1, 1), section.title).font = Font(bold=True, size=14, color=ACCENT)
    row = 3
    for sentence in section.sentences:
        write_text(sheet.cell(row, 1), sentence)
        row += 1
    for table in section.tables:
        row = _table(sheet, row + 1, table, document.currency)
    for chart in section.charts:
        for panel in chart.panels:
            row += 1
            write_text(sheet.cell(row, 1), panel.subtitle or panel.title).font = Font(color=MUTED)
            anchor = f"{get_column_letter(CHART_DATA_COLUMN)}{row + 1}"
            add_chart(sheet, panel, data_anchor=anchor, chart_anchor=f"A{row + 1}")
            row += max(height_in_rows(panel), len(panel.categories) + 3)
    sheet.column_dimensions["A"].width = 30
    for column in range(2, 9):
        sheet.column_dimensions[get_column_letter(column)].width = 16
    sheet.column_dimensions[get_column_letter(CHART_DATA_COLUMN)].width = 24
    _print_setup(sheet)


def _table(sheet: Worksheet, row: int, table: DataTable, currency: str) -> int:
    """Write a table from `row` on and return the row after it."""
    write_text(sheet.cell(row, 1), table.title).font = Font(bold=True)
    if table.note:
        row += 1
        write_text(sheet.cell(row, 1), table.note).font = Font(color=MUTED)
    row += 1
    for place, column in enumerate(table.columns, start=1):
        cell = write_text(sheet.cell(row, place), column)
        cell.font, cell.fill = Font(bold=True), HEADER
        cell.alignment = Alignment(horizontal="left" if place == 1 else "right", wrap_text=True)
    for line in table.rows:
        row += 1
        write_text(sheet.cell(row, 1), line.label)
        for place, figure in enumerate(line.cells, start=2):
            _figure(sheet, row, place, figure, currency)
        if line.is_total:
            for place in range(1, len(table.columns) + 1):
                sheet.cell(row, place).font, sheet.cell(row, place).border = Font(bold=True), TOTAL
    return row + 2


def _figure(sheet: Worksheet, row: int, column: int, figure: Figure, currency: str) -> None:
    """Write the number in full, shown as the page shows it: as money, as a share, or plain."""
    cell = sheet.cell(row, column)
    cell.alignment = Alignment(horizontal="right")
    if figure.value is None:
        write_text(cell, figure.text)
        return
    cell.value = figure.value
    text = figure.in_full
    if "%" in figure.text:
        cell.number_format = "+0.0%;-0.0%;0.0%" if figure.text.startswith(("+", "\N{MINUS SIGN}", "▲", "▼")) else "0.0%"
    elif any(character.isalpha() or character in "€$£¥₹" for character in text):
        decimals = get_currency_precision(currency)
        cell.number_format = f'#,##0{"." + "0" * decimals if decimals else ""}" {currency}"'
    elif isinstance(figure.value, float) and figure.value != int(figure.value):
        cell.number_format = "#,##0.00"
    else:
        cell.number_format = "#,##0"


def _data(sheet: Worksheet, rows: Sequence[Sequence[RawCell]]) -> None:
    for number, row in enumerate(rows, start=1):
        for place, value in enumerate(row, start=1):
            if isinstance(value, str):
                write_text(sheet.cell(number, place), value)
            elif value is not None:
                sheet.cell(number, place, value)
    if rows:
        for place in range(1, len(rows[0]) + 1):
            sheet.cell(1, place).font = Font(bold=True)
            sheet.column_dimensions[get_column_letter(place)].width = 20
        sheet.freeze_panes = "A2"
        sheet.auto_filter.ref = sheet.dimensions


def _new_sheet(book: Workbook, title: str) -> Worksheet:
    """Add a sheet whose name Excel takes: at most 31 characters, none of them special, no two alike."""
    name = NOT_IN_A_SHEET_NAME.sub(" ", title).strip()[:28] or "Sheet"
    taken = {existing.lower() for existing in book.sheetnames}
    number, unique = 2, name
    while unique.lower() in taken:
        unique, number = f"{name} {number}", number + 1
    sheet: Worksheet = book.create_sheet(unique)
    return sheet


def _print_setup(sheet: Worksheet) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_area = f"A1:{get_column_letter(CHART_DATA_COLUMN - 2)}{max(sheet.max_row, 1)}"
