"""Read text files (CSV and the like, also under gzip) in chunks of columns."""

import codecs
import contextlib
import csv
import functools
import gzip
import io
import itertools
import zlib
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from marketing.importing import files
from marketing.importing.errors import CellError, FileRejected, is_the_files_fault
from marketing.importing.files import MAX_CELL_BYTES, Chunk, RawRows, Rows, checked_header
from marketing.importing.reading import Reading

LONGEST_LINE = 2**20  # of the rows down to the header
MAX_MISFITS = 100_000  # in a row: then the file is at fault, not its rows
MAX_UNPACKED_BYTES = 4 * 2**30
MAX_UNPACKED_RATIO = 200  # real exports reach about 30; what is made to burst reaches 1,000
HARMLESS_BYTES = 64 * 2**20  # a file that unpacks to no more than this may be as repetitive as it likes
PROBES = 32  # looks into the rest of a file, where its beginning does not tell how days and numbers are written
PROBE_BYTES = 2**15
MEAN_RATIO = 8  # of gzip, for a progress bar that is about right
NEVER_CLOSED = "a quotation mark is probably never closed"
HOLDS_NUL = "The file holds NUL bytes, so it is not text. Upload CSV, Excel (.xlsx) or Parquet."


class GzipSource(io.RawIOBase):
    """The unpacked bytes of a gzip file. Reading raises FileRejected if it is damaged, or made to burst."""

    def __init__(self, path: Path) -> None:
        self._packed = path.open("rb")
        self._unpacked = gzip.GzipFile(fileobj=self._packed)
        self._limit = min(MAX_UNPACKED_BYTES, max(HARMLESS_BYTES, path.stat().st_size * MAX_UNPACKED_RATIO))
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._unpacked.read(len(buffer))
        except EOFError as error:
            raise FileRejected("The gzip file is cut off. Download or compress it again.") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise FileRejected("The gzip file is damaged. Download or compress it again.") from error
        self._count += len(data)
        if self._count > self._limit:
            raise FileRejected(
                f"The gzip file unpacks to more than {self._limit // 2**20:,} MB, which is too much. Split the data."
            )
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._unpacked.close()
        self._packed.close()
        super().close()


def open_bytes(path: Path, *, gzipped: bool) -> io.BufferedReader:
    """Open the file, unpacked if it is a gzip file."""
    return io.BufferedReader(GzipSource(path), 2**17) if gzipped else path.open("rb")


class TextRow(NamedTuple):
    """The cells of a row, and how many lines of the file end with it."""

    cells: list[str]
    lines: int


def open_text(path: Path, reading: Reading) -> io.TextIOWrapper:
    """Open the file as text, its line ends as they are."""
    return io.TextIOWrapper(open_bytes(path, gzipped=reading.gzipped), encoding=reading.encoding, newline="")


def text_rows(path: Path, reading: Reading) -> Iterator[TextRow]:
    """Yield the rows from the start of the file, blank ones too. For its beginning: `text_chunks` is for all of it."""
    with open_text(path, reading) as text:
        reader = csv.reader(text_lines(text), delimiter=reading.delimiter)
        try:
            for cells in reader:
                yield TextRow(cells, reader.line_num)
        except csv.Error as error:
            raise FileRejected(f"Row {reader.line_num:,} holds a cell that is too long: {NEVER_CLOSED}.") from error


def text_lines(text: io.TextIOWrapper) -> Iterator[str]:
    """Yield the lines with their ends. Raises FileRejected for what is no text, and for endless ones."""
    try:
        while line := text.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE:
                raise FileRejected(f"A row is longer than {LONGEST_LINE:,} characters. This may not be a table.")
            if "\0" in line:
                raise FileRejected(HOLDS_NUL)
            yield line
    except UnicodeError as error:
        raise FileRejected(_not_text(text.encoding)) from error


def scattered_rows(path: Path, reading: Reading) -> Iterator[list[str]]:
    """Yield rows from all over the file, as far as they can be made out; of a gzip file, none.

    Where a row begins inside a quoted cell is not known, so what comes is for statistics only.
    """
    size = path.stat().st_size
    if reading.gzipped or size <= PROBE_BYTES:
        return
    with path.open("rb") as file:
        # In the middle of the file no byte order mark tells which UTF-16 it is.
        big_end_first = file.read(2) == codecs.BOM_UTF16_BE
        encoding = {"utf-16": "utf-16-be" if big_end_first else "utf-16-le"}.get(reading.encoding, reading.encoding)
        for n in range(1, PROBES + 1):
            file.seek((size - PROBE_BYTES) * n // PROBES // 2 * 2)  # at an even byte: UTF-16
            text = file.read(PROBE_BYTES).decode(encoding, errors="ignore")
            lines = text.replace("\0", "").splitlines()[1:-1]
            with contextlib.suppress(csv.Error):
                yield from csv.reader(lines, delimiter=reading.delimiter)


def header_cells(path: Path, reading: Reading) -> list[str]:
    """Return the cells of the header row, as they are."""
    return _header(path, reading).cells


def _header(path: Path, reading: Reading) -> TextRow:
    rows = itertools.islice(text_rows(path, reading), reading.header_row - 1, None)
    header = next(rows, None)
    if header is None and reading.header_row > 1:
        raise FileRejected(f"The file has no row {reading.header_row:,}, which is said to hold the column names.")
    return header or TextRow([], 0)


def _not_text(encoding: str) -> str:
    if encoding.startswith("utf-8"):
        return "The file is not UTF-8 text. Save it as “CSV UTF-8”, or choose its encoding by hand."
    return f"The file is not text in the encoding {encoding}. Choose another, or save it as “CSV UTF-8”."


class Utf8Stream:
    """A text file as checked UTF-8, with one row added at its end that shows whether the last quotation was closed."""

    END_CELL = "\x1eend of file\x1e"

    def __init__(self, path: Path, reading: Reading, *, end_row: str) -> None:
        self._file = open_bytes(path, gzipped=reading.gzipped)
        self._encoding = reading.encoding
        self._decoder = codecs.getincrementaldecoder(reading.encoding)()
        self._end: bytes = f"\n{end_row}\n".encode()
        self._position = 0
        self.closed = False

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes, b"" at the end. Raises FileRejected for bytes that are not text."""
        share = 2 if self._encoding.startswith("utf") else 4  # two bytes of UTF-16 are at most three of UTF-8
        raw = self._file.read(size // share)
        if len(raw) == size // share:
            return self._decode(raw)
        rest, self._end = self._decode(raw, final=True) + self._end, b""
        return rest

    def close(self) -> None:
        self._file.close()
        self.closed = True

    def _decode(self, raw: bytes, *, final: bool = False) -> bytes:
        left_over = len(self._decoder.getstate()[0])  # of a letter that the last block cut in two
        try:
            text = self._decoder.decode(raw, final).encode()
        except UnicodeDecodeError as error:
            where = self._position - left_over + error.start
            raise FileRejected(f"{_not_text(self._encoding)} Byte {where + 1:,} is the first that is not.") from error
        except UnicodeEncodeError as error:
            raise FileRejected(_not_text(self._encoding)) from error
        self._position += len(raw)
        if b"\0" in text:
            raise FileRejected(HOLDS_NUL)
        return text


@dataclass(slots=True)
class RowCounter:
    """Numbers the good rows of a text file, knowing which rows between them do not fit the header."""

    end_row: str
    delimiter: str
    next_row: int
    extra_lines: int  # of the rows down to the header: lines that ended inside a cell
    keep_raw: bool
    ended: bool = False
    misfits: deque[tuple[int, int, int, str]] = field(default_factory=deque)

    def skip(self, row: pa_csv.InvalidRow) -> str:
        """Remember a row that does not fit; pyarrow's thread calls it, so it only appends, and never raises."""
        if row.text == self.end_row:
            self.ended = True
        elif len(self.misfits) == MAX_MISFITS:
            return "error"
        else:
            text = row.text if self.keep_raw else ""
            number = (row.number or 0) - self.extra_lines
            self.misfits.append((number, row.actual_columns, row.expected_columns, text))
        return "skip"

    def number(self, count: int) -> tuple[Rows, list[CellError]]:
        """Return the numbers of the next `count` good rows, and (used up) the misfits before and between them."""
        if not self.misfits or self.misfits[0][0] >= self.next_row + count:
            rows: Rows = range(self.next_row, self.next_row + count)
            self.next_row += count
            return rows, []
        rows, errors = [], []
        while len(rows) < count:
            if self.misfits and self.misfits[0][0] == self.next_row:
                errors.append(self._error(*self.misfits.popleft()))
            else:
                rows.append(self.next_row)
            self.next_row += 1
        return rows, errors

    def rest(self) -> list[CellError]:
        """Return the misfits after the last good row."""
        return [self._error(*misfit) for misfit in self.misfits]

    def _error(self, row: int, actual: int, expected: int, text: str) -> CellError:
        lines = io.StringIO(text, newline="")
        cells = next(csv.reader(lines, delimiter=self.delimiter), []) if text else []
        noun = "cell" if actual == 1 else "cells"
        return CellError(row, "", f"{actual} {noun} where the header has {expected}", tuple(cells))


def text_chunks(path: Path, reading: Reading, *, columns: Collection[str], keep_raw: bool) -> Iterator[Chunk]:
    """See `files.read_chunks`."""
    try:
        yield from _chunks(path, reading, columns, keep_raw=keep_raw)
    except (pa.ArrowInvalid, OSError) as error:
        if not is_the_files_fault(error):
            raise
        raise FileRejected(_readable(error)) from error


def _chunks(path: Path, reading: Reading, columns: Collection[str], *, keep_raw: bool) -> Iterator[Chunk]:
    header = _header(path, reading)
    names = checked_header(header.cells)
    counter = RowCounter(
        end_row=reading.delimiter.join([Utf8Stream.END_CELL] * (len(names) + 1)),
        delimiter=reading.delimiter,
        next_row=reading.header_row + 1,
        extra_lines=header.lines - reading.header_row,
        keep_raw=keep_raw,
    )
    wanted = {name: str(names.index(name)) for name in columns}
    stream = Utf8Stream(path, reading, end_row=counter.end_row)
    try:
        reader = _open(stream, reading, counter, skip=header.lines, count=len(names), wanted=wanted)
        size = path.stat().st_size
        for done, batch in enumerate(reader, start=1):  # pyarrow reads ahead, but gives one batch for each block
            rows, errors = counter.number(batch.num_rows)
            raw = RawRows(rows, batch.columns) if keep_raw else None
            batch = batch.select(list(wanted.values())).rename_columns(list(wanted))
            _check_cell_sizes(batch)
            unpacked = size * (MEAN_RATIO if reading.gzipped else 1)
            yield _without_blank_rows(batch, rows, errors, min(done * (files.BLOCK_BYTES // 2) / unpacked, 1.0), raw)
    finally:
        stream.close()
    if not counter.ended:
        raise FileRejected(f"The file ends in the middle of a cell: {NEVER_CLOSED}.")
    if counter.misfits:
        yield Chunk({name: pa.array([], pa.string()) for name in columns}, [], counter.rest(), fraction=1.0)


def _open(
    stream: Utf8Stream, reading: Reading, counter: RowCounter, *, skip: int, count: int, wanted: dict[str, str]
) -> pa_csv.CSVStreamingReader:
    positions = [str(n) for n in range(count)]  # names may be blank
    return pa_csv.open_csv(
        stream,
        read_options=pa_csv.ReadOptions(
            use_threads=False, block_size=files.BLOCK_BYTES, column_names=positions, skip_rows=skip
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=reading.delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,  # they count as rows: people look a row up by its number
            invalid_row_handler=counter.skip,
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(positions, pa.string()),
            include_columns=positions if counter.keep_raw else list(wanted.values()),
            strings_can_be_null=False,
        ),
    )


def _check_cell_sizes(batch: pa.RecordBatch) -> None:
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        longest = pc.max(pc.binary_length(column)).as_py() or 0
        if longest > MAX_CELL_BYTES:
            raise FileRejected(f"A cell in column “{name}” is longer than {MAX_CELL_BYTES:,} bytes: {NEVER_CLOSED}.")


def _without_blank_rows(
    batch: pa.RecordBatch, rows: Rows, errors: list[CellError], fraction: float, raw: RawRows | None
) -> Chunk:
    filled = functools.reduce(pc.or_, (pc.not_equal(column, "") for column in batch.columns))
    if pc.min(filled).as_py() is False:
        batch = batch.filter(filled)
        rows = [row for row, kept in zip(rows, filled.to_pylist(), strict=True) if kept]
    return Chunk(dict(zip(batch.schema.names, batch.columns, strict=True)), rows, errors, fraction, raw)


def _readable(error: Exception) -> str:
    text = str(error)
    if "straddling" in text or "out of sync" in text or "parse quoted" in text:
        return f"A row is longer than {files.BLOCK_BYTES // 2:,} bytes: {NEVER_CLOSED}."
    if "CSV parse error: " in text:
        return f"More than {MAX_MISFITS:,} rows in a row have more or fewer cells than the header. Check the separator."
    return f"The file cannot be read: {text.rstrip('.')}."
