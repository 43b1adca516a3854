"""Read Excel workbooks (.xlsx) row after row, in chunks of columns."""

import datetime as dt
import itertools
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, Self

import openpyxl
import pyarrow as pa

from marketing.importing.archives import DAMAGE, DAMAGED, Part, look_through
from marketing.importing.errors import CellError, FileRejected, is_the_files_fault
from marketing.importing.files import MAX_CELL_BYTES, MAX_COLUMNS, Chunk, RawRows, as_text, checked_header
from marketing.importing.reading import Reading

BLOCK_ROWS = 1_000  # read in one go: setting filters of warnings takes time
CHUNK_ROWS = 10_000
CHUNK_CELLS = 500_000  # a chunk of a wide sheet has fewer rows
MAX_ROWS = 1_048_576  # of a sheet, as Excel has it
INTEGER_LIMIT = 2**63  # of 64 bits
NO_VALUE = "a formula without a computed value: open the workbook in Excel, save it, and upload it again"


class _NoValue:
    """Stands in for the value of a formula that has none."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row of a sheet that is not blank: its number, counted from 1, and its values as openpyxl gives them."""

    number: int
    values: tuple[Any, ...]


class Workbook:
    """An opened workbook.

    All that it does raises FileRejected if the file is no workbook, is not safe to read, or turns out to be damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parts = look_through(path)
        self._file, self._book = _load(path, data_only=True)
        # Without charts, which are sheets as well.
        self._sheets: dict[str, Any] = {s.title: s for s in self._book.worksheets if hasattr(s, "reset_dimensions")}
        if not self._sheets:
            self.close()
            raise FileRejected("The workbook has no sheet with cells.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        self._book.close()
        self._file.close()

    @property
    def visible(self) -> list[str]:
        """Names of the sheets that people see, in their order."""
        return [name for name, sheet in self._sheets.items() if sheet.sheet_state == "visible"]

    @property
    def hidden(self) -> list[str]:
        """Names of the sheets that people do not see."""
        return [name for name, sheet in self._sheets.items() if sheet.sheet_state != "visible"]

    @property
    def first(self) -> str:
        """Name of the sheet that is read if none is named."""
        return next(iter(self.visible or self._sheets))

    def merged_rows(self, sheet: str) -> set[tuple[int, int]]:
        """Return the first and last row of each range of merged cells."""
        return self._part(sheet).merged

    def rows(self, sheet: str) -> Iterator[SheetRow]:
        """Yield the rows that are not blank. `sheet`: its name, or "" for the first."""
        rows = _values(self._sheet(sheet))
        if not self._part(sheet).formulas:
            yield from rows
            return
        file, book = _load(self._path, data_only=False)
        try:
            yield from _with_formulas(rows, _values(book[sheet or self.first]))
        finally:
            book.close()
            file.close()

    def _sheet(self, name: str) -> Any:
        if found := self._sheets.get(name or self.first):
            return found
        raise FileRejected(f"The workbook has no sheet “{name}”. Its sheets: {', '.join(self._sheets)}.")

    def _part(self, sheet: str) -> Part:
        # openpyxl tells nowhere else which part of the archive a sheet is.
        return self._parts.get(self._sheet(sheet)._worksheet_path, Part())  # noqa: SLF001


def header_cells(path: Path, reading: Reading) -> list[str]:
    """Return the cells of the header row as text, without blank ones at its end."""
    with Workbook(path) as book:
        return _header(book.rows(reading.sheet), reading)


def workbook_chunks(path: Path, reading: Reading, *, columns: Collection[str], keep_raw: bool) -> Iterator[Chunk]:
    """See `files.read_chunks`. Cells keep their types where a column of a chunk has but one; others become text."""
    with Workbook(path) as book:
        rows = book.rows(reading.sheet)
        names = checked_header(_header(rows, reading))
        positions = {name: names.index(name) for name in columns}
        count = max(min(CHUNK_ROWS, CHUNK_CELLS // len(names)), 1)
        while found := list(itertools.islice(rows, count)):
            raw = _raw(found, reading, width=len(names)) if keep_raw else None
            yield _chunk(found, positions, reading, raw)
    yield Chunk({name: pa.array([], pa.string()) for name in columns}, [], fraction=1.0)


def values_of(row: SheetRow) -> list[Any]:
    """Return the values, None for a formula without one."""
    return [None if value is _NoValue else value for value in row.values]


def texts(values: Collection[Any], decimal: Literal[".", ","] = ".") -> list[str]:
    """Return the values as text, without blank ones at the end."""
    cells = ["" if value is _NoValue else as_text(value, decimal) for value in values]
    while cells and not cells[-1].strip():
        cells.pop()
    return cells


def _header(rows: Iterator[SheetRow], reading: Reading) -> list[str]:
    """Read on to the header row, and return its cells."""
    for row in rows:
        if row.number == reading.header_row:
            return texts(row.values)
        if row.number > reading.header_row:
            break
    raise FileRejected(f"Row {reading.header_row:,} of the sheet, where the column names should be, is blank.")


def _chunk(found: list[SheetRow], positions: dict[str, int], reading: Reading, raw: RawRows | None) -> Chunk:
    good: list[SheetRow] = []
    errors: list[CellError] = []
    for row in found:
        cells = [row.values[at] if at < len(row.values) else None for at in positions.values()]
        missing = next((name for name, cell in zip(positions, cells, strict=True) if cell is _NoValue), None)
        if missing is not None:
            errors.append(CellError(row.number, missing, NO_VALUE, raw.cells(row.number) if raw else ()))
        elif any(cell is not None and cell != "" for cell in cells):
            good.append(SheetRow(row.number, tuple(cells)))
    arrays = {name: _array(name, [row.values[n] for row in good], reading) for n, name in enumerate(positions)}
    # How many rows follow is not known: what a sheet says of its size may be anything.
    fraction = min(found[-1].number / MAX_ROWS, 0.99)
    return Chunk(arrays, [row.number for row in good], errors, fraction, raw)


def _raw(found: list[SheetRow], reading: Reading, *, width: int) -> RawRows:
    padded = [(texts(row.values, reading.decimal) + [""] * width)[:width] for row in found]
    columns = [pa.array(column, pa.string()) for column in zip(*padded, strict=True)]
    return RawRows([row.number for row in found], columns)


def _array(name: str, values: list[Any], reading: Reading) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {dt.datetime}:
        return pa.array(values, pa.timestamp("us"))
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds and kinds <= {int, float} and all(-INTEGER_LIMIT < (value or 0) < INTEGER_LIMIT for value in values):
        if kinds == {int}:
            return pa.array(values, pa.int64())
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    cells = [as_text(value, reading.decimal) for value in values]
    if any(len(cell) > MAX_CELL_BYTES for cell in cells):
        raise FileRejected(f"A cell in column “{name}” is longer than {MAX_CELL_BYTES:,} characters.")
    return pa.array(cells, pa.string())


def _values(sheet: Any) -> Iterator[SheetRow]:
    sheet.reset_dimensions()  # what a sheet says of its size may be anything
    rows = _filled_rows(sheet)
    while True:
        with _damage_refused():
            block = list(itertools.islice(rows, BLOCK_ROWS))
        yield from block
        if len(block) < BLOCK_ROWS:
            return


def _filled_rows(sheet: Any) -> Iterator[SheetRow]:
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number > MAX_ROWS:
            raise FileRejected(f"The sheet has more than {MAX_ROWS:,} rows. Split it.")
        if len(values) > MAX_COLUMNS:
            raise FileRejected(
                f"Row {number:,} reaches beyond column {MAX_COLUMNS:,}. Delete the columns right of the data."
            )
        if any(value is not None for value in values):
            yield SheetRow(number, values)


def _with_formulas(rows: Iterator[SheetRow], formulas: Iterator[SheetRow]) -> Iterator[SheetRow]:
    """Put `_NoValue` where there is a formula but no value. Rows without any value are not in `rows`."""
    value_row = next(rows, None)
    for formula_row in formulas:
        values: Sequence[Any] = ()
        if value_row is not None and value_row.number == formula_row.number:
            values, value_row = value_row.values, next(rows, None)
        merged = (
            _NoValue if value is None and formula is not None else value
            for value, formula in itertools.zip_longest(values, formula_row.values)
        )
        yield SheetRow(formula_row.number, tuple(merged))


def _load(path: Path, *, data_only: bool) -> tuple[IO[bytes], openpyxl.Workbook]:
    file = path.open("rb")  # a path would be judged by its ending, and kept files may have none
    try:
        with _damage_refused():
            return file, openpyxl.load_workbook(file, read_only=True, data_only=data_only, keep_links=False)
    except BaseException:
        file.close()
        raise


@contextmanager
def _damage_refused() -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that it leaves out
            yield
    except (*DAMAGE, OSError) as error:
        if not is_the_files_fault(error):
            raise
        raise FileRejected(DAMAGED) from error
