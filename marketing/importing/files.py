"""Read a CSV or Parquet file in chunks of columns, without holding it in memory."""

import codecs
import csv
import functools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from marketing.importing.errors import CellError, FileRejected

BLOCK_BYTES = 2 * 2**20  # asked of the stream, which gives half: see Utf8Stream
PARQUET_ROWS = 65_536
MAX_CELL_BYTES = 131_072
MAX_MISFITS = 100_000  # in a row: then the file is at fault, not its rows
ENCODINGS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
NOT_UTF8 = "The file is not UTF-8 text. Save it as “CSV UTF-8” and try again."
NEVER_CLOSED = "a quotation mark is probably never closed"


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
        with _open_parquet(path) as parquet:
            names = parquet.schema_arrow.names
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
    """Yield the wanted columns of the file, some 10,000 rows at a time. Raises FileRejected on unreadable content.

    A CSV row in which every wanted cell is blank is passed over like a blank line.
    """
    try:
        yield from _parquet_chunks(path, columns) if _is_parquet(path) else _csv_chunks(path, columns)
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's fault, not the file's
        raise FileRejected(_readable(error)) from error


def _readable(error: Exception) -> str:
    text = str(error)
    if "straddling" in text or "out of sync" in text or "parse quoted" in text:
        return f"A row is longer than {BLOCK_BYTES // 2:,} bytes: {NEVER_CLOSED}."
    if "CSV parse error: " in text:
        return f"More than {MAX_MISFITS:,} rows in a row have more or fewer cells than the header. Check the separator."
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
        named = {name.strip(): name for name in parquet.schema_arrow.names}
        total = parquet.metadata.num_rows
        done = 0
        for batch in parquet.iter_batches(batch_size=PARQUET_ROWS, columns=[named[name] for name in columns]):
            rows = range(done + 2, done + 2 + batch.num_rows)
            done += batch.num_rows
            yield Chunk(
                {name: _plain(name, batch.column(named[name])) for name in columns}, rows, fraction=done / total
            )


def _plain(name: str, column: pa.Array) -> pa.Array:
    """Return the column without dictionary coding. Raises FileRejected if it holds anything but single values."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_nested(kind) or pa.types.is_time(kind) or pa.types.is_duration(kind) or pa.types.is_interval(kind):
        raise FileRejected(
            f"The column “{name}” holds values of type {kind}. Text, numbers, dates, timestamps and true/false can be "
            f"imported."
        )
    try:
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            column = column.cast(pa.string())
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        raise FileRejected(f"The column “{name}” is not UTF-8 text.") from error
    return column


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
            line = file.readline(MAX_CELL_BYTES)
        except UnicodeError as error:
            raise FileRejected(NOT_UTF8) from error
    if len(line) == MAX_CELL_BYTES:
        raise FileRejected(f"The header row is longer than {MAX_CELL_BYTES:,} characters. This may not be a CSV file.")
    if line.count('"') % 2:
        raise FileRejected("A column name holds a line break or an unpaired quotation mark. Rename that column.")
    return line.rstrip("\r\n")


def _delimiter(path: Path, encoding: str) -> str:
    header = _first_line(path, encoding)
    return max(",;\t", key=header.count)


class Utf8Stream:
    """A CSV file as checked UTF-8, with one row added at its end that shows whether the last quotation was closed."""

    END_CELL = "\x1eend of file\x1e"

    def __init__(self, path: Path, *, encoding: str, end_row: str) -> None:
        self._file = path.open("rb")
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._end: bytes = f"\n{end_row}\n".encode()
        self.closed = False

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes, b"" at the end. Raises FileRejected for bytes that are not text."""
        raw = self._file.read(size // 2)  # two bytes of UTF-16 are at most three of UTF-8
        if len(raw) == size // 2:
            return self._decode(raw)
        rest, self._end = self._decode(raw, final=True) + self._end, b""
        return rest

    def close(self) -> None:
        self._file.close()
        self.closed = True

    def _decode(self, raw: bytes, *, final: bool = False) -> bytes:
        try:
            text = self._decoder.decode(raw, final).encode()
        except UnicodeDecodeError as error:
            where = self._file.tell() - len(raw) + error.start
            raise FileRejected(f"{NOT_UTF8} The first byte that is not is number {where + 1:,}.") from error
        if b"\0" in text:
            raise FileRejected("The file holds NUL bytes. Export it again as plain CSV.")
        return text


@dataclass(slots=True)
class RowCounter:
    """Numbers the good rows of a CSV file, knowing which rows between them do not fit the header."""

    end_row: str
    next_row: int = 2
    ended: bool = False
    misfits: deque[CellError] = field(default_factory=deque)

    def skip(self, row: pa_csv.InvalidRow) -> str:
        """Remember a row that does not fit; pyarrow's thread calls it, so it only appends, and never raises."""
        if row.text == self.end_row:
            self.ended = True
        elif len(self.misfits) == MAX_MISFITS:
            return "error"
        else:
            reason = f"{row.actual_columns} cells where the header has {row.expected_columns}"
            self.misfits.append(CellError(row.number or 0, "", reason))
        return "skip"

    def number(self, count: int) -> tuple[list[int] | range, list[CellError]]:
        """Return the numbers of the next `count` good rows, and (used up) the misfits before and between them."""
        if not self.misfits or self.misfits[0].row >= self.next_row + count:
            rows: list[int] | range = range(self.next_row, self.next_row + count)
            self.next_row += count
            return rows, []
        rows, errors = [], []
        while len(rows) < count:
            if self.misfits and self.misfits[0].row == self.next_row:
                errors.append(self.misfits.popleft())
            else:
                rows.append(self.next_row)
            self.next_row += 1
        return rows, errors


def _csv_chunks(path: Path, columns: list[str]) -> Iterator[Chunk]:
    names = read_header(path)
    encoding = _encoding(path)
    delimiter = _delimiter(path, encoding)
    counter = RowCounter(end_row=delimiter.join([Utf8Stream.END_CELL] * (len(names) + 1)))
    stream = Utf8Stream(path, encoding=encoding, end_row=counter.end_row)
    try:
        reader = pa_csv.open_csv(
            stream,
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES, column_names=names, skip_rows=1),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,  # they count as rows: people look a row up by its number
                invalid_row_handler=counter.skip,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), include_columns=columns, strings_can_be_null=False
            ),
        )
        size = path.stat().st_size
        for done, batch in enumerate(reader, start=1):  # pyarrow reads ahead, but gives one batch for each block
            rows, errors = counter.number(batch.num_rows)
            _check_cell_sizes(batch)
            yield _without_blank_rows(batch, rows, errors, min(done * (BLOCK_BYTES // 2) / size, 1.0))
    finally:
        stream.close()
    if not counter.ended:
        raise FileRejected(f"The file ends in the middle of a cell: {NEVER_CLOSED}.")
    if counter.misfits:
        yield Chunk({name: pa.array([], pa.string()) for name in columns}, [], list(counter.misfits), fraction=1.0)


def _check_cell_sizes(batch: pa.RecordBatch) -> None:
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        longest = pc.max(pc.binary_length(column)).as_py() or 0
        if longest > MAX_CELL_BYTES:
            raise FileRejected(f"A cell in column “{name}” is longer than {MAX_CELL_BYTES:,} bytes: {NEVER_CLOSED}.")


def _without_blank_rows(
    batch: pa.RecordBatch, rows: list[int] | range, errors: list[CellError], fraction: float
) -> Chunk:
    filled = functools.reduce(pc.or_, (pc.not_equal(column, "") for column in batch.columns))
    if pc.min(filled).as_py() is False:
        batch = batch.filter(filled)
        rows = [row for row, kept in zip(rows, filled.to_pylist(), strict=True) if kept]
    return Chunk(dict(zip(batch.schema.names, batch.columns, strict=True)), rows, errors, fraction)
