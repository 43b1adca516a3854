"""Read a file in chunks of columns, without holding it in memory: what is common to all formats.

`text_files`, `workbooks` and `parquet_files` each read one format. They import this module's `Chunk`, so the functions
that choose among them import them late.
"""

import datetime as dt
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from marketing.importing.columns import EXACT_INTEGER
from marketing.importing.errors import CellError, FileRejected
from marketing.importing.reading import Reading

BLOCK_BYTES = 2 * 2**20  # of text at a time; `text_files.Utf8Stream` gives half of what it is asked for
MAX_CELL_BYTES = 131_072
MAX_COLUMNS = 2_000
MAX_NAME_CHARACTERS = 500  # of a column
NAME_SHOWN = 40  # characters of a column's name in a sentence

NO_HEADER = "The file has no header row. Put the column names in the first row."

Rows = list[int] | range


@dataclass(frozen=True, slots=True)
class RawRows:
    """The rows of a chunk with all their cells, to be shown to whoever has to mend them."""

    rows: Rows
    columns: Sequence[pa.Array]

    def cells(self, row: int) -> tuple[str, ...]:
        """Return the cells of the row with this number, () if it is not among them."""
        position = row - self.rows.start if isinstance(self.rows, range) else bisect_left(self.rows, row)
        if not 0 <= position < len(self.rows) or self.rows[position] != row:
            return ()
        return tuple(as_text(value_of(column[position])) for column in self.columns)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some consecutive rows of a file: columns by name, each row's number, and rows that could not be read.

    `raw` is there if the reader was asked for it; it holds at least the rows of `columns`.
    """

    columns: dict[str, pa.Array]
    rows: Rows
    errors: list[CellError] = field(default_factory=list)
    fraction: float = 0.0  # of the file read so far
    raw: RawRows | None = None


def read_header(path: Path, reading: Reading) -> list[str]:
    """Return the column names; a column without a name is "". Raises FileRejected if none has one, or two the same."""
    if reading.format == "parquet":
        from marketing.importing.parquet_files import header_cells
    elif reading.format == "xlsx":
        from marketing.importing.workbooks import header_cells
    else:
        from marketing.importing.text_files import header_cells
    return checked_header(header_cells(path, reading))


def read_chunks(path: Path, reading: Reading, *, columns: Collection[str], keep_raw: bool = False) -> Iterator[Chunk]:
    """Yield the wanted columns of the file, some 10,000 rows at a time. Raises FileRejected on unreadable content.

    A row in which every wanted cell is blank is passed over like a blank line. `keep_raw`: each chunk carries all cells
    of its rows, and each error those of its row.
    """
    if reading.format == "parquet":
        from marketing.importing.parquet_files import parquet_chunks

        return parquet_chunks(path, reading, columns=columns, keep_raw=keep_raw)
    if reading.format == "xlsx":
        from marketing.importing.workbooks import workbook_chunks

        return workbook_chunks(path, reading, columns=columns, keep_raw=keep_raw)
    from marketing.importing.text_files import text_chunks

    return text_chunks(path, reading, columns=columns, keep_raw=keep_raw)


def checked_header(cells: Sequence[str]) -> list[str]:
    """Return the names without needless blanks. Raises FileRejected if there is none, or some appear twice."""
    names = [" ".join(cell.split()) for cell in cells]
    if not any(names):
        raise FileRejected(NO_HEADER)
    if len(names) > MAX_COLUMNS:
        raise FileRejected(f"The file has {len(names):,} columns, and {MAX_COLUMNS:,} at most are read. Delete some.")
    if twice := sorted(name for name, count in Counter(names).items() if name and count > 1):
        raise FileRejected(f"The column name “{_short(twice[0])}” appears more than once in the header. Rename one.")
    if too_long := [name for name in names if len(name) > MAX_NAME_CHARACTERS]:
        raise FileRejected(
            f"The column name “{_short(too_long[0])}” is longer than {MAX_NAME_CHARACTERS} characters. "
            "Is this the row with the column names?"
        )
    return names


def _short(name: str) -> str:
    return name if len(name) <= NAME_SHOWN else f"{name[:NAME_SHOWN]}..."


def value_of(cell: pa.Scalar) -> Any:
    """Return the value of a typed cell; a day or time beyond those that Python knows, as text."""
    try:
        return cell.as_py()
    except (OverflowError, ValueError):
        return cell.cast(pa.string()).as_py()


def as_text(value: object, decimal: Literal[".", ","] = ".") -> str:
    """Return a typed value as the text that the file's text cells would have for it: days and times in ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        text = repr(int(value)) if value.is_integer() and abs(value) < EXACT_INTEGER else repr(value)
        return text.replace(".", decimal)
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value)
