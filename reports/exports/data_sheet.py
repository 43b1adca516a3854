"""A sheet of very many rows: they go into the file one by one, so that a workbook holds none of them in memory."""

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from typing import Any, TypeAlias
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from lxml import etree
from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from analyses.documents import RawCell
from charts.wording import printable
from charts.xlsx_cells import is_like_a_formula, write_text
from reports.exports.sheets import BOLD, HEADER

Row: TypeAlias = Sequence[RawCell]
Styles: TypeAlias = tuple[int, int]


def save(book: Workbook, sheet: Worksheet, rows: Iterable[Row], *, most: int, the_rest: str) -> bytes:
    """Return the workbook with `rows`, header first, on `sheet`, which is empty. After so many stands `the_rest`.

    openpyxl by itself either holds the cells of all sheets, or writes all sheets row by row, which then can neither
    merge cells nor be as wide as what is on them.
    """
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        _Writer(book, archive, sheet, _Lines(sheet, rows, most=most, the_rest=the_rest)).save()
    return file.getvalue()


class _Writer(ExcelWriter):  # type: ignore[misc] # openpyxl has no types
    def __init__(self, book: Workbook, archive: ZipFile, sheet: Worksheet, lines: "_Lines") -> None:
        super().__init__(book, archive)
        self._sheet, self._lines = sheet, lines

    def write_worksheet(self, ws: Worksheet) -> None:
        if ws is not self._sheet:
            super().write_worksheet(ws)
            return
        writer = _SheetWriter(ws, self._lines)
        writer.write()
        ws._rels = writer._rels  # noqa: SLF001 - as openpyxl does for its own
        self._archive.write(writer.out, ws.path[1:])
        self.manifest.append(ws)
        writer.cleanup()


class _SheetWriter(WorksheetWriter):  # type: ignore[misc] # openpyxl has no types
    def __init__(self, sheet: Worksheet, lines: "_Lines") -> None:
        super().__init__(sheet)
        self._lines = lines

    def write_dimensions(self) -> None:
        """Nothing: how many rows there are is known behind the last one, and nobody needs to be told before."""

    def write_rows(self) -> None:
        file: Any = self.xf.send(True)
        with file.element("sheetData"):
            for line in self._lines:
                file.write(etree.fromstring(line))
        self.xf.send(None)
        if self._lines.count:
            # Both are written behind the rows: the one in the sheet, the other among the names of the workbook.
            area = f"A1:{get_column_letter(max(self._lines.columns, 1))}{self._lines.count}"
            self.ws.auto_filter.ref = self.ws.print_area = area


class _Lines:
    """Rows as elements of a sheet. `count`, `columns`: how many there were, and how many cells the broadest has."""

    def __init__(self, sheet: Worksheet, rows: Iterable[Row], *, most: int, the_rest: str) -> None:
        self._rows, self._most, self._the_rest = rows, most, the_rest
        usual = Cell(sheet, row=1, column=1)
        bold, header = copy(usual), copy(usual)
        header.font, header.fill, bold.font = BOLD, HEADER, BOLD
        self._usual, self._header, self._bold = map(_styles, (usual, header, bold))
        self.count = self.columns = 0

    def __iter__(self) -> Iterator[str]:
        for row in self._rows:
            self.count += 1
            if self.count > self._most:
                yield self._line((self._the_rest,), self._bold)
                return
            self.columns = max(self.columns, len(row))
            yield self._line(row, self._header if self.count == 1 else self._usual)

    def _line(self, row: Row, style: Styles) -> str:
        cells = (self._cell(place, value, style) for place, value in enumerate(row, start=1) if value is not None)
        return f'<row r="{self.count}">{"".join(cells)}</row>'

    def _cell(self, place: int, value: str | float, style: Styles) -> str:
        at = f'r="{get_column_letter(place)}{self.count}"'
        if isinstance(value, str):
            text = printable(value)
            shown_as = style[is_like_a_formula(text)]
            return f'<c {at} s="{shown_as}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'
        if not math.isfinite(value):
            return ""
        number = str(int(value)) if isinstance(value, int) else repr(float(value))
        return f'<c {at} s="{style[False]}"><v>{number}</v></c>'


def _styles(cell: Cell) -> Styles:
    """The numbers of the cell's style, and of the same for text that must stay text, whatever it starts with."""
    quoted = copy(cell)
    write_text(quoted, "=")
    return cell.style_id, quoted.style_id
