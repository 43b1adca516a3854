"""Read a CSV or Parquet file in chunks of columns, without holding it in memory."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from marketing.importing.errors import CellError, FileRejected

BLOCK_BYTES = 4 * 2**20
PARQUET_ROWS = 65_536
MAX_FIELD_BYTES = 131_072
ENCODINGS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some consecutive rows of a file: columns by name, each row's number, and rows that do not fit the header."""

    columns: dict[str, pa.Array]
    rows: list[int] | range
    errors: list[CellError] = field(default_factory=list)
    fraction: float = 0.0  # of the file read so far


def read_header(path: Path) -> list[str]:
    """Return the column names. Raises FileRejected if there are none, or some appear twice."""
    if _is_parquet(path):
        names = _open_parquet(path).schema_arrow.names
    else:
        encoding = _encoding(path)
        names = next(csv.reader([_first_line(path, encoding)], delimiter=_delimiter(path, encoding)), [])
    names = [name.strip() for name in names]
    if not any(names):
        raise FileRejected("The file has no header row. Put the column names in the first row.")
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise FileRejected(f"The column name “{twice[0]}” appears more than once in the header. Rename one of them.")
    return names


def read_chunks(path: Path, *, columns: list[str]) -> Iterator[Chunk]:
    """Yield the wanted columns of the file, some 50,000 rows at a time. Raises FileRejected on unreadable content."""
    try:
        yield from _parquet_chunks(path, columns) if _is_parquet(path) else _csv_chunks(path, columns)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise FileRejected(_readable(error)) from error


def _readable(error: Exception) -> str:
    text = str(error)
    if isinstance(error, UnicodeDecodeError) or "UTF8" in text:
        return "The file is not UTF-8 text. Save it as “CSV UTF-8” and try again."
    if "straddling" in text or "out of sync" in text or "parse quoted" in text:
        return f"A row is longer than {BLOCK_BYTES:,} bytes: a quotation mark is probably never closed."
    return f"The file cannot be read: {text}"


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _open_parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise FileRejected(f"The Parquet file is damaged: {error}") from error


def _parquet_chunks(path: Path, columns: list[str]) -> Iterator[Chunk]:
    with _open_parquet(path) as parquet:
        total = parquet.metadata.num_rows
        done = 0
        for batch in parquet.iter_batches(batch_size=PARQUET_ROWS, columns=columns):
            named = dict(zip((name.strip() for name in batch.schema.names), batch.columns, strict=True))
            rows = range(done + 2, done + 2 + batch.num_rows)
            done += batch.num_rows
            yield Chunk(named, rows, fraction=done / total)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4096)
    if not start.strip():
        raise FileRejected("The file is empty.")
    encoding = next((name for mark, name in ENCODINGS.items() if start.startswith(mark)), "utf-8")
    if encoding != "utf-16" and b"\0" in start:
        raise FileRejected("This is not a CSV file (it holds NUL bytes). Upload CSV or Parquet.")
    return encoding


def _first_line(path: Path, encoding: str) -> str:
    with path.open(encoding=encoding, newline="") as file:
        try:
            line = file.readline(MAX_FIELD_BYTES)
        except UnicodeError as error:
            raise FileRejected("The file is not UTF-8 text. Save it as “CSV UTF-8” and try again.") from error
    return line.rstrip("\r\n")


def _delimiter(path: Path, encoding: str) -> str:
    header = _first_line(path, encoding)
    return max(",;\t", key=header.count)


def _csv_chunks(path: Path, columns: list[str]) -> Iterator[Chunk]:
    names = read_header(path)
    encoding = _encoding(path)
    misfits: list[pa_csv.InvalidRow] = []

    def skip(row: pa_csv.InvalidRow) -> str:
        misfits.append(row)
        return "skip"

    size = path.stat().st_size
    with path.open("rb") as file:
        reader = pa_csv.open_csv(
            file if encoding.startswith("utf-8") else _recoded(path, encoding),
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES, column_names=names, skip_rows=1),
            parse_options=pa_csv.ParseOptions(
                delimiter=_delimiter(path, encoding), newlines_in_values=True, invalid_row_handler=skip
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), include_columns=columns, strings_can_be_null=False
            ),
        )
        next_row = 2
        for batch in reader:
            rows, errors, next_row = _number_rows(batch.num_rows, next_row, misfits)
            _check_cells(batch)
            yield Chunk(
                dict(zip(columns, batch.columns, strict=True)), rows, errors, fraction=min(file.tell() / size, 1.0)
            )
        if misfits:
            yield Chunk({name: pa.array([], pa.string()) for name in columns}, [], [_misfit(row) for row in misfits])


def _recoded(path: Path, encoding: str) -> io.BytesIO:
    return io.BytesIO(path.read_text(encoding=encoding).encode())


def _check_cells(batch: pa.RecordBatch) -> None:
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        text = column.buffers()[2]
        if text is not None and b"\0" in memoryview(text).tobytes():
            raise FileRejected(f"The column “{name}” holds NUL bytes. Export the file again as plain CSV.")


def _number_rows(
    count: int, next_row: int, misfits: list[pa_csv.InvalidRow]
) -> tuple[list[int] | range, list[CellError], int]:
    """Number `count` good rows from `next_row` on, stepping over (and using up) the misfits between them."""
    skipped = {row.number for row in misfits}
    rows: list[int] | range = range(next_row, next_row + count)
    if not skipped:
        return rows, [], next_row + count
    rows = []
    row = next_row
    while len(rows) < count:
        if row not in skipped:
            rows.append(row)
        row += 1
    while row in skipped:
        row += 1
    errors = [_misfit(misfit) for misfit in misfits if misfit.number < row]
    misfits[:] = [misfit for misfit in misfits if misfit.number >= row]
    return rows, errors, row


def _misfit(row: pa_csv.InvalidRow) -> CellError:
    return CellError(row.number or 0, "", f"{row.actual_columns} cells where the header has {row.expected_columns}")
