"""What stands on the sheets of a workbook: titles, sentences, figures and tables, and how a sheet is printed."""

import math
import re
import textwrap
from collections.abc import Collection, Iterable, Iterator, Sequence

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from analyses.documents import DataTable, Figure
from charts.number_formats import GENERAL, number_format
from charts.wording import printable
from charts.xlsx_cells import write_text
from reports.branding.look import LETTER, Look

INK, MUTED = "14181F", "5A6372"
NAME = "Calibri"
TITLE, HEADING = Font(name=NAME, bold=True, size=16, color=INK), Font(name=NAME, bold=True, size=12, color=INK)
USUAL, BOLD, QUIET = Font(name=NAME, color=INK), Font(name=NAME, bold=True, color=INK), Font(name=NAME, color=MUTED)
HEADER = PatternFill("solid", fgColor="F3F4F7")
TOTAL = Border(top=Side(style="thin", color="868F9D"))
LABEL_WIDTH, NUMBER_WIDTH = 32, 16  # of columns, in letters
WIDEST_LABEL, NARROWEST_NUMBER, WIDEST_NUMBER, WIDEST_TEXT = 60, 9, 24, 40
LINE_LETTERS = 112  # of sentences
INDENT = 1  # of words beside numbers
ROWS_ON_A_PAGE = 58  # of such a width
TITLE_HEIGHT, LINE_HEIGHT = 24.0, 15.0  # points
MOST_DECIMALS = 6
NOT_IN_A_SHEET_NAME = re.compile(r"[\[\]:*?/\\']")
RESERVED = {"history"}  # Excel keeps this name for itself


def add_sheet(book: Workbook, title: str, *, behind: int) -> Worksheet:
    """Add a sheet with so many behind it, by a name that Excel takes: of 31 characters, none special, no two alike."""
    name = printable(NOT_IN_A_SHEET_NAME.sub(" ", title))[:28].strip() or "Sheet"
    taken = RESERVED | {existing.lower() for existing in book.sheetnames}
    number, unique = 2, name
    while unique.lower() in taken:
        unique, number = f"{name} {number}", number + 1
    sheet: Worksheet = book.create_sheet(unique, index=len(book.sheetnames) - behind)
    sheet.sheet_view.showGridLines = False
    return sheet


def write_title(sheet: Worksheet, row: int, text: str, *, above: str = "") -> int:
    """Write the title of a sheet, and quietly what it belongs to, and return the row after both."""
    write_text(sheet.cell(row, 1), text).font = TITLE
    sheet.row_dimensions[row].height = TITLE_HEIGHT
    if not above:
        return row + 1
    write_text(sheet.cell(row + 1, 1), above).font = QUIET
    return row + 2


def write_prose(sheet: Worksheet, row: int, text: str, font: Font = USUAL) -> int:
    """Write text across as many columns as a line takes, in as many lines as it needs, and return the row after it."""
    cell = write_text(sheet.cell(row, 1), text)
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    cell.font = font
    columns, letters = _across(sheet)
    sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=columns)
    size = float(cell.font.size or 11)
    # Excel does not find the height of merged cells by itself.
    sheet.row_dimensions[row].height = prose_lines(text, letters * 11 / size) * size * 1.4
    return row + 1


def prose_lines(text: str, letters: float = LINE_LETTERS) -> int:
    """How many lines of a sheet a text takes."""
    return math.ceil(len(text) / letters) or 1


def _across(sheet: Worksheet) -> tuple[int, float]:
    """How many columns a line of text lies across, and their letters; columns not there yet get a width."""
    letters, columns = 0.0, 0
    while letters < LINE_LETTERS:
        columns += 1
        letter = get_column_letter(columns)
        if letter not in sheet.column_dimensions:
            sheet.column_dimensions[letter].width = NUMBER_WIDTH
        letters += sheet.column_dimensions[letter].width
    return columns, letters


def text_columns_of(sheet: Worksheet) -> int:
    """How many columns the sheet's text lies across."""
    return _across(sheet)[0]


def set_widths(sheet: Worksheet, widths: Sequence[float]) -> None:
    for place, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width


def widths_of(table: DataTable) -> list[float]:
    """How wide the columns of a table have to be, in letters: numbers stay on a line, labels and words may break."""
    longest = max((len(row.label) for row in table.rows), default=0)
    widths = [float(min(max(longest, len(table.columns[0]), 14) + 2, WIDEST_LABEL))]
    texts = table.text_columns
    for place, column in enumerate(table.columns[1:], start=1):
        figures = [len(_shown(row.cells[place - 1])) for row in table.rows]
        word = max(map(len, column.split()), default=0)
        most = WIDEST_TEXT if place in texts else WIDEST_NUMBER
        # Long names of columns break into two lines or so.
        widths.append(float(min(max(*figures, word, len(column) / 2 + 1, NARROWEST_NUMBER) + 2, most)))
    return widths


def write_table(sheet: Worksheet, row: int, table: DataTable, *, named: bool = True) -> int:
    """Write a table from `row` on, with its title if `named`, and return the row of its header."""
    if named:
        write_text(sheet.cell(row, 1), table.title).font = HEADING
        row += 1
    if table.note:
        row = write_prose(sheet, row, table.note, QUIET)
    texts = table.text_columns
    widths = [sheet.column_dimensions[get_column_letter(place + 1)].width for place in range(len(table.columns))]
    write_header(sheet, row, table.columns, texts)
    # Programs that do not find the height by themselves would let a header of two lines cover what is above.
    lines = [_lines(column, width) for column, width in zip(table.columns, widths, strict=True)]
    sheet.row_dimensions[row].height = max(lines) * LINE_HEIGHT
    for place, line in enumerate(table.rows, start=row + 1):
        write_text(sheet.cell(place, 1), line.label).alignment = Alignment(wrap_text=True, vertical="top")
    for place, figures in enumerate(zip(*(line.cells for line in table.rows), strict=True), start=2):
        write_figures(sheet, row + 1, place, figures, is_text=place - 1 in texts)
    for place, line in enumerate(table.rows, start=row + 1):
        said = [line.label, *(line.cells[text - 1].text for text in sorted(texts - {0}))]
        if (most := max(map(_lines, said, [widths[text] for text in sorted(texts)]))) > 1:
            sheet.row_dimensions[place].height = most * LINE_HEIGHT
        for cell in sheet[place][: len(table.columns)] if line.is_total else ():
            cell.font, cell.border = BOLD, TOTAL
    return row


def write_header(sheet: Worksheet, row: int, columns: Sequence[str], texts: Collection[int]) -> None:
    """Write the names of columns; `texts`: the places of those that say words."""
    for place, column in enumerate(columns):
        cell = write_text(sheet.cell(row, place + 1), column)
        cell.font, cell.fill = BOLD, HEADER
        side = "left" if place in texts else "right"
        indent = INDENT if side == "left" and place else 0
        cell.alignment = Alignment(horizontal=side, vertical="bottom", wrap_text=True, indent=indent)


def _lines(text: str, width: float) -> int:
    """How many lines a column of so many letters breaks the text into, at its spaces."""
    return len(textwrap.wrap(text, max(int(width) - 1, 1))) or 1


def write_figures(sheet: Worksheet, row: int, column: int, figures: Sequence[Figure], *, is_text: bool = False) -> None:
    """Write figures below each other: numbers in full and in one format, which shows them as the page does.

    Where some are shares and others are not (checks of many kinds), or no format fits all, each has its own.
    """
    alignment = (
        Alignment(horizontal="left", indent=INDENT, wrap_text=True, vertical="top")
        if is_text
        else Alignment(horizontal="right", vertical="top")
    )
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


def _shown(figure: Figure) -> str:
    return _reading(figure) if _is_number(figure) else figure.text


def keep_together(sheet: Worksheet, row: int, rows: int) -> None:
    """Let the printed page end before `row` if these rows do not fit on it."""
    breaks = sheet.row_breaks.brk
    page_start = breaks[-1].id + 1 if breaks else 1
    if row + rows - page_start > ROWS_ON_A_PAGE and row - 2 >= page_start:
        sheet.row_breaks.append(Break(id=row - 2))  # the empty row before goes along, or a chart's edge stays behind


def set_up_print(sheet: Worksheet, look: Look, *, columns: int, rows: int, header: int = 0) -> None:
    """As wide as the page, with the first columns and rows only and numbered pages; each repeats the row `header`."""
    width = sum(sheet.column_dimensions[letter].width for letter in _letters(columns))
    sheet.page_setup.orientation = "landscape" if width > 1.2 * LINE_LETTERS else "portrait"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_LETTER if look.paper == LETTER else sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_area = f"A1:{get_column_letter(max(columns, 1))}{max(rows, 1)}"
    if header:
        sheet.print_title_rows = f"{header}:{header}"
    sheet.oddFooter.left.text, sheet.oddFooter.right.text = "&A", "Page &P of &N"


def _letters(columns: int) -> Iterator[str]:
    return (get_column_letter(place) for place in range(1, columns + 1))
