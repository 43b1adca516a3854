"""Excel: a summary, a sheet for what each section says and draws, one for each table, definitions, and all rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, zip_longest

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from analyses.documents import DataTable, Document, RawCell, Section
from charts import Chart, ChartSpec, Kind, SankeySpec
from charts.sankey_office import add_to_sheet
from charts.sankey_office import height_in_rows as height_of_picture
from charts.wording import printable
from charts.xlsx import add_chart, height_in_rows, width_in_columns
from charts.xlsx_cells import write_text
from charts.xlsx_heatmap import cell_letters
from reports.branding.look import PLAIN, Look
from reports.exports.data_sheet import save
from reports.exports.flows import table_of
from reports.exports.sheets import (
    BOLD,
    HEADING,
    LABEL_WIDTH,
    LINE_HEIGHT,
    NAME,
    NUMBER_WIDTH,
    QUIET,
    USUAL,
    add_sheet,
    keep_together,
    prose_lines,
    set_up_print,
    set_widths,
    text_columns_of,
    widths_of,
    write_figures,
    write_header,
    write_prose,
    write_table,
    write_title,
)

COLUMNS = 6  # of a usual sheet, which a chart covers
TERM_WIDTH, MEANING_WIDTH = 32.0, 100.0
LINES_ABOVE_A_TABLE = 6  # of what is said, before it would fill a small screen whose upper part does not move
MOST_LETTERS_WIDE = 50
ROWS_MEASURED = 500
MOST_ROWS = 200_000
THE_REST = f"Only the first {MOST_ROWS:,} rows are in this workbook. The CSV has all."


@dataclass(frozen=True, slots=True)
class Place:
    """A cell of a sheet."""

    column: int
    row: int

    @property
    def anchor(self) -> str:
        return f"{get_column_letter(self.column)}{self.row}"


def write(document: Document, look: Look = PLAIN) -> bytes:
    """Return the workbook."""
    book = Workbook()
    book.properties.title, book.properties.creator = printable(document.title), printable(document.workspace)
    book.properties.subject = printable(document.subtitle)
    summary = book.worksheets[0]
    summary.title, summary.sheet_view.showGridLines = "Summary", False
    definitions, data = book.create_sheet("Definitions"), book.create_sheet("Data")
    for section in document.sections:
        _section(book, section, look)
    _define(definitions, document, look)
    rows = _data(data, document.rows, look)
    _summary(summary, document, look, book.sheetnames[1:])
    return save(book, data, rows, most=MOST_ROWS, the_rest=THE_REST)


def _summary(sheet: Worksheet, document: Document, look: Look, others: Sequence[str]) -> None:
    accent = look.accent.removeprefix("#").upper()
    _set_usual_widths(sheet)
    write_text(sheet.cell(1, 1), document.workspace).font = Font(name=NAME, bold=True, color=accent)
    row = write_title(sheet, 2, document.title)
    row = write_prose(sheet, row, document.subtitle, QUIET)
    row = write_prose(sheet, row + 1, document.headline, HEADING) + 1
    for card in document.cards:
        write_text(sheet.cell(row, 1), f"{card.label} ({card.unit})" if card.unit else card.label)
        write_figures(sheet, row, 2, [card.figure])
        sheet.cell(row, 2).font = BOLD
        change = write_text(sheet.cell(row, 3), card.change)
        change.font, change.alignment = QUIET, Alignment(indent=1)
        row += 1
    row = _facts(sheet, row + 1, document) + 1
    for note in document.notes:
        row = write_prose(sheet, row, note, QUIET)
    write_text(sheet.cell(row + 1, 1), "Sheets of this workbook").font = HEADING
    for row, name in enumerate(others, start=row + 2):  # noqa: B020 - goes on from where it was
        cell = write_text(sheet.cell(row, 1), name)
        cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"{quote_sheetname(name)}!A1")
        cell.font = Font(name=NAME, color=accent, underline="single")
    set_up_print(sheet, look, columns=COLUMNS, rows=row)


def _facts(sheet: Worksheet, row: int, document: Document) -> int:
    for name, fact in document.facts:
        write_text(sheet.cell(row, 1), name).font = QUIET
        write_text(sheet.cell(row, 2), fact)
        row += 1
    return row


def _section(book: Workbook, section: Section, look: Look) -> None:
    """A sheet for what the section says and draws, and one for each of its tables; all on one if that is one table."""
    tables = [table.with_bounds for table in section.tables]
    if len(tables) == 1 and not section.charts:
        title = section.title
        _table(book, tables[0], look, name=title, title=title, above=section.part, remarks=section.remarks)
        return
    if section.charts or section.remarks or not tables:
        _said_and_drawn(book, section, look)
    for table in tables:
        above = " · ".join(filter(None, (section.part, section.title if section.title != table.title else "")))
        name = f"{table.title[:20].strip()} (table)" if table.title == section.title else table.title
        _table(book, table, look, name=name, title=table.title, above=above)


def _table(
    book: Workbook, table: DataTable, look: Look, *, name: str, title: str, above: str, remarks: Sequence[str] = ()
) -> None:
    """A sheet whose upper part, down to the table's header, stays when its rows are scrolled."""
    sheet = add_sheet(book, name, behind=2)
    set_widths(sheet, widths_of(table))
    row = write_title(sheet, 1, title, above=above)
    is_short = sum(map(prose_lines, (*remarks, table.note))) <= LINES_ABOVE_A_TABLE
    for sentence in remarks if is_short else ():
        row = write_prose(sheet, row, sentence)
    header = write_table(sheet, row + 1, table, named=title != table.title)
    row = header + len(table.rows) + 1
    for sentence in () if is_short else remarks:
        row = write_prose(sheet, row + 1, sentence)
    sheet.freeze_panes = f"A{header + 1}"
    columns = max(len(table.columns), text_columns_of(sheet) if remarks or table.note else 1)
    set_up_print(sheet, look, columns=columns, rows=row, header=header)


def _said_and_drawn(book: Workbook, section: Section, look: Look) -> None:
    """Sentences, then charts; what a chart reads its numbers from stands to its right and is not printed.

    A chart that is a picture has its numbers below it.
    """
    sheet = add_sheet(book, section.title, behind=2)
    panels = [panel for chart in section.charts for panel in chart.panels if isinstance(panel, ChartSpec)]
    flows = [table_of(chart) for chart in section.charts if isinstance(chart, SankeySpec)]
    letters = max((cell_letters(panel) for panel in panels if panel.kind == Kind.HEATMAP), default=NUMBER_WIDTH)
    figures_width = NUMBER_WIDTH if flows else min(letters, NUMBER_WIDTH)
    printed = max([*map(width_in_columns, panels), *(len(table.columns) for table in flows), 1])
    label_width = max([LABEL_WIDTH, *(widths_of(table)[0] for table in flows)])
    set_widths(sheet, [label_width, *([figures_width] * (printed - 1))])
    printed = max(printed, text_columns_of(sheet))
    row = write_title(sheet, 1, section.title, above=section.part)
    for sentence in section.remarks:
        row = write_prose(sheet, row, sentence)
    data = Place(column=printed + 2, row=row + 1)
    sheet.column_dimensions[get_column_letter(data.column)].width = LABEL_WIDTH
    for chart in section.charts:
        row, data = _chart(sheet, row + 1, chart, data)
    set_up_print(sheet, look, columns=printed, rows=row)


def _chart(sheet: Worksheet, row: int, chart: Chart, data: Place) -> tuple[int, Place]:
    """Put a chart, or several under one title, on the sheet from `row` on, and what it reads at `data`.

    Returns the row after it, and the place for what the next one reads.
    """
    if isinstance(chart, SankeySpec):
        return _picture(sheet, row, chart), data
    heights = list(map(height_in_rows, chart.panels))
    keep_together(sheet, row, 2 + sum(heights[:1]))
    if not isinstance(chart, ChartSpec):  # a native chart has its title within
        write_text(sheet.cell(row, 1), chart.title).font = HEADING
        row += 1
    if chart.subtitle:
        row = write_prose(sheet, row, chart.subtitle, QUIET)
    if not chart.panels:
        row = write_prose(sheet, row, chart.summary)
    for panel, height in zip(chart.panels, heights, strict=True):
        keep_together(sheet, row, height)
        add_chart(sheet, panel, data_anchor=data.anchor, chart_anchor=f"A{row}")
        row, data = row + height + 1, replace(data, row=data.row + len(panel.categories) + 2)
    return row, data


def _picture(sheet: Worksheet, row: int, chart: SankeySpec) -> int:
    """Put a chart that Excel does not have on the sheet from `row` on, with its table, and return the row after it."""
    keep_together(sheet, row, 2 + height_of_picture(chart))
    write_text(sheet.cell(row, 1), chart.title).font = HEADING
    row = write_prose(sheet, row + 1, chart.subtitle, QUIET) if chart.subtitle else row + 1
    add_to_sheet(sheet, chart, anchor=f"A{row}")
    table = table_of(chart)
    return write_table(sheet, row + height_of_picture(chart), table) + len(table.rows) + 2


def _set_usual_widths(sheet: Worksheet) -> None:
    set_widths(sheet, [LABEL_WIDTH, *([NUMBER_WIDTH] * (COLUMNS - 1))])


def _define(sheet: Worksheet, document: Document, look: Look) -> None:
    """What the terms mean, how the numbers were computed, what to keep in mind, and where they come from."""
    sheet.sheet_view.showGridLines = False
    set_widths(sheet, [TERM_WIDTH, MEANING_WIDTH])
    row = write_title(sheet, 1, "Definitions") + 1
    header = row if document.definitions else 0
    if document.definitions:
        write_header(sheet, row, ("Term", "What it means here"), {0, 1})
        sheet.freeze_panes = f"A{row + 1}"
        row = _meanings(sheet, row + 1, document.definitions)
    for heading, paragraphs in (
        ("How the numbers were computed", document.method),
        ("What to keep in mind", document.notes),
    ):
        if paragraphs:
            write_text(sheet.cell(row + 1, 1), heading).font = HEADING
            row = _meanings(sheet, row + 2, [("", paragraph) for paragraph in paragraphs])
    write_text(sheet.cell(row + 1, 1), "Where these numbers come from").font = HEADING
    row = _meanings(sheet, row + 2, document.facts)
    set_up_print(sheet, look, columns=2, rows=row, header=header)


def _meanings(sheet: Worksheet, row: int, meanings: Iterable[tuple[str, str]]) -> int:
    """Write terms and what they mean beside each other, and return the row after them."""
    for term, meaning in meanings:
        for place, (text, font) in enumerate(((term, BOLD), (meaning, USUAL)), start=1):
            cell = write_text(sheet.cell(row, place), text)
            cell.font, cell.alignment = font, Alignment(wrap_text=True, vertical="top")
        lines = max(prose_lines(term, TERM_WIDTH), prose_lines(meaning, MEANING_WIDTH))
        sheet.row_dimensions[row].height = lines * LINE_HEIGHT
        row += 1
    return row


def _data(sheet: Worksheet, rows: Iterable[Sequence[RawCell]], look: Look) -> Iterable[Sequence[RawCell]]:
    """Set the sheet up for all rows, the first of which names the columns, and return them; they are written last."""
    lines = iter(rows)
    first = list(islice(lines, ROWS_MEASURED))
    for place, cells in enumerate(zip_longest(*first), start=1):
        letters = max(8, *(len("" if cell is None else str(cell)) for cell in cells))
        sheet.column_dimensions[get_column_letter(place)].width = min(letters, MOST_LETTERS_WIDE) + 3
    if first:
        sheet.freeze_panes = "A2"
    set_up_print(sheet, look, columns=max(map(len, first), default=1), rows=len(first), header=1 if first else 0)
    return chain(first, lines)
